// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_verify.h"
#include "ctl.h"
#include "keys.h"
#include "util.h"

static bool audit_verify_head(const char *text, struct jvpn_audit_verify_options *options)
{
	const char *colon = strchr(text, ':');
	char number[24];
	uint64_t seq;

	if (!colon || (size_t)(colon - text) >= sizeof(number))
		return false;
	memcpy(number, text, (size_t)(colon - text));
	number[colon - text] = '\0';
	if (!jvpn_util_number_parse(number, UINT64_MAX, &seq) ||
	    !jvpn_util_hex_decode(colon + 1, options->head, sizeof(options->head)))
		return false;
	options->has_head = true;
	options->head_seq = seq;
	return true;
}

static int audit_verify_report(struct ctl *ctl, const struct jvpn_audit_report *report)
{
	int status;

	if (ctl->json) {
		status = ctl_print_json(jvpn_audit_report_to_json(report));
	} else {
		jvpn_audit_report_print(report, stdout);
		status = ctl_finish();
	}
	return !status && jvpn_audit_report_refuted(report) ? CTL_INVALID : status;
}

static int audit_verify_run(struct ctl *ctl)
{
	struct jvpn_audit_verify_options options = { };
	const char *head = ctl_option(ctl, "head");
	struct jvpn_audit_report report;
	unsigned long long slack;
	char err[512];
	int status;

	if (!ctl_option_number(ctl, "slack", 1, 3600000, 5000, &slack))
		return CTL_USAGE;
	if (head && !audit_verify_head(head, &options))
		return ctl_fail(ctl, CTL_USAGE, "USAGE",
				"--head: must be SEQ:HASH, the seq and head that 'jvpnctl status' shows");
	if (jvpn_keys_init(err, sizeof(err)))
		return ctl_fail(ctl, CTL_FAILED, "INTERNAL", "%s", err);
	options.slack_ms = slack;
	if (jvpn_audit_verify((const char *const *)ctl->arguments, (size_t)ctl->n_arguments,
			      &options, &report, err, sizeof(err)))
		status = ctl_fail(ctl, CTL_FAILED, "CANNOT_READ", "%s", err);
	else
		status = audit_verify_report(ctl, &report);
	jvpn_audit_report_free(&report);
	return status;
}

static const struct ctl_option audit_verify_options[] = {
	{ "head", 0, "SEQ:HASH", "the last line must be this one" },
	{ "slack", 0, "MS", "tolerance of time bounds (default 5000)" },
	{ }
};

const struct ctl_verb ctl_verb_audit_verify = {
	.group = "audit", .name = "verify", .arguments = "FILE...", .least = 1, .most = -1,
	.run = audit_verify_run, .options = audit_verify_options,
	.summary = "Replay an audit log and prove or refute its properties",
	.help = "FILEs are the parts of one log, the oldest first; '-' is standard input.\n"
		"Ends with status 6 if the log is refuted.",
};
