// SPDX-License-Identifier: GPL-2.0
/* What the daemon gives up is gone: system calls, capabilities, dumps. In children of the test. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../jvpnd/harden.h"
#include "../tap.h"
#include "log.h"

/* In a child, which may give up what it likes. Returns its verdict. */
static bool child_says(bool (*ask)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(ask() ? 0 : 1);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* --- system calls ------------------------------------------------------------------ */

static bool filtered(void)
{
	return harden_process() && (harden_syscalls(), prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
}

static bool refused(long ret)
{
	return ret == -1 && errno == EPERM;
}

static bool program_is_refused(void)
{
	char *const none[] = { NULL };

	return filtered() && refused(execve("/bin/true", none, none)) &&
	       refused(syscall(SYS_execveat, AT_FDCWD, "/bin/true", none, none, 0));
}

static bool process_is_refused(void)
{
	return filtered() && refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) && refused(fork());
}

static bool namespaces_are_refused(void)
{
	return filtered() && refused(unshare(CLONE_NEWUSER)) && refused(setns(0, 0)) &&
	       refused(mount("none", "/", NULL, 0, NULL));
}

static bool others_are_refused(void)
{
	return filtered() && refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) &&
	       refused(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0)) &&
	       refused(syscall(SYS_bpf, 0, NULL, 0)) &&
	       refused(syscall(SYS_keyctl, 0, 0, 0, 0, 0)) && refused(setuid(getuid()));
}

static void *thread_run(void *context)
{
	return context;
}

static bool daemon_goes_on(void)
{
	pthread_t thread;
	void *result = NULL;
	int fd;

	if (!filtered())
		return false;
	fd = socket(AF_NETLINK, SOCK_RAW, 0);
	return fd >= 0 && !close(fd) && !pthread_create(&thread, NULL, thread_run, &fd) &&
	       !pthread_join(thread, &result) && result == &fd;
}

static void syscalls_test(void)
{
	tap_ok(child_says(program_is_refused), "no other program is run");
	tap_ok(child_says(process_is_refused), "no other process is made");
	tap_ok(child_says(namespaces_are_refused), "namespaces and mounts are out of reach");
	tap_ok(child_says(others_are_refused), "so are other processes, users, keys and BPF");
	tap_ok(child_says(daemon_goes_on), "sockets and threads are there as before");
}

/* --- the process --------------------------------------------------------------------- */

static bool no_dumps(void)
{
	struct rlimit limit;

	return harden_process() && !prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) &&
	       !getrlimit(RLIMIT_CORE, &limit) && !limit.rlim_max &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

/* With what this user has: nothing that is not needed is left. */
static bool capabilities_are(struct jvpn_config *config, uint32_t allowed)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct before[2], data[2];

	return !syscall(SYS_capget, &header, before) && harden_user(config, NULL) &&
	       !syscall(SYS_capget, &header, data) &&
	       data[0].permitted == (before[0].permitted & allowed) &&
	       data[0].effective == data[0].permitted && !data[0].inheritable &&
	       !data[1].permitted;
}

static bool few_capabilities(void)
{
	struct jvpn_config_listen listen = { .port = 51900 };
	struct jvpn_config config = { .runtime_dir = "/nonexistent/run" };

	config.gateway.listen = &listen;
	config.gateway.n_listen = 1;
	return capabilities_are(&config, 1u << CAP_NET_ADMIN);
}

static bool low_port_capabilities(void)
{
	struct jvpn_config_listen listen = { .port = 443 };
	struct jvpn_config config = { .runtime_dir = "/nonexistent/run" };

	config.gateway.listen = &listen;
	config.gateway.n_listen = 1;
	return capabilities_are(&config, 1u << CAP_NET_ADMIN | 1u << CAP_NET_BIND_SERVICE);
}

int main(void)
{
	jvpn_log_init("test", JVPN_LOG_ERROR);
	syscalls_test();
	tap_ok(child_says(no_dumps), "no core dump, no tracing by the same user, no new privileges");
	tap_ok(child_says(few_capabilities), "CAP_NET_ADMIN is what is left of capabilities");
	tap_ok(child_says(low_port_capabilities), "and CAP_NET_BIND_SERVICE for a port below 1024");
	return tap_done();
}
