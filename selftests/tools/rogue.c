// SPDX-License-Identifier: GPL-2.0
/*
 * A client that has a key of its own at the gateway and behaves as it must not:
 *
 *   rogue ADDRESS PORT KEY-FILE GATEWAY-KEY
 *
 * Line by line it does what its input says, and answers each with a line that
 * begins with "ok" or "not ok" (IPv4 only):
 *
 *   handshake [ADDRESS]   a session, and the inner address wanted; prints the one given
 *   inits N               N INITs that nobody confirms: half-open sessions
 *   requests N            N REQUESTs of its session
 *   moves N               N moves, each from another port: REQUEST, PROOF
 *   broken N              the same; what only public-key work can judge is wrong in PROOF
 *   repeat N              the last PROOF, N times
 *   elsewhere N OCTETS    N heartbeats padded to OCTETS, from another port
 *   spoof SOURCE DEST     an inner UDP packet with that source
 *   capture FILE          what another client has sent (pcap); then, with its own keys:
 *   close-other           CLOSE with the other's index, for each version it may have
 *   data-other N          N DATA with the other's index
 *   ticket-other N        N REQUESTs with the other's ticket
 *   totals                octets of UDP payload sent and received since it was last asked
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/jvpn.h>

#include "capture.h"
#include "ctrl.h"
#include "data.h"
#include "keys.h"
#include "reattach.h"

#define TRIES 5
#define DATAGRAM_MAX 2048

static struct {
	struct sockaddr_in gateway;
	uint8_t secret[JVPN_WIRE_KEY];
	uint8_t gateway_key[JVPN_WIRE_KEY];
	struct jvpn_mac_keys mac;
	struct jvpn_cookie_jar jar;	/* of the socket in use */
	unsigned int patience_ms;
	int fd;
	struct jvpn_client client;
	struct jvpn_epoch epoch;
	uint64_t counter;
	struct jvpn_wire_proof proof;
	struct capture other;
	uint64_t sent, received;
} me;

struct message {
	size_t len;
	uint8_t data[DATAGRAM_MAX];
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void answer(bool good, const char *format, ...)
{
	va_list args;

	printf(good ? "ok " : "not ok ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* ---- datagrams ---- */

/* A port that the gateway has not seen: nothing is known of it. */
static int port_open(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&me.gateway, sizeof(me.gateway)))
		err(1, "socket");
	memset(&me.jar, 0, sizeof(me.jar));
	return fd;
}

static void transmit(int fd, const void *data, size_t len)
{
	if (send(fd, data, len, 0) == (ssize_t)len)
		me.sent += len;
}

static bool receive(int fd, unsigned int ms, struct message *m)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t len;

	if (poll(&p, 1, ms) != 1)
		return false;
	len = recv(fd, m->data, sizeof(m->data), MSG_DONTWAIT);
	m->len = len > 0 ? len : 0;
	me.received += m->len;
	return m->len;
}

/* Wait for this type. COOKIEs for what was sent are put into the jar; then it returns at once. */
static bool await(int fd, uint8_t type, const void *sent, size_t sent_len, struct message *m)
{
	uint64_t end = now_ms() + me.patience_ms, now;

	while ((now = now_ms()) < end) {
		if (!receive(fd, end - now, m))
			continue;
		if (m->data[0] == type)
			return true;
		if (m->data[0] == JVPN_MSG_COOKIE &&
		    !jvpn_cookie_open(&me.jar, m->data, m->len, sent, sent_len, &me.mac, now))
			return false;
	}
	return false;
}

/* What waits: how many of this type. */
static unsigned int drain(int fd, unsigned int ms, uint8_t type)
{
	struct message m;
	unsigned int count = 0;

	while (receive(fd, ms, &m))
		count += m.data[0] == type;
	return count;
}

/* ---- handshake ---- */

