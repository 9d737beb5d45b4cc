/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The JVPN1 wire format: message types, sizes and the offset of every field.
 * See Documentation/protocol.md. Integers are little endian, except where a
 * comment says otherwise. The layouts are asserted at the end of this file.
 *
 * Every datagram begins with struct jvpn_wire_hdr. Every message but DATA has
 * one exact size, so that a packet of the wrong length is refused before
 * anything else is looked at.
 */
#ifndef JVPN_WIRE_H
#define JVPN_WIRE_H

#include "core.h"
#ifndef __KERNEL__
#include <linux/types.h>
#endif

#define JVPN_WIRE_PROTO		1

/* First byte of every datagram. */
enum jvpn_msg {
	JVPN_MSG_INIT		= 1,	/* client to gateway */
	JVPN_MSG_RESP		= 2,	/* gateway to client */
	JVPN_MSG_COOKIE		= 3,	/* gateway to client */
	JVPN_MSG_DATA		= 4,	/* both ways */
	JVPN_MSG_REQUEST	= 5,	/* client to gateway */
	JVPN_MSG_CHALLENGE	= 6,	/* gateway to client */
	JVPN_MSG_PROOF		= 7,	/* client to gateway */
	JVPN_MSG_ACK		= 8,	/* gateway to client */
	JVPN_MSG_REJECT		= 9,	/* gateway to client */
	JVPN_MSG_GONE		= 10,	/* gateway to client */
	JVPN_MSG_CTRL		= 11,	/* both ways */
	JVPN_MSG_END
};

#define JVPN_WIRE_TAG		16	/* Poly1305 tag */
#define JVPN_WIRE_MAC		16	/* mac1, mac2, cookie, GONE token */
#define JVPN_WIRE_KEY		32	/* X25519 point, AEAD key */
#define JVPN_WIRE_HASH		64	/* BLAKE2b-512 */
#define JVPN_WIRE_SID		16
#define JVPN_WIRE_NC		24
#define JVPN_WIRE_NAME_RANDOM	16	/* of Nc and of a ticket's nonce; its hash follows */
#define JVPN_WIRE_NS		16
#define JVPN_WIRE_XNONCE	24	/* XChaCha20 */
#define JVPN_WIRE_TICKET	64
#define JVPN_WIRE_ADDR		18
#define JVPN_WIRE_POLICY_NAME	32

/* Exact sizes in octets of the UDP payload. */
#define JVPN_WIRE_INIT_SIZE		328
#define JVPN_WIRE_RESP_SIZE		316
#define JVPN_WIRE_COOKIE_SIZE		64
#define JVPN_WIRE_REQUEST_SIZE		224
#define JVPN_WIRE_CHALLENGE_SIZE	220
#define JVPN_WIRE_PROOF_SIZE		308
#define JVPN_WIRE_ACK_SIZE		140
#define JVPN_WIRE_REJECT_SIZE		84
#define JVPN_WIRE_GONE_SIZE		44
#define JVPN_WIRE_CTRL_SIZE		112
#define JVPN_WIRE_CONTROL_MAX		JVPN_WIRE_INIT_SIZE
/* Header and tag: a DATA datagram with an empty inner payload (keepalive). */
#define JVPN_WIRE_DATA_OVERHEAD		32

/* No padding anywhere: what follows is the wire, octet by octet. */
#pragma pack(push, 1)

struct jvpn_wire_hdr {
	u8 type;		/* enum jvpn_msg */
	u8 proto;		/* JVPN_WIRE_PROTO */
	__le16 zero;
};

/*
 * 16 octets of address in network order (IPv4 as ::ffff:a.b.c.d), then the
 * port in network order, as both stand in a sockaddr.
 */
struct jvpn_wire_addr {
	u8 ip[16];
	u8 port[2];
};

/* transport(1..4) of the address cookie and of "observed". */
enum jvpn_wire_transport {
	JVPN_WIRE_TRANSPORT_UDP4	= 1,
	JVPN_WIRE_TRANSPORT_UDP6	= 2,
	/* 3 and 4 are kept for stream transports */
	JVPN_WIRE_TRANSPORT_MAX		= 4
};

