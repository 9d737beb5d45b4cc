/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPNCTL_SETUP_H
#define JVPNCTL_SETUP_H

/* What the verbs that write configuration share: folders, files, questions, addresses. */

#include "config.h"
#include "ctl.h"

#define SETUP_DIR "/etc/jvpn"
#define SETUP_USER "jvpn"
#define SETUP_TEXT 256

/* -i DEV, or jvpn0. */
const char *setup_device(const struct ctl *ctl);
/* DIR/DEV.yaml; DIR is --dir, or /etc/jvpn. False: reported, too long. */
bool setup_config_path(const struct ctl *ctl, char *path, size_t size);

/* Root's, and the daemon's to read (mode 750), if there is no folder of that name. */
bool setup_folder_make(const struct ctl *ctl, const char *path);
/* The same with the folder that it is in. */
bool setup_folders_make(const struct ctl *ctl, const char *path);

/*
 * A new file with that text, whole or not at all; mode 600 for secrets, else 640 and the daemon's
 * group. Never over one that is there. Returns CTL_OK, or reports.
 */
int setup_file_write(const struct ctl *ctl, const char *path, const char *text, bool secret);

/* The option's value; else, at a terminal, an answer; else usual. Returns buf. */
const char *setup_ask(const struct ctl *ctl, const char *option, const char *question,
		      const char *usual, char *buf, size_t size);

/* The address that this machine is reached by, as far as it can tell; "" if it cannot. */
const char *setup_address_guess(char *text, size_t size);

/* "a, ::/0" -> "'a', '::/0'", as YAML takes any of them in a list. NULL: too long. */
const char *setup_list_quote(const char *list, char *text, size_t size);

/* The configuration for this device, or NULL: reported. *status is set. Key files are not opened. */
struct jvpn_config *setup_config_load(const struct ctl *ctl, int *status);

/* What became of having the daemon read it again. */
enum setup_reloaded {
	SETUP_RELOADED,
	SETUP_NO_DAEMON,
	SETUP_REFUSED,			/* reported; what it had before counts */
	SETUP_UNKNOWN,			/* reported; it did not answer in time */
};

/* *status: the exit code of the last two. */
enum setup_reloaded setup_reload(struct ctl *ctl, const struct jvpn_config *config, int *status);

#endif
