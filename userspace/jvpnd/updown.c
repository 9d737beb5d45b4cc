// SPDX-License-Identifier: GPL-2.0
#include "updown.h"

#include "client.h"
#include "close.h"
#include "kernel.h"
#include "log.h"
#include "session.h"
#include "system.h"

static void updown_session_end(struct jvpnd *d, struct session *s, void *context)
{
	unsigned int *ended = context;

	if (!session_is_live(s))
		return;
	close_send(d, s);
	if (session_terminate(d, s, s->state == JVPN_STATE_BIRTH ? JVPN_REASON_HANDSHAKE_REJECTED :
								   JVPN_REASON_OPERATOR))
		(*ended)++;
}

unsigned int updown_down(struct jvpnd *d)
{
	unsigned int ended = 0;

	if (d->down)
		return 0;
	d->down = true;
	if (d->client)
		client_handshake_stop(d->client);
	session_each(d, updown_session_end, &ended);
	sessions_settle(d);
	/* The other ends are told while the device is up. */
	kernel_packets_flush(d->kernel);
	system_follow(d);
	jvpn_info("%s is taken down: %u sessions have ended, nothing of it is left in the system",
		  d->config->device.name, ended);
	return ended;
}

void updown_up(struct jvpnd *d)
{
	if (!d->down)
		return;
	d->down = false;
	jvpn_info("%s is taken up", d->config->device.name);
	system_follow(d);
	if (d->client)
		client_begin(d->client);
	sessions_settle(d);
}