/* --- handshake ---------------------------------------------------------- */

/* Plaintext of INIT. */
struct jvpn_wire_init_payload {
	u8 tai64n[12];		/* big endian: 2^62 + 10 + seconds, nanoseconds */
	u8 proto_min;
	u8 proto_max;
	__le16 suites;		/* bit n: suite n is acceptable */
	char policy[JVPN_WIRE_POLICY_NAME];	/* wanted policy, NUL padded; empty: default */
	u8 inner_flags;		/* JVPN_WIRE_INNER_* */
	u8 v4[4];		/* wanted inner address; all zero: any */
	u8 v4_prefix;
	u8 v6[16];
	u8 v6_prefix;
	u8 pad[121];		/* zero; ignored on receipt */
};

#define JVPN_WIRE_INNER_V4	0x01	/* an inner IPv4 address is wanted */
#define JVPN_WIRE_INNER_V6	0x02	/* an inner IPv6 address is wanted */

/* Plaintext of RESP. */
struct jvpn_wire_resp_payload {
	u8 sid[JVPN_WIRE_SID];
	__le64 version;		/* 0: BIRTH */
	u8 suite;
	u8 flags;		/* zero */
	__le32 incarnation;
	__le32 policy_version;
	__le32 session_ttl_ms;	/* all ones: that long or longer */
	__le32 transport_loss_ttl_ms;
	__le32 recovery_window_ms;
	__le32 max_switches_per_minute;
	u8 v4[4];		/* inner address; prefix 0: none */
	u8 v4_prefix;
	u8 v6[16];
	u8 v6_prefix;
	u8 gone[JVPN_WIRE_MAC];
	u8 ticket[2][JVPN_WIRE_TICKET];
	__le32 switch_cooldown_ms;
	u8 pad[4];		/* zero; ignored on receipt */
};

struct jvpn_wire_init {
	struct jvpn_wire_hdr hdr;
	__le32 sender;		/* chosen by the client, returned in RESP and COOKIE */
	u8 e[JVPN_WIRE_KEY];
	u8 s[JVPN_WIRE_KEY + JVPN_WIRE_TAG];
	u8 payload[sizeof(struct jvpn_wire_init_payload) + JVPN_WIRE_TAG];
	u8 mac1[JVPN_WIRE_MAC];
	u8 mac2[JVPN_WIRE_MAC];
};

struct jvpn_wire_resp {
	struct jvpn_wire_hdr hdr;
	__le32 sender;		/* chosen by the gateway; names the handshake in logs only */
	__le32 receiver;	/* sender of INIT */
	u8 e[JVPN_WIRE_KEY];
	u8 payload[sizeof(struct jvpn_wire_resp_payload) + JVPN_WIRE_TAG];
	u8 mac1[JVPN_WIRE_MAC];
	u8 mac2[JVPN_WIRE_MAC];	/* zero: clients send no COOKIE */
};

struct jvpn_wire_cookie {
	struct jvpn_wire_hdr hdr;
	__le32 receiver;	/* sender of INIT; octets 0-3 of a REQUEST's Nc */
	u8 nonce[JVPN_WIRE_XNONCE];
	u8 cookie[JVPN_WIRE_MAC + JVPN_WIRE_TAG];
};

/* --- reattach ----------------------------------------------------------- */

struct jvpn_wire_ticket {
	u8 kid;
	u8 nonce[JVPN_WIRE_XNONCE];
	u8 box[23 + JVPN_WIRE_TAG];	/* sid16, expiry u32, 0(3) */
};

/* Cookie of CHALLENGE and PROOF: shows that the client received at its address. */
struct jvpn_wire_addr_cookie {
	u8 kid;
	__le32 expiry;
	u8 zero[3];
	u8 mac[JVPN_WIRE_MAC];
};

