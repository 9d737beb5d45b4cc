// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes and events as the module sends them. The first octet chooses the
 * attribute set; the rest are attributes. What decodes must encode to what
 * decodes to the same. The same octets, with a header before them, are tried as
 * an event, and as a request that the kernel points into.
 */
#include <linux/genetlink.h>
#include <libmnl/libmnl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "nl.h"

#define FUZZ_NL_MAX 16384

static const struct jvpn_nl_object *const fuzz_objects[] = {
	&jvpn_nl_device_object, &jvpn_nl_counter_object, &jvpn_nl_socket_object,
	&jvpn_nl_transport_object, &jvpn_nl_epoch_object, &jvpn_nl_inner_object,
	&jvpn_nl_policy_object, &jvpn_nl_stats_object, &jvpn_nl_health_object,
	&jvpn_nl_transition_object, &jvpn_nl_session_object, &jvpn_nl_packet_object,
	&jvpn_nl_unbound_object,
};

static _Alignas(8) uint8_t fuzz_buffer[FUZZ_NL_MAX + MNL_NLMSG_HDRLEN + GENL_HDRLEN];

/* Room for any object. */
union fuzz_room {
	struct jvpn_nl_event event;
	struct jvpn_nl_device device;
};

static union fuzz_room fuzz_first, fuzz_second;

static void fuzz_object(const struct jvpn_nl_object *object, const void *attributes, size_t size)
{
	struct nlmsghdr *message = (struct nlmsghdr *)fuzz_buffer;
	char error[JVPN_NL_TEXT] = "";

	if (!jvpn_nl_decode(&fuzz_first, object, attributes, size, error, sizeof(error))) {
		fuzz_demand(error[0], "a refusal without words");
		return;
	}
	mnl_nlmsg_put_header(message);
	fuzz_demand(jvpn_nl_encode(message, sizeof(fuzz_buffer), object, &fuzz_first),
		    "what was decoded does not encode");
	fuzz_demand(jvpn_nl_decode(&fuzz_second, object, mnl_nlmsg_get_payload(message),
				   mnl_nlmsg_get_payload_len(message), error, sizeof(error)),
		    "what was encoded does not decode");
	fuzz_demand(!memcmp(&fuzz_first, &fuzz_second, object->size), "the round trip changes it");
}

static void fuzz_event(const void *attributes, size_t size, uint8_t command)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(fuzz_buffer);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->cmd = command;
	memcpy(fuzz_buffer + message->nlmsg_len, attributes, size);
	message->nlmsg_len += size;
	jvpn_nl_event_decode(&fuzz_first.event, message);
}

static void fuzz_locate(const struct jvpn_nl_object *object, const void *attributes, size_t size)
{
	char path[JVPN_NL_PATH];

	for (size_t offset = 0; offset <= size && offset < 256; offset += 4) {
		jvpn_nl_locate(object, attributes, size, offset, path);
		jvpn_nl_locate_missing(object, attributes, size, &offset, offset / 4, path);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct jvpn_nl_object *object;
	uint8_t *attributes;

	if (size < 2 || size - 2 > FUZZ_NL_MAX)
		return 0;
	object = fuzz_objects[data[0] % (sizeof(fuzz_objects) / sizeof(fuzz_objects[0]))];
	size -= 2;
	/* A copy of its own: a sanitizer sees the first octet read beyond it. */
	attributes = malloc(size ? size : 1);
	fuzz_demand(attributes, "no memory");
	memcpy(attributes, data + 2, size);
	fuzz_object(object, attributes, size);
	fuzz_locate(object, attributes, size);
	fuzz_event(attributes, size, data[1]);
	free(attributes);
	return 0;
}
