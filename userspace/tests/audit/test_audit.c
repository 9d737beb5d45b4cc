// SPDX-License-Identifier: GPL-2.0
/*
 * The audit log: what the writer writes is verified, what was tampered with or
 * breaks a property is refuted in the right line.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/jvpn.h>

#include "../tap.h"
#include "audit_verify.h"
#include "keys.h"
#include "util.h"

#define LINES_MAX 64

static char folder[] = "/tmp/jvpn-audit-XXXXXX";
static char path[128], other[128], state[128];
static uint64_t base;			/* CLOCK_BOOTTIME a little after the log was opened */
static const uint8_t alice[16] = { 0xa1 }, bob[16] = { 0xb0 };
static const struct jvpn_audit_transport wifi = {
	.name = "wifi", .protocol = "udp4", .interface = "wlan0", .local = "192.0.2.7:4000",
	.remote = "203.0.113.1:51900",
};
static const struct jvpn_audit_transport cable = {
	.name = "cable", .protocol = "udp4", .interface = "eth0", .local = "198.51.100.7:4001",
	.remote = "203.0.113.1:51900",
};

/* Writing. */

static struct jvpn_audit *open_as(const char *file, const char *node, size_t queue)
{
	struct jvpn_audit_options options = {
		.sink = JVPN_AUDIT_FILE, .file = file, .node = node, .queue_records = queue,
		.state = state,
	};
	char err[512];
	struct jvpn_audit *audit = jvpn_audit_open(&options, err, sizeof(err));

	if (!audit) {
		printf("Bail out! %s\n", err);
		exit(2);
	}
	return audit;
}

static void write_policy(struct jvpn_audit *audit)
{
	const struct jvpn_policy_def *policy = jvpn_policy_builtin_find("default");

	jvpn_audit_write(audit, jvpn_audit_build_policy(audit, policy));
}

static struct jvpn_audit *open_new(void)
{
	struct jvpn_audit *audit;

	unlink(path);
	unlink(state);
	audit = open_as(path, "gw1", 0);
	base = jvpn_util_time_boot_ms() + 100;
	write_policy(audit);
	return audit;
}

static struct jvpn_audit_transition step(const uint8_t *id, uint64_t version, uint32_t from,
					 uint32_t to, uint32_t event, uint32_t reason)
{
	const struct jvpn_policy_def *policy = jvpn_policy_builtin_find("default");

	return (struct jvpn_audit_transition) {
		.session_id = id, .version = version, .from = from, .to = to, .event = event,
		.reason = reason, .epoch = 1, .policy = policy->name,
		.policy_version = policy->version, .boot_ms = base + version * 10,
	};
}

static void write_step(struct jvpn_audit *audit, const struct jvpn_audit_transition *t)
{
	jvpn_audit_write(audit, jvpn_audit_build_transition(audit, t));
}

static void birth_at(struct jvpn_audit *audit, const uint8_t *id, uint64_t boot_ms)
{
	struct jvpn_audit_transition t = step(id, 1, JVPN_STATE_BIRTH, JVPN_STATE_ATTACHED,
		JVPN_EVENT_HANDSHAKE_DONE, JVPN_REASON_HANDSHAKE_OK);

	t.transport = &wifi;
	t.epoch = 0;
	if (boot_ms)
		t.boot_ms = boot_ms;
	write_step(audit, &t);
}

static void birth(struct jvpn_audit *audit, const uint8_t *id)
{
	birth_at(audit, id, 0);
}

static void loss(struct jvpn_audit *audit, const uint8_t *id, uint64_t version,
		 const struct jvpn_audit_transport *lost, uint64_t boot_ms)
{
	struct jvpn_audit_transition t = step(id, version, JVPN_STATE_ATTACHED,
		JVPN_STATE_RECOVERING, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_PROBE_TIMEOUT);

	t.lost = lost;
	t.by_kernel = true;
	if (boot_ms)
		t.boot_ms = boot_ms;
	write_step(audit, &t);
}

static void commit(struct jvpn_audit *audit, const uint8_t *id, uint64_t version, uint32_t epoch,
		   const struct jvpn_audit_transport *transport, uint64_t boot_ms)
{
	struct jvpn_audit_transition t = step(id, version, JVPN_STATE_RECOVERING,
		JVPN_STATE_ATTACHED, JVPN_EVENT_REATTACH_COMMIT, JVPN_REASON_REATTACH_OK);

	t.transport = transport;
	t.epoch = epoch;
	if (boot_ms)
		t.boot_ms = boot_ms;
	write_step(audit, &t);
}

static void end(struct jvpn_audit *audit, const uint8_t *id, uint64_t version, uint32_t from,
		uint32_t reason, const struct jvpn_audit_transport *lost, uint64_t boot_ms)
{
	struct jvpn_audit_transition t = step(id, version, from, JVPN_STATE_TERMINATED,
					      JVPN_EVENT_TERMINATE, reason);

	t.lost = lost;
	if (boot_ms)
		t.boot_ms = boot_ms;
	write_step(audit, &t);
}

static void refuse(struct jvpn_audit *audit, const uint8_t *id, uint32_t reject, uint32_t state,
		   uint64_t version)
{
	struct jvpn_audit_refusal r = {
		.session_id = id, .reject = reject, .request = "PROOF", .state = state,
		.version = version, .policy = "default",
		.policy_version = jvpn_policy_builtin_find("default")->version,
		.transport = &cable,
	};

	jvpn_audit_write(audit, jvpn_audit_build_refusal(audit, &r));
}

