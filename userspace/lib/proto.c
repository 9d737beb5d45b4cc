// SPDX-License-Identifier: GPL-2.0

#include <netinet/in.h>
#include <sodium.h>

#include "proto.h"

static const char *const verdict_text[JVPN_VERDICT_END] = {
	[JVPN_VERDICT_OK] = "accepted",
	[JVPN_VERDICT_BAD_LENGTH] = "wrong length for its type",
	[JVPN_VERDICT_BAD_TYPE] = "not the message type expected here",
	[JVPN_VERDICT_BAD_PROTO] = "unknown protocol version",
	[JVPN_VERDICT_BAD_RESERVED] = "reserved octets are not zero",
	[JVPN_VERDICT_BAD_MAC1] = "mac1 does not verify",
	[JVPN_VERDICT_NEED_COOKIE] = "mac2 is missing or does not verify",
	[JVPN_VERDICT_BAD_INDEX] = "index names nothing here",
	[JVPN_VERDICT_BAD_KEY] = "public key of low order",
	[JVPN_VERDICT_BAD_AUTH] = "does not authenticate",
	[JVPN_VERDICT_BAD_GATE] = "PROOF does not know the session's secret",
	[JVPN_VERDICT_TICKET_FORGED] = "ticket does not authenticate",
	[JVPN_VERDICT_TICKET_EXPIRED] = "ticket has expired",
	[JVPN_VERDICT_UNKNOWN_ATTEMPT] = "answers no open attempt",
	[JVPN_VERDICT_BAD_FIELD] = "authentic, but a field is out of range",
	[JVPN_VERDICT_BAD_VERSION_RANGE] = "no common protocol version",
	[JVPN_VERDICT_BAD_SUITE] = "no common cipher suite",
	[JVPN_VERDICT_REPLAYED] = "not newer than the last one accepted",
	[JVPN_VERDICT_ROLLBACK] = "the gateway's record is older than what the client saw",
	[JVPN_VERDICT_TERMINATED] = "session is terminated",
	[JVPN_VERDICT_DUPLICATE] = "the committed PROOF again",
	[JVPN_VERDICT_DUPLICATE_ELSEWHERE] = "the committed PROOF from another address",
	[JVPN_VERDICT_ELSEWHERE] = "from another transport than it must come from",
	[JVPN_VERDICT_STALE_KID] = "cookie of a challenge slot that is gone",
	[JVPN_VERDICT_STALE_COOKIE] = "cookie was not made for this address and exchange",
	[JVPN_VERDICT_STALE_EXPIRED] = "challenge has expired",
	[JVPN_VERDICT_STALE_VERSION] = "PROOF names another version",
	[JVPN_VERDICT_STALE_EPOCH] = "PROOF names another epoch",
	[JVPN_VERDICT_REPEATED] = "CHALLENGE was used already",
	[JVPN_VERDICT_HELD] = "CHALLENGE names an address that is not expected",
	[JVPN_VERDICT_PENDING] = "a PROOF naming that version is under way",
	[JVPN_VERDICT_SUPERSEDED] = "a newer attempt has taken over",
	[JVPN_VERDICT_EXHAUSTED] = "too many stale rounds",
	[JVPN_VERDICT_OLD_COMMIT] = "commit is older than the current epoch",
	[JVPN_VERDICT_NOT_SENT] = "invitation for a packet not sent lately",
	[JVPN_VERDICT_PATH_ALIVE] = "invitation is older than a heartbeat's echo",
	[JVPN_VERDICT_LIMITED] = "above a rate",
	[JVPN_VERDICT_FULL] = "no room for another attempt",
	[JVPN_VERDICT_NO_TICKET] = "no ticket left",
	[JVPN_VERDICT_MISUSE] = "arguments out of range",
};

const char *jvpn_verdict_str(enum jvpn_verdict verdict)
{
	return (unsigned int)verdict < JVPN_VERDICT_END ? verdict_text[verdict] : "unknown";
}

bool jvpn_verdict_stale(enum jvpn_verdict verdict)
{
	return verdict >= JVPN_VERDICT_STALE_KID && verdict <= JVPN_VERDICT_STALE_EPOCH;
}

/*
 * Each from the kernel when it is used (libsodium asks getrandom), so that no two copies of a
 * virtual machine have the same one drawn already.
 */
