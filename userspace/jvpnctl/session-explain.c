// SPDX-License-Identifier: GPL-2.0
/*
 * Says in words why a session is where it is. What happened and what the kernel will
 * do comes from its table; what the daemon is about to do, from the daemon.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "format.h"
#include "kernel.h"
#include "names-gen.h"
#include "util.h"

#define SHOWN 6

struct explain {
	const struct jvpn_nl_session *session;
	uint64_t now_ms;
	json_t *sentences;
};

__attribute__((format(printf, 2, 3)))
static void explain_say(struct explain *explain, const char *format, ...)
{
	char *sentence = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&sentence, format, args) < 0)
		sentence = NULL;
	va_end(args);
	if (sentence)
		json_array_append_new(explain->sentences, json_string(sentence));
	free(sentence);
}

static void explain_state(struct explain *explain, const char *device)
{
	const struct jvpn_nl_session *s = explain->session;
	char id[FORMAT_ID], transport[FORMAT_TEXT], when[48];

	explain_say(explain, "Session %s (%s) on %s is %s at version %llu, epoch %u.",
		    format_id(s, id), *s->label ? s->label : "no name", device,
		    jvpn_state_name(s->state), (unsigned long long)s->version, s->epoch_number);
	if (s->has.transport)
		explain_say(explain, "It was bound to %s %s, by version %llu.",
			    format_transport(&s->transport, transport, sizeof(transport)),
			    format_when(s->transport.since, explain->now_ms, when, sizeof(when)),
			    (unsigned long long)s->transport.version);
	else if (s->state != JVPN_STATE_TERMINATED && s->state != JVPN_STATE_BIRTH)
		explain_say(explain, "It has no binding: packets wait (%u now), none pass.",
			    s->stats.held_packets);
}

/* What each reason means, for the one who asks why. */
static const char *explain_reason(uint32_t reason)
{
	static const char *const meanings[] = {
		[JVPN_REASON_HANDSHAKE_OK] =
			"the handshake was done, and confirmed from the address it was made with",
		[JVPN_REASON_HANDSHAKE_TIMEOUT] = "no valid packet came in time",
		[JVPN_REASON_HANDSHAKE_REJECTED] = "the handshake was refused",
		[JVPN_REASON_LOSS_THRESHOLD] = "too many heartbeats were lost",
		[JVPN_REASON_LATENCY_THRESHOLD] = "the round-trip time was too long",
		[JVPN_REASON_HEARTBEAT_LATE] = "the echo of a heartbeat was overdue",
		[JVPN_REASON_HEALTH_RECOVERED] = "loss and round-trip time were good again",
		[JVPN_REASON_PROBE_TIMEOUT] = "nothing was heard although something was expected",
		[JVPN_REASON_LINK_DOWN] = "its interface went down",
		[JVPN_REASON_ROUTE_LOST] = "there was no route to the other end any more",
		[JVPN_REASON_SOCKET_ERROR] = "its socket reported an error",
		[JVPN_REASON_ICMP_UNREACHABLE] =
			"the network said that the other end is not there",
		[JVPN_REASON_CLIENT_JUMP] = "the client moved to another transport",
		[JVPN_REASON_NAT_REBIND] = "a NAT gave the client another address",
		[JVPN_REASON_OPERATOR_JUMP] = "an operator ordered the jump",
		[JVPN_REASON_OWNER_MOVED] = "another gateway node took the session over",
		[JVPN_REASON_REATTACH_OK] = "possession was proved over the new transport",
		[JVPN_REASON_RECOVERY_WINDOW_EXCEEDED] =
			"no transport was found within the recovery window",
		[JVPN_REASON_SWITCH_RATE_EXCEEDED] =
			"there were more switches within a minute than the policy allows",
		[JVPN_REASON_COOLDOWN_OVER] = "the pause after a bound was over",
		[JVPN_REASON_CANDIDATE_APPEARED] = "a transport that can be used appeared",
		[JVPN_REASON_SESSION_TTL_EXPIRED] =
			"the session reached the age that the policy allows",
		[JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED] =
			"it was without a transport for as long as the policy allows",
		[JVPN_REASON_OWNERSHIP_AMBIGUOUS] = "it was not certain which node owns it",
		[JVPN_REASON_POLICY_FAILURE] = "the policy forbids it to go on",
		[JVPN_REASON_OPERATOR] = "an operator ended it",
		[JVPN_REASON_KEY_EXPIRED] = "its keys grew too old and were not renewed",
		[JVPN_REASON_LEASE_LOST] = "the node's lease on it ran out",
		[JVPN_REASON_HOST_SUSPENDED] =
			"the machine slept or was copied, and its keys were wiped",
	};
	const char *meaning = reason < JVPN_ARRAY_SIZE(meanings) ? meanings[reason] : NULL;

	return meaning ? meaning : "no further reason is known";
}

