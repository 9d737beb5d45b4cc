// SPDX-License-Identifier: GPL-2.0
/* A path in the configuration may name anything: what the daemon did not make it leaves alone. */
#include <fcntl.h>
#include <stdlib.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../jvpnd/control.h"
#include "../../jvpnd/instance.h"
#include "../tap.h"
#include "store.h"

static char dir[] = "/tmp/jvpn-files-XXXXXX";
static char path[64], error[512];
static const struct control_method no_methods[] = { { NULL, NULL } };
static const char precious[] = "somebody's data\n";

static void file_name(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static void file_make(const char *name, const char *text)
{
	int fd;

	file_name(name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(1);
	close(fd);
}

static bool file_holds(const char *text)
{
	char found[64] = "";
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	ssize_t n = read(fd, found, sizeof(found) - 1);

	close(fd);
	return n == (ssize_t)strlen(text) && !strcmp(found, text);
}

/* --- the control socket ------------------------------------------------------- */

static struct control *socket_open(void)
{
	*error = '\0';
	return control_open(uv_default_loop(), path, no_methods, NULL, error, sizeof(error));
}

static void socket_close(struct control *control)
{
	control_close(control);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

static int socket_bind(bool listens)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || (listens && listen(fd, 1)))
		exit(1);
	return fd;
}

static void control_socket_test(void)
{
	struct control *control;
	struct stat st;
	int fd;

	file_make("socket", precious);
	tap_ok(!socket_open() && file_holds(precious), "a file where the control socket should be stays");
	tap_contains(error, "is no socket", "and a sentence says so");
	file_name("socket");
	fd = socket_bind(true);
	tap_ok(!socket_open() && !lstat(path, &st), "a socket that another process serves stays");
	tap_contains(error, "another process listens", "and a sentence says so");
	close(fd);
	control = socket_open();
	tap_ok(control != NULL, "the socket of a process that is gone is taken over");
	file_make("socket", precious);
	socket_close(control);
	tap_ok(file_holds(precious), "what took the place of the socket meanwhile stays");
	file_name("socket");
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

/* --- the lock -------------------------------------------------------------------- */

static int lock_open(void)
{
	*error = '\0';
	return instance_lock(dir, "jvpn0", error, sizeof(error));
}

static void lock_test(void)
{
	int fd;

	file_make("jvpn0.lock", precious);
	tap_ok(lock_open() < 0 && file_holds(precious), "a file where the lock should be stays");
	tap_contains(error, "is no lock", "and a sentence says so");
	file_name("jvpn0.lock");
	tap_ok(!mkfifo(path, 0600) && lock_open() < 0, "so does a pipe, and nobody waits at it");
	file_make("jvpn0.lock", "12345\n");
	fd = lock_open();
	tap_ok(fd >= 0, "the lock of a process that is gone is taken over");
	tap_ok(lock_open() < 0, "a second daemon is refused");
	tap_contains(error, "another jvpnd", "and told why");
	close(fd);
	file_make("jvpn0.lock", "");
	fd = lock_open();
	tap_ok(fd >= 0, "so is one that was made and not written");
	close(fd);
	file_name("jvpn0.lock");
}

/* --- the salt of the store --------------------------------------------------------- */

static struct jvpn_store *store_open(void)
{
	static const uint8_t key[JVPN_STORE_KEY_SIZE] = { 1 };
	struct jvpn_store *store = NULL;

	*error = '\0';
	jvpn_store_open(dir, key, &store, error, sizeof(error));
	return store;
}

static void salt_test(void)
{
	struct jvpn_store *store;

	file_make("store.salt", precious);
	tap_ok(!store_open() && file_holds(precious), "a file where the salt should be stays");
	tap_contains(error, "store.salt", "and a sentence names it");
	file_make("store.salt", "");
	store = store_open();
	tap_ok(store != NULL, "a salt that was made and not written is made anew");
	jvpn_store_close(store);
	store = store_open();
	tap_ok(store != NULL, "and found again");
	jvpn_store_close(store);
	file_name("store.salt");
	file_name("store.mdb");
}

int main(void)
{
	if (sodium_init() < 0 || !mkdtemp(dir))
		return 1;
	control_socket_test();
	lock_test();
	salt_test();
	rmdir(dir);
	return tap_done();
}
