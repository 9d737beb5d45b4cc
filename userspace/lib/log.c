// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

#define WINDOW_MS	10000
#define LINE_SIZE	2048
#define PATIENCE_MS 1000
#define QUEUE_SIZE	(256 * 1024)
#define CHUNK_SIZE	4096

static const char *jvpn_log_program = "jvpn";
static enum jvpn_log_level jvpn_log_threshold = JVPN_LOG_INFO;
static bool jvpn_log_journal;

static const int jvpn_log_priority[] = {
	[JVPN_LOG_ERROR] = LOG_ERR,
	[JVPN_LOG_WARNING] = LOG_WARNING,
	[JVPN_LOG_INFO] = LOG_INFO,
	[JVPN_LOG_DEBUG] = LOG_DEBUG,
};

static const char *const jvpn_log_word[] = {
	[JVPN_LOG_ERROR] = "error: ",
	[JVPN_LOG_WARNING] = "warning: ",
	[JVPN_LOG_INFO] = "",
	[JVPN_LOG_DEBUG] = "debug: ",
};

void jvpn_log_init(const char *program, enum jvpn_log_level level)
{
	jvpn_log_program = program;
	jvpn_log_threshold = level;
	jvpn_log_journal = getenv("JOURNAL_STREAM") != NULL;
}

void jvpn_log_level_set(enum jvpn_log_level level)
{
	jvpn_log_threshold = level;
}

/* The queue: octets of whole lines, written in their order by the thread. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;		/* thread: something to write */
	pthread_cond_t idle;		/* flush: all of it is written */
	char *ring;
	size_t head, used;
	unsigned long long dropped;	/* messages that found no room, not said yet */
	bool detached;
	bool writing;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* --- writing ---------------------------------------------------------------- */

/* An end that nobody can write to takes nothing: what was for it is gone. */
static void jvpn_log_write_all(const char *text, size_t length)
{
	struct pollfd poll_fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	while (length) {
		ssize_t n = write(STDERR_FILENO, text, length);

		if (n > 0) {
			text += n;
			length -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			poll(&poll_fd, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			return;
		}
	}
}

/*
 * Before there is a thread: is there room for a line? A reader that is slow gets its time once; one
 * that does not read at all must not keep the program from its start.
 */
static bool jvpn_log_room(void)
{
	struct pollfd poll_fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&poll_fd, 1, queue.dropped ? 0 : PATIENCE_MS) != 0;
}

static size_t jvpn_log_stamp(char *line, enum jvpn_log_level level)
{
	char stamp[JVPN_UTIL_TIME_TEXT];

	if (jvpn_log_journal)
		return (size_t)sprintf(line, "<%d>%s", jvpn_log_priority[level],
				       jvpn_log_word[level]);
	jvpn_util_time_format(jvpn_util_time_real_ms(), stamp, sizeof(stamp));
	return (size_t)snprintf(line, LINE_SIZE / 2, "%s %s: %s", stamp, jvpn_log_program,
				jvpn_log_word[level]);
}

/* One line with its newline; what is too long loses its end. */
static size_t jvpn_log_line_make(char line[LINE_SIZE], enum jvpn_log_level level,
				 const char *format, va_list args, unsigned long long suppressed)
{
	const size_t room = LINE_SIZE - 1;
	size_t length = jvpn_log_stamp(line, level);
	int n = vsnprintf(line + length, room - length, format, args);

	length = n < 0 ? length : length + (size_t)n < room ? length + (size_t)n : room - 1;
	if (suppressed) {
		n = snprintf(line + length, room - length,
			     " (%llu like it before were not shown)", suppressed);
		length = length + (size_t)n < room ? length + (size_t)n : room - 1;
	}
	line[length] = '\n';
	return length + 1;
}

/* --- the queue, under its lock ----------------------------------------------- */

static bool jvpn_log_queue_put(const char *text, size_t length)
{
	size_t at = (queue.head + queue.used) % QUEUE_SIZE;
	size_t first = length < QUEUE_SIZE - at ? length : QUEUE_SIZE - at;

	if (length > QUEUE_SIZE - queue.used)
		return false;
	memcpy(queue.ring + at, text, first);
	memcpy(queue.ring, text + first, length - first);
	queue.used += length;
	return true;
}

/* Said where the messages are missing: before the next one that finds room. */
static bool jvpn_log_queue_dropped_say(void)
{
	char line[LINE_SIZE];
	size_t length;

	if (!queue.dropped)
		return true;
	length = jvpn_log_stamp(line, JVPN_LOG_WARNING);
	length += (size_t)sprintf(line + length,
				  "%llu messages were dropped here: they were not read fast enough\n",
				  queue.dropped);
	if (!jvpn_log_queue_put(line, length))
		return false;
	queue.dropped = 0;
	return true;
}