#define JVPN_WIRE_REQUEST_STANDBY	0x01

struct jvpn_wire_request_payload {
	u8 flags;		/* JVPN_WIRE_REQUEST_* */
	u8 zero[3];
	__le64 v_seen;
	u8 pad[72];
};

struct jvpn_wire_request {
	struct jvpn_wire_hdr hdr;
	u8 ticket[JVPN_WIRE_TICKET];
	u8 nc[JVPN_WIRE_NC];
	u8 payload[sizeof(struct jvpn_wire_request_payload) + JVPN_WIRE_TAG];
	u8 mac1[JVPN_WIRE_MAC];
	u8 mac2[JVPN_WIRE_MAC];
};

#define JVPN_WIRE_CHALLENGE_STALE	0x01	/* answers a PROOF that named the past */
#define JVPN_WIRE_CHALLENGE_UNSOLICITED	0x02	/* answers DATA from an unbound source */

struct jvpn_wire_challenge_payload {
	__le64 v_cur;
	__le32 e_cur;
	u8 state;		/* enum jvpn_state; informative */
	u8 flags;		/* JVPN_WIRE_CHALLENGE_* */
	__le16 retry_ms;
	u8 observed_transport;	/* enum jvpn_wire_transport */
	struct jvpn_wire_addr observed;	/* source as the gateway sees it */
	__le32 incarnation;
	u8 zero;
	u8 ticket[JVPN_WIRE_TICKET];
};

struct jvpn_wire_challenge {
	struct jvpn_wire_hdr hdr;
	u8 nc[JVPN_WIRE_NC];
	u8 ns[JVPN_WIRE_NS];
	struct jvpn_wire_addr_cookie cookie;
	u8 e_s[JVPN_WIRE_KEY];
	u8 payload[sizeof(struct jvpn_wire_challenge_payload) + JVPN_WIRE_TAG];
};

struct jvpn_wire_gate {
	__le64 v_req;
	__le32 e_req;
	u8 zero[4];
};

/* What a client means by a PROOF. */
enum jvpn_wire_proof_meaning {
	JVPN_WIRE_PROOF_UNSTATED	= 0,	/* as JUMP */
	JVPN_WIRE_PROOF_REFRESH		= 1,	/* new keys where the session is bound, and no move */
	JVPN_WIRE_PROOF_JUMP		= 2,	/* bind the session here */
	JVPN_WIRE_PROOF_MEANING_MAX	= JVPN_WIRE_PROOF_JUMP
};

struct jvpn_wire_proof_payload {
	__le64 v_req;
	__le32 e_req;
	u8 meaning;		/* enum jvpn_wire_proof_meaning */
	u8 zero[19];
};

struct jvpn_wire_proof {
	struct jvpn_wire_hdr hdr;
	u8 ticket[JVPN_WIRE_TICKET];
	u8 nc[JVPN_WIRE_NC];
	u8 ns[JVPN_WIRE_NS];
	struct jvpn_wire_addr_cookie cookie;
	u8 h1[JVPN_WIRE_HASH];
	u8 e_c[JVPN_WIRE_KEY];
	u8 gate[sizeof(struct jvpn_wire_gate) + JVPN_WIRE_TAG];
	u8 payload[sizeof(struct jvpn_wire_proof_payload) + JVPN_WIRE_TAG];
};

struct jvpn_wire_ack_payload {
	__le64 v_new;		/* version that the commit made */
	__le64 v_cur;		/* version now */
	__le32 e_new;
	__le32 ttl_ms;		/* left of the session's life */
	u8 state;		/* enum jvpn_state; informative */
	u8 zero[7];
	u8 ticket[JVPN_WIRE_TICKET];
};

struct jvpn_wire_ack {
	struct jvpn_wire_hdr hdr;
	u8 nonce[JVPN_WIRE_XNONCE];
	u8 payload[sizeof(struct jvpn_wire_ack_payload) + JVPN_WIRE_TAG];
};