/*
 * Line 1 AUDIT_OPEN, 2 POLICY, 3 alice 1, 4 bob 1, 5 alice 2 (lost), 6 a refusal,
 * 7 alice 3 (back), 8 bob 2 (ended).
 */
static void write_good(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	birth(audit, bob);
	loss(audit, alice, 2, &wifi, 0);
	refuse(audit, alice, JVPN_REJECT_STALE_VERSION, JVPN_STATE_RECOVERING, 2);
	commit(audit, alice, 3, 2, &cable, 0);
	end(audit, bob, 2, JVPN_STATE_ATTACHED, JVPN_REASON_OPERATOR, &wifi, 0);
	jvpn_audit_close(audit);
}

/* Lines of a file, to tamper with. */

static char *lines[LINES_MAX];
static size_t n_lines;

static void lines_read(const char *file)
{
	FILE *in = fopen(file, "r");
	size_t size = 0;

	for (n_lines = 0; n_lines < LINES_MAX; n_lines++) {
		lines[n_lines] = NULL;
		if (getline(&lines[n_lines], &size, in) <= 0)
			break;
		size = 0;
	}
	free(lines[n_lines]);
	fclose(in);
}

static void lines_write(const char *file)
{
	FILE *out = fopen(file, "w");

	for (size_t i = 0; i < n_lines; i++) {
		fputs(lines[i], out);
		free(lines[i]);
	}
	fclose(out);
}

static void line_remove(size_t number)
{
	free(lines[number - 1]);
	memmove(&lines[number - 1], &lines[number], (n_lines - number) * sizeof(*lines));
	n_lines--;
}

static void line_insert(size_t number, char *text)
{
	memmove(&lines[number], &lines[number - 1], (n_lines - number + 1) * sizeof(*lines));
	lines[number - 1] = text;
	n_lines++;
}

/* Replaces text in a line by text of the same length. */
static void line_alter(size_t number, const char *from, const char *to)
{
	char *at = strstr(lines[number - 1], from);

	if (!at || strlen(from) != strlen(to)) {
		printf("Bail out! line %zu has no %s\n", number, from);
		exit(2);
	}
	memcpy(at, to, strlen(to));
}

/* Judging. */

static struct jvpn_audit_report report;

static void judge_files(const char *const *files, size_t count,
			const struct jvpn_audit_verify_options *options)
{
	char err[256];

	jvpn_audit_report_free(&report);
	if (jvpn_audit_verify(files, count, options, &report, err, sizeof(err)))
		printf("# %s\n", err);
}

static void judge(void)
{
	const char *files[] = { path };

	judge_files(files, 1, NULL);
}

static void verified(const char *claim)
{
	if (!tap_ok(!jvpn_audit_report_refuted(&report) && report.lines, "%s", claim))
		jvpn_audit_report_print(&report, stdout);
}

static bool found(uint64_t line, enum jvpn_audit_property property, const char *text)
{
	for (size_t i = 0; i < report.violations.count; i++) {
		const struct jvpn_audit_finding *finding = &report.violations.list[i];

		if (finding->line == line && finding->property == property &&
		    strstr(finding->text, text))
			return true;
	}
	return false;
}

static void refuted(uint64_t line, enum jvpn_audit_property property, const char *text,
		    const char *claim)
{
	if (!tap_ok(found(line, property, text), "%s", claim)) {
		tap_note("wanted line %llu %s: %s", (unsigned long long)line,
			 jvpn_audit_property_name(property), text);
		jvpn_audit_report_print(&report, stdout);
	}
}

static bool noted(const char *text)
{
	for (size_t i = 0; i < report.notes.count; i++)
		if (strstr(report.notes.list[i].text, text))
			return true;
	return false;
}

/* Tests of what is written. */

static void test_good(void)
{
	write_good();
	judge();
	verified("a good log is verified");
	tap_equal(report.lines, 8, "eight lines");
	tap_equal(report.transitions, 5, "five transitions");
	tap_equal(report.sessions, 2, "two sessions");
	tap_equal(report.live, 1, "one is alive at the end");
	tap_equal((unsigned long long)json_integer_value(
		json_object_get(report.refused, "STALE_VERSION")), 1, "the refusal is counted");
	tap_equal(report.notes.total, 0, "nothing to remark");
}

static void test_fields(void)
{
	static const char *const names[] = {
		"ts", "ts_ms", "seq", "prev", "event", "session_id", "from", "to", "reason",
		"state_version", "node", "policy", "policy_version", "transport", NULL,
	};
	json_t *record;
	bool all = true;
	struct stat st;

	write_good();
	lines_read(path);
	record = json_loads(lines[4], 0, NULL);
	for (const char *const *name = names; *name; name++)
		all &= json_object_get(record, *name) != NULL;
	tap_ok(record && all, "a transition has all its fields");
	tap_text(json_string_value(json_object_get(record, "reason")), "PROBE_TIMEOUT",
		 "and its reason code");
	json_decref(record);
	lines_write(path);
	stat(path, &st);
	tap_equal(st.st_mode & 0777, 0640, "the file's mode is 0640");
}

