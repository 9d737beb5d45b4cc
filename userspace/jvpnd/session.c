// SPDX-License-Identifier: GPL-2.0
#include "session.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "close.h"
#include "core/fsm.h"
#include "log.h"
#include "names-gen.h"
#include "record.h"
#include "refusal.h"
#include "sockets.h"
#include "util.h"

#define CHAINS 16384
/* Records saved in one turn of the loop. */
#define SAVES_BUDGET 64
/* How often the log tells the number of new keys. */
#define REKEYS_MS 3600000

TAILQ_HEAD(session_queue, session);

struct sessions {
	struct session *by_id[CHAINS];
	struct session *by_index[CHAINS];
	struct session_queue changed;
	struct session_queue unsaved;	/* their records may differ from the store's */
	uv_idle_t saver;
	struct session_queue ended;	/* oldest first */
	size_t n_ended;
	size_t count;
	struct bounds bounds;
	uint64_t rekeys;		/* since they were recorded last */
	uv_timer_t rekeys_timer;
};

static void sessions_rekeys_due(uv_timer_t *timer);

int sessions_open(struct jvpnd *d)
{
	d->sessions = calloc(1, sizeof(*d->sessions));
	if (!d->sessions)
		return -ENOMEM;
	TAILQ_INIT(&d->sessions->changed);
	TAILQ_INIT(&d->sessions->unsaved);
	uv_idle_init(d->loop, &d->sessions->saver);
	d->sessions->saver.data = d;
	TAILQ_INIT(&d->sessions->ended);
	bounds_open(&d->sessions->bounds, d);
	uv_timer_init(d->loop, &d->sessions->rekeys_timer);
	d->sessions->rekeys_timer.data = d;
	uv_timer_start(&d->sessions->rekeys_timer, sessions_rekeys_due, REKEYS_MS, REKEYS_MS);
	return 0;
}

/* --- the tables ---------------------------------------------------------- */

/* Ids and indices are random or come out of a hash already. */
static size_t session_chain_id(const uint8_t id[JVPN_SESSION_ID_SIZE])
{
	return (id[0] | (size_t)id[1] << 8) % CHAINS;
}

static size_t session_chain_index(uint32_t index)
{
	return index % CHAINS;
}

static uint32_t session_index(const struct session *s)
{
	return s->role == JVPN_ROLE_GATEWAY ? s->ctl.idx_c2s : s->ctl.idx_s2c;
}

static void session_index_link(struct sessions *t, struct session *s)
{
	struct session **chain = &t->by_index[session_chain_index(session_index(s))];

	s->next_by_index = *chain;
	*chain = s;
}

static void session_index_unlink(struct sessions *t, struct session *s)
{
	struct session **p = &t->by_index[session_chain_index(session_index(s))];

	while (*p && *p != s)
		p = &(*p)->next_by_index;
	if (*p)
		*p = s->next_by_index;
}

struct session *session_find(const struct jvpnd *d, const uint8_t id[JVPN_SESSION_ID_SIZE])
{
	struct session *s = d->sessions->by_id[session_chain_id(id)];

	while (s && memcmp(s->id, id, JVPN_SESSION_ID_SIZE))
		s = s->next_by_id;
	return s;
}

struct session *session_find_index(const struct jvpnd *d, uint32_t index)
{
	struct session *s = d->sessions->by_index[session_chain_index(index)];

	while (s && session_index(s) != index)
		s = s->next_by_index;
	return s;
}

struct session *session_add(struct jvpnd *d, const uint8_t id[JVPN_SESSION_ID_SIZE],
			    uint32_t role)
{
	struct session **chain = &d->sessions->by_id[session_chain_id(id)];
	struct session *s;

	if (session_find(d, id))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	memcpy(s->id, id, JVPN_SESSION_ID_SIZE);
	s->role = role;
	s->state = JVPN_STATE_BIRTH;
	s->since_ms = jvpnd_now_ms();
	s->next_by_id = *chain;
	*chain = s;
	session_index_link(d->sessions, s);
	d->sessions->count++;
	return s;
}

