// SPDX-License-Identifier: GPL-2.0
/*
 * A generator of hostile datagrams:
 *
 *   flood [OPTION...] ADDRESS PORT KIND[,KIND...]
 *
 *   -r RATE       datagrams a second; 0 (default): as many as it can
 *   -n NUMBER     how many; 0 (default): until SIGTERM
 *   -s NET/LEN    sources: random addresses of it and random ports, spoofed
 *   -S ADDR:PORT  source: this one, spoofed
 *   -k KEY        the gateway's public key: mac1 of INIT and REQUEST is right
 *   -a PORT       another port, to which SIGUSR1 changes, and back
 *   -f FILE       a capture (pcap, Ethernet, IPv4): what was sent to PORT in it
 *
 * Without -s and -S datagrams leave from a socket of the generator's own.
 * IPv4 only. Kinds:
 *
 *   init resp cookie request challenge proof ack reject gone ctrl
 *             a header that is right, the length of the type, noise
 *   data      the same of DATA, any index
 *   stranger  a complete INIT of a key that nobody knows (needs -k)
 *   unknown   no type of JVPN1, any length
 *   runt      shorter than a header
 *   replay    of the capture, as it is
 *   tampered  of the capture, an octet behind the header changed
 *   ctrl-of   CTRL with the last index of the capture
 *   data-of   DATA with the last index of the capture
 *
 * It prints "sending" when it begins, and at the end "sent DATAGRAMS OCTETS",
 * octets of UDP payload, and with -a "other DATAGRAMS OCTETS".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/jvpn.h>

#include "capture.h"
#include "handshake.h"

#define BATCH 32
/* Datagrams of each kind that are made before the flood begins. */
#define VARIANTS 64
#define DATAGRAM_MAX 1500
#define HEADERS (sizeof(struct iphdr) + sizeof(struct udphdr))

struct datagram {
	size_t len;
	uint8_t data[DATAGRAM_MAX];
};

static struct {
	struct sockaddr_in to;
	in_port_t ports[2];
	uint64_t rate, number;
	uint32_t source_net, source_mask;
	uint16_t source_port;
	bool spoof;
	bool has_key;
	uint8_t key[JVPN_WIRE_KEY];
	struct jvpn_mac_keys mac;
	struct capture capture;
} opt;

static struct datagram *made;
static size_t made_count;
static volatile sig_atomic_t stop, which;

static void stop_now(int signal)
{
	(void)signal;
	stop = 1;
}

static void change_port(int signal)
{
	(void)signal;
	which = !which;
}

/* ---- kinds ---- */

static void header_set(struct datagram *d, uint8_t type)
{
	struct jvpn_wire_hdr hdr;

	jvpn_msg_header(&hdr, type);
	memcpy(d->data, &hdr, sizeof(hdr));
}

static void noise(struct datagram *d, uint8_t type, size_t len)
{
	d->len = len;
	randombytes_buf(d->data, len);
	header_set(d, type);
}

static void make_control(struct datagram *d, uint8_t type)
{
	noise(d, type, jvpn_wire_control_size(type));
	if (opt.has_key && (type == JVPN_MSG_INIT || type == JVPN_MSG_REQUEST ||
			    type == JVPN_MSG_RESP))
		jvpn_mac_stamp(d->data, d->len, &opt.mac, NULL);
}

static void make_data(struct datagram *d, uint8_t type)
{
	noise(d, type, JVPN_WIRE_DATA_OVERHEAD + randombytes_uniform(1200));
}

static void make_stranger(struct datagram *d, uint8_t type)
{
	struct jvpn_hs_init init = { .proto_min = JVPN_WIRE_PROTO, .proto_max = JVPN_WIRE_PROTO,
				     .suites = JVPN_SUITE_BIT(JVPN_SUITE_CHACHA20_POLY1305),
				     .want_v4 = true };
	struct jvpn_hs_client hs;
	uint8_t secret[JVPN_WIRE_KEY];

	if (!opt.has_key)
		errx(2, "stranger needs -k");
	randombytes_buf(secret, sizeof(secret));
	jvpn_hs_tai64n(init.tai64n, time(NULL), 0);
	d->len = jvpn_wire_control_size(type);
	if (jvpn_hs_client_start(&hs, secret, opt.key, &init, &jvpn_rng_system,
				 (struct jvpn_wire_init *)d->data))
		errx(1, "cannot make an INIT");
}

static void make_unknown(struct datagram *d, uint8_t type)
{
	noise(d, type, sizeof(struct jvpn_wire_hdr) + randombytes_uniform(400));
	/* Above all types, or 0, which is none. */
	d->data[0] = d->data[0] & 1 ? 0 : JVPN_MSG_END + randombytes_uniform(256 - JVPN_MSG_END);
}

