// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "util.h"

static int jvpn_addr_refuse(const char **why, const char *reason)
{
	*why = reason;
	return -1;
}

int jvpn_addr_parse(struct jvpn_addr *addr, const char *text, const char **why)
{
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, addr->bytes) == 1) {
		addr->family = AF_INET;
		return 0;
	}
	if (inet_pton(AF_INET6, text, addr->bytes) == 1) {
		addr->family = AF_INET6;
		return 0;
	}
	memset(addr, 0, sizeof(*addr));
	if (strchr(text, '/'))
		return jvpn_addr_refuse(why, "a prefix length is not allowed here");
	if (strchr(text, '%'))
		return jvpn_addr_refuse(why, "a scope (%interface) is not allowed here");
	return jvpn_addr_refuse(why, "neither an IPv4 nor an IPv6 address");
}

int jvpn_prefix_parse(struct jvpn_prefix *prefix, const char *text, const char **why)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t bits;

	memset(prefix, 0, sizeof(*prefix));
	if (length >= sizeof(address))
		return jvpn_addr_refuse(why, "too long for an address");
	memcpy(address, text, length);
	address[length] = '\0';
	if (jvpn_addr_parse(&prefix->addr, address, why))
		return -1;
	bits = jvpn_addr_bits(&prefix->addr);
	if (slash && !jvpn_util_number_parse(slash + 1, bits, &bits))
		return jvpn_addr_refuse(why, prefix->addr.family == AF_INET ?
					"the prefix length must be 0 to 32" :
					"the prefix length must be 0 to 128");
	prefix->length = (uint8_t)bits;
	return 0;
}

static int jvpn_endpoint_host_check(const char *host, const char **why)
{
	if (!*host)
		return jvpn_addr_refuse(why, "the host is missing before the port");
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr(".-_", *host))
			return jvpn_addr_refuse(why, "the host name has a character that names "
						"cannot have");
	return 0;
}

/* Splits "host:port" or "[v6]:port"; the host goes to endpoint->host. */
static int jvpn_endpoint_split(struct jvpn_endpoint *endpoint, const char *text,
			       const char **port, const char **why)
{
	bool bracket = text[0] == '[';
	const char *host = text + bracket;
	const char *end = bracket ? strchr(host, ']') : strrchr(host, ':');
	size_t length;

	if (!end)
		return jvpn_addr_refuse(why, bracket ? "the closing ] is missing" :
					"the port is missing (host:port)");
	if (bracket && end[1] != ':')
		return jvpn_addr_refuse(why, "the port is missing after ] ([address]:port)");
	length = (size_t)(end - host);
	if (!bracket && memchr(host, ':', length))
		return jvpn_addr_refuse(why, "an IPv6 address needs brackets ([address]:port)");
	if (length > JVPN_HOST_MAX)
		return jvpn_addr_refuse(why, "the host name is longer than 253 characters");
	memcpy(endpoint->host, host, length);
	endpoint->host[length] = '\0';
	*port = end + 1 + bracket;
	return 0;
}

int jvpn_endpoint_parse(struct jvpn_endpoint *endpoint, const char *text, const char **why)
{
	const char *port, *ignored;
	uint64_t number;

	memset(endpoint, 0, sizeof(*endpoint));
	if (jvpn_endpoint_split(endpoint, text, &port, why))
		return -1;
	if (!jvpn_util_number_parse(port, UINT16_MAX, &number) || !number)
		return jvpn_addr_refuse(why, "the port must be 1 to 65535");
	endpoint->port = (uint16_t)number;
	if (!jvpn_addr_parse(&endpoint->addr, endpoint->host, &ignored)) {
		if (text[0] == '[' && endpoint->addr.family != AF_INET6)
			return jvpn_addr_refuse(why, "brackets are for IPv6 addresses only");
		return 0;
	}
	if (text[0] == '[')
		return jvpn_addr_refuse(why, "not an IPv6 address between the brackets");
	/* Only digits and dots: a mistyped address, which no resolver should see. */
	if (strspn(endpoint->host, "0123456789.") == strlen(endpoint->host) && *endpoint->host)
		return jvpn_addr_refuse(why, "not an IPv4 address");
	return jvpn_endpoint_host_check(endpoint->host, why);
}

