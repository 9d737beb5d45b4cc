/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_PROTO_H
#define JVPN_PROTO_H

/*
 * What all parts of the protocol library share: verdicts, randomness, paths.
 *
 * The library is pure: no input or output, no clock, no globals but constants.
 * Time is an argument: now_ms is CLOCK_BOOTTIME in milliseconds, boot_s the
 * same in seconds. Nothing here is decided by a clock that can be set; only
 * INIT carries one, to be compared with nothing but itself.
 * sodium_init() must have succeeded before anything here is called.
 *
 * Rules that hold for every function that reads a datagram:
 *  - it returns JVPN_VERDICT_OK or says exactly why not;
 *  - unless it returns OK, it has changed neither its outputs nor any state
 *    (exceptions are named where they exist);
 *  - the caller may answer or stay silent as the verdict's comment says.
 */

#include <endian.h>
#include <sys/socket.h>

#include "wire.h"

#ifndef __packed
#define __packed __attribute__((__packed__))
#endif

static inline u16 jvpn_le16_to_cpu(__le16 x) { return le16toh(x); }
static inline u32 jvpn_le32_to_cpu(__le32 x) { return le32toh(x); }
static inline u64 jvpn_le64_to_cpu(__le64 x) { return le64toh(x); }
static inline __le16 jvpn_cpu_to_le16(u16 x) { return htole16(x); }
static inline __le32 jvpn_cpu_to_le32(u32 x) { return htole32(x); }
static inline __le64 jvpn_cpu_to_le64(u64 x) { return htole64(x); }

enum jvpn_verdict {
	JVPN_VERDICT_OK,

	/* Unauthenticated: drop in silence. */
	JVPN_VERDICT_BAD_LENGTH,	/* not the exact size of its type */
	JVPN_VERDICT_BAD_TYPE,		/* not the type expected here */
	JVPN_VERDICT_BAD_PROTO,		/* not JVPN1 */
	JVPN_VERDICT_BAD_RESERVED,	/* reserved octets are not zero */
	JVPN_VERDICT_BAD_MAC1,		/* sender does not know the receiver's public key */
	JVPN_VERDICT_NEED_COOKIE,	/* mac2 missing or wrong: answer COOKIE if loaded */
	JVPN_VERDICT_BAD_INDEX,		/* names no handshake or epoch of ours */
	JVPN_VERDICT_BAD_KEY,		/* public key of low order */
	JVPN_VERDICT_BAD_AUTH,		/* AEAD or MAC does not verify */
	JVPN_VERDICT_BAD_GATE,		/* PROOF without the session's secret */
	JVPN_VERDICT_TICKET_FORGED,
	JVPN_VERDICT_TICKET_EXPIRED,
	JVPN_VERDICT_UNKNOWN_ATTEMPT,	/* answers no open attempt of ours */

	/* Authenticated, refused: count, drop, or answer as said. */
	JVPN_VERDICT_BAD_FIELD,		/* authentic, but a field is out of its range */
	JVPN_VERDICT_BAD_VERSION_RANGE,	/* no common protocol version */
	JVPN_VERDICT_BAD_SUITE,		/* no common suite */
	JVPN_VERDICT_REPLAYED,		/* timestamp or sequence number not above the last */
	JVPN_VERDICT_ROLLBACK,		/* the gateway's store lost versions: session is dead */
	JVPN_VERDICT_TERMINATED,	/* answer REJECT(TERMINATED) */
	JVPN_VERDICT_DUPLICATE,		/* the committed PROOF again: answer ACK, install nothing */
	JVPN_VERDICT_DUPLICATE_ELSEWHERE, /* the same from another source: drop */
	JVPN_VERDICT_ELSEWHERE,		/* not from the transport that it must come from */
	JVPN_VERDICT_STALE_KID,		/* answer CHALLENGE(STALE) to all of STALE_* */
	JVPN_VERDICT_STALE_COOKIE,	/* forged, or made for another address or exchange */
	JVPN_VERDICT_STALE_EXPIRED,
	JVPN_VERDICT_STALE_VERSION,
	JVPN_VERDICT_STALE_EPOCH,

	/* Client side. */
	JVPN_VERDICT_REPEATED,		/* CHALLENGE that was used already */
	JVPN_VERDICT_HELD,		/* CHALLENGE to an address that is not expected: kept */
	JVPN_VERDICT_PENDING,		/* a PROOF naming that version is under way: wait */
	JVPN_VERDICT_SUPERSEDED,	/* STALE for an intent that is not the newest; dropped */
	JVPN_VERDICT_EXHAUSTED,		/* too many STALE rounds; the attempt was dropped */
	JVPN_VERDICT_OLD_COMMIT,	/* ACK of a commit older than the current epoch */
	JVPN_VERDICT_NOT_SENT,		/* invitation for a packet that we did not send lately */
	JVPN_VERDICT_PATH_ALIVE,	/* invitation older than a heartbeat's echo */
	JVPN_VERDICT_LIMITED,		/* more invitations than we answer */
	JVPN_VERDICT_FULL,		/* no room for another attempt */
	JVPN_VERDICT_NO_TICKET,
	JVPN_VERDICT_MISUSE,		/* the caller's arguments make no sense */

	JVPN_VERDICT_END
};

/* Short text without a full stop, "PROOF names an old version". */
const char *jvpn_verdict_str(enum jvpn_verdict verdict);
/* Must a PROOF with this verdict be answered by CHALLENGE(STALE)? */
bool jvpn_verdict_stale(enum jvpn_verdict verdict);

/**
 * struct jvpn_rng - where randomness comes from
 * @fill: fill @size octets at @out; cannot fail
 * @ctx: passed to @fill
 *
 * Product code passes &jvpn_rng_system. Tests pass a counted stream.
 */
struct jvpn_rng {
	void (*fill)(void *ctx, void *out, size_t size);
	void *ctx;
};

extern const struct jvpn_rng jvpn_rng_system;

void jvpn_rng_fill(const struct jvpn_rng *rng, void *out, size_t size);

/**
 * struct jvpn_path - the outer addresses of a datagram, as the receiver sees them
 * @transport: enum jvpn_wire_transport
 * @remote: source of the datagram
 * @local: destination of the datagram
 */
struct jvpn_path {
	u8 transport;
	struct jvpn_wire_addr remote;
	struct jvpn_wire_addr local;
};

/*
 * Fill a path for UDP. The families may differ in form only (a v4-mapped IPv6
 * address is the IPv4 address). Returns false, path untouched, unless both are
 * of one family and that is IPv4 or IPv6.
 */
bool jvpn_path_set(struct jvpn_path *path, const struct sockaddr *remote,
		   const struct sockaddr *local);
/* Is it of an inner network, so that a NAT stands between it and a gateway elsewhere? */
bool jvpn_wire_addr_is_private(const struct jvpn_wire_addr *addr);
bool jvpn_path_equal(const struct jvpn_path *a, const struct jvpn_path *b);

/* Header and size of one message type. */
enum jvpn_verdict jvpn_msg_check(const u8 *msg, size_t len, enum jvpn_msg type);
void jvpn_msg_header(struct jvpn_wire_hdr *hdr, enum jvpn_msg type);

#endif /* JVPN_PROTO_H */
