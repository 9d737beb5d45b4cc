// SPDX-License-Identifier: GPL-2.0
/* The writer of the audit log: its queue, its thread, its interface. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "audit-writer.h"
#include "log.h"
#include "names-gen.h"
#include "util.h"

#define QUEUE_DEFAULT	8192
#define BATCH		64
#define RETRY_MS	1000
#define CLOSE_MS	350
#define STOP_MS		100

struct jvpn_audit_batch {
	struct jvpn_audit_item items[BATCH];
	size_t count;
	uint64_t lost_after;		/* with nothing queued behind it */
};

const char *jvpn_audit_node(const struct jvpn_audit *audit)
{
	return audit->node;
}

void jvpn_audit_hash_line(const char *line, size_t length, uint8_t hash[JVPN_AUDIT_HASH])
{
	crypto_generichash(hash, JVPN_AUDIT_HASH, (const uint8_t *)line, length, NULL, 0);
}

/* The thread. */

static void jvpn_audit_batch_take(struct jvpn_audit *audit, struct jvpn_audit_batch *batch)
{
	batch->count = 0;
	while (audit->queue_count && batch->count < BATCH) {
		batch->items[batch->count++] = audit->queue[audit->queue_head];
		audit->queue_head = (audit->queue_head + 1) % audit->queue_size;
		audit->queue_count--;
	}
	batch->lost_after = audit->queue_count ? 0 : audit->lost_pending;
	if (batch->lost_after)
		audit->lost_pending = 0;
}

static int jvpn_audit_item_write(struct jvpn_audit *audit, struct jvpn_audit_item *item)
{
	if (jvpn_audit_emit_lost(audit, &item->lost_before))
		return -1;
	if (!item->text)
		return 0;
	if (jvpn_audit_emit(audit, item->text))
		return -1;
	item->seq = audit->seq;
	return 0;
}

static void jvpn_audit_batch_remember(struct jvpn_audit *audit, struct jvpn_audit_batch *batch,
				      size_t count)
{
	struct jvpn_audit_memory list[BATCH];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (!batch->items[i].is_session)
			continue;
		memcpy(list[n].id, batch->items[i].id, sizeof(list[n].id));
		list[n++].line = batch->items[i].text;
	}
	jvpn_audit_remember(audit, list, n);
	for (size_t i = 0; i < count; i++)
		if (batch->items[i].text)
			jvpn_audit_recent_add(audit, &batch->items[i]);
}

static int jvpn_audit_batch_write(struct jvpn_audit *audit, struct jvpn_audit_batch *batch)
{
	size_t done = 0;
	int ret = 0;

	while (done < batch->count && !ret) {
		ret = jvpn_audit_item_write(audit, &batch->items[done]);
		done += !ret;
	}
	if (!ret)
		ret = jvpn_audit_emit_lost(audit, &batch->lost_after);
	jvpn_audit_batch_remember(audit, batch, done);
	batch->count -= done;
	memmove(batch->items, batch->items + done, batch->count * sizeof(*batch->items));
	return ret;
}

/* why: "" if nothing has failed. */
static void jvpn_audit_status_update(struct jvpn_audit *audit, const char *why)
{
	struct jvpn_audit_status *status = &audit->status;

	status->seq = audit->seq;
	status->octets_read = audit->octets;
	memcpy(status->head, audit->head, sizeof(status->head));
	if (*why && !*status->error)
		jvpn_warning("the audit log is not written: %s; it is tried again, meanwhile %zu records wait at most, and then they are lost",
			     why, audit->queue_size);
	else if (!*why && *status->error)
		jvpn_info("the audit log is written again");
	snprintf(status->error, sizeof(status->error), "%s", why);
}

static bool jvpn_audit_work(const struct jvpn_audit *audit, const struct jvpn_audit_batch *batch)
{
	return audit->fd < 0 || batch->count || batch->lost_after || audit->queue_count ||
	       audit->lost_pending;
}

/* Without the lock. why: "" if the sink took all of it. */
static void jvpn_audit_sink_feed(struct jvpn_audit *audit, struct jvpn_audit_batch *batch,
				 bool reopen, char *why, size_t size)
{
	int failed = 0;

	if (audit->fd < 0 && jvpn_audit_file_start(audit, &audit->begun, why, size))
		return;
	if (reopen && audit->sink == JVPN_AUDIT_FILE)
		jvpn_audit_file_reopen(audit);
	if (audit->sink == JVPN_AUDIT_FILE)
		failed = jvpn_audit_file_check(audit);
	if (!failed)
		failed = jvpn_audit_batch_write(audit, batch);
	if (failed)
		snprintf(why, size, "%s: %s", audit->file ? audit->file : "its sink",
			 strerror(errno));
	else
		*why = '\0';
}