unsigned int jvpn_addr_bits(const struct jvpn_addr *addr)
{
	return addr->family == AF_INET ? 32 : addr->family == AF_INET6 ? 128 : 0;
}

bool jvpn_addr_equal(const struct jvpn_addr *a, const struct jvpn_addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static bool jvpn_addr_bit(const struct jvpn_addr *addr, unsigned int bit)
{
	return addr->bytes[bit / 8] & (0x80 >> (bit % 8));
}

bool jvpn_prefix_has_host_bits(const struct jvpn_prefix *prefix)
{
	for (unsigned int bit = prefix->length; bit < jvpn_addr_bits(&prefix->addr); bit++)
		if (jvpn_addr_bit(&prefix->addr, bit))
			return true;
	return false;
}

bool jvpn_prefix_contains(const struct jvpn_prefix *prefix, const struct jvpn_addr *addr)
{
	unsigned int whole = prefix->length / 8, rest = prefix->length % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (prefix->addr.family != addr->family)
		return false;
	if (memcmp(prefix->addr.bytes, addr->bytes, whole))
		return false;
	return !rest || !((prefix->addr.bytes[whole] ^ addr->bytes[whole]) & mask);
}

bool jvpn_prefix_overlaps(const struct jvpn_prefix *a, const struct jvpn_prefix *b)
{
	return a->length < b->length ? jvpn_prefix_contains(a, &b->addr) :
				       jvpn_prefix_contains(b, &a->addr);
}

bool jvpn_prefix_is_host(const struct jvpn_prefix *prefix)
{
	return prefix->length == jvpn_addr_bits(&prefix->addr);
}

char *jvpn_addr_format(const struct jvpn_addr *addr, char *buf, size_t size)
{
	if (addr->family == AF_UNSPEC ||
	    !inet_ntop(addr->family, addr->bytes, buf, (socklen_t)size))
		snprintf(buf, size, "-");
	return buf;
}

char *jvpn_prefix_format(const struct jvpn_prefix *prefix, char *buf, size_t size)
{
	char address[INET6_ADDRSTRLEN];

	jvpn_addr_format(&prefix->addr, address, sizeof(address));
	snprintf(buf, size, "%s/%u", address, prefix->length);
	return buf;
}

char *jvpn_endpoint_format(const struct jvpn_endpoint *endpoint, char *buf, size_t size)
{
	bool bracket = endpoint->addr.family == AF_INET6;

	snprintf(buf, size, "%s%s%s:%u", bracket ? "[" : "", endpoint->host, bracket ? "]" : "",
		 endpoint->port);
	return buf;
}

char *jvpn_sockaddr_format(const struct sockaddr *sa, char *buf, size_t size)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
	char address[INET6_ADDRSTRLEN];

	if (sa->sa_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, address, sizeof(address));
		snprintf(buf, size, "%s:%u", address, ntohs(v4->sin_port));
	} else if (sa->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, address, sizeof(address));
		if (v6->sin6_scope_id)
			snprintf(buf, size, "[%s%%%u]:%u", address, v6->sin6_scope_id,
				 ntohs(v6->sin6_port));
		else
			snprintf(buf, size, "[%s]:%u", address, ntohs(v6->sin6_port));
	} else {
		snprintf(buf, size, "-");
	}
	return buf;
}

socklen_t jvpn_addr_to_sockaddr(const struct jvpn_addr *addr, uint16_t port,
				struct sockaddr_storage *sa)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;

	memset(sa, 0, sizeof(*sa));
	if (addr->family == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, addr->bytes, sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	if (addr->family == AF_INET6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		memcpy(&v6->sin6_addr, addr->bytes, sizeof(v6->sin6_addr));
		return sizeof(*v6);
	}
	return 0;
}
