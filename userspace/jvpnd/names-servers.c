// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "names.h"

/* Longer ones hold nothing for us. */
#define RESOLV_CONF_MAX 16384

static bool names_server_parse(const char *word, struct names_server *server)
{
	char text[JVPN_ADDR_TEXT + IFNAMSIZ];
	const char *why;
	char *scope;

	if (strlen(word) >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%s", word);
	*server = (struct names_server){};
	scope = strchr(text, '%');
	if (scope) {
		*scope++ = '\0';
		if (!*scope || strlen(scope) >= sizeof(server->interface))
			return false;
		snprintf(server->interface, sizeof(server->interface), "%s", scope);
	}
	return !jvpn_addr_parse(&server->addr, text, &why);
}

static bool names_server_known(const struct names_server *list, size_t count,
			       const struct names_server *server)
{
	for (size_t i = 0; i < count; i++)
		if (jvpn_addr_equal(&list[i].addr, &server->addr) &&
		    !strcmp(list[i].interface, server->interface))
			return true;
	return false;
}

static size_t names_line_parse(const char *line, struct names_server *list, size_t count,
			       size_t most)
{
	struct names_server server;
	char keyword[16], word[128];

	if (count == most || sscanf(line, " %15s %127s", keyword, word) != 2 ||
	    strcmp(keyword, "nameserver") || !names_server_parse(word, &server) ||
	    names_server_known(list, count, &server))
		return count;
	list[count] = server;
	return count + 1;
}

size_t names_servers_parse(const char *text, struct names_server *list, size_t most)
{
	char line[256];
	size_t count = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		count = names_line_parse(line, list, count, most);
		text += length + (text[length] == '\n');
	}
	return count;
}

size_t names_servers_read(const char *path, struct names_server *list, size_t most)
{
	char text[RESOLV_CONF_MAX];
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file)
		return 0;
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	return names_servers_parse(text, list, most);
}

bool names_server_is_local(const struct names_server *server)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (server->addr.family == AF_INET)
		return server->addr.bytes[0] == 127;
	return !memcmp(server->addr.bytes, one, sizeof(one));
}
