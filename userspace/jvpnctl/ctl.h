/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPNCTL_CTL_H
#define JVPNCTL_CTL_H

/*
 * jvpnctl shows and asks; it decides nothing and holds no state. Each verb is a
 * file of its own that exports one struct ctl_verb.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Stable: scripts rely on them. jvpnctl(8) lists them. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,			/* input or output, memory, an unexpected answer */
	CTL_USAGE = 2,
	CTL_NOT_FOUND = 3,		/* no such session, transport, device */
	CTL_UNREACHABLE = 4,		/* the daemon does not run, the module is not loaded */
	CTL_REFUSED = 5,		/* the daemon or the kernel said no */
	CTL_INVALID = 6,		/* configuration wrong, audit log refuted */
	CTL_FORBIDDEN = 7,		/* not permitted */
};

#define CTL_OPTIONS_MAX 12

/* An option of one verb. The list ends with a NULL name. */
struct ctl_option {
	const char *name;		/* long form, without dashes */
	char letter;			/* 0: none */
	const char *value;		/* what its value is called; NULL if it has none */
	const char *help;
};

struct ctl;

struct ctl_verb {
	const char *group;		/* "session" in "session list"; NULL none */
	const char *name;
	const char *arguments;		/* for the usage line; "" none */
	int least, most;		/* arguments */
	const char *summary;		/* one line */
	const char *help;		/* more of it; NULL none */
	const struct ctl_option *options;
	int (*run)(struct ctl *ctl);	/* an enum ctl_exit */
};

struct ctl {
	const struct ctl_verb *verb;
	const char *device;		/* -i; NULL if not given */
	const char *socket;		/* --socket; NULL if not given */
	bool json;
	char **arguments;
	int n_arguments;
	const char *given[CTL_OPTIONS_MAX];	/* values; "" for an option without one */
};

/* The value of an option of the verb, "" if it has none, NULL if it was not given. */
const char *ctl_option(const struct ctl *ctl, const char *name);
/* A number within [least, most]; usual if the option was not given. False: reported. */
bool ctl_option_number(struct ctl *ctl, const char *name, unsigned long long least,
		       unsigned long long most, unsigned long long usual,
		       unsigned long long *number);

/*
 * Report a failure, to stderr or as {"error": {"code", "message"}}, and return the
 * exit code.
 */
__attribute__((format(printf, 4, 5)))
int ctl_fail(const struct ctl *ctl, enum ctl_exit status, const char *code,
	     const char *format, ...);

/* Print and free. Returns CTL_OK, or CTL_FAILED when the output could not be written. */
int ctl_print_json(json_t *json);
/* The same on one line. */
int ctl_print_json_line(json_t *json);
/* Flush stdout; CTL_FAILED if that did not work. */
int ctl_finish(void);

extern const struct ctl_verb *const ctl_verbs[];	/* ends with NULL */

extern const struct ctl_verb ctl_verb_init_gateway;
extern const struct ctl_verb ctl_verb_init_client;
extern const struct ctl_verb ctl_verb_peer_add;
extern const struct ctl_verb ctl_verb_peer_remove;
extern const struct ctl_verb ctl_verb_peer_list;
extern const struct ctl_verb ctl_verb_genkey;
extern const struct ctl_verb ctl_verb_pubkey;
extern const struct ctl_verb ctl_verb_genpsk;
extern const struct ctl_verb ctl_verb_session_list;
extern const struct ctl_verb ctl_verb_session_show;
extern const struct ctl_verb ctl_verb_session_explain;
extern const struct ctl_verb ctl_verb_session_jump;
extern const struct ctl_verb ctl_verb_session_terminate;
extern const struct ctl_verb ctl_verb_session_watch;
extern const struct ctl_verb ctl_verb_transport_list;
extern const struct ctl_verb ctl_verb_policy_list;
extern const struct ctl_verb ctl_verb_events;
extern const struct ctl_verb ctl_verb_audit_verify;
extern const struct ctl_verb ctl_verb_config_check;
extern const struct ctl_verb ctl_verb_status;
extern const struct ctl_verb ctl_verb_reload;
extern const struct ctl_verb ctl_verb_up;
extern const struct ctl_verb ctl_verb_down;

#endif
