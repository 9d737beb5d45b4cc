// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "config.h"
#include "ctl.h"

static int config_check_errors(struct ctl *ctl, const struct jvpn_config_errors *errors)
{
	if (ctl->json) {
		ctl_print_json(json_pack("{s:b, s:o}", "valid", false, "errors",
					 jvpn_config_errors_to_json(errors)));
		return CTL_INVALID;
	}
	jvpn_config_errors_print(errors, stderr);
	fprintf(stderr, "%s: %zu error%s\n", errors->file, errors->count,
		errors->count == 1 ? "" : "s");
	return CTL_INVALID;
}

static void config_check_print(const struct jvpn_config *config)
{
	const struct jvpn_config_gateway *gateway = &config->gateway;
	const struct jvpn_config_client *client = &config->client;

	printf("%s: valid: %s %s on %s, %zu own polic%s", config->path,
	       jvpn_config_role_name(config->role), config->node, config->device.name,
	       config->n_policies - jvpn_policy_builtin_count(),
	       config->n_policies - jvpn_policy_builtin_count() == 1 ? "y" : "ies");
	if (config->role == JVPN_CONFIG_GATEWAY)
		printf(", %zu peer%s, %zu pool%s\n", gateway->n_peers,
		       gateway->n_peers == 1 ? "" : "s", gateway->n_pools,
		       gateway->n_pools == 1 ? "" : "s");
	else if (client->transports_auto)
		printf(", %zu gateway%s, transports found by themselves\n", client->n_gateways,
		       client->n_gateways == 1 ? "" : "s");
	else
		printf(", %zu gateway%s, %zu transport%s\n", client->n_gateways,
		       client->n_gateways == 1 ? "" : "s", client->n_transports,
		       client->n_transports == 1 ? "" : "s");
}

static int config_check_run(struct ctl *ctl)
{
	unsigned int flags = ctl_option(ctl, "no-key-files") ? JVPN_CONFIG_NO_KEY_FILES : 0;
	struct jvpn_config_errors errors;
	struct jvpn_config *config = jvpn_config_load_flags(ctl->arguments[0], flags, &errors);
	int status = CTL_OK;

	if (!config)
		status = config_check_errors(ctl, &errors);
	else if (ctl->json)
		status = ctl_print_json(json_pack("{s:b, s:o}", "valid", true, "config",
						  jvpn_config_to_json(config)));
	else
		config_check_print(config);
	jvpn_config_free(config);
	jvpn_config_errors_free(&errors);
	return status ? status : ctl_finish();
}

static const struct ctl_option config_check_options[] = {
	{ "no-key-files", 0, NULL, "do not open the files of keys" },
	{ }
};

const struct ctl_verb ctl_verb_config_check = {
	.group = "config", .name = "check", .arguments = "FILE", .least = 1, .most = 1,
	.run = config_check_run, .options = config_check_options,
	.summary = "Check a configuration file and explain every error in it",
	.help = "With --json, the whole configuration with its defaults, without secrets.\n"
		"Ends with status 6 if there are errors.",
};
