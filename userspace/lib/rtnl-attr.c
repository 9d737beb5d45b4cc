// SPDX-License-Identifier: GPL-2.0
#include "rtnl-attr.h"

#include <linux/rtnetlink.h>
#include <string.h>

static size_t addr_size(sa_family_t family)
{
	return family == AF_INET ? 4 : 16;
}

void jvpn_rtnl_addr_put(struct nlmsghdr *message, uint16_t type, const struct jvpn_addr *addr)
{
	if (addr->family != AF_UNSPEC)
		mnl_attr_put(message, type, addr_size(addr->family), addr->bytes);
}

void jvpn_rtnl_addr_read(struct jvpn_addr *addr, sa_family_t family, const struct nlattr *attr)
{
	if (mnl_attr_get_payload_len(attr) != addr_size(family))
		return;
	*addr = (struct jvpn_addr){ .family = family };
	memcpy(addr->bytes, mnl_attr_get_payload(attr), addr_size(family));
}

void jvpn_rtnl_via_read(struct jvpn_addr *addr, const struct nlattr *attr)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);
	size_t size = mnl_attr_get_payload_len(attr);

	if (size < sizeof(*via) ||
	    (via->rtvia_family != AF_INET && via->rtvia_family != AF_INET6) ||
	    size - sizeof(*via) != addr_size(via->rtvia_family))
		return;
	*addr = (struct jvpn_addr){ .family = via->rtvia_family };
	memcpy(addr->bytes, via->rtvia_addr, addr_size(via->rtvia_family));
}

void jvpn_rtnl_u32_read(uint32_t *value, const struct nlattr *attr)
{
	if (!mnl_attr_validate(attr, MNL_TYPE_U32))
		*value = mnl_attr_get_u32(attr);
}

bool jvpn_rtnl_u8_read(uint8_t *value, const struct nlattr *attr)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U8))
		return false;
	*value = mnl_attr_get_u8(attr);
	return true;
}
