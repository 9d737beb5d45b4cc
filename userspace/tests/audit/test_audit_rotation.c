// SPDX-License-Identifier: GPL-2.0
/*
 * An audit log that is rotated and whose writer is killed, at any moment: all files together are
 * one log in which nothing is missing and nothing is doubled. And what a start reads of a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/jvpn.h>

#include "../tap.h"
#include "audit_trail.h"
#include "audit_verify.h"
#include "keys.h"
#include "log.h"
#include "util.h"

#define SESSIONS 3
#define ROUNDS 32
#define FILES_MAX (2 * ROUNDS + 2)
#define LINES 300000
#define BUSY_FILES 400

static char folder[] = "/tmp/jvpn-rotation-XXXXXX";
static char path[128], state[128];
static unsigned int rotated;		/* files that the log was rotated to */
static struct jvpn_audit_report report;

static const struct jvpn_audit_transport wifi = {
	.name = "wifi", .protocol = "udp4", .remote = "203.0.113.1:51900",
};

/* What the kernel knows, whoever is killed. */
static struct shared {
	volatile uint64_t version[SESSIONS];
	volatile bool reopen;
	volatile uint64_t steps;
	volatile uint64_t pause_at;	/* no step beyond it, unless it is 0 */
} *shared;

/* --- the writer ----------------------------------------------------------------- */

static struct jvpn_audit *audit_open_as(const char *state_path)
{
	struct jvpn_audit_options options = {
		.sink = JVPN_AUDIT_FILE, .file = path, .node = "gw1", .state = state_path,
	};
	char err[512];
	struct jvpn_audit *audit = jvpn_audit_open(&options, err, sizeof(err));

	if (!audit)
		tap_note("%s", err);
	return audit;
}

static void session_id(unsigned int n, uint8_t id[16])
{
	memset(id, 0, 16);
	id[0] = (uint8_t)(n + 1);
}

/* Odd versions are ATTACHED, even ones RECOVERING. */
static void step_write(struct jvpn_audit *audit, unsigned int n, uint64_t version)
{
	uint8_t id[16];
	bool up = version % 2, birth = version == 1;
	struct jvpn_audit_transition t = {
		.session_id = id, .version = version,
		.from = birth ? JVPN_STATE_BIRTH : up ? JVPN_STATE_RECOVERING : JVPN_STATE_ATTACHED,
		.to = up ? JVPN_STATE_ATTACHED : JVPN_STATE_RECOVERING,
		.event = birth ? JVPN_EVENT_HANDSHAKE_DONE : up ? JVPN_EVENT_REATTACH_COMMIT :
			 JVPN_EVENT_TRANSPORT_DEAD,
		.reason = birth ? JVPN_REASON_HANDSHAKE_OK : up ? JVPN_REASON_REATTACH_OK :
			  JVPN_REASON_PROBE_TIMEOUT,
		.epoch = (uint32_t)((version - 1) / 2), .transport = up ? &wifi : NULL,
		.lost = up ? NULL : &wifi,
	};

	session_id(n, id);
	jvpn_audit_write(audit, jvpn_audit_build_transition(audit, &t));
}

/* As a daemon that adopts: what is missing in the log is written. False: it cannot know. */
static bool catch_up(struct jvpn_audit *audit)
{
	for (unsigned int n = 0; n < SESSIONS; n++) {
		uint64_t version = 0;
		uint8_t id[16];

		session_id(n, id);
		if (jvpn_audit_version_known(audit, id, &version) == JVPN_AUDIT_PAST_UNKNOWN)
			return false;
		for (version++; version <= shared->version[n]; version++)
			step_write(audit, n, version);
	}
	return true;
}

static void writer_run(void)
{
	struct jvpn_audit *audit = audit_open_as(state);
	unsigned int n = 0;

	if (!audit || !catch_up(audit))
		_exit(1);
	for (;;) {
		n = (n + 1) % SESSIONS;
		shared->version[n]++;
		step_write(audit, n, shared->version[n]);
		shared->steps++;
		if (shared->reopen) {
			jvpn_audit_reopen(audit);
			shared->reopen = false;
		}
		do
			usleep(20);
		while (shared->pause_at && shared->steps >= shared->pause_at);
	}
}

static pid_t writer_start(void)
{
	pid_t pid = fork();

	if (!pid)
		writer_run();
	return pid;
}

