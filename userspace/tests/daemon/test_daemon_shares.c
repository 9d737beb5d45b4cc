// SPDX-License-Identifier: GPL-2.0
/* Who is charged for what at the gateway: nobody's share is spent by somebody else. */
#include "../../jvpnd/admission.h"
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

/* --- the room for half-open sessions --------------------------------------------------- */

#define ROOM 8
#define COPIERS 4

/* It had a handshake; *old is an INIT of before. */
static void peer_with_past(struct world_init *old, unsigned int peer, uint64_t wall_s)
{
	struct world_init init;
	struct peer *p = world_peer(peer);

	init_make(old, peer, wall_s - 10);
	init_make(&init, peer, wall_s);
	init_put_shown(path_four(peer, 1000), &init);
	for (size_t i = 0; i < PEER_HALF_OPEN_MAX; i++)
		if (p->half_open[i])
			session_terminate(&world.d, p->half_open[i],
					  JVPN_REASON_HANDSHAKE_REJECTED);
	sessions_settle(&world.d);
}

static unsigned int replays_answered(unsigned int from, unsigned int count)
{
	struct world_init old;
	unsigned int answered = 0;

	for (unsigned int peer = from; peer < from + count; peer++) {
		peer_with_past(&old, peer, jvpnd_wall_s());
		for (uint16_t i = 0; i < COPIERS; i++)
			answered += init_put_shown(path_six((uint16_t)peer, i, 1, 1000), &old);
	}
	return answered;
}

/* Those whose INIT is doubtful have had their room for so long. */
static void doubtful_since(uint64_t ms)
{
	struct peer *peer;

	TAILQ_FOREACH(peer, &world.d.gateway->doubtful, doubtful_link)
		peer->doubtful_since_ms = jvpnd_now_ms() - ms;
}

static void room_beside_replays(void)
{
	struct world_init init, back;

	world_open("max_half_open: 8");
	peer_with_past(&back, 1, jvpnd_wall_s());
	tap_ok(replays_answered(10, 2 * ROOM) >= ROOM, "INITs of the past are answered to copiers");
	tap_equal(world.d.gateway->peers_open, ROOM, "and fill the room");
	doubtful_since(0);
	tap_ok(!init_put_shown(path_four(1, 1000), &back), "a further one has to wait");
	for (unsigned int i = 2; i < 2 + ROOM; i++) {
		init_make(&init, i, jvpnd_wall_s());
		tap_ok(init_put_shown(path_four(i, 1000), &init), "client %u comes in", i);
	}
	init_make(&init, 100, jvpnd_wall_s());
	tap_ok(!init_put_shown(path_four(100, 1000), &init), "the room is as large as it was");
	tap_equal(replays_answered(50, 1), 0, "INITs of the past take nobody's place");
	tap_equal(world.d.gateway->peers_open, ROOM, "nor make it larger");
	world_close();
}

/* A client whose clock was set back is one of those who are in doubt. */
static void room_of_the_doubtful(void)
{
	struct world_init back;

	world_open("max_half_open: 8");
	peer_with_past(&back, 1, jvpnd_wall_s());
	replays_answered(10, ROOM);
	doubtful_since(ADMISSION_DOUBTFUL_MS);
	tap_ok(init_put_shown(path_four(1, 1000), &back), "who was there first makes room for it");
	tap_equal(world.d.gateway->peers_open, ROOM, "and has left");
	world_close();
}

#define STOCK 60

/* INITs of the past, the oldest first, from somebody who need not receive; then one of today. */
static bool client_after_its_past(unsigned int peer)
{
	uint64_t now_s = jvpnd_wall_s();
	struct world_init init;

	for (unsigned int i = 0; i < STOCK; i++) {
		init_make(&init, peer, now_s - 7200 + i);
		init_put_shown(path_four(100 + i, 1000), &init);
	}
	init_make(&init, peer, now_s - ADMISSION_RECENT_S / 2);
	return init_put_shown(path_four(1, 5000), &init);
}