static void rng_fill_system(void *ctx, void *out, size_t size)
{
	(void)ctx;
	randombytes_buf(out, size);
}

const struct jvpn_rng jvpn_rng_system = { .fill = rng_fill_system };

void jvpn_rng_fill(const struct jvpn_rng *rng, void *out, size_t size)
{
	rng->fill(rng->ctx, out, size);
}

static const u8 v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool addr_set(struct jvpn_wire_addr *addr, const struct sockaddr *sa)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		memcpy(addr->ip, v4_mapped, sizeof(v4_mapped));
		memcpy(addr->ip + sizeof(v4_mapped), &v4.sin_addr, 4);
		memcpy(addr->port, &v4.sin_port, 2);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		memcpy(addr->ip, &v6.sin6_addr, 16);
		memcpy(addr->port, &v6.sin6_port, 2);
		return true;
	}
	return false;
}

static bool addr_is_v4(const struct jvpn_wire_addr *addr)
{
	return !memcmp(addr->ip, v4_mapped, sizeof(v4_mapped));
}

static bool addr_in(const struct jvpn_wire_addr *addr, size_t at, const u8 *prefix,
		    unsigned int bits)
{
	const u8 *ip = addr->ip + at;
	u8 mask = (u8)(0xff00u >> bits % 8);

	return !memcmp(ip, prefix, bits / 8) &&
	       !((ip[bits / 8] ^ prefix[bits / 8]) & mask);
}

bool jvpn_wire_addr_is_private(const struct jvpn_wire_addr *addr)
{
	static const struct {
		u8 prefix[3];
		u8 bits;
	} v4[] = {
		{ { 10 }, 8 }, { { 100, 64 }, 10 }, { { 127 }, 8 }, { { 169, 254 }, 16 },
		{ { 172, 16 }, 12 }, { { 192, 168 }, 16 },
	}, v6[] = {
		{ { 0xfc }, 7 }, { { 0xfe, 0x80 }, 10 },
	};
	size_t i;

	if (!addr_is_v4(addr)) {
		for (i = 0; i < sizeof(v6) / sizeof(v6[0]); i++)
			if (addr_in(addr, 0, v6[i].prefix, v6[i].bits))
				return true;
		return false;
	}
	for (i = 0; i < sizeof(v4) / sizeof(v4[0]); i++)
		if (addr_in(addr, sizeof(v4_mapped), v4[i].prefix, v4[i].bits))
			return true;
	return false;
}

bool jvpn_path_set(struct jvpn_path *path, const struct sockaddr *remote,
		   const struct sockaddr *local)
{
	struct jvpn_path made;

	if (!addr_set(&made.remote, remote) || !addr_set(&made.local, local))
		return false;
	if (addr_is_v4(&made.remote) != addr_is_v4(&made.local))
		return false;
	made.transport = addr_is_v4(&made.remote) ? JVPN_WIRE_TRANSPORT_UDP4 :
						    JVPN_WIRE_TRANSPORT_UDP6;
	*path = made;
	return true;
}

bool jvpn_path_equal(const struct jvpn_path *a, const struct jvpn_path *b)
{
	return a->transport == b->transport &&
	       !memcmp(&a->remote, &b->remote, sizeof(a->remote)) &&
	       !memcmp(&a->local, &b->local, sizeof(a->local));
}

enum jvpn_verdict jvpn_msg_check(const u8 *msg, size_t len, enum jvpn_msg type)
{
	if (len < sizeof(struct jvpn_wire_hdr))
		return JVPN_VERDICT_BAD_LENGTH;
	if (msg[0] != type)
		return JVPN_VERDICT_BAD_TYPE;
	if (msg[1] != JVPN_WIRE_PROTO)
		return JVPN_VERDICT_BAD_PROTO;
	if (msg[2] || msg[3])
		return JVPN_VERDICT_BAD_RESERVED;
	if (len != jvpn_wire_control_size(msg[0]))
		return JVPN_VERDICT_BAD_LENGTH;
	return JVPN_VERDICT_OK;
}

void jvpn_msg_header(struct jvpn_wire_hdr *hdr, enum jvpn_msg type)
{
	*hdr = (struct jvpn_wire_hdr){ .type = type, .proto = JVPN_WIRE_PROTO };
}
