// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration files. Whatever the file holds: a whole configuration and no
 * error, or none and at least one error that has words and a line of the file.
 */
#include "config.h"
#include "fuzz.h"

#define FUZZ_CONFIG_MAX 65536

static size_t lines_of(const uint8_t *data, size_t size)
{
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
	return lines;
}

static void errors_judge(const struct jvpn_config_errors *errors, size_t lines)
{
	fuzz_demand(errors->count, "a refusal without a word");
	for (size_t i = 0; i < errors->count; i++) {
		fuzz_demand(errors->list[i].problem && errors->list[i].problem[0],
			    "an error without a message");
		fuzz_demand(errors->list[i].line <= lines + 1, "an error beyond the file's end");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jvpn_config_errors errors;
	struct jvpn_config *config;
	struct fuzz_file file;

	if (size > FUZZ_CONFIG_MAX)
		return 0;
	file = fuzz_file_make(data, size);
	config = jvpn_config_load_flags(file.path, JVPN_CONFIG_NO_KEY_FILES, &errors);
	if (config)
		fuzz_demand(!errors.count, "a configuration and an error");
	else
		errors_judge(&errors, lines_of(data, size));
	json_decref(jvpn_config_errors_to_json(&errors));
	jvpn_config_free(config);
	jvpn_config_errors_free(&errors);
	close(file.fd);
	return 0;
}