static void init_make(struct jvpn_hs_client *hs, struct jvpn_wire_init *msg, const char *wanted)
{
	struct jvpn_hs_init init = { .proto_min = JVPN_WIRE_PROTO, .proto_max = JVPN_WIRE_PROTO,
				     .suites = JVPN_SUITE_BIT(JVPN_SUITE_CHACHA20_POLY1305),
				     .want_v4 = true };
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	jvpn_hs_tai64n(init.tai64n, t.tv_sec, t.tv_nsec);
	if (wanted && inet_pton(AF_INET, wanted, init.v4) == 1)
		init.v4_prefix = 32;
	if (jvpn_hs_client_start(hs, me.secret, me.gateway_key, &init, &jvpn_rng_system, msg))
		errx(1, "cannot make an INIT");
	jvpn_mac_stamp((uint8_t *)msg, sizeof(*msg), &me.mac, jvpn_cookie_get(&me.jar, now_ms()));
}

static void heartbeat_send(int fd, size_t size)
{
	struct jvpn_heartbeat heartbeat = { .seq = me.counter + 1, .ts = now_ms() * 1000000 };
	uint8_t inner[DATAGRAM_MAX] = { 0 }, out[DATAGRAM_MAX + JVPN_WIRE_DATA_OVERHEAD];

	jvpn_heartbeat_build(inner, &heartbeat);
	jvpn_data_seal(out, &me.epoch.c2s, me.epoch.idx_c2s, me.counter++, inner, size);
	transmit(fd, out, size + JVPN_WIRE_DATA_OVERHEAD);
}

/* The session is attached when the gateway answers a heartbeat. */
static bool attach(void)
{
	struct message m;

	for (int i = 0; i < TRIES; i++) {
		heartbeat_send(me.fd, JVPN_WIRE_HEARTBEAT_CLIENT_SIZE);
		if (await(me.fd, JVPN_MSG_DATA, NULL, 0, &m))
			return true;
	}
	return false;
}

static void handshake(const char *wanted)
{
	struct jvpn_hs_result result;
	struct jvpn_hs_client hs;
	struct jvpn_wire_init init;
	struct jvpn_hs_resp resp;
	char inner[INET_ADDRSTRLEN];
	struct message m;

	me.fd = port_open();
	for (int i = 0; i < TRIES; i++) {
		init_make(&hs, &init, wanted);
		transmit(me.fd, &init, sizeof(init));
		if (await(me.fd, JVPN_MSG_RESP, &init, sizeof(init), &m) &&
		    !jvpn_hs_client_finish(&hs, (uint8_t[JVPN_WIRE_KEY]){ 0 }, m.data, m.len, &resp,
					   &result))
			break;
		if (i == TRIES - 1) {
			answer(false, "no RESP");
			return;
		}
	}
	jvpn_client_init(&me.client, me.secret, me.gateway_key, &resp, &result);
	me.epoch = result.epoch;
	me.counter = 0;
	inet_ntop(AF_INET, resp.v4, inner, sizeof(inner));
	answer(attach(), "%s", inner);
}

/* INITs sent lately: a COOKIE answers one of them, perhaps not the last one. */
#define INITS_KEPT 256

static void inits_read(int fd, unsigned int ms, const struct jvpn_wire_init *kept,
		       unsigned int *answered, unsigned int *cookies)
{
	const struct jvpn_wire_cookie *cookie;
	struct message m;

	while (receive(fd, ms, &m)) {
		*answered += m.data[0] == JVPN_MSG_RESP;
		if (m.data[0] != JVPN_MSG_COOKIE)
			continue;
		cookie = (const struct jvpn_wire_cookie *)m.data;
		(*cookies)++;
		for (int i = 0; i < INITS_KEPT; i++)
			if (kept[i].sender == cookie->receiver)
				jvpn_cookie_open(&me.jar, m.data, m.len, (const uint8_t *)&kept[i],
						 sizeof(kept[i]), &me.mac, now_ms());
	}
}

static void inits(unsigned int count)
{
	static struct jvpn_wire_init kept[INITS_KEPT];
	unsigned int answered = 0, cookies = 0;
	struct jvpn_hs_client hs;
	int fd = port_open();

	for (unsigned int i = 0; i < count; i++) {
		struct jvpn_wire_init *init = &kept[i % INITS_KEPT];

		init_make(&hs, init, NULL);
		transmit(fd, init, sizeof(*init));
		inits_read(fd, 0, kept, &answered, &cookies);
	}
	inits_read(fd, me.patience_ms, kept, &answered, &cookies);
	close(fd);
	answer(true, "answered %u cookies %u", answered, cookies);
}

