/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family: requests (genl.c) and what answers and events share. */
#ifndef JVPN_GENL_H
#define JVPN_GENL_H

#include <net/genetlink.h>

struct jvpn_addr;
struct jvpn_device;
struct jvpn_session;
struct jvpn_transition;
struct jvpn_transport;

extern struct genl_family jvpn_genl_family;

int jvpn_genl_init(void);
void jvpn_genl_exit(void);

/* The device that a request names, with a reference, or NULL with an extack sentence. */
struct jvpn_device *jvpn_genl_device(struct genl_info *info, int attr);

/* A required attribute is missing: the error, with an extack sentence. */
int jvpn_genl_missing(struct genl_info *info, int attr, const char *text);

/**
 * jvpn_genl_transport() - read a transport
 * @jd: the device
 * @nest: the nest, validated
 * @t: receives it, with a reference to its socket
 * @extack: receives the sentence
 */
int jvpn_genl_transport(struct jvpn_device *jd, const struct nlattr *nest,
			struct jvpn_transport *t, struct netlink_ext_ack *extack);

/* Put attributes; true if there is no room. The session is locked. */
bool jvpn_put_session_head(struct sk_buff *msg, const struct jvpn_session *s, u32 ifindex);
bool jvpn_put_transition(struct sk_buff *msg, const struct jvpn_transition *t);
bool jvpn_put_health(struct sk_buff *msg, const struct jvpn_session *s);

/* All of a session; @history: its last transitions too. */
bool jvpn_put_session(struct sk_buff *msg, const struct jvpn_session *s, u32 ifindex,
		      bool history);

/* A transport as a nest @type; @local: its local address, or NULL. */
bool jvpn_put_transport(struct sk_buff *msg, int type, u32 socket,
			const struct jvpn_addr *remote, const struct jvpn_addr *local);

#endif