static void session_unlink(struct sessions *t, struct session *s)
{
	struct session **p = &t->by_id[session_chain_id(s->id)];

	while (*p != s)
		p = &(*p)->next_by_id;
	*p = s->next_by_id;
	session_index_unlink(t, s);
	if (s->is_changed)
		TAILQ_REMOVE(&t->changed, s, changed_link);
	if (s->is_unsaved)
		TAILQ_REMOVE(&t->unsaved, s, unsaved_link);
	if (s->is_ended) {
		TAILQ_REMOVE(&t->ended, s, ended_link);
		t->n_ended--;
	}
	t->count--;
}

static void session_free(struct session *s)
{
	sodium_memzero(s, sizeof(*s));
	free(s);
}

void session_remove(struct jvpnd *d, struct session *s)
{
	int rc = s->vanished ? 0 : kernel_session_del(d->kernel, s->id);

	if (rc && rc != -ENOENT)
		jvpn_warning("session %s: the kernel keeps it: %s", session_short(s),
			     strerror(-rc));
	d->role->forget(d, s);
	record_delete(d, s);
	jvpn_audit_forget(d->audit, s->id);
	s->vanished = true;
	bounds_update(&d->sessions->bounds, s);
	session_unlink(d->sessions, s);
	session_free(s);
}

void session_each(struct jvpnd *d, session_visit visit, void *context)
{
	struct session *s, *next;

	for (size_t i = 0; i < CHAINS; i++) {
		for (s = d->sessions->by_id[i]; s; s = next) {
			next = s->next_by_id;
			visit(d, s, context);
		}
	}
}

size_t session_count(const struct jvpnd *d)
{
	return d->sessions->count;
}

static void session_drop(struct jvpnd *d, struct session *s, void *context)
{
	(void)context;
	s->vanished = true;
	bounds_update(&d->sessions->bounds, s);
	session_unlink(d->sessions, s);
	session_free(s);
}

void sessions_close(struct jvpnd *d)
{
	if (!d->sessions)
		return;
	session_each(d, session_drop, NULL);
	free(d->sessions);
	d->sessions = NULL;
}

/* --- texts --------------------------------------------------------------- */

bool session_is_live(const struct session *s)
{
	return s->state != JVPN_STATE_TERMINATED && !s->vanished;
}

bool session_is_served(const struct session *s)
{
	return session_is_live(s) && !s->end_why;
}

char *session_hex(const struct session *s, char hex[SESSION_HEX])
{
	return jvpn_util_hex_encode(s->id, sizeof(s->id), hex);
}

const char *session_short(const struct session *s)
{
	static char text[9];
	char hex[SESSION_HEX];

	snprintf(text, sizeof(text), "%.8s", session_hex(s, hex));
	return text;
}

const struct jvpn_audit_transport *session_transport_fill(const struct jvpnd *d,
							  const struct path *path,
							  struct session_transport *out)
{
	memset(out, 0, sizeof(*out));
	if (path->remote.family == AF_UNSPEC)
		return NULL;
	out->audit.name = d->role ? d->role->describe(d, path) : NULL;
	out->audit.protocol = path_protocol(path);
	if (path->ifindex && if_indextoname(path->ifindex, out->interface))
		out->audit.interface = out->interface;
	if (path->local.family != AF_UNSPEC)
		out->audit.local = path_local_format(path, out->local, sizeof(out->local));
	out->audit.remote = path_remote_format(path, out->remote, sizeof(out->remote));
	return &out->audit;
}

json_t *session_transport_json(const struct jvpnd *d, const struct path *path)
{
	struct session_transport text;
	const struct jvpn_audit_transport *t = session_transport_fill(d, path, &text);

	if (!t)
		return json_null();
	return json_pack("{ss?sssss?ss?ss?}", "name", t->name, "protocol", t->protocol,
			 "interface", t->interface, "local", t->local, "remote", t->remote);
}

