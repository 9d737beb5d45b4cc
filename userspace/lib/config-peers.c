// SPDX-License-Identifier: GPL-2.0
/*
 * Peers in files of their own, one each, beside the configuration: what "jvpnctl peer add" writes.
 * They count as if they stood in gateway.peers; errors name their file.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config-read.h"

#define PEER_FILE_MAX	65536
#define SUFFIX		".yaml"

static int jvpn_config_peer_file_filter(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > strlen(SUFFIX) &&
	       !strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX);
}

static void jvpn_config_peer_file_refuse(struct jvpn_config_reader *reader, const char *what)
{
	char problem[256];

	snprintf(problem, sizeof(problem), "cannot read the peer: %s", what);
	jvpn_config_error_add(reader->errors, 0, 0, NULL, problem, NULL, NULL);
}

static FILE *jvpn_config_peer_file_open(struct jvpn_config_reader *reader, const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat st;

	if (!file) {
		jvpn_config_peer_file_refuse(reader, strerror(errno));
		return NULL;
	}
	if (!fstat(fileno(file), &st) && S_ISREG(st.st_mode) && st.st_size <= PEER_FILE_MAX)
		return file;
	jvpn_config_peer_file_refuse(reader, "it is no file of at most 64 KiB");
	fclose(file);
	return NULL;
}

/* What one peer has, and another one of a file wants too. */
static const char *jvpn_config_peer_shared(const struct jvpn_config_peer *a,
					   const struct jvpn_config_peer *b)
{
	if (!strcmp(a->name, b->name))
		return "name";
	if (!memcmp(a->public_key, b->public_key, sizeof(a->public_key)))
		return "public_key";
	for (size_t i = 0; i < a->n_addresses; i++)
		for (size_t j = 0; j < b->n_addresses; j++)
			if (!memcmp(&a->addresses[i], &b->addresses[j], sizeof(*a->addresses)))
				return "addresses";
	for (size_t i = 0; i < a->n_allowed_prefixes; i++)
		for (size_t j = 0; j < b->n_allowed_prefixes; j++)
			if (!memcmp(&a->allowed_prefixes[i], &b->allowed_prefixes[j],
				    sizeof(*a->allowed_prefixes)))
				return "allowed_prefixes";
	return NULL;
}

static void jvpn_config_peer_unique_check(struct jvpn_config_reader *reader,
					  const struct jvpn_config_peer *peer)
{
	const struct jvpn_config_gateway *gateway = &reader->config->gateway;

	for (size_t i = 0; i < gateway->n_peers; i++) {
		const char *field = jvpn_config_peer_shared(&gateway->peers[i], peer);
		char problem[256];

		if (!field)
			continue;
		snprintf(problem, sizeof(problem), "the peer '%s' has the same already",
			 gateway->peers[i].name);
		jvpn_config_error_add(reader->errors, 1, 1, field, problem,
				      "each name, key, address and prefix at one peer", NULL);
		return;
	}
}

static struct jvpn_config_peer *jvpn_config_peer_append(struct jvpn_config_reader *reader)
{
	struct jvpn_config_gateway *gateway = &reader->config->gateway;
	struct jvpn_config_peer *peers;

	peers = reallocarray(gateway->peers, gateway->n_peers + 1, sizeof(*peers));
	if (!peers) {
		reader->no_memory = true;
		return NULL;
	}
	gateway->peers = peers;
	memset(&peers[gateway->n_peers], 0, sizeof(*peers));
	return &peers[gateway->n_peers];
}

/* A network of a peer's holds no address that is given out or the gateway's own. */
static void jvpn_config_peer_network_check(struct jvpn_config_reader *reader,
					   const struct jvpn_prefix *network)
{
	const struct jvpn_config *config = reader->config;
	bool overlaps = false;

	if (!network->length)
		return;
	for (size_t i = 0; i < config->gateway.n_pools; i++)
		overlaps |= jvpn_prefix_overlaps(network, &config->gateway.pools[i]);
	for (size_t i = 0; i < config->device.n_addresses; i++)
		overlaps |= jvpn_prefix_contains(network, &config->device.addresses[i].addr);
	if (overlaps)
		jvpn_config_error_add(reader->errors, 1, 1, "allowed_prefixes",
				      "one overlaps gateway.pools or device.addresses: its addresses would have two owners",
				      "networks that overlap neither, or the default route", NULL);
}