/* ---- reattach ---- */

static struct jvpn_attempt *request_make(void)
{
	struct jvpn_attempt *a;

	jvpn_client_expire(&me.client, now_ms());
	if (jvpn_client_request(&me.client, 1, false, jvpn_cookie_get(&me.jar, now_ms()), now_ms(),
				&jvpn_rng_system, &a))
		errx(1, "cannot make a REQUEST");
	return a;
}

static void requests(unsigned int count)
{
	unsigned int answered = 0;
	int fd = port_open();

	for (unsigned int i = 0; i < count; i++) {
		struct jvpn_attempt *a = request_make();

		transmit(fd, &a->request, sizeof(a->request));
		jvpn_client_drop(&me.client, a);
		answered += drain(fd, 0, JVPN_MSG_CHALLENGE);
	}
	answered += drain(fd, me.patience_ms, JVPN_MSG_CHALLENGE);
	close(fd);
	answer(true, "answered %u", answered);
}

static struct jvpn_attempt *challenged(int fd)
{
	struct jvpn_attempt *a, *got;
	struct message m;

	for (int i = 0; i < TRIES; i++) {
		a = request_make();
		transmit(fd, &a->request, sizeof(a->request));
		if (await(fd, JVPN_MSG_CHALLENGE, &a->request, sizeof(a->request), &m) &&
		    !jvpn_client_challenge(&me.client, m.data, m.len, NULL, now_ms(), &got))
			return got;
		jvpn_client_drop(&me.client, a);
	}
	return NULL;
}

/* What came of a PROOF. */
struct outcome {
	unsigned int moved, rejected, silent;
};

static void proof_judge(int fd, struct jvpn_attempt *a, struct outcome *o)
{
	uint64_t end = now_ms() + me.patience_ms;
	struct jvpn_client_commit commit;
	struct message m;

	while (now_ms() < end && receive(fd, me.patience_ms, &m)) {
		if (m.data[0] == JVPN_MSG_ACK &&
		    !jvpn_client_ack(&me.client, m.data, m.len, &commit)) {
			me.epoch = commit.epoch;
			me.counter = 0;
			close(me.fd);
			me.fd = dup(fd);
			o->moved++;
			return;
		}
		if (m.data[0] == JVPN_MSG_REJECT) {
			o->rejected++;
			jvpn_client_drop(&me.client, a);
			return;
		}
	}
	o->silent++;
	jvpn_client_drop(&me.client, a);
}

/* A PROOF from another port; NULL if no CHALLENGE came. */
static struct jvpn_attempt *proof_make(int fd)
{
	struct jvpn_attempt *a = challenged(fd);

	if (!a || jvpn_client_proof(&me.client, a, 0, 1, now_ms(), &jvpn_rng_system))
		return NULL;
	return a;
}

static void moves(unsigned int count)
{
	struct outcome o = { 0 };

	for (unsigned int i = 0; i < count; i++) {
		int fd = port_open();
		struct jvpn_attempt *a = proof_make(fd);

		if (a) {
			me.proof = a->proof[0].msg;
			transmit(fd, &me.proof, sizeof(me.proof));
			proof_judge(fd, a, &o);
		} else {
			o.silent++;
		}
		close(fd);
	}
	answer(true, "moved %u rejected %u silent %u", o.moved, o.rejected, o.silent);
}

/* Silence is what mostly answers: nobody waits for it. */
static void broken(unsigned int count)
{
	unsigned int sent = 0, rejected = 0;
	int fd[1024];

	for (unsigned int i = 0; i < count && i < 1024; i++) {
		struct jvpn_attempt *a;

		fd[sent] = port_open();
		a = proof_make(fd[sent]);
		if (!a) {
			close(fd[sent]);
			continue;
		}
		a->proof[0].msg.payload[0] ^= 1;
		transmit(fd[sent++], &a->proof[0].msg, sizeof(a->proof[0].msg));
		jvpn_client_drop(&me.client, a);
	}
	poll(NULL, 0, me.patience_ms);
	for (unsigned int i = 0; i < sent; i++) {
		rejected += drain(fd[i], 0, JVPN_MSG_REJECT);
		close(fd[i]);
	}
	answer(true, "sent %u rejected %u", sent, rejected);
}

