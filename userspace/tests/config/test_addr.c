// SPDX-License-Identifier: GPL-2.0
/* Addresses, prefixes, endpoints, and the small helpers of text. */
#include "../tap.h"
#include "addr.h"
#include "util.h"

static const char *why;

static void prefix_is(const char *text, const char *wanted)
{
	struct jvpn_prefix prefix;
	char buf[JVPN_ADDR_TEXT] = "refused";

	if (!jvpn_prefix_parse(&prefix, text, &why))
		jvpn_prefix_format(&prefix, buf, sizeof(buf));
	if (!tap_ok(!strcmp(buf, wanted), "prefix '%s' is %s", text, wanted))
		tap_note("found %s", buf);
}

static void test_prefixes(void)
{
	prefix_is("10.0.0.1", "10.0.0.1/32");
	prefix_is("10.0.0.0/8", "10.0.0.0/8");
	prefix_is("0.0.0.0/0", "0.0.0.0/0");
	prefix_is("fd00::1", "fd00::1/128");
	prefix_is("::/0", "::/0");
	prefix_is("2001:DB8::/32", "2001:db8::/32");
	prefix_is("::ffff:1.2.3.4/96", "::ffff:1.2.3.4/96");
	prefix_is("10.0.0.0/33", "refused");
	prefix_is("fd00::/129", "refused");
	prefix_is("10.0.0.0/", "refused");
	prefix_is("10.0.0.0/-1", "refused");
	prefix_is("10.0.0.0/+8", "refused");
	prefix_is("10.0.0.0/8 ", "refused");
	prefix_is("10.0.0/24", "refused");
	prefix_is("010.0.0.1", "refused");
	prefix_is("fe80::1%eth0", "refused");
	prefix_is("/8", "refused");
	prefix_is("", "refused");
	prefix_is("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/64", "refused");
}

static bool contains(const char *outer, const char *inner)
{
	struct jvpn_prefix prefix;
	struct jvpn_addr addr;

	return !jvpn_prefix_parse(&prefix, outer, &why) && !jvpn_addr_parse(&addr, inner, &why) &&
	       jvpn_prefix_contains(&prefix, &addr);
}

static bool overlap(const char *left, const char *right)
{
	struct jvpn_prefix a, b;

	return !jvpn_prefix_parse(&a, left, &why) && !jvpn_prefix_parse(&b, right, &why) &&
	       jvpn_prefix_overlaps(&a, &b) && jvpn_prefix_overlaps(&b, &a);
}

static void test_contains(void)
{
	tap_ok(contains("10.1.0.0/20", "10.1.15.255"), "last address of a network");
	tap_ok(!contains("10.1.0.0/20", "10.1.16.0"), "first address after it");
	tap_ok(contains("0.0.0.0/0", "255.255.255.255"), "everything of IPv4");
	tap_ok(!contains("0.0.0.0/0", "::1"), "but nothing of IPv6");
	tap_ok(contains("2001:db8::/33", "2001:db8:7fff::1"), "within an IPv6 network");
	tap_ok(!contains("2001:db8::/33", "2001:db8:8000::1"), "beyond it");
	tap_ok(contains("fd00::1/128", "fd00::1"), "a host has itself");
	tap_ok(overlap("10.0.0.0/8", "10.5.0.0/16"), "a part overlaps the whole");
	tap_ok(!overlap("10.4.0.0/16", "10.5.0.0/16"), "neighbours do not");
}

static void endpoint_is(const char *text, const char *wanted)
{
	struct jvpn_endpoint endpoint;
	char buf[JVPN_HOST_MAX + 16] = "refused";

	if (!jvpn_endpoint_parse(&endpoint, text, &why))
		jvpn_endpoint_format(&endpoint, buf, sizeof(buf));
	if (!tap_ok(!strcmp(buf, wanted), "endpoint '%.40s' is %.40s", text, wanted))
		tap_note("found %s", buf);
}

static void test_endpoints(void)
{
	char name[300];

	endpoint_is("192.0.2.1:51900", "192.0.2.1:51900");
	endpoint_is("[2001:db8::1]:1", "[2001:db8::1]:1");
	endpoint_is("vpn.example.net:65535", "vpn.example.net:65535");
	endpoint_is("vpn.example.net", "refused");
	endpoint_is("vpn.example.net:", "refused");
	endpoint_is("vpn.example.net:0", "refused");
	endpoint_is("vpn.example.net:65536", "refused");
	endpoint_is("vpn.example.net:x", "refused");
	endpoint_is(":51900", "refused");
	endpoint_is("2001:db8::1:51900", "refused");
	endpoint_is("[2001:db8::1]", "refused");
	endpoint_is("[2001:db8::1:5", "refused");
	endpoint_is("[192.0.2.1]:5", "refused");
	endpoint_is("[name]:5", "refused");
	endpoint_is("192.0.2.256:5", "refused");
	endpoint_is("a b:5", "refused");
	memset(name, 'a', sizeof(name));
	strcpy(name + 253, ":5");
	endpoint_is(name, name);
	strcpy(name + 254, ":5");
	name[253] = 'a';
	endpoint_is(name, "refused");
}

