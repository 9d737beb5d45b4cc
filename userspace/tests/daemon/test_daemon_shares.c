// SPDX-License-Identifier: GPL-2.0
/* Who is charged for what at the gateway: nobody's share is spent by somebody else. */
#include "fake_gateway.h"

#define NOISE 1500

/* --- REQUEST -------------------------------------------------------------------------- */

static bool request_put(struct path from, const struct jvpn_wire_request *request)
{
	unsigned int before = world.sent[JVPN_MSG_CHALLENGE];

	packet_put(gateway_reattach_request, from, request, sizeof(*request));
	return world.sent[JVPN_MSG_CHALLENGE] > before;
}

/* Well-formed, with a right mac1 and mac2; with the ticket of a session, or of none. */
static void request_noise(struct path from, const struct jvpn_wire_request *seen)
{
	struct jvpn_wire_request request;
	unsigned int cookies = world.sent[JVPN_MSG_COOKIE];

	randombytes_buf(&request, sizeof(request));
	request.hdr = (struct jvpn_wire_hdr){ .type = JVPN_MSG_REQUEST, .proto = JVPN_WIRE_PROTO };
	if (seen)
		memcpy(request.ticket, seen->ticket, sizeof(request.ticket));
	jvpn_mac_stamp((u8 *)&request, sizeof(request), &world.mac, NULL);
	packet_put(gateway_reattach_request, from, &request, sizeof(request));
	if (world.sent[JVPN_MSG_COOKIE] > cookies && cookie_stamp(&request, sizeof(request)))
		packet_put(gateway_reattach_request, from, &request, sizeof(request));
}

static unsigned int requests_answered(struct jvpn_client *client, struct path from,
				      unsigned int count)
{
	struct jvpn_attempt *attempt;
	unsigned int answered = 0;

	while (count--) {
		if (jvpn_client_request(client, 0, false, NULL, jvpnd_now_ms(), &jvpn_rng_system,
					&attempt))
			break;
		answered += request_put(from, &attempt->request);
	}
	return answered;
}

static void requests_beside_a_neighbour(void)
{
	static struct jvpn_client client;
	struct jvpn_attempt *attempt;
	struct world_init init;

	world_open("");
	init_make(&init, 0, jvpnd_wall_s());
	tap_ok(init_put(path_four(1, 1000), &init) && init_confirm(&init, 0, &client),
	       "there is a session");
	jvpn_client_request(&client, 0, false, NULL, jvpnd_now_ms(), &jvpn_rng_system, &attempt);
	for (unsigned int i = 0; i < NOISE; i++) {
		request_noise(path_four(2, 4000), NULL);
		request_noise(path_four(2, 4000), &attempt->request);
	}
	tap_equal(requests_answered(&client, path_four(2, 5000), 10), 10,
		  "REQUESTs of a session are answered, whatever others send from its address");
	requests_answered(&client, path_four(2, 5000), 100);
	tap_ok(requests_answered(&client, path_four(2, 5000), 100) < 50,
	       "and are bounded for the session");
	jvpn_client_wipe(&client);
	world_close();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	jvpn_log_init("test", JVPN_LOG_ERROR);
	requests_beside_a_neighbour();
	return tap_done();
}
