// SPDX-License-Identifier: GPL-2.0
#include "close.h"

#include <string.h>
#include <time.h>

#include "client.h"
#include "ctrl.h"
#include "log.h"
#include "refusal.h"
#include "session.h"

/* Rises with each message, also over a restart of the daemon. */
static uint64_t close_seq(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static enum jvpn_side close_side(const struct session *s)
{
	return s->role == JVPN_ROLE_GATEWAY ? JVPN_SIDE_GATEWAY : JVPN_SIDE_CLIENT;
}

static enum jvpn_side close_other_side(const struct session *s)
{
	return s->role == JVPN_ROLE_GATEWAY ? JVPN_SIDE_CLIENT : JVPN_SIDE_GATEWAY;
}

void close_send(struct jvpnd *d, struct session *s)
{
	const struct jvpn_ctrl ctrl = {
		.op = JVPN_WIRE_CTRL_CLOSE,
		.v_req = s->role == JVPN_ROLE_GATEWAY ? s->version : client_peer_version(d, s),
		.seq = close_seq(),
	};
	struct jvpn_wire_ctrl out;

	if (!s->recorded || !s->bound || s->ctl_epoch != s->epoch)
		return;
	if (jvpn_ctrl_build(&out, &s->ctl, close_side(s), &ctrl, &jvpn_rng_system))
		return;
	kernel_packet_send(d->kernel, &s->path, &out, sizeof(out));
}

static void close_refuse(struct jvpnd *d, const struct session *s, enum jvpn_verdict verdict,
			 const struct path *path)
{
	const struct refusal refusal = {
		.request = "CTRL", .reject = refusal_reject_of(verdict),
		.why = jvpn_verdict_str(verdict), .session = s, .path = path,
	};

	if (refusal.reject != JVPN_REJECT_NONE)
		refusal_note(d, &refusal);
}

/* Whoever copies a CLOSE can send it from elsewhere: it counts where the session is bound. */
static enum jvpn_verdict close_session_find(struct jvpnd *d, uint32_t index,
					    const struct path *from, struct session **s)
{
	*s = session_find_index(d, index);
	if (!*s || !(*s)->recorded || !session_is_live(*s))
		return JVPN_VERDICT_BAD_INDEX;
	if (!(*s)->bound || !path_equal(&(*s)->path, from))
		return JVPN_VERDICT_ELSEWHERE;
	return JVPN_VERDICT_OK;
}

void close_receive(struct jvpnd *d, const struct kernel_packet *packet)
{
	struct session *s = NULL;
	struct jvpn_ctrl ctrl;
	enum jvpn_verdict verdict;
	uint32_t index;

	verdict = jvpn_ctrl_index(packet->data, packet->size, &index);
	if (!verdict)
		verdict = close_session_find(d, index, &packet->from, &s);
	if (!verdict)
		verdict = jvpn_ctrl_open(packet->data, packet->size, &s->ctl, close_other_side(s),
					 s->version, &s->gateway.ctrl_seq, &ctrl);
	refusal_verdict_count(d, JVPN_MSG_CTRL, verdict);
	if (verdict) {
		close_refuse(d, s, verdict, &packet->from);
		return;
	}
	if (ctrl.op != JVPN_WIRE_CTRL_CLOSE)
		return;
	jvpn_info("session %s (%s): the other end has closed it", session_short(s), s->label);
	session_terminate(d, s, JVPN_REASON_OPERATOR);
	sessions_settle(d);
}
