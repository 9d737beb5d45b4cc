// SPDX-License-Identifier: GPL-2.0
/*
 * Who is asked for names, by tables; and what comes of a question, with a name server of our own in
 * a network namespace of our own.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "../../jvpnd/client.h"
#include "../../jvpnd/names.h"
#include "../tap.h"

/* --- who is asked --------------------------------------------------------------------------- */

static void parses(const char *text, const char *expected)
{
	struct names_server list[3];
	char seen[200] = "", addr[JVPN_ADDR_TEXT];
	size_t count = names_servers_parse(text, list, 3);

	for (size_t i = 0; i < count; i++)
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s%s%s%s",
			 i ? " " : "", jvpn_addr_format(&list[i].addr, addr, sizeof(addr)),
			 *list[i].interface ? "%" : "", list[i].interface);
	tap_text(seen, expected, "the servers of a file");
}

static void test_servers(void)
{
	struct names_server s;

	parses("", "");
	parses("nameserver 192.0.2.1\n", "192.0.2.1");
	parses("nameserver 192.0.2.1", "192.0.2.1");
	parses("# nameserver 192.0.2.9\nsearch nameserver\n\tnameserver\t192.0.2.2 # x\r\n",
	       "192.0.2.2");
	parses("nameserver 2001:db8::1\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n",
	       "2001:db8::1 192.0.2.1");
	parses("nameserver fe80::1%wlan0\n", "fe80::1%wlan0");
	parses("nameserver fe80::1%\nnameserver fe80::1%a-name-that-is-too-long\n", "");
	parses("nameserver a.name\nnameserver 192.0.2\nnameservers 192.0.2.1\nnameserver\n", "");
	parses("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
	       "nameserver 192.0.2.4\n", "192.0.2.1 192.0.2.2 192.0.2.3");
	names_servers_parse("nameserver 127.0.0.53\n", &s, 1);
	tap_ok(names_server_is_local(&s), "a stub of IPv4 is local");
	names_servers_parse("nameserver ::1\n", &s, 1);
	tap_ok(names_server_is_local(&s), "one of IPv6, too");
	names_servers_parse("nameserver 128.0.0.1\n", &s, 1);
	tap_ok(!names_server_is_local(&s), "others are not");
	tap_equal(names_servers_read("/no/such/file", &s, 1), 0, "no file, no servers");
}

/* --- lists of addresses --------------------------------------------------------------------- */

static struct remote remote(uint8_t last, uint16_t port, uint8_t endpoint)
{
	return (struct remote){ { AF_INET, { 192, 0, 2, last } }, port, endpoint };
}

static void test_remotes(void)
{
	struct remote list[CLIENT_REMOTES_MAX], other[CLIENT_REMOTES_MAX], r;
	size_t count = 0, n_other = 0;

	for (int i = 0; i < CLIENT_REMOTES_MAX + 3; i++) {
		r = remote((uint8_t)i, 1, 0);
		remotes_add(list, &count, &r);
	}
	tap_equal(count, CLIENT_REMOTES_MAX, "there are no more addresses than there is room");
	count = 0;
	for (int i = 0; i < 3; i++) {
		r = remote((uint8_t)i, 443, (uint8_t)(2 - i));
		remotes_add(list, &count, &r);
		remotes_add(list, &count, &r);
	}
	r = remote(9, 443, 2);
	remotes_add(list, &count, &r);
	tap_equal(count, 4, "each is there once");
	memcpy(other, list, sizeof(list));
	n_other = count;
	remotes_sort(list, count);
	tap_ok(list[0].addr.bytes[3] == 2 && list[1].addr.bytes[3] == 1 &&
	       list[2].addr.bytes[3] == 0 && list[3].addr.bytes[3] == 9,
	       "they are in the order of the file, those of one name as they were");
	tap_ok(remotes_equal(list, count, other, n_other), "the same in another order is the same");
	tap_ok(!remotes_equal(list, count - 1, other, n_other), "one less is not");
	other[0].port = 80;
	tap_ok(!remotes_equal(list, count, other, n_other), "nor is another port");
}

/* Packets with the mark 7 go nowhere. */
#define NETWORK "ip link set lo up && ip rule add pref 9 lookup local && ip rule del pref 0 && " \
	"ip rule add pref 5 fwmark 7 prohibit"

/* --- questions ------------------------------------------------------------------------------- */

#define TYPE_A 1
#define TYPE_AAAA 28
/* More than are taken. */
#define RECORDS (NAMES_ANSWERS_MAX + 2)

/* Answers everything but "silent"; "both" has both families, "four" one, others do not exist. */
struct server {
	uv_udp_t udp;
	unsigned int asked;
};

struct seen {
	unsigned int answers, found[2], none[2], failed[2], ends;
	size_t most;
	uint8_t last;
	struct names **cancel;		/* at the first answer */
};

static void server_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	static char room[512];

	(void)handle, (void)size;
	*buf = uv_buf_init(room, sizeof(room));
}

static size_t server_record(uint8_t *out, uint8_t type)
{
	const size_t size = type == TYPE_A ? 4 : 16;
	const uint8_t head[12] = { 0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, (uint8_t)size };

	memcpy(out, head, sizeof(head));
	memset(out + sizeof(head), 7, size);
	return sizeof(head) + size;
}

