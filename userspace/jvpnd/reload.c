// SPDX-License-Identifier: GPL-2.0
#include "reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "notify.h"
#include "session.h"
#include "system.h"

void reload_policies_record(struct jvpnd *d, const struct jvpn_config *config)
{
	for (size_t i = 0; i < config->n_policies; i++)
		jvpnd_record(d, jvpn_audit_build_policy(d->audit, &config->policies[i]));
}

/* NULL, or what cannot change while the daemon runs. */
static const char *reload_fixed_changed(const struct jvpn_config *a, const struct jvpn_config *b)
{
	if (a->role != b->role)
		return "role";
	if (strcmp(a->device.name, b->device.name))
		return "device.name";
	if (a->device.fwmark != b->device.fwmark)
		return "device.fwmark";
	if (memcmp(a->public_key, b->public_key, sizeof(a->public_key)))
		return "private_key_file (the key itself)";
	if (strcmp(a->node, b->node))
		return "node";
	if (strcmp(a->runtime_dir, b->runtime_dir))
		return "runtime_dir";
	if (strcmp(a->control_socket, b->control_socket))
		return "control_socket";
	if (a->audit.sink != b->audit.sink || strcmp(a->audit.file, b->audit.file))
		return "audit";
	return NULL;
}

static void reload_errors_text(const struct jvpn_config_errors *errors, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");

	if (!out) {
		snprintf(text, size, "the configuration has %zu errors", errors->count);
		return;
	}
	jvpn_config_errors_print(errors, out);
	fclose(out);
	text[size - 1] = '\0';
}

static struct jvpn_config *reload_load(struct jvpnd *d, char *error, size_t error_size)
{
	struct jvpn_config_errors errors = {};
	struct jvpn_config *config = jvpn_config_load(d->config_path, &errors);
	const char *fixed;

	if (!config)
		reload_errors_text(&errors, error, error_size);
	jvpn_config_errors_free(&errors);
	if (!config)
		return NULL;
	fixed = reload_fixed_changed(d->config, config);
	if (fixed)
		snprintf(error, error_size,
			 "%s: %s cannot be changed while the daemon runs; restart it (sessions go on)",
			 d->config_path, fixed);
	else if (d->role->reload_check(d, config, error, error_size))
		return config;
	jvpn_config_free(config);
	return NULL;
}

static void reload_apply(struct jvpnd *d, struct jvpn_config *config)
{
	struct jvpn_config *old = d->config;

	reload_policies_record(d, config);
	d->role->reload(d, config);
	d->config = config;
	jvpn_log_level_set(config->log_level);
	sessions_judge(d);
	d->role->reloaded(d);
	system_follow(d);
	jvpn_config_free(old);
}

int reload_run(struct jvpnd *d, char *error, size_t error_size)
{
	struct jvpn_config *config;

	notify_reloading();
	jvpn_audit_reopen(d->audit);
	config = reload_load(d, error, error_size);
	if (config) {
		reload_apply(d, config);
		jvpnd_record(d, jvpn_audit_build_note(d->audit, "CONFIG_RELOAD", NULL,
						      json_pack("{ss}", "file", d->config_path)));
		jvpn_info("configuration loaded anew from %s", d->config_path);
	} else {
		jvpn_error("the old configuration stays: %s", error);
	}
	notify_ready();
	sessions_settle(d);
	return config ? 0 : -EINVAL;
}
