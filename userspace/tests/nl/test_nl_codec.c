// SPDX-License-Identifier: GPL-2.0
/* Structs to netlink attributes and back, and attributes that must be refused. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdlib.h>

#include "../tap.h"
#include "fill.h"
#include "nl.h"

#define BUFFER 16384

static const struct jvpn_nl_object *const objects[] = {
	&jvpn_nl_device_object, &jvpn_nl_counter_object, &jvpn_nl_socket_object,
	&jvpn_nl_transport_object, &jvpn_nl_epoch_object, &jvpn_nl_inner_object,
	&jvpn_nl_policy_object, &jvpn_nl_stats_object, &jvpn_nl_health_object,
	&jvpn_nl_transition_object, &jvpn_nl_session_object, &jvpn_nl_packet_object,
	&jvpn_nl_unbound_object,
};

static _Alignas(8) uint8_t buffer[BUFFER];
static struct nlmsghdr *const message = (struct nlmsghdr *)buffer;
static char error[JVPN_NL_TEXT];

static void message_begin(void)
{
	memset(buffer, 0, sizeof(buffer));
	mnl_nlmsg_put_header(buffer);
}

static bool message_decode(void *data, const struct jvpn_nl_object *object)
{
	error[0] = '\0';
	return jvpn_nl_decode(data, object, mnl_nlmsg_get_payload(message),
			      mnl_nlmsg_get_payload_len(message), error, sizeof(error));
}

/* --- round trips ---------------------------------------------------------- */

static void test_round_trip(const struct jvpn_nl_object *object, sa_family_t family)
{
	uint8_t *in = calloc(1, object->size), *out = malloc(object->size);

	fill_object(object, in, 5, family);
	memset(out, 0xee, object->size);
	message_begin();
	tap_ok(jvpn_nl_encode(message, sizeof(buffer), object, in) &&
	       message_decode(out, object) && !memcmp(in, out, object->size),
	       "%s comes back as it was, %s", object->name, family == AF_INET ? "IPv4" : "IPv6");
	if (error[0])
		tap_note("%s", error);
	free(in);
	free(out);
}

static void test_empty(const struct jvpn_nl_object *object)
{
	uint8_t *in = calloc(1, object->size), *out = malloc(object->size);

	message_begin();
	tap_ok(jvpn_nl_encode(message, sizeof(buffer), object, in) &&
	       !mnl_nlmsg_get_payload_len(message) && message_decode(out, object) &&
	       !memcmp(in, out, object->size), "%s with nothing set is empty", object->name);
	free(in);
	free(out);
}

/* Whatever room there is: the whole message or a refusal, and nothing beyond the room. */
static void test_no_room(void)
{
	struct jvpn_nl_session *in = calloc(1, sizeof(*in));
	const struct jvpn_nl_object *object = &jvpn_nl_session_object;
	bool good = true;
	size_t whole;

	fill_object(object, (uint8_t *)in, 1, AF_INET6);
	message_begin();
	jvpn_nl_encode(message, sizeof(buffer), object, in);
	whole = message->nlmsg_len;
	for (size_t room = MNL_NLMSG_HDRLEN; room < whole; room++) {
		message_begin();
		memset(buffer + room, 0xa5, sizeof(buffer) - room);
		good &= !jvpn_nl_encode(message, room, object, in) && message->nlmsg_len <= room;
		for (size_t i = room; i < sizeof(buffer); i += 1 + i / 64)
			good &= buffer[i] == 0xa5;
	}
	tap_ok(good, "a message that does not fit in %zu octets is refused at every size", whole);
	free(in);
}

static void test_encode_bad(void)
{
	struct jvpn_nl_session session = { .n_inner = 65 };
	struct jvpn_nl_packet packet = { .has.payload = true, .payload_size = 1281 };

	message_begin();
	tap_ok(!jvpn_nl_encode(message, sizeof(buffer), &jvpn_nl_session_object, &session),
	       "a list beyond its room is not encoded");
	message_begin();
	tap_ok(!jvpn_nl_encode(message, sizeof(buffer), &jvpn_nl_packet_object, &packet),
	       "a payload beyond its room is not encoded");
	session = (struct jvpn_nl_session){ .has.label = true };
	memset(session.label, 'x', sizeof(session.label));
	message_begin();
	tap_ok(!jvpn_nl_encode(message, sizeof(buffer), &jvpn_nl_session_object, &session),
	       "a text without its NUL is not encoded");
}

