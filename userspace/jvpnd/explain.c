// SPDX-License-Identifier: GPL-2.0
#include "explain.h"

#include <stdarg.h>
#include <stdio.h>

#include "candidate.h"
#include "client.h"
#include "lack.h"
#include "names-gen.h"
#include "tunnel.h"

__attribute__((format(printf, 2, 3)))
static void explain_say(json_t *sentences, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(sentences, json_string(text));
}

/* "12.3 s" from now, or "now". */
static const char *explain_in(uint64_t at_ms, char *text, size_t size)
{
	uint64_t now = jvpnd_now_ms();

	if (at_ms <= now)
		snprintf(text, size, "now");
	else
		snprintf(text, size, "in %llu.%llu s", (unsigned long long)(at_ms - now) / 1000,
			 (unsigned long long)(at_ms - now) % 1000 / 100);
	return text;
}

static void explain_record(json_t *out, const struct session *s)
{
	if (!session_is_live(s))
		return;
	if (!s->recorded)
		explain_say(out, "The daemon has no record of it: it cannot be reattached, and lives until its deadline or until its client begins anew.");
}

static void explain_window(json_t *out, const struct session *s)
{
	char when[48];

	if (s->in_window)
		explain_say(out, "The recovery window of policy %s (%u ms) ends %s; then it is DEGRADED (RECOVERY_WINDOW_EXCEEDED).",
			    s->policy.name, s->policy.recovery_window_ms,
			    explain_in(s->window.key, when, sizeof(when)));
}

/* --- gateway ------------------------------------------------------------------- */

static void explain_gateway(json_t *out, struct session *s)
{
	uint64_t wait = jvpn_switches_wait(&s->gateway.switches,
					   s->policy.max_switches_per_minute, 0, jvpnd_now_ms());
	char when[48];

	if (wait)
		explain_say(out, "Its client has moved as often as policy %s allows (%u a minute): the next move is refused (SWITCH_RATE_EXCEEDED) until %s.",
			    s->policy.name, s->policy.max_switches_per_minute,
			    explain_in(jvpnd_now_ms() + wait, when, sizeof(when)));
	if (s->gateway.proving)
		explain_say(out, "A PROOF of its client is being checked.");
	if (s->gateway.invited)
		explain_say(out, "Authentic packets came from an address that is not bound; the client was invited to prove that it is there.");
	if (s->state == JVPN_STATE_RECOVERING || s->state == JVPN_STATE_DEGRADED)
		explain_say(out, "The gateway waits: only the client can reattach.");
}

/* --- client -------------------------------------------------------------------- */

static void explain_candidate(json_t *out, const struct client *c, const struct candidate *cand)
{
	bool active = c->session->bound && c->session->path.socket == cand->socket;

	if (active)
		return;
	if (!cand->usable)
		explain_say(out, "Transport %s is not usable: %s.", cand->name,
			    cand->unusable_why);
	else if (cand->asked > 1)
		explain_say(out, "Transport %s is usable, but the gateway did not answer over it %u times.",
			    cand->name, cand->asked);
	else if (cand->rtt_us)
		explain_say(out, "Transport %s is ready, round trip %u.%u ms, preference %u.",
			    cand->name, cand->rtt_us / 1000, cand->rtt_us % 1000 / 100,
			    cand->preference);
	else
		explain_say(out, "Transport %s is ready, preference %u.", cand->name,
			    cand->preference);
}

/* What was done about it, in the order in which it was. */
static void explain_tried(json_t *out, const struct client *c, const struct candidate *cand)
{
	unsigned int count = client_path_count(c, cand);
	char text[PATH_TEXT], list[400] = "";
	struct path path;
	size_t end = 0;

	for (unsigned int i = 0; i < count && i < cand->vain && end < sizeof(list); i++)
		if (client_path_at(c, cand, i, &path))
			end += (size_t)snprintf(list + end, sizeof(list) - end, "%s%s",
						i ? ", " : "",
						path_remote_format(&path, text, sizeof(text)));
	if (cand->vain && cand->ports)
		explain_say(out, "Transport %s: %u attempts in vain since its last answer: to %s; from %u ports.",
			    cand->name, cand->vain, list, cand->ports + 1);
	else if (cand->vain)
		explain_say(out, "Transport %s: %u attempts in vain since its last answer: to %s.",
			    cand->name, cand->vain, list);
}

static void explain_all_tried(json_t *out, const struct client *c)
{
	const struct candidate *cand;

	if (*c->name_why)
		explain_say(out, "%s.", c->name_why);
	TAILQ_FOREACH(cand, candidates_list(c), link)
		explain_tried(out, c, cand);
}

static void explain_client_plan(json_t *out, const struct client *c)
{
	const struct session *s = c->session;
	uint64_t wait = client_move_wait_ms(c, true);
	char when[48];

	if (wait)
		explain_say(out, "%u moves within a minute: policy %s allows %u, the next one %s.",
			    client_move_switches_count(c), s->policy.name,
			    s->policy.max_switches_per_minute,
			    explain_in(jvpnd_now_ms() + wait, when, sizeof(when)));
	if (client_reattach_busy(c, CLIENT_RECOVER) || client_reattach_busy(c, CLIENT_JUMP) ||
	    client_reattach_busy(c, CLIENT_REBIND))
		explain_say(out, "An attempt to reattach is under way.");
	if (s->state == JVPN_STATE_DEGRADED)
		explain_say(out, "The next attempt (COOLDOWN_OVER) is made %s, or as soon as a transport appears.",
			    explain_in(c->retry_ms > s->since_ms + s->policy.switch_cooldown_ms ?
				       c->retry_ms : s->since_ms + s->policy.switch_cooldown_ms,
				       when, sizeof(when)));
	if (s->bound)
		explain_say(out, "New keys are agreed %s.",
			    explain_in(c->epoch_born_ms + s->policy.rekey_after_ms, when,
				       sizeof(when)));
}

/* Steals list, of sentences without the full stop. */
static void explain_say_all(json_t *out, json_t *list)
{
	json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
		explain_say(out, "%s.", json_string_value(value));
	json_decref(list);
}

static void explain_client(json_t *out, struct client *c, const struct session *s)
{
	const struct candidate *cand;

	explain_say_all(out, tunnel_uncarried_json(c));
	for (int i = 0; i < 2; i++)
		if (c->inner_refused[i][0])
			explain_say(out, "Refused: %s.", c->inner_refused[i]);
	if (s != c->session) {
		if (c->handshake.active)
			explain_say(out, "A new handshake with %s is under way.",
				    client_gateway(c)->name);
		else if (c->d->down)
			explain_say(out, "The operator has taken the tunnel down: nothing happens until jvpnctl up.");
		else if (c->closed_by_operator)
			explain_say(out, "The operator ended it: nothing happens until jvpnctl reload.");
		explain_all_tried(out, c);
		return;
	}
	explain_client_plan(out, c);
	TAILQ_FOREACH(cand, candidates_list(c), link)
		explain_candidate(out, c, cand);
	explain_all_tried(out, c);
}

json_t *explain_session(struct jvpnd *d, struct session *s)
{
	json_t *out = json_array();

	explain_record(out, s);
	explain_say_all(out, lacks_json_of(LACK_SYSTEM));
	explain_window(out, s);
	if (d->client)
		explain_client(out, d->client, s);
	else if (session_is_live(s))
		explain_gateway(out, s);
	return out;
}
