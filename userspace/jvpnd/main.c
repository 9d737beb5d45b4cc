// SPDX-License-Identifier: GPL-2.0
/*
 * jvpnd: options, and the order in which things begin and end.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "device.h"
#include "gateway.h"
#include "harden.h"
#include "instance.h"
#include "jvpnd.h"
#include "lack.h"
#include "log.h"
#include "lost.h"
#include "loop.h"
#include "notify.h"
#include "reconcile.h"
#include "record.h"
#include "refusal.h"
#include "reload.h"
#include "retry.h"
#include "rtnl.h"
#include "session.h"
#include "sockets.h"
#include "system.h"

#define ERROR_SIZE 512
/* At the end: for messages that wait for their reader. */
#define LOG_FLUSH_MS 250

enum {
	EXIT_USAGE = 2,
	EXIT_CONFIG = 6,
};

struct options {
	const char *config;
	const char *user;
	bool check;
	bool terminate_sessions;
};

static const char usage[] =
	"usage: jvpnd [OPTION...] [-c] FILE\n"
	"\n"
	"Serves the jvpn device that the configuration FILE describes.\n"
	"\n"
	"  -c, --config FILE       the configuration\n"
	"  -f, --foreground        stay in the foreground (it always does)\n"
	"      --check             check the configuration, and end\n"
	"      --terminate-sessions\n"
	"                          end all sessions when told to stop (SIGTERM, SIGINT);\n"
	"                          without it they go on in the kernel\n"
	"      --user NAME         become this user instead of jvpn, if started as root\n"
	"  -V, --version           print the version\n"
	"  -h, --help              this text\n";

/* --- options -------------------------------------------------------------------------- */

enum { OPTION_CHECK = 256, OPTION_TERMINATE, OPTION_USER };

static const struct option main_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "terminate-sessions", no_argument, NULL, OPTION_TERMINATE },
	{ "user", required_argument, NULL, OPTION_USER },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* -1 to go on, or the exit status. */
static int main_options_parse(int argc, char **argv, struct options *options)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:fVh", main_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->config = optarg;
			break;
		case 'f':
			break;
		case OPTION_CHECK:
			options->check = true;
			break;
		case OPTION_TERMINATE:
			options->terminate_sessions = true;
			break;
		case OPTION_USER:
			options->user = optarg;
			break;
		case 'V':
			printf("jvpnd %s\n", JVPN_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (!options->config && optind < argc)
		options->config = argv[optind++];
	if (options->config && optind == argc)
		return -1;
	fputs(usage, stderr);
	return EXIT_USAGE;
}

/* --- signals ---------------------------------------------------------------------------- */

/* SIGHUP waits until the loop has its handler, so that none is lost and none kills. */
static void main_hangup_hold(void)
{
	sigset_t hangup;

	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, NULL);
}

/* --- beginning --------------------------------------------------------------------------- */

static void main_config_errors_say(const struct jvpn_config_errors *errors)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	jvpn_config_errors_print(errors, out);
	fclose(out);
	jvpn_log_text(JVPN_LOG_ERROR, text);
	free(text);
}

/*
 * The path as it was given, from the root: links in it are followed anew by each reload, which is
 * how those change a file who never write to it.
 */
static void main_config_path_set(struct jvpnd *d, const char *path)
{
	char here[PATH_MAX];

	if (path[0] != '/' && getcwd(here, sizeof(here)))
		snprintf(d->config_path, sizeof(d->config_path), "%s/%s", here, path);
	else
		snprintf(d->config_path, sizeof(d->config_path), "%s", path);
}

/* EXIT_CONFIG ends it for good; for a key on a disk that is not there yet it is worth to come back. */
static int main_config_load(struct jvpnd *d, const char *path)
{
	struct jvpn_config_errors errors = {};
	int status = EXIT_SUCCESS;

	main_config_path_set(d, path);
	d->config = jvpn_config_load(d->config_path, &errors);
	if (!d->config) {
		main_config_errors_say(&errors);
		status = errors.missing && errors.missing == errors.count ? EXIT_FAILURE :
									    EXIT_CONFIG;
	}
	jvpn_config_errors_free(&errors);
	return status;
}

