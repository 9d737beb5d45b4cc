// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's control socket: octets of a client, in pieces as the first octets say. What comes
 * back is whole lines of JSON, each with a result or an error, and one for each line at most.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../jvpnd/control.h"
#include "fuzz.h"

#define FUZZ_CONTROL_MAX (2 * 65536)
#define ANSWERS_MAX (4 << 20)

static char path[64];
static uv_loop_t loop;
static struct control *control;
static char answers[ANSWERS_MAX];

static void echo(void *context, struct control_request *request, const json_t *params)
{
	(void)context;
	control_reply(request, json_deep_copy(params));
}

static void refuse(void *context, struct control_request *request, const json_t *params)
{
	(void)context;
	control_fail(request, "REASON", "not %s", json_string_value(params) ? "this" : "that");
}

static const struct control_method methods[] = {
	{ "echo", echo }, { "refuse", refuse }, { NULL, NULL },
};

static void turn(void)
{
	for (int i = 0; i < 4; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static void begin(void)
{
	char error[256];

	if (control)
		return;
	snprintf(path, sizeof(path), "/tmp/jvpn-fuzz-control-%d", getpid());
	fuzz_demand(!uv_loop_init(&loop), "no event loop");
	control = control_open(&loop, path, methods, NULL, error, sizeof(error));
	fuzz_demand(control, error);
}

static int client_open(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	fuzz_demand(!connect(fd, (struct sockaddr *)&address, sizeof(address)), "no connection");
	turn();
	return fd;
}

static size_t receive(int fd, size_t have)
{
	ssize_t n;

	while (have < sizeof(answers) && (n = recv(fd, answers + have, sizeof(answers) - have, 0)) > 0)
		have += (size_t)n;
	return have;
}

/* Return: lines; each must be an answer. */
static size_t answers_judge(size_t size)
{
	size_t start = 0, lines = 0;
	char *end;

	while ((end = memchr(answers + start, '\n', size - start))) {
		json_t *message = json_loadb(answers + start, (size_t)(end - answers) - start, 0, NULL);

		fuzz_demand(message, "an answer is no JSON");
		fuzz_demand(json_object_get(message, "result") || json_object_get(message, "error"),
			    "an answer is neither result nor error");
		json_decref(message);
		start = (size_t)(end - answers) + 1;
		lines++;
	}
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size ? 1 + data[0] * 17u : 1, have = 0, lines = 1, done;
	int fd;

	if (size > FUZZ_CONTROL_MAX)
		return 0;
	begin();
	fd = client_open();
	for (done = 1; done < size; done += piece) {
		size_t n = size - done < piece ? size - done : piece;

		if (send(fd, data + done, n, MSG_NOSIGNAL) != (ssize_t)n)
			break;
		turn();
		have = receive(fd, have);
	}
	for (done = 1; done < size; done++)
		lines += data[done] == '\n';
	turn();
	fuzz_demand(answers_judge(receive(fd, have)) <= lines, "more answers than lines");
	close(fd);
	turn();
	return 0;
}
