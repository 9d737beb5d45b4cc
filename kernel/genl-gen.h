/* SPDX-License-Identifier: GPL-2.0 */
/* Written by tools/genl-gen from Documentation/netlink/specs/jvpn.yaml: do not edit. */
#ifndef _JVPN_GENL_GEN_H
#define _JVPN_GENL_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <linux/jvpn.h>

#define JVPN_GENL_OPS_COUNT	18

/* Indices of the multicast groups. */
enum jvpn_nlgrp {
	JVPN_NLGRP_STATE,
	JVPN_NLGRP_HEALTH,
	JVPN_NLGRP_SECURITY,

	__JVPN_NLGRP_COUNT
};

/* What a nest of a request may hold, for nla_parse_nested(). */
extern const struct nla_policy jvpn_inner_nl_policy[JVPN_A_INNER_MAX + 1];
extern const struct nla_policy jvpn_transport_nl_policy[JVPN_A_TRANSPORT_MAX + 1];
extern const struct nla_policy jvpn_epoch_nl_policy[JVPN_A_EPOCH_MAX + 1];
extern const struct nla_policy jvpn_policy_nl_policy[JVPN_A_POLICY_MAX + 1];

/* Of requests that hold secrets; netlink itself has looked at their outline only. */
extern const struct nla_policy jvpn_nl_session_new_policy[JVPN_A_SESSION_MAX + 1];
extern const struct nla_policy jvpn_nl_binding_set_policy[JVPN_A_SESSION_MAX + 1];
extern const struct nla_policy jvpn_nl_binding_prepare_policy[JVPN_A_SESSION_MAX + 1];
extern const struct nla_policy jvpn_nl_epoch_set_policy[JVPN_A_SESSION_MAX + 1];
extern const struct nla_policy jvpn_nl_packet_register_policy[JVPN_A_PACKET_MAX + 1];

extern const struct genl_ops jvpn_genl_ops[JVPN_GENL_OPS_COUNT];
extern const struct genl_multicast_group jvpn_genl_mcgrps[__JVPN_NLGRP_COUNT];

int jvpn_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int jvpn_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_socket_new_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_socket_del_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_socket_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int jvpn_nl_session_new_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_session_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int jvpn_nl_session_set_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_session_transition_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_binding_set_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_binding_prepare_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_binding_cancel_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_epoch_set_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_packet_register_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_packet_send_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_binding_probe_doit(struct sk_buff *skb, struct genl_info *info);
int jvpn_nl_socket_set_doit(struct sk_buff *skb, struct genl_info *info);

#endif /* _JVPN_GENL_GEN_H */