/* --- rotation -------------------------------------------------------------------- */

static void file_name(unsigned int n, char *name, size_t size)
{
	snprintf(name, size, "%s.%u", path, n);
}

static void files_shift(void)
{
	char from[160], to[160];

	for (unsigned int n = rotated; n; n--) {
		file_name(n, from, sizeof(from));
		file_name(n + 1, to, sizeof(to));
		rename(from, to);
	}
	rotated++;
}

static void rotate_by_name(void)
{
	char to[160];

	if (access(path, F_OK))
		return;
	files_shift();
	file_name(1, to, sizeof(to));
	rename(path, to);
}

/* Returns the file that was cut off. */
static ino_t rotate_by_copy(unsigned int pause_us)
{
	char to[160], data[8192];
	int from_fd = open(path, O_RDWR), fd;
	struct stat st;
	ssize_t n;

	if (from_fd < 0 || fstat(from_fd, &st))
		return 0;
	files_shift();
	file_name(1, to, sizeof(to));
	/* As many as can be written again, however busy the machine is. */
	shared->pause_at = shared->steps + 300;
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	while ((n = read(from_fd, data, sizeof(data))) > 0)
		if (write(fd, data, (size_t)n) != n)
			exit(1);
	close(fd);
	usleep(pause_us);
	if (ftruncate(from_fd, 0))
		exit(1);
	close(from_fd);
	shared->pause_at = 0;
	return st.st_ino;
}

static void steps_wait(uint64_t more)
{
	uint64_t until = shared->steps + more;

	for (unsigned int i = 0; i < 20000 && shared->steps < until; i++)
		usleep(100);
}

/* The copy was noticed: another file has taken the place of the one that was cut off. */
static void cut_noticed_wait(ino_t cut)
{
	struct stat st = { .st_ino = cut };

	for (unsigned int i = 0; i < 100000 && st.st_ino == cut; i++) {
		usleep(100);
		if (stat(path, &st))
			st.st_ino = cut;
	}
}

/* --- verdict ----------------------------------------------------------------------- */

static bool files_verify(void)
{
	static char names[FILES_MAX][160];
	const char *files[FILES_MAX];
	unsigned int count = 0;
	char err[256];

	for (unsigned int n = rotated; n; n--, count++) {
		file_name(n, names[count], sizeof(names[count]));
		files[count] = names[count];
	}
	if (!access(path, F_OK))
		files[count++] = path;
	jvpn_audit_report_free(&report);
	if (jvpn_audit_verify(files, count, NULL, &report, err, sizeof(err)))
		tap_note("%s", err);
	if (jvpn_audit_report_refuted(&report))
		jvpn_audit_report_print(&report, stdout);
	return !jvpn_audit_report_refuted(&report);
}

static void files_remove(void)
{
	char name[160];

	for (; rotated; rotated--) {
		file_name(rotated, name, sizeof(name));
		unlink(name);
	}
	unlink(path);
	unlink(state);
}

/* --- tests -------------------------------------------------------------------------- */

enum { KILL_ONLY, RENAME_AWAY, COPY_AWAY, RENAME_RUNNING, COPY_RUNNING, WAYS };

static void round_run(unsigned int way)
{
	pid_t pid = writer_start();
	int status;

	steps_wait(1 + (unsigned int)rand() % 100);
	if (way == RENAME_RUNNING) {
		rotate_by_name();
		shared->reopen = true;
		steps_wait((unsigned int)rand() % 100);
	} else if (way == COPY_RUNNING) {
		ino_t cut = rotate_by_copy((unsigned int)rand() % 3000);

		steps_wait(20);
		cut_noticed_wait(cut);
	}
	usleep((useconds_t)rand() % 500);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status))
		tap_note("a writer could not continue");
	if (way == RENAME_AWAY)
		rotate_by_name();
	else if (way == COPY_AWAY)
		rotate_by_copy(0);
}

static void killed_test(unsigned int way, const char *claim)
{
	bool good;

	memset(shared, 0, sizeof(*shared));
	for (unsigned int i = 0; i < ROUNDS / 4; i++)
		round_run(way);
	good = files_verify();
	tap_ok(good && report.lines, "%s (%llu lines)", claim, (unsigned long long)report.lines);
	files_remove();
}

