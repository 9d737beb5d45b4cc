/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_KEYS_H
#define JVPN_KEYS_H

#include <stddef.h>
#include <stdint.h>

#define JVPN_KEYS_SIZE		32	/* X25519 scalar or point, pre-shared key */
#define JVPN_KEYS_TEXT		45	/* base64 of a key, NUL included */

/*
 * All functions that can fail return 0, or -1 with a sentence in err that says
 * what is wrong and how to mend it. Secrets never appear in err.
 */

/* Must be called once before any other. */
int jvpn_keys_init(char *err, size_t err_size);

void jvpn_keys_generate_private(uint8_t key[JVPN_KEYS_SIZE]);
void jvpn_keys_generate_psk(uint8_t key[JVPN_KEYS_SIZE]);
int jvpn_keys_derive_public(uint8_t public_key[JVPN_KEYS_SIZE],
			    const uint8_t private_key[JVPN_KEYS_SIZE],
			    char *err, size_t err_size);

void jvpn_keys_format(const uint8_t key[JVPN_KEYS_SIZE], char text[JVPN_KEYS_TEXT]);
int jvpn_keys_parse(uint8_t key[JVPN_KEYS_SIZE], const char *text, size_t length,
		    char *err, size_t err_size);
/* Refuses points of low order, with which no secret can be agreed. */
int jvpn_keys_parse_public(uint8_t key[JVPN_KEYS_SIZE], const char *text, size_t length,
			   char *err, size_t err_size);

/*
 * Read a secret key from a file: one line of base64. Refuses anything but a
 * regular file, and any access for group or others.
 */
int jvpn_keys_read_file(uint8_t key[JVPN_KEYS_SIZE], const char *path,
			char *err, size_t err_size);

#endif /* JVPN_KEYS_H */
