// SPDX-License-Identifier: GPL-2.0
#include "methods.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "candidate.h"
#include "client.h"
#include "close.h"
#include "core/fsm.h"
#include "explain.h"
#include "gateway.h"
#include "gateway-listen.h"
#include "jvpnd.h"
#include "lack.h"
#include "names-gen.h"
#include "refusal.h"
#include "reload.h"
#include "session.h"
#include "sockets.h"
#include "updown.h"
#include "util.h"

struct methods_search {
	const char *prefix;
	struct session *found;
	unsigned int count;
};

static void methods_session_match(struct jvpnd *d, struct session *s, void *context)
{
	struct methods_search *search = context;
	char hex[SESSION_HEX];

	(void)d;
	if (strncasecmp(session_hex(s, hex), search->prefix, strlen(search->prefix)))
		return;
	search->found = s;
	search->count++;
}

/* The session that the request names, or NULL after it was answered. */
static struct session *methods_session_find(struct jvpnd *d, struct control_request *request,
					    const json_t *params)
{
	const char *id = json_string_value(json_object_get(params, "session_id"));
	struct methods_search search = { .prefix = id };

	if (!id || !*id) {
		control_fail(request, "INVALID_REQUEST",
			     "\"session_id\" is missing: the session's id, or how it begins");
		return NULL;
	}
	session_each(d, methods_session_match, &search);
	if (search.count == 1)
		return search.found;
	if (search.count)
		control_fail(request, "AMBIGUOUS_SESSION",
			     "%u sessions have ids that begin with %s; give more digits",
			     search.count, id);
	else
		control_fail(request, "UNKNOWN_SESSION", "there is no session %s", id);
	return NULL;
}

static void methods_session_explain(void *context, struct control_request *request,
				    const json_t *params)
{
	struct jvpnd *d = context;
	struct session *s = methods_session_find(d, request, params);
	char hex[SESSION_HEX];

	if (s)
		control_reply(request, json_pack("{ssso}", "session_id", session_hex(s, hex),
						 "sentences", explain_session(d, s)));
}

/* --- orders --------------------------------------------------------------------------- */

static bool methods_session_live(struct control_request *request, const struct session *s)
{
	if (session_is_live(s))
		return true;
	control_fail(request, "TERMINATED", "session %s is terminated; only a new handshake makes a new one",
		     session_short(s));
	return false;
}

static void methods_session_jump(void *context, struct control_request *request,
				 const json_t *params)
{
	const char *transport = json_string_value(json_object_get(params, "transport"));
	struct jvpnd *d = context;
	struct session *s = methods_session_find(d, request, params);

	if (!s || !methods_session_live(request, s))
		return;
	if (!d->client)
		control_fail(request, "NOT_AT_GATEWAY",
			     "a gateway cannot choose its client's transport, only the client knows what it has; run this at the client");
	else if (s != d->client->session)
		control_fail(request, "POLICY_DENIED",
			     "session %s cannot be reattached: its record is lost",
			     session_short(s));
	else
		client_move_order(d->client, request, transport);
	sessions_settle(d);
}

static void methods_session_terminate(void *context, struct control_request *request,
				      const json_t *params)
{
	struct jvpnd *d = context;
	struct session *s = methods_session_find(d, request, params);
	char hex[SESSION_HEX];

	if (!s || !methods_session_live(request, s))
		return;
	close_send(d, s);
	if (session_terminate(d, s, s->state == JVPN_STATE_BIRTH ?
					    JVPN_REASON_HANDSHAKE_REJECTED : JVPN_REASON_OPERATOR)) {
		if (d->client && s == d->client->session)
			d->client->closed_by_operator =
				json_is_true(json_object_get(params, "stay_down"));
		control_reply(request,
			      json_pack("{sssI}", "session_id", session_hex(s, hex),
					"state_version", (json_int_t)s->version));
	} else {
		control_fail(request, "KERNEL", "the kernel refused to end session %s",
			     session_short(s));
	}
	sessions_settle(d);
}

static void methods_events_follow(void *context, struct control_request *request,
				  const json_t *params)
{
	(void)context, (void)params;
	control_follow(request);
	control_reply(request, json_pack("{sb}", "following", 1));
}

static void methods_reload(void *context, struct control_request *request, const json_t *params)
{
	char error[1024];

	(void)params;
	if (reload_run(context, error, sizeof(error)))
		control_fail(request, "CONFIG_INVALID", "%s", error);
	else
		control_reply(request, json_pack("{so}", "notes", json_array()));
}

static void methods_down(void *context, struct control_request *request, const json_t *params)
{
	(void)params;
	control_reply(request, json_pack("{sI}", "ended", (json_int_t)updown_down(context)));
}

static void methods_up(void *context, struct control_request *request, const json_t *params)
{
	(void)params;
	updown_up(context);
	control_reply(request, json_object());
}

/* --- what there is ---------------------------------------------------------------------- */

static json_t *methods_candidate_json(struct client *c, const struct candidate *cand)
{
	bool active = c->session && c->session->bound && c->session->path.socket == cand->socket;
	json_t *json = json_pack("{ssssssssss?sIsb}", "name", cand->name,
				 "state", active ? "active" : cand->usable ? "ready" : "unusable",
				 "protocol", jvpn_config_protocol_name(cand->protocol),
				 "interface", cand->interface,
				 "why", cand->unusable_why,
				 "preference", (json_int_t)cand->preference,
				 "automatic", cand->automatic);
	struct path path;
	char text[PATH_TEXT];

	if (client_path_at(c, cand, 0, &path))
		json_object_set_new(json, "remote", json_string(path_remote_format(
							    active ? &c->session->path : &path,
							    text, sizeof(text))));
	if (sockets_find(c->d, cand->socket))
		json_object_set_new(json, "local_port",
				    json_integer(sockets_find(c->d, cand->socket)->port));
	if (cand->rtt_us)
		json_object_set_new(json, "rtt_ms", json_real(cand->rtt_us / 1000.0));
	if (cand->asked)
		json_object_set_new(json, "unanswered", json_integer(cand->asked));
	return json;
}