static void explain_transition(struct explain *explain, const struct jvpn_nl_transition *t)
{
	char transport[FORMAT_TEXT], when[48];

	explain_say(explain, "%s (version %llu): %s to %s by %s: %s (%s%s%s).",
		    format_when(t->time, explain->now_ms, when, sizeof(when)),
		    (unsigned long long)t->version, jvpn_state_name(t->from),
		    jvpn_state_name(t->to), jvpn_reason_name(t->reason),
		    explain_reason(t->reason),
		    t->origin == JVPN_ORIGIN_KERNEL ? "the kernel decided" : "the daemon decided",
		    t->has.transport ? ", " : "",
		    t->has.transport ? format_transport(&t->transport, transport,
							sizeof(transport)) : "");
}

static void explain_history(struct explain *explain)
{
	const struct jvpn_nl_session *s = explain->session;
	size_t first = s->n_history > SHOWN ? s->n_history - SHOWN : 0;

	for (size_t i = first; i < s->n_history; i++)
		explain_transition(explain, &s->history[i]);
}

/* Which number of the policy stands behind the last reason. */
static void explain_rule(struct explain *explain)
{
	const struct jvpn_nl_session *s = explain->session;
	const struct jvpn_nl_policy *p = &s->policy;
	uint32_t reason = s->n_history ? s->history[s->n_history - 1].reason : JVPN_REASON_NONE;
	char span[32];

	if (!s->has.policy)
		return;
	if (reason == JVPN_REASON_PROBE_TIMEOUT && s->role == JVPN_ROLE_CLIENT)
		explain_say(explain, "The rule: policy %s (version %u) declares a transport dead "
			    "after %u round trips and %u ms of silence.", p->name, p->version,
			    p->dead_rtts, p->dead_base_ms);
	else if (reason == JVPN_REASON_PROBE_TIMEOUT)
		explain_say(explain, "The rule: policy %s (version %u) declares a client's "
			    "transport dead after %s of silence.", p->name, p->version,
			    format_span(p->rx_timeout_ms, span, sizeof(span)));
	else if (reason == JVPN_REASON_LOSS_THRESHOLD || reason == JVPN_REASON_HEALTH_RECOVERED)
		explain_say(explain, "The rule: policy %s (version %u) says VOLATILE from %u %% of "
			    "loss, ATTACHED again below %u %%.", p->name, p->version, p->loss_enter,
			    p->loss_leave);
	else if (reason == JVPN_REASON_LATENCY_THRESHOLD)
		explain_say(explain, "The rule: policy %s (version %u) says VOLATILE from a round "
			    "trip of %u ms, ATTACHED again below %u ms.", p->name, p->version,
			    p->rtt_enter_ms, p->rtt_leave_ms);
	else if (reason == JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED)
		explain_say(explain, "The rule: policy %s (version %u) lets a session live %s "
			    "without a transport.", p->name, p->version,
			    format_span(p->transport_loss_ttl_ms, span, sizeof(span)));
	else
		explain_say(explain, "Its policy is %s, version %u.", p->name, p->version);
}

static void explain_next_bound(struct explain *explain)
{
	const struct jvpn_nl_session *s = explain->session;
	char rtt[24], span[32], idle[32];
	bool measured = s->health.rtt_us;

	if (s->role == JVPN_ROLE_CLIENT)
		explain_say(explain, "Next: a heartbeat every %s under traffic, every %s when "
			    "idle; after %u round trips%s%s and %u ms of silence the transport is "
			    "dead, and the session RECOVERING.",
			    format_span(s->policy.active_interval_ms, span, sizeof(span)),
			    format_span(s->policy.idle_interval_ms, idle, sizeof(idle)),
			    s->policy.dead_rtts, measured ? " of " : "",
			    measured ? format_rtt(&s->health, rtt, sizeof(rtt)) : "",
			    s->policy.dead_base_ms);
	else if (s->policy.rx_timeout_ms)
		explain_say(explain, "Next: after %s without a valid packet from the client the "
			    "transport is dead, and the session RECOVERING.",
			    format_span(s->policy.rx_timeout_ms, span, sizeof(span)));
}

