/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_HANDSHAKE_H
#define JVPN_HANDSHAKE_H

/*
 * INIT and RESP: Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b, the client initiates.
 * The psk is 32 zero octets if none was agreed.
 *
 * Gateway, for each INIT:
 *   jvpn_mac1_check(); if loaded jvpn_mac2_check(), else jvpn_cookie_build()
 *   jvpn_hs_server_open()             2 DH; find the peer by hs.client_pub
 *   jvpn_hs_timestamp_accept()        per peer
 *   jvpn_hs_server_respond()          4 DH; again with the same hs if an index is taken
 * Client:
 *   jvpn_hs_client_start(), jvpn_mac_stamp() if it holds a cookie, send
 *   jvpn_cookie_open() or jvpn_hs_client_finish()
 */

#include "cookie.h"
#include "epoch.h"
#include "noise.h"

#define JVPN_SUITE_BIT(suite)	(1u << (suite))
#define JVPN_HS_TAI64N		12
/* A node forgets a peer's timestamp after this long: it is a filter against floods only. */
#define JVPN_HS_TIMESTAMP_MS	3600000

/* INIT's payload, decoded. */
struct jvpn_hs_init {
	u8 tai64n[JVPN_HS_TAI64N];
	u8 proto_min;
	u8 proto_max;
	u16 suites;			/* JVPN_SUITE_BIT() of each */
	char policy[JVPN_WIRE_POLICY_NAME];	/* NUL terminated; empty: the default */
	bool want_v4;
	bool want_v6;
	u8 v4[4];			/* wanted address; zero: any */
	u8 v4_prefix;
	u8 v6[16];
	u8 v6_prefix;
};

/* RESP's payload, decoded. */
struct jvpn_hs_resp {
	u8 sid[JVPN_WIRE_SID];
	u64 version;			/* 0 */
	u8 suite;
	u32 incarnation;
	u32 policy_version;
	u32 session_ttl_ms;		/* UINT32_MAX: that long or longer */
	u32 transport_loss_ttl_ms;
	u32 recovery_window_ms;
	u32 max_switches_per_minute;
	u32 switch_cooldown_ms;
	u8 v4[4];			/* v4_prefix 0: none */
	u8 v4_prefix;
	u8 v6[16];
	u8 v6_prefix;
	u8 gone[JVPN_WIRE_MAC];
	u8 ticket[2][JVPN_WIRE_TICKET];
};

/* What a finished handshake yields. */
struct jvpn_hs_result {
	struct jvpn_epoch epoch;	/* epoch 0 */
	struct jvpn_session_keys keys;
};

void jvpn_hs_resp_wipe(struct jvpn_hs_resp *resp);
void jvpn_hs_result_wipe(struct jvpn_hs_result *result);

/* Wall clock to TAI64N. */
void jvpn_hs_tai64n(u8 out[JVPN_HS_TAI64N], u64 wall_s, u32 nanoseconds);
/* And back: whole seconds; 0 if it was before 1970. */
u64 jvpn_hs_tai64n_wall_s(const u8 stamp[JVPN_HS_TAI64N]);
/* Make stamp later than last, unless it is: a clock that was set back must not show. */
void jvpn_hs_tai64n_raise(u8 stamp[JVPN_HS_TAI64N], const u8 last[JVPN_HS_TAI64N]);

/**
 * struct jvpn_hs_client - a handshake that waits for its RESP
 * @noise: state after message 1
 * @e: ephemeral secret
 * @client: own static secret
 * @client_pub: its point
 * @server_pub: the gateway's static point
 * @sender: index in INIT
 * @suites: that INIT offered
 */
struct jvpn_hs_client {
	struct jvpn_noise noise;
	u8 e[JVPN_WIRE_KEY];
	u8 client[JVPN_WIRE_KEY];
	u8 client_pub[JVPN_WIRE_KEY];
	u8 server_pub[JVPN_WIRE_KEY];
	u32 sender;
	u16 suites;
};

/*
 * Build INIT with mac1 and zero mac2. BAD_KEY if server_pub is of low order,
 * MISUSE if init cannot be encoded.
 */
enum jvpn_verdict jvpn_hs_client_start(struct jvpn_hs_client *hs,
				       const u8 client[JVPN_WIRE_KEY],
				       const u8 server_pub[JVPN_WIRE_KEY],
				       const struct jvpn_hs_init *init,
				       const struct jvpn_rng *rng, struct jvpn_wire_init *out);
/*
 * Read RESP. hs is not changed, whatever comes: a forged RESP does not spoil
 * the handshake. The caller wipes hs after OK or when it gives up.
 */
enum jvpn_verdict jvpn_hs_client_finish(const struct jvpn_hs_client *hs,
					const u8 psk[JVPN_WIRE_KEY], const u8 *msg, size_t len,
					struct jvpn_hs_resp *resp,
					struct jvpn_hs_result *result);
void jvpn_hs_client_wipe(struct jvpn_hs_client *hs);

/**
 * struct jvpn_hs_server - an INIT that was read and not answered yet
 * @noise: state after message 1
 * @client_e: the client's ephemeral point
 * @client_pub: the client's static point: who it claims to be (proved by its first DATA)
 * @receiver: sender index of INIT
 */
struct jvpn_hs_server {
	struct jvpn_noise noise;
	u8 client_e[JVPN_WIRE_KEY];
	u8 client_pub[JVPN_WIRE_KEY];
	u32 receiver;
};

/* Read INIT (mac1 was checked). Changes no durable state; what it says may be a replay. */
enum jvpn_verdict jvpn_hs_server_open(struct jvpn_hs_server *hs,
				      const u8 server[JVPN_WIRE_KEY],
				      const u8 server_pub[JVPN_WIRE_KEY],
				      const u8 *msg, size_t len, struct jvpn_hs_init *init);
/* Answer it. MISUSE if resp cannot be encoded, BAD_KEY for a low-order point of the client. */
enum jvpn_verdict jvpn_hs_server_respond(const struct jvpn_hs_server *hs,
					 const u8 psk[JVPN_WIRE_KEY],
					 const struct jvpn_hs_resp *resp,
					 const struct jvpn_rng *rng, struct jvpn_wire_resp *out,
					 struct jvpn_hs_result *result);
void jvpn_hs_server_wipe(struct jvpn_hs_server *hs);

/* Highest suite of both sets; 0 if there is none. */
u8 jvpn_hs_suite_choose(u16 offered, u16 supported);

/* The last timestamp of one static key. Zeroed is a valid start. */
struct jvpn_hs_timestamp {
	bool set;
	u8 tai64n[JVPN_HS_TAI64N];
	u64 seen_ms;
};

/* REPLAYED unless later than the last one, or the last one is forgotten. Remembers nothing. */
enum jvpn_verdict jvpn_hs_timestamp_check(const struct jvpn_hs_timestamp *last,
					  const u8 tai64n[JVPN_HS_TAI64N], u64 now_ms);
/* The same; OK remembers it. */
enum jvpn_verdict jvpn_hs_timestamp_accept(struct jvpn_hs_timestamp *last,
					   const u8 tai64n[JVPN_HS_TAI64N], u64 now_ms);

#endif /* JVPN_HANDSHAKE_H */
