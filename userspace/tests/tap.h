/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_TESTS_TAP_H
#define JVPN_TESTS_TAP_H

/*
 * TAP in one header. A test program calls tap_ok() for each claim and returns
 * tap_done() from main().
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failed;

__attribute__((format(printf, 2, 3), unused))
static bool tap_ok(bool good, const char *format, ...)
{
	va_list args;

	tap_count++;
	if (!good)
		tap_failed++;
	printf("%sok %d - ", good ? "" : "not ", tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	return good;
}

__attribute__((format(printf, 1, 2), unused))
static void tap_note(const char *format, ...)
{
	va_list args;

	fputs("#   ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

__attribute__((unused))
static bool tap_equal(unsigned long long found, unsigned long long wanted, const char *claim)
{
	bool good = tap_ok(found == wanted, "%s", claim);

	if (!good)
		tap_note("found %llu, wanted %llu", found, wanted);
	return good;
}

__attribute__((unused))
static bool tap_text(const char *found, const char *wanted, const char *claim)
{
	bool good = tap_ok(found && !strcmp(found, wanted), "%s", claim);

	if (!good)
		tap_note("found \"%s\", wanted \"%s\"", found ? found : "(null)", wanted);
	return good;
}

__attribute__((unused))
static bool tap_contains(const char *found, const char *wanted, const char *claim)
{
	bool good = tap_ok(found && strstr(found, wanted), "%s", claim);

	if (!good)
		tap_note("found \"%s\", wanted it to contain \"%s\"", found ? found : "(null)",
			 wanted);
	return good;
}

__attribute__((unused))
static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif /* JVPN_TESTS_TAP_H */
