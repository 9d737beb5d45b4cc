// SPDX-License-Identifier: GPL-2.0
#include "jvpnd.h"

#include "util.h"

static struct {
	bool held;
	uint64_t boot_ms;
	uint64_t wall_s;	/* 0: not asked for yet */
} turn;

static uint64_t wall_s_read(void)
{
	return jvpn_util_time_real_ms() / 1000;
}

void jvpnd_time_hold(void)
{
	turn.boot_ms = jvpn_util_time_boot_ms();
	turn.wall_s = 0;
	turn.held = true;
}

void jvpnd_time_release(void)
{
	turn.held = false;
}

uint64_t jvpnd_now_ms(void)
{
	return turn.held ? turn.boot_ms : jvpn_util_time_boot_ms();
}

uint64_t jvpnd_wall_s(void)
{
	if (!turn.held)
		return wall_s_read();
	if (!turn.wall_s)
		turn.wall_s = wall_s_read();
	return turn.wall_s;
}

void jvpnd_show(struct jvpnd *d, json_t *record)
{
	if (record && control_has_followers(d->control))
		control_event_send(d->control, record);
	json_decref(record);
}

void jvpnd_record(struct jvpnd *d, json_t *record)
{
	if (record && control_has_followers(d->control))
		control_event_send(d->control, record);
	jvpn_audit_write(d->audit, record);
}
