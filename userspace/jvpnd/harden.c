// SPDX-License-Identifier: GPL-2.0
#include "harden.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

#define CAP_BIT(cap) (1ull << (cap))
/* Above are ports that anybody may bind, unless net.ipv4.ip_unprivileged_port_start says else. */
#define PORT_PRIVILEGED 1024
#define USER_DEFAULT "jvpn"

bool harden_process(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
		jvpn_error("cannot switch core dumps off: %s", strerror(errno));
		return false;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		jvpn_warning("cannot give up new privileges: %s", strerror(errno));
	return true;
}

/* --- memory --------------------------------------------------------------------- */

/*
 * On fault: what is only reserved (the stores' maps) takes no memory. With a limit, memory that is
 * asked for later would be refused when the limit is reached, so there must be none.
 */
void harden_memory(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

#if defined(__SANITIZE_ADDRESS__)
	return;
#endif
	if (setrlimit(RLIMIT_MEMLOCK, &limit) && getrlimit(RLIMIT_MEMLOCK, &limit))
		limit.rlim_cur = 0;
	if (limit.rlim_cur != RLIM_INFINITY)
		jvpn_warning("the limit of locked memory is %llu octets: keys may reach swap; set LimitMEMLOCK=infinity",
			     (unsigned long long)limit.rlim_cur);
	else if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		jvpn_warning("memory cannot be locked (%s): keys may reach swap", strerror(errno));
}

/* --- what belongs to the user ------------------------------------------------------- */

/*
 * Only what root has made for itself, and no link: the folder may be the user's already, who could
 * have put there the name of anything.
 */
static void harden_file_give(int dir, const char *name, const struct passwd *user)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && !st.st_uid &&
	    (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink == 1)) &&
	    fchown(fd, user->pw_uid, user->pw_gid))
		jvpn_warning("cannot give %s to %s: %s", name, user->pw_name, strerror(errno));
	close(fd);
}

static int harden_dir_open(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY);
}

static void harden_state_give(const struct jvpn_config *config, const struct passwd *user)
{
	static const char *const files[] = { "store.mdb", "store.salt", "audit.mdb" };
	char lock[PATH_MAX];
	int dir, state;

	if (mkdir(config->runtime_dir, 0700) && errno != EEXIST)
		return;
	dir = open(config->runtime_dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (dir < 0)
		return;
	snprintf(lock, sizeof(lock), "%s.lock", config->device.name);
	harden_file_give(dir, lock, user);
	state = harden_dir_open(dir, config->device.name);
	for (size_t i = 0; state >= 0 && i < sizeof(files) / sizeof(files[0]); i++)
		harden_file_give(state, files[i], user);
	if (state >= 0)
		close(state);
	harden_file_give(dir, config->device.name, user);
	harden_file_give(dir, ".", user);
	close(dir);
}

/* Its folder may be one that the user cannot write to: make the log before it is needed. */
static void harden_log_give(const struct jvpn_config *config, const struct passwd *user)
{
	int fd;

	if (config->audit.sink != JVPN_AUDIT_FILE)
		return;
	fd = open(config->audit.file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd >= 0)
		close(fd);
	harden_file_give(AT_FDCWD, config->audit.file, user);
}

/* --- who it is ------------------------------------------------------------------------ */

static const struct passwd *harden_user_find(const char *name)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(name ? name : USER_DEFAULT);
	if (!user && name)
		jvpn_error("there is no user %s%s%s", name, errno ? ": " : "",
			   errno ? strerror(errno) : "");
	else if (!user)
		jvpn_warning("there is no user " USER_DEFAULT ": the daemon stays root, without most of its capabilities");
	return user;
}

static bool harden_user_become(const struct passwd *user)
{
	if (!prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) &&
	    !setgroups(0, NULL) && !setresgid(user->pw_gid, user->pw_gid, user->pw_gid) &&
	    !setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return true;
	jvpn_error("cannot become the user %s: %s", user->pw_name, strerror(errno));
	return false;
}

/* --- capabilities ----------------------------------------------------------------------- */

static bool harden_port_is_low(const struct jvpn_config *config)
{
	for (size_t i = 0; i < config->gateway.n_listen; i++)
		if (config->gateway.listen[i].port < PORT_PRIVILEGED)
			return true;
	for (size_t i = 0; i < config->client.n_transports; i++)
		if (config->client.transports[i].local_port &&
		    config->client.transports[i].local_port < PORT_PRIVILEGED)
			return true;
	return false;
}

/* NET_ADMIN: netlink requests. NET_BIND_SERVICE: sockets on low ports, if there are any. */
static uint64_t harden_capabilities_needed(const struct jvpn_config *config)
{
	return CAP_BIT(CAP_NET_ADMIN) |
	       (harden_port_is_low(config) ? CAP_BIT(CAP_NET_BIND_SERVICE) : 0);
}

/* What cannot be had again by any program that it might run. */
static void harden_bounding_drop(uint64_t keep)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(keep & CAP_BIT(cap)))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static bool harden_capabilities_keep(uint64_t keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return false;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return !syscall(SYS_capset, &header, data);
}

bool harden_user(const struct jvpn_config *config, const char *name)
{
	uint64_t keep = harden_capabilities_needed(config);
	const struct passwd *user = geteuid() ? NULL : harden_user_find(name);

	if (!geteuid() && !user && name)
		return false;
	harden_bounding_drop(keep);
	if (user && user->pw_uid) {
		harden_state_give(config, user);
		harden_log_give(config, user);
		if (!harden_user_become(user))
			return false;
	}
	if (!harden_capabilities_keep(keep)) {
		jvpn_error("cannot drop capabilities: %s", strerror(errno));
		return false;
	}
	/* Another user's process may be traced again, and dumped. */
	return harden_process();
}