static void test_continue(void)
{
	struct jvpn_audit *audit;
	uint64_t version = 0;

	write_good();
	audit = open_as(path, "gw1", 0);
	tap_ok(jvpn_audit_version_known(audit, alice, &version) == JVPN_AUDIT_PAST_KNOWN &&
	       version == 3, "the last version of a living session is known");
	tap_ok(jvpn_audit_version_known(audit, bob, &version) == JVPN_AUDIT_PAST_KNOWN,
	       "so is that of an ended one");
	tap_ok(jvpn_audit_version_known(audit, (uint8_t[16]){ 7 }, &version) ==
	       JVPN_AUDIT_PAST_NONE, "one that never was is not");
	jvpn_audit_forget(audit, bob);
	jvpn_audit_flush(audit, 1000);
	tap_ok(jvpn_audit_version_known(audit, bob, &version) == JVPN_AUDIT_PAST_NONE,
	       "the ended one can be forgotten");
	loss(audit, alice, 4, &cable, 0);
	jvpn_audit_close(audit);
	judge();
	verified("a continued log is verified");
	tap_equal(report.seq, 10, "numbers go on");
}

static void tear(const char *text)
{
	FILE *file = fopen(path, "a");

	fputs(text, file);
	fclose(file);
}

static void test_torn(void)
{
	struct jvpn_audit *audit;

	write_good();
	tear("{\"seq\":9,\"prev\":\"00");
	judge();
	verified("a torn tail does not refute what is before it");
	tap_ok(noted("torn after 19 octets"), "but is noted");
	audit = open_as(path, "gw1", 0);
	loss(audit, alice, 4, &cable, 0);
	jvpn_audit_close(audit);
	judge();
	verified("a log continued after a crash is verified");
	tap_ok(noted("torn last line of 19 octets"), "the log tells about the torn line");
}

static void test_torn_whole(void)
{
	struct jvpn_audit *audit;
	struct stat st;

	write_good();
	stat(path, &st);
	if (truncate(path, st.st_size - 1))
		perror(path);
	judge();
	verified("a last line that only lacks its newline counts");
	tap_equal(report.transitions, 5, "with its transition");
	audit = open_as(path, "gw1", 0);
	jvpn_audit_close(audit);
	judge();
	verified("and is completed when the log is continued");
	tap_equal(report.transitions, 5, "nothing was cut off");
}

static void test_damaged(void)
{
	struct jvpn_audit *audit;

	write_good();
	tear("garbage\n");
	audit = open_as(path, "gw1", 0);
	loss(audit, alice, 4, &cable, 0);
	jvpn_audit_close(audit);
	judge();
	refuted(9, JVPN_AUDIT_FORMAT, "not a JSON object", "a foreign line is refuted");
	tap_equal(report.violations.total, 1, "and nothing after it");
}

static void test_locked(void)
{
	struct jvpn_audit_options options = { .sink = JVPN_AUDIT_FILE, .file = path, .node = "x" };
	struct jvpn_audit *audit = open_new();
	char err[512] = "";

	tap_ok(!jvpn_audit_open(&options, err, sizeof(err)), "a second writer is refused");
	tap_contains(err, "another process", "and told why");
	options.file = "/nonexistent/x";
	tap_ok(!jvpn_audit_open(&options, err, sizeof(err)), "a missing folder is refused");
	tap_contains(err, "folder must exist", "and told why");
	jvpn_audit_close(audit);
}

static void test_rotate(void)
{
	const char *files[] = { other, path };
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	jvpn_audit_flush(audit, 1000);
	jvpn_audit_reopen(audit);
	jvpn_audit_flush(audit, 1000);
	judge();
	tap_equal(report.lines, 3, "reopening an unmoved file writes nothing");
	rename(path, other);
	jvpn_audit_reopen(audit);
	loss(audit, alice, 2, &wifi, 0);
	jvpn_audit_close(audit);
	judge_files(files, 2, NULL);
	verified("a rotated log is verified as one");
	tap_equal(report.transitions, 2, "with the transitions of both files");
	judge();
	verified("its second file alone is verified");
	tap_ok(noted("begins at seq 4") && noted("before version 2"),
	       "and says that it is a continuation");
	files[0] = path;
	files[1] = other;
	judge_files(files, 2, NULL);
	tap_ok(jvpn_audit_report_refuted(&report), "files in the wrong order are refuted");
	unlink(other);
}

/* A full queue: the sink stands still because the file may not grow. */
static void test_lost(void)
{
	struct rlimit limit = { .rlim_cur = 0, .rlim_max = RLIM_INFINITY }, saved;
	struct jvpn_audit_status status;
	struct jvpn_audit *audit;
	unsigned int refused = 0;
	uint64_t lost;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &saved);
	unlink(path);
	audit = open_as(path, "gw1", 16);
	write_policy(audit);
	birth(audit, alice);
	jvpn_audit_flush(audit, 1000);
	limit.rlim_max = saved.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	for (unsigned int i = 0; i < 200; i++)
		refused += jvpn_audit_write(audit, jvpn_audit_build_note(audit, "HEALTH", NULL,
									 NULL)) != 0;
	loss(audit, alice, 2, &wifi, 0);
	tap_ok(jvpn_audit_flush(audit, 200) != 0, "flush tells that the sink stands still");
	jvpn_audit_status(audit, &status);
	lost = status.lost;
	tap_ok(refused > 100 && lost > refused, "records are refused at once, not waited for");
	tap_contains(status.error, "File too large", "the status says why");
	setrlimit(RLIMIT_FSIZE, &saved);
	tap_equal((unsigned int)jvpn_audit_flush(audit, 5000), 0, "the writer goes on by itself");
	commit(audit, alice, 3, 2, &cable, 0);
	jvpn_audit_close(audit);
	judge();
	verified("a log with losses is verified");
	tap_equal(report.lost, lost, "and tells exactly how many records are missing");
	tap_ok(noted("1 transition is not in the log"), "a missing version is put down to them");
}

