/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_TESTS_NL_FILL_H
#define JVPN_TESTS_NL_FILL_H

/*
 * Objects with every member set, each to another value: by the field tables,
 * so that no attribute of the specification can be forgotten.
 */

#include <string.h>

#include "addr.h"
#include "nl-codec.h"

static void fill_object(const struct jvpn_nl_object *object, uint8_t *data, unsigned int seed,
			sa_family_t family);

static void fill_octets(uint8_t *at, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		at[i] = 1 + (seed * 31 + i * 7) % 255;
}

static void fill_text(char *at, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size - 1; i++)
		at[i] = 'a' + (seed + i) % 26;
}

static void fill_address(struct jvpn_addr *addr, sa_family_t family, unsigned int seed)
{
	addr->family = family;
	fill_octets(addr->bytes, family == AF_INET ? 4 : 16, seed);
}

static void fill_list(const struct jvpn_nl_field *field, uint8_t *data, unsigned int seed,
		      sa_family_t family)
{
	*(size_t *)(data + field->count) = field->size;
	for (size_t i = 0; i < field->size; i++)
		fill_object(field->nested, data + field->offset + i * field->nested->size,
			    seed + i, family);
}

static void fill_field(const struct jvpn_nl_field *field, uint8_t *data, unsigned int seed,
		       sa_family_t family)
{
	static const size_t sizes[] = {
		[JVPN_NL_U8] = 1, [JVPN_NL_U16] = 2, [JVPN_NL_U32] = 4, [JVPN_NL_U64] = 8,
		[JVPN_NL_BE16] = 2,
	};
	uint8_t *at = data + field->offset;

	switch (field->kind) {
	case JVPN_NL_ABSENT:
		return;
	case JVPN_NL_FLAG:
		*(bool *)at = true;
		return;
	case JVPN_NL_IPV4:
	case JVPN_NL_IPV6:
		fill_address((struct jvpn_addr *)at, family, seed);
		return;
	case JVPN_NL_LIST:
		fill_list(field, data, seed, family);
		return;
	case JVPN_NL_NEST:
		fill_object(field->nested, at, seed, family);
		break;
	case JVPN_NL_STRING:
		fill_text((char *)at, field->size, seed);
		break;
	case JVPN_NL_SIZED:
		*(size_t *)(data + field->count) = field->size;
		/* fallthrough */
	case JVPN_NL_BINARY:
		fill_octets(at, field->size, seed);
		break;
	default:
		fill_octets(at, sizes[field->kind], seed);
		break;
	}
	*(bool *)(data + field->has) = true;
}

/* As if nothing but what the tables say were known of the struct. */
static void fill_object(const struct jvpn_nl_object *object, uint8_t *data, unsigned int seed,
			sa_family_t family)
{
	memset(data, 0, object->size);
	for (uint16_t type = 1; type <= object->max; type++) {
		unsigned int value = seed + type;

		/* Both attributes of an address are one member. */
		if (object->fields[type].kind == JVPN_NL_IPV6)
			value--;
		fill_field(&object->fields[type], data, value, family);
	}
}

#endif /* JVPN_TESTS_NL_FILL_H */