/* <runtime_dir>/<device>, which holds what outlives the daemon. */
static bool main_dir_make(struct jvpnd *d, char *dir, size_t size, char *error)
{
	if (snprintf(dir, size, "%s/%s", d->config->runtime_dir, d->config->device.name) <
	    (int)size && (!mkdir(dir, 0700) || errno == EEXIST))
		return true;
	snprintf(error, ERROR_SIZE, "cannot make %.400s: %s", dir, strerror(errno));
	return false;
}

static bool main_audit_open(struct jvpnd *d, char *error)
{
	char dir[PATH_MAX - 16], state[PATH_MAX];
	const struct jvpn_audit_options options = {
		.sink = d->config->audit.sink,
		.file = d->config->audit.file,
		.node = d->config->node,
		.state = state,
		.wait = true,
	};

	if (!main_dir_make(d, dir, sizeof(dir), error))
		return false;
	snprintf(state, sizeof(state), "%s/audit.mdb", dir);

	d->audit = jvpn_audit_open(&options, error, ERROR_SIZE);
	if (!d->audit)
		return false;
	jvpnd_record(d, jvpn_audit_build_note(d->audit, "DAEMON_START", NULL,
		json_pack("{sssssssssI}", "version", JVPN_VERSION, "role",
			  jvpn_config_role_name(d->config->role), "device",
			  d->config->device.name, "config", d->config_path, "pid",
			  (json_int_t)getpid())));
	reload_policies_record(d, d->config);
	return true;
}

/* What must be read anew from a store tells itself apart from a lost one. */
static bool main_incarnation_read(struct jvpnd *d, char *error)
{
	int rc = jvpn_store_value_get(d->store, "incarnation", &d->incarnation,
				      sizeof(d->incarnation));

	if (!rc)
		return true;
	randombytes_buf(&d->incarnation, sizeof(d->incarnation));
	rc = jvpn_store_value_put(d->store, "incarnation", &d->incarnation,
				  sizeof(d->incarnation));
	if (rc)
		snprintf(error, ERROR_SIZE, "cannot write to the store: %s", strerror(-rc));
	return !rc;
}

static bool main_store_open(struct jvpnd *d, char *error)
{
	char dir[PATH_MAX];

	if (!main_dir_make(d, dir, sizeof(dir), error))
		return false;
	return !jvpn_store_open(dir, d->config->private_key, &d->store, error, ERROR_SIZE) &&
	       main_incarnation_read(d, error);
}

static bool main_rtnl_open(struct jvpnd *d, char *error)
{
	struct jvpn_nl_error e = {};

	d->rtnl = jvpn_rtnl_open(&e);
	if (!d->rtnl)
		snprintf(error, ERROR_SIZE, "%s", e.text);
	return d->rtnl;
}

/* What the file says must not leave in the clear does not from here on, if nothing else succeeds. */
static bool main_guard(struct jvpnd *d, char *error)
{
	if (!main_rtnl_open(d, error))
		return false;
	if (system_open(d)) {
		snprintf(error, ERROR_SIZE, "no memory");
		return false;
	}
	system_guard(d);
	return true;
}

/* The link first: asking for its type is what loads the module. */
static bool main_device_open(struct jvpnd *d, char *error)
{
	if (device_open(d, d->rtnl, error, ERROR_SIZE))
		return false;
	d->kernel = kernel_open(error, ERROR_SIZE);
	return d->kernel && !kernel_device_use(d->kernel, d->ifindex, error, ERROR_SIZE);
}

static bool main_tables_open(struct jvpnd *d, char *error)
{
	if (!sessions_open(d) && !refusals_open(d) && !reconcile_open(d) && !lost_open(d))
		return !sockets_open(d, error, ERROR_SIZE);
	snprintf(error, ERROR_SIZE, "no memory");
	return false;
}

static bool main_role_begin(struct jvpnd *d, char *error)
{
	if (d->config->role == JVPN_CONFIG_GATEWAY) {
		d->role = &gateway_role;
		return !gateway_open(d, error, ERROR_SIZE);
	}
	d->role = &client_role;
	return !client_open(d, error, ERROR_SIZE);
}

static bool main_role_open(struct jvpnd *d, char *error)
{
	if (!main_role_begin(d, error))
		return false;
	system_begin(d);
	return true;
}

