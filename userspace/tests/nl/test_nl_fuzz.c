// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzz target with a fixed seed: well-formed messages with a few octets
 * changed, removed or doubled. It aborts if a claim fails.
 */
#include "../../fuzz/fuzz_nl.c"

#include "../tap.h"
#include "fill.h"

#define ROUNDS 60000

static uint64_t random_state = 0x6a76706e;

static uint32_t random_below(uint32_t limit)
{
	/* xorshift64*: repeatable, and good enough to spoil messages with. */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dull) >> 32) % limit;
}

/* A full message of an object, behind the two octets that choose how it is read. */
static size_t input_make(uint8_t *input, size_t room, unsigned int which)
{
	static union fuzz_room object_data;
	static _Alignas(8) uint8_t buffer[FUZZ_NL_MAX];
	const struct jvpn_nl_object *object = fuzz_objects[which];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	fill_object(object, (uint8_t *)&object_data, random_below(1000),
		    random_below(2) ? AF_INET : AF_INET6);
	if (!jvpn_nl_encode(message, sizeof(buffer), object, &object_data) ||
	    mnl_nlmsg_get_payload_len(message) + 2 > room)
		abort();
	input[0] = which;
	input[1] = random_below(__JVPN_CMD_MAX + 1);
	memcpy(input + 2, mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message));
	return mnl_nlmsg_get_payload_len(message) + 2;
}

static size_t input_spoil(uint8_t *input, size_t size)
{
	size_t at = 2 + random_below(size - 2);

	switch (random_below(5)) {
	case 0:
		return at;
	case 1:
		memmove(input + at, input + at + 1, size - at - 1);
		return size - 1;
	case 2:
		input[at] ^= 1u << random_below(8);
		return size;
	case 3:
		/* Lengths and types are in the first four octets of an attribute. */
		input[2 + random_below(size < 66 ? size - 2 : 64)] = random_below(256);
		return size;
	default:
		input[at] = random_below(256);
		return size;
	}
}

int main(void)
{
	static uint8_t input[FUZZ_NL_MAX + 2];
	unsigned int count = sizeof(fuzz_objects) / sizeof(fuzz_objects[0]);
	unsigned int refused = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		size_t size = input_make(input, sizeof(input), i % count);
		char error[JVPN_NL_TEXT];

		for (uint32_t n = random_below(4) + 1; n && size > 2; n--)
			size = input_spoil(input, size);
		LLVMFuzzerTestOneInput(input, size);
		refused += !jvpn_nl_decode(&fuzz_first, fuzz_objects[i % count], input + 2,
					   size - 2, error, sizeof(error));
	}
	tap_ok(true, "%d spoiled messages keep every claim of the fuzz target", ROUNDS);
	tap_ok(refused > ROUNDS / 10 && refused < ROUNDS, "%u of them were refused", refused);
	return tap_done();
}
