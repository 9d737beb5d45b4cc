// SPDX-License-Identifier: GPL-2.0
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "nl.h"

struct kernel {
	struct jvpn_nl *nl;
	struct jvpn_nl_listener *events;
	struct jvpn_nl_listener *packets;
	uint64_t device_id;
};

/* --- conversions --------------------------------------------------------------- */

static void kernel_path_get(struct path *path, const struct jvpn_nl_transport *t)
{
	memset(path, 0, sizeof(*path));
	path->socket = t->socket;
	path->remote = t->remote;
	path->remote_port = t->remote_port;
	path->scope_id = t->remote_scope_id;
	path->local = t->local;
	path->local_port = t->local_port;
	path->local_ifindex = t->local_ifindex;
	path->ifindex = t->bind_ifindex;
}

static void kernel_path_put(struct jvpn_nl_transport *t, const struct path *path)
{
	JVPN_NL_SET(t, socket, path->socket);
	t->remote = path->remote;
	JVPN_NL_SET(t, remote_port, path->remote_port);
	if (path->scope_id)
		JVPN_NL_SET(t, remote_scope_id, path->scope_id);
	t->local = path->local;
	if (path->local_ifindex)
		JVPN_NL_SET(t, local_ifindex, path->local_ifindex);
}

static void kernel_epoch_put(struct jvpn_nl_epoch *keys, const struct jvpn_epoch *epoch,
			     uint32_t number, uint32_t role)
{
	bool gateway = role == JVPN_ROLE_GATEWAY;
	const struct jvpn_epoch_dir *rx = gateway ? &epoch->c2s : &epoch->s2c;
	const struct jvpn_epoch_dir *tx = gateway ? &epoch->s2c : &epoch->c2s;

	JVPN_NL_SET(keys, number, number);
	JVPN_NL_SET(keys, suite, JVPN_SUITE_CHACHA20_POLY1305);
	JVPN_NL_SET(keys, rx_index, gateway ? epoch->idx_c2s : epoch->idx_s2c);
	JVPN_NL_SET(keys, tx_index, gateway ? epoch->idx_s2c : epoch->idx_c2s);
	keys->has.rx_key = keys->has.rx_iv = keys->has.tx_key = keys->has.tx_iv = true;
	memcpy(keys->rx_key, rx->key, sizeof(keys->rx_key));
	memcpy(keys->rx_iv, rx->iv, sizeof(keys->rx_iv));
	memcpy(keys->tx_key, tx->key, sizeof(keys->tx_key));
	memcpy(keys->tx_iv, tx->iv, sizeof(keys->tx_iv));
}

static void kernel_policy_put(struct jvpn_nl_policy *out, const struct jvpn_policy_def *policy)
{
	out->has.name = true;
	snprintf(out->name, sizeof(out->name), "%s", policy->name);
	JVPN_NL_SET(out, version, policy->version);
	JVPN_NL_SET(out, transport_loss_ttl_ms, policy->transport_loss_ttl_ms);
	JVPN_NL_SET(out, idle_interval_ms, policy->probe.idle_interval_ms);
	JVPN_NL_SET(out, active_interval_ms, policy->probe.active_interval_ms);
	JVPN_NL_SET(out, dead_base_ms, policy->probe.dead_base_ms);
	JVPN_NL_SET(out, dead_rtts, policy->probe.dead_rtts);
	JVPN_NL_SET(out, rx_timeout_ms, policy->probe.rx_timeout_ms);
	JVPN_NL_SET(out, reject_after_ms, JVPN_POLICY_REJECT_AFTER_MS);
	JVPN_NL_SET(out, hold_bytes, policy->hold_bytes);
	JVPN_NL_SET(out, loss_enter, policy->quality.loss_enter_percent);
	JVPN_NL_SET(out, loss_leave, policy->quality.loss_leave_percent);
	JVPN_NL_SET(out, rtt_enter_ms, policy->quality.rtt_enter_ms);
	JVPN_NL_SET(out, rtt_leave_ms, policy->quality.rtt_leave_ms);
}