static void test_partial_write(void)
{
	struct rlimit limit, saved;
	struct jvpn_audit *audit = open_new();
	struct stat st;

	getrlimit(RLIMIT_FSIZE, &saved);
	jvpn_audit_flush(audit, 1000);
	stat(path, &st);
	limit = (struct rlimit) { .rlim_cur = (rlim_t)st.st_size + 100,
				  .rlim_max = saved.rlim_max };
	setrlimit(RLIMIT_FSIZE, &limit);
	birth(audit, alice);
	jvpn_audit_flush(audit, 200);
	stat(path, &st);
	tap_equal((unsigned long long)st.st_size, limit.rlim_cur - 100,
		  "a line that was written in part is taken back");
	setrlimit(RLIMIT_FSIZE, &saved);
	jvpn_audit_close(audit);
	judge();
	verified("and written whole afterwards");
	tap_equal(report.transitions, 1, "exactly once");
}

static void test_killed(void)
{
	struct stat st;
	int status;
	pid_t child;

	unlink(path);
	child = fork();

	if (!child) {
		struct jvpn_audit *audit = open_new();

		birth(audit, alice);
		for (;;)
			refuse(audit, alice, JVPN_REJECT_REPLAY, JVPN_STATE_ATTACHED, 1);
	}
	while (stat(path, &st) || st.st_size < 8000)
		usleep(1000);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	jvpn_audit_close(open_as(path, "gw1", 0));
	judge();
	verified("a log whose writer was killed is verified");
	tap_ok(report.lines > 10, "it had written %llu lines", (unsigned long long)report.lines);
}

static void test_stdout(void)
{
	struct jvpn_audit_options options = { .sink = JVPN_AUDIT_STDOUT, .node = "gw1" };
	int saved = dup(STDOUT_FILENO), fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	struct jvpn_audit *audit;
	char err[256] = "";

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	audit = jvpn_audit_open(&options, err, sizeof(err));
	if (audit)
		birth(audit, alice);
	jvpn_audit_close(audit);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	judge();
	verified("what goes to standard output is verified");
	tap_equal(report.lines, 2, "two lines");
	tap_ok(report.undecided[JVPN_AUDIT_L3], "without a POLICY record bounds are undecided");
}

/* Tests of what was done to a file afterwards. */

static void test_removed(void)
{
	static const struct { size_t line; const char *text; } cases[] = {
		{ 5, "1 line was removed" }, { 2, "1 line was removed" },
		{ 1, "its beginning is missing" },
	};

	for (size_t i = 0; i < JVPN_ARRAY_SIZE(cases); i++) {
		write_good();
		lines_read(path);
		line_remove(cases[i].line);
		lines_write(path);
		judge();
		refuted(cases[i].line, JVPN_AUDIT_CHAIN, cases[i].text,
			"a removed line is refuted");
	}
	write_good();
	lines_read(path);
	line_remove(5);
	line_remove(5);
	lines_write(path);
	judge();
	refuted(5, JVPN_AUDIT_CHAIN, "2 lines were removed", "two removed lines are refuted");
	refuted(5, JVPN_AUDIT_I3, "from 1 to 3, not to 2", "and the missing version with them");
}

/* Everything up to a later AUDIT_OPEN cut off, so that the rest looks like a file of its own. */
static void test_beheaded(void)
{
	struct jvpn_audit *audit;

	write_good();
	audit = open_as(path, "gw1", 0);
	loss(audit, alice, 4, &cable, 0);
	jvpn_audit_close(audit);
	lines_read(path);
	for (unsigned int i = 0; i < 8; i++)
		line_remove(1);
	lines_write(path);
	judge();
	refuted(1, JVPN_AUDIT_CHAIN, "something before it was removed",
		"a log cut at its beginning is refuted");
}

static void test_cut(void)
{
	struct jvpn_audit_verify_options options = { .has_head = true };
	const char *files[] = { path };
	struct jvpn_audit_status status;
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	loss(audit, alice, 2, &wifi, 0);
	jvpn_audit_flush(audit, 1000);
	jvpn_audit_status(audit, &status);
	jvpn_audit_close(audit);
	options.head_seq = status.seq;
	memcpy(options.head, status.head, sizeof(options.head));
	judge_files(files, 1, &options);
	verified("a log that ends with its head is verified");

	lines_read(path);
	line_remove(4);
	lines_write(path);
	judge();
	verified("a log cut at its end cannot be told from a whole one");
	judge_files(files, 1, &options);
	refuted(3, JVPN_AUDIT_CHAIN, "was cut after this line", "but its head tells");

	lines_read(path);
	line_insert(4, strdup(lines[2]));
	lines_write(path);
	judge();
	refuted(4, JVPN_AUDIT_CHAIN, "doubled", "the last line doubled is refuted");
}

