// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL
/* A key file holds one line; what is longer is some other file. */
#define FILE_MAX 256

static_assert(JVPN_KEYS_SIZE == crypto_scalarmult_BYTES, "keys are X25519 keys");
static_assert(JVPN_KEYS_TEXT == sodium_base64_ENCODED_LEN(JVPN_KEYS_SIZE, BASE64),
	      "room for the text of a key");

int jvpn_keys_init(char *err, size_t err_size)
{
	if (sodium_init() >= 0)
		return 0;
	snprintf(err, err_size, "libsodium does not start: no source of random numbers?");
	return -1;
}

void jvpn_keys_generate_private(uint8_t key[JVPN_KEYS_SIZE])
{
	randombytes_buf(key, JVPN_KEYS_SIZE);
	key[0] &= 248;
	key[31] = (uint8_t)((key[31] & 127) | 64);
}

void jvpn_keys_generate_psk(uint8_t key[JVPN_KEYS_SIZE])
{
	randombytes_buf(key, JVPN_KEYS_SIZE);
}

int jvpn_keys_derive_public(uint8_t public_key[JVPN_KEYS_SIZE],
			    const uint8_t private_key[JVPN_KEYS_SIZE],
			    char *err, size_t err_size)
{
	if (!crypto_scalarmult_base(public_key, private_key))
		return 0;
	snprintf(err, err_size, "this private key has no public key; make a new one with "
		 "'jvpnctl genkey'");
	return -1;
}

void jvpn_keys_format(const uint8_t key[JVPN_KEYS_SIZE], char text[JVPN_KEYS_TEXT])
{
	sodium_bin2base64(text, JVPN_KEYS_TEXT, key, JVPN_KEYS_SIZE, BASE64);
}

static int jvpn_keys_refuse_length(size_t length, char *err, size_t err_size)
{
	snprintf(err, err_size, "a key is %d characters of base64, found %zu",
		 JVPN_KEYS_TEXT - 1, length);
	return -1;
}

int jvpn_keys_parse(uint8_t key[JVPN_KEYS_SIZE], const char *text, size_t length,
		    char *err, size_t err_size)
{
	const char *end;
	size_t size;

	if (length != JVPN_KEYS_TEXT - 1)
		return jvpn_keys_refuse_length(length, err, err_size);
	if (!sodium_base642bin(key, JVPN_KEYS_SIZE, text, length, NULL, &size, &end, BASE64) &&
	    size == JVPN_KEYS_SIZE && end == text + length)
		return 0;
	sodium_memzero(key, JVPN_KEYS_SIZE);
	snprintf(err, err_size, "not base64 of %d octets (letters, digits, +, / and one = at the "
		 "end)", JVPN_KEYS_SIZE);
	return -1;
}

static bool jvpn_keys_low_order(const uint8_t public_key[JVPN_KEYS_SIZE])
{
	/* Any scalar sends a point of low order to zero, which libsodium reports. */
	static const uint8_t scalar[JVPN_KEYS_SIZE] = { 8, [31] = 64 };
	uint8_t shared[JVPN_KEYS_SIZE];

	return crypto_scalarmult(shared, scalar, public_key) != 0;
}

int jvpn_keys_parse_public(uint8_t key[JVPN_KEYS_SIZE], const char *text, size_t length,
			   char *err, size_t err_size)
{
	if (jvpn_keys_parse(key, text, length, err, err_size))
		return -1;
	if (!jvpn_keys_low_order(key))
		return 0;
	snprintf(err, err_size, "not a usable public key: no secret can be agreed with it");
	return -1;
}

/*
 * What the service manager has read for the daemon, which may not read it itself: a credential
 * with the name of the file, or folder_file for one in a folder that was given as a whole.
 */
static bool jvpn_keys_credential(const char *path, char *credential, size_t size)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY"), *slash = strrchr(path, '/'), *folder;

	if (!dir || *dir != '/' || !slash)
		return false;
	if (snprintf(credential, size, "%s/%s", dir, slash + 1) < (int)size &&
	    !access(credential, F_OK))
		return true;
	for (folder = slash; folder > path && folder[-1] != '/'; folder--)
		;
	return snprintf(credential, size, "%s/%.*s_%s", dir, (int)(slash - folder), folder,
			slash + 1) < (int)size && !access(credential, F_OK);
}

/* Credentials lie in a folder that only the service sees, with a mode of their own. */
static int jvpn_keys_file_check(int fd, const char *path, bool credential, char *err,
				size_t err_size)
{
	struct stat st;

	if (fstat(fd, &st)) {
		snprintf(err, err_size, "cannot look at %s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(err, err_size, "%s is not a regular file", path);
		return -1;
	}
	if (!credential && st.st_mode & 077) {
		snprintf(err, err_size, "%s has mode %04o: others can reach the key; run "
			 "'chmod 600 %s'", path, st.st_mode & 07777, path);
		return -1;
	}
	return 0;
}

static ssize_t jvpn_keys_file_fill(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n;

	while (length < size) {
		n = read(fd, text + length, size - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

static int jvpn_keys_file_parse(uint8_t key[JVPN_KEYS_SIZE], const char *text, size_t length,
				const char *path, char *err, size_t err_size)
{
	char why[128];

	while (length && strchr(" \t\r\n", text[length - 1]))
		length--;
	if (!length) {
		snprintf(err, err_size, "%s is empty; write a key into it with "
			 "'umask 077; jvpnctl genkey > %s'", path, path);
		return -1;
	}
	if (!jvpn_keys_parse(key, text, length, why, sizeof(why)))
		return 0;
	snprintf(err, err_size, "%s does not hold a key: %s", path, why);
	return -1;
}

/* O_NONBLOCK: a FIFO must not hold up the caller. */
static int jvpn_keys_file_open(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

int jvpn_keys_read_file(uint8_t key[JVPN_KEYS_SIZE], const char *path, char *err, size_t err_size)
{
	char text[FILE_MAX], credential[PATH_MAX];
	int ret = -1, fd = jvpn_keys_file_open(path), saved = errno;
	bool given = fd < 0 && jvpn_keys_credential(path, credential, sizeof(credential));
	ssize_t length;

	if (given) {
		path = credential;
		fd = jvpn_keys_file_open(path);
	} else {
		errno = saved;
	}
	if (fd < 0) {
		snprintf(err, err_size, "cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	if (jvpn_keys_file_check(fd, path, given, err, err_size))
		goto out_close;
	length = jvpn_keys_file_fill(fd, text, sizeof(text));
	if (length < 0)
		snprintf(err, err_size, "cannot read %s: %s", path, strerror(errno));
	else
		ret = jvpn_keys_file_parse(key, text, (size_t)length, path, err, err_size);
	sodium_memzero(text, sizeof(text));
out_close:
	close(fd);
	return ret;
}