static void kernel_transition_get(struct kernel_transition *out,
				  const struct jvpn_nl_transition *t)
{
	memset(out, 0, sizeof(*out));
	out->version = t->version;
	out->from = t->from;
	out->to = t->to;
	out->event = t->event;
	out->reason = t->reason;
	out->origin = t->origin;
	out->epoch = t->epoch;
	out->boot_ms = t->time;
	out->real_ms = t->real_time;
	out->has_path = t->has.transport;
	if (t->has.transport)
		kernel_path_get(&out->path, &t->transport);
}

static void kernel_health_get(struct kernel_health *out, const struct jvpn_nl_health *h)
{
	out->rtt_us = h->rtt_us;
	out->jitter_us = h->jitter_us;
	out->loss = h->loss;
	out->last_rx_ms = h->last_rx;
	out->echoed = h->echo_counter > 0;
	out->echo_counter = h->echo_counter;
	out->late = h->late;
}

static void kernel_stats_get(struct kernel_stats *out, const struct jvpn_nl_stats *s)
{
	*out = (struct kernel_stats){
		.rx_packets = s->rx_packets, .rx_bytes = s->rx_bytes,
		.tx_packets = s->tx_packets, .tx_bytes = s->tx_bytes,
		.rx_drops = s->rx_drops, .tx_drops = s->tx_drops,
		.held_packets = s->held_packets, .held_bytes = s->held_bytes,
		.refused = s->refused,
	};
}

static void kernel_binding_get(struct kernel_session *out, const struct jvpn_nl_session *s)
{
	out->bound = s->has.transport;
	if (s->has.transport) {
		kernel_path_get(&out->path, &s->transport);
		out->bound_since_ms = s->transport.since;
		out->pmtu = s->transport.pmtu;
	}
	out->keys = (struct kernel_keys){
		.number = s->keys.number, .rx_index = s->keys.rx_index,
		.tx_index = s->keys.tx_index, .tx_counter = s->keys.tx_counter,
		.rx_counter = s->keys.rx_counter, .born_ms = s->keys.born,
	};
}

static void kernel_session_fill(struct kernel_session *out, const struct jvpn_nl_session *s)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->id, s->id, sizeof(out->id));
	out->state = s->state;
	out->version = s->version;
	out->epoch = s->epoch_number;
	out->role = s->role;
	snprintf(out->label, sizeof(out->label), "%s", s->label);
	memcpy(out->peer_id, s->peer_id, sizeof(out->peer_id));
	out->peer_version = s->peer_version;
	out->peer_epoch = s->peer_epoch;
	out->n_prefixes = s->n_inner;
	for (size_t i = 0; i < s->n_inner; i++) {
		out->prefixes[i].addr = s->inner[i].addr;
		out->prefixes[i].length = s->inner[i].prefix_len;
	}
	kernel_binding_get(out, s);
	snprintf(out->policy, sizeof(out->policy), "%s", s->policy.name);
	out->policy_version = s->policy.version;
	out->session_deadline_ms = s->session_deadline;
	out->loss_deadline_ms = s->loss_deadline;
	out->lease_deadline_ms = s->lease_deadline;
	out->birth_deadline_ms = s->birth_deadline;
	kernel_stats_get(&out->stats, &s->stats);
	kernel_health_get(&out->health, &s->health);
	out->n_history = s->n_history;
	for (size_t i = 0; i < s->n_history; i++)
		kernel_transition_get(&out->history[i], &s->history[i]);
	out->n_pending = s->n_pending;
	out->created_ms = s->created;
}

static void kernel_error_text(const struct jvpn_nl_error *e, char *error, size_t error_size)
{
	snprintf(error, error_size, "%s%s%s%s", e->text, e->attr[0] ? " (" : "", e->attr,
		 e->attr[0] ? ")" : "");
}

static void kernel_answer_history(struct kernel_answer *answer, const struct jvpn_nl_session *s)
{
	size_t room = sizeof(answer->history) / sizeof(answer->history[0]);

	for (size_t i = 0; i < s->n_history && i < room; i++)
		kernel_transition_get(&answer->history[answer->n_history++], &s->history[i]);
}