static size_t jvpn_log_queue_take(char chunk[CHUNK_SIZE])
{
	size_t length = queue.used < CHUNK_SIZE ? queue.used : CHUNK_SIZE;
	size_t first = length < QUEUE_SIZE - queue.head ? length : QUEUE_SIZE - queue.head;

	memcpy(chunk, queue.ring + queue.head, first);
	memcpy(chunk + first, queue.ring, length - first);
	queue.head = (queue.head + length) % QUEUE_SIZE;
	queue.used -= length;
	return length;
}

static void *jvpn_log_run(void *unused)
{
	char chunk[CHUNK_SIZE];
	size_t length;

	pthread_mutex_lock(&queue.lock);
	for (;;) {
		while (!queue.used) {
			pthread_cond_broadcast(&queue.idle);
			pthread_cond_wait(&queue.wake, &queue.lock);
		}
		length = jvpn_log_queue_take(chunk);
		if (!queue.used)
			jvpn_log_queue_dropped_say();
		queue.writing = true;
		pthread_mutex_unlock(&queue.lock);
		jvpn_log_write_all(chunk, length);
		pthread_mutex_lock(&queue.lock);
		queue.writing = false;
	}
	return unused;
}

static void jvpn_log_write(const char *text, size_t length)
{
	pthread_mutex_lock(&queue.lock);
	if (!queue.detached) {
		if (jvpn_log_room())
			jvpn_log_write_all(text, length);
		else
			queue.dropped++;
		pthread_mutex_unlock(&queue.lock);
		return;
	}
	if (!jvpn_log_queue_dropped_say() || !jvpn_log_queue_put(text, length))
		queue.dropped++;
	pthread_cond_signal(&queue.wake);
	pthread_mutex_unlock(&queue.lock);
}

/* --- interface ----------------------------------------------------------------- */

int jvpn_log_detach(void)
{
	pthread_condattr_t monotonic;
	pthread_t thread;
	sigset_t all, saved;
	int error;

	queue.ring = malloc(QUEUE_SIZE);
	if (!queue.ring)
		return -ENOMEM;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&queue.idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&queue.wake, NULL);
	/* Signals are for the caller's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	error = pthread_create(&thread, NULL, jvpn_log_run, NULL);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (error)
		return -error;
	pthread_detach(thread);
	queue.detached = true;
	return 0;
}

bool jvpn_log_flush(unsigned int timeout_ms)
{
	struct timespec at;
	bool done;
	int error = 0;

	jvpn_util_deadline(&at, timeout_ms);
	pthread_mutex_lock(&queue.lock);
	while (!(done = !queue.used && !queue.writing && !queue.dropped) && !error &&
	       queue.detached)
		error = pthread_cond_timedwait(&queue.idle, &queue.lock, &at);
	pthread_mutex_unlock(&queue.lock);
	return done;
}

void jvpn_log_text(enum jvpn_log_level level, const char *text)
{
	char line[LINE_SIZE];
	const char *end;
	int length;

	for (; *text; text = end + (*end == '\n')) {
		end = strchrnul(text, '\n');
		length = (int)(end - text);
		if (jvpn_log_journal)
			length = snprintf(line, sizeof(line), "<%d>%.*s\n",
					  jvpn_log_priority[level], length, text);
		else
			length = snprintf(line, sizeof(line), "%.*s\n", length, text);
		jvpn_log_write(line, (size_t)length < sizeof(line) ? (size_t)length :
								      sizeof(line) - 1);
	}
}

static void jvpn_log_vwrite(enum jvpn_log_level level, const char *format, va_list args,
			    unsigned long long suppressed)
{
	char line[LINE_SIZE];

	jvpn_log_write(line, jvpn_log_line_make(line, level, format, args, suppressed));
}

void jvpn_log(enum jvpn_log_level level, const char *format, ...)
{
	va_list args;

	if (level > jvpn_log_threshold)
		return;
	va_start(args, format);
	jvpn_log_vwrite(level, format, args, 0);
	va_end(args);
}

void jvpn_log_limited(struct jvpn_log_limit *limit, enum jvpn_log_level level,
		      const char *format, ...)
{
	unsigned long long window = jvpn_util_time_boot_ms() / WINDOW_MS;
	va_list args;

	if (level > jvpn_log_threshold)
		return;
	if (window != limit->window) {
		limit->window = window;
		limit->used = 0;
	}
	if (limit->used >= limit->burst) {
		limit->suppressed++;
		return;
	}
	limit->used++;
	va_start(args, format);
	jvpn_log_vwrite(level, format, args, limit->suppressed);
	va_end(args);
	limit->suppressed = 0;
}