/* Who looks for a peer, to shut it out, looks at the names of files. */
static void jvpn_config_peer_name_check(struct jvpn_config_reader *reader, const char *path,
					const struct jvpn_config_peer *peer)
{
	const char *base = strrchr(path, '/') + 1;
	size_t length = strlen(base) - strlen(SUFFIX);
	char problem[256];

	if (strlen(peer->name) == length && !strncmp(base, peer->name, length))
		return;
	snprintf(problem, sizeof(problem), "the file of the peer '%s' is called %s", peer->name, base);
	jvpn_config_error_add(reader->errors, 1, 1, "name", problem,
			      "the name of the file without .yaml", NULL);
}

static void jvpn_config_peer_root_read(struct jvpn_config_reader *reader, const char *path,
				       yaml_node_t *root)
{
	struct jvpn_config_peer *peer = jvpn_config_peer_append(reader);
	size_t before = reader->errors->count;

	if (!peer)
		return;
	jvpn_config_read_peer(reader, root, peer);
	for (size_t i = 0; reader->errors->count == before && i < peer->n_allowed_prefixes; i++)
		jvpn_config_peer_network_check(reader, &peer->allowed_prefixes[i]);
	if (reader->errors->count == before)
		jvpn_config_peer_unique_check(reader, peer);
	if (reader->errors->count == before)
		jvpn_config_peer_name_check(reader, path, peer);
	reader->config->gateway.n_peers++;
}

static void jvpn_config_peer_document_read(struct jvpn_config_reader *reader, const char *path,
					   yaml_parser_t *parser)
{
	yaml_node_t *root;

	if (!yaml_parser_load(parser, &reader->document)) {
		jvpn_config_refuse_yaml(reader, parser);
		return;
	}
	root = yaml_document_get_root_node(&reader->document);
	if (root)
		jvpn_config_peer_root_read(reader, path, root);
	else
		jvpn_config_error_add(reader->errors, 1, 1, NULL, "the file is empty",
				      "one peer, as an element of gateway.peers",
				      "{name: alice, public_key: "
				      "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=}");
	yaml_document_delete(&reader->document);
}

static void jvpn_config_peer_file_read(struct jvpn_config_reader *reader, const char *path)
{
	size_t before = reader->errors->count;
	FILE *file = jvpn_config_peer_file_open(reader, path);
	yaml_parser_t parser;

	if (file && yaml_parser_initialize(&parser)) {
		yaml_parser_set_input_file(&parser, file);
		jvpn_config_peer_document_read(reader, path, &parser);
		yaml_parser_delete(&parser);
	}
	if (file)
		fclose(file);
	jvpn_config_errors_place(reader->errors, before, path);
}

/*
 * Beside the folder of the configuration, not in it: the service manager copies all that is there,
 * for the keys, and there is little room.
 */
static void jvpn_config_peers_dir_default(struct jvpn_config *config)
{
	const char *slash = strrchr(config->path, '/');

	if (slash && slash != config->path)
		snprintf(config->gateway.peers_dir, sizeof(config->gateway.peers_dir), "%.*s.d/%s",
			 (int)(slash - config->path), config->path, config->device.name);
	else
		snprintf(config->gateway.peers_dir, sizeof(config->gateway.peers_dir), "peers.d/%s",
			 config->device.name);
}

void jvpn_config_read_peer_files(struct jvpn_config_reader *reader)
{
	struct jvpn_config *config = reader->config;
	const char *folder = config->gateway.peers_dir;
	bool given = *folder;
	struct dirent **list;
	char path[PATH_MAX + 256];
	int count;

	if (!given)
		jvpn_config_peers_dir_default(config);
	count = scandir(folder, &list, jvpn_config_peer_file_filter, alphasort);
	/* A folder that the file names and that is gone is no reason to shut all of them out. */
	if (count < 0 && (given || errno != ENOENT)) {
		snprintf(path, sizeof(path), "cannot read the folder %s: %s", folder,
			 strerror(errno));
		jvpn_config_error_add(reader->errors, 0, 0, "gateway.peers_dir", path, NULL, NULL);
	}
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, list[i]->d_name);
		jvpn_config_peer_file_read(reader, path);
		free(list[i]);
	}
	if (count >= 0)
		free(list);
}
