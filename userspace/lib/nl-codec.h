/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_NL_CODEC_H
#define JVPN_NL_CODEC_H

/*
 * Attributes to structs and back, driven by the tables of nl-gen.c. Nothing
 * here allocates, and a decoder never reads beyond the octets it was given.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jvpn_nl_object;
struct nlmsghdr;

/* Room for "session.transport.remote-ipv4". */
#define JVPN_NL_PATH 96

enum jvpn_nl_kind {
	JVPN_NL_ABSENT,		/* a number without an attribute: padding */
	JVPN_NL_FLAG,
	JVPN_NL_U8,
	JVPN_NL_U16,
	JVPN_NL_U32,
	JVPN_NL_U64,
	JVPN_NL_BE16,		/* host order in the struct */
	JVPN_NL_STRING,		/* NUL included in .size */
	JVPN_NL_BINARY,		/* exactly .size octets */
	JVPN_NL_SIZED,		/* at most .size octets, their number at .count */
	JVPN_NL_IPV4,		/* struct jvpn_addr */
	JVPN_NL_IPV6,
	JVPN_NL_NEST,
	JVPN_NL_LIST,		/* repeated nest: at most .size, their number at .count */
};

/**
 * struct jvpn_nl_field - one attribute of an object
 * @name: as in the specification
 * @kind: type, and so how it is stored
 * @offset: where in the struct
 * @has: offset of its flag; unused for FLAG, IPV4, IPV6 and LIST
 * @size: see the kinds
 * @count: see the kinds
 * @nested: what a NEST or LIST holds
 */
struct jvpn_nl_field {
	const char *name;
	enum jvpn_nl_kind kind;
	size_t offset;
	size_t has;
	size_t size;
	size_t count;
	const struct jvpn_nl_object *nested;
};

/**
 * struct jvpn_nl_object - an attribute set
 * @name: as in the specification
 * @size: sizeof of its struct
 * @max: highest attribute number
 * @fields: by attribute number
 */
struct jvpn_nl_object {
	const char *name;
	size_t size;
	uint16_t max;
	const struct jvpn_nl_field *fields;
};

/* Append what is set in data to a message in a buffer of size octets. False: no room. */
bool jvpn_nl_encode(struct nlmsghdr *message, size_t size, const struct jvpn_nl_object *object,
		    const void *data);

/*
 * Fill data (cleared first) from attributes. Attributes of unknown number are
 * skipped: a newer module may send them. False, with the path of the attribute
 * and what is wrong with it in error, for anything else that does not fit.
 */
bool jvpn_nl_decode(void *data, const struct jvpn_nl_object *object, const void *attributes,
		    size_t size, char *error, size_t error_size);

/* Name the attribute that starts offset octets after attributes, "" if there is none. */
void jvpn_nl_locate(const struct jvpn_nl_object *object, const void *attributes, size_t size,
		    size_t offset, char path[JVPN_NL_PATH]);

/*
 * Name the attribute of a number that a nest lacks. The nest starts *nest octets
 * after attributes, or is the message itself if nest is NULL.
 */
void jvpn_nl_locate_missing(const struct jvpn_nl_object *object, const void *attributes,
			    size_t size, const size_t *nest, uint16_t type,
			    char path[JVPN_NL_PATH]);

#endif /* JVPN_NL_CODEC_H */
