// SPDX-License-Identifier: GPL-2.0
#include "nl-codec.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"

#define NL_IPV4_SIZE 4
#define NL_IPV6_SIZE 16

/* --- encode --------------------------------------------------------------- */

static bool nl_nest_encode(struct nlmsghdr *message, size_t size, uint16_t type,
			   const struct jvpn_nl_object *object, const void *data)
{
	struct nlattr *nest = mnl_attr_nest_start_check(message, size, type);

	if (!nest || !jvpn_nl_encode(message, size, object, data))
		return false;
	mnl_attr_nest_end(message, nest);
	return true;
}

static bool nl_list_encode(struct nlmsghdr *message, size_t size, uint16_t type,
			   const struct jvpn_nl_field *field, const uint8_t *data)
{
	size_t count = *(const size_t *)(data + field->count);

	if (count > field->size)
		return false;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *entry = data + field->offset + i * field->nested->size;

		if (!nl_nest_encode(message, size, type, field->nested, entry))
			return false;
	}
	return true;
}

static bool nl_address_encode(struct nlmsghdr *message, size_t size, uint16_t type,
			      const struct jvpn_addr *addr, sa_family_t family, size_t octets)
{
	return addr->family != family ||
	       mnl_attr_put_check(message, size, type, octets, addr->bytes);
}

static bool nl_be16_encode(struct nlmsghdr *message, size_t size, uint16_t type,
			   const void *value)
{
	uint16_t host;

	memcpy(&host, value, sizeof(host));
	return mnl_attr_put_u16_check(message, size, type, htons(host));
}

static bool nl_string_encode(struct nlmsghdr *message, size_t size, uint16_t type,
			     const struct jvpn_nl_field *field, const char *text)
{
	size_t length = strnlen(text, field->size);

	return length < field->size && mnl_attr_put_check(message, size, type, length + 1, text);
}

static bool nl_sized_encode(struct nlmsghdr *message, size_t size, uint16_t type,
			    const struct jvpn_nl_field *field, const uint8_t *data)
{
	size_t octets = *(const size_t *)(data + field->count);

	return octets <= field->size &&
	       mnl_attr_put_check(message, size, type, octets, data + field->offset);
}

/* True if the struct says that the attribute is there; the other kinds say it by their value. */
static bool nl_field_present(const struct jvpn_nl_field *field, const uint8_t *data)
{
	switch (field->kind) {
	case JVPN_NL_ABSENT:
		return false;
	case JVPN_NL_FLAG:
		return *(const bool *)(data + field->offset);
	case JVPN_NL_IPV4:
	case JVPN_NL_IPV6:
	case JVPN_NL_LIST:
		return true;
	default:
		return *(const bool *)(data + field->has);
	}
}

static bool nl_field_encode(struct nlmsghdr *message, size_t size, uint16_t type,
			    const struct jvpn_nl_field *field, const uint8_t *data)
{
	const void *at = data + field->offset;

	switch (field->kind) {
	case JVPN_NL_FLAG:
		return mnl_attr_put_check(message, size, type, 0, NULL);
	case JVPN_NL_U8:
		return mnl_attr_put_check(message, size, type, sizeof(uint8_t), at);
	case JVPN_NL_U16:
		return mnl_attr_put_check(message, size, type, sizeof(uint16_t), at);
	case JVPN_NL_U32:
		return mnl_attr_put_check(message, size, type, sizeof(uint32_t), at);
	case JVPN_NL_U64:
		return mnl_attr_put_check(message, size, type, sizeof(uint64_t), at);
	case JVPN_NL_BE16:
		return nl_be16_encode(message, size, type, at);
	case JVPN_NL_STRING:
		return nl_string_encode(message, size, type, field, at);
	case JVPN_NL_BINARY:
		return mnl_attr_put_check(message, size, type, field->size, at);
	case JVPN_NL_SIZED:
		return nl_sized_encode(message, size, type, field, data);
	case JVPN_NL_IPV4:
		return nl_address_encode(message, size, type, at, AF_INET, NL_IPV4_SIZE);
	case JVPN_NL_IPV6:
		return nl_address_encode(message, size, type, at, AF_INET6, NL_IPV6_SIZE);
	case JVPN_NL_NEST:
		return nl_nest_encode(message, size, type, field->nested, at);
	case JVPN_NL_LIST:
		return nl_list_encode(message, size, type, field, data);
	case JVPN_NL_ABSENT:
		break;
	}
	return false;
}

bool jvpn_nl_encode(struct nlmsghdr *message, size_t size, const struct jvpn_nl_object *object,
		    const void *data)
{
	for (uint16_t type = 1; type <= object->max; type++) {
		const struct jvpn_nl_field *field = &object->fields[type];

		if (nl_field_present(field, data) &&
		    !nl_field_encode(message, size, type, field, data))
			return false;
	}
	return true;
}

/* --- decode --------------------------------------------------------------- */

/* Where a decoder is, to say so if it fails. */
struct nl_frame {
	const struct nl_frame *up;
	const char *name;
};

struct nl_decoder {
	char *error;
	size_t error_size;
};