/* --- transitions --------------------------------------------------------- */

static json_t *session_details(const struct session *s, bool ends)
{
	json_t *details = json_object();

	if (s->label[0])
		json_object_set_new(details, "peer", json_string(s->label));
	if (s->rekeys)
		json_object_set_new(details, "rekeys", json_integer(s->rekeys));
	if (ends && s->end_why)
		json_object_set_new(details, "why", json_string(s->end_why));
	if (json_object_size(details))
		return details;
	json_decref(details);
	return NULL;
}

/*
 * It ends because nobody has shown that he made its INIT: whoever sends copies of one can do that.
 * What an authentic first packet, an operator or a reload ends is none of these.
 */
static bool session_is_of_strangers(const struct session *s, const struct kernel_transition *t)
{
	return s->role == JVPN_ROLE_GATEWAY && t->from == JVPN_STATE_BIRTH &&
	       t->to == JVPN_STATE_TERMINATED &&
	       (t->reason == JVPN_REASON_HANDSHAKE_TIMEOUT ||
		t->reason == JVPN_REASON_HANDSHAKE_REJECTED);
}

/* It is the only transition of such a session: the log can do without it. */
static void session_unborn_count(struct jvpnd *d, const struct path *path)
{
	const struct refusal refusal = {
		.request = "INIT", .reject = JVPN_REJECT_BAD_PROOF, .path = path,
		.why = "its session ended without a packet of the client's",
	};

	refusal_note(d, &refusal);
}

static void session_audit(struct jvpnd *d, struct session *s, const struct kernel_transition *t,
			  const struct path *path)
{
	struct session_transport text;
	const struct jvpn_audit_transport *transport =
		path ? session_transport_fill(d, path, &text) : NULL;
	bool after = jvpn_fsm_bound(t->to);
	struct jvpn_audit_transition record = {
		.session_id = s->id,
		.version = t->version,
		.from = t->from,
		.to = t->to,
		.event = t->event,
		.reason = t->reason,
		.epoch = t->epoch,
		.by_kernel = t->origin == JVPN_ORIGIN_KERNEL,
		.policy = s->policy_name[0] ? s->policy_name : NULL,
		.policy_version = s->policy_version,
		.transport = after ? transport : NULL,
		.lost = !after && jvpn_fsm_bound(t->from) ? transport : NULL,
		.ts_ms = t->real_ms,
		.boot_ms = t->boot_ms,
	};

	record.details = session_details(s, t->to == JVPN_STATE_TERMINATED);
	s->rekeys = 0;
	if (session_is_of_strangers(s, t) && !refusals_room_take(d)) {
		jvpnd_show(d, jvpn_audit_build_transition(d->audit, &record));
		session_unborn_count(d, &s->path);
		return;
	}
	jvpnd_record(d, jvpn_audit_build_transition(d->audit, &record));
}

static void session_history_add(struct session *s, const struct kernel_transition *t)
{
	if (s->n_history == JVPN_HISTORY_SIZE) {
		memmove(s->history, s->history + 1,
			(JVPN_HISTORY_SIZE - 1) * sizeof(s->history[0]));
		s->n_history--;
	}
	s->history[s->n_history++] = *t;
}

static void session_mark_changed(struct sessions *t, struct session *s)
{
	if (s->is_changed)
		return;
	s->is_changed = true;
	TAILQ_INSERT_TAIL(&t->changed, s, changed_link);
}

static void session_mark_ended(struct sessions *t, struct session *s)
{
	if (s->is_ended)
		return;
	s->is_ended = true;
	s->ended_ms = jvpnd_now_ms();
	TAILQ_INSERT_TAIL(&t->ended, s, ended_link);
	t->n_ended++;
}

