// SPDX-License-Identifier: GPL-2.0
/* The control socket against clients that do not behave. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../jvpnd/control.h"
#include "../tap.h"

static char path[64];
static uv_loop_t *loop;
static struct control *control;
static struct control_request *kept;

static void echo(void *context, struct control_request *request, const json_t *params)
{
	(void)context;
	control_reply(request, json_deep_copy(params));
}

static void later(void *context, struct control_request *request, const json_t *params)
{
	(void)context, (void)params;
	kept = request;
}

static void fail(void *context, struct control_request *request, const json_t *params)
{
	(void)context, (void)params;
	control_fail(request, "REASON", "a %s", "sentence");
}

static void follow(void *context, struct control_request *request, const json_t *params)
{
	(void)context, (void)params;
	control_follow(request);
	control_reply(request, json_true());
}

static const struct control_method test_methods[] = {
	{ "echo", echo }, { "later", later }, { "fail", fail }, { "follow", follow }, { NULL, NULL },
};

static void loop_turn(void)
{
	for (int i = 0; i < 20; i++)
		uv_run(loop, UV_RUN_NOWAIT);
}

static int client_open(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	loop_turn();
	return fd;
}

static void client_send(int fd, const void *text, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = send(fd, (const char *)text + done, size - done, MSG_NOSIGNAL);

		if (n > 0)
			done += (size_t)n;
		else if (errno != EAGAIN)
			return;
		loop_turn();
	}
}

/* What has arrived; "" if nothing, NULL if the connection is closed. */
static const char *client_receive(int fd)
{
	static char text[262144];
	ssize_t n;

	loop_turn();
	n = recv(fd, text, sizeof(text) - 1, 0);
	if (!n || (n < 0 && errno != EAGAIN))
		return NULL;
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void line(int fd, const char *text)
{
	client_send(fd, text, strlen(text));
	client_send(fd, "\n", 1);
}

static void well_formed(void)
{
	int fd = client_open();
	struct stat st;

	tap_ok(!stat(path, &st) && !(st.st_mode & 0077), "nobody else may use the socket");
	line(fd, "{\"id\": 7, \"method\": \"echo\", \"params\": {\"a\": 1}}");
	tap_text(client_receive(fd), "{\"id\":7,\"result\":{\"a\":1}}\n", "a request is answered");
	line(fd, "{\"id\": 8, \"method\": \"fail\"}");
	tap_text(client_receive(fd),
		 "{\"id\":8,\"error\":{\"code\":\"REASON\",\"message\":\"a sentence\"}}\n",
		 "a failure is answered with code and sentence");
	line(fd, "{\"id\": 9, \"method\": \"later\"}\n{\"id\": 10, \"method\": \"echo\"}");
	tap_contains(client_receive(fd), "\"id\":10", "one request does not wait for another");
	control_reply(kept, json_null());
	tap_text(client_receive(fd), "{\"id\":9,\"result\":null}\n", "the late one is answered, too");
	client_send(fd, "{\"id\":1,\"meth", 13);
	tap_text(client_receive(fd), "", "half a line waits for its end");
	line(fd, "od\":\"echo\",\"params\":{}}");
	tap_text(client_receive(fd), "{\"id\":1,\"result\":{}}\n", "and is whole then");
	close(fd);
}

static void malformed(void)
{
	static const char *const bad[] = {
		"", "garbage", "{", "[]", "{}", "{\"id\":1}", "{\"method\":5}", "null",
		"{\"method\":\"echo\",\"params\":[1]}", "{\"method\":\"nothing\"}",
		"{\"method\":\"echo\",\"method\":\"fail\"}", "\xff\xfe",
	};
	int fd = client_open();
	bool good = true;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *answer;

		line(fd, bad[i]);
		answer = client_receive(fd);
		if (answer && (*bad[i] ? strstr(answer, "\"error\"") != NULL : !*answer))
			continue;
		tap_note("\"%s\" was answered by \"%s\"", bad[i], answer ? answer : "(closed)");
		good = false;
	}
	tap_ok(good, "what is no request is refused with an error");
	line(fd, "{\"id\": 2, \"method\": \"echo\", \"params\": {}}");
	tap_text(client_receive(fd), "{\"id\":2,\"result\":{}}\n", "the connection goes on");
	close(fd);
}