static void make_runt(struct datagram *d, uint8_t type)
{
	noise(d, type, sizeof(struct jvpn_wire_hdr));
	d->len = 1 + randombytes_uniform(sizeof(struct jvpn_wire_hdr) - 1);
}

static const struct captured *captured_any(void)
{
	if (!opt.capture.count)
		errx(2, "this kind needs a capture with datagrams to port %u",
		     ntohs(opt.to.sin_port));
	return &opt.capture.datagram[randombytes_uniform(opt.capture.count)];
}

static void make_replay(struct datagram *d, uint8_t type)
{
	const struct captured *c = captured_any();

	(void)type;
	d->len = c->len < sizeof(d->data) ? c->len : sizeof(d->data);
	memcpy(d->data, c->data, d->len);
}

static void make_tampered(struct datagram *d, uint8_t type)
{
	size_t at;

	make_replay(d, type);
	/* Behind type and index: what is left is authenticated in one way or another. */
	at = 8 + randombytes_uniform(d->len - 8);
	d->data[at] ^= 1 + randombytes_uniform(255);
}

static void make_index_of(struct datagram *d, uint8_t type)
{
	const struct captured *c = capture_last(&opt.capture, JVPN_MSG_DATA);

	if (!c)
		errx(2, "the capture holds no DATA");
	if (type == JVPN_MSG_DATA)
		make_data(d, type);
	else
		make_control(d, type);
	memcpy(d->data + 4, c->data + 4, 4);
}

static const struct kind {
	const char *name;
	uint8_t type;
	void (*make)(struct datagram *d, uint8_t type);
} kinds[] = {
	{ "init", JVPN_MSG_INIT, make_control }, { "resp", JVPN_MSG_RESP, make_control },
	{ "cookie", JVPN_MSG_COOKIE, make_control },
	{ "request", JVPN_MSG_REQUEST, make_control },
	{ "challenge", JVPN_MSG_CHALLENGE, make_control },
	{ "proof", JVPN_MSG_PROOF, make_control }, { "ack", JVPN_MSG_ACK, make_control },
	{ "reject", JVPN_MSG_REJECT, make_control }, { "gone", JVPN_MSG_GONE, make_control },
	{ "ctrl", JVPN_MSG_CTRL, make_control }, { "data", JVPN_MSG_DATA, make_data },
	{ "stranger", JVPN_MSG_INIT, make_stranger }, { "unknown", 0, make_unknown },
	{ "runt", JVPN_MSG_INIT, make_runt }, { "replay", 0, make_replay },
	{ "tampered", 0, make_tampered }, { "ctrl-of", JVPN_MSG_CTRL, make_index_of },
	{ "data-of", JVPN_MSG_DATA, make_index_of },
};

static const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	errx(2, "no kind '%s'", name);
}

/* VARIANTS of each, mixed, so that each batch holds all of them. */
static void make_all(char *names)
{
	const struct kind *wanted[64];
	size_t count = 0;
	char *name;

	while ((name = strsep(&names, ",")) && count < 64)
		wanted[count++] = kind_find(name);
	made_count = count * VARIANTS;
	made = calloc(made_count, sizeof(*made));
	if (!made)
		errx(1, "no memory");
	for (size_t i = 0; i < made_count; i++)
		wanted[i % count]->make(&made[i], wanted[i % count]->type);
}

/* ---- sending ---- */

/* One place of a batch: headers of our own making if the source is spoofed. */
struct slot {
	struct iphdr ip;
	struct udphdr udp;
	struct iovec iov[2];
};

static int flood_socket(void)
{
	int fd = opt.spoof ? socket(AF_INET, SOCK_RAW, IPPROTO_RAW) :
			     socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

static void slot_headers(struct slot *slot, const struct datagram *d)
{
	uint32_t random = randombytes_random();

	slot->ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
		.tot_len = htons(HEADERS + d->len),
		.saddr = htonl(opt.source_net | (random & ~opt.source_mask)),
		.daddr = opt.to.sin_addr.s_addr,
	};
	/* Checksum 0: there is none. */
	slot->udp = (struct udphdr){
		.source = htons(opt.source_port ? opt.source_port : 1024 + (random >> 16) % 64000),
		.dest = opt.to.sin_port, .len = htons(sizeof(struct udphdr) + d->len),
	};
}

static void slot_fill(struct mmsghdr *msg, struct slot *slot, const struct datagram *d)
{
	struct iovec payload = { (void *)d->data, d->len };

	msg->msg_hdr = (struct msghdr){ .msg_name = &opt.to, .msg_namelen = sizeof(opt.to),
					.msg_iov = slot->iov };
	if (!opt.spoof) {
		slot->iov[0] = payload;
		msg->msg_hdr.msg_iovlen = 1;
		return;
	}
	slot_headers(slot, d);
	slot->iov[0] = (struct iovec){ &slot->ip, HEADERS };
	slot->iov[1] = payload;
	msg->msg_hdr.msg_iovlen = 2;
}

