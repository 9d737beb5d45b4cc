/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family: requests (genl.c) and what answers and events share. */
#ifndef JVPN_GENL_H
#define JVPN_GENL_H

#include <net/genetlink.h>

#include <linux/jvpn.h>

struct jvpn_addr;
struct jvpn_device;
struct jvpn_health;
struct jvpn_session;
struct jvpn_transition;
struct jvpn_transport;

extern struct genl_family jvpn_genl_family;

int jvpn_genl_init(void);
void jvpn_genl_exit(void);

/**
 * struct jvpn_genl_name - the attributes of a set that name a device
 */
struct jvpn_genl_name {
	int ifindex;
	int device_id;
	int pad;
};

#define JVPN_GENL_NAME_OF(SET)						\
	((struct jvpn_genl_name){ JVPN_A_##SET##_IFINDEX, JVPN_A_##SET##_DEVICE_ID, \
				  JVPN_A_##SET##_PAD })

/**
 * jvpn_genl_device() - the device that a request names
 * @skb: the request
 * @info: its attributes
 * @name: those that may name the device
 *
 * Return: the device with a reference, or an ERR_PTR with an extack sentence;
 * -EPERM if whoever asks does not rule over the namespace that it was made in.
 */
struct jvpn_device *jvpn_genl_device(const struct sk_buff *skb, struct genl_info *info,
				     struct jvpn_genl_name name);

/* Put what names the device in @net; true if there is no room. */
bool jvpn_put_device(struct sk_buff *msg, const struct jvpn_device *jd, const struct net *net,
		     struct jvpn_genl_name name);

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
bool jvpn_put_transition(struct sk_buff *msg, const struct jvpn_transition *t);
bool jvpn_put_health(struct sk_buff *msg, const struct jvpn_health *h);

/* All of a session; @history: its last transitions too. */
bool jvpn_put_session(struct sk_buff *msg, const struct jvpn_session *s, const struct net *net,
		      bool history);

/* A transport as a nest @type; @local: its local address, or NULL. */
bool jvpn_put_transport(struct sk_buff *msg, int type, u32 socket,
			const struct jvpn_addr *remote, const struct jvpn_addr *local);

/**
 * jvpn_genl_keyed() - run a request that holds keys
 * @skb: the message
 * @info: the request; netlink has only looked at its outline
 * @attrs: room for its attributes
 * @max: the highest of them
 * @policy: theirs
 * @run: runs it
 *
 * Whatever is wrong with it, its keys are wiped: before the buffer is freed, and before a refusal
 * sends the request back.
 */
int jvpn_genl_keyed(struct sk_buff *skb, struct genl_info *info, struct nlattr **attrs, int max,
		    const struct nla_policy *policy,
		    int (*run)(struct sk_buff *skb, struct genl_info *info));

#endif