static void nl_frame_format(const struct nl_frame *frame, char *buf, size_t size)
{
	size_t used;

	if (frame->up) {
		nl_frame_format(frame->up, buf, size);
		used = strlen(buf);
		snprintf(buf + used, size - used, ".%s", frame->name);
	} else {
		snprintf(buf, size, "%s", frame->name);
	}
}

static bool nl_decode_fail(const struct nl_decoder *decoder, const struct nl_frame *frame,
			   const char *problem)
{
	char path[JVPN_NL_PATH];

	nl_frame_format(frame, path, sizeof(path));
	snprintf(decoder->error, decoder->error_size, "attribute %s %s", path, problem);
	return false;
}

static bool nl_set_decode(const struct nl_decoder *decoder, const struct nl_frame *frame,
			  void *data, const struct jvpn_nl_object *object,
			  const uint8_t *attributes, size_t size);

static bool nl_fixed_decode(const struct nl_decoder *decoder, const struct nl_frame *frame,
			    void *at, const struct nlattr *attr, size_t octets)
{
	if (mnl_attr_get_payload_len(attr) != octets)
		return nl_decode_fail(decoder, frame, "has a wrong length");
	memcpy(at, mnl_attr_get_payload(attr), octets);
	return true;
}

static bool nl_string_decode(const struct nl_decoder *decoder, const struct nl_frame *frame,
			     char *at, const struct nlattr *attr, size_t size)
{
	const char *text = mnl_attr_get_payload(attr);
	size_t octets = mnl_attr_get_payload_len(attr);
	size_t length = strnlen(text, octets);

	if (length == octets)
		return nl_decode_fail(decoder, frame, "does not end with a NUL");
	if (length >= size)
		return nl_decode_fail(decoder, frame, "is too long");
	memset(at, 0, size);
	memcpy(at, text, length);
	return true;
}

static bool nl_sized_decode(const struct nl_decoder *decoder, const struct nl_frame *frame,
			    uint8_t *data, const struct jvpn_nl_field *field,
			    const struct nlattr *attr)
{
	size_t octets = mnl_attr_get_payload_len(attr);

	if (octets > field->size)
		return nl_decode_fail(decoder, frame, "is too long");
	memset(data + field->offset, 0, field->size);
	memcpy(data + field->offset, mnl_attr_get_payload(attr), octets);
	*(size_t *)(data + field->count) = octets;
	return true;
}

static bool nl_address_decode(const struct nl_decoder *decoder, const struct nl_frame *frame,
			      struct jvpn_addr *addr, const struct nlattr *attr,
			      sa_family_t family, size_t octets)
{
	if (addr->family != AF_UNSPEC)
		return nl_decode_fail(decoder, frame, "is a second address");
	addr->family = family;
	return nl_fixed_decode(decoder, frame, addr->bytes, attr, octets);
}

static bool nl_be16_decode(const struct nl_decoder *decoder, const struct nl_frame *frame,
			   uint16_t *at, const struct nlattr *attr)
{
	if (!nl_fixed_decode(decoder, frame, at, attr, sizeof(*at)))
		return false;
	*at = ntohs(*at);
	return true;
}

static bool nl_list_decode(const struct nl_decoder *decoder, const struct nl_frame *frame,
			   uint8_t *data, const struct jvpn_nl_field *field,
			   const struct nlattr *attr)
{
	size_t *count = (size_t *)(data + field->count);

	if (*count >= field->size)
		return nl_decode_fail(decoder, frame, "comes too often");
	if (!nl_set_decode(decoder, frame, data + field->offset + *count * field->nested->size,
			   field->nested, mnl_attr_get_payload(attr),
			   mnl_attr_get_payload_len(attr)))
		return false;
	++*count;
	return true;
}