static void kernel_answer_fill(struct kernel_answer *answer, int rc,
			       const struct jvpn_nl_session *reply, const struct jvpn_nl_error *e)
{
	memset(answer, 0, sizeof(*answer));
	answer->error = rc;
	if (rc) {
		kernel_error_text(e, answer->text, sizeof(answer->text));
		answer->has_current = e->has_current;
		answer->reject = e->reject;
		answer->state = e->state;
		answer->version = e->version;
		answer->epoch = e->epoch;
		return;
	}
	answer->has_current = reply->has.version;
	answer->state = reply->state;
	answer->version = reply->version;
	answer->epoch = reply->epoch_number;
	kernel_answer_history(answer, reply);
}

/* --- open and close ---------------------------------------------------------------- */

struct kernel *kernel_open(char *error, size_t error_size)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	struct jvpn_nl_error e = {};

	if (!kernel) {
		snprintf(error, error_size, "no memory");
		return NULL;
	}
	kernel->nl = jvpn_nl_open(&e);
	if (kernel->nl)
		kernel->events = jvpn_nl_listener_open(kernel->nl, JVPN_NL_GROUPS_ALL, &e);
	if (kernel->events)
		kernel->packets = jvpn_nl_listener_open(kernel->nl, 0, &e);
	if (kernel->packets)
		return kernel;
	kernel_error_text(&e, error, error_size);
	kernel_close(kernel);
	return NULL;
}

void kernel_close(struct kernel *kernel)
{
	if (!kernel)
		return;
	if (kernel->packets)
		jvpn_nl_listener_close(kernel->packets);
	if (kernel->events)
		jvpn_nl_listener_close(kernel->events);
	if (kernel->nl)
		jvpn_nl_close(kernel->nl);
	free(kernel);
}

int kernel_device_use(struct kernel *kernel, uint32_t ifindex, char *error, size_t error_size)
{
	struct jvpn_nl_device device = {};
	struct jvpn_nl_error e = {};
	int rc = jvpn_nl_device_get(kernel->nl, ifindex, &device, &e);

	kernel->device_id = device.device_id;
	if (rc)
		kernel_error_text(&e, error, error_size);
	return rc;
}

int kernel_device_get(struct kernel *kernel, struct kernel_device *out)
{
	struct jvpn_nl_device device = {};
	int rc = jvpn_nl_device_get_by_id(kernel->nl, kernel->device_id, &device, NULL);

	*out = (struct kernel_device){ .ifindex = device.ifindex,
				       .max_sessions = device.max_sessions,
				       .sessions = device.sessions, .sockets = device.sockets };
	return rc;
}

int kernel_device_set(struct kernel *kernel, uint32_t max_sessions, char *error,
		      size_t error_size)
{
	struct jvpn_nl_device device = {};
	struct jvpn_nl_error e = {};
	int rc;

	JVPN_NL_SET(&device, device_id, kernel->device_id);
	JVPN_NL_SET(&device, max_sessions, max_sessions);
	rc = jvpn_nl_device_set(kernel->nl, &device, &e);
	if (rc)
		kernel_error_text(&e, error, error_size);
	return rc;
}

/* --- events --------------------------------------------------------------------------- */

struct kernel_reading {
	const struct kernel *kernel;
	const struct kernel_handlers *handlers;
	void *context;
};

static void kernel_event_session(struct kernel_reading *r, const struct jvpn_nl_session *s)
{
	struct kernel_transition list[JVPN_HISTORY_SIZE];

	for (size_t i = 0; i < s->n_history; i++)
		kernel_transition_get(&list[i], &s->history[i]);
	r->handlers->transitions(r->context, s->id, list, s->n_history);
}

static void kernel_event_health(struct kernel_reading *r, const struct jvpn_nl_session *s)
{
	struct kernel_health_event event = { .version = s->version, .event = s->event,
					     .reason = s->reason };

	memcpy(event.id, s->id, sizeof(event.id));
	kernel_health_get(&event.health, &s->health);
	r->handlers->health(r->context, &event);
}

