/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_ADDR_H
#define JVPN_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for any address, prefix or "[v6%scope]:port" text, NUL included. */
#define JVPN_ADDR_TEXT		80
#define JVPN_HOST_MAX		253

/* An IPv4 or IPv6 address. bytes beyond the address are zero, so that memcmp compares. */
struct jvpn_addr {
	sa_family_t family;		/* AF_INET, AF_INET6, or AF_UNSPEC for none */
	uint8_t bytes[16];
};

/* An address with the number of bits that count. Host bits are kept as written. */
struct jvpn_prefix {
	struct jvpn_addr addr;
	uint8_t length;
};

/* A UDP endpoint as written: a name to be resolved, or a literal address. */
struct jvpn_endpoint {
	char host[JVPN_HOST_MAX + 1];	/* as written, without brackets */
	struct jvpn_addr addr;		/* the literal; AF_UNSPEC if host is a name */
	uint16_t port;
};

/*
 * The parsers return 0, or -1 with *why naming the first thing that is wrong
 * (static text).
 */
int jvpn_addr_parse(struct jvpn_addr *addr, const char *text, const char **why);
/* "a/n", or an address alone for a host prefix. */
int jvpn_prefix_parse(struct jvpn_prefix *prefix, const char *text, const char **why);
/* "host:port", "v4:port", "[v6]:port". */
int jvpn_endpoint_parse(struct jvpn_endpoint *endpoint, const char *text, const char **why);

unsigned int jvpn_addr_bits(const struct jvpn_addr *addr);
bool jvpn_addr_equal(const struct jvpn_addr *a, const struct jvpn_addr *b);
bool jvpn_prefix_has_host_bits(const struct jvpn_prefix *prefix);
bool jvpn_prefix_contains(const struct jvpn_prefix *prefix, const struct jvpn_addr *addr);
bool jvpn_prefix_overlaps(const struct jvpn_prefix *a, const struct jvpn_prefix *b);
bool jvpn_prefix_is_host(const struct jvpn_prefix *prefix);

/* These return buf. */
char *jvpn_addr_format(const struct jvpn_addr *addr, char *buf, size_t size);
char *jvpn_prefix_format(const struct jvpn_prefix *prefix, char *buf, size_t size);
char *jvpn_endpoint_format(const struct jvpn_endpoint *endpoint, char *buf, size_t size);
char *jvpn_sockaddr_format(const struct sockaddr *sa, char *buf, size_t size);

/* Returns the length of the sockaddr, 0 if addr is AF_UNSPEC. */
socklen_t jvpn_addr_to_sockaddr(const struct jvpn_addr *addr, uint16_t port,
				struct sockaddr_storage *sa);

#endif /* JVPN_ADDR_H */