static void session_binding_follow(struct session *s, const struct kernel_transition *t)
{
	bool bound = jvpn_fsm_bound(t->to);

	if (bound && t->has_path)
		s->path = t->path;
	if (bound)
		s->loss_deadline_ms = 0;
	else if (s->bound && s->policy.transport_loss_ttl_ms)
		s->loss_deadline_ms = t->boot_ms + s->policy.transport_loss_ttl_ms;
	s->bound = bound;
}

static void session_log(const struct session *s, const struct kernel_transition *t)
{
	static struct jvpn_log_limit strangers = { .burst = 5 };

	if (session_is_of_strangers(s, t)) {
		jvpn_log_limited(&strangers, JVPN_LOG_INFO,
				 "session %s (%s) was not confirmed: %s", session_short(s),
				 s->label, jvpn_reason_name(t->reason));
		return;
	}
	jvpn_info("session %s (%s): %s -> %s (%s), version %llu", session_short(s), s->label,
		  jvpn_state_name(t->from), jvpn_state_name(t->to),
		  jvpn_reason_name(t->reason), (unsigned long long)t->version);
}

/* The one place where the mirror takes a transition. */
static void session_step(struct jvpnd *d, struct session *s, const struct kernel_transition *k)
{
	struct kernel_transition t = *k;

	if (t.has_path)
		sockets_path_complete(d, &t.path);
	session_binding_follow(s, &t);
	s->state = t.to;
	s->version = t.version;
	s->epoch = t.epoch;
	s->since_ms = t.boot_ms;
	session_history_add(s, &t);
	if (t.version > s->audited) {
		session_audit(d, s, &t, t.has_path ? &t.path : NULL);
		s->audited = t.version;
	}
	session_log(s, &t);
	session_mark_changed(d->sessions, s);
	if (s->state == JVPN_STATE_TERMINATED)
		session_mark_ended(d->sessions, s);
	bounds_update(&d->sessions->bounds, s);
}

void session_apply(struct jvpnd *d, struct session *s, const struct kernel_transition *list,
		   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].version <= s->version)
			continue;
		if (list[i].version > s->version + 1) {
			session_sync(d, s);
			return;
		}
		session_step(d, s, &list[i]);
	}
}

void session_past_unknown(struct jvpnd *d, const struct kernel_session *k)
{
	struct session_transport text;
	struct path path = k->path;
	struct jvpn_audit_adoption record = {
		.session_id = k->id,
		.state = k->state,
		.version = k->version,
		.epoch = k->epoch,
		.policy = k->policy[0] ? k->policy : NULL,
		.policy_version = k->policy_version,
		.missed_unknown = true,
	};

	sockets_path_complete(d, &path);
	record.transport = k->bound ? session_transport_fill(d, &path, &text) : NULL;
	jvpnd_record(d, jvpn_audit_build_adoption(d->audit, &record));
}

/* What was not seen and is not remembered by the kernel either. */
static void session_audit_missed(struct jvpnd *d, struct session *s, uint32_t state,
				 uint64_t version, uint32_t epoch, const struct path *path,
				 uint64_t loss_since_ms)
{
	struct session_transport text;
	struct jvpn_audit_adoption record = {
		.session_id = s->id,
		.state = state,
		.version = version,
		.epoch = epoch,
		.policy = s->policy_name[0] ? s->policy_name : NULL,
		.policy_version = s->policy_version,
		.transport = path ? session_transport_fill(d, path, &text) : NULL,
		.missed = version - s->audited,
		.loss_since_boot_ms = loss_since_ms,
	};

	if (version <= s->audited)
		return;
	jvpnd_record(d, jvpn_audit_build_adoption(d->audit, &record));
	s->audited = version;
}

