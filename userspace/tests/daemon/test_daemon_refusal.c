// SPDX-License-Identifier: GPL-2.0
/* Refusals: all are counted; what strangers can write into the log is bounded. */
#include <stdlib.h>
#include <unistd.h>

#include <linux/jvpn.h>

#include "../../jvpnd/refusal.h"
#include "../../jvpnd/session.h"
#include "../tap.h"
#include "log.h"

#define RECORDS 5
#define NOTES 4000

static char dir[] = "/tmp/jvpn-refusal-XXXXXX";
static char path[64];
static struct jvpn_config config;
static struct jvpnd d;

static void daemon_open(uint32_t octets_per_day)
{
	struct jvpn_audit_options options = {
		.sink = JVPN_AUDIT_FILE, .file = path, .node = "test",
	};
	char error[256];

	unlink(path);
	config.audit.refusal_octets_per_day = octets_per_day;
	d = (struct jvpnd){ .loop = uv_default_loop(), .config = &config };
	d.audit = jvpn_audit_open(&options, error, sizeof(error));
	if (!d.audit || sessions_open(&d) || refusals_open(&d))
		exit(1);
}

/* Returns how many records there are, and how many refusals they stand for. */
static unsigned int log_count(unsigned long *refused)
{
	char line[4096];
	unsigned int records = 0;
	FILE *file;

	jvpn_audit_flush(d.audit, 5000);
	file = fopen(path, "r");
	*refused = 0;
	while (fgets(line, sizeof(line), file)) {
		const char *count = strstr(line, "\"count\":");

		if (!strstr(line, "REFUSED"))
			continue;
		records++;
		*refused += count ? strtoul(count + 8, NULL, 10) : 0;
	}
	fclose(file);
	return records;
}

static void handle_close(uv_handle_t *handle, void *context)
{
	(void)context;
	uv_close(handle, NULL);
}

static void daemon_close(void)
{
	uv_walk(d.loop, handle_close, NULL);
	uv_run(d.loop, UV_RUN_DEFAULT);
	refusals_close(&d);
	sessions_close(&d);
	jvpn_audit_close(d.audit);
	unlink(path);
}

/* Each of another kind, so that each would be written at once. */
static void strangers_knock(const struct path *from)
{
	static const char *const whys[] = { "a", "b", "c", "d", "e", "f", "g", "h" };

	for (unsigned int i = 0; i < NOTES; i++) {
		const struct refusal refusal = {
			.request = i % 2 ? "INIT" : "PROOF", .why = whys[i / 2 % 8],
			.reject = 1 + i / 16 % JVPN_REJECT_MAX, .path = from,
		};

		refusal_note(&d, &refusal);
	}
}

static void bounded_test(void)
{
	struct path from = { .remote = { .family = AF_INET }, .remote_port = 5 };
	unsigned long refused;
	unsigned int records;

	daemon_open(24 * 700 * RECORDS);
	strangers_knock(&from);
	records = log_count(&refused);
	tap_ok(records >= 1 && records <= RECORDS + 1,
	       "an hour's octets are written at once, no more (%u records)", records);
	tap_ok(refused < NOTES, "the others wait");
	refusals_finish(&d);
	log_count(&refused);
	tap_ok(refused < NOTES, "even the end does not write more than that");
	daemon_close();

	daemon_open(0);
	strangers_knock(&from);
	refusals_finish(&d);
	tap_equal(log_count(&refused), 0, "with a bound of 0 none is written");
	strangers_knock(NULL);
	tap_ok(log_count(&refused) > RECORDS, "but what this machine's own users were refused");
	daemon_close();

	daemon_open(1 << 30);
	strangers_knock(&from);
	records = log_count(&refused);
	tap_ok(records > RECORDS && records <= 21, "a wide bound leaves that of records a second (%u)",
	       records);
	daemon_close();
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/log", dir);
	jvpn_log_init("test", JVPN_LOG_ERROR);
	bounded_test();
	rmdir(dir);
	return tap_done();
}
