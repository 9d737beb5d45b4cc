// SPDX-License-Identifier: GPL-2.0
/* What each further attempt changes. */
#include <stdio.h>
#include <string.h>

#include "../../jvpnd/attempt.h"
#include "../tap.h"

/* "a0 b0 a1": the steps of a round, transports by letters, paths by numbers. */
static void round_is(const unsigned int *paths, size_t count, const char *expected)
{
	struct attempt attempt;
	char seen[100] = "";

	for (unsigned int step = 0; attempt_at(paths, count, step, &attempt); step++)
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s%c%u",
			 step ? " " : "", (int)('a' + attempt.transport), attempt.path);
	tap_text(seen, expected, "a round");
}

static void ports_are(unsigned int paths, const char *expected)
{
	char seen[100] = "";

	for (unsigned int vain = 0; vain <= 16; vain++)
		if (attempt_port_due(vain, paths))
			snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s%u",
				 *seen ? " " : "", vain);
	tap_text(seen, expected, "ports of our own");
}

int main(void)
{
	round_is(NULL, 0, "");
	round_is((unsigned int []){ 0, 0 }, 2, "");
	round_is((unsigned int []){ 1 }, 1, "a0");
	round_is((unsigned int []){ 3 }, 1, "a0 a1 a2");
	round_is((unsigned int []){ 2, 2 }, 2, "a0 b0 a1 b1");
	round_is((unsigned int []){ 1, 0, 3 }, 3, "a0 c0 c1 c2");
	round_is((unsigned int []){ 0, 2, 1 }, 3, "b0 c0 b1");
	ports_are(0, "");
	ports_are(1, "1 2 4 8 16");
	ports_are(2, "2 4 8 16");
	ports_are(3, "3 6 12");
	return tap_done();
}