/* A gateway that has just begun remembers nothing, nor of whom it has not heard for long. */
static void share_beside_the_past(void)
{
	struct world_init init;

	world_open("max_half_open: 8");
	tap_ok(client_after_its_past(0), "a client comes in after its past, at a new gateway");
	init_make(&init, 1, jvpnd_wall_s());
	init_put_shown(path_four(2, 5000), &init);
	world_peer(1)->timestamp.seen_ms -= JVPN_HS_TIMESTAMP_MS;
	tap_ok(client_after_its_past(1), "and at one that has forgotten it");
	for (unsigned int peer = 10; peer < 10 + ROOM; peer++) {
		init_make(&init, peer, jvpnd_wall_s() - 7200);
		init_put_shown(path_four(100 + peer, 1000), &init);
	}
	tap_equal(world.d.gateway->peers_open, ROOM, "the past fills the room");
	init_make(&init, 2, jvpnd_wall_s());
	tap_ok(init_put_shown(path_four(3, 5000), &init), "and leaves it");
	init_make(&init, 3, jvpnd_wall_s() - 86400);
	doubtful_since(ADMISSION_DOUBTFUL_MS);
	tap_ok(init_put_shown(path_four(4, 5000), &init), "a client with a wrong clock comes in");
	world_close();
}

/* Whoever copies INITs on their way uses up no more room than their clients do. */
static void room_beside_copies(void)
{
	struct world_init init;
	unsigned int answered = 0;

	world_open("max_half_open: 8");
	for (unsigned int peer = 0; peer < ROOM; peer++) {
		init_make(&init, peer, jvpnd_wall_s());
		for (uint16_t i = 0; i < COPIERS; i++)
			init_put_shown(path_six((uint16_t)(peer + 1), i, 1, 1000), &init);
		answered += init_put_shown(path_four(peer, 1000), &init);
	}
	tap_equal(answered, ROOM, "each client is answered beside those who copy its INIT");
	world_close();
}

/* --- answers to one INIT -------------------------------------------------------------------- */

#define ADDRESSES 8
#define PORTS 4
#define NETWORKS 15

/* Copies that came first were answered; then the client's own comes. */
static bool client_after_copies(unsigned int peer, const struct path *copies, size_t count,
				unsigned int *answered)
{
	struct world_init init;

	*answered = 0;
	init_make(&init, peer, jvpnd_wall_s());
	for (size_t i = 0; i < count; i++)
		*answered += init_put_shown(copies[i], &init);
	return init_put_shown(path_four(1, 5000), &init);
}

static void answers_beside_copies(void)
{
	struct path one[ADDRESSES * PORTS], many[NETWORKS * 2], sites[ADMISSION_ANSWERS_MAX];
	unsigned int answered;

	for (size_t i = 0; i < ADDRESSES * PORTS; i++)
		one[i] = path_six(9, 9, (uint8_t)(1 + i / PORTS), (uint16_t)(1000 + i));
	for (size_t i = 0; i < NETWORKS * 2; i++)
		many[i] = path_four((uint32_t)(100 + i % NETWORKS), (uint16_t)(1000 + i));
	for (size_t i = 0; i < ADMISSION_ANSWERS_MAX; i++)
		sites[i] = path_six(9, (uint16_t)i, 1, 1000);
	world_open("");
	tap_ok(client_after_copies(0, one, ADDRESSES * PORTS, &answered),
	       "a client is answered after copies from one /64");
	tap_equal(answered, 4, "of which so many were");
	tap_ok(client_after_copies(1, many, NETWORKS * 2, &answered),
	       "after copies from %u addresses", NETWORKS);
	tap_equal(answered, 16, "of which so many were");
	tap_ok(client_after_copies(2, sites, ADMISSION_ANSWERS_MAX, &answered),
	       "and after copies from each /64 of a /48");
	tap_equal(answered, ADMISSION_ANSWERS_SITE, "of which so many were");
	world_close();
	world_open("handshakes_per_second: 1, cookie_above_per_second: 1");
	client_after_copies(0, many, NETWORKS * 2, &answered);
	tap_ok(answered >= 8 && answered < 16, "answers to copies have a rate: %u", answered);
	world_close();
}

