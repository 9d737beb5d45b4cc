// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "log.h"
#include "util.h"

#define WINDOW_MS	10000

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

enum jvpn_log_level jvpn_log_level_get(void)
{
	return jvpn_log_threshold;
}

static void jvpn_log_vwrite(enum jvpn_log_level level, const char *format, va_list args,
			    unsigned long long suppressed)
{
	char stamp[JVPN_UTIL_TIME_TEXT];

	flockfile(stderr);
	if (jvpn_log_journal)
		fprintf(stderr, "<%d>", jvpn_log_priority[level]);
	else
		fprintf(stderr, "%s %s: ", jvpn_util_time_format(jvpn_util_time_real_ms(), stamp,
								 sizeof(stamp)), jvpn_log_program);
	fputs(jvpn_log_word[level], stderr);
	vfprintf(stderr, format, args);
	if (suppressed)
		fprintf(stderr, " (%llu like it before were not shown)", suppressed);
	fputc('\n', stderr);
	fflush(stderr);
	funlockfile(stderr);
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