enum jvpn_wire_reject_reason {
	JVPN_WIRE_REJECT_RATE		= 1,	/* ask again after wait_ms */
	JVPN_WIRE_REJECT_TERMINATED	= 2,	/* the session has ended */
	JVPN_WIRE_REJECT_ROLLBACK	= 3,	/* the client saw a version that the store lost */
	JVPN_WIRE_REJECT_REDIRECT	= 4,	/* node owns the session */
	JVPN_WIRE_REJECT_MAX		= JVPN_WIRE_REJECT_REDIRECT
};

struct jvpn_wire_reject_payload {
	u8 reason;		/* enum jvpn_wire_reject_reason */
	u8 zero;
	__le16 node;		/* REDIRECT: number in the client's list of gateways */
	__le32 wait_ms;
	__le64 v_cur;
};

struct jvpn_wire_reject {
	struct jvpn_wire_hdr hdr;
	u8 nc[JVPN_WIRE_NC];
	u8 nonce[JVPN_WIRE_XNONCE];
	u8 payload[sizeof(struct jvpn_wire_reject_payload) + JVPN_WIRE_TAG];
};

struct jvpn_wire_gone {
	struct jvpn_wire_hdr hdr;
	u8 nc[JVPN_WIRE_NC];
	u8 mac[JVPN_WIRE_MAC];
};

/* --- established session ------------------------------------------------ */

enum jvpn_wire_ctrl_op {
	JVPN_WIRE_CTRL_CLOSE	= 1,	/* the session ends */
	JVPN_WIRE_CTRL_POLICY	= 2,	/* client: asks for a policy; gateway: states it */
	JVPN_WIRE_CTRL_RESULT	= 3,	/* answers the message numbered echo_seq */
	JVPN_WIRE_CTRL_MAX	= JVPN_WIRE_CTRL_RESULT
};

struct jvpn_wire_ctrl_payload {
	u8 op;			/* enum jvpn_wire_ctrl_op */
	u8 result;		/* RESULT: 0 done, else why not; CLOSE: reason */
	u8 zero[6];
	__le64 v_req;		/* version that the sender believes to be current */
	__le64 seq;		/* strictly rising for each sender, session and epoch */
	__le64 echo_seq;	/* RESULT only, else zero */
	char policy[JVPN_WIRE_POLICY_NAME];	/* POLICY only, NUL padded; else zero */
};

struct jvpn_wire_ctrl {
	struct jvpn_wire_hdr hdr;
	__le32 idx;		/* data index of the receiver */
	u8 nonce[JVPN_WIRE_XNONCE];
	u8 payload[sizeof(struct jvpn_wire_ctrl_payload) + JVPN_WIRE_TAG];
};

/* The additional data of the AEAD is this header. nonce = iv XOR (0^4 || ctr). */
struct jvpn_wire_data {
	struct jvpn_wire_hdr hdr;
	__le32 idx;		/* epoch index of the receiver */
	__le64 ctr;
};

/*
 * The plaintext of DATA is an IP packet (first nibble 4 or 6), possibly
 * followed by zero padding, or an inner control message (first octet below
 * 0x10), or empty (keepalive).
 */
#define JVPN_WIRE_INNER_CONTROL_END	0x10
#define JVPN_WIRE_INNER_HEARTBEAT	0x01

#define JVPN_WIRE_HEARTBEAT_REPLY	0x01

struct jvpn_wire_heartbeat {
	u8 type;		/* JVPN_WIRE_INNER_HEARTBEAT */
	u8 flags;		/* JVPN_WIRE_HEARTBEAT_* */
	__le16 zero;
	__le32 seq;		/* in a reply: of the heartbeat that is answered */
	__le64 ts;		/* sender's clock in ns, opaque to the receiver */
	__le64 echo_ts;		/* in a reply: ts of the heartbeat that is answered */
	__le64 version;		/* sender's state_version; informative */
};

#define JVPN_WIRE_HEARTBEAT_SIZE	32
/*
 * A client zero-pads its heartbeats to this plaintext, so that the datagram
 * (224) is no smaller than the CHALLENGE (220) that it may provoke.
 */