/* The octets that the kernel is to see, for one number of each kind. */
static void test_wire_format(void)
{
	struct jvpn_nl_socket sock = { .local = { AF_INET, { 192, 0, 2, 1 } } };
	const uint16_t port_type = JVPN_A_SOCKET_LOCAL_PORT;
	const struct nlattr *attr;

	JVPN_NL_SET(&sock, ifindex, 7);
	JVPN_NL_SET(&sock, local_port, 51820);
	message_begin();
	jvpn_nl_encode(message, sizeof(buffer), &jvpn_nl_socket_object, &sock);
	attr = mnl_nlmsg_get_payload(message);
	tap_ok(mnl_attr_get_type(attr) == JVPN_A_SOCKET_IFINDEX && mnl_attr_get_u32(attr) == 7,
	       "u32 is in host order");
	attr = mnl_attr_next(attr);
	tap_ok(mnl_attr_get_type(attr) == JVPN_A_SOCKET_LOCAL_IPV4 &&
	       mnl_attr_get_payload_len(attr) == 4 &&
	       mnl_attr_get_u32(attr) == inet_addr("192.0.2.1"), "an IPv4 address is __be32");
	attr = mnl_attr_next(attr);
	tap_ok(mnl_attr_get_type(attr) == port_type && mnl_attr_get_u16(attr) == htons(51820),
	       "a port is __be16");
	tap_equal(message->nlmsg_len, MNL_NLMSG_HDRLEN + 24, "and there is nothing else");
}

static void test_nested_flag(void)
{
	struct jvpn_nl_session session = { .has.keys = true };

	JVPN_NL_SET(&session.keys, number, 3);
	message_begin();
	jvpn_nl_encode(message, sizeof(buffer), &jvpn_nl_session_object, &session);
	tap_ok(((const struct nlattr *)mnl_nlmsg_get_payload(message))->nla_type ==
	       (JVPN_A_SESSION_KEYS | NLA_F_NESTED), "a nest carries NLA_F_NESTED");
}

/* --- messages that must be refused ---------------------------------------- */

static void refused(void *data, const struct jvpn_nl_object *object, const char *words,
		    const char *claim)
{
	bool good = message_decode(data, object);

	tap_ok(!good && strstr(error, words), "%s", claim);
	if (good || !strstr(error, words))
		tap_note("%s: \"%s\", wanted \"%s\"", good ? "accepted" : "refused", error, words);
}

/* Every attribute with one octet too many or too few, except where any length is right. */
static void test_lengths(const struct jvpn_nl_object *object)
{
	uint8_t *data = malloc(object->size), octets[2048] = { 1 };
	bool good = true;

	for (uint16_t type = 1; type <= object->max; type++) {
		const struct jvpn_nl_field *field = &object->fields[type];
		static const size_t right[] = {
			[JVPN_NL_U8] = 1, [JVPN_NL_U16] = 2, [JVPN_NL_U32] = 4,
			[JVPN_NL_U64] = 8, [JVPN_NL_BE16] = 2, [JVPN_NL_IPV4] = 4,
			[JVPN_NL_IPV6] = 16,
		};
		size_t size = field->kind == JVPN_NL_BINARY || field->kind == JVPN_NL_SIZED ?
			      field->size :
			      field->kind == JVPN_NL_FLAG ? 0 :
			      field->kind < sizeof(right) / sizeof(right[0]) ? right[field->kind] :
			      0;

		if (field->kind == JVPN_NL_ABSENT || field->kind >= JVPN_NL_NEST ||
		    field->kind == JVPN_NL_STRING)
			continue;
		message_begin();
		mnl_attr_put(message, type, size + 1, octets);
		good &= !message_decode(data, object) && strstr(error, field->name);
		if (!size || field->kind == JVPN_NL_SIZED)
			continue;
		message_begin();
		mnl_attr_put(message, type, size - 1, octets);
		good &= !message_decode(data, object) && strstr(error, field->name);
	}
	tap_ok(good, "%s: wrong lengths are refused and named", object->name);
	free(data);
}