/* Write outside the lock; true if the sink took all of it. */
static bool jvpn_audit_turn(struct jvpn_audit *audit, struct jvpn_audit_batch *batch)
{
	char why[sizeof(audit->status.error)] = "";
	bool reopen = audit->reopen;

	if (!batch->count && !batch->lost_after)
		jvpn_audit_batch_take(audit, batch);
	audit->reopen = false;
	audit->busy = true;
	pthread_mutex_unlock(&audit->lock);

	jvpn_audit_sink_feed(audit, batch, reopen, why, sizeof(why));

	pthread_mutex_lock(&audit->lock);
	audit->busy = false;
	jvpn_audit_status_update(audit, why);
	return !*why;
}

/* Texts are records; all else is about what is remembered. */
static uint64_t jvpn_audit_item_drop(struct jvpn_audit_item *item)
{
	uint64_t records = item->lost_before + !!item->text;

	free(item->text);
	return records;
}

/* What is dropped at the end is recorded as lost by who opens the log next. */
static void jvpn_audit_batch_drop(struct jvpn_audit *audit, struct jvpn_audit_batch *batch)
{
	uint64_t lost = batch->lost_after + audit->lost_pending;

	audit->status.lost += batch->count + audit->queue_count;
	for (size_t i = 0; i < batch->count; i++)
		lost += jvpn_audit_item_drop(&batch->items[i]);
	for (; audit->queue_count; audit->queue_count--) {
		lost += jvpn_audit_item_drop(&audit->queue[audit->queue_head]);
		audit->queue_head = (audit->queue_head + 1) % audit->queue_size;
	}
	if (lost && audit->state && !jvpn_audit_state_lost_set(audit->state, audit->stream, lost))
		jvpn_warning("the audit log lacks %llu records; the next start tells it so",
			     (unsigned long long)lost);
}

static void *jvpn_audit_run(void *argument)
{
	struct jvpn_audit *audit = argument;
	struct jvpn_audit_batch batch = { };
	struct timespec at;
	bool good;

	pthread_mutex_lock(&audit->lock);
	good = !*audit->status.error;
	for (;;) {
		if (!good && !audit->stop) {
			jvpn_util_deadline(&at, RETRY_MS);
			pthread_cond_timedwait(&audit->wake, &audit->lock, &at);
		}
		while (!audit->stop && !audit->reopen && !jvpn_audit_work(audit, &batch)) {
			pthread_cond_broadcast(&audit->idle);
			pthread_cond_wait(&audit->wake, &audit->lock);
		}
		if (audit->stop && (!good || !jvpn_audit_work(audit, &batch)))
			break;
		good = jvpn_audit_turn(audit, &batch);
	}
	jvpn_audit_batch_drop(audit, &batch);
	pthread_cond_broadcast(&audit->idle);
	pthread_mutex_unlock(&audit->lock);
	return NULL;
}

/* The first record is the thread's: who reads it may take his time. */
static int jvpn_audit_stream_start(struct jvpn_audit *audit, const struct jvpn_audit_head *head,
				   char *err, size_t err_size)
{
	audit->fd = audit->sink == JVPN_AUDIT_STDOUT ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) :
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	audit->seq = head->seq;
	memcpy(audit->head, head->hash, sizeof(audit->head));
	audit->was_empty = true;
	if (audit->fd >= 0 &&
	    !jvpn_audit_write(audit, jvpn_audit_open_build(audit, &(struct jvpn_audit_trail){},
							   audit->seq ? "CONTINUED" : "NEW")))
		return 0;
	snprintf(err, err_size, "cannot write the audit log to %s: %s",
		 audit->sink == JVPN_AUDIT_STDOUT ? "standard output" : "the journal (" JVPN_AUDIT_JOURNAL_PATH ")",
		 strerror(errno));
	return -1;
}

/* Interface. */