static void test_altered(void)
{
	struct jvpn_audit_verify_options options = { .has_head = true };
	const char *files[] = { path };

	write_good();
	judge();
	options.head_seq = report.seq;
	memcpy(options.head, report.head, sizeof(options.head));
	lines_read(path);
	line_alter(5, "\"PROBE_TIMEOUT\"", "\"PROBE\"TIMEOUT\"");
	lines_write(path);
	judge();
	refuted(5, JVPN_AUDIT_FORMAT, "not a JSON object", "a line made malformed is refuted");
	tap_equal(report.by_property[JVPN_AUDIT_CHAIN], 0, "once");

	write_good();
	lines_read(path);
	line_alter(5, "192.0.2.7:4000", "192.0.2.8:4000");
	lines_write(path);
	judge();
	refuted(5, JVPN_AUDIT_CHAIN, "line was altered", "an altered line is refuted");

	write_good();
	lines_read(path);
	line_alter(8, "192.0.2.7", "192.0.2.8");
	lines_write(path);
	judge_files(files, 1, &options);
	tap_ok(jvpn_audit_report_refuted(&report), "the last line altered is refuted by the head");

	write_good();
	lines_read(path);
	line_alter(6, "\"seq\":6", "\"seq\":9");
	lines_write(path);
	judge();
	tap_ok(jvpn_audit_report_refuted(&report), "an altered number is refuted");
}

static void test_doubled(void)
{
	write_good();
	lines_read(path);
	line_insert(6, strdup(lines[4]));
	lines_write(path);
	judge();
	refuted(6, JVPN_AUDIT_CHAIN, "doubled: the same as line 5", "a doubled line is refuted");
	tap_equal(report.violations.total, 1, "and nothing else");

	write_good();
	lines_read(path);
	line_insert(8, strdup(lines[4]));
	lines_write(path);
	judge();
	refuted(8, JVPN_AUDIT_CHAIN, "goes back from 7 to 5", "a line doubled later is refuted");
	tap_equal(report.violations.total, 1, "and nothing else");
}

static void test_moved(void)
{
	char *line;

	write_good();
	lines_read(path);
	line = lines[4];
	lines[4] = lines[5];
	lines[5] = line;
	lines_write(path);
	judge();
	refuted(5, JVPN_AUDIT_CHAIN, "removed before this one", "two lines exchanged are refuted");
	refuted(6, JVPN_AUDIT_CHAIN, "the line", "at both places");
}

/* With seq and prev as they should be at that place: only the next line gives it away. */
static void test_inserted(void)
{
	json_t *next, *forged;
	char *text, *line;

	write_good();
	lines_read(path);
	next = json_loads(lines[5], 0, NULL);
	forged = json_loads(lines[4], 0, NULL);
	json_object_set(forged, "seq", json_object_get(next, "seq"));
	json_object_set(forged, "prev", json_object_get(next, "prev"));
	json_object_set_new(forged, "event", json_string("HEALTH"));
	json_object_del(forged, "to");
	json_object_del(forged, "state_version");
	text = json_dumps(forged, JSON_COMPACT);
	if (asprintf(&line, "%s\n", text) < 0)
		exit(2);
	line_insert(6, line);
	lines_write(path);
	judge();
	refuted(6, JVPN_AUDIT_CHAIN, "line was inserted", "an inserted line is refuted");
	tap_equal(report.violations.total, 1, "and nothing else");
	free(text);
	json_decref(next);
	json_decref(forged);
}

static void test_not_a_log(void)
{
	FILE *file = fopen(path, "w");

	fclose(file);
	judge();
	refuted(0, JVPN_AUDIT_FORMAT, "empty", "an empty file is refuted");
	file = fopen(path, "w");
	fputs("hello\n[1]\n{}\n{\"seq\":1,\"seq\":1}\n\n", file);
	fclose(file);
	judge();
	tap_equal(report.by_property[JVPN_AUDIT_FORMAT], 5, "five lines of nonsense are refuted");
}

/* Tests of logs that are well-formed, but tell of what must not be. */

static void test_illegal(void)
{
	struct jvpn_audit *audit = open_new();
	struct jvpn_audit_transition t = step(alice, 2, JVPN_STATE_ATTACHED, JVPN_STATE_DEGRADED,
		JVPN_EVENT_BOUND_EXCEEDED, JVPN_REASON_RECOVERY_WINDOW_EXCEEDED);

	birth(audit, alice);
	t.lost = &wifi;
	write_step(audit, &t);
	jvpn_audit_close(audit);
	judge();
	refuted(4, JVPN_AUDIT_S5, "illegal transition: BOUND_EXCEEDED in state ATTACHED",
		"an illegal transition is refuted");
}

/* Every pair that the table does not have, and every wrong target of those that it has. */
static void test_illegal_all(void)
{
	unsigned int wrong = 0, refuted_count = 0;

	for (uint32_t event = JVPN_EVENT_HANDSHAKE_DONE; event <= JVPN_EVENT_MAX; event++) {
		struct jvpn_audit *audit = open_new();
		struct jvpn_audit_transition t = step(alice, 2, JVPN_STATE_TERMINATED,
			JVPN_STATE_ATTACHED, event, JVPN_REASON_REATTACH_OK);

		birth(audit, alice);
		t.transport = &wifi;
		write_step(audit, &t);
		jvpn_audit_close(audit);
		judge();
		wrong++;
		refuted_count += report.by_property[JVPN_AUDIT_S5] != 0;
	}
	tap_equal(refuted_count, wrong, "nothing leads out of TERMINATED");
}