/* Cut off after each octet: never a crash, and never a value from beyond the end. */
static void test_truncated(void)
{
	const struct jvpn_nl_object *object = &jvpn_nl_transition_object;
	struct jvpn_nl_transition in, out;
	unsigned int accepted = 0;
	size_t whole;

	fill_object(object, (uint8_t *)&in, 9, AF_INET6);
	message_begin();
	jvpn_nl_encode(message, sizeof(buffer), object, &in);
	whole = mnl_nlmsg_get_payload_len(message);
	for (size_t size = 0; size < whole; size++) {
		uint8_t *copy = malloc(size ? size : 1);

		memcpy(copy, mnl_nlmsg_get_payload(message), size);
		accepted += jvpn_nl_decode(&out, object, copy, size, error, sizeof(error));
		free(copy);
	}
	/* At the border of two attributes, and within the padding that needs not be there. */
	tap_ok(accepted >= 10 && accepted < whole / 4, "%u of %zu truncations end at a border",
	       accepted, whole);
}

static void test_malformed(void)
{
	struct jvpn_nl_session *session = malloc(sizeof(*session));
	const struct jvpn_nl_object *object = &jvpn_nl_session_object;
	struct nlattr *outer, *inner;
	char text[80];

	memset(text, 'x', sizeof(text));
	message_begin();
	mnl_attr_put(message, JVPN_A_SESSION_LABEL, 10, text);
	refused(session, object, "session.label does not end with a NUL", "a text without NUL");
	text[64] = '\0';
	message_begin();
	mnl_attr_put(message, JVPN_A_SESSION_LABEL, 65, text);
	refused(session, object, "session.label is too long", "a text that is too long");

	message_begin();
	outer = mnl_attr_nest_start(message, JVPN_A_SESSION_TRANSPORT);
	mnl_attr_put_u32(message, JVPN_A_TRANSPORT_REMOTE_IPV4, 1);
	mnl_attr_put(message, JVPN_A_TRANSPORT_REMOTE_IPV6, 16, text);
	mnl_attr_nest_end(message, outer);
	refused(session, object, "session.transport.remote-ipv6 is a second address",
		"a transport of two families");

	message_begin();
	outer = mnl_attr_nest_start(message, JVPN_A_SESSION_HISTORY);
	inner = mnl_attr_nest_start(message, JVPN_A_TRANSITION_TRANSPORT);
	mnl_attr_put_u16(message, JVPN_A_TRANSPORT_PMTU, 1);
	mnl_attr_nest_end(message, inner);
	mnl_attr_nest_end(message, outer);
	refused(session, object, "session.history.transport.pmtu has a wrong length",
		"a wrong length three levels deep");

	message_begin();
	for (int i = 0; i < JVPN_HISTORY_SIZE + 1; i++) {
		outer = mnl_attr_nest_start(message, JVPN_A_SESSION_HISTORY);
		mnl_attr_nest_end(message, outer);
	}
	refused(session, object, "session.history comes too often", "a list beyond its room");

	/* A length that points beyond its nest. */
	message_begin();
	outer = mnl_attr_nest_start(message, JVPN_A_SESSION_STATS);
	inner = (struct nlattr *)mnl_nlmsg_get_payload_tail(message);
	mnl_attr_put_u64(message, JVPN_A_STATS_RX_BYTES, 1);
	mnl_attr_nest_end(message, outer);
	inner->nla_len = 200;
	mnl_attr_put_u64(message, JVPN_A_SESSION_CREATED, 1);
	refused(session, object, "session.stats is truncated", "an attribute that leaves its nest");

	message_begin();
	mnl_attr_put_u32(message, JVPN_A_SESSION_MAX + 5, 1);
	mnl_attr_put_u32(message, 0, 1);
	mnl_attr_put_u64(message, JVPN_A_SESSION_VERSION, 12);
	tap_ok(message_decode(session, object) && session->has.version && session->version == 12,
	       "attributes of a newer module are skipped");
	free(session);
}

/* --- names of attributes -------------------------------------------------- */

