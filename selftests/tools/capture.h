/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP payloads of a capture, as tcpdump writes it: pcap, Ethernet, IPv4.
 */
#ifndef JVPN_TEST_CAPTURE_H
#define JVPN_TEST_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct captured {
	size_t len;
	const uint8_t *data;
};

struct capture {
	size_t count;
	struct captured *datagram;
};

/* Whole datagrams to @port of the file, at most 65536 of them. Ends the program if it cannot. */
void capture_read(struct capture *capture, const char *file, uint16_t port);

/* The last one whose first octet is @type, or NULL. */
const struct captured *capture_last(const struct capture *capture, uint8_t type);

#endif
