/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_ADMISSION_H
#define JVPND_ADMISSION_H

/*
 * Which INIT is let in, when there is not room for all: decisions without a state of their own.
 * What they are about is kept by gateway-handshake.c.
 */

#include <stdbool.h>
#include <stdint.h>

/* An INIT that was made longer ago may be a copy of the past. */
#define ADMISSION_RECENT_S 120

enum admission_age {
	ADMISSION_RECENT,	/* its key's owner sends it now */
	ADMISSION_PAST,		/* made long ago, or by a wrong clock */
	ADMISSION_RETURNED	/* not newer than the last one of its key */
};

/*
 * How old is an INIT? By its timestamp and the clock of this machine, both in seconds; is_newer:
 * than the last of its key that is remembered. Either clock may be wrong: it says only whose share
 * is taken.
 */
enum admission_age admission_age(bool is_newer, uint64_t made_s, uint64_t now_s);

/* A peer whose INIT was doubtful has so long to confirm it before another such has its room. */
#define ADMISSION_DOUBTFUL_MS 1000

/**
 * struct admission_room - the room for peers with half-open sessions
 * @peers: that have some
 * @max: as many may have some
 * @has_doubtful: one of them has them of a doubtful INIT: of one that may be a copy of the past
 * @doubtful_ms: for how long the one that has them longest
 */
struct admission_room {
	uint32_t peers;
	uint32_t max;
	bool has_doubtful;
	uint64_t doubtful_ms;
};

enum admission {
	ADMISSION_IN,
	ADMISSION_INSTEAD,	/* of the doubtful one that is there longest */
	ADMISSION_FULL
};

/* May one more peer have half-open sessions? */
enum admission admission_judge(const struct admission_room *room, bool is_doubtful);

/**
 * struct admission_work - public-key work for INITs that nobody has read yet
 * @left: INITs of this second's that may still be read
 * @per_second: of so many
 * @jobs: that workers have
 * @jobs_max: at most
 */
struct admission_work {
	uint32_t left;
	uint32_t per_second;
	uint32_t jobs;
	uint32_t jobs_max;
};

/* May one more be read? Whoever asks seldom has the second half of all for himself. */
bool admission_work(const struct admission_work *work, bool is_seldom);

/* Answers to one INIT: one for each address and port that it came from, so many at most. */
#define ADMISSION_ANSWERS_MAX 32u
/* Of these, of one IPv6 /48. */
#define ADMISSION_ANSWERS_SITE 8u

/**
 * struct admission_answers - answers that one INIT has caused
 * @total: in all
 * @network: to the IPv4 address or the IPv6 /64 that it has now come from
 * @site: to its IPv6 /48
 */
struct admission_answers {
	unsigned int total;
	unsigned int network;
	unsigned int site;
};

/* May it be answered there as well? */
bool admission_answer(const struct admission_answers *answers);

#endif
