// SPDX-License-Identifier: GPL-2.0
#include <net/if.h>
#include <string.h>

#include "format.h"
#include "names-gen.h"
#include "util.h"

char *format_id(const struct jvpn_nl_session *session, char buf[FORMAT_ID])
{
	return jvpn_util_hex_encode(session->id, sizeof(session->id), buf);
}

char *format_id_short(const struct jvpn_nl_session *session, char buf[FORMAT_ID])
{
	format_id(session, buf);
	buf[FORMAT_ID_SHOWN] = '\0';
	return buf;
}

char *format_span(uint64_t ms, char *buf, size_t size)
{
	unsigned long long seconds = ms / 1000;

	if (ms < 1000)
		snprintf(buf, size, "%llu ms", (unsigned long long)ms);
	else if (seconds < 60)
		snprintf(buf, size, "%llu.%llu s", seconds, (unsigned long long)(ms % 1000 / 100));
	else if (seconds < 3600)
		snprintf(buf, size, "%llum %llus", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(buf, size, "%lluh %llum", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(buf, size, "%llud %lluh", seconds / 86400, seconds / 3600 % 24);
	return buf;
}

char *format_when(uint64_t at_ms, uint64_t now_ms, char *buf, size_t size)
{
	char span[32];

	if (!at_ms)
		snprintf(buf, size, "never");
	else if (at_ms > now_ms)
		snprintf(buf, size, "in %s", format_span(at_ms - now_ms, span, sizeof(span)));
	else
		snprintf(buf, size, "%s ago", format_span(now_ms - at_ms, span, sizeof(span)));
	return buf;
}

char *format_octets(uint64_t octets, char *buf, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)octets;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < JVPN_ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return buf;
}

char *format_rtt(const struct jvpn_nl_health *health, char *buf, size_t size)
{
	if (!health->has.rtt_us || !health->rtt_us)
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%u.%02u ms", health->rtt_us / 1000,
			 health->rtt_us % 1000 / 10);
	return buf;
}

char *format_loss(const struct jvpn_nl_health *health, char *buf, size_t size)
{
	if (!health->has.loss)
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%u.%u %%", health->loss / 10, health->loss % 10);
	return buf;
}

static char *format_address_port(const struct jvpn_addr *addr, uint16_t port, char *buf,
				 size_t size)
{
	struct sockaddr_storage sa;

	if (!jvpn_addr_to_sockaddr(addr, port, &sa)) {
		snprintf(buf, size, "-");
		return buf;
	}
	return jvpn_sockaddr_format((struct sockaddr *)&sa, buf, size);
}

static const char *format_interface(const struct jvpn_nl_transport *transport,
				    char name[IF_NAMESIZE])
{
	if (!transport->has.bind_ifindex || !transport->bind_ifindex)
		return NULL;
	if (!if_indextoname(transport->bind_ifindex, name))
		snprintf(name, IF_NAMESIZE, "#%u", transport->bind_ifindex % 1000000);
	return name;
}

char *format_transport(const struct jvpn_nl_transport *transport, char *buf, size_t size)
{
	char remote[JVPN_ADDR_TEXT], name[IF_NAMESIZE];
	const char *interface = format_interface(transport, name);

	format_address_port(&transport->remote, transport->remote_port, remote, sizeof(remote));
	snprintf(buf, size, "%s%s%s", remote, interface ? " via " : "",
		 interface ? interface : "");
	return buf;
}

static char *format_prefix(const struct jvpn_nl_inner *inner, char *buf, size_t size)
{
	struct jvpn_prefix prefix = { .addr = inner->addr, .length = inner->prefix_len };

	if (jvpn_prefix_is_host(&prefix))
		return jvpn_addr_format(&prefix.addr, buf, size);
	return jvpn_prefix_format(&prefix, buf, size);
}

char *format_inner(const struct jvpn_nl_session *session, char *buf, size_t size)
{
	char text[JVPN_ADDR_TEXT];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < session->n_inner; i++) {
		size_t left = size - used;
		int length = snprintf(buf + used, left, "%s%s", used ? ", " : "",
				      format_prefix(&session->inner[i], text, sizeof(text)));

		if (length < 0 || (size_t)length >= left) {
			snprintf(buf + (used > 3 ? used : 0), left, "...");
			break;
		}
		used += (size_t)length;
	}
	return buf;
}

