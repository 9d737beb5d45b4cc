/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_NOTIFY_H
#define JVPND_NOTIFY_H

/*
 * Messages to the service manager (sd_notify protocol). Without NOTIFY_SOCKET
 * in the environment every function does nothing.
 */

#include <stdint.h>

void notify_open(void);
void notify_close(void);

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
__attribute__((format(printf, 1, 2)))
void notify_status(const char *format, ...);
void notify_watchdog(void);

/* How often notify_watchdog() is expected, half of the manager's limit; 0 never. */
uint64_t notify_watchdog_interval_ms(void);

#endif
