// SPDX-License-Identifier: GPL-2.0
#include "retry.h"

#include "gateway-listen.h"
#include "jvpnd.h"
#include "lack.h"
#include "methods.h"
#include "system.h"

/* Most of it comes with an event of the system; this is for what none tells of. */
#define RETRY_MS 2000

static uv_timer_t retry_timer;

static void retry_control(struct jvpnd *d)
{
	char error[KERNEL_TEXT];

	lacks_begin(LACK_CONTROL);
	d->control = control_open(d->loop, d->config->control_socket, methods, d, error,
				  sizeof(error));
	if (!d->control)
		lack_say(LACK_CONTROL, "control socket",
			 "%s; jvpnctl does not reach this daemon until that is mended", error);
	lacks_end(LACK_CONTROL);
}

static void retry_all(uv_timer_t *timer)
{
	struct jvpnd *d = timer->data;

	if (d->stopping)
		return;
	if (!d->control)
		retry_control(d);
	if (lacks_any(LACK_LISTEN))
		gateway_listen(d);
	if (lacks_any(LACK_SYSTEM))
		system_look(d);
}

void retry_start(struct jvpnd *d)
{
	retry_control(d);
	uv_timer_init(d->loop, &retry_timer);
	retry_timer.data = d;
	uv_timer_start(&retry_timer, retry_all, RETRY_MS, RETRY_MS);
}
