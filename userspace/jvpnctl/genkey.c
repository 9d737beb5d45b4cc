// SPDX-License-Identifier: GPL-2.0
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "keys.h"

/* A secret in a file that others can read is no secret. */
static void genkey_warn(void)
{
	struct stat st;

	if (!fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode) && (st.st_mode & 077))
		fprintf(stderr, "jvpnctl: warning: others can read the file that the key goes to; "
			"use 'umask 077' or 'chmod 600'\n");
}

static int genkey_print(struct ctl *ctl, void (*generate)(uint8_t key[JVPN_KEYS_SIZE]),
			const char *name)
{
	uint8_t key[JVPN_KEYS_SIZE];
	char text[JVPN_KEYS_TEXT], err[128];

	if (jvpn_keys_init(err, sizeof(err)))
		return ctl_fail(ctl, CTL_FAILED, "INTERNAL", "%s", err);
	genkey_warn();
	generate(key);
	jvpn_keys_format(key, text);
	sodium_memzero(key, sizeof(key));
	if (ctl->json)
		printf("{\"%s\": \"%s\"}\n", name, text);
	else
		printf("%s\n", text);
	sodium_memzero(text, sizeof(text));
	return ctl_finish();
}

static int genkey_run(struct ctl *ctl)
{
	return genkey_print(ctl, jvpn_keys_generate_private, "private_key");
}

static int genpsk_run(struct ctl *ctl)
{
	return genkey_print(ctl, jvpn_keys_generate_psk, "preshared_key");
}

const struct ctl_verb ctl_verb_genkey = {
	.name = "genkey", .arguments = "", .run = genkey_run,
	.summary = "Print a new private key",
	.help = "Keep it secret:\n\n  (umask 077; jvpnctl genkey > /etc/jvpn/private.key)",
};

const struct ctl_verb ctl_verb_genpsk = {
	.name = "genpsk", .arguments = "", .run = genpsk_run,
	.summary = "Print a new pre-shared key",
	.help = "Both ends of a session need the same one, in a file of mode 600.",
};
