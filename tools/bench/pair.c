// SPDX-License-Identifier: GPL-2.0
/*
 * Joins two jvpn devices in two network namespaces by one session with random
 * keys, without a daemon or a handshake. All else is as in earnest: the kernel
 * owns the sockets, the gateway attaches on the first valid packet, and replay
 * window, heartbeats, deadlines and counters run.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <linux/jvpn.h>

#define REQUEST_SIZE 4096

/* One direction of the session's only epoch. */
struct flow {
	uint32_t index;
	uint8_t key[JVPN_KEY_SIZE];
	uint8_t iv[JVPN_IV_SIZE];
};

struct end {
	const char *netns;
	struct in_addr outer;
	struct in_addr inner;
	const char *device;
	uint32_t ifindex;
	uint16_t family;
	uint32_t socket_id;
	uint16_t port;
	struct mnl_socket *netlink;
	struct flow rx;
};

static uint8_t session_id[JVPN_SESSION_ID_SIZE];

static void die(const char *netns, const char *what, const char *why)
{
	fprintf(stderr, "pair: %s: %s: %s\n", netns, what, why);
	exit(1);
}

static void random_fill(void *buf, size_t len)
{
	if (getrandom(buf, len, 0) != (ssize_t)len)
		die("-", "getrandom", strerror(errno));
}

static struct in_addr addr_parse(const char *text)
{
	struct in_addr addr;

	if (inet_pton(AF_INET, text, &addr) != 1)
		die("-", text, "is not an IPv4 address");
	return addr;
}

/* The sentence that the kernel adds to a refusal, or NULL. */
static const char *extack_find(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(err->msg.nlmsg_len - sizeof(err->msg));
	mnl_attr_for_each(attr, nlh, skip)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			return mnl_attr_get_str(attr);
	return NULL;
}

/* Reads until the acknowledgement; the first answer, if any, stays in buf. */
static struct nlmsghdr *request_run(struct end *end, const char *what, char *buf)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf, *answer = NULL;
	uint32_t seq = nlh->nlmsg_seq;
	static char chunk[16384];

	if (mnl_socket_sendto(end->netlink, nlh, nlh->nlmsg_len) < 0)
		die(end->netns, what, strerror(errno));
	for (;;) {
		ssize_t got = mnl_socket_recvfrom(end->netlink, chunk, sizeof(chunk));
		int left = (int)got;

		if (got < 0)
			die(end->netns, what, strerror(errno));
		for (nlh = (struct nlmsghdr *)chunk; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_seq != seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				if (err->error)
					die(end->netns, what, extack_find(nlh) ?:
					    strerror(-err->error));
				return answer;
			}
			if (!answer && nlh->nlmsg_len <= REQUEST_SIZE)
				answer = memcpy(buf, nlh, nlh->nlmsg_len);
		}
	}
}

static struct nlmsghdr *request_begin(char *buf, uint16_t type, uint8_t command, uint8_t version)
{
	static uint32_t seq;
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = version;
	return nlh;
}

static const struct nlattr *answer_find(const struct nlmsghdr *nlh, uint16_t type)
{
	const struct nlattr *attr;

	if (nlh)
		mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
			if (mnl_attr_get_type(attr) == type)
				return attr;
	return NULL;
}

static uint16_t family_get(struct end *end)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = request_begin(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	const struct nlattr *attr;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, JVPN_GENL_NAME);
	attr = answer_find(request_run(end, "look up the netlink family (is jvpn.ko loaded?)", buf),
			   CTRL_ATTR_FAMILY_ID);
	if (!attr)
		die(end->netns, "look up the netlink family", "no answer");
	return mnl_attr_get_u16(attr);
}

/* Enters the namespace for good; sockets opened before stay where they were. */
static void end_open(struct end *end)
{
	char path[256];
	int one = 1, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", end->netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(end->netns, "enter the network namespace", strerror(errno));
	close(fd);
	end->ifindex = if_nametoindex(end->device);
	if (!end->ifindex)
		die(end->netns, end->device, strerror(errno));
	end->netlink = mnl_socket_open(NETLINK_GENERIC);
	if (!end->netlink || mnl_socket_bind(end->netlink, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_setsockopt(end->netlink, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    mnl_socket_setsockopt(end->netlink, NETLINK_CAP_ACK, &one, sizeof(one)))
		die(end->netns, "open a netlink socket", strerror(errno));
	end->family = family_get(end);
}

static void socket_make(struct end *end)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = request_begin(buf, end->family, JVPN_CMD_SOCKET_NEW,
					     JVPN_GENL_VERSION);
	const struct nlattr *attr;

	mnl_attr_put_u32(nlh, JVPN_A_SOCKET_IFINDEX, end->ifindex);
	mnl_attr_put_u32(nlh, JVPN_A_SOCKET_LOCAL_IPV4, end->outer.s_addr);
	nlh = request_run(end, "make a socket", buf);
	attr = answer_find(nlh, JVPN_A_SOCKET_ID);
	if (attr)
		end->socket_id = mnl_attr_get_u32(attr);
	attr = answer_find(nlh, JVPN_A_SOCKET_LOCAL_PORT);
	if (attr)
		end->port = ntohs(mnl_attr_get_u16(attr));
	if (!end->socket_id || !end->port)
		die(end->netns, "make a socket", "the answer lacks its id or port");
}

static void transport_put(struct nlmsghdr *nlh, const struct end *own, const struct end *peer)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, JVPN_A_SESSION_TRANSPORT);

	mnl_attr_put_u32(nlh, JVPN_A_TRANSPORT_SOCKET, own->socket_id);
	mnl_attr_put_u32(nlh, JVPN_A_TRANSPORT_REMOTE_IPV4, peer->outer.s_addr);
	mnl_attr_put_u16(nlh, JVPN_A_TRANSPORT_REMOTE_PORT, htons(peer->port));
	mnl_attr_nest_end(nlh, nest);
}

