// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

#define CONNECTIONS_MAX 32
#define LINE_MAX_SIZE 65536
#define REQUESTS_MAX 64
/* Octets that wait for a reader; room for the answer to a list of many sessions. */
#define OUTPUT_MAX ((size_t)64 << 20)
#define EVENTS_OUTPUT_MAX ((size_t)1 << 20)
#define BACKLOG 16

struct connection {
	uv_pipe_t pipe;
	struct control *control;
	struct connection *next;
	size_t used;
	size_t queued;		/* octets of writes in flight */
	unsigned int requests;	/* unanswered */
	uint64_t missed;	/* events not sent since the last one that was */
	bool follows;
	bool closing;
	bool closed;		/* the handle is gone, unanswered requests keep the memory */
	char line[LINE_MAX_SIZE];
};

struct control {
	uv_pipe_t listener;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t device;			/* of the socket's file, as it was made */
	ino_t inode;
	const struct control_method *methods;
	void *context;
	struct connection *connections;
	unsigned int count;
	bool closing;
};

struct control_request {
	struct connection *connection;
	json_t *id;
};

struct control_write {
	uv_write_t request;
	struct connection *connection;
	size_t size;
	char *text;
};

static void control_free_if_idle(struct control *control)
{
	if (control->closing && !control->count)
		free(control);
}

static void connection_free_if_idle(struct connection *c)
{
	if (c->closed && !c->requests)
		free(c);
}

static void connection_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data, **p;
	struct control *control = c->control;

	for (p = &control->connections; *p; p = &(*p)->next) {
		if (*p == c) {
			*p = c->next;
			break;
		}
	}
	control->count--;
	c->closed = true;
	connection_free_if_idle(c);
	control_free_if_idle(control);
}

static void connection_close(struct connection *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *)&c->pipe, connection_closed);
}

static void connection_written(uv_write_t *request, int status)
{
	struct control_write *w = (struct control_write *)request;

	w->connection->queued -= w->size;
	if (status)
		connection_close(w->connection);
	free(w->text);
	free(w);
}

/* Steals text. */
static void connection_text_send(struct connection *c, char *text, size_t size)
{
	struct control_write *w = calloc(1, sizeof(*w));
	uv_buf_t buffer = uv_buf_init(text, (unsigned int)size);

	if (!w || c->queued + size > OUTPUT_MAX) {
		jvpn_warning("control connection closed: its reader is too slow");
		goto err_close;
	}
	w->connection = c;
	w->size = size;
	w->text = text;
	if (uv_write(&w->request, (uv_stream_t *)&c->pipe, &buffer, 1, connection_written))
		goto err_close;
	c->queued += size;
	return;
err_close:
	free(w);
	free(text);
	connection_close(c);
}

static void connection_send(struct connection *c, const json_t *message)
{
	size_t size;
	char *text;

	if (c->closing)
		return;
	text = json_dumps(message, JSON_COMPACT);
	size = text ? strlen(text) : 0;
	if (!text) {
		connection_close(c);
		return;
	}
	/* The line ends with a newline instead of the NUL. */
	text[size] = '\n';
	connection_text_send(c, text, size + 1);
}

static void request_end(struct control_request *request, const char *key, json_t *value)
{
	struct connection *c = request->connection;
	json_t *message = json_pack("{sO*so*}", "id", request->id, key,
				    value ? value : json_null());

	if (message)
		connection_send(c, message);
	json_decref(message);
	json_decref(request->id);
	free(request);
	c->requests--;
	connection_free_if_idle(c);
}

void control_reply(struct control_request *request, json_t *result)
{
	request_end(request, "result", result);
}

void control_fail(struct control_request *request, const char *code, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	request_end(request, "error",
		    json_pack("{ssss}", "code", code, "message", message));
}

void control_follow(struct control_request *request)
{
	request->connection->follows = true;
}

bool control_has_followers(const struct control *control)
{
	for (const struct connection *c = control ? control->connections : NULL; c; c = c->next)
		if (c->follows && !c->closing)
			return true;
	return false;
}

static void connection_event_send(struct connection *c, json_t *event)
{
	json_t *message;

	if (c->queued > EVENTS_OUTPUT_MAX) {
		c->missed++;
		return;
	}
	message = json_pack("{sO}", "event", event);
	if (message && c->missed)
		json_object_set_new(message, "missed", json_integer((json_int_t)c->missed));
	c->missed = 0;
	if (message)
		connection_send(c, message);
	json_decref(message);
}

void control_event_send(struct control *control, json_t *event)
{
	struct connection *c, *next;

	for (c = control ? control->connections : NULL; c; c = next) {
		next = c->next;
		if (c->follows && !c->closing)
			connection_event_send(c, event);
	}
}