/* The worker has it from somebody else, and more and more copies come. */
static void answers_while_it_is_read(void)
{
	struct kernel_packet packet = { .size = JVPN_WIRE_INIT_SIZE };
	struct world_init init;

	world_open("");
	init_make(&init, 0, jvpnd_wall_s());
	packet.data = (const uint8_t *)&init.message;
	for (uint32_t i = 0; i < 2 * ADMISSION_ANSWERS_MAX; i++) {
		packet.from = path_four(100 + i, 1000);
		gateway_handshake_init(world.d.gateway, &packet);
	}
	tap_ok(world.sent[JVPN_MSG_COOKIE] > ADMISSION_ANSWERS_MAX, "copies are sent cookies");
	packet.from = path_four(1, 5000);
	gateway_handshake_init(world.d.gateway, &packet);
	tap_ok(path_equal(&world.to, &packet.from) && world.answer[0] == JVPN_MSG_COOKIE &&
	       cookie_stamp(&init.message, sizeof(init.message)), "and so is the client's own");
	world_drain();
	tap_ok(init_put(path_four(1, 5000), &init), "and answered with it");
	world_close();
}

/* --- work for INITs ----------------------------------------------------------------------- */

/* What looks like one, until public-key work was done for it. */
static void init_noise(struct path from)
{
	struct world_init noise;

	randombytes_buf(&noise, sizeof(noise));
	noise.message.hdr = (struct jvpn_wire_hdr){ .type = JVPN_MSG_INIT,
						    .proto = JVPN_WIRE_PROTO };
	jvpn_mac_stamp((u8 *)&noise.message, sizeof(noise.message), &world.mac, NULL);
	init_put_shown(from, &noise);
}

static struct path noise_from(bool is_six, unsigned int i)
{
	return is_six ? path_six(9, (uint16_t)i, 1, 1000) : path_four(100 + i, 1000);
}

/* They show that they receive, and keep within what one source may have. */
static bool client_beside_noise(unsigned int peer, bool is_six, unsigned int sources,
				unsigned int rounds)
{
	struct world_init init;

	world_open("");
	while (rounds--)
		for (unsigned int i = 0; i < sources; i++)
			init_noise(noise_from(is_six, i));
	init_make(&init, peer, jvpnd_wall_s());
	return init_put_shown(path_four(1, 5000), &init);
}

static void work_beside_noise(void)
{
	tap_ok(client_beside_noise(0, false, 16, 40), "a client is heard beside sixteen who flood");
	tap_ok(world.d.gateway->inits_loaded_until_ms, "who did");
	world_close();
	tap_ok(client_beside_noise(1, true, 300, 3), "and beside all of a /48");
	world_close();
}

/* --- the log ------------------------------------------------------------------------------- */

#define UNBORN 100
#define RECORDS 10
/* What a record counts as, and so many of an hour's share. */
#define RECORDS_A_DAY (24u * RECORDS * 700)

/* How many sessions ended unborn, by their own records or together; how many lines say so. */
static unsigned int log_unborn(unsigned int *lines)
{
	char line[4096], path[64];
	unsigned int count = 0;
	FILE *file;

	jvpn_audit_flush(world.d.audit, 5000);
	snprintf(path, sizeof(path), "%s/audit", world.dir);
	file = fopen(path, "r");
	*lines = 0;
	while (file && fgets(line, sizeof(line), file)) {
		const char *together = strstr(line, "\"count\":");

		if (!strstr(line, "\"HANDSHAKE_FAILED\"") && !strstr(line, "its session ended"))
			continue;
		++*lines;
		count += together ? (unsigned int)strtoul(together + 8, NULL, 10) : 1;
	}
	if (file)
		fclose(file);
	return count;
}

static void log_of_the_unborn(void)
{
	struct world_init old;
	unsigned int lines, told;

	world.refusal_octets = RECORDS_A_DAY;
	world_open("");
	for (unsigned int peer = 0; peer < UNBORN; peer++)
		peer_with_past(&old, peer, jvpnd_wall_s());
	told = log_unborn(&lines);
	tap_ok(lines && lines <= RECORDS && told < UNBORN,
	       "sessions that nobody confirms fill no disk: %u records", lines);
	refusals_finish(&world.d);
	tap_equal(log_unborn(&lines), UNBORN, "and are counted, all of them");
	world_close();
}

/* --- decisions --------------------------------------------------------------------------- */

