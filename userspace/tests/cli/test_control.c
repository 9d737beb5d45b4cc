// SPDX-License-Identifier: GPL-2.0
/* jvpnctl against the daemon's control socket: answers, refusals, streams, exit codes. */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../jvpnd/control.h"
#include "../tap.h"
#include "keys.h"
#include "policy.h"

static char folder[] = "/tmp/jvpn-control-XXXXXX";
static char sock[128], output[65536];

/* The daemon's end, with answers that are easy to recognise. */

static struct control *control;

static void serve_status(void *context, struct control_request *request, const json_t *params)
{
	(void)context;
	(void)params;
	control_reply(request, json_pack("{s:s, s:i, s:{s:i}}", "device", "jvpn9", "pid", 77,
					 "audit", "seq", 5));
}

static void serve_reload(void *context, struct control_request *request, const json_t *params)
{
	static int times;

	(void)context;
	(void)params;
	if (times++)
		control_fail(request, "CONFIG_INVALID", "x.yaml:3:1: nam: unknown key");
	else
		control_reply(request, json_pack("{s:[s]}", "notes", "2 peers added"));
}

static void serve_transports(void *context, struct control_request *request,
			     const json_t *params)
{
	(void)context;
	(void)params;
	control_reply(request, json_pack("{s:[{s:s, s:s, s:s, s:i, s:f}]}", "transports",
					 "name", "wifi", "state", "active", "protocol", "udp4",
					 "preference", 100, "rtt_ms", 20.5));
}

static void serve_policies(void *context, struct control_request *request, const json_t *params)
{
	(void)context;
	(void)params;
	control_reply(request, json_pack("{s:[o]}", "policies",
		jvpn_policy_to_json(jvpn_policy_builtin_find("strict"))));
}

static void serve_events(void *context, struct control_request *request, const json_t *params)
{
	(void)context;
	(void)params;
	control_follow(request);
	control_reply(request, json_object());
	for (int i = 1; i <= 2; i++)
		control_event_send(control, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i}",
			"ts", "2026-01-01T00:00:00.000Z", "session_id",
			"0123456789abcdef0123456789abcdef", "event", "TRANSPORT_DEAD",
			"from", "ATTACHED", "to", "RECOVERING", "reason", "LINK_DOWN",
			"state_version", i));
}