static void methods_health_merge(const struct jvpnd *d, json_t *json)
{
	const struct session *s = d->client->session;
	struct kernel_session *k = malloc(sizeof(*k));

	if (k && s && !kernel_session_get(d->kernel, s->id, k)) {
		json_object_set_new(json, "rtt_ms", json_real(k->health.rtt_us / 1000.0));
		json_object_set_new(json, "loss_percent", json_real(k->health.loss / 10.0));
	}
	free(k);
}

static json_t *methods_candidates_json(struct jvpnd *d)
{
	json_t *list = json_array(), *json;
	struct candidate *cand;

	TAILQ_FOREACH(cand, candidates_list(d->client), link) {
		json = methods_candidate_json(d->client, cand);
		if (!strcmp(json_string_value(json_object_get(json, "state")), "active"))
			methods_health_merge(d, json);
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *methods_listen_json(const struct jvpnd *d)
{
	json_t *list = json_array();
	char text[JVPN_ADDR_TEXT];

	for (size_t i = 0; i < d->config->gateway.n_listen; i++) {
		const struct jvpn_config_listen *listen = &d->config->gateway.listen[i];
		const char *why = gateway_listen_why(listen);
		struct sockaddr_storage sa;

		jvpn_addr_to_sockaddr(&listen->address, listen->port, &sa);
		jvpn_sockaddr_format((const struct sockaddr *)&sa, text, sizeof(text));
		json_array_append_new(list, json_pack("{ssssssssss?ss?}", "name", text,
			"state", why ? "unusable" : "listening",
			"protocol", listen->address.family == AF_INET6 ? "udp6" : "udp4",
			"local", text,
			"interface", listen->interface[0] ? listen->interface : NULL,
			"why", why));
	}
	return list;
}

static void methods_transport_list(void *context, struct control_request *request,
				   const json_t *params)
{
	struct jvpnd *d = context;

	(void)params;
	control_reply(request, json_pack("{so}", "transports",
					 d->client ? methods_candidates_json(d) :
						     methods_listen_json(d)));
}

static void methods_policy_list(void *context, struct control_request *request,
				const json_t *params)
{
	struct jvpnd *d = context;
	json_t *list = json_array();

	(void)params;
	for (size_t i = 0; i < d->config->n_policies; i++)
		json_array_append_new(list, jvpn_policy_to_json(&d->config->policies[i]));
	control_reply(request, json_pack("{so}", "policies", list));
}

/* --- status --------------------------------------------------------------------------------- */

static void methods_state_count(struct jvpnd *d, struct session *s, void *context)
{
	const char *name = jvpn_state_name(s->state);
	json_t *count = json_object_get(context, name);

	(void)d;
	json_object_set_new(context, name, json_integer(json_integer_value(count) + 1));
}

static json_t *methods_audit_json(struct jvpnd *d)
{
	struct jvpn_audit_status status;
	char hex[2 * JVPN_AUDIT_HASH + 1];

	jvpn_audit_status(d->audit, &status);
	return json_pack("{sIsssIsIss}", "seq", (json_int_t)status.seq, "head",
			 jvpn_util_hex_encode(status.head, sizeof(status.head), hex), "queued",
			 (json_int_t)status.queued, "lost", (json_int_t)status.lost, "error",
			 status.error);
}

static void methods_status(void *context, struct control_request *request, const json_t *params)
{
	struct jvpnd *d = context;
	json_t *sessions = json_object(), *result;
	struct kernel_device device;

	(void)params;
	session_each(d, methods_state_count, sessions);
	result = json_pack("{sssssssssIsIsbso}", "version", JVPN_VERSION, "device",
			   d->config->device.name, "role", jvpn_config_role_name(d->config->role),
			   "node", d->config->node, "pid", (json_int_t)getpid(), "uptime_ms",
			   (json_int_t)(jvpnd_now_ms() - d->started_ms), "down", d->down,
			   "sessions", sessions);
	if (!kernel_device_get(d->kernel, &device))
		json_object_set_new(result, "kernel",
				    json_pack("{sIsIsI}", "sessions", (json_int_t)device.sessions,
					      "max_sessions", (json_int_t)device.max_sessions,
					      "sockets", (json_int_t)device.sockets));
	json_object_set_new(result, d->client ? "client" : "gateway",
			    d->client ? client_status_json(d) : gateway_status_json(d));
	json_object_set_new(result, "audit", methods_audit_json(d));
	json_object_update_new(result, refusals_json(d));
	json_object_set_new(result, "warnings", lacks_json(d));
	control_reply(request, result);
}

const struct control_method methods[] = {
	{ "status", methods_status },
	{ "session.explain", methods_session_explain },
	{ "session.jump", methods_session_jump },
	{ "session.terminate", methods_session_terminate },
	{ "events.follow", methods_events_follow },
	{ "transport.list", methods_transport_list },
	{ "policy.list", methods_policy_list },
	{ "reload", methods_reload },
	{ "down", methods_down },
	{ "up", methods_up },
	{ NULL, NULL },
};
