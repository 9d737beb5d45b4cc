/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_CONTROL_H
#define JVPND_CONTROL_H

/*
 * The control socket: newline-delimited JSON over a Unix socket, mode 0600.
 *
 * Request  {"id": n, "method": "...", "params": {...}}
 * Answer   {"id": n, "result": ...} or {"id": n, "error": {"code": "...", "message": "..."}}
 * Events   {"event": {...}} on connections that follow them
 *
 * A request may be answered later; requests of one connection are answered in
 * any order. Connections, lines and what waits to be sent are bounded: a
 * connection that does not read its answers is closed, one that only follows
 * events is told how many it missed.
 */

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

struct control;
struct control_request;

/* A method owns the request: it must reply or fail exactly once, now or later. */
typedef void (*control_handler)(void *context, struct control_request *request,
				const json_t *params);

struct control_method {
	const char *name;
	control_handler handler;
};

/* methods ends with a NULL name. NULL with a sentence in error on failure. */
struct control *control_open(uv_loop_t *loop, const char *path,
			     const struct control_method *methods, void *context, char *error,
			     size_t error_size);
/* Closes all connections; the loop must run once more before it ends. */
void control_close(struct control *control);

/* Steals result. */
void control_reply(struct control_request *request, json_t *result);
__attribute__((format(printf, 3, 4)))
void control_fail(struct control_request *request, const char *code, const char *format, ...);

/* From now on the request's connection gets events. */
void control_follow(struct control_request *request);
bool control_has_followers(const struct control *control);
void control_event_send(struct control *control, json_t *event);

#endif