static void killed_any_test(void)
{
	unsigned int seed = (unsigned int)time(NULL);
	struct jvpn_audit *audit;
	uint64_t transitions = 0;

	srand(seed);
	memset(shared, 0, sizeof(*shared));
	for (unsigned int i = 0; i < ROUNDS; i++)
		round_run((unsigned int)rand() % WAYS);
	audit = audit_open_as(state);
	tap_ok(audit && catch_up(audit), "in the end the log is continued");
	jvpn_audit_close(audit);
	tap_ok(files_verify(), "killed and rotated in any way, %u times (seed %u)", ROUNDS, seed);
	for (unsigned int n = 0; n < SESSIONS; n++)
		transitions += shared->version[n];
	tap_equal(report.transitions, transitions, "each transition is there, once");
	tap_equal(report.missed, 0, "and none is told to be missing");
	files_remove();
}

/* A file of the log, last written to at this nanosecond of a second that has passed. */
static void file_make(const char *name, const char *text, long nanosecond)
{
	struct timespec times[2] = { { .tv_sec = 1000, .tv_nsec = nanosecond } };
	FILE *file = fopen(name, "w");

	fputs(text, file);
	fclose(file);
	times[1] = times[0];
	utimensat(AT_FDCWD, name, times, 0);
}

/* More files than are looked at; the copy is the youngest of them, by less than a second. */
static void busy_second_test(void)
{
	struct jvpn_audit *audit = audit_open_as(state);
	char name[160], copy[160], *text = NULL;
	size_t size = 0;
	FILE *file;

	memset(shared, 0, sizeof(*shared));
	step_write(audit, 0, 1);
	jvpn_audit_flush(audit, 10000);
	file = fopen(path, "r");
	if (getdelim(&text, &size, 0, file) < 0)
		exit(1);
	fclose(file);
	step_write(audit, 0, 2);
	jvpn_audit_flush(audit, 10000);
	for (unsigned int n = 2; n <= BUSY_FILES; n++) {
		file_name(n, name, sizeof(name));
		file_make(name, "", n);
	}
	file_name(1, copy, sizeof(copy));
	file_make(copy, text, 999999999);
	free(text);
	if (truncate(path, 0))
		exit(1);
	step_write(audit, 0, 3);
	jvpn_audit_close(audit);
	rotated = 1;
	tap_ok(files_verify() && report.transitions == 3,
	       "the copy of the log is found among those of the same second");
	rotated = BUSY_FILES;
	files_remove();
}

static void lines_make(unsigned long count)
{
	FILE *file = fopen(path, "w");

	for (unsigned long i = 1; i <= count; i++)
		fprintf(file, "{\"seq\":%lu,\"prev\":\"00\",\"ts_ms\":1,\"boot_ms\":1,\"event\":"
			"\"HEALTH\",\"session_id\":null,\"node\":\"gw1\",\"details\":\"%0100d\"}\n", i, 0);
	fclose(file);
}

static void bounded_test(void)
{
	struct jvpn_audit_status status;
	struct jvpn_audit *audit;

	lines_make(LINES);
	audit = audit_open_as(state);
	jvpn_audit_status(audit, &status);
	tap_equal(status.seq, LINES + 1, "a log of 300,000 lines is continued");
	tap_ok(status.octets_read <= 2 * JVPN_AUDIT_TRAIL_MAX, "of which %llu octets are read",
	       (unsigned long long)status.octets_read);
	jvpn_audit_close(audit);
	audit = audit_open_as(state);
	jvpn_audit_status(audit, &status);
	tap_ok(status.octets_read <= 1000, "the next time, when its end is remembered, %llu octets",
	       (unsigned long long)status.octets_read);
	jvpn_audit_close(audit);
	files_remove();
}