static bool nl_field_decode(const struct nl_decoder *decoder, const struct nl_frame *frame,
			    uint8_t *data, const struct jvpn_nl_field *field,
			    const struct nlattr *attr)
{
	void *at = data + field->offset;

	switch (field->kind) {
	case JVPN_NL_FLAG:
		*(bool *)at = true;
		return mnl_attr_get_payload_len(attr) == 0 ||
		       nl_decode_fail(decoder, frame, "has a wrong length");
	case JVPN_NL_U8:
		return nl_fixed_decode(decoder, frame, at, attr, sizeof(uint8_t));
	case JVPN_NL_U16:
		return nl_fixed_decode(decoder, frame, at, attr, sizeof(uint16_t));
	case JVPN_NL_U32:
		return nl_fixed_decode(decoder, frame, at, attr, sizeof(uint32_t));
	case JVPN_NL_U64:
		return nl_fixed_decode(decoder, frame, at, attr, sizeof(uint64_t));
	case JVPN_NL_BE16:
		return nl_be16_decode(decoder, frame, at, attr);
	case JVPN_NL_STRING:
		return nl_string_decode(decoder, frame, at, attr, field->size);
	case JVPN_NL_BINARY:
		return nl_fixed_decode(decoder, frame, at, attr, field->size);
	case JVPN_NL_SIZED:
		return nl_sized_decode(decoder, frame, data, field, attr);
	case JVPN_NL_IPV4:
		return nl_address_decode(decoder, frame, at, attr, AF_INET, NL_IPV4_SIZE);
	case JVPN_NL_IPV6:
		return nl_address_decode(decoder, frame, at, attr, AF_INET6, NL_IPV6_SIZE);
	case JVPN_NL_NEST:
		return nl_set_decode(decoder, frame, at, field->nested,
				     mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	case JVPN_NL_LIST:
		return nl_list_decode(decoder, frame, data, field, attr);
	case JVPN_NL_ABSENT:
		break;
	}
	return true;
}

static bool nl_has_flag(enum jvpn_nl_kind kind)
{
	return kind != JVPN_NL_ABSENT && kind != JVPN_NL_FLAG && kind != JVPN_NL_IPV4 &&
	       kind != JVPN_NL_IPV6 && kind != JVPN_NL_LIST;
}

static bool nl_set_decode(const struct nl_decoder *decoder, const struct nl_frame *frame,
			  void *data, const struct jvpn_nl_object *object,
			  const uint8_t *attributes, size_t size)
{
	const struct nlattr *attr = (const struct nlattr *)attributes;
	const uint8_t *end = attributes + size;

	memset(data, 0, object->size);
	while (mnl_attr_ok(attr, end - (const uint8_t *)attr)) {
		uint16_t type = mnl_attr_get_type(attr);
		const struct jvpn_nl_field *field;

		field = type <= object->max ? &object->fields[type] : &object->fields[0];
		if (field->kind != JVPN_NL_ABSENT) {
			struct nl_frame inner = { frame, field->name };

			if (!nl_field_decode(decoder, &inner, data, field, attr))
				return false;
			if (nl_has_flag(field->kind))
				*(bool *)((uint8_t *)data + field->has) = true;
		}
		attr = mnl_attr_next(attr);
	}
	/* The last attribute may lack its padding, and then attr is beyond the end. */
	if ((const uint8_t *)attr < end)
		return nl_decode_fail(decoder, frame, "is truncated");
	return true;
}

bool jvpn_nl_decode(void *data, const struct jvpn_nl_object *object, const void *attributes,
		    size_t size, char *error, size_t error_size)
{
	struct nl_decoder decoder = { error, error_size };
	struct nl_frame frame = { NULL, object->name };

	return nl_set_decode(&decoder, &frame, data, object, attributes, size);
}

/* --- names of attributes -------------------------------------------------- */

static void nl_path_append(char path[JVPN_NL_PATH], const char *name)
{
	size_t used = strlen(path);

	snprintf(path + used, JVPN_NL_PATH - used, "%s%s", used ? "." : "", name);
}

static const struct jvpn_nl_field *nl_field_find(const struct jvpn_nl_object *object,
						 uint16_t type)
{
	const struct jvpn_nl_field *field = NULL;

	if (type <= object->max)
		field = &object->fields[type];
	return field && field->kind != JVPN_NL_ABSENT ? field : NULL;
}

/* Down to the attribute at target, its path into path. NULL if there is none of ours. */
static const struct jvpn_nl_field *nl_walk(const struct jvpn_nl_object *object,
					   const uint8_t *attributes, size_t size,
					   const uint8_t *target, char path[JVPN_NL_PATH])
{
	const struct nlattr *attr = (const struct nlattr *)attributes;
	const uint8_t *end = attributes + size;

	for (; mnl_attr_ok(attr, end - (const uint8_t *)attr); attr = mnl_attr_next(attr)) {
		const struct jvpn_nl_field *field = nl_field_find(object, mnl_attr_get_type(attr));
		const uint8_t *start = (const uint8_t *)attr;

		if (!field || target >= start + attr->nla_len)
			continue;
		nl_path_append(path, field->name);
		if (target == start || !field->nested)
			return target == start ? field : NULL;
		return nl_walk(field->nested, mnl_attr_get_payload(attr),
			       mnl_attr_get_payload_len(attr), target, path);
	}
	return NULL;
}

void jvpn_nl_locate(const struct jvpn_nl_object *object, const void *attributes, size_t size,
		    size_t offset, char path[JVPN_NL_PATH])
{
	path[0] = '\0';
	if (offset >= size)
		return;
	nl_path_append(path, object->name);
	if (!nl_walk(object, attributes, size, (const uint8_t *)attributes + offset, path))
		path[0] = '\0';
}

void jvpn_nl_locate_missing(const struct jvpn_nl_object *object, const void *attributes,
			    size_t size, const size_t *nest, uint16_t type,
			    char path[JVPN_NL_PATH])
{
	const struct jvpn_nl_field *field;

	path[0] = '\0';
	nl_path_append(path, object->name);
	if (nest) {
		field = *nest < size ? nl_walk(object, attributes, size,
					       (const uint8_t *)attributes + *nest, path) : NULL;
		object = field ? field->nested : NULL;
	}
	field = object ? nl_field_find(object, type) : NULL;
	if (field)
		nl_path_append(path, field->name);
	else
		path[0] = '\0';
}