/* Return: how many left. What finds no room is none of the receiver's business. */
static unsigned int send_some(int fd, unsigned int count, uint64_t *octets)
{
	static struct mmsghdr msgs[BATCH];
	static struct slot slots[BATCH];
	static size_t next;
	unsigned int i;
	int sent;

	for (i = 0; i < count; i++)
		slot_fill(&msgs[i], &slots[i], &made[(next + i) % made_count]);
	sent = sendmmsg(fd, msgs, count, 0);
	if (sent < 0) {
		if (errno != ENOBUFS && errno != EAGAIN && errno != ECONNREFUSED && errno != EINTR)
			err(1, "sendmmsg");
		return 0;
	}
	for (i = 0; i < (unsigned int)sent; i++)
		*octets += made[(next + i) % made_count].len;
	next = (next + sent) % made_count;
	return sent;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/*
 * How many may leave now, to keep the rate. What could not be sent in time is
 * not made up for: the generator does the same whatever the receiver does.
 */
static unsigned int due(uint64_t now)
{
	static uint64_t credit, last;
	uint64_t most = BATCH * 1000000;

	if (!opt.rate)
		return BATCH;
	credit += last ? (now - last) * opt.rate : 0;
	last = now;
	if (credit > most)
		credit = most;
	most = credit / 1000000;
	credit -= most * 1000000;
	return most;
}

static void flood(void)
{
	uint64_t sent[2] = { 0 }, octets[2] = { 0 };
	int fd = flood_socket();

	printf("sending\n");
	fflush(stdout);
	while (!stop && (!opt.number || sent[0] < opt.number)) {
		unsigned int count = due(now_us()), to = which;

		if (opt.number && count > opt.number - sent[0])
			count = opt.number - sent[0];
		opt.to.sin_port = opt.ports[to];
		if (count)
			sent[to] += send_some(fd, count, &octets[to]);
		else
			usleep(500);
	}
	printf("sent %llu %llu\n", (unsigned long long)sent[0], (unsigned long long)octets[0]);
	if (opt.ports[1])
		printf("other %llu %llu\n", (unsigned long long)sent[1],
		       (unsigned long long)octets[1]);
}

/* ---- options ---- */

static void sources_set(char *text)
{
	char *length = strchr(text, '/');
	struct in_addr net;
	int bits = 32;

	if (length) {
		*length++ = '\0';
		bits = atoi(length);
	}
	if (inet_pton(AF_INET, text, &net) != 1 || bits < 1 || bits > 32)
		errx(2, "'%s' is no IPv4 network", text);
	opt.source_mask = ~0u << (32 - bits);
	opt.source_net = ntohl(net.s_addr) & opt.source_mask;
	opt.spoof = true;
}

static void source_set(char *text)
{
	char *port = strchr(text, ':');

	if (!port)
		errx(2, "'%s' is not ADDRESS:PORT", text);
	*port++ = '\0';
	sources_set(text);
	opt.source_port = atoi(port);
}

static void key_set(const char *text)
{
	size_t len;

	if (sodium_base642bin(opt.key, sizeof(opt.key), text, strlen(text), "\n", &len, NULL,
			      sodium_base64_VARIANT_ORIGINAL) || len != sizeof(opt.key))
		errx(2, "'%s' is no public key", text);
	jvpn_mac_keys_derive(&opt.mac, opt.key);
	opt.has_key = true;
}

int main(int argc, char **argv)
{
	const char *capture = NULL;
	int c;

	if (sodium_init() < 0)
		return 1;
	while ((c = getopt(argc, argv, "r:n:s:S:k:a:f:")) != -1) {
		switch (c) {
		case 'r':
			opt.rate = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			opt.number = strtoull(optarg, NULL, 10);
			break;
		case 's':
			sources_set(optarg);
			break;
		case 'S':
			source_set(optarg);
			break;
		case 'k':
			key_set(optarg);
			break;
		case 'a':
			opt.ports[1] = htons(atoi(optarg));
			break;
		case 'f':
			capture = optarg;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 3)
		errx(2, "usage: flood [OPTION...] ADDRESS PORT KIND[,KIND...]");
	opt.ports[0] = htons(atoi(argv[optind + 1]));
	opt.to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = opt.ports[0] };
	if (inet_pton(AF_INET, argv[optind], &opt.to.sin_addr) != 1)
		errx(2, "'%s' is no IPv4 address", argv[optind]);
	if (capture)
		capture_read(&opt.capture, capture, ntohs(opt.to.sin_port));
	make_all(argv[optind + 2]);
	signal(SIGTERM, stop_now);
	signal(SIGINT, stop_now);
	if (opt.ports[1])
		signal(SIGUSR1, change_port);
	flood();
	return 0;
}
