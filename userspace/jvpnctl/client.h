/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPNCTL_CLIENT_H
#define JVPNCTL_CLIENT_H

/* Talks to the daemon: lines of JSON over its control socket. */

#include "ctl.h"

struct client;

/* NULL, reported, with *status set, if the daemon cannot be reached. */
struct client *client_open(const struct ctl *ctl, const char *device, int *status);
/* The same without a word; why gets a sentence. */
struct client *client_try(const struct ctl *ctl, const char *device, char *why, size_t size);
void client_close(struct client *client);

/* Why a request failed. */
struct client_failure {
	enum ctl_exit status;
	char code[64];
	char message[512];
};

/*
 * Send a request and wait for its answer at most timeout_ms. Steals params (may be
 * NULL). True, and *result is the caller's; or false, and *failure says why.
 */
bool client_request(struct client *client, const char *method, json_t *params, int timeout_ms,
		    json_t **result, struct client_failure *failure);

/* The same; a failure is reported, and its exit code returned. */
int client_call(const struct ctl *ctl, struct client *client, const char *method,
		json_t *params, int timeout_ms, json_t **result);

/* The next line that is an event, without an end of time. NULL at the end of the stream. */
json_t *client_event(struct client *client);

/* Open, call, close. */
int client_ask(const struct ctl *ctl, const char *device, const char *method, json_t *params,
	       int timeout_ms, json_t **result);

#define CLIENT_TIMEOUT_MS 10000

#endif