static int jvpn_audit_start_thread(struct jvpn_audit *audit, char *err, size_t err_size)
{
	sigset_t all, saved;
	int error;

	/* Signals are for the caller's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	error = pthread_create(&audit->thread, NULL, jvpn_audit_run, audit);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);

	if (error) {
		snprintf(err, err_size, "cannot start the audit thread: %s", strerror(error));
		return -1;
	}
	audit->running = true;
	return 0;
}

static struct jvpn_audit *jvpn_audit_alloc(const struct jvpn_audit_options *options)
{
	struct jvpn_audit *audit = calloc(1, sizeof(*audit));
	pthread_condattr_t monotonic;

	if (!audit)
		return NULL;
	audit->fd = -1;
	audit->sink = options->sink;
	audit->wait = options->wait;
	audit->file = options->file ? strdup(options->file) : NULL;
	audit->node = strdup(options->node ? options->node : "");
	audit->queue_size = options->queue_records ? options->queue_records : QUEUE_DEFAULT;
	audit->queue = calloc(audit->queue_size, sizeof(*audit->queue));
	pthread_mutex_init(&audit->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&audit->wake, &monotonic);
	pthread_cond_init(&audit->idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (audit->node && audit->queue && (audit->file || !options->file))
		return audit;
	jvpn_audit_close(audit);
	return NULL;
}

static void jvpn_audit_stream_name(struct jvpn_audit *audit)
{
	char name[PATH_MAX + 256];

	snprintf(name, sizeof(name), "%d %s %s", (int)audit->sink, audit->node,
		 audit->file ? audit->file : "");
	crypto_generichash(audit->stream, sizeof(audit->stream), (const uint8_t *)name,
			   strlen(name), NULL, 0);
}

static int jvpn_audit_state_begin(struct jvpn_audit *audit,
				  const struct jvpn_audit_options *options, char *err,
				  size_t err_size)
{
	uint64_t lost;

	jvpn_audit_stream_name(audit);
	if (!options->state)
		return 0;
	if (jvpn_audit_state_open(options->state, &audit->state, err, err_size)) {
		audit->forgetful = true;
		if (audit->wait)
			jvpn_warning("%s", err);
		return audit->wait ? 0 : -1;
	}
	lost = jvpn_audit_state_lost(audit->state, audit->stream);
	if (!jvpn_audit_state_head(audit->state, audit->stream, &audit->begun))
		memset(&audit->begun, 0, sizeof(audit->begun));
	audit->lost_pending = lost;
	/* It may just have been forgotten, together with what is of another log. */
	audit->owes = lost && !jvpn_audit_state_lost_set(audit->state, audit->stream, lost);
	return 0;
}

static int jvpn_audit_sink_start(struct jvpn_audit *audit, char *err, size_t err_size)
{
	const struct jvpn_audit_head *head = &audit->begun;
	int ret = audit->sink == JVPN_AUDIT_FILE ?
		jvpn_audit_file_start(audit, head, err, err_size) :
		jvpn_audit_stream_start(audit, head, err, err_size);

	audit->past_known = !audit->forgetful && (head->seq || (!ret && audit->was_empty));
	if (ret && (!audit->wait || audit->sink != JVPN_AUDIT_FILE))
		return ret;
	jvpn_audit_status_update(audit, ret ? err : "");
	return 0;
}

struct jvpn_audit *jvpn_audit_open(const struct jvpn_audit_options *options, char *err,
				   size_t err_size)
{
	struct jvpn_audit *audit = jvpn_audit_alloc(options);

	if (!audit) {
		snprintf(err, err_size, "out of memory for the audit log");
		return NULL;
	}
	if (jvpn_audit_state_begin(audit, options, err, err_size) ||
	    jvpn_audit_sink_start(audit, err, err_size) ||
	    jvpn_audit_start_thread(audit, err, err_size))
		goto err_close;
	return audit;

err_close:
	jvpn_audit_close(audit);
	return NULL;
}

/* Steals the text of the item if it finds room. */
static bool jvpn_audit_enqueue(struct jvpn_audit *audit, const struct jvpn_audit_item *new_item)
{
	struct jvpn_audit_item *item;

	if (audit->queue_count == audit->queue_size) {
		audit->lost_pending++;
		audit->status.lost++;
		return false;
	}
	item = &audit->queue[(audit->queue_head + audit->queue_count) % audit->queue_size];
	*item = *new_item;
	item->lost_before = audit->lost_pending;
	audit->lost_pending = 0;
	audit->queue_count++;
	return true;
}

static bool jvpn_audit_hand_over(struct jvpn_audit *audit, const struct jvpn_audit_item *item)
{
	bool queued;

	pthread_mutex_lock(&audit->lock);
	queued = jvpn_audit_enqueue(audit, item);
	/* While the sink fails the thread keeps to its own pace. */
	if (!*audit->status.error)
		pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	return queued;
}

