// SPDX-License-Identifier: GPL-2.0
/*
 * Audit logs, as the verifier reads them: whole ones cut at the first octet 0xff into two files of
 * one stream. Whatever they hold: a verdict, or a failure that has words.
 */
#include <string.h>

#include "audit_verify.h"
#include "fuzz.h"

#define FUZZ_AUDIT_MAX 65536

static void verify(const char *const *files, size_t count)
{
	struct jvpn_audit_verify_options options = { 0 };
	struct jvpn_audit_report report;
	char err[512] = "";
	json_t *json;

	if (jvpn_audit_verify(files, count, &options, &report, err, sizeof(err)))
		fuzz_demand(err[0], "a failure without words");
	json = jvpn_audit_report_to_json(&report);
	fuzz_demand(json, "a report that is no JSON");
	json_decref(json);
	jvpn_audit_report_free(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size ? memchr(data, 0xff, size) : NULL;
	size_t first = cut ? (size_t)(cut - data) : size;
	struct fuzz_file a, b;
	const char *files[2];

	if (size > FUZZ_AUDIT_MAX)
		return 0;
	a = fuzz_file_make(data, first);
	b = fuzz_file_make(cut ? cut + 1 : data, cut ? size - first - 1 : 0);
	files[0] = a.path;
	files[1] = b.path;
	verify(files, cut ? 2 : 1);
	close(a.fd);
	close(b.fd);
	return 0;
}