/* A step whose predecessors are unknown: adopt the state it started from. */
static void session_skip_to(struct jvpnd *d, struct session *s, const struct kernel_transition *t)
{
	bool bound = jvpn_fsm_bound(t->from) && t->has_path;
	struct path path = t->path;

	sockets_path_complete(d, &path);
	session_audit_missed(d, s, t->from, t->version - 1, t->epoch, bound ? &path : NULL, 0);
	s->state = t->from;
	s->version = t->version - 1;
	s->bound = bound;
	s->path = path;
}

/* --- new keys ------------------------------------------------------------ */

/* All sessions' together, for who reads the log of a day in which nobody moved. */
static void sessions_rekeys_record(struct jvpnd *d)
{
	struct sessions *t = d->sessions;

	if (t->rekeys)
		jvpnd_record(d, jvpn_audit_build_note(d->audit, "REKEYS", NULL,
						      json_pack("{sI}", "count",
								(json_int_t)t->rekeys)));
	t->rekeys = 0;
}

static void sessions_rekeys_due(uv_timer_t *timer)
{
	sessions_rekeys_record(timer->data);
}

void sessions_finish(struct jvpnd *d)
{
	sessions_save(d, SIZE_MAX);
	sessions_rekeys_record(d);
}

/*
 * Who follows hears of each; the log counts them, or they would be most of it.
 * Of a session without a record it is not known which keys are new.
 */
void session_epoch_set(struct jvpnd *d, struct session *s, uint32_t number)
{
	bool is_new = s->recorded && s->epoch != number;

	s->epoch = number;
	if (!is_new)
		return;
	s->rekeys++;
	d->sessions->rekeys++;
	jvpnd_show(d, jvpn_audit_build_note(d->audit, "EPOCH", s->id,
					    json_pack("{sI}", "epoch", (json_int_t)number)));
}

/* What a reading of the kernel's table brings that the mirror does not have. */
static bool session_differs(const struct session *s, const struct kernel_session *k)
{
	return s->version != k->version || s->state != k->state || s->epoch != k->epoch ||
	       s->bound != k->bound || s->policy_version != k->policy_version ||
	       s->session_deadline_ms != k->session_deadline_ms ||
	       s->loss_deadline_ms != k->loss_deadline_ms ||
	       s->n_prefixes != k->n_prefixes || strcmp(s->label, k->label) ||
	       strcmp(s->policy_name, k->policy);
}

static void session_snapshot_take(struct jvpnd *d, struct session *s,
				  const struct kernel_session *k)
{
	s->state = k->state;
	s->version = k->version;
	session_epoch_set(d, s, k->epoch);
	s->bound = k->bound;
	if (k->bound) {
		s->path = k->path;
		sockets_path_complete(d, &s->path);
	}
	s->session_deadline_ms = k->session_deadline_ms;
	s->loss_deadline_ms = k->loss_deadline_ms;
	s->birth_deadline_ms = k->birth_deadline_ms;
	s->n_prefixes = k->n_prefixes;
	memcpy(s->prefixes, k->prefixes, sizeof(s->prefixes));
	s->created_ms = k->created_ms;
}

void session_mirror(struct jvpnd *d, struct session *s, const struct kernel_session *k)
{
	/* A client has few, and looks at them anew whenever it is told to. */
	bool differs = s->role == JVPN_ROLE_CLIENT || session_differs(s, k);

	/* What is caught up from the history happened under these already. */
	snprintf(s->label, sizeof(s->label), "%s", k->label);
	snprintf(s->policy_name, sizeof(s->policy_name), "%s", k->policy);
	s->policy_version = k->policy_version;
	for (size_t i = 0; i < k->n_history; i++) {
		const struct kernel_transition *t = &k->history[i];

		if (t->version <= s->version)
			continue;
		if (t->version > s->version + 1)
			session_skip_to(d, s, t);
		session_step(d, s, t);
	}
	if (k->version > s->version)
		session_audit_missed(d, s, k->state, k->version, k->epoch,
				     k->bound ? &k->path : NULL, 0);
	session_snapshot_take(d, s, k);
	if (differs)
		session_mark_changed(d->sessions, s);
	if (s->state == JVPN_STATE_TERMINATED)
		session_mark_ended(d->sessions, s);
	bounds_update(&d->sessions->bounds, s);
}