static void repeat(unsigned int count)
{
	unsigned int answered = 0;

	for (unsigned int i = 0; i < count; i++) {
		transmit(me.fd, &me.proof, sizeof(me.proof));
		answered += drain(me.fd, 0, JVPN_MSG_ACK);
	}
	answered += drain(me.fd, me.patience_ms, JVPN_MSG_ACK);
	answer(true, "answered %u", answered);
}

/* ---- data ---- */

static void elsewhere(unsigned int count, size_t size)
{
	unsigned int answered = 0;
	int fd = port_open();

	for (unsigned int i = 0; i < count; i++)
		heartbeat_send(fd, size);
	answered = drain(fd, me.patience_ms, JVPN_MSG_CHALLENGE);
	close(fd);
	answer(true, "answered %u", answered);
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *p = data;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *p++;
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static size_t inner_make(uint8_t *out, const char *source, const char *dest)
{
	const char text[] = "spoofed";
	struct udphdr udp = { .source = htons(5999), .dest = htons(5998),
			      .len = htons(sizeof(udp) + sizeof(text)) };
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
			    .tot_len = htons(sizeof(ip) + sizeof(udp) + sizeof(text)) };

	if (inet_pton(AF_INET, source, &ip.saddr) != 1 || inet_pton(AF_INET, dest, &ip.daddr) != 1)
		errx(2, "%s or %s is no IPv4 address", source, dest);
	ip.check = checksum(&ip, sizeof(ip));
	memcpy(out, &ip, sizeof(ip));
	memcpy(out + sizeof(ip), &udp, sizeof(udp));
	memcpy(out + sizeof(ip) + sizeof(udp), text, sizeof(text));
	return sizeof(ip) + sizeof(udp) + sizeof(text);
}

static void spoof(const char *source, const char *dest)
{
	uint8_t inner[256], out[256 + JVPN_WIRE_DATA_OVERHEAD];
	size_t len = inner_make(inner, source, dest);

	jvpn_data_seal(out, &me.epoch.c2s, me.epoch.idx_c2s, me.counter++, inner, len);
	transmit(me.fd, out, len + JVPN_WIRE_DATA_OVERHEAD);
	answer(true, "sent");
}

/* ---- with what another client has sent ---- */

static const struct captured *of_other(uint8_t type)
{
	const struct captured *c = capture_last(&me.other, type);

	if (!c)
		errx(2, "the capture holds no message of type %u", type);
	return c;
}

/* Index of the other's newest epoch. */
static uint32_t index_of_other(void)
{
	uint32_t index;

	memcpy(&index, of_other(JVPN_MSG_DATA)->data + 4, sizeof(index));
	return jvpn_le32_to_cpu(index);
}

static void close_other(void)
{
	struct jvpn_epoch mixed = me.epoch;

	mixed.idx_c2s = index_of_other();
	for (uint64_t version = 0; version < 32; version++) {
		struct jvpn_ctrl ctrl = { .op = JVPN_WIRE_CTRL_CLOSE, .v_req = version,
					  .seq = now_ms() + version };
		struct jvpn_wire_ctrl msg;

		if (jvpn_ctrl_build(&msg, &mixed, JVPN_SIDE_CLIENT, &ctrl, &jvpn_rng_system))
			errx(1, "cannot make a CTRL");
		transmit(me.fd, &msg, sizeof(msg));
	}
	answer(true, "sent");
}

static void data_other(unsigned int count)
{
	uint32_t index = index_of_other();
	uint8_t inner[256], out[256 + JVPN_WIRE_DATA_OVERHEAD];
	size_t len = inner_make(inner, "10.77.0.2", "10.77.0.1");

	for (unsigned int i = 0; i < count; i++) {
		jvpn_data_seal(out, &me.epoch.c2s, index, 1ull << 40 | i, inner, len);
		transmit(me.fd, out, len + JVPN_WIRE_DATA_OVERHEAD);
	}
	answer(true, "sent");
}

