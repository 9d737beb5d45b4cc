// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "config-read.h"

static char *jvpn_config_error_copy(const char *text)
{
	return text ? jvpn_util_text_clean(strdup(text)) : NULL;
}

void jvpn_config_error_add(struct jvpn_config_errors *errors, unsigned int line,
			   unsigned int column, const char *field, const char *problem,
			   const char *allowed, const char *example)
{
	struct jvpn_config_error *list = realloc(errors->list,
						 (errors->count + 1) * sizeof(*list));

	/* Without memory the last error stands for the rest: the count must not be 0. */
	if (!list)
		return;
	errors->list = list;
	list[errors->count++] = (struct jvpn_config_error) {
		.line = line,
		.column = column,
		.field = jvpn_config_error_copy(field),
		.problem = jvpn_config_error_copy(problem),
		.allowed = jvpn_config_error_copy(allowed),
		.example = jvpn_config_error_copy(example),
	};
}

void jvpn_config_errors_place(struct jvpn_config_errors *errors, size_t first, const char *file)
{
	for (size_t i = first; i < errors->count; i++) {
		free(errors->list[i].file);
		errors->list[i].file = jvpn_config_error_copy(file);
	}
}

static void jvpn_config_error_print(const char *file, const struct jvpn_config_error *error,
				    FILE *out)
{
	fprintf(out, "%s:", error->file ? error->file : file);
	if (error->line)
		fprintf(out, "%u:%u:", error->line, error->column);
	if (error->field && *error->field)
		fprintf(out, " %s:", error->field);
	fprintf(out, " %s\n", error->problem ? error->problem : "out of memory");
	if (error->allowed)
		fprintf(out, "    allowed: %s\n", error->allowed);
	if (error->example)
		fprintf(out, "    example: %s\n", error->example);
}

void jvpn_config_errors_print(const struct jvpn_config_errors *errors, FILE *out)
{
	for (size_t i = 0; i < errors->count; i++)
		jvpn_config_error_print(errors->file, &errors->list[i], out);
}

json_t *jvpn_config_errors_to_json(const struct jvpn_config_errors *errors)
{
	json_t *list = json_array();

	for (size_t i = 0; i < errors->count; i++) {
		const struct jvpn_config_error *error = &errors->list[i];

		json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:s?, s:s?, s:s?, s:s?}",
			"file", error->file ? error->file : errors->file, "line", (int)error->line,
			"column", (int)error->column, "field", error->field,
			"problem", error->problem, "allowed", error->allowed,
			"example", error->example));
	}
	return list;
}

void jvpn_config_errors_free(struct jvpn_config_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++) {
		free(errors->list[i].file);
		free(errors->list[i].field);
		free(errors->list[i].problem);
		free(errors->list[i].allowed);
		free(errors->list[i].example);
	}
	free(errors->list);
	errors->list = NULL;
	errors->count = 0;
}