#define JVPN_WIRE_HEARTBEAT_CLIENT_SIZE	192

/* What follows the heartbeat of a client, in octets that older ones fill with zeros. */
struct jvpn_wire_heartbeat_path {
	__le16 size;		/* UDP payload that the path lets through both ways; 0: not said */
	u8 flags;		/* JVPN_WIRE_PATH_* */
	u8 zero;
};

/* A larger size is being looked for: fragment above this one, but refuse nothing for it. */
#define JVPN_WIRE_PATH_SEARCHING	0x01

/*
 * A heartbeat longer than JVPN_WIRE_HEARTBEAT_CLIENT_SIZE asks whether datagrams
 * of its size pass, and is answered by one of the same size. Older gateways
 * answer it without padding.
 */
#define JVPN_WIRE_PAYLOAD_MAX	(65535 - 20 - 8)

#pragma pack(pop)

/* --- layout ------------------------------------------------------------- */

/* sparse does not know packed layouts: the compiler proves these. */
#ifdef __CHECKER__
#define JVPN_WIRE_ASSERT(claim, text) static_assert(true || (claim), text)
#else
#define JVPN_WIRE_ASSERT(claim, text) static_assert(claim, text)
#endif
#define JVPN_WIRE_ASSERT_SIZE(type, size) \
	JVPN_WIRE_ASSERT(sizeof(struct type) == (size), "size of " #type)
#define JVPN_WIRE_ASSERT_AT(type, field, offset) \
	JVPN_WIRE_ASSERT(offsetof(struct type, field) == (offset), #type "." #field)

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_hdr, 4);
JVPN_WIRE_ASSERT_SIZE(jvpn_wire_addr, JVPN_WIRE_ADDR);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_init_payload, 192);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, tai64n, 0);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, proto_min, 12);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, proto_max, 13);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, suites, 14);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, policy, 16);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, inner_flags, 48);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, v4, 49);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, v4_prefix, 53);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, v6, 54);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, v6_prefix, 70);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init_payload, pad, 71);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_resp_payload, 224);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, sid, 0);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, version, 16);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, suite, 24);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, flags, 25);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, incarnation, 26);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, policy_version, 30);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, session_ttl_ms, 34);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, transport_loss_ttl_ms, 38);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, recovery_window_ms, 42);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, max_switches_per_minute, 46);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, v4, 50);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, v4_prefix, 54);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, v6, 55);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, v6_prefix, 71);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, gone, 72);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, ticket, 88);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, switch_cooldown_ms, 216);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp_payload, pad, 220);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_init, JVPN_WIRE_INIT_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init, sender, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init, e, 8);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init, s, 40);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init, payload, 88);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init, mac1, 296);
JVPN_WIRE_ASSERT_AT(jvpn_wire_init, mac2, 312);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_resp, JVPN_WIRE_RESP_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp, sender, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp, receiver, 8);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp, e, 12);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp, payload, 44);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp, mac1, 284);
JVPN_WIRE_ASSERT_AT(jvpn_wire_resp, mac2, 300);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_cookie, JVPN_WIRE_COOKIE_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_cookie, receiver, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_cookie, nonce, 8);
JVPN_WIRE_ASSERT_AT(jvpn_wire_cookie, cookie, 32);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_ticket, JVPN_WIRE_TICKET);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ticket, nonce, 1);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ticket, box, 25);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_addr_cookie, 24);
JVPN_WIRE_ASSERT_AT(jvpn_wire_addr_cookie, expiry, 1);
JVPN_WIRE_ASSERT_AT(jvpn_wire_addr_cookie, mac, 8);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_request_payload, 84);
JVPN_WIRE_ASSERT_AT(jvpn_wire_request_payload, v_seen, 4);
JVPN_WIRE_ASSERT_SIZE(jvpn_wire_request, JVPN_WIRE_REQUEST_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_request, ticket, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_request, nc, 68);
JVPN_WIRE_ASSERT_AT(jvpn_wire_request, payload, 92);
JVPN_WIRE_ASSERT_AT(jvpn_wire_request, mac1, 192);
JVPN_WIRE_ASSERT_AT(jvpn_wire_request, mac2, 208);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_challenge_payload, 104);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge_payload, e_cur, 8);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge_payload, state, 12);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge_payload, flags, 13);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge_payload, retry_ms, 14);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge_payload, observed_transport, 16);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge_payload, observed, 17);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge_payload, incarnation, 35);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge_payload, zero, 39);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge_payload, ticket, 40);
JVPN_WIRE_ASSERT_SIZE(jvpn_wire_challenge, JVPN_WIRE_CHALLENGE_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge, nc, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge, ns, 28);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge, cookie, 44);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge, e_s, 68);
JVPN_WIRE_ASSERT_AT(jvpn_wire_challenge, payload, 100);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_gate, 16);
JVPN_WIRE_ASSERT_SIZE(jvpn_wire_proof_payload, 32);
JVPN_WIRE_ASSERT_AT(jvpn_wire_proof_payload, meaning, 12);
JVPN_WIRE_ASSERT_SIZE(jvpn_wire_proof, JVPN_WIRE_PROOF_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_proof, ticket, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_proof, nc, 68);
JVPN_WIRE_ASSERT_AT(jvpn_wire_proof, ns, 92);
JVPN_WIRE_ASSERT_AT(jvpn_wire_proof, cookie, 108);
JVPN_WIRE_ASSERT_AT(jvpn_wire_proof, h1, 132);
JVPN_WIRE_ASSERT_AT(jvpn_wire_proof, e_c, 196);
JVPN_WIRE_ASSERT_AT(jvpn_wire_proof, gate, 228);
JVPN_WIRE_ASSERT_AT(jvpn_wire_proof, payload, 260);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_ack_payload, 96);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ack_payload, v_cur, 8);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ack_payload, e_new, 16);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ack_payload, ttl_ms, 20);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ack_payload, state, 24);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ack_payload, ticket, 32);
JVPN_WIRE_ASSERT_SIZE(jvpn_wire_ack, JVPN_WIRE_ACK_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ack, nonce, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ack, payload, 28);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_reject_payload, 16);
JVPN_WIRE_ASSERT_AT(jvpn_wire_reject_payload, node, 2);
JVPN_WIRE_ASSERT_AT(jvpn_wire_reject_payload, wait_ms, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_reject_payload, v_cur, 8);
JVPN_WIRE_ASSERT_SIZE(jvpn_wire_reject, JVPN_WIRE_REJECT_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_reject, nc, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_reject, nonce, 28);
JVPN_WIRE_ASSERT_AT(jvpn_wire_reject, payload, 52);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_gone, JVPN_WIRE_GONE_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_gone, nc, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_gone, mac, 28);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_ctrl_payload, 64);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ctrl_payload, v_req, 8);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ctrl_payload, seq, 16);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ctrl_payload, echo_seq, 24);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ctrl_payload, policy, 32);
JVPN_WIRE_ASSERT_SIZE(jvpn_wire_ctrl, JVPN_WIRE_CTRL_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ctrl, idx, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ctrl, nonce, 8);
JVPN_WIRE_ASSERT_AT(jvpn_wire_ctrl, payload, 32);

