// SPDX-License-Identifier: GPL-2.0
#include "admission.h"

enum admission_age admission_age(bool is_newer, uint64_t made_s, uint64_t now_s)
{
	if (!is_newer)
		return ADMISSION_RETURNED;
	return made_s < now_s && now_s - made_s > ADMISSION_RECENT_S ? ADMISSION_PAST :
								       ADMISSION_RECENT;
}

/*
 * The doubtful ones may have all the room that nobody else wants, and leave it at once to who is in
 * no doubt. Among themselves the newest counts most: what is genuine is confirmed within a round
 * trip.
 */
enum admission admission_judge(const struct admission_room *room, bool is_doubtful)
{
	if (room->peers < room->max)
		return ADMISSION_IN;
	if (!room->has_doubtful || (is_doubtful && room->doubtful_ms < ADMISSION_DOUBTFUL_MS))
		return ADMISSION_FULL;
	return ADMISSION_INSTEAD;
}

bool admission_work(const struct admission_work *work, bool is_seldom)
{
	uint32_t left = is_seldom ? 0 : work->per_second / 2;
	uint32_t jobs_max = is_seldom ? work->jobs_max : work->jobs_max / 2;

	return work->left > left && work->jobs < jobs_max;
}

/*
 * The more answers a network has had, the more have to be left for others: its second only while
 * less than half are given away, its third while less than a quarter are. So whoever has come from
 * nowhere yet is answered until as many networks have come before.
 */
bool admission_answer(const struct admission_answers *answers)
{
	return answers->total < ADMISSION_ANSWERS_MAX && answers->site < ADMISSION_ANSWERS_SITE &&
	       answers->total < ADMISSION_ANSWERS_MAX >> answers->network;
}
