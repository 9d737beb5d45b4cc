// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "client.h"
#include "kernel.h"
#include "keys.h"
#include "policy.h"
#include "table.h"

static json_t *policy_list_builtin(void)
{
	const struct jvpn_policy_def *policy;
	json_t *list = json_array();

	for (size_t i = 0; (policy = jvpn_policy_builtin_at(i)); i++)
		json_array_append_new(list, jvpn_policy_to_json(policy));
	return list;
}

/* One row for each number, one column for each policy. */
static void policy_list_row(struct table *table, const json_t *policies, const char *section,
			    const char *name)
{
	char heading[64], numbers[TABLE_COLUMNS][24];
	const char *cells[TABLE_COLUMNS] = { heading };
	json_t *policy;
	size_t i;

	snprintf(heading, sizeof(heading), "%s%s%s", section ? section : "", section ? "." : "",
		 name);
	json_array_foreach(policies, i, policy) {
		const json_t *from = section ? json_object_get(policy, section) : policy;

		if (i + 1 >= TABLE_COLUMNS)
			break;
		snprintf(numbers[i], sizeof(numbers[i]), "%lld",
			 (long long)json_integer_value(json_object_get(from, name)));
		cells[i + 1] = numbers[i];
	}
	table_add(table, cells);
}

static void policy_list_table(const json_t *policies)
{
	const char *headings[TABLE_COLUMNS + 1] = { "" };
	const struct jvpn_policy_field *field;
	struct table table;
	json_t *policy;
	size_t i;

	json_array_foreach(policies, i, policy)
		if (i + 1 < TABLE_COLUMNS)
			headings[i + 1] = json_string_value(json_object_get(policy, "name"));
	table_init(&table, headings);
	policy_list_row(&table, policies, NULL, "version");
	for (i = 0; (field = jvpn_policy_field_at(i)); i++)
		policy_list_row(&table, policies, field->section, field->name);
	table_print(&table, stdout);
	table_free(&table);
}

static int policy_list_print(struct ctl *ctl, json_t *policies, bool daemon)
{
	int status;

	if (ctl->json)
		return ctl_print_json(json_pack("{s:s, s:o}", "daemon",
						daemon ? "running" : "not running", "policies",
						policies));
	policy_list_table(policies);
	if (json_array_size(policies) + 1 > TABLE_COLUMNS)
		printf("\nonly the first %d are shown; see --json\n", TABLE_COLUMNS - 1);
	if (!daemon)
		printf("\ndaemon: not running; these are the built-in policies\n");
	status = ctl_finish();
	json_decref(policies);
	return status;
}

static int policy_list_run(struct ctl *ctl)
{
	char name[16], why[256];
	struct client *client;
	json_t *result, *policies;
	int status;

	if (jvpn_keys_init(why, sizeof(why)))
		return ctl_fail(ctl, CTL_FAILED, "INTERNAL", "%s", why);
	client = client_try(ctl, kernel_device_guess(ctl, name, sizeof(name)), why, sizeof(why));
	if (!client)
		return policy_list_print(ctl, policy_list_builtin(), false);
	status = client_call(ctl, client, "policy.list", NULL, CLIENT_TIMEOUT_MS, &result);
	client_close(client);
	if (status)
		return status;
	policies = json_incref(json_object_get(result, "policies"));
	json_decref(result);
	return policy_list_print(ctl, policies, true);
}

const struct ctl_verb ctl_verb_policy_list = {
	.group = "policy", .name = "list", .arguments = "", .run = policy_list_run,
	.summary = "List the policies with all their numbers",
	.help = "Those the daemon has loaded; without it, the built-in ones.",
};
