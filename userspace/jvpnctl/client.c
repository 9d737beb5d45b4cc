// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "util.h"

#define LINE_MAX_SIZE ((size_t)256 << 20)
#define RUNTIME "/run/jvpn"

struct client {
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *buffer;
	size_t size, used;
	size_t taken;			/* octets of the line that was given last */
	json_int_t id;
};

static int client_connect(const char *path, char *why, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		snprintf(why, size, "the daemon is not running (nothing answers at %s)", path);
	else
		snprintf(why, size, "cannot connect to %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

struct client *client_try(const struct ctl *ctl, const char *device, char *why, size_t size)
{
	struct client *client = calloc(1, sizeof(*client));
	int length;

	errno = 0;
	if (!client) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	length = ctl->socket ? snprintf(client->path, sizeof(client->path), "%s", ctl->socket) :
		snprintf(client->path, sizeof(client->path), RUNTIME "/%s.sock", device);
	if ((size_t)length >= sizeof(client->path)) {
		snprintf(why, size, "the path of the socket is too long");
		client->fd = -1;
	} else {
		client->fd = client_connect(client->path, why, size);
	}
	if (client->fd >= 0)
		return client;
	free(client);
	return NULL;
}

struct client *client_open(const struct ctl *ctl, const char *device, int *status)
{
	char why[256];
	struct client *client = client_try(ctl, device, why, sizeof(why));
	bool forbidden = !client && errno == EACCES;

	if (!client)
		*status = ctl_fail(ctl, forbidden ? CTL_FORBIDDEN : CTL_UNREACHABLE,
				   forbidden ? "PERMISSION" : "DAEMON_NOT_RUNNING", "%s", why);
	return client;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	close(client->fd);
	free(client->buffer);
	free(client);
}

static int client_send(struct client *client, const char *text, size_t length)
{
	while (length) {
		ssize_t n = send(client->fd, text, length, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

static int client_room(struct client *client)
{
	size_t size = client->size ? 2 * client->size : 65536;
	char *buffer;

	if (client->used < client->size)
		return 0;
	if (size > LINE_MAX_SIZE) {
		errno = EMSGSIZE;
		return -1;
	}
	buffer = realloc(client->buffer, size);
	if (!buffer)
		return -1;
	client->buffer = buffer;
	client->size = size;
	return 0;
}

/* More octets. 1 if there are some, 0 at the end, -1 with errno (ETIMEDOUT, EINTR). */
static int client_receive(struct client *client, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };
	int ready = poll(&poll_fd, 1, timeout_ms);
	ssize_t n;

	if (!ready)
		errno = ETIMEDOUT;
	if (ready <= 0 || client_room(client))
		return -1;
	n = recv(client->fd, client->buffer + client->used, client->size - client->used, 0);
	if (n <= 0)
		return (int)n;
	client->used += (size_t)n;
	return 1;
}

static int client_remaining(uint64_t deadline)
{
	uint64_t now = jvpn_util_time_boot_ms();

	return deadline == UINT64_MAX ? -1 : now < deadline ? (int)(deadline - now) : 0;
}

/* The next line, NUL-terminated and valid until the next call. NULL with errno, 0 at the end. */
static char *client_line(struct client *client, uint64_t deadline)
{
	size_t looked = 0;

	if (client->taken) {
		client->used -= client->taken;
		memmove(client->buffer, client->buffer + client->taken, client->used);
		client->taken = 0;
	}
	for (;;) {
		char *end = client->used > looked ?
			memchr(client->buffer + looked, '\n', client->used - looked) : NULL;
		int received;

		if (end) {
			*end = '\0';
			client->taken = (size_t)(end - client->buffer) + 1;
			return client->buffer;
		}
		looked = client->used;
		errno = 0;
		received = client_receive(client, client_remaining(deadline));
		if (received <= 0)
			return NULL;
	}
}

__attribute__((format(printf, 4, 5)))
static bool client_failed(struct client_failure *failure, enum ctl_exit status, const char *code,
			  const char *format, ...)
{
	va_list args;

	failure->status = status;
	snprintf(failure->code, sizeof(failure->code), "%s", code);
	va_start(args, format);
	vsnprintf(failure->message, sizeof(failure->message), format, args);
	va_end(args);
	return false;
}

static bool client_lost(const struct client *client, struct client_failure *failure)
{
	if (errno == ETIMEDOUT)
		return client_failed(failure, CTL_FAILED, "TIMEOUT",
				     "the daemon does not answer in time");
	return client_failed(failure, CTL_UNREACHABLE, "DAEMON_GONE",
			     "the daemon closed the connection at %s%s%s", client->path,
			     errno ? ": " : "", errno ? strerror(errno) : "");
}

static enum ctl_exit client_exit_of(const char *code)
{
	static const struct { const char *code; enum ctl_exit status; } known[] = {
		{ "UNKNOWN_SESSION", CTL_NOT_FOUND },
		{ "UNKNOWN_TRANSPORT", CTL_NOT_FOUND },
		{ "NOT_FOUND", CTL_NOT_FOUND },
		{ "CONFIG_INVALID", CTL_INVALID },
		{ "PERMISSION", CTL_FORBIDDEN },
		{ "UNKNOWN_METHOD", CTL_FAILED },
		{ "INVALID_REQUEST", CTL_FAILED },
		{ "INTERNAL", CTL_FAILED },
		{ "TIMEOUT", CTL_FAILED },
	};

	for (size_t i = 0; i < JVPN_ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].code, code))
			return known[i].status;
	return CTL_REFUSED;
}

static bool client_refused(const json_t *error, struct client_failure *failure)
{
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *message = json_string_value(json_object_get(error, "message"));

	return client_failed(failure, client_exit_of(code ? code : "INTERNAL"),
			     code ? code : "INTERNAL", "%s",
			     message ? message : "the daemon refused without a message");
}

/* The answer to the last request; events that come in between are passed over. */
static bool client_answer(struct client *client, uint64_t deadline, json_t **result,
			  struct client_failure *failure)
{
	char *line;

	while ((line = client_line(client, deadline))) {
		json_t *answer = json_loads(line, 0, NULL), *error;
		bool ours = json_integer_value(json_object_get(answer, "id")) == client->id;
		bool good = true;

		if (!json_is_object(answer)) {
			json_decref(answer);
			return client_failed(failure, CTL_FAILED, "PROTOCOL",
					     "what answers at %s does not speak JSON",
					     client->path);
		}
		error = json_object_get(answer, "error");
		/* A request that could not be read has no id to answer to. */
		if (error)
			good = client_refused(error, failure);
		else if (ours)
			*result = json_incref(json_object_get(answer, "result"));
		json_decref(answer);
		if (ours || error)
			return good;
	}
	return client_lost(client, failure);
}

bool client_request(struct client *client, const char *method, json_t *params, int timeout_ms,
		    json_t **result, struct client_failure *failure)
{
	json_t *request = json_pack("{s:I, s:s, s:o*}", "id", ++client->id, "method", method,
				    "params", params);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t length = text ? strlen(text) : 0;
	bool good;

	*result = NULL;
	json_decref(request);
	if (!text)
		return client_failed(failure, CTL_FAILED, "INTERNAL", "out of memory");
	/* The line ends with a newline in place of the NUL. */
	text[length] = '\n';
	errno = 0;
	if (client_send(client, text, length + 1))
		good = client_lost(client, failure);
	else
		good = client_answer(client, jvpn_util_time_boot_ms() + (uint64_t)timeout_ms,
				     result, failure);
	free(text);
	return good;
}

int client_call(const struct ctl *ctl, struct client *client, const char *method,
		json_t *params, int timeout_ms, json_t **result)
{
	struct client_failure failure;

	if (client_request(client, method, params, timeout_ms, result, &failure))
		return CTL_OK;
	return ctl_fail(ctl, failure.status, failure.code, "%s", failure.message);
}

json_t *client_event(struct client *client)
{
	char *line;

	while ((line = client_line(client, UINT64_MAX))) {
		json_t *message = json_loads(line, 0, NULL);
		json_t *event = json_incref(json_object_get(message, "event"));

		json_decref(message);
		if (event)
			return event;
	}
	return NULL;
}

int client_ask(const struct ctl *ctl, const char *device, const char *method, json_t *params,
	       int timeout_ms, json_t **result)
{
	int status = CTL_OK;
	struct client *client = client_open(ctl, device, &status);

	if (!client) {
		json_decref(params);
		return status;
	}
	status = client_call(ctl, client, method, params, timeout_ms, result);
	client_close(client);
	return status;
}