static void serve(int ready)
{
	static const struct control_method methods[] = {
		{ "status", serve_status },
		{ "reload", serve_reload },
		{ "transport.list", serve_transports },
		{ "policy.list", serve_policies },
		{ "events.follow", serve_events },
		{ NULL, NULL },
	};
	uv_loop_t loop;
	char err[256];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	uv_loop_init(&loop);
	control = control_open(&loop, sock, methods, NULL, err, sizeof(err));
	if (!control || write(ready, "1", 1) != 1) {
		fprintf(stderr, "%s\n", err);
		_exit(1);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	_exit(0);
}

static pid_t serve_start(void)
{
	int ready[2];
	pid_t child;
	char byte;

	if (pipe(ready))
		return -1;
	child = fork();
	if (!child)
		serve(ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		child = -1;
	close(ready[0]);
	return child;
}

static void serve_stop(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* jvpnctl's exit status; what it printed is in output. */
__attribute__((format(printf, 1, 2)))
static int ctl(const char *format, ...)
{
	char arguments[512], command[1024];
	va_list args;
	FILE *pipe;
	size_t n;

	va_start(args, format);
	vsnprintf(arguments, sizeof(arguments), format, args);
	va_end(args);
	snprintf(command, sizeof(command), "timeout 20 %s/bin/jvpnctl --socket %s %s 2>&1",
		 getenv("BUILD") ? getenv("BUILD") : "../build", sock, arguments);
	pipe = popen(command, "r");
	if (!pipe)
		return -1;
	n = fread(output, 1, sizeof(output) - 1, pipe);
	output[n] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

static void test_answers(void)
{
	tap_equal((unsigned int)ctl("status"), 0, "status");
	tap_contains(output, "daemon                     running", "the daemon runs");
	tap_contains(output, "  seq                      5", "what it told, section by section");
	tap_equal((unsigned int)ctl("--json status"), 0, "status for programs");
	tap_contains(output, "\"pid\": 77", "as it was told");
	tap_equal((unsigned int)ctl("transport list"), 0, "transport list");
	tap_contains(output, "wifi       active  udp4", "a row of it");
	tap_equal((unsigned int)ctl("policy list"), 0, "policy list");
	tap_contains(output, "strict", "the daemon's policies");
	tap_ok(!strstr(output, "not running"), "not the built-in ones");
}

static void test_reload(void)
{
	tap_equal((unsigned int)ctl("reload"), 0, "reload");
	tap_contains(output, "2 peers added", "what changed");
	tap_equal((unsigned int)ctl("reload"), 6, "reload of a wrong configuration");
	tap_contains(output, "x.yaml:3:1: nam: unknown key", "why");
	tap_equal((unsigned int)ctl("--json reload"), 6, "the same for programs");
	tap_contains(output, "\"code\": \"CONFIG_INVALID\"", "its code");
}

/* The stream has no end: the server is stopped under it. */
static void test_events(pid_t *server)
{
	pid_t stopper = fork();

	if (!stopper) {
		usleep(500000);
		kill(*server, SIGKILL);
		_exit(0);
	}
	tap_equal((unsigned int)ctl("events --follow"), 4, "events until the daemon is gone");
	tap_contains(output, "0123456789ab  TRANSPORT_DEAD  ATTACHED -> RECOVERING  LINK_DOWN  v1",
		     "the first event");
	tap_contains(output, "v2", "the second");
	waitpid(stopper, NULL, 0);
	waitpid(*server, NULL, 0);
	*server = serve_start();
	tap_ok(*server > 0, "a new daemon takes over the socket of a dead one");
	stopper = fork();
	if (!stopper) {
		usleep(500000);
		kill(*server, SIGKILL);
		_exit(0);
	}
	tap_equal((unsigned int)ctl("--json events -f"), 4, "the same for programs");
	tap_ok(!strncmp(output, "{\"ts\":", 6) && strstr(output, "}\n{"), "one object a line");
	waitpid(stopper, NULL, 0);
	waitpid(*server, NULL, 0);
}

/* Something else listens there. */
static void test_stranger(const char *says, int status, const char *wanted, const char *claim)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t child;

	unlink(sock);
	strcpy(address.sun_path, sock);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 4))
		perror("listen");
	child = fork();
	if (!child) {
		int peer = accept(fd, NULL, NULL);
		char request[4096];

		if (read(peer, request, sizeof(request)) < 1 || write(peer, says, strlen(says)) < 0)
			_exit(1);
		close(peer);
		_exit(0);
	}
	tap_equal((unsigned int)ctl("reload"), (unsigned int)status, claim);
	tap_contains(output, wanted, "and said so");
	close(fd);
	waitpid(child, NULL, 0);
}

int main(void)
{
	char err[256];
	pid_t server;

	if (!mkdtemp(folder) || jvpn_keys_init(err, sizeof(err)))
		return 2;
	snprintf(sock, sizeof(sock), "%s/jvpn9.sock", folder);
	signal(SIGPIPE, SIG_IGN);
	server = serve_start();
	if (!tap_ok(server > 0, "the control socket is there"))
		return tap_done();
	test_answers();
	test_reload();
	serve_stop(server);
	tap_equal((unsigned int)ctl("reload"), 4, "a dead daemon's socket is no daemon");
	tap_contains(output, "not running", "and that is said");
	server = serve_start();
	test_events(&server);

	test_stranger("hello\n", 1, "does not speak JSON", "another protocol is noticed");
	test_stranger("", 4, "closed the connection", "a closed connection is noticed");
	test_stranger("{\"id\":1,\"error\":{\"code\":\"RATE_LIMITED\",\"message\":\"wait\"}}\n", 5,
		      "wait", "a refusal has its own status");
	test_stranger("{\"id\":1,\"error\":{\"code\":\"UNKNOWN_SESSION\",\"message\":\"no\"}}\n", 3,
		      "no", "an unknown session too");
	test_stranger("{\"id\":null,\"error\":{\"code\":\"INVALID_REQUEST\"}}\n", 1,
		      "without a message", "an answer without an id or a message is understood");
	test_stranger("{\"event\":{}}\n{\"id\":9,\"result\":{}}\n{\"id\":1,\"result\":{}}\n", 0,
		      "loaded anew", "what is not the answer is passed over");

	unlink(sock);
	tap_ok(!rmdir(folder), "nothing is left behind");
	return tap_done();
}