static void explain_next(struct explain *explain)
{
	const struct jvpn_nl_session *s = explain->session;
	char when[FORMAT_TEXT];

	switch (s->state) {
	case JVPN_STATE_BIRTH:
		explain_say(explain, "Next: the first valid packet makes it ATTACHED.");
		break;
	case JVPN_STATE_ATTACHED:
	case JVPN_STATE_VOLATILE:
		if (s->has.policy)
			explain_next_bound(explain);
		break;
	case JVPN_STATE_RECOVERING:
		explain_say(explain, "Next: %s a reattach makes it ATTACHED; if the recovery "
			    "window passes before, it becomes DEGRADED.",
			    s->n_pending ? "one is under way;" : "it waits for one;");
		break;
	case JVPN_STATE_DEGRADED:
		explain_say(explain, "Next: after the cooldown, or when a transport appears, it is "
			    "RECOVERING again.");
		break;
	default:
		explain_say(explain, "Next: nothing. TERMINATED is final; only a new handshake "
			    "makes a new session.");
		return;
	}
	if (strcmp(format_deadline(s, explain->now_ms, when, sizeof(when)), "-"))
		explain_say(explain, "If nothing else happens: %s.", when);
	else
		explain_say(explain, "No deadline is set: it has no end of its own.");
}

/* What the daemon adds: its plans, which the kernel does not know. */
static void explain_daemon(struct ctl *ctl, struct explain *explain, const char *device)
{
	char why[256], id[FORMAT_ID];
	struct client *client = client_try(ctl, device, why, sizeof(why));
	struct client_failure failure;
	json_t *result, *sentence;
	size_t i;

	if (!client) {
		explain_say(explain, "The daemon cannot be asked: %s. The kernel keeps the bounds "
			    "alone.", why);
		return;
	}
	if (client_request(client, "session.explain",
			   json_pack("{s:s}", "session_id", format_id(explain->session, id)),
			   CLIENT_TIMEOUT_MS, &result, &failure)) {
		json_array_foreach(json_object_get(result, "sentences"), i, sentence)
			json_array_append(explain->sentences, sentence);
		json_decref(result);
	} else {
		explain_say(explain, "The daemon has nothing to add: %s.", failure.message);
	}
	client_close(client);
}

static int explain_print(struct ctl *ctl, const struct explain *explain)
{
	char id[FORMAT_ID];
	json_t *sentence;
	size_t i;

	if (ctl->json)
		return ctl_print_json(json_pack("{s:s, s:s, s:I, s:O}", "session_id",
			format_id(explain->session, id), "state",
			jvpn_state_name(explain->session->state), "state_version",
			(json_int_t)explain->session->version, "sentences", explain->sentences));
	json_array_foreach(explain->sentences, i, sentence)
		printf("%s\n", json_string_value(sentence));
	return ctl_finish();
}

static int session_explain_run(struct ctl *ctl)
{
	struct explain explain = { .now_ms = jvpn_util_time_boot_ms() };
	const struct jvpn_nl_device *device;
	struct jvpn_nl_session *session;
	struct kernel kernel;
	int status = kernel_open(ctl, &kernel);

	if (status)
		return status;
	status = kernel_session_find(ctl, &kernel, ctl->arguments[0], &session);
	if (status)
		goto out_close;
	device = kernel_device_of(&kernel, session->device_id);
	explain.session = session;
	explain.sentences = json_array();
	explain_state(&explain, device->ifname);
	explain_history(&explain);
	explain_rule(&explain);
	explain_next(&explain);
	explain_daemon(ctl, &explain, device->ifname);
	status = explain_print(ctl, &explain);
	json_decref(explain.sentences);
	free(session);
out_close:
	kernel_close(&kernel);
	return status;
}

const struct ctl_verb ctl_verb_session_explain = {
	.group = "session", .name = "explain", .arguments = "SESSION", .least = 1, .most = 1,
	.run = session_explain_run,
	.summary = "Say in words why a session is where it is, and what comes next",
	.help = "SESSION is the beginning of its id. Without the daemon, what the kernel knows.",
};
