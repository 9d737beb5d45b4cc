// SPDX-License-Identifier: GPL-2.0
/* Many sessions are gone when the daemon starts: the end of each is in the audit log, once. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/jvpn.h>

#include "../../jvpnd/lost.h"
#include "../../jvpnd/session.h"
#include "../tap.h"
#include "audit_verify.h"
#include "fake_kernel.h"
#include "log.h"

/* More than the queue of the log holds. */
#define MANY 10000

static char dir[] = "/tmp/jvpn-lost-XXXXXX";
static char path[64], state[64];
static struct jvpnd d;

static struct jvpn_audit *log_open(void)
{
	struct jvpn_audit_options options = {
		.sink = JVPN_AUDIT_FILE, .file = path, .node = "test", .state = state,
	};
	char error[256];
	struct jvpn_audit *audit = jvpn_audit_open(&options, error, sizeof(error));

	if (!audit)
		exit(1);
	return audit;
}

static void births_write(void)
{
	struct jvpn_audit *audit = log_open();

	for (size_t i = 0; i < MANY; i++) {
		uint8_t id[JVPN_SESSION_ID_SIZE];
		struct jvpn_audit_transition t = {
			.session_id = id, .version = 1, .from = JVPN_STATE_BIRTH,
			.to = JVPN_STATE_ATTACHED, .event = JVPN_EVENT_HANDSHAKE_DONE,
			.reason = JVPN_REASON_HANDSHAKE_OK,
			.transport = &(struct jvpn_audit_transport){ .protocol = "udp4" },
		};

		fake_id(i, id);
		jvpn_audit_write(audit, jvpn_audit_build_transition(audit, &t));
		if (i % 1000 == 999)
			jvpn_audit_flush(audit, 10000);
	}
	jvpn_audit_close(audit);
}

static void known_ignore(void *context, const struct jvpn_audit_known *known)
{
	(void)context, (void)known;
}

/* Until nothing is known any more: each has been recorded, and forgotten. */
static void all_done_ask(uv_timer_t *timer)
{
	struct jvpn_audit_cursor cursor = { };

	if (!jvpn_audit_known_each(d.audit, &cursor, 1, known_ignore, NULL))
		uv_stop(timer->loop);
}

static void daemon_run(struct jvpn_audit_status *status)
{
	static uv_timer_t ask;


	d = (struct jvpnd){ .loop = uv_default_loop() };
	d.audit = log_open();
	if (sessions_open(&d) || lost_open(&d))
		exit(1);
	uv_timer_init(d.loop, &ask);
	uv_timer_start(&ask, all_done_ask, 20, 20);
	lost_record(&d);
	uv_run(d.loop, UV_RUN_DEFAULT);
	uv_timer_stop(&ask);
	jvpn_audit_flush(d.audit, 10000);
	jvpn_audit_status(d.audit, status);
	jvpn_audit_close(d.audit);
	d.audit = NULL;
}

int main(void)
{
	struct jvpn_audit_report report = { };
	struct jvpn_audit_status status;
	const char *file = path;
	char error[256];
	uint64_t seq;

	if (sodium_init() < 0 || !mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/audit", dir);
	snprintf(state, sizeof(state), "%s/state.mdb", dir);
	jvpn_log_init("test", JVPN_LOG_ERROR);
	births_write();
	daemon_run(&status);
	tap_equal(status.lost, 0, "no record is lost");
	jvpn_audit_verify(&file, 1, NULL, &report, error, sizeof(error));
	tap_ok(!jvpn_audit_report_refuted(&report), "the log holds");
	tap_equal(report.transitions, 2 * MANY, "each session has its birth and its end");
	tap_equal(report.live, 0, "and none is alive");
	seq = status.seq;
	daemon_run(&status);
	tap_equal(status.seq, seq + 1, "the next start adds none but its own");
	jvpn_audit_report_free(&report);
	unlink(path);
	unlink(state);
	strcat(state, "-lock");
	unlink(state);
	rmdir(dir);
	return tap_done();
}
