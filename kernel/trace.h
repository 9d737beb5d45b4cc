/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM jvpn

#if !defined(JVPN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define JVPN_TRACE_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>
#include <linux/jvpn.h>

/* A packet was dropped; cause is the name of the counter that counts it. */
TRACE_EVENT(jvpn_drop,
	TP_PROTO(const struct net_device *dev, const struct sk_buff *skb, const char *cause),
	TP_ARGS(dev, skb, cause),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__field(const void *, skb)
		__field(unsigned int, len)
		__field(const char *, cause)
	),
	TP_fast_assign(
		__entry->ifindex = dev->ifindex;
		__entry->skb = skb;
		__entry->len = skb ? skb->len : 0;
		__entry->cause = cause;
	),
	TP_printk("ifindex=%d skbaddr=%p len=%u cause=%s", __entry->ifindex,
		  __entry->skb, __entry->len, __entry->cause)
);

/* A transition was applied. */
TRACE_EVENT(jvpn_transition,
	TP_PROTO(const struct net_device *dev, const u8 *id, u64 version,
		 u32 from, u32 to, u32 event, u32 reason),
	TP_ARGS(dev, id, version, from, to, event, reason),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__array(u8, id, JVPN_SESSION_ID_SIZE)
		__field(u64, version)
		__field(u32, from)
		__field(u32, to)
		__field(u32, event)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->ifindex = dev->ifindex;
		memcpy(__entry->id, id, JVPN_SESSION_ID_SIZE);
		__entry->version = version;
		__entry->from = from;
		__entry->to = to;
		__entry->event = event;
		__entry->reason = reason;
	),
	TP_printk("ifindex=%d session=%16phN version=%llu from=%u to=%u event=%u reason=%u",
		  __entry->ifindex, __entry->id, __entry->version, __entry->from,
		  __entry->to, __entry->event, __entry->reason)
);

/* What a path lets through was found out, or is being searched for again. */
TRACE_EVENT(jvpn_path_mtu,
	TP_PROTO(const struct net_device *dev, const u8 *id, u32 size, bool searching),
	TP_ARGS(dev, id, size, searching),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__array(u8, id, JVPN_SESSION_ID_SIZE)
		__field(u32, size)
		__field(bool, searching)
	),
	TP_fast_assign(
		__entry->ifindex = dev->ifindex;
		memcpy(__entry->id, id, JVPN_SESSION_ID_SIZE);
		__entry->size = size;
		__entry->searching = searching;
	),
	TP_printk("ifindex=%d session=%16phN payload=%u searching=%d", __entry->ifindex,
		  __entry->id, __entry->size, __entry->searching)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
