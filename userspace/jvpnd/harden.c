// SPDX-License-Identifier: GPL-2.0
#include "harden.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

#define CAP_BIT(cap) (1u << (cap))

/*
 * NET_ADMIN: netlink requests. NET_BIND_SERVICE: sockets on ports below 1024.
 * DAC_READ_SEARCH: configuration and key files of other owners, on reload.
 */
#define CAPS_LOW (CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_NET_BIND_SERVICE) | \
		  CAP_BIT(CAP_DAC_READ_SEARCH))

static int harden_capabilities_drop(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -1;
	for (int i = 0; i < 2; i++) {
		uint32_t keep = i ? 0 : CAPS_LOW;

		data[i].permitted &= keep;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &header, data);
}

int harden_process(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
		jvpn_error("cannot switch core dumps off: %s", strerror(errno));
		return -1;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		jvpn_warning("cannot give up new privileges: %s", strerror(errno));
	if (harden_capabilities_drop())
		jvpn_warning("cannot drop capabilities: %s", strerror(errno));
	return 0;
}
