// SPDX-License-Identifier: GPL-2.0
/*
 * A filter of system calls: what a daemon does that was taken over, and this one never does.
 * Other programs, other users, other namespaces, other processes' memory, modules, mounts,
 * keyrings and the parts of the kernel that are attacked most. (The unit's SystemCallFilter=
 * says what is allowed; this holds wherever the daemon runs.)
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "harden.h"
#include "log.h"

#if defined(__x86_64__) && defined(__LP64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

/* Numbers from here on are those of another calling convention. */
#define X32_BIT 0x40000000u

static const unsigned int refused[] = {
	/* programs */
	SYS_execve, SYS_execveat, SYS_personality,
	/* users */
	SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid,
	SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset, SYS_fchown, SYS_fchownat,
#ifdef SYS_chown
	SYS_chown, SYS_lchown,
#endif
#ifdef SYS_fork
	SYS_fork, SYS_vfork,
#endif
	/* namespaces and mounts */
	SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot,
	SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsmount, SYS_fsconfig, SYS_fspick,
	/* other processes */
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_getfd,
	/* the machine */
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot,
	SYS_swapon, SYS_swapoff, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_acct,
	SYS_sethostname, SYS_setdomainname, SYS_quotactl, SYS_syslog,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
	SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#endif
	/* what is attacked most */
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl, SYS_add_key, SYS_request_key,
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_setup,
	SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_memfd_create, SYS_mq_open,
};

#define REFUSED_COUNT (sizeof(refused) / sizeof(refused[0]))
#define FILTER_MAX (REFUSED_COUNT + 24)

struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned short length;
};

static void filter_add(struct filter *f, unsigned short code, unsigned int k, unsigned char yes,
		       unsigned char no)
{
	f->code[f->length++] = (struct sock_filter)BPF_JUMP(code, k, yes, no);
}

static void filter_load(struct filter *f, size_t offset)
{
	filter_add(f, BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset, 0, 0);
}

static void filter_return(struct filter *f, unsigned int action)
{
	filter_add(f, BPF_RET | BPF_K, action, 0, 0);
}

/* A new thread is one of this process; a new process is a fork. */
static void filter_threads_only(struct filter *f)
{
	const size_t flags = offsetof(struct seccomp_data, args[0]);

	/* Its flags are out of sight; libc takes clone() instead. */
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	filter_return(f, SECCOMP_RET_ERRNO | ENOSYS);
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
	filter_load(f, flags);
	filter_add(f, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
	filter_return(f, SECCOMP_RET_ALLOW);
	filter_return(f, SECCOMP_RET_ERRNO | EPERM);
}

#ifdef ARCH
static void filter_make(struct filter *f)
{
	filter_load(f, offsetof(struct seccomp_data, arch));
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	filter_return(f, SECCOMP_RET_KILL_PROCESS);
	filter_load(f, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	filter_add(f, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	filter_return(f, SECCOMP_RET_ERRNO | EPERM);
#endif
	for (size_t i = 0; i < REFUSED_COUNT; i++)
		filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, refused[i],
			   (unsigned char)(REFUSED_COUNT - i), 0);
	filter_add(f, BPF_JMP | BPF_JA, 1, 0, 0);
	filter_return(f, SECCOMP_RET_ERRNO | EPERM);
	filter_threads_only(f);
	filter_return(f, SECCOMP_RET_ALLOW);
}

void harden_syscalls(void)
{
	struct filter f = {};
	struct sock_fprog program = { .filter = f.code };

	filter_make(&f);
	program.len = f.length;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		jvpn_warning("system calls cannot be filtered: %s", strerror(errno));
}
#else
void harden_syscalls(void)
{
	jvpn_warning("system calls are not filtered: this architecture is not known");
}
#endif