static void jvpn_audit_lose(struct jvpn_audit *audit)
{
	pthread_mutex_lock(&audit->lock);
	audit->lost_pending++;
	audit->status.lost++;
	pthread_mutex_unlock(&audit->lock);
}

int jvpn_audit_write(struct jvpn_audit *audit, json_t *record)
{
	struct jvpn_audit_item item = { };

	item.is_session = jvpn_audit_record_session(record, item.id);
	item.text = jvpn_audit_text(record);
	if (!item.text)
		jvpn_audit_lose(audit);
	else if (jvpn_audit_hand_over(audit, &item))
		return 0;
	free(item.text);
	return -1;
}

void jvpn_audit_forget(struct jvpn_audit *audit, const uint8_t *session_id)
{
	struct jvpn_audit_item item = { .is_session = true };

	memcpy(item.id, session_id, sizeof(item.id));
	pthread_mutex_lock(&audit->lock);
	/* Nothing is lost if there is no room: what is left over is found at the next start. */
	if (audit->state && audit->queue_count < audit->queue_size) {
		jvpn_audit_enqueue(audit, &item);
		pthread_cond_signal(&audit->wake);
	}
	pthread_mutex_unlock(&audit->lock);
}

enum jvpn_audit_past jvpn_audit_version_known(const struct jvpn_audit *audit,
					      const uint8_t *session_id, uint64_t *version)
{
	char *line = audit->state ? jvpn_audit_state_get(audit->state, session_id) : NULL;
	json_t *record = line ? json_loads(line, 0, NULL) : NULL;
	const json_t *known = json_object_get(record, "state_version");
	enum jvpn_audit_past past = audit->past_known ? JVPN_AUDIT_PAST_NONE :
							JVPN_AUDIT_PAST_UNKNOWN;

	if (json_is_integer(known)) {
		*version = (uint64_t)json_integer_value(known);
		past = JVPN_AUDIT_PAST_KNOWN;
	}
	json_decref(record);
	free(line);
	return past;
}

void jvpn_audit_reopen(struct jvpn_audit *audit)
{
	pthread_mutex_lock(&audit->lock);
	audit->reopen = true;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
}

static bool jvpn_audit_drained(const struct jvpn_audit *audit)
{
	return !audit->queue_count && !audit->lost_pending && !audit->busy && !audit->reopen &&
	       !*audit->status.error;
}

int jvpn_audit_flush(struct jvpn_audit *audit, unsigned int timeout_ms)
{
	struct timespec at;
	bool drained;
	int error = 0;

	jvpn_util_deadline(&at, timeout_ms);
	pthread_mutex_lock(&audit->lock);
	pthread_cond_signal(&audit->wake);
	while (!(drained = jvpn_audit_drained(audit)) && !error)
		error = pthread_cond_timedwait(&audit->idle, &audit->lock, &at);
	pthread_mutex_unlock(&audit->lock);
	return drained ? 0 : -1;
}

void jvpn_audit_status(struct jvpn_audit *audit, struct jvpn_audit_status *status)
{
	pthread_mutex_lock(&audit->lock);
	*status = audit->status;
	status->queued = audit->queue_count;
	pthread_mutex_unlock(&audit->lock);
}

/* False if the thread does not end. */
static bool jvpn_audit_stop(struct jvpn_audit *audit)
{
	struct timespec at;

	if (jvpn_audit_flush(audit, CLOSE_MS))
		jvpn_warning("the audit log was closed with records that could not be written");
	pthread_mutex_lock(&audit->lock);
	audit->stop = true;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	jvpn_util_deadline(&at, STOP_MS);
	return !pthread_clockjoin_np(audit->thread, NULL, CLOCK_MONOTONIC, &at);
}

bool jvpn_audit_close(struct jvpn_audit *audit)
{
	if (!audit)
		return true;
	if (audit->running && !jvpn_audit_stop(audit))
		return false;
	if (audit->fd >= 0)
		close(audit->fd);
	pthread_cond_destroy(&audit->idle);
	pthread_cond_destroy(&audit->wake);
	pthread_mutex_destroy(&audit->lock);
	jvpn_audit_state_close(audit->state);
	for (size_t i = 0; i < JVPN_AUDIT_RECENT; i++)
		free(audit->recent[i].text);
	for (; audit->queue_count; audit->queue_count--) {
		free(audit->queue[audit->queue_head].text);
		audit->queue_head = (audit->queue_head + 1) % audit->queue_size;
	}
	free(audit->queue);
	free(audit->node);
	free(audit->file);
	free(audit);
	return true;
}