static void kernel_event_unbound(struct kernel_reading *r, const struct jvpn_nl_unbound *u)
{
	struct kernel_unbound event = { .index = u->index, .counter = u->counter,
					.bytes = u->bytes, .state = u->state };

	memcpy(event.id, u->id, sizeof(event.id));
	kernel_path_get(&event.from, &u->transport);
	r->handlers->unbound(r->context, &event);
}

static void kernel_event_packet(struct kernel_reading *r, const struct jvpn_nl_packet *p)
{
	struct kernel_packet packet = { .dropped = p->dropped, .size = p->payload_size,
					.data = p->payload };

	kernel_path_get(&packet.from, &p->transport);
	r->handlers->packet(r->context, &packet);
}

/* Events of other devices come to the same groups. */
static bool kernel_event_is_ours(const struct kernel *kernel, const struct jvpn_nl_event *event)
{
	switch (event->kind) {
	case JVPN_NL_EVENT_LOST:
	case JVPN_NL_EVENT_UNSENT:
		return true;
	case JVPN_NL_EVENT_UNBOUND:
		return event->unbound.device_id == kernel->device_id;
	case JVPN_NL_EVENT_PACKET:
		return event->packet.device_id == kernel->device_id;
	case JVPN_NL_EVENT_HOST:
		return event->device.device_id == kernel->device_id;
	default:
		return event->session.device_id == kernel->device_id;
	}
}

static void kernel_event(void *context, const struct jvpn_nl_event *event)
{
	struct kernel_reading *r = context;

	if (!kernel_event_is_ours(r->kernel, event))
		return;
	switch (event->kind) {
	case JVPN_NL_EVENT_LOST:
		r->handlers->overrun(r->context, event->why);
		break;
	case JVPN_NL_EVENT_SESSION:
		kernel_event_session(r, &event->session);
		break;
	case JVPN_NL_EVENT_EPOCH:
		r->handlers->epoch(r->context, event->session.id, event->session.epoch_number);
		break;
	case JVPN_NL_EVENT_HEALTH:
		kernel_event_health(r, &event->session);
		break;
	case JVPN_NL_EVENT_UNBOUND:
		kernel_event_unbound(r, &event->unbound);
		break;
	case JVPN_NL_EVENT_PACKET:
		kernel_event_packet(r, &event->packet);
		break;
	case JVPN_NL_EVENT_HOST:
		r->handlers->host(r->context);
		break;
	case JVPN_NL_EVENT_UNSENT:
		r->handlers->unsent(r->context, event->why);
		break;
	}
}

int kernel_events_fd(const struct kernel *kernel)
{
	return jvpn_nl_listener_fd(kernel->events);
}

int kernel_packets_fd(const struct kernel *kernel)
{
	return jvpn_nl_listener_fd(kernel->packets);
}

void kernel_events_read(struct kernel *kernel, const struct kernel_handlers *handlers,
			void *context, unsigned int budget)
{
	struct kernel_reading r = { kernel, handlers, context };

	jvpn_nl_listener_read(kernel->events, kernel_event, &r, budget);
}

unsigned int kernel_packets_read(struct kernel *kernel, const struct kernel_handlers *handlers,
				 void *context, unsigned int budget)
{
	struct kernel_reading r = { kernel, handlers, context };

	return jvpn_nl_listener_read(kernel->packets, kernel_event, &r, budget);
}

int kernel_packets_register(struct kernel *kernel, const uint8_t *mac1_key,
			    const uint8_t *name_key,
			    const struct kernel_handlers *handlers, void *context, char *error,
			    size_t error_size)
{
	struct kernel_reading r = { kernel, handlers, context };
	struct jvpn_nl_error e = {};
	int rc = jvpn_nl_packet_register(kernel->packets, kernel->device_id, mac1_key, name_key,
					 kernel_event, &r, &e);

	if (rc)
		kernel_error_text(&e, error, error_size);
	return rc;
}

