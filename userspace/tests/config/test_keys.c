// SPDX-License-Identifier: GPL-2.0
/* Keys: text forms, files and who may read them. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "keys.h"
#include "util.h"

static char folder[] = "/tmp/jvpn-keys-XXXXXX", path[64], err[512];

static void put(const char *text, mode_t mode)
{
	FILE *file;

	unlink(path);
	file = fopen(path, "w");
	fputs(text, file);
	fclose(file);
	chmod(path, mode);
}

static void test_vector(void)
{
	/* RFC 7748, section 6.1 */
	static const char private_text[] = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
	uint8_t private_key[JVPN_KEYS_SIZE], public_key[JVPN_KEYS_SIZE];
	char text[JVPN_KEYS_TEXT];

	tap_ok(!jvpn_keys_parse(private_key, private_text, 44, err, sizeof(err)), "a key is read");
	jvpn_keys_format(private_key, text);
	tap_text(text, private_text, "and written as it was");
	tap_ok(!jvpn_keys_derive_public(public_key, private_key, err, sizeof(err)),
	       "its public key is derived");
	jvpn_keys_format(public_key, text);
	tap_text(text, "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=", "as published");
}

static void test_refused(void)
{
	static const struct { const char *text; const char *why; } cases[] = {
		{ "", "found 0" },
		{ "abc", "found 3" },
		{ "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n", "found 45" },
		{ "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo!", "not base64" },
		{ "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCoA", "not base64" },
		{ "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCp=", "not base64" },
		{ "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25L===", "not base64" },
		{ " wdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=", "not base64" },
	};
	uint8_t key[JVPN_KEYS_SIZE];

	for (size_t i = 0; i < JVPN_ARRAY_SIZE(cases); i++) {
		int ret = jvpn_keys_parse(key, cases[i].text, strlen(cases[i].text), err,
					  sizeof(err));

		tap_ok(ret && strstr(err, cases[i].why), "refused: '%.10s...' (%s)",
		       cases[i].text, err);
	}
}

static void test_low_order(void)
{
	/* The points of low order, little endian, in their canonical form. */
	static const char *const points[] = {
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=",
		"X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=",
		"7P///////////////////////////////////////38=",
	};
	uint8_t key[JVPN_KEYS_SIZE];

	for (size_t i = 0; i < JVPN_ARRAY_SIZE(points); i++)
		tap_ok(jvpn_keys_parse_public(key, points[i], 44, err, sizeof(err)) &&
		       strstr(err, "no secret"), "point %zu of low order is no public key", i);
}

static void test_generated(void)
{
	uint8_t one[JVPN_KEYS_SIZE], two[JVPN_KEYS_SIZE];

	jvpn_keys_generate_private(one);
	jvpn_keys_generate_private(two);
	tap_ok(memcmp(one, two, sizeof(one)), "two private keys differ");
	tap_ok(!(one[0] & 7) && (one[31] & 192) == 64, "a private key is clamped");
	jvpn_keys_generate_psk(one);
	jvpn_keys_generate_psk(two);
	tap_ok(memcmp(one, two, sizeof(one)), "two pre-shared keys differ");
}

static void test_modes(void)
{
	static const char good[] = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n";
	uint8_t key[JVPN_KEYS_SIZE];

	for (unsigned int bit = 0; bit < 9; bit++) {
		unsigned int mode = 0600u | 1u << bit;
		bool refused;

		put(good, mode);
		refused = jvpn_keys_read_file(key, path, err, sizeof(err)) != 0;
		tap_ok(refused == (bit < 6), "mode %04o is %s", mode, bit < 6 ? "refused" : "good");
	}
	put(good, 0400);
	tap_ok(!jvpn_keys_read_file(key, path, err, sizeof(err)), "mode 0400 is good");
	put(good, 0640);
	jvpn_keys_read_file(key, path, err, sizeof(err));
	tap_contains(err, "mode 0640", "the mode is named");
	tap_contains(err, "chmod 600", "and how to mend it");
}

static void test_files(void)
{
	static const char key_text[] = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
	uint8_t key[JVPN_KEYS_SIZE];

	put(key_text, 0600);
	tap_ok(!jvpn_keys_read_file(key, path, err, sizeof(err)), "no newline is needed");
	put("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\r\n\n", 0600);
	tap_ok(!jvpn_keys_read_file(key, path, err, sizeof(err)), "more of it does no harm");
	put("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\nmore\n", 0600);
	tap_ok(jvpn_keys_read_file(key, path, err, sizeof(err)), "two lines are refused");
	tap_ok(!strstr(err, "dwdt"), "what stands in the file is not repeated");
	put("", 0600);
	tap_ok(jvpn_keys_read_file(key, path, err, sizeof(err)) && strstr(err, "is empty"),
	       "an empty file is refused");
	unlink(path);
	tap_ok(jvpn_keys_read_file(key, path, err, sizeof(err)) && strstr(err, "No such file"),
	       "no file is refused");
	mkfifo(path, 0600);
	tap_ok(jvpn_keys_read_file(key, path, err, sizeof(err)) && strstr(err, "regular"),
	       "a FIFO is refused, not waited for");
	unlink(path);
	tap_ok(jvpn_keys_read_file(key, "/dev/zero", err, sizeof(err)) && strstr(err, "regular"),
	       "a device is refused");
}

/* What the service manager has read for the daemon, which cannot read it itself. */
static void test_credentials(void)
{
	static const char text[] = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n";
	uint8_t key[JVPN_KEYS_SIZE];
	char *slash = strrchr(path, '/');

	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	put(text, 0440);
	tap_ok(!jvpn_keys_read_file(key, "/nonexistent/etc/key", err, sizeof(err)),
	       "a credential of the file's name is taken, whatever its mode");
	tap_ok(jvpn_keys_read_file(key, "/nonexistent/etc/other", err, sizeof(err)) &&
	       strstr(err, "/nonexistent/etc/other"), "another file is not");
	unlink(path);
	strcpy(slash, "/psks_phone");
	put(text, 0440);
	tap_ok(!jvpn_keys_read_file(key, "/etc/psks/phone", err, sizeof(err)),
	       "so is one of a folder that was given as a whole");
	tap_ok(jvpn_keys_read_file(key, "/etc/others/phone", err, sizeof(err)),
	       "of that folder only");
	unsetenv("CREDENTIALS_DIRECTORY");
	tap_ok(jvpn_keys_read_file(key, path, err, sizeof(err)),
	       "without credentials the mode counts");
	unlink(path);
	strcpy(slash, "/key");
}

int main(void)
{
	if (!mkdtemp(folder) || jvpn_keys_init(err, sizeof(err)))
		return 2;
	snprintf(path, sizeof(path), "%s/key", folder);
	test_vector();
	test_refused();
	test_low_order();
	test_generated();
	test_modes();
	test_files();
	test_credentials();
	unlink(path);
	tap_ok(!rmdir(folder), "nothing is left behind");
	return tap_done();
}
