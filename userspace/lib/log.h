/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_LOG_H
#define JVPN_LOG_H

#include <stdbool.h>

enum jvpn_log_level {
	JVPN_LOG_ERROR,
	JVPN_LOG_WARNING,
	JVPN_LOG_INFO,
	JVPN_LOG_DEBUG,
};

/*
 * Messages go to stderr. Under systemd (JOURNAL_STREAM is set) each line carries
 * its priority, otherwise the program name and a time stamp.
 *
 * A program that has something better to do than to wait for who reads its messages
 * calls jvpn_log_detach(): from then on a thread writes, callers only queue, and what
 * does not fit the queue is dropped, counted, and said once there is room again.
 */
void jvpn_log_init(const char *program, enum jvpn_log_level level);
/* 0, or a negative errno: messages are written by their callers as before. */
int jvpn_log_detach(void);
/*
 * Wait until all that is queued is written, for timeout_ms at most. False if it is not:
 * the thread hangs in a write, and the program should not wait for its threads to end.
 */
bool jvpn_log_flush(unsigned int timeout_ms);
/* Text of whole lines as it is, without a stamp; under systemd with the priority. */
void jvpn_log_text(enum jvpn_log_level level, const char *text);
void jvpn_log_level_set(enum jvpn_log_level level);

__attribute__((format(printf, 2, 3)))
void jvpn_log(enum jvpn_log_level level, const char *format, ...);

#define jvpn_error(...)		jvpn_log(JVPN_LOG_ERROR, __VA_ARGS__)
#define jvpn_warning(...)	jvpn_log(JVPN_LOG_WARNING, __VA_ARGS__)
#define jvpn_info(...)		jvpn_log(JVPN_LOG_INFO, __VA_ARGS__)
#define jvpn_debug(...)		jvpn_log(JVPN_LOG_DEBUG, __VA_ARGS__)

/*
 * For messages that outsiders can provoke: at most burst of them in each 10 s from
 * one place, the rest counted and reported with the next one that passes.
 */
struct jvpn_log_limit {
	unsigned int burst;
	unsigned int used;
	unsigned long long window;
	unsigned long long suppressed;
};

__attribute__((format(printf, 3, 4)))
void jvpn_log_limited(struct jvpn_log_limit *limit, enum jvpn_log_level level,
		      const char *format, ...);

#endif /* JVPN_LOG_H */
