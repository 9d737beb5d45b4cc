/* SPDX-License-Identifier: GPL-2.0 */
/* The receive path. */
#ifndef JVPN_RX_H
#define JVPN_RX_H

#include <linux/skbuff.h>

struct jvpn_socket;
struct sock;

#define JVPN_RX_LANES 16

/**
 * struct jvpn_rx_lane - packets of some sources, handled in order
 * @queue: taken from the socket, not handled yet
 * @busy: a processor is at work on it
 */
struct jvpn_rx_lane {
	struct sk_buff_head queue;
	bool busy;
};

void jvpn_rx_init(struct jvpn_socket *js);

/* Take everything out of the socket's queue; BHs off, under RCU. */
void jvpn_rx_drain(struct jvpn_socket *js, struct sock *sk);

#endif
