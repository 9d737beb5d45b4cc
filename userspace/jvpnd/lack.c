// SPDX-License-Identifier: GPL-2.0
#include "lack.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "jvpnd.h"
#include "log.h"

#define WHAT_SIZE 128
#define WHY_SIZE 512

struct lack {
	SLIST_ENTRY(lack) link;
	enum lack_kind kind;
	char what[WHAT_SIZE];
	char why[WHY_SIZE];
	bool said;
};

static SLIST_HEAD(, lack) lacks = SLIST_HEAD_INITIALIZER(lacks);

void lacks_begin(enum lack_kind kind)
{
	struct lack *lack;

	SLIST_FOREACH(lack, &lacks, link)
		if (lack->kind == kind)
			lack->said = false;
}

void lacks_end(enum lack_kind kind)
{
	struct lack *lack, *next;

	for (lack = SLIST_FIRST(&lacks); lack; lack = next) {
		next = SLIST_NEXT(lack, link);
		if (lack->kind != kind || lack->said)
			continue;
		jvpn_info("%s: it is no longer missing", lack->what);
		SLIST_REMOVE(&lacks, lack, lack, link);
		free(lack);
	}
}

static struct lack *lack_find(enum lack_kind kind, const char *what)
{
	struct lack *lack;

	SLIST_FOREACH(lack, &lacks, link)
		if (lack->kind == kind && !strcmp(lack->what, what))
			return lack;
	return NULL;
}

static struct lack *lack_new(enum lack_kind kind, const char *what)
{
	struct lack *lack = calloc(1, sizeof(*lack));

	if (!lack)
		return NULL;
	lack->kind = kind;
	snprintf(lack->what, sizeof(lack->what), "%s", what);
	SLIST_INSERT_HEAD(&lacks, lack, link);
	return lack;
}

void lack_say(enum lack_kind kind, const char *what, const char *why, ...)
{
	struct lack *lack = lack_find(kind, what);
	char text[WHY_SIZE];
	va_list args;

	if (lack && lack->said)
		return;
	va_start(args, why);
	vsnprintf(text, sizeof(text), why, args);
	va_end(args);
	if (!lack)
		lack = lack_new(kind, what);
	if (!lack || strcmp(lack->why, text))
		jvpn_warning("%s: %s", what, text);
	if (!lack)
		return;
	lack->said = true;
	memcpy(lack->why, text, sizeof(lack->why));
}

const char *lack_why(enum lack_kind kind, const char *what)
{
	const struct lack *lack = lack_find(kind, what);

	return lack ? lack->why : NULL;
}

bool lacks_any(enum lack_kind kind)
{
	const struct lack *lack;

	SLIST_FOREACH(lack, &lacks, link)
		if (lack->kind == kind)
			return true;
	return false;
}

json_t *lacks_json_of(enum lack_kind kind)
{
	const struct lack *lack;
	json_t *list = json_array();

	SLIST_FOREACH(lack, &lacks, link)
		if (lack->kind == kind)
			json_array_append_new(list, json_sprintf("%s: %s", lack->what, lack->why));
	return list;
}

json_t *lacks_json(const struct jvpnd *d)
{
	struct jvpn_audit_status audit;
	const struct lack *lack;
	json_t *list = json_array();

	SLIST_FOREACH(lack, &lacks, link)
		json_array_append_new(list, json_sprintf("%s: %s", lack->what, lack->why));
	jvpn_audit_status(d->audit, &audit);
	if (*audit.error)
		json_array_append_new(list, json_sprintf("the audit log is not written: %s",
							 audit.error));
	return list;
}

void lacks_free(void)
{
	struct lack *lack;

	while ((lack = SLIST_FIRST(&lacks))) {
		SLIST_REMOVE_HEAD(&lacks, link);
		free(lack);
	}
}
