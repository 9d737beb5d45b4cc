/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_RTNL_ATTR_H
#define JVPN_RTNL_ATTR_H

#include <libmnl/libmnl.h>
#include <stdint.h>

#include "addr.h"

/* Attributes of rtnetlink messages. What does not fit is not read: the target stays as it is. */

/* Nothing for AF_UNSPEC. */
void jvpn_rtnl_addr_put(struct nlmsghdr *message, uint16_t type, const struct jvpn_addr *addr);
void jvpn_rtnl_addr_read(struct jvpn_addr *addr, sa_family_t family, const struct nlattr *attr);
/* RTA_VIA: a next hop of another family than the destination. */
void jvpn_rtnl_via_read(struct jvpn_addr *addr, const struct nlattr *attr);
void jvpn_rtnl_u32_read(uint32_t *value, const struct nlattr *attr);
/* Returns whether there was one. */
bool jvpn_rtnl_u8_read(uint8_t *value, const struct nlattr *attr);

#endif