char *format_deadline(const struct jvpn_nl_session *session, uint64_t now_ms, char *buf,
		      size_t size)
{
	const struct { uint64_t at; const char *reason; } deadlines[] = {
		{ session->session_deadline, "SESSION_TTL_EXPIRED" },
		{ session->loss_deadline, "TRANSPORT_LOSS_TTL_EXPIRED" },
		{ session->lease_deadline, "LEASE_LOST" },
		{ session->state == JVPN_STATE_BIRTH ? session->birth_deadline : 0,
		  "HANDSHAKE_TIMEOUT" },
	};
	const char *reason = NULL;
	uint64_t next = 0;
	char when[48];

	for (size_t i = 0; i < JVPN_ARRAY_SIZE(deadlines); i++) {
		if (!deadlines[i].at || (next && deadlines[i].at >= next))
			continue;
		next = deadlines[i].at;
		reason = deadlines[i].reason;
	}
	if (!reason || session->state == JVPN_STATE_TERMINATED)
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%s %s", reason, format_when(next, now_ms, when, sizeof(when)));
	return buf;
}

/* JSON. */

static json_t *format_number(bool has, uint64_t value)
{
	return has ? json_integer((json_int_t)value) : json_null();
}

static json_t *format_left(uint64_t deadline, uint64_t now_ms)
{
	return deadline ? json_integer((json_int_t)deadline - (json_int_t)now_ms) : json_null();
}

json_t *format_transport_json(const struct jvpn_nl_transport *transport)
{
	char remote[JVPN_ADDR_TEXT], local[JVPN_ADDR_TEXT], name[IF_NAMESIZE];
	bool has_local = transport->local.family != AF_UNSPEC;

	format_address_port(&transport->remote, transport->remote_port, remote, sizeof(remote));
	format_address_port(&transport->local, transport->local_port, local, sizeof(local));
	return json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:o, s:o, s:o, s:o, s:b}",
		"protocol", transport->remote.family == AF_INET6 ? "udp6" : "udp4",
		"remote", remote, "local", has_local ? local : NULL,
		"interface", format_interface(transport, name),
		"local_port", format_number(transport->has.local_port, transport->local_port),
		"socket", format_number(transport->has.socket, transport->socket),
		"version", format_number(transport->has.version, transport->version),
		"pmtu", format_number(transport->has.pmtu, transport->pmtu),
		"path_mtu", format_number(transport->has.path_mtu, transport->path_mtu),
		"path_mtu_searching", transport->path_mtu_searching);
}

json_t *format_transition_json(const struct jvpn_nl_transition *t)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}",
		"state_version", (json_int_t)t->version,
		"from", jvpn_state_name(t->from), "to", jvpn_state_name(t->to),
		"event", jvpn_event_name(t->event), "reason", jvpn_reason_name(t->reason),
		"origin", jvpn_origin_name(t->origin), "epoch", (json_int_t)t->epoch,
		"ts_ms", (json_int_t)t->real_time, "boot_ms", (json_int_t)t->time,
		"transport", t->has.transport ? format_transport_json(&t->transport) : json_null());
}

static json_t *format_policy_json(const struct jvpn_nl_policy *p)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"name", p->name, "version", (json_int_t)p->version,
		"transport_loss_ttl_ms", (json_int_t)p->transport_loss_ttl_ms,
		"idle_interval_ms", (json_int_t)p->idle_interval_ms,
		"active_interval_ms", (json_int_t)p->active_interval_ms,
		"dead_base_ms", (json_int_t)p->dead_base_ms,
		"dead_rtts", (json_int_t)p->dead_rtts,
		"rx_timeout_ms", (json_int_t)p->rx_timeout_ms,
		"reject_after_ms", (json_int_t)p->reject_after_ms,
		"hold_bytes", (json_int_t)p->hold_bytes,
		"loss_enter_percent", (json_int_t)p->loss_enter,
		"loss_leave_percent", (json_int_t)p->loss_leave,
		"rtt_enter_ms", (json_int_t)p->rtt_enter_ms,
		"rtt_leave_ms", (json_int_t)p->rtt_leave_ms);
}