static void test_locate(void)
{
	const uint8_t *start = (const uint8_t *)buffer + MNL_NLMSG_HDRLEN;
	struct nlattr *outer, *attr;
	size_t size, key, nest;
	char path[JVPN_NL_PATH];

	message_begin();
	mnl_attr_put_u32(message, JVPN_A_SESSION_IFINDEX, 3);
	nest = (const uint8_t *)mnl_nlmsg_get_payload_tail(message) - start;
	outer = mnl_attr_nest_start(message, JVPN_A_SESSION_KEYS);
	mnl_attr_put_u32(message, JVPN_A_EPOCH_NUMBER, 3);
	attr = mnl_nlmsg_get_payload_tail(message);
	key = (const uint8_t *)attr - start;
	mnl_attr_put(message, JVPN_A_EPOCH_RX_KEY, 3, "abc");
	mnl_attr_nest_end(message, outer);
	size = mnl_nlmsg_get_payload_len(message);

	jvpn_nl_locate(&jvpn_nl_session_object, start, size, 0, path);
	tap_text(path, "session.ifindex", "the first attribute is named");
	jvpn_nl_locate(&jvpn_nl_session_object, start, size, key, path);
	tap_text(path, "session.keys.rx-key", "an attribute of a nest is named");
	jvpn_nl_locate(&jvpn_nl_session_object, start, size, key + 2, path);
	tap_text(path, "", "an offset into the middle of one names nothing");
	jvpn_nl_locate(&jvpn_nl_session_object, start, size, size + 100, path);
	tap_text(path, "", "an offset beyond the request names nothing");
	jvpn_nl_locate_missing(&jvpn_nl_session_object, start, size, NULL, JVPN_A_SESSION_ID, path);
	tap_text(path, "session.id", "a missing attribute is named");
	jvpn_nl_locate_missing(&jvpn_nl_session_object, start, size, &nest, JVPN_A_EPOCH_SUITE,
			       path);
	tap_text(path, "session.keys.suite", "one that a nest lacks is named");
	jvpn_nl_locate_missing(&jvpn_nl_session_object, start, size, &nest, 999, path);
	tap_text(path, "", "one of unknown number is not");
}

/* --- events --------------------------------------------------------------- */

static void event_begin(uint8_t command)
{
	struct genlmsghdr *header;

	message_begin();
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->cmd = command;
}

static void test_events(void)
{
	struct jvpn_nl_event *event = malloc(sizeof(*event));
	struct jvpn_nl_packet packet = { .payload_size = 3, .payload = { 1, 2, 3 } };

	event_begin(JVPN_CMD_PACKET_NTF);
	packet.has.payload = true;
	JVPN_NL_SET(&packet, dropped, 4);
	jvpn_nl_encode(message, sizeof(buffer), &jvpn_nl_packet_object, &packet);
	tap_ok(jvpn_nl_event_decode(event, message) && event->kind == JVPN_NL_EVENT_PACKET &&
	       event->packet.dropped == 4 && event->packet.payload_size == 3 &&
	       !memcmp(event->packet.payload, "\1\2\3", 3), "a packet arrives whole");

	event_begin(JVPN_CMD_SESSION_NTF);
	mnl_attr_put_u64(message, JVPN_A_SESSION_VERSION, 9);
	tap_ok(jvpn_nl_event_decode(event, message) && event->kind == JVPN_NL_EVENT_SESSION &&
	       event->session.version == 9, "a transition is a session event");
	event_begin(JVPN_CMD_UNBOUND_NTF);
	mnl_attr_put_u32(message, JVPN_A_UNBOUND_BYTES, 77);
	tap_ok(jvpn_nl_event_decode(event, message) && event->kind == JVPN_NL_EVENT_UNBOUND &&
	       event->unbound.bytes == 77, "an unbound source is an event of its own");
	event_begin(JVPN_CMD_SESSION_NTF);
	mnl_attr_put_u32(message, JVPN_A_SESSION_VERSION, 9);
	tap_ok(jvpn_nl_event_decode(event, message) && event->kind == JVPN_NL_EVENT_LOST &&
	       event->why, "an event that does not decode counts as lost");
	event_begin(JVPN_CMD_SESSION_GET);
	tap_ok(!jvpn_nl_event_decode(event, message), "an answer is no event");
	message_begin();
	tap_ok(!jvpn_nl_event_decode(event, message), "a message without header is no event");
	free(event);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		test_round_trip(objects[i], AF_INET);
		test_round_trip(objects[i], AF_INET6);
		test_empty(objects[i]);
		test_lengths(objects[i]);
	}
	test_no_room();
	test_encode_bad();
	test_wire_format();
	test_nested_flag();
	test_truncated();
	test_malformed();
	test_locate();
	test_events();
	return tap_done();
}