static void test_wrong_target(void)
{
	struct jvpn_audit *audit = open_new();
	struct jvpn_audit_transition t = step(alice, 2, JVPN_STATE_ATTACHED, JVPN_STATE_TERMINATED,
		JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_LINK_DOWN);

	birth(audit, alice);
	t.lost = &wifi;
	write_step(audit, &t);
	jvpn_audit_close(audit);
	judge();
	refuted(4, JVPN_AUDIT_S5, "leads from ATTACHED to RECOVERING, not to TERMINATED",
		"a wrong target is refuted");
}

static void test_wrong_reason(void)
{
	struct jvpn_audit *audit = open_new();
	struct jvpn_audit_transition t = step(alice, 2, JVPN_STATE_ATTACHED,
		JVPN_STATE_RECOVERING, JVPN_EVENT_TRANSPORT_DEAD, JVPN_REASON_OPERATOR_JUMP);

	birth(audit, alice);
	t.lost = &wifi;
	write_step(audit, &t);
	t.version = 3;
	t.reason = JVPN_REASON_NONE;
	write_step(audit, &t);
	jvpn_audit_close(audit);
	judge();
	refuted(4, JVPN_AUDIT_I5, "OPERATOR_JUMP is none of event TRANSPORT_DEAD",
		"a reason of another event is refuted");
	refuted(5, JVPN_AUDIT_I5, "no reason code", "a transition without a reason is refuted");
}

static void test_version_gap(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	loss(audit, alice, 3, &wifi, 0);
	commit(audit, alice, 3, 2, &wifi, 0);
	jvpn_audit_close(audit);
	judge();
	refuted(4, JVPN_AUDIT_I3, "from 1 to 3, not to 2", "a gap between versions is refuted");
	refuted(5, JVPN_AUDIT_I3, "from 3 to 3, not to 4", "a version that stands is refuted");
}

static void test_two_actives(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	commit(audit, alice, 2, 2, &cable, 0);
	jvpn_audit_close(audit);
	judge();
	refuted(4, JVPN_AUDIT_I1, "becomes active while", "two active transports are refuted");
	tap_ok(report.by_property[JVPN_AUDIT_I4] && report.by_property[JVPN_AUDIT_S1] &&
	       report.by_property[JVPN_AUDIT_S5], "for I4, S1 and S5 too");
}

static void test_silent_change(void)
{
	struct jvpn_audit *audit = open_new();
	struct jvpn_audit_transition t = step(alice, 2, JVPN_STATE_ATTACHED, JVPN_STATE_VOLATILE,
		JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LOSS_THRESHOLD);

	birth(audit, alice);
	t.transport = &cable;
	write_step(audit, &t);
	loss(audit, bob, 2, &cable, 0);
	jvpn_audit_close(audit);
	judge();
	refuted(4, JVPN_AUDIT_I1, "becomes active while",
		"another transport without a transition is refuted");
	refuted(5, JVPN_AUDIT_S2, "appears at version 2 without a birth",
		"a session from nowhere is refuted");
}

static void test_binding_named(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	loss(audit, alice, 2, NULL, 0);
	commit(audit, alice, 3, 2, NULL, 0);
	loss(audit, alice, 4, &wifi, 0);
	jvpn_audit_close(audit);
	judge();
	refuted(4, JVPN_AUDIT_I5, "lost is not named", "a lost transport must be named");
	refuted(5, JVPN_AUDIT_I1, "ATTACHED without a transport", "a bound transport too");
}

static void test_lost_other(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	loss(audit, alice, 2, &cable, 0);
	jvpn_audit_close(audit);
	judge();
	refuted(4, JVPN_AUDIT_S5, "but 203.0.113.1:51900 was bound",
		"the loss of a transport that was not bound is refuted");
}

static void test_reset(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	end(audit, alice, 2, JVPN_STATE_ATTACHED, JVPN_REASON_OPERATOR, &wifi, 0);
	birth(audit, alice);
	jvpn_audit_close(audit);
	judge();
	refuted(5, JVPN_AUDIT_S2, "after the session was TERMINATED",
		"a session that comes back from the dead is refuted");
	refuted(5, JVPN_AUDIT_I3, "from 2 to 1", "its version too");
}

static void test_replayed(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	loss(audit, alice, 2, &wifi, 0);
	commit(audit, alice, 3, 2, &cable, 0);
	loss(audit, alice, 4, &cable, 0);
	commit(audit, alice, 5, 2, &wifi, 0);
	jvpn_audit_close(audit);
	judge();
	refuted(7, JVPN_AUDIT_S3, "epoch 2 although epoch 2", "a replayed reattach is refuted");
}

static void test_refusal_changes(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	loss(audit, alice, 2, &wifi, 0);
	refuse(audit, alice, JVPN_REJECT_REPLAY, JVPN_STATE_ATTACHED, 1);
	refuse(audit, alice, JVPN_REJECT_REPLAY, JVPN_STATE_RECOVERING, 2);
	refuse(audit, alice, JVPN_REJECT_REPLAY, JVPN_STATE_DEGRADED, 2);
	refuse(audit, alice, JVPN_REJECT_REPLAY, JVPN_STATE_ATTACHED, 3);
	commit(audit, alice, 3, 2, &wifi, 0);
	jvpn_audit_close(audit);
	judge();
	refuted(7, JVPN_AUDIT_S3, "a refusal changes nothing",
		"a refusal in a state that never was is refuted");
	tap_equal(report.violations.total, 1,
		  "a refusal recorded a little late or early is not");

	audit = open_new();
	birth(audit, alice);
	refuse(audit, alice, JVPN_REJECT_REPLAY, JVPN_STATE_DEGRADED, 2);
	loss(audit, alice, 2, &wifi, 0);
	jvpn_audit_close(audit);
	judge();
	refuted(5, JVPN_AUDIT_S3, "which the session never was",
		"a refusal that shows a future that does not come is refuted");
}