static void ticket_other(unsigned int count)
{
	const struct captured *c = of_other(JVPN_MSG_REQUEST);
	struct jvpn_client mixed = me.client;
	unsigned int answered = 0;
	struct jvpn_attempt *a;
	int fd = port_open();

	for (unsigned int i = 0; i < count; i++) {
		mixed.rec.ticket_count = 1;
		memcpy(mixed.rec.ticket[0], jvpn_reattach_ticket(c->data), JVPN_WIRE_TICKET);
		if (jvpn_client_request(&mixed, 1, false, jvpn_cookie_get(&me.jar, now_ms()),
					now_ms(), &jvpn_rng_system, &a))
			errx(1, "cannot make a REQUEST");
		transmit(fd, &a->request, sizeof(a->request));
		jvpn_client_drop(&mixed, a);
		answered += drain(fd, 0, JVPN_MSG_CHALLENGE);
	}
	answered += drain(fd, me.patience_ms, JVPN_MSG_CHALLENGE);
	close(fd);
	answer(true, "answered %u", answered);
}

/* ---- commands ---- */

static void totals(void)
{
	answer(true, "sent %llu received %llu", (unsigned long long)me.sent,
	       (unsigned long long)me.received);
	me.sent = 0;
	me.received = 0;
}

static void command(const char *word, const char *a, const char *b)
{
	unsigned int count = a ? strtoul(a, NULL, 10) : 1;

	if (!strcmp(word, "handshake"))
		handshake(a);
	else if (!strcmp(word, "inits"))
		inits(count);
	else if (!strcmp(word, "requests"))
		requests(count);
	else if (!strcmp(word, "moves"))
		moves(count);
	else if (!strcmp(word, "broken"))
		broken(count);
	else if (!strcmp(word, "repeat"))
		repeat(count);
	else if (!strcmp(word, "elsewhere"))
		elsewhere(count, b ? strtoul(b, NULL, 10) : JVPN_WIRE_HEARTBEAT_CLIENT_SIZE);
	else if (!strcmp(word, "spoof") && b)
		spoof(a, b);
	else if (!strcmp(word, "close-other"))
		close_other();
	else if (!strcmp(word, "data-other"))
		data_other(count);
	else if (!strcmp(word, "ticket-other"))
		ticket_other(count);
	else if (!strcmp(word, "totals"))
		totals();
	else if (!strcmp(word, "capture") && a) {
		capture_read(&me.other, a, ntohs(me.gateway.sin_port));
		answer(true, "%zu datagrams", me.other.count);
	} else
		answer(false, "%s is no command, or lacks its arguments", word);
}

static void begin(char **argv)
{
	const char *slow = getenv("JVPN_SLOW");
	char error[256];

	me.gateway = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(atoi(argv[2])) };
	if (inet_pton(AF_INET, argv[1], &me.gateway.sin_addr) != 1)
		errx(2, "'%s' is no IPv4 address", argv[1]);
	if (jvpn_keys_init(error, sizeof(error)) ||
	    jvpn_keys_read_file(me.secret, argv[3], error, sizeof(error)) ||
	    jvpn_keys_parse_public(me.gateway_key, argv[4], strlen(argv[4]), error, sizeof(error)))
		errx(2, "%s", error);
	jvpn_mac_keys_derive(&me.mac, me.gateway_key);
	me.patience_ms = slow && *slow && *slow != '0' ? 4000 : 500;
}

int main(int argc, char **argv)
{
	char *line = NULL, *word, *rest;
	size_t size = 0;
	ssize_t len;

	if (argc != 5)
		errx(2, "usage: rogue ADDRESS PORT KEY-FILE GATEWAY-KEY");
	begin(argv);
	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		rest = line;
		word = strsep(&rest, " ");
		if (*word) {
			char *a = strsep(&rest, " ");

			command(word, a, rest);
		}
	}
	free(line);
	return 0;
}