/* Adopt what is there before anything new can come. */
static bool main_adopt(struct jvpnd *d, char *error)
{
	if (reconcile_run(d)) {
		snprintf(error, ERROR_SIZE, "the kernel's sessions cannot be read");
		return false;
	}
	record_sweep(d);
	lost_record(d);
	if (!loop_open(d, error, ERROR_SIZE))
		return false;
	if (d->client)
		client_start(d);
	system_follow(d);
	return true;
}

static bool main_open(struct jvpnd *d, char *error)
{
	if (!main_guard(d, error) || !main_audit_open(d, error) || !main_device_open(d, error) ||
	    !main_store_open(d, error) || !main_tables_open(d, error) ||
	    !main_role_open(d, error) || !main_adopt(d, error))
		return false;
	retry_start(d);
	return true;
}

/* --- end ------------------------------------------------------------------------------------- */

static void main_close(struct jvpnd *d)
{
	/* The loop's handler goes: what would end the daemon now waits until it has ended. */
	main_hangup_hold();
	control_close(d->control);
	d->control = NULL;
	d->hangs = !loop_close(d);
	if (d->refusals)
		refusals_finish(d);
	if (d->sessions)
		sessions_finish(d);
	if (d->audit)
		jvpnd_record(d, jvpn_audit_build_note(d->audit, "DAEMON_STOP", NULL, NULL));
	client_close(d);
	gateway_close(d);
	sockets_close(d);
	lost_close(d);
	reconcile_close(d);
	system_close(d);
	refusals_close(d);
	sessions_close(d);
	jvpn_store_close(d->store);
	kernel_close(d->kernel);
	if (d->rtnl)
		jvpn_rtnl_close(d->rtnl);
	d->hangs |= !jvpn_audit_close(d->audit);
	lacks_free();
	jvpn_config_free(d->config);
}

static int main_serve(struct jvpnd *d)
{
	char error[ERROR_SIZE] = "";
	int lock = instance_lock(d->config->runtime_dir, d->config->device.name, error,
				 sizeof(error));

	if (lock < 0) {
		jvpn_error("%s", error);
		jvpn_config_free(d->config);
		return EXIT_FAILURE;
	}
	d->started_ms = jvpnd_now_ms();
	d->loop = uv_default_loop();
	if (!main_open(d, error)) {
		jvpn_error("%s", error);
		if (d->system)
			system_stay_tell(d);
		d->stopping = true;
		main_close(d);
		return EXIT_FAILURE;
	}
	jvpn_info("serving %s as %s, node %s, %zu sessions", d->config->device.name,
		  jvpn_config_role_name(d->config->role), d->config->node, session_count(d));
	notify_ready();
	uv_run(d->loop, UV_RUN_DEFAULT);
	notify_stopping();
	main_close(d);
	return d->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Threads begin after it: they have what is given up here neither. */
static bool main_harden(const struct jvpn_config *config, const struct options *options)
{
	harden_memory();
	if (!harden_user(config, options->user))
		return false;
	harden_syscalls();
	if (jvpn_log_detach())
		jvpn_warning("no thread for messages: who does not read them stops the daemon");
	return true;
}

static int main_run(struct jvpnd *d, const struct options *options)
{
	int status = main_config_load(d, options->config);

	if (status)
		return status;
	if (options->check) {
		printf("%s: good\n", options->config);
		jvpn_config_free(d->config);
		return EXIT_SUCCESS;
	}
	if (!main_harden(d->config, options)) {
		jvpn_config_free(d->config);
		return EXIT_FAILURE;
	}
	jvpn_log_level_set(d->config->log_level);
	d->terminate_sessions = options->terminate_sessions;
	notify_open();
	status = main_serve(d);
	notify_close();
	return status;
}

int main(int argc, char **argv)
{
	struct options options = {};
	struct jvpnd d = {};
	char error[ERROR_SIZE];
	int status = main_options_parse(argc, argv, &options);

	if (status >= 0)
		return status;
	main_hangup_hold();
	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	jvpn_log_init("jvpnd", JVPN_LOG_INFO);
	if (jvpn_keys_init(error, sizeof(error))) {
		jvpn_error("%s", error);
		return EXIT_FAILURE;
	}
	if (!harden_process())
		return EXIT_FAILURE;
	status = main_run(&d, &options);
	/* exit() would wait for the workers. */
	if (!jvpn_log_flush(LOG_FLUSH_MS) || d.hangs)
		_exit(status);
	return status;
}