static void test_sockaddr(void)
{
	struct sockaddr_storage sa;
	struct jvpn_addr addr;
	char buf[JVPN_ADDR_TEXT];

	jvpn_addr_parse(&addr, "192.0.2.1", &why);
	tap_equal(jvpn_addr_to_sockaddr(&addr, 7, &sa), sizeof(struct sockaddr_in), "IPv4 socket");
	tap_text(jvpn_sockaddr_format((struct sockaddr *)&sa, buf, sizeof(buf)), "192.0.2.1:7",
		 "IPv4 socket as text");
	jvpn_addr_parse(&addr, "fd00::1", &why);
	tap_equal(jvpn_addr_to_sockaddr(&addr, 7, &sa), sizeof(struct sockaddr_in6),
		  "IPv6 socket");
	tap_text(jvpn_sockaddr_format((struct sockaddr *)&sa, buf, sizeof(buf)), "[fd00::1]:7",
		 "IPv6 socket as text");
	((struct sockaddr_in6 *)&sa)->sin6_scope_id = 3;
	tap_text(jvpn_sockaddr_format((struct sockaddr *)&sa, buf, sizeof(buf)), "[fd00::1%3]:7",
		 "with its scope");
}

static void test_text(void)
{
	static const char *const words[] = { "session", "transport", "mtu", NULL };
	uint8_t bytes[2];
	uint64_t number;
	char buf[JVPN_UTIL_TIME_TEXT], text[32];

	tap_ok(jvpn_util_number_parse("18446744073709551615", UINT64_MAX, &number) &&
	       number == UINT64_MAX, "the largest number");
	tap_ok(!jvpn_util_number_parse("18446744073709551616", UINT64_MAX, &number), "one more");
	tap_ok(jvpn_util_number_parse("0xff", 255, &number) && number == 255, "hexadecimal");
	tap_ok(!jvpn_util_number_parse("0x", 255, &number), "hexadecimal without digits");
	tap_ok(!jvpn_util_number_parse("-1", 255, &number), "negative");
	tap_ok(!jvpn_util_number_parse(" 1", 255, &number), "a blank before");
	tap_ok(!jvpn_util_number_parse("1 ", 255, &number), "a blank behind");
	tap_ok(!jvpn_util_number_parse("", 255, &number), "nothing");
	tap_ok(!jvpn_util_number_parse("256", 255, &number), "above the bound");
	tap_ok(jvpn_util_hex_decode("0aFF", bytes, 2) && bytes[0] == 10 && bytes[1] == 255, "hex");
	tap_ok(!jvpn_util_hex_decode("0aF", bytes, 2), "hex too short");
	tap_ok(!jvpn_util_hex_decode("0aFg", bytes, 2), "hex with another letter");
	tap_text(jvpn_util_nearest("sesion", words), "session", "a missing letter");
	tap_text(jvpn_util_nearest("trasnport", words), "transport", "two letters exchanged");
	tap_ok(!jvpn_util_nearest("policy", words), "nothing near");
	tap_ok(!jvpn_util_nearest("", words), "nothing is near nothing");
	tap_equal(jvpn_util_distance("kitten", "sitting"), 3, "edits between two words");
	snprintf(text, sizeof(text), "%s", "a\033[1m\t\xff\xc3\xa9\xe2\x82");
	tap_text(jvpn_util_text_clean(text), "a?[1m??\xc3\xa9??",
		 "control characters and half characters");
	tap_text(jvpn_util_time_format(1767225599999, buf, sizeof(buf)),
		 "2025-12-31T23:59:59.999Z", "time with milliseconds");
	tap_ok(jvpn_util_name_valid("a.B-3_") && !jvpn_util_name_valid("-a") &&
	       !jvpn_util_name_valid("") && !jvpn_util_name_valid("a/b"), "names");
	tap_ok(jvpn_util_ifname_valid("wlp2s0.7") && !jvpn_util_ifname_valid("..") &&
	       !jvpn_util_ifname_valid("a b") && !jvpn_util_ifname_valid("0123456789abcdef"),
	       "interface names");
}

int main(void)
{
	test_prefixes();
	test_contains();
	test_endpoints();
	test_sockaddr();
	test_text();
	return tap_done();
}