static bool kernel_packet_put(const struct kernel *kernel, struct jvpn_nl_packet *packet,
			      const struct path *to, const void *data, size_t size)
{
	if (size > sizeof(packet->payload))
		return false;
	JVPN_NL_SET(packet, device_id, kernel->device_id);
	packet->has.transport = true;
	kernel_path_put(&packet->transport, to);
	packet->has.payload = true;
	packet->payload_size = size;
	memcpy(packet->payload, data, size);
	return true;
}

int kernel_packet_send(struct kernel *kernel, const struct path *to, const void *data,
		       size_t size)
{
	struct jvpn_nl_packet packet = {};

	if (!kernel_packet_put(kernel, &packet, to, data, size))
		return -EMSGSIZE;
	return jvpn_nl_packet_send(kernel->nl, &packet, NULL);
}

int kernel_packet_queue(struct kernel *kernel, const struct path *to, const void *data,
			size_t size)
{
	struct jvpn_nl_packet packet = {};

	if (!kernel_packet_put(kernel, &packet, to, data, size))
		return -EMSGSIZE;
	return jvpn_nl_packet_queue(kernel->packets, &packet, NULL);
}

int kernel_packets_flush(struct kernel *kernel)
{
	return jvpn_nl_packet_flush(kernel->packets);
}

/* --- sockets ---------------------------------------------------------------------------- */

static void kernel_socket_get(struct kernel_socket *out, const struct jvpn_nl_socket *s)
{
	out->id = s->id;
	out->local = s->local;
	out->port = s->local_port;
	out->ifindex = s->bind_ifindex;
	out->fwmark = s->fwmark;
}

int kernel_socket_new(struct kernel *kernel, struct kernel_socket *sock, char *error,
		      size_t error_size)
{
	struct jvpn_nl_socket request = { .local = sock->local }, reply = {};
	struct jvpn_nl_error e = {};
	int rc;

	JVPN_NL_SET(&request, device_id, kernel->device_id);
	JVPN_NL_SET(&request, local_port, sock->port);
	if (sock->ifindex)
		JVPN_NL_SET(&request, bind_ifindex, sock->ifindex);
	if (sock->fwmark)
		JVPN_NL_SET(&request, fwmark, sock->fwmark);
	rc = jvpn_nl_socket_new(kernel->nl, &request, &reply, &e);
	if (rc) {
		kernel_error_text(&e, error, error_size);
		return rc;
	}
	sock->id = reply.id;
	sock->port = reply.local_port;
	return 0;
}

int kernel_socket_move(struct kernel *kernel, const struct kernel_socket *sock, char *error,
		       size_t error_size)
{
	struct jvpn_nl_socket request = { .local = sock->local };
	struct jvpn_nl_error e = {};
	int rc;

	JVPN_NL_SET(&request, device_id, kernel->device_id);
	JVPN_NL_SET(&request, id, sock->id);
	if (sock->ifindex)
		JVPN_NL_SET(&request, bind_ifindex, sock->ifindex);
	rc = jvpn_nl_socket_set(kernel->nl, &request, &e);
	if (rc)
		kernel_error_text(&e, error, error_size);
	return rc;
}

int kernel_socket_del(struct kernel *kernel, uint32_t id)
{
	return jvpn_nl_socket_del(kernel->nl, kernel->device_id, id, NULL);
}

struct kernel_socket_walk {
	kernel_socket_visit visit;
	void *context;
};

static void kernel_socket_visit_one(void *context, const struct jvpn_nl_socket *s)
{
	struct kernel_socket_walk *walk = context;
	struct kernel_socket sock;

	kernel_socket_get(&sock, s);
	walk->visit(walk->context, &sock);
}

int kernel_socket_each(struct kernel *kernel, kernel_socket_visit visit, void *context)
{
	struct kernel_socket_walk walk = { visit, context };

	return jvpn_nl_socket_dump(kernel->nl, kernel->device_id, kernel_socket_visit_one, &walk,
				   NULL);
}

/* --- sessions --------------------------------------------------------------------------- */

typedef int (*kernel_request)(struct jvpn_nl *nl, const struct jvpn_nl_session *request,
			      struct jvpn_nl_session *reply, struct jvpn_nl_error *error);

