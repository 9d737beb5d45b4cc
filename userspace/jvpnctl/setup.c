// SPDX-License-Identifier: GPL-2.0
#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "kernel.h"

const char *setup_device(const struct ctl *ctl)
{
	return ctl->device ? ctl->device : "jvpn0";
}

bool setup_config_path(const struct ctl *ctl, char *path, size_t size)
{
	const char *dir = ctl_option(ctl, "dir");

	if (snprintf(path, size, "%s/%s.yaml", dir ? dir : SETUP_DIR, setup_device(ctl)) <
	    (int)size)
		return true;
	ctl_fail(ctl, CTL_USAGE, "USAGE", "the folder's path is too long");
	return false;
}

/* The daemon's group, if there is one and we may give it something. */
static void setup_group_give(int fd)
{
	const struct group *group = getgrnam(SETUP_USER);

	if (group && !geteuid())
		(void)!fchown(fd, (uid_t)-1, group->gr_gid);
}

bool setup_folder_make(const struct ctl *ctl, const char *path)
{
	int fd;

	if (mkdir(path, 0750)) {
		if (errno == EEXIST)
			return true;
		ctl_fail(ctl, errno == EACCES || errno == EPERM ? CTL_FORBIDDEN : CTL_FAILED,
			 "FILE", "cannot make the folder %s: %s%s", path, strerror(errno),
			 errno == EACCES ? "; run this as root, or name another folder with --dir" :
					   "");
		return false;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		/* Whatever the umask: the daemon is not root. */
		(void)!fchmod(fd, 0750);
		setup_group_give(fd);
		close(fd);
	}
	return true;
}

bool setup_folders_make(const struct ctl *ctl, const char *path)
{
	char parent[PATH_MAX];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = '\0';
		if (!setup_folder_make(ctl, parent))
			return false;
	}
	return setup_folder_make(ctl, path);
}

static bool setup_file_fill(int fd, const char *text, bool secret)
{
	size_t length = strlen(text);

	if (fchmod(fd, secret ? 0600 : 0640))
		return false;
	if (!secret)
		setup_group_give(fd);
	return write(fd, text, length) == (ssize_t)length && !fsync(fd);
}

static int setup_file_failed(const struct ctl *ctl, const char *path, int error)
{
	if (error == EEXIST)
		return ctl_fail(ctl, CTL_REFUSED, "EXISTS",
				"%s is there already and is left as it is; move it away first",
				path);
	return ctl_fail(ctl, error == EACCES ? CTL_FORBIDDEN : CTL_FAILED, "FILE",
			"cannot write %s: %s%s", path, strerror(error),
			error == EACCES ? "; run this as root" : "");
}

int setup_file_write(const struct ctl *ctl, const char *path, const char *text, bool secret)
{
	char draft[PATH_MAX];
	int fd, error = 0;

	if (snprintf(draft, sizeof(draft), "%s.new-XXXXXX", path) >= (int)sizeof(draft))
		return setup_file_failed(ctl, path, ENAMETOOLONG);
	fd = mkostemp(draft, O_CLOEXEC);
	if (fd < 0)
		return setup_file_failed(ctl, path, errno);
	/* Never over what is there. */
	if (!setup_file_fill(fd, text, secret) ||
	    renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_NOREPLACE)) {
		error = errno;
		unlink(draft);
	}
	close(fd);
	return error ? setup_file_failed(ctl, path, error) : CTL_OK;
}

const char *setup_ask(const struct ctl *ctl, const char *option, const char *question,
		      const char *usual, char *buf, size_t size)
{
	const char *given = ctl_option(ctl, option);

	snprintf(buf, size, "%s", given ? given : usual);
	if (given || ctl->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return buf;
	fprintf(stderr, "%s [%s]: ", question, usual);
	if (fgets(buf, (int)size, stdin))
		buf[strcspn(buf, "\n")] = '\0';
	if (!*buf)
		snprintf(buf, size, "%s", usual);
	return buf;
}

/* Where a packet to the network outside would come from; none is sent. */
const char *setup_address_guess(char *text, size_t size)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(0xc6336401) };	/* 198.51.100.1 */
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	struct jvpn_addr addr = { .family = AF_INET };

	*text = '\0';
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)) &&
	    !getsockname(fd, (struct sockaddr *)&from, &length)) {
		memcpy(addr.bytes, &from.sin_addr, sizeof(from.sin_addr));
		jvpn_addr_format(&addr, text, size);
	}
	if (fd >= 0)
		close(fd);
	return text;
}

const char *setup_list_quote(const char *list, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	while (*(list += strspn(list, ", "))) {
		size_t length = strcspn(list, ", ");
		int n = snprintf(text + used, size - used, "%s'%.*s'", used ? ", " : "",
				 (int)length, list);

		if ((size_t)n >= size - used)
			return NULL;
		used += (size_t)n;
		list += length;
	}
	return text;
}

struct jvpn_config *setup_config_load(const struct ctl *ctl, int *status)
{
	struct jvpn_config_errors errors;
	struct jvpn_config *config = NULL;
	char path[PATH_MAX];

	*status = CTL_USAGE;
	if (!setup_config_path(ctl, path, sizeof(path)))
		return NULL;
	if (access(path, F_OK) && errno == ENOENT) {
		*status = ctl_fail(ctl, CTL_NOT_FOUND, "NO_CONFIG",
				   "there is no %s; 'jvpnctl init gateway' makes one (-i and --dir name others)",
				   path);
		return NULL;
	}
	config = jvpn_config_load_flags(path, JVPN_CONFIG_NO_KEY_FILES, &errors);
	*status = CTL_OK;
	if (!config) {
		jvpn_config_errors_print(&errors, stderr);
		*status = ctl_fail(ctl, CTL_INVALID, "CONFIG_INVALID", "%s has errors", path);
	}
	jvpn_config_errors_free(&errors);
	return config;
}

enum setup_reloaded setup_reload(struct ctl *ctl, const struct jvpn_config *config, int *status)
{
	const char *device = config->device.name;
	struct client_failure failure;
	json_t *result = NULL;
	struct client *client;
	char why[256];
	bool done;

	if (!ctl->socket)
		ctl->socket = config->control_socket;
	client = client_try(ctl, device, why, sizeof(why));
	if (!client && (errno == ENOENT || errno == ECONNREFUSED) && !kernel_daemon_runs(device))
		return SETUP_NO_DAEMON;
	if (!client) {
		*status = ctl_fail(ctl, CTL_UNREACHABLE, "DAEMON_UNREACHABLE",
				   "the daemon of %s cannot be asked: %s", device, why);
		return SETUP_REFUSED;
	}
	done = client_request(client, "reload", NULL, CLIENT_TIMEOUT_MS, &result, &failure);
	client_close(client);
	json_decref(result);
	if (done)
		return SETUP_RELOADED;
	*status = ctl_fail(ctl, failure.status, failure.code, "%s", failure.message);
	return strcmp(failure.code, "TIMEOUT") ? SETUP_REFUSED : SETUP_UNKNOWN;
}
