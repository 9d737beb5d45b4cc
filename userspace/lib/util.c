// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util.h"

#define WORD_MAX	63
#define FAR		1000

static uint64_t jvpn_util_clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t jvpn_util_time_real_ms(void)
{
	return jvpn_util_clock_ms(CLOCK_REALTIME);
}

uint64_t jvpn_util_time_boot_ms(void)
{
	return jvpn_util_clock_ms(CLOCK_BOOTTIME);
}

void jvpn_util_deadline(struct timespec *at, unsigned int ms)
{
	clock_gettime(CLOCK_MONOTONIC, at);
	at->tv_sec += ms / 1000;
	at->tv_nsec += (long)(ms % 1000) * 1000000;
	if (at->tv_nsec >= 1000000000) {
		at->tv_sec++;
		at->tv_nsec -= 1000000000;
	}
}

char *jvpn_util_time_format(uint64_t real_ms, char *buf, size_t size)
{
	time_t seconds = (time_t)(real_ms / 1000);
	struct tm utc;
	char date[24];

	gmtime_r(&seconds, &utc);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(buf, size, "%s.%03uZ", date, (unsigned int)(real_ms % 1000));
	return buf;
}

char *jvpn_util_hex_encode(const uint8_t *bytes, size_t size, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * size] = '\0';
	return hex;
}

static int jvpn_util_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool jvpn_util_hex_decode(const char *hex, uint8_t *bytes, size_t size)
{
	if (strlen(hex) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = jvpn_util_hex_digit(hex[2 * i]);
		int low = jvpn_util_hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool jvpn_util_number_parse(const char *text, uint64_t max, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long number;
	char *end;

	/* strtoull takes signs, blanks and octal; a configuration should not. */
	if (!isdigit((unsigned char)text[0]) || (hex && !isxdigit((unsigned char)text[2])))
		return false;
	errno = 0;
	number = strtoull(text, &end, hex ? 16 : 10);
	if (errno || *end || number > max)
		return false;
	*value = number;
	return true;
}

static unsigned int jvpn_util_min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

unsigned int jvpn_util_distance(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b);
	unsigned int row[WORD_MAX + 1];

	if (a_length > WORD_MAX || b_length > WORD_MAX)
		return FAR;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned int above = row[j];

			row[j] = jvpn_util_min3(row[j - 1] + 1, above + 1,
						diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_length];
}

const char *jvpn_util_nearest(const char *word, const char *const *candidates)
{
	size_t length = strlen(word);
	/* A third of the word may be wrong, at least one letter. */
	unsigned int best = length < 6 ? 2 : (unsigned int)(length / 3) + 1;
	const char *nearest = NULL;

	for (; *candidates; candidates++) {
		unsigned int distance = jvpn_util_distance(word, *candidates);

		if (distance < best || (distance == best && !nearest && length > 3)) {
			best = distance;
			nearest = *candidates;
		}
	}
	return nearest;
}

/* Length of the UTF-8 character at text, 0 if there is none (also for control characters). */
static size_t jvpn_util_utf8_length(const unsigned char *text)
{
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 :
			text[0] < 0xf0 ? 3 : text[0] < 0xf5 ? 4 : 0;

	if (length == 1)
		return text[0] >= 0x20 && text[0] != 0x7f;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, C1 controls, beyond U+10FFFF. */
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f) ||
	    (text[0] == 0xc2 && text[1] < 0xa0))
		return 0;
	return length;
}

char *jvpn_util_text_clean(char *text)
{
	size_t length;

	for (char *at = text; at && *at; at += length) {
		length = jvpn_util_utf8_length((const unsigned char *)at);
		if (!length) {
			*at = '?';
			length = 1;
		}
	}
	return text;
}

bool jvpn_util_name_valid(const char *name)
{
	if (!isalnum((unsigned char)name[0]))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
			return false;
	return true;
}

bool jvpn_util_ifname_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || isspace((unsigned char)*name) ||
		    !isprint((unsigned char)*name))
			return false;
	return true;
}