static struct jvpn_nl_session *kernel_request_new(const struct kernel *kernel, const uint8_t *id)
{
	struct jvpn_nl_session *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	JVPN_NL_SET(request, device_id, kernel->device_id);
	request->has.id = true;
	memcpy(request->id, id, sizeof(request->id));
	return request;
}

/* Steals request, which may hold keys. */
static void kernel_request_run(struct kernel *kernel, kernel_request run,
			       struct jvpn_nl_session *request, struct kernel_answer *answer)
{
	struct jvpn_nl_session *reply = calloc(1, sizeof(*reply));
	struct jvpn_nl_error e = {};
	int rc = -ENOMEM;

	if (reply && request)
		rc = run(kernel->nl, request, reply, &e);
	kernel_answer_fill(answer, rc, reply, &e);
	if (request)
		jvpn_wipe(request, sizeof(*request));
	free(request);
	free(reply);
}

void kernel_session_new(struct kernel *kernel, const struct kernel_session_new *args,
			struct kernel_answer *answer)
{
	struct jvpn_nl_session *r = kernel_request_new(kernel, args->id);

	if (r) {
		JVPN_NL_SET(r, role, args->role);
		r->has.label = true;
		snprintf(r->label, sizeof(r->label), "%s", args->label);
		r->has.peer_id = true;
		memcpy(r->peer_id, args->peer_id, sizeof(r->peer_id));
		r->n_inner = args->n_prefixes;
		for (size_t i = 0; i < args->n_prefixes; i++) {
			r->inner[i].addr = args->prefixes[i].addr;
			JVPN_NL_SET(&r->inner[i], prefix_len, args->prefixes[i].length);
		}
		r->has.policy = true;
		kernel_policy_put(&r->policy, args->policy);
		JVPN_NL_SET(r, session_deadline, args->session_deadline_ms);
		JVPN_NL_SET(r, birth_deadline, args->birth_deadline_ms);
	}
	if (r && args->path) {
		r->has.transport = r->has.keys = true;
		kernel_path_put(&r->transport, args->path);
		kernel_epoch_put(&r->keys, args->epoch, 0, args->role);
	}
	kernel_request_run(kernel, jvpn_nl_session_new, r, answer);
}

int kernel_session_get(struct kernel *kernel, const uint8_t *id, struct kernel_session *session)
{
	struct jvpn_nl_session *s = calloc(1, sizeof(*s));
	int rc = s ? jvpn_nl_session_get(kernel->nl, kernel->device_id, id, s, NULL) : -ENOMEM;

	if (!rc)
		kernel_session_fill(session, s);
	free(s);
	return rc;
}

struct kernel_session_walk {
	kernel_session_visit visit;
	void *context;
	struct kernel_session session;
};

static void kernel_session_visit_one(void *context, const struct jvpn_nl_session *s)
{
	struct kernel_session_walk *walk = context;

	kernel_session_fill(&walk->session, s);
	walk->visit(walk->context, &walk->session);
}

int kernel_session_each(struct kernel *kernel, kernel_session_visit visit, void *context)
{
	struct kernel_session_walk *walk = calloc(1, sizeof(*walk));
	int rc = -ENOMEM;

	if (walk) {
		walk->visit = visit;
		walk->context = context;
		rc = jvpn_nl_session_dump(kernel->nl, kernel->device_id, kernel_session_visit_one,
					  walk, NULL);
	}
	free(walk);
	return rc;
}

int kernel_session_del(struct kernel *kernel, const uint8_t *id)
{
	return jvpn_nl_session_del(kernel->nl, kernel->device_id, id, NULL);
}

