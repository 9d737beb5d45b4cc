/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_CTRL_H
#define JVPN_CTRL_H

/*
 * CTRL: authenticated notes between the two daemons of an established session.
 */

#include "epoch.h"

enum jvpn_side { JVPN_SIDE_CLIENT, JVPN_SIDE_GATEWAY };

struct jvpn_ctrl {
	u8 op;			/* enum jvpn_wire_ctrl_op */
	u8 result;
	u64 v_req;
	u64 seq;
	u64 echo_seq;
	char policy[JVPN_WIRE_POLICY_NAME];	/* NUL terminated */
};

/*
 * sender is the side that sends: it picks key and index. seq must rise for
 * each message of a sender in an epoch (a clock in ns will do). MISUSE if a
 * field is out of range.
 */
enum jvpn_verdict jvpn_ctrl_build(struct jvpn_wire_ctrl *out, const struct jvpn_epoch *epoch,
				  enum jvpn_side sender, const struct jvpn_ctrl *ctrl,
				  const struct jvpn_rng *rng);
/* Index in the header, to find the session; 0 verdict checks only form. */
enum jvpn_verdict jvpn_ctrl_index(const u8 *msg, size_t len, u32 *idx);
/*
 * Open what sender sent. last_seq is the highest number accepted from it in
 * this epoch (0 before the first); OK raises it. A message with op CLOSE or
 * POLICY sent to the gateway must name version v_cur: STALE_VERSION if not, and
 * that too changes nothing.
 */
enum jvpn_verdict jvpn_ctrl_open(const u8 *msg, size_t len, const struct jvpn_epoch *epoch,
				 enum jvpn_side sender, u64 v_cur, u64 *last_seq,
				 struct jvpn_ctrl *ctrl);

#endif /* JVPN_CTRL_H */