/*
 * The kernel has lost it without a transition of its own: its device was
 * removed, or the machine was. That ends it, and the log must say so.
 */
static void session_vanish(struct jvpnd *d, struct session *s)
{
	const struct kernel_transition end = {
		.version = s->version + 1,
		.from = s->state,
		.to = JVPN_STATE_TERMINATED,
		.event = jvpn_fsm_event_of(SESSION_VANISHED_REASON),
		.reason = SESSION_VANISHED_REASON,
		.origin = JVPN_ORIGIN_DAEMON,
		.epoch = s->epoch,
		.boot_ms = jvpnd_now_ms(),
		.real_ms = jvpnd_wall_s() * 1000,
		.has_path = s->bound,
		.path = s->path,
	};

	if (!session_is_live(s))
		return;
	jvpn_warning("session %s (%s): the kernel does not have it any longer", session_short(s),
		     s->label);
	s->vanished = true;
	session_step(d, s, &end);
}

static void session_vanish_one(struct jvpnd *d, struct session *s, void *context)
{
	(void)context;
	session_vanish(d, s);
}

void sessions_vanish(struct jvpnd *d)
{
	session_each(d, session_vanish_one, NULL);
}

bool session_sync(struct jvpnd *d, struct session *s)
{
	struct kernel_session *k = malloc(sizeof(*k));
	int rc = k ? kernel_session_get(d->kernel, s->id, k) : -ENOMEM;

	if (!rc)
		session_mirror(d, s, k);
	else if (rc == -ENOENT)
		session_vanish(d, s);
	else
		jvpn_warning("session %s: cannot read it from the kernel: %s", session_short(s),
			     strerror(-rc));
	free(k);
	return !rc;
}

bool session_answer(struct jvpnd *d, struct session *s, const char *what,
		    const struct kernel_answer *answer)
{
	if (!answer->error) {
		session_apply(d, s, answer->history, answer->n_history);
		if (answer->has_current)
			session_epoch_set(d, s, answer->epoch);
		return true;
	}
	jvpn_debug("session %s: %s refused: %s%s%s", session_short(s), what,
		   strerror(-answer->error), answer->text[0] ? ": " : "", answer->text);
	if (answer->error == -ENOENT || (answer->has_current && answer->version != s->version))
		session_sync(d, s);
	return false;
}

static void sessions_ended_expire(struct jvpnd *d)
{
	struct sessions *t = d->sessions;
	uint64_t now = jvpnd_now_ms();
	struct session *s;

	while ((s = TAILQ_FIRST(&t->ended)) &&
	       (t->n_ended > SESSION_LINGER_MAX || now - s->ended_ms >= SESSION_LINGER_MS))
		session_remove(d, s);
}

/* --- records --------------------------------------------------------------- */

bool sessions_save(struct jvpnd *d, size_t count)
{
	struct sessions *t = d->sessions;
	struct session *s;

	for (; count && (s = TAILQ_FIRST(&t->unsaved)); count--) {
		TAILQ_REMOVE(&t->unsaved, s, unsaved_link);
		s->is_unsaved = false;
		if (session_is_live(s))
			record_update(d, s);
	}
	return !TAILQ_EMPTY(&t->unsaved);
}

static void sessions_saver_run(uv_idle_t *saver)
{
	if (!sessions_save(saver->data, SAVES_BUDGET))
		uv_idle_stop(saver);
}

/* One whose record was lost has no keys to be saved: it stays without. */
static void session_mark_unsaved(struct sessions *t, struct session *s)
{
	if (s->is_unsaved || !s->recorded)
		return;
	s->is_unsaved = true;
	TAILQ_INSERT_TAIL(&t->unsaved, s, unsaved_link);
	if (!uv_is_closing((uv_handle_t *)&t->saver))
		uv_idle_start(&t->saver, sessions_saver_run);
}