static void admissions(void)
{
	static const struct {
		struct admission_room room;
		bool is_doubtful;
		enum admission admission;
	} rows[] = {
		{ { .max = 1 }, false, ADMISSION_IN },
		{ { .max = 1 }, true, ADMISSION_IN },
		{ { .peers = 1, .max = 2, .has_doubtful = true, .doubtful_ms = 5000 }, true,
		  ADMISSION_IN },
		{ { .peers = 2, .max = 2 }, false, ADMISSION_FULL },
		{ { .peers = 2, .max = 2 }, true, ADMISSION_FULL },
		{ { .peers = 2, .max = 2, .has_doubtful = true }, false, ADMISSION_INSTEAD },
		{ { .peers = 2, .max = 2, .has_doubtful = true, .doubtful_ms = 999 }, true,
		  ADMISSION_FULL },
		{ { .peers = 2, .max = 2, .has_doubtful = true, .doubtful_ms = 1000 }, true,
		  ADMISSION_INSTEAD },
		{ { .peers = 3, .max = 2, .has_doubtful = true }, false, ADMISSION_INSTEAD },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_ok(admission_judge(&rows[i].room, rows[i].is_doubtful) == rows[i].admission,
		       "room: row %zu", i);
}

static void ages(void)
{
	static const struct {
		bool is_newer;
		uint64_t made_s, now_s;
		enum admission_age age;
	} rows[] = {
		{ true, 10000, 10000, ADMISSION_RECENT },
		{ true, 10000, 10000 + ADMISSION_RECENT_S, ADMISSION_RECENT },
		{ true, 10000, 10001 + ADMISSION_RECENT_S, ADMISSION_PAST },
		{ true, 20000, 10000, ADMISSION_RECENT },
		{ true, UINT64_MAX, 0, ADMISSION_RECENT },
		{ true, 0, UINT64_MAX, ADMISSION_PAST },
		{ false, 10000, 10000, ADMISSION_RETURNED },
		{ false, 0, 10000, ADMISSION_RETURNED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_ok(admission_age(rows[i].is_newer, rows[i].made_s, rows[i].now_s) ==
		       rows[i].age, "age: row %zu", i);
}

static void work(void)
{
	static const struct {
		struct admission_work work;
		bool seldom, often;
	} rows[] = {
		{ { .left = 0, .per_second = 200, .jobs_max = 64 }, false, false },
		{ { .left = 1, .per_second = 200, .jobs_max = 64 }, true, false },
		{ { .left = 100, .per_second = 200, .jobs_max = 64 }, true, false },
		{ { .left = 101, .per_second = 200, .jobs_max = 64 }, true, true },
		{ { .left = 200, .per_second = 200, .jobs = 31, .jobs_max = 64 }, true, true },
		{ { .left = 200, .per_second = 200, .jobs = 32, .jobs_max = 64 }, true, false },
		{ { .left = 200, .per_second = 200, .jobs = 64, .jobs_max = 64 }, false, false },
		{ { .left = 1, .per_second = 1, .jobs_max = 64 }, true, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_ok(admission_work(&rows[i].work, true) == rows[i].seldom &&
		       admission_work(&rows[i].work, false) == rows[i].often, "work: row %zu", i);
}

static void answers(void)
{
	static const struct {
		struct admission_answers answers;
		bool admitted;
	} rows[] = {
		{ { }, true },
		{ { 31, 0, 0 }, true }, { { 32, 0, 0 }, false },
		{ { 15, 1, 1 }, true }, { { 16, 1, 1 }, false },
		{ { 7, 2, 2 }, true }, { { 8, 2, 2 }, false },
		{ { 3, 3, 3 }, true }, { { 4, 3, 3 }, false },
		{ { 4, 4, 4 }, false }, { { 31, 31, 31 }, false }, { { 32, 32, 32 }, false },
		{ { 20, 0, 7 }, true }, { { 20, 0, 8 }, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_ok(admission_answer(&rows[i].answers) == rows[i].admitted,
		       "answer: row %zu", i);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	jvpn_log_init("test", JVPN_LOG_ERROR);
	ages();
	admissions();
	answers();
	work();
	requests_beside_a_neighbour();
	room_beside_replays();
	room_of_the_doubtful();
	share_beside_the_past();
	room_beside_copies();
	answers_beside_copies();
	answers_while_it_is_read();
	work_beside_noise();
	log_of_the_unborn();
	return tap_done();
}
