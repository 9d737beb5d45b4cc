/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPND_SOCKETS_H
#define JVPND_SOCKETS_H

/*
 * The kernel sockets of the device. They outlive the daemon: a restarted one
 * takes over those that fit its configuration and closes the others.
 */

#include "jvpnd.h"
#include "kernel.h"

int sockets_open(struct jvpnd *d, char *error, size_t error_size);
void sockets_close(struct jvpnd *d);

/*
 * A socket on local:port (0: any), bound to ifindex (0: none), made if there is
 * none; it is wanted until sockets_unwant_all(). Its id, or 0 with a sentence and errno.
 */
uint32_t sockets_get(struct jvpnd *d, const struct jvpn_addr *local, uint16_t port,
		     uint32_t ifindex, char *error, size_t error_size);
/* The same, and never one that is there already. */
uint32_t sockets_make(struct jvpnd *d, const struct jvpn_addr *local, uint16_t port,
		      uint32_t ifindex, char *error, size_t error_size);
/* One that is there on exactly that place is wanted again. */
bool sockets_hold(struct jvpnd *d, const struct jvpn_addr *local, uint16_t port, uint32_t ifindex);
/*
 * One on the same port that nobody wants, if there is any, is bound there instead, under the
 * bindings that use it. Its id, or 0; errno says why, as of sockets_get().
 */
uint32_t sockets_move(struct jvpnd *d, const struct jvpn_addr *local, uint16_t port,
		      uint32_t ifindex, char *error, size_t error_size);
/* Close it now, or as soon as no binding uses it. */
void sockets_drop(struct jvpnd *d, uint32_t id);
const struct kernel_socket *sockets_find(const struct jvpnd *d, uint32_t id);

/* Sockets that nobody asked for since sockets_unwant_all() are closed. */
void sockets_unwant_all(struct jvpnd *d);
void sockets_drop_unwanted(struct jvpnd *d);
/*
 * Instead of closing them: as it was before sockets_unwant_all(). What was made since is closed,
 * what was moved is moved back, and what was wanted then is wanted again, and was open all the time.
 */
void sockets_want_again(struct jvpnd *d);

/* Add what the kernel's history leaves out: local end and interface. */
void sockets_path_complete(const struct jvpnd *d, struct path *path);

#endif