static void forgotten_test(void)
{
	struct jvpn_audit_adoption adoption = {
		.state = JVPN_STATE_ATTACHED, .version = 7, .epoch = 3, .transport = &wifi,
		.missed_unknown = true,
	};
	struct jvpn_audit *audit = audit_open_as(state);
	uint64_t version;
	uint8_t id[16];

	memset(shared, 0, sizeof(*shared));
	for (version = 1; version <= 3; version++)
		step_write(audit, 0, version);
	jvpn_audit_close(audit);
	/* So that the end of the file does not tell either. */
	audit = audit_open_as(state);
	for (unsigned int i = 0; i < 1000; i++)
		jvpn_audit_write(audit, jvpn_audit_build_note(audit, "HEALTH", NULL, NULL));
	jvpn_audit_close(audit);
	unlink(state);
	audit = audit_open_as(state);
	session_id(0, id);
	tap_ok(jvpn_audit_version_known(audit, id, &version) == JVPN_AUDIT_PAST_UNKNOWN,
	       "without its memory the log says that it does not know a session's past");
	adoption.session_id = id;
	jvpn_audit_write(audit, jvpn_audit_build_adoption(audit, &adoption));
	step_write(audit, 0, 8);
	jvpn_audit_close(audit);
	tap_ok(files_verify(), "which is then recorded as unknown");
	tap_equal(report.missed, 4, "and the verifier counts what is missing");
	files_remove();
}

static void file_put(const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

static bool file_holds(const char *text)
{
	char found[256] = "";
	FILE *file = fopen(path, "r");
	size_t n = fread(found, 1, sizeof(found) - 1, file);

	fclose(file);
	return n == strlen(text) && !strcmp(found, text);
}

static void foreign_test(void)
{
	static const char *const texts[] = {
		"root:x:0:0:root:/root:/bin/sh\nlast line without its end",
		"precious", "precious lines\n", "{\"seq\":1,\"prev\":\"00\"}\nnot ours",
	};

	for (size_t i = 0; i < JVPN_ARRAY_SIZE(texts); i++) {
		struct jvpn_audit *audit;

		file_put(texts[i]);
		audit = audit_open_as(NULL);
		tap_ok(!audit && file_holds(texts[i]), "what is no audit log is refused and left alone");
		jvpn_audit_close(audit);
	}
	files_remove();
}

/* Other logs in the folder whose names begin as this one's. */
static void neighbour_test(void)
{
	struct jvpn_audit_options options = {
		.sink = JVPN_AUDIT_FILE, .node = "other",
	};
	char neighbour[160], err[256];
	struct jvpn_audit_status status;
	struct jvpn_audit *audit;

	for (unsigned int i = 0; i < 2; i++) {
		snprintf(neighbour, sizeof(neighbour), "%s%s", path, i ? ".1" : "-twin");
		options.file = neighbour;
		jvpn_audit_close(jvpn_audit_open(&options, err, sizeof(err)));
		audit = audit_open_as(NULL);
		jvpn_audit_status(audit, &status);
		tap_equal(status.seq, 1, "the log of somebody else is not continued");
		jvpn_audit_close(audit);
		unlink(neighbour);
		unlink(path);
	}
}

static void full_pipe_test(void)
{
	struct jvpn_audit_options options = { .sink = JVPN_AUDIT_STDOUT, .node = "gw1" };
	int fds[2], saved = dup(STDOUT_FILENO);
	struct jvpn_audit *audit;
	char err[256];
	bool closed;

	fflush(stdout);
	if (pipe(fds))
		exit(1);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], "x", 1) == 1)
		;
	fcntl(fds[1], F_SETFL, 0);
	dup2(fds[1], STDOUT_FILENO);
	audit = jvpn_audit_open(&options, err, sizeof(err));
	for (uint64_t version = 1; audit && version < 20000; version++)
		step_write(audit, 0, version);
	closed = jvpn_audit_close(audit);
	dup2(saved, STDOUT_FILENO);
	tap_ok(audit && !closed, "a standard output that nobody reads holds nobody up");
}

int main(void)
{
	char err[128];

	if (!mkdtemp(folder) || jvpn_keys_init(err, sizeof(err)))
		return 2;
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(state, sizeof(state), "%s/state", folder);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	jvpn_log_init("test", JVPN_LOG_ERROR);
	killed_test(KILL_ONLY, "killed at any moment");
	killed_test(RENAME_AWAY, "killed, and renamed before it is continued");
	killed_test(COPY_AWAY, "killed, and copied and cut off before it is continued");
	killed_test(RENAME_RUNNING, "renamed and opened anew while it is written, then killed");
	killed_test(COPY_RUNNING, "copied and cut off while it is written, then killed");
	killed_any_test();
	busy_second_test();
	bounded_test();
	forgotten_test();
	foreign_test();
	neighbour_test();
	full_pipe_test();
	jvpn_audit_report_free(&report);
	tap_ok(!rmdir(folder), "nothing is left behind");
	return tap_done();
}