static void endless_line(void)
{
	int fd = client_open();
	char block[4096];
	bool open = true;

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 64; i++)
		client_send(fd, block, sizeof(block));
	for (int i = 0; i < 4 && open; i++)
		open = client_receive(fd);
	tap_ok(!open, "a line without end closes its connection");
	close(fd);
}

static void too_many(void)
{
	int fds[48], open = 0, closed = 0;

	for (int i = 0; i < 48; i++)
		fds[i] = client_open();
	for (int i = 0; i < 48; i++) {
		line(fds[i], "{\"id\":1,\"method\":\"echo\",\"params\":{}}");
		if (client_receive(fds[i]))
			open++;
		else
			closed++;
	}
	tap_ok(open == 32 && closed == 16, "connections are bounded (%d, %d)", open, closed);
	for (int i = 0; i < 48; i++)
		close(fds[i]);
	loop_turn();
}

static void leaves_before_its_answer(void)
{
	int fd = client_open();

	line(fd, "{\"id\": 9, \"method\": \"later\"}");
	loop_turn();
	close(fd);
	loop_turn();
	control_reply(kept, json_null());
	loop_turn();
	tap_ok(true, "an answer to nobody harms nobody");
}

/* A follower that does not read: events are dropped for it alone, and counted. */
static void slow_follower(void)
{
	json_t *event = json_pack("{sssi}", "event", "TEST", "padding", 1);
	int slow = client_open(), fast = client_open();
	const char *text;
	bool missed = false;
	int seen = 0;

	line(slow, "{\"id\":1,\"method\":\"follow\"}");
	line(fast, "{\"id\":1,\"method\":\"follow\"}");
	client_receive(fast);
	tap_ok(control_has_followers(control), "somebody follows");
	for (int i = 0; i < 60000; i++) {
		control_event_send(control, event);
		if (i % 100)
			continue;
		while ((text = client_receive(fast)) && *text)
			for (; (text = strstr(text, "TEST")); text++)
				seen++;
	}
	while ((text = client_receive(fast)) && *text)
		for (; (text = strstr(text, "TEST")); text++)
			seen++;
	tap_equal((unsigned long long)seen, 60000, "who reads misses nothing");
	while ((text = client_receive(slow)) && *text)
		;
	control_event_send(control, event);
	while ((text = client_receive(slow)) && *text)
		missed |= strstr(text, "\"missed\"") != NULL;
	tap_ok(missed, "who does not is told how many were missed");
	json_decref(event);
	close(slow);
	close(fast);
	loop_turn();
	tap_ok(!control_has_followers(control), "nobody follows any longer");
}

int main(void)
{
	char error[256] = "", dir[] = "/tmp/jvpn-control-XXXXXX", long_path[200];

	if (!mkdtemp(dir))
		return 1;
	umask(0077);
	snprintf(path, sizeof(path), "%s/socket", dir);
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	loop = uv_default_loop();
	tap_ok(!control_open(loop, long_path, test_methods, NULL, error, sizeof(error)),
	       "a path that is too long is refused");
	tap_contains(error, "longer than", "with a sentence");
	control = control_open(loop, path, test_methods, NULL, error, sizeof(error));
	tap_ok(control, "the socket opens");
	well_formed();
	malformed();
	endless_line();
	too_many();
	leaves_before_its_answer();
	slow_follower();
	control_close(control);
	tap_ok(!uv_run(loop, UV_RUN_DEFAULT), "everything closes");
	tap_ok(access(path, F_OK), "the socket file is gone");
	rmdir(dir);
	return tap_done();
}