static json_t *format_stats_json(const struct jvpn_nl_stats *s)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"rx_packets", (json_int_t)s->rx_packets, "rx_bytes", (json_int_t)s->rx_bytes,
		"tx_packets", (json_int_t)s->tx_packets, "tx_bytes", (json_int_t)s->tx_bytes,
		"rx_drops", (json_int_t)s->rx_drops, "tx_drops", (json_int_t)s->tx_drops,
		"held_packets", (json_int_t)s->held_packets,
		"held_bytes", (json_int_t)s->held_bytes, "refused", (json_int_t)s->refused);
}

static json_t *format_health_json(const struct jvpn_nl_health *h, uint64_t now_ms)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:b}",
		"rtt_us", format_number(h->has.rtt_us, h->rtt_us),
		"jitter_us", format_number(h->has.jitter_us, h->jitter_us),
		"loss_permille", format_number(h->has.loss, h->loss),
		"last_rx_ago_ms", format_number(h->has.last_rx && h->last_rx,
						now_ms > h->last_rx ? now_ms - h->last_rx : 0),
		"late", h->late);
}

static json_t *format_inner_json(const struct jvpn_nl_session *session)
{
	json_t *list = json_array();
	char text[JVPN_ADDR_TEXT];

	for (size_t i = 0; i < session->n_inner; i++) {
		struct jvpn_prefix prefix = { .addr = session->inner[i].addr,
					      .length = session->inner[i].prefix_len };

		json_array_append_new(list, json_string(jvpn_prefix_format(&prefix, text,
									   sizeof(text))));
	}
	return list;
}

static json_t *format_history_json(const struct jvpn_nl_session *session)
{
	json_t *list = json_array();

	for (size_t i = 0; i < session->n_history; i++)
		json_array_append_new(list, format_transition_json(&session->history[i]));
	return list;
}

static json_t *format_pending_json(const struct jvpn_nl_session *session)
{
	json_t *list = json_array();

	for (size_t i = 0; i < session->n_pending; i++)
		json_array_append_new(list, format_transport_json(&session->pending[i]));
	return list;
}

static json_t *format_deadlines_json(const struct jvpn_nl_session *s, uint64_t now_ms)
{
	return json_pack("{s:o, s:o, s:o, s:o}",
		"session_in_ms", format_left(s->session_deadline, now_ms),
		"transport_loss_in_ms", format_left(s->loss_deadline, now_ms),
		"lease_in_ms", format_left(s->lease_deadline, now_ms),
		"birth_in_ms", format_left(s->birth_deadline, now_ms));
}

/* A label that is no text would make an object of nothing. */
static json_t *format_label_json(const struct jvpn_nl_session *session)
{
	char label[sizeof(session->label)];

	memcpy(label, session->label, sizeof(label));
	return json_string(jvpn_util_text_clean(label));
}

json_t *format_session_json(const struct jvpn_nl_session *s, const char *device, uint64_t now_ms)
{
	char id[FORMAT_ID];

	return json_pack("{s:s, s:s, s:o, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o}",
		"session_id", format_id(s, id), "device", device, "label", format_label_json(s),
		"role", jvpn_role_name(s->role), "state", jvpn_state_name(s->state),
		"state_version", (json_int_t)s->version, "epoch", (json_int_t)s->epoch_number,
		"peer_version", format_number(s->has.peer_version, s->peer_version),
		"inner", format_inner_json(s),
		"transport", s->has.transport ? format_transport_json(&s->transport) : json_null(),
		"policy", s->has.policy ? format_policy_json(&s->policy) : json_null(),
		"deadlines", format_deadlines_json(s, now_ms),
		"stats", format_stats_json(&s->stats),
		"health", format_health_json(&s->health, now_ms),
		"history", format_history_json(s),
		"pending", format_pending_json(s),
		"created_ms", format_number(s->has.created, s->created));
}