JVPN_WIRE_ASSERT_SIZE(jvpn_wire_data, 16);
JVPN_WIRE_ASSERT_AT(jvpn_wire_data, idx, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_data, ctr, 8);
JVPN_WIRE_ASSERT_SIZE(jvpn_wire_heartbeat, JVPN_WIRE_HEARTBEAT_SIZE);
JVPN_WIRE_ASSERT_AT(jvpn_wire_heartbeat, seq, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_heartbeat, ts, 8);
JVPN_WIRE_ASSERT_AT(jvpn_wire_heartbeat, echo_ts, 16);
JVPN_WIRE_ASSERT_AT(jvpn_wire_heartbeat, version, 24);
JVPN_WIRE_ASSERT_SIZE(jvpn_wire_heartbeat_path, 4);
JVPN_WIRE_ASSERT_AT(jvpn_wire_heartbeat_path, flags, 2);

/* No answer outgrows what provokes it. */
static_assert(JVPN_WIRE_RESP_SIZE <= JVPN_WIRE_INIT_SIZE, "amplification");
static_assert(JVPN_WIRE_CHALLENGE_SIZE <= JVPN_WIRE_REQUEST_SIZE, "amplification");
static_assert(JVPN_WIRE_CHALLENGE_SIZE <= JVPN_WIRE_PROOF_SIZE, "amplification");
static_assert(JVPN_WIRE_CHALLENGE_SIZE <=
	       JVPN_WIRE_HEARTBEAT_CLIENT_SIZE + JVPN_WIRE_DATA_OVERHEAD, "amplification");

