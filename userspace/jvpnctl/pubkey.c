// SPDX-License-Identifier: GPL-2.0
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "keys.h"

/* The key is read without a stdio buffer, which nobody would wipe. */
static ssize_t pubkey_read(char *text, size_t size)
{
	size_t length = 0;
	ssize_t n;

	while (length < size && (n = read(STDIN_FILENO, text + length, size - length)) > 0)
		length += (size_t)n;
	while (length && strchr(" \t\r\n", text[length - 1]))
		length--;
	return (ssize_t)length;
}

static int pubkey_print(struct ctl *ctl, const uint8_t private_key[JVPN_KEYS_SIZE])
{
	uint8_t public_key[JVPN_KEYS_SIZE];
	char text[JVPN_KEYS_TEXT], err[128];

	if (jvpn_keys_derive_public(public_key, private_key, err, sizeof(err)))
		return ctl_fail(ctl, CTL_INVALID, "BAD_KEY", "%s", err);
	jvpn_keys_format(public_key, text);
	if (ctl->json)
		return ctl_print_json(json_pack("{s:s}", "public_key", text));
	printf("%s\n", text);
	return ctl_finish();
}

static int pubkey_run(struct ctl *ctl)
{
	uint8_t key[JVPN_KEYS_SIZE];
	char text[256], err[256];
	int status;

	if (jvpn_keys_init(err, sizeof(err)))
		return ctl_fail(ctl, CTL_FAILED, "INTERNAL", "%s", err);
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "jvpnctl: reading a private key from the terminal; end with ^D\n");
	if (jvpn_keys_parse(key, text, (size_t)pubkey_read(text, sizeof(text)), err, sizeof(err)))
		status = ctl_fail(ctl, CTL_INVALID, "BAD_KEY",
				  "no private key on standard input: %s", err);
	else
		status = pubkey_print(ctl, key);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	return status;
}

const struct ctl_verb ctl_verb_pubkey = {
	.name = "pubkey", .arguments = "", .run = pubkey_run,
	.summary = "Print the public key of the private key on standard input",
	.help = "  jvpnctl pubkey < /etc/jvpn/private.key",
};