void kernel_session_set(struct kernel *kernel, const uint8_t *id,
			const struct kernel_session_set *args, struct kernel_answer *answer)
{
	struct jvpn_nl_session *r = kernel_request_new(kernel, id);

	if (r) {
		JVPN_NL_SET(r, expected_version, args->expected_version);
		if (args->peer_id) {
			r->has.peer_id = true;
			memcpy(r->peer_id, args->peer_id, sizeof(r->peer_id));
		}
		if (args->session_deadline_ms)
			JVPN_NL_SET(r, session_deadline, args->session_deadline_ms);
		if (args->policy) {
			r->has.policy = true;
			kernel_policy_put(&r->policy, args->policy);
		}
	}
	if (r && args->peer_version) {
		JVPN_NL_SET(r, peer_version, args->peer_version);
		JVPN_NL_SET(r, peer_epoch, args->peer_epoch);
	}
	kernel_request_run(kernel, jvpn_nl_session_set, r, answer);
}

void kernel_transition(struct kernel *kernel, const uint8_t *id, uint64_t expected_version,
		       uint32_t event, uint32_t reason, struct kernel_answer *answer)
{
	struct jvpn_nl_session *r = kernel_request_new(kernel, id);

	if (r) {
		JVPN_NL_SET(r, expected_version, expected_version);
		JVPN_NL_SET(r, event, event);
		JVPN_NL_SET(r, reason, reason);
	}
	kernel_request_run(kernel, jvpn_nl_session_transition, r, answer);
}

static struct jvpn_nl_session *kernel_binding_request(const struct kernel *kernel,
						      const uint8_t *id,
						      const struct kernel_binding *args)
{
	struct jvpn_nl_session *r = kernel_request_new(kernel, id);

	if (!r)
		return NULL;
	JVPN_NL_SET(r, expected_version, args->expected_version);
	if (args->has_expected_epoch)
		JVPN_NL_SET(r, expected_epoch, args->expected_epoch);
	if (args->reason)
		JVPN_NL_SET(r, reason, args->reason);
	if (args->epoch) {
		r->has.keys = true;
		kernel_epoch_put(&r->keys, args->epoch, args->epoch_number, args->role);
	}
	if (args->peer_version) {
		JVPN_NL_SET(r, peer_version, args->peer_version);
		JVPN_NL_SET(r, peer_epoch, args->peer_epoch);
	}
	if (args->cookie)
		JVPN_NL_SET(r, cookie, args->cookie);
	return r;
}

static void kernel_binding_path(struct jvpn_nl_session *r, const struct kernel_binding *args)
{
	if (!r || !args->path)
		return;
	r->has.transport = true;
	kernel_path_put(&r->transport, args->path);
}

void kernel_binding_set(struct kernel *kernel, const uint8_t *id,
			const struct kernel_binding *args, struct kernel_answer *answer)
{
	struct jvpn_nl_session *r = kernel_binding_request(kernel, id, args);

	kernel_binding_path(r, args);
	kernel_request_run(kernel, jvpn_nl_binding_set, r, answer);
}

void kernel_binding_prepare(struct kernel *kernel, const uint8_t *id,
			    const struct kernel_binding *args, struct kernel_answer *answer)
{
	struct jvpn_nl_session *r = kernel_binding_request(kernel, id, args);

	kernel_binding_path(r, args);
	if (r) {
		r->hold = args->hold;
		r->refresh = args->refresh;
	}
	kernel_request_run(kernel, jvpn_nl_binding_prepare, r, answer);
}

/* Of the bound transport: it has no transport attribute. */
void kernel_epoch_set(struct kernel *kernel, const uint8_t *id,
		      const struct kernel_binding *args, struct kernel_answer *answer)
{
	struct jvpn_nl_session *r = kernel_binding_request(kernel, id, args);

	if (r)
		r->has.reason = false;
	kernel_request_run(kernel, jvpn_nl_epoch_set, r, answer);
}

void kernel_binding_cancel(struct kernel *kernel, const uint8_t *id, uint64_t cookie,
			   struct kernel_answer *answer)
{
	struct jvpn_nl_session *r = kernel_request_new(kernel, id);

	if (r && cookie)
		JVPN_NL_SET(r, cookie, cookie);
	kernel_request_run(kernel, jvpn_nl_binding_cancel, r, answer);
}

void kernel_binding_probe(struct kernel *kernel, const uint8_t *id, struct kernel_answer *answer)
{
	kernel_request_run(kernel, jvpn_nl_binding_probe, kernel_request_new(kernel, id), answer);
}