static void test_two_nodes(void)
{
	struct jvpn_audit *audit = open_new();
	struct jvpn_audit_transition t = step(alice, 2, JVPN_STATE_ATTACHED, JVPN_STATE_VOLATILE,
		JVPN_EVENT_QUALITY_LOW, JVPN_REASON_LOSS_THRESHOLD);

	birth(audit, alice);
	jvpn_audit_close(audit);
	audit = open_as(path, "gw2", 0);
	t.transport = &wifi;
	write_step(audit, &t);
	jvpn_audit_close(audit);
	judge();
	refuted(5, JVPN_AUDIT_I4, "bound at node gw1", "two nodes with one session are refuted");
	tap_ok(report.by_property[JVPN_AUDIT_S4], "as ambiguous ownership too");
}

static void test_times(void)
{
	const struct jvpn_policy_def *policy = jvpn_policy_builtin_find("default");
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	loss(audit, alice, 2, &wifi, base + 1000);
	end(audit, alice, 3, JVPN_STATE_RECOVERING, JVPN_REASON_TRANSPORT_LOSS_TTL_EXPIRED, NULL,
	    base + 2000);
	jvpn_audit_close(audit);
	judge();
	refuted(5, JVPN_AUDIT_L2, "before its transport_loss_ttl_ms",
		"a session that ended too early is refuted");

	audit = open_new();
	birth(audit, alice);
	loss(audit, alice, 2, &wifi, base + 1000);
	commit(audit, alice, 3, 2, &cable, base + policy->transport_loss_ttl_ms + 20000);
	jvpn_audit_close(audit);
	judge();
	refuted(5, JVPN_AUDIT_L3, "beyond its transport_loss_ttl_ms",
		"a reattach after the TTL is refuted");
	refuted(5, JVPN_AUDIT_BOUNDS, "beyond its recovery_window_ms",
		"and beyond the recovery window");

	audit = open_new();
	birth(audit, alice);
	loss(audit, alice, 2, &wifi, base + 1000);
	birth_at(audit, bob, base + policy->transport_loss_ttl_ms + 20000);
	jvpn_audit_close(audit);
	judge();
	refuted(5, JVPN_AUDIT_L3, "still RECOVERING", "a session that does not end is refuted");

	audit = open_new();
	birth(audit, alice);
	loss(audit, alice, 2, &wifi, base + policy->session_ttl_ms + 20000);
	jvpn_audit_close(audit);
	judge();
	refuted(4, JVPN_AUDIT_L3, "beyond its session_ttl_ms",
		"a session older than its TTL is refuted");
}

static void test_degraded(void)
{
	struct jvpn_audit *audit = open_new();
	struct jvpn_audit_transition t = step(alice, 3, JVPN_STATE_RECOVERING,
		JVPN_STATE_DEGRADED, JVPN_EVENT_BOUND_EXCEEDED,
		JVPN_REASON_RECOVERY_WINDOW_EXCEEDED);

	birth(audit, alice);
	loss(audit, alice, 2, &wifi, base + 1000);
	t.boot_ms = base + 2000;
	write_step(audit, &t);
	jvpn_audit_close(audit);
	judge();
	refuted(5, JVPN_AUDIT_BOUNDS, "before its recovery_window_ms",
		"DEGRADED before the window has passed is refuted");

	audit = open_new();
	birth(audit, alice);
	loss(audit, alice, 2, &wifi, base + 1000);
	t.boot_ms = base + 16001;
	write_step(audit, &t);
	t = step(alice, 4, JVPN_STATE_DEGRADED, JVPN_STATE_RECOVERING, JVPN_EVENT_RETRY,
		 JVPN_REASON_COOLDOWN_OVER);
	t.boot_ms = base + 18000;
	write_step(audit, &t);
	commit(audit, alice, 5, 2, &cable, base + 19000);
	jvpn_audit_close(audit);
	judge();
	verified("the way through DEGRADED and back is verified");
}

static void test_switch_rate(void)
{
	struct jvpn_audit *audit = open_new();
	uint64_t version = 1;

	birth(audit, alice);
	for (uint32_t i = 0; i < 13; i++) {
		loss(audit, alice, ++version, i % 2 ? &cable : &wifi, base + 1000 + i * 100);
		commit(audit, alice, ++version, i + 2, i % 2 ? &wifi : &cable,
		       base + 1050 + i * 100);
	}
	jvpn_audit_close(audit);
	judge();
	refuted(29, JVPN_AUDIT_BOUNDS, "more than 12 switches",
		"the thirteenth switch in a minute is refuted");
	tap_equal(report.violations.total, 1, "the twelfth is not");
}

static void test_expired_early(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	loss(audit, alice, 2, &wifi, jvpn_util_time_boot_ms());
	refuse(audit, alice, JVPN_REJECT_SESSION_EXPIRED, JVPN_STATE_RECOVERING, 2);
	jvpn_audit_close(audit);
	judge();
	refuted(5, JVPN_AUDIT_L1, "within its transport_loss_ttl_ms",
		"a reattach refused as expired too early is refuted");
}