void sessions_settle(struct jvpnd *d)
{
	struct sessions *t = d->sessions;
	struct session *s;

	while ((s = TAILQ_FIRST(&t->changed))) {
		TAILQ_REMOVE(&t->changed, s, changed_link);
		s->is_changed = false;
		if (session_is_live(s))
			session_mark_unsaved(t, s);
		d->role->changed(d, s);
	}
	sessions_ended_expire(d);
}

/* --- requests ------------------------------------------------------------ */

bool session_event(struct jvpnd *d, struct session *s, uint32_t event, uint32_t reason)
{
	struct kernel_answer answer;

	kernel_transition(d->kernel, s->id, s->version, event, reason, &answer);
	return session_answer(d, s, jvpn_event_name(event), &answer);
}

/* Versions move while nobody looks: try again on the version that was answered. */
bool session_terminate(struct jvpnd *d, struct session *s, uint32_t reason)
{
	uint32_t event = jvpn_fsm_event_of(reason);

	for (int i = 0; i < 3 && session_is_live(s); i++)
		if (session_event(d, s, event, reason))
			return true;
	return !session_is_live(s);
}

void session_judge(struct jvpnd *d, struct session *s)
{
	const char *why = session_is_served(s) ? d->role->judge(d, s) : NULL;

	if (!why)
		return;
	jvpn_info("session %s (%s) ends: %s", session_short(s), s->label, why);
	s->end_why = why;
	close_send(d, s);
	if (!session_terminate(d, s, JVPN_REASON_POLICY_FAILURE))
		jvpn_error("session %s: the kernel did not end it; it is not served, and ended at the next occasion",
			   session_short(s));
}

static void session_condemned_end(struct jvpnd *d, struct session *s, void *context)
{
	(void)context;
	if (s->end_why && session_is_live(s))
		session_terminate(d, s, JVPN_REASON_POLICY_FAILURE);
}

/* Those that the kernel did not end when they were judged. */
void sessions_condemned_end(struct jvpnd *d)
{
	session_each(d, session_condemned_end, NULL);
}

static void session_judge_one(struct jvpnd *d, struct session *s, void *context)
{
	(void)context;
	session_judge(d, s);
}

void sessions_judge(struct jvpnd *d)
{
	session_each(d, session_judge_one, NULL);
	sessions_settle(d);
}

void session_ctl_set(struct jvpnd *d, struct session *s, const struct jvpn_epoch *epoch,
		     uint32_t number)
{
	session_index_unlink(d->sessions, s);
	s->ctl = *epoch;
	sodium_memzero(&s->ctl.c2s, sizeof(s->ctl.c2s));
	sodium_memzero(&s->ctl.s2c, sizeof(s->ctl.s2c));
	s->ctl_epoch = number;
	s->gateway.ctrl_seq = 0;
	session_index_link(d->sessions, s);
}

void session_reattach_view(const struct jvpnd *d, const struct session *s,
			   struct jvpn_reattach_session *view)
{
	memset(view, 0, sizeof(*view));
	memcpy(view->sid, s->id, sizeof(view->sid));
	view->suite = s->suite;
	view->state = (u8)(session_is_served(s) ? s->state : JVPN_STATE_TERMINATED);
	view->incarnation = d->incarnation;
	view->v = s->version;
	view->e = s->epoch;
	memcpy(view->client_pub, s->peer_key, sizeof(view->client_pub));
	view->keys = s->keys;
}

uint32_t session_ttl_left_ms(const struct session *s)
{
	uint64_t now = jvpnd_now_ms(), left;

	if (!s->session_deadline_ms)
		return UINT32_MAX;
	left = s->session_deadline_ms > now ? s->session_deadline_ms - now : 0;
	return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}
