// SPDX-License-Identifier: GPL-2.0
#include "jvpnd.h"

#include "util.h"

uint64_t jvpnd_now_ms(void)
{
	return jvpn_util_time_boot_ms();
}

uint64_t jvpnd_wall_s(void)
{
	return jvpn_util_time_real_ms() / 1000;
}

void jvpnd_record(struct jvpnd *d, json_t *record)
{
	if (record && control_has_followers(d->control))
		control_event_send(d->control, record);
	jvpn_audit_write(d->audit, record);
}