/* --- prefilter ---------------------------------------------------------- */

/**
 * jvpn_wire_control_size() - exact size of a control message
 * @type: first octet of the datagram
 *
 * Return: octets, or 0 if @type is DATA or unknown.
 */
static inline u32 jvpn_wire_control_size(u8 type)
{
	switch (type) {
	case JVPN_MSG_INIT:
		return JVPN_WIRE_INIT_SIZE;
	case JVPN_MSG_RESP:
		return JVPN_WIRE_RESP_SIZE;
	case JVPN_MSG_COOKIE:
		return JVPN_WIRE_COOKIE_SIZE;
	case JVPN_MSG_REQUEST:
		return JVPN_WIRE_REQUEST_SIZE;
	case JVPN_MSG_CHALLENGE:
		return JVPN_WIRE_CHALLENGE_SIZE;
	case JVPN_MSG_PROOF:
		return JVPN_WIRE_PROOF_SIZE;
	case JVPN_MSG_ACK:
		return JVPN_WIRE_ACK_SIZE;
	case JVPN_MSG_REJECT:
		return JVPN_WIRE_REJECT_SIZE;
	case JVPN_MSG_GONE:
		return JVPN_WIRE_GONE_SIZE;
	case JVPN_MSG_CTRL:
		return JVPN_WIRE_CTRL_SIZE;
	default:
		return 0;
	}
}

/* Sets of message types, as bits (1 << type), that each role receives. */
enum jvpn_wire_types {
	JVPN_WIRE_TO_GATEWAY = 1u << JVPN_MSG_INIT | 1u << JVPN_MSG_DATA |
			       1u << JVPN_MSG_REQUEST | 1u << JVPN_MSG_PROOF |
			       1u << JVPN_MSG_CTRL,
	JVPN_WIRE_TO_CLIENT = 1u << JVPN_MSG_RESP | 1u << JVPN_MSG_COOKIE |
			      1u << JVPN_MSG_DATA | 1u << JVPN_MSG_CHALLENGE |
			      1u << JVPN_MSG_ACK | 1u << JVPN_MSG_REJECT |
			      1u << JVPN_MSG_GONE | 1u << JVPN_MSG_CTRL
};

/**
 * jvpn_wire_control_valid() - the prefilter of control messages
 * @types: JVPN_WIRE_TO_GATEWAY or JVPN_WIRE_TO_CLIENT
 * @msg: the datagram
 * @len: its length
 *
 * Return: whether the header is one of JVPN1, of a type that this role
 * receives, and the length is exactly the one of that type.
 */
static inline bool jvpn_wire_control_valid(u32 types, const u8 *msg, u32 len)
{
	return len >= sizeof(struct jvpn_wire_hdr) && msg[0] < JVPN_MSG_END &&
	       (types >> msg[0] & 1) && msg[1] == JVPN_WIRE_PROTO && !msg[2] && !msg[3] &&
	       len == jvpn_wire_control_size(msg[0]);
}

#endif