static void adopt(struct jvpn_audit *audit, const uint8_t *id, uint32_t state, uint64_t version,
		  uint64_t missed)
{
	struct jvpn_audit_adoption a = {
		.session_id = id, .state = state, .version = version, .epoch = 1,
		.missed = missed, .transport = state == JVPN_STATE_ATTACHED ? &wifi : NULL,
	};

	jvpn_audit_write(audit, jvpn_audit_build_adoption(audit, &a));
}

static void test_adopted(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	jvpn_audit_close(audit);
	audit = open_as(path, "gw1", 0);
	adopt(audit, alice, JVPN_STATE_ATTACHED, 1, 0);
	adopt(audit, bob, JVPN_STATE_ATTACHED, 7, 0);
	loss(audit, bob, 8, &wifi, 0);
	jvpn_audit_close(audit);
	judge();
	verified("adopted sessions are verified");
	tap_ok(noted("adopted at version 7"), "one without a past is noted");

	audit = open_as(path, "gw1", 0);
	adopt(audit, alice, JVPN_STATE_ATTACHED, 31, 30);
	jvpn_audit_close(audit);
	judge();
	verified("transitions missed while the daemon was away are admitted");
	tap_equal(report.missed, 30, "and counted");

	audit = open_as(path, "gw1", 0);
	adopt(audit, alice, JVPN_STATE_RECOVERING, 31, 0);
	adopt(audit, alice, JVPN_STATE_ATTACHED, 40, 3);
	jvpn_audit_close(audit);
	judge();
	refuted(11, JVPN_AUDIT_S5, "adopted as RECOVERING, but it was ATTACHED",
		"a silent change between two runs is refuted");
	refuted(12, JVPN_AUDIT_I3, "with 3 missed, but the log holds version 31",
		"a wrong count of missed transitions is refuted");
}

static void test_reboot(void)
{
	struct jvpn_audit *audit = open_new();

	birth(audit, alice);
	jvpn_audit_write(audit, json_pack("{s:s, s:I, s:I, s:s, s:n, s:s, s:s, s:{s:s}}",
		"ts", "2026-01-01T00:00:00.000Z", "ts_ms", (json_int_t)1, "boot_ms", (json_int_t)5,
		"event", "AUDIT_OPEN", "session_id", "node", "gw1", "reason", "CONTINUED",
		"details", "boot_id", "another"));
	jvpn_audit_close(audit);
	judge();
	verified("sessions end with the machine");
	tap_ok(noted("1 session ended with it") && !report.live, "and that is said");

	audit = open_as(path, "gw1", 0);
	loss(audit, alice, 2, &wifi, 0);
	jvpn_audit_close(audit);
	judge();
	refuted(6, JVPN_AUDIT_S2, "ended when the machine was restarted",
		"a session that outlives the machine is refuted");
}

static void test_note_claims(void)
{
	struct jvpn_audit *audit = open_new();
	json_t *note = jvpn_audit_build_note(audit, "MAGIC", alice, NULL);

	birth(audit, alice);
	json_object_set_new(note, "to", json_string("TERMINATED"));
	jvpn_audit_write(audit, note);
	jvpn_audit_close(audit);
	judge();
	refuted(4, JVPN_AUDIT_S5, "no event of the state machine",
		"a change by another word is refuted");
}

static void test_report(void)
{
	json_t *json;
	char *text;
	size_t size;
	FILE *out;

	write_good();
	judge();
	json = jvpn_audit_report_to_json(&report);
	tap_ok(json_is_true(json_object_get(json, "verified")), "the verdict as JSON");
	tap_text(json_string_value(json_object_get(json_object_get(json, "properties"), "I3")),
		 "holds", "with each property");
	json_decref(json);
	out = open_memstream(&text, &size);
	jvpn_audit_report_print(&report, out);
	fclose(out);
	tap_contains(text, "\nVERIFIED\n", "the verdict in words");
	tap_contains(text, "I4      holds", "with each property");
	free(text);
}

int main(void)
{
	char err[128];

	if (!mkdtemp(folder) || jvpn_keys_init(err, sizeof(err)))
		return 2;
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(other, sizeof(other), "%s/log.1", folder);
	snprintf(state, sizeof(state), "%s/state", folder);

	test_good();
	test_fields();
	test_continue();
	test_torn();
	test_torn_whole();
	test_damaged();
	test_locked();
	test_rotate();
	test_lost();
	test_partial_write();
	test_killed();
	test_stdout();
	test_removed();
	test_beheaded();
	test_cut();
	test_altered();
	test_doubled();
	test_moved();
	test_inserted();
	test_not_a_log();
	test_illegal();
	test_illegal_all();
	test_wrong_target();
	test_wrong_reason();
	test_version_gap();
	test_two_actives();
	test_silent_change();
	test_binding_named();
	test_lost_other();
	test_reset();
	test_replayed();
	test_refusal_changes();
	test_two_nodes();
	test_times();
	test_degraded();
	test_switch_rate();
	test_expired_early();
	test_adopted();
	test_reboot();
	test_note_claims();
	test_report();

	jvpn_audit_report_free(&report);
	unlink(path);
	unlink(state);
	tap_ok(!rmdir(folder), "nothing is left behind");
	return tap_done();
}