static void keys_put(struct nlmsghdr *nlh, const struct flow *rx, const struct flow *tx)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, JVPN_A_SESSION_KEYS);

	mnl_attr_put_u32(nlh, JVPN_A_EPOCH_NUMBER, 0);
	mnl_attr_put_u32(nlh, JVPN_A_EPOCH_SUITE, JVPN_SUITE_CHACHA20_POLY1305);
	mnl_attr_put_u32(nlh, JVPN_A_EPOCH_RX_INDEX, rx->index);
	mnl_attr_put_u32(nlh, JVPN_A_EPOCH_TX_INDEX, tx->index);
	mnl_attr_put(nlh, JVPN_A_EPOCH_RX_KEY, sizeof(rx->key), rx->key);
	mnl_attr_put(nlh, JVPN_A_EPOCH_RX_IV, sizeof(rx->iv), rx->iv);
	mnl_attr_put(nlh, JVPN_A_EPOCH_TX_KEY, sizeof(tx->key), tx->key);
	mnl_attr_put(nlh, JVPN_A_EPOCH_TX_IV, sizeof(tx->iv), tx->iv);
	mnl_attr_nest_end(nlh, nest);
}

static struct nlmsghdr *session_request(char *buf, const struct end *end, uint8_t command)
{
	struct nlmsghdr *nlh = request_begin(buf, end->family, command, JVPN_GENL_VERSION);

	mnl_attr_put_u32(nlh, JVPN_A_SESSION_IFINDEX, end->ifindex);
	mnl_attr_put(nlh, JVPN_A_SESSION_ID, sizeof(session_id), session_id);
	return nlh;
}

static void session_describe(struct nlmsghdr *nlh, enum jvpn_role role, const struct end *peer)
{
	struct nlattr *nest;

	mnl_attr_put_u32(nlh, JVPN_A_SESSION_ROLE, role);
	mnl_attr_put_strz(nlh, JVPN_A_SESSION_LABEL, "bench");
	nest = mnl_attr_nest_start(nlh, JVPN_A_SESSION_INNER);
	mnl_attr_put_u32(nlh, JVPN_A_INNER_IPV4, peer->inner.s_addr);
	mnl_attr_put_u8(nlh, JVPN_A_INNER_PREFIX_LEN, 32);
	mnl_attr_nest_end(nlh, nest);
}

static void gateway_make(struct end *gateway, const struct end *client)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = session_request(buf, gateway, JVPN_CMD_SESSION_NEW);

	session_describe(nlh, JVPN_ROLE_GATEWAY, client);
	transport_put(nlh, gateway, client);
	keys_put(nlh, &gateway->rx, &client->rx);
	request_run(gateway, "make the gateway's session", buf);
	explicit_bzero(buf, sizeof(buf));
}

static void client_make(struct end *client, const struct end *gateway)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = session_request(buf, client, JVPN_CMD_SESSION_NEW);

	session_describe(nlh, JVPN_ROLE_CLIENT, gateway);
	request_run(client, "make the client's session", buf);

	nlh = session_request(buf, client, JVPN_CMD_BINDING_SET);
	mnl_attr_put_u64(nlh, JVPN_A_SESSION_EXPECTED_VERSION, 0);
	mnl_attr_put_u32(nlh, JVPN_A_SESSION_EXPECTED_EPOCH, 0);
	transport_put(nlh, client, gateway);
	keys_put(nlh, &client->rx, &gateway->rx);
	request_run(client, "bind the client's session", buf);
	explicit_bzero(buf, sizeof(buf));
}

static void flow_make(struct flow *flow)
{
	random_fill(flow, sizeof(*flow));
	flow->index |= 1;
}

int main(int argc, char **argv)
{
	struct end gateway = {}, client = {};

	if (argc != 8) {
		fprintf(stderr, "usage: pair GATEWAY-NETNS OUTER INNER CLIENT-NETNS OUTER INNER DEVICE\n"
				"OUTER and INNER are IPv4 addresses, DEVICE is the name of both devices.\n");
		return 2;
	}
	gateway = (struct end){ .netns = argv[1], .outer = addr_parse(argv[2]),
				.inner = addr_parse(argv[3]), .device = argv[7] };
	client = (struct end){ .netns = argv[4], .outer = addr_parse(argv[5]),
			       .inner = addr_parse(argv[6]), .device = argv[7] };
	random_fill(session_id, sizeof(session_id));
	flow_make(&gateway.rx);
	flow_make(&client.rx);
	end_open(&gateway);
	end_open(&client);
	socket_make(&gateway);
	socket_make(&client);
	gateway_make(&gateway, &client);
	client_make(&client, &gateway);
	explicit_bzero(&gateway.rx, sizeof(gateway.rx));
	explicit_bzero(&client.rx, sizeof(client.rx));
	return 0;
}
