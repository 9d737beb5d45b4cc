// SPDX-License-Identifier: GPL-2.0
#include "capture.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCAP_MAGIC 0xa1b2c3d4
#define PCAP_ETHERNET 1
#define ETHER_HEADER 14
#define COUNT_MAX 65536
#define FRAME_MAX 65536

struct pcap_file {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snaplen, link;
};

struct pcap_frame {
	uint32_t seconds, fraction, kept, length;
};

/* The UDP payload of a frame if it is whole and goes to @port. */
static const uint8_t *frame_payload(const uint8_t *frame, size_t len, uint16_t port, size_t *size)
{
	struct iphdr ip;
	struct udphdr udp;
	size_t at;

	if (len < ETHER_HEADER + sizeof(ip) || frame[12] != 8 || frame[13])
		return NULL;
	memcpy(&ip, frame + ETHER_HEADER, sizeof(ip));
	at = ETHER_HEADER + ip.ihl * 4;
	if (ip.protocol != IPPROTO_UDP || (ntohs(ip.frag_off) & 0x3fff) || len < at + sizeof(udp))
		return NULL;
	memcpy(&udp, frame + at, sizeof(udp));
	if (ntohs(udp.dest) != port || len < at + ntohs(udp.len) || ntohs(udp.len) < sizeof(udp))
		return NULL;
	*size = ntohs(udp.len) - sizeof(udp);
	return frame + at + sizeof(udp);
}

static void capture_add(struct capture *capture, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);

	if (!copy)
		errx(1, "no memory");
	memcpy(copy, data, len);
	capture->datagram[capture->count++] = (struct captured){ len, copy };
}

void capture_read(struct capture *capture, const char *file, uint16_t port)
{
	FILE *in = fopen(file, "rb");
	uint8_t *frame = malloc(FRAME_MAX);
	struct pcap_file head;
	struct pcap_frame f;

	capture->count = 0;
	capture->datagram = calloc(COUNT_MAX, sizeof(*capture->datagram));
	if (!in || !frame || !capture->datagram)
		err(1, "%s", file);
	if (fread(&head, sizeof(head), 1, in) != 1 || head.magic != PCAP_MAGIC ||
	    head.link != PCAP_ETHERNET)
		errx(1, "%s is no capture of Ethernet", file);
	while (capture->count < COUNT_MAX && fread(&f, sizeof(f), 1, in) == 1 &&
	       f.kept <= FRAME_MAX && fread(frame, f.kept, 1, in) == 1) {
		size_t len;
		const uint8_t *data = frame_payload(frame, f.kept, port, &len);

		if (data && len > 8)
			capture_add(capture, data, len);
	}
	free(frame);
	fclose(in);
}

const struct captured *capture_last(const struct capture *capture, uint8_t type)
{
	for (size_t i = capture->count; i > 0; i--)
		if (capture->datagram[i - 1].data[0] == type)
			return &capture->datagram[i - 1];
	return NULL;
}
