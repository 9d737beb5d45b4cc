// SPDX-License-Identifier: GPL-2.0
#include "attempt.h"

bool attempt_at(const unsigned int *paths, size_t count, unsigned int step,
		struct attempt *attempt)
{
	bool more = true;

	for (unsigned int path = 0; more; path++) {
		more = false;
		for (size_t i = 0; i < count; i++) {
			if (path >= paths[i])
				continue;
			more = true;
			if (step--)
				continue;
			*attempt = (struct attempt){ i, path };
			return true;
		}
	}
	return false;
}

bool attempt_port_due(unsigned int vain, unsigned int paths)
{
	unsigned int rounds = paths ? vain / paths : 0;

	return rounds && vain % paths == 0 && (rounds & (rounds - 1)) == 0;
}