static const struct control_method *control_method_find(const struct control *control,
							 const char *name)
{
	for (const struct control_method *m = control->methods; m->name; m++)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

/* The error for a line that is no request: it has no id to answer to. */
static void connection_refuse(struct connection *c, const char *message)
{
	json_t *error = json_pack("{sns{ssss}}", "id", "error", "code", "INVALID_REQUEST",
				  "message", message);

	if (error)
		connection_send(c, error);
	json_decref(error);
}

static struct control_request *request_new(struct connection *c, const json_t *message)
{
	struct control_request *request = calloc(1, sizeof(*request));
	json_t *id = json_object_get(message, "id");

	if (!request)
		return NULL;
	request->connection = c;
	request->id = id ? json_incref(id) : json_null();
	c->requests++;
	return request;
}

static void connection_message_run(struct connection *c, const json_t *message)
{
	const char *name = json_string_value(json_object_get(message, "method"));
	const json_t *params = json_object_get(message, "params");
	const struct control_method *method;
	struct control_request *request;

	if (!name || (params && !json_is_object(params) && !json_is_null(params))) {
		connection_refuse(c, "a request is an object with \"id\", \"method\" and, if need be, an object \"params\"");
		return;
	}
	if (c->requests >= REQUESTS_MAX) {
		connection_refuse(c, "too many unanswered requests on this connection");
		return;
	}
	request = request_new(c, message);
	if (!request) {
		connection_close(c);
		return;
	}
	method = control_method_find(c->control, name);
	if (!method)
		control_fail(request, "UNKNOWN_METHOD", "this daemon has no method \"%s\"", name);
	else
		method->handler(c->control->context, request, params);
}

static void connection_line_run(struct connection *c, const char *line, size_t size)
{
	json_error_t error;
	char text[256];
	json_t *message = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);

	if (!message) {
		snprintf(text, sizeof(text), "not a line of JSON: %s", error.text);
		connection_refuse(c, text);
		return;
	}
	connection_message_run(c, message);
	json_decref(message);
}

static void connection_lines_run(struct connection *c)
{
	size_t start = 0;
	char *end;

	while (!c->closing &&
	       (end = memchr(c->line + start, '\n', c->used - start))) {
		size_t size = (size_t)(end - (c->line + start));

		if (size)
			connection_line_run(c, c->line + start, size);
		start += size + 1;
	}
	memmove(c->line, c->line + start, c->used - start);
	c->used -= start;
	if (c->used == sizeof(c->line) && !c->closing) {
		connection_refuse(c, "the line is longer than 65536 octets");
		c->used = 0;
		connection_close(c);
	}
}

static void connection_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct connection *c = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(c->line + c->used, (unsigned int)(sizeof(c->line) - c->used));
}

static void connection_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct connection *c = stream->data;

	(void)buffer;
	if (size < 0) {
		connection_close(c);
		return;
	}
	c->used += (size_t)size;
	connection_lines_run(c);
}

static void control_connection(uv_stream_t *listener, int status)
{
	struct control *control = listener->data;
	struct connection *c;

	if (status)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->control = control;
	c->pipe.data = c;
	uv_pipe_init(listener->loop, &c->pipe, 0);
	c->next = control->connections;
	control->connections = c;
	control->count++;
	if (uv_accept(listener, (uv_stream_t *)&c->pipe) || control->count > CONNECTIONS_MAX ||
	    uv_read_start((uv_stream_t *)&c->pipe, connection_room, connection_read))
		connection_close(c);
}

static void control_listener_closed(uv_handle_t *handle)
{
	struct control *control = handle->data;

	control->closing = true;
	control_free_if_idle(control);
}

/* Does somebody listen on the socket file? Errno says why not. */
static bool control_is_served(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), saved;
	bool served;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	served = fd >= 0 && (!connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
			     errno == EAGAIN);
	saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return served;
}

/* NULL: nothing is there, or the socket of a daemon that is gone; else what else it is. */
static const char *control_path_taken(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? NULL : strerror(errno);
	if (!S_ISSOCK(st.st_mode))
		return "it is there and is no socket";
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return "the socket that is there belongs to another user";
	if (control_is_served(path))
		return "another process listens on it";
	if (errno != ECONNREFUSED)
		return strerror(errno);
	return unlink(path) ? strerror(errno) : NULL;
}

/* Not by uv_pipe_bind(), which removes at the end what has the name then. */
static int control_bind(struct control *control)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

	if (fd < 0)
		return -errno;
	strcpy(address.sun_path, control->path);
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno :
		uv_pipe_open(&control->listener, fd);
	if (rc)
		close(fd);
	return rc;
}

static const char *control_listen(struct control *control)
{
	const char *why = control_path_taken(control->path);
	struct stat st;
	int rc;

	if (why)
		return why;
	rc = control_bind(control);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&control->listener, BACKLOG, control_connection);
	if (!rc && lstat(control->path, &st))
		rc = -errno;
	if (rc)
		return uv_strerror(rc);
	control->device = st.st_dev;
	control->inode = st.st_ino;
	return NULL;
}

static void control_path_remove(const struct control *control)
{
	struct stat st;

	if (!lstat(control->path, &st) && st.st_dev == control->device &&
	    st.st_ino == control->inode)
		unlink(control->path);
}

struct control *control_open(uv_loop_t *loop, const char *path,
			     const struct control_method *methods, void *context, char *error,
			     size_t error_size)
{
	struct control *control;
	const char *why;

	if (strlen(path) >= sizeof(control->path)) {
		snprintf(error, error_size,
			 "control_socket %s is longer than %zu octets; name a shorter one", path,
			 sizeof(control->path) - 1);
		return NULL;
	}
	control = calloc(1, sizeof(*control));
	if (!control) {
		snprintf(error, error_size, "no memory for the control socket");
		return NULL;
	}
	strcpy(control->path, path);
	control->methods = methods;
	control->context = context;
	uv_pipe_init(loop, &control->listener, 0);
	control->listener.data = control;
	why = control_listen(control);
	if (!why)
		return control;
	snprintf(error, error_size, "cannot listen on the control socket %s: %s", path,
		 why);
	uv_close((uv_handle_t *)&control->listener, control_listener_closed);
	return NULL;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	for (struct connection *c = control->connections; c; c = c->next)
		connection_close(c);
	control_path_remove(control);
	uv_close((uv_handle_t *)&control->listener, control_listener_closed);
}