static void server_asked(uv_udp_t *udp, ssize_t size, const uv_buf_t *buf,
			 const struct sockaddr *from, unsigned int flags)
{
	struct server *server = udp->data;
	uint8_t out[600], *q = (uint8_t *)buf->base;
	uv_buf_t answer;
	size_t length;
	uint8_t type;
	bool exists;

	(void)flags;
	if (size < 17 || !from)
		return;
	server->asked++;
	/* What follows the question (EDNS) is left out. */
	for (length = 12; length + 5 < (size_t)size && q[length]; length += q[length] + 1u)
		;
	length += 5;
	type = q[length - 3];
	exists = !memcmp(q + 13, "four", 4) || !memcmp(q + 13, "both", 4);
	if (!memcmp(q + 13, "silent", 6))
		return;
	memcpy(out, q, length);
	memset(out + 6, 0, 6);
	out[2] = 0x81;
	out[3] = exists ? 0x80 : 0x83;
	for (; exists && (type == TYPE_A || q[13] == 'b') && out[7] < RECORDS; out[7]++)
		length += server_record(out + length, type);
	answer = uv_buf_init((char *)out, (unsigned int)length);
	uv_udp_try_send(udp, &answer, 1, from);
}

static void see(void *context, const struct names_answer *answer)
{
	struct seen *seen = context;
	int family;

	if (!answer) {
		seen->ends++;
		return;
	}
	family = answer->family == AF_INET6;
	seen->answers++;
	seen->found[family] += answer->result == NAMES_FOUND;
	seen->none[family] += answer->result == NAMES_NONE;
	seen->failed[family] += answer->result == NAMES_FAILED;
	if (answer->count > seen->most)
		seen->most = answer->count;
	if (answer->count)
		seen->last = answer->list[0].bytes[0];
	if (seen->cancel)
		names_cancel(*seen->cancel);
}

static struct names_way way(const char *interface, const char *server)
{
	struct names_way way = { .n_servers = 1 };
	const char *why;

	snprintf(way.interface, sizeof(way.interface), "%s", interface);
	if (jvpn_addr_parse(&way.servers[0], server, &why))
		abort();
	return way;
}

static struct seen ask(struct server *server, const char *host, const struct names_way *ways,
		       size_t n_ways, bool cancel)
{
	uv_loop_t *loop = server->udp.loop;
	struct seen seen = {};
	struct names *names = names_ask(loop, host, ways, n_ways, see, &seen);

	server->asked = 0;
	if (cancel)
		seen.cancel = &names;
	uv_unref((uv_handle_t *)&server->udp);
	uv_run(loop, UV_RUN_DEFAULT);
	return seen;
}

static void test_questions(struct server *server)
{
	const struct names_way good = way("lo", "127.0.0.1"), bad = way("none0", "127.0.0.1");
	const struct names_way both[] = { bad, good };
	struct names_way marked = way("", "127.0.0.1");
	struct seen seen;

	seen = ask(server, "both.test", &good, 1, false);
	tap_ok(seen.found[0] == 1 && seen.found[1] == 1 && seen.last == 7 && seen.ends == 1,
	       "a name with both families");
	tap_equal(seen.most, NAMES_ANSWERS_MAX, "of many addresses some are taken");
	seen = ask(server, "four.test", &good, 1, false);
	tap_ok(seen.found[0] == 1 && seen.none[1] == 1 && seen.ends == 1,
	       "a name with one of them");
	seen = ask(server, "nobody.test", &good, 1, false);
	tap_ok(seen.none[0] == 1 && seen.none[1] == 1 && seen.ends == 1,
	       "a name that is not there is an answer");
	seen = ask(server, "both.test", &bad, 1, false);
	tap_ok(seen.failed[0] == 1 && seen.failed[1] == 1 && seen.ends == 1 && !server->asked,
	       "what cannot leave by its interface does not leave: %u asked", server->asked);
	marked.mark = 7;
	seen = ask(server, "both.test", &marked, 1, false);
	tap_ok(seen.failed[0] == 1 && seen.failed[1] == 1 && !server->asked,
	       "questions have the mark");
	seen = ask(server, "both.test", both, 2, false);
	tap_ok(seen.answers == 4 && seen.found[0] == 1 && seen.found[1] == 1 && seen.ends == 1,
	       "a way that fails takes nothing from another");
	seen = ask(server, "silent.test", &good, 1, false);
	tap_ok(seen.failed[0] == 1 && seen.failed[1] == 1 && seen.ends == 1 &&
	       server->asked == 2 * NAMES_TRIES, "silence ends: %u asked", server->asked);
	seen = ask(server, "both.test", &good, 1, true);
	tap_ok(seen.answers == 1 && !seen.ends, "nothing is told after the end, inside of an answer");
	seen = ask(server, "both.test", NULL, 0, false);
	tap_ok(!seen.answers && seen.ends == 1, "without a way there is an end, too");
}

static bool server_start(struct server *server, uv_loop_t *loop)
{
	struct sockaddr_in any;

	uv_ip4_addr("127.0.0.1", 53, &any);
	uv_udp_init(loop, &server->udp);
	server->udp.data = server;
	return !uv_udp_bind(&server->udp, (const struct sockaddr *)&any, 0) &&
	       !uv_udp_recv_start(&server->udp, server_room, server_asked);
}

int main(void)
{
	struct server server = {};
	uv_loop_t loop;

	test_servers();
	test_remotes();
	if (unshare(CLONE_NEWNET) || system(NETWORK)) {
		tap_ok(true, "questions # SKIP needs root for a namespace");
		return tap_done();
	}
	uv_loop_init(&loop);
	if (tap_ok(server_start(&server, &loop), "a name server is there"))
		test_questions(&server);
	uv_close((uv_handle_t *)&server.udp, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	tap_equal(uv_loop_close(&loop), 0, "nothing is left over");
	return tap_done();
}
