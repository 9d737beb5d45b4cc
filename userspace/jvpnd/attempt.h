/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_ATTEMPT_H
#define JVPND_ATTEMPT_H

/*
 * What the next attempt changes, for none is worth making that is the same as the last one. In this
 * order: the transport, the gateway's address and port (as the file has them, a name's addresses as
 * its servers say), the own port, and where a session is still to be made, the gateway. Decided
 * here, without a look at anything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct attempt - one of all paths
 * @transport: which transport, by merit
 * @path: which of its paths
 */
struct attempt {
	size_t transport;
	unsigned int path;
};

/*
 * The step-th of a round: all transports by their first path, all by their second, and so on. paths
 * is how many each has. False if the round is over.
 */
bool attempt_at(const unsigned int *paths, size_t count, unsigned int step,
		struct attempt *attempt);

/*
 * Is it time for another port of our own, when so many attempts over a transport were in vain? When
 * each of its paths was tried, then after twice as many, and so on: a NAT that has lost its way keeps
 * a port for as long as it is used, and each new one leaves a mapping there.
 */
bool attempt_port_due(unsigned int vain, unsigned int paths);

#endif
