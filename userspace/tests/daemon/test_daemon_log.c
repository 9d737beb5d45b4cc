// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of a daemon whose standard error nobody reads: it goes on, what does not fit is
 * counted, and is told of in its place.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tap.h"
#include "log.h"

#define MESSAGES 20000
#define TIMEOUT_S 60

static int pipe_fds[2];

/* What came out of the pipe so far. */
struct reading {
	char line[4096];
	size_t used;
	unsigned long next;		/* number that the next message must have */
	unsigned long seen;
	unsigned long dropped;
	bool in_order;
};

static void reading_line(struct reading *r)
{
	const char *number = strstr(r->line, "message ");
	const char *dropped = strstr(r->line, " messages were dropped here");
	const char *word;

	if (dropped) {
		for (word = dropped; word > r->line && word[-1] != ' '; word--)
			;
		r->dropped += strtoul(word, NULL, 10);
		r->next += strtoul(word, NULL, 10);
	} else if (number) {
		r->in_order &= strtoul(number + 8, NULL, 10) == r->next;
		r->next++;
		r->seen++;
	}
}

static char room[65536];
static size_t room_used, room_read;

static bool char_next(char *c, int timeout_ms)
{
	struct pollfd p = { .fd = pipe_fds[0], .events = POLLIN };
	ssize_t n;

	if (room_read == room_used) {
		n = poll(&p, 1, timeout_ms) > 0 ? read(pipe_fds[0], room, sizeof(room)) : 0;
		room_used = n > 0 ? (size_t)n : 0;
		room_read = 0;
	}
	if (room_read == room_used)
		return false;
	*c = room[room_read++];
	return true;
}

/* Until all has been read that is queued. */
static void reading_run(struct reading *r)
{
	char c;

	for (;;) {
		bool all = room_read == room_used && jvpn_log_flush(0);

		if (!char_next(&c, all ? 0 : 100)) {
			if (all)
				return;
			continue;
		}
		if (r->used < sizeof(r->line) - 1)
			r->line[r->used++] = c;
		if (c != '\n')
			continue;
		r->line[r->used] = '\0';
		reading_line(r);
		r->used = 0;
	}
}

static void reader_returns_test(void)
{
	struct reading r = { .in_order = true };

	for (unsigned long i = 0; i < MESSAGES; i++)
		jvpn_info("message %lu of those that nobody reads", i);
	tap_ok(true, "%d messages into a pipe that is full do not stop who writes them", MESSAGES);
	tap_ok(!jvpn_log_flush(50), "a flush that cannot succeed ends, and says so");
	reading_run(&r);
	tap_ok(r.in_order, "what was kept is whole and in its order, gaps are where they are told");
	tap_ok(r.dropped > 0, "what was dropped is told");
	tap_equal(r.seen + r.dropped, MESSAGES, "each message was either kept or counted");
	tap_ok(jvpn_log_flush(5000), "a flush succeeds once somebody reads");
}

static void lines_test(void)
{
	char text[4000], line[4096] = "";
	size_t used = 0;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	jvpn_info("%s", text);
	while (used < sizeof(line) - 1 && char_next(line + used, 5000) && line[used] != '\n')
		used++;
	tap_ok(used > 1000 && used < sizeof(text), "a message that is too long loses its end only");
	jvpn_log_text(JVPN_LOG_ERROR, "one\ntwo\n");
	for (used = 0; used < 4 && char_next(line + used, 5000); used++)
		;
	tap_ok(used == 4 && !memcmp(line, "one\n", 4), "text goes out as it is");
}

int main(void)
{
	alarm(TIMEOUT_S);
	if (pipe(pipe_fds) || dup2(pipe_fds[1], STDERR_FILENO) < 0)
		return 1;
	jvpn_log_init("test", JVPN_LOG_INFO);
	if (jvpn_log_detach())
		return 1;
	reader_returns_test();
	lines_test();
	return tap_done();
}
