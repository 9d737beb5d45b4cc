// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "audit_replay.h"
#include "util.h"

#define LIST_MAX 1000

static const struct {
	const char *name;
	const char *meaning;
} jvpn_audit_properties[JVPN_AUDIT_PROPERTIES] = {
	[JVPN_AUDIT_CHAIN] = { "CHAIN", "no line removed, altered, doubled or inserted" },
	[JVPN_AUDIT_FORMAT] = { "FORMAT", "every line is a complete record" },
	[JVPN_AUDIT_I1] = { "I1", "at most one active transport per session" },
	[JVPN_AUDIT_I2] = { "I2", "the session id never changes" },
	[JVPN_AUDIT_I3] = { "I3", "the version rises by exactly one per transition" },
	[JVPN_AUDIT_I4] = { "I4", "no dual-active binding, neither of transports nor of nodes" },
	[JVPN_AUDIT_I5] = { "I5", "every transition is explicit and has its reason" },
	[JVPN_AUDIT_S1] = { "S1", "no two transports active at the same time" },
	[JVPN_AUDIT_S2] = { "S2", "no silent reset of a session" },
	[JVPN_AUDIT_S3] = { "S3", "nothing that was refused or replayed changed a session" },
	[JVPN_AUDIT_S4] = { "S4", "ambiguous ownership was refused or ended the session" },
	[JVPN_AUDIT_S5] = { "S5", "no binding changed past the state machine" },
	[JVPN_AUDIT_L1] = { "L1", "within the bounds a session could come back" },
	[JVPN_AUDIT_L2] = { "L2", "within the bounds no session ended for want of a transport" },
	[JVPN_AUDIT_L3] = { "L3", "past the bounds every session ended" },
	[JVPN_AUDIT_BOUNDS] = { "BOUNDS", "recovery window and switches per minute kept" },
};

const char *jvpn_audit_property_name(enum jvpn_audit_property property)
{
	return jvpn_audit_properties[property].name;
}

const char *jvpn_audit_property_meaning(enum jvpn_audit_property property)
{
	return jvpn_audit_properties[property].meaning;
}

static void jvpn_audit_findings_add(struct jvpn_audit_findings *findings,
				    const struct jvpn_audit_place *place,
				    enum jvpn_audit_property property, const char *session,
				    const char *format, va_list args)
{
	struct jvpn_audit_finding *list, *finding;

	findings->total++;
	if (findings->count >= LIST_MAX)
		return;
	list = realloc(findings->list, (findings->count + 1) * sizeof(*list));
	if (!list)
		return;
	findings->list = list;
	finding = &list[findings->count++];
	*finding = (struct jvpn_audit_finding) { .line = place->line, .property = property };
	finding->file = strdup(place->file);
	snprintf(finding->session, sizeof(finding->session), "%s", session ? session : "");
	if (vasprintf(&finding->text, format, args) < 0)
		finding->text = NULL;
	jvpn_util_text_clean(finding->text);
}

void jvpn_audit_report_violation(struct jvpn_audit_report *report,
				 const struct jvpn_audit_place *place,
				 enum jvpn_audit_property property, const char *session,
				 const char *format, ...)
{
	va_list args;

	report->by_property[property]++;
	va_start(args, format);
	jvpn_audit_findings_add(&report->violations, place, property, session, format, args);
	va_end(args);
}

void jvpn_audit_report_note(struct jvpn_audit_report *report,
			    const struct jvpn_audit_place *place, const char *session,
			    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	jvpn_audit_findings_add(&report->notes, place, JVPN_AUDIT_FORMAT, session, format, args);
	va_end(args);
}

static void jvpn_audit_findings_free(struct jvpn_audit_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->list[i].file);
		free(findings->list[i].text);
	}
	free(findings->list);
}

void jvpn_audit_report_free(struct jvpn_audit_report *report)
{
	jvpn_audit_findings_free(&report->violations);
	jvpn_audit_findings_free(&report->notes);
	json_decref(report->refused);
	json_decref(report->reasons);
	memset(report, 0, sizeof(*report));
}

bool jvpn_audit_report_refuted(const struct jvpn_audit_report *report)
{
	return report->violations.total != 0;
}

static const char *jvpn_audit_property_verdict(const struct jvpn_audit_report *report,
					       unsigned int property)
{
	if (report->by_property[property])
		return "refuted";
	return report->undecided[property] ? "undecided" : "holds";
}

static void jvpn_audit_finding_print(const struct jvpn_audit_finding *finding, const char *label,
				     FILE *out)
{
	fprintf(out, "%s:", finding->file ? finding->file : "?");
	if (finding->line)
		fprintf(out, "%llu:", (unsigned long long)finding->line);
	fprintf(out, " %s:", label);
	if (*finding->session)
		fprintf(out, " session %s:", finding->session);
	fprintf(out, " %s\n", finding->text ? finding->text : "out of memory");
}

static void jvpn_audit_more_print(const struct jvpn_audit_findings *findings, FILE *out)
{
	if (findings->total > findings->count)
		fprintf(out, "... and %llu more\n",
			(unsigned long long)(findings->total - findings->count));
}

void jvpn_audit_report_print(const struct jvpn_audit_report *report, FILE *out)
{
	char hex[2 * JVPN_AUDIT_HASH + 1];

	for (size_t i = 0; i < report->violations.count; i++)
		jvpn_audit_finding_print(&report->violations.list[i], jvpn_audit_property_name(
					 report->violations.list[i].property), out);
	jvpn_audit_more_print(&report->violations, out);
	for (size_t i = 0; i < report->notes.count; i++)
		jvpn_audit_finding_print(&report->notes.list[i], "note", out);
	jvpn_audit_more_print(&report->notes, out);
	for (unsigned int i = 0; i < JVPN_AUDIT_PROPERTIES; i++)
		fprintf(out, "%-7s %-9s  %s\n", jvpn_audit_property_name(i),
			jvpn_audit_property_verdict(report, i), jvpn_audit_property_meaning(i));
	fprintf(out, "%llu lines, %llu transitions of %llu sessions (%llu alive at the end)\n",
		(unsigned long long)report->lines, (unsigned long long)report->transitions,
		(unsigned long long)report->sessions, (unsigned long long)report->live);
	fprintf(out, "head %llu:%s\n", (unsigned long long)report->seq,
		jvpn_util_hex_encode(report->head, JVPN_AUDIT_HASH, hex));
	fprintf(out, "%s\n", jvpn_audit_report_refuted(report) ? "REFUTED" : "VERIFIED");
}

static json_t *jvpn_audit_findings_to_json(const struct jvpn_audit_findings *findings,
					   bool violations)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct jvpn_audit_finding *finding = &findings->list[i];

		json_array_append_new(list, json_pack("{s:s?, s:I, s:s*, s:s*, s:s?}",
			"file", finding->file, "line", (json_int_t)finding->line,
			"property", violations ? jvpn_audit_property_name(finding->property) : NULL,
			"session_id", *finding->session ? finding->session : NULL,
			"text", finding->text));
	}
	return list;
}

static json_t *jvpn_audit_properties_to_json(const struct jvpn_audit_report *report)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < JVPN_AUDIT_PROPERTIES; i++)
		json_object_set_new(object, jvpn_audit_property_name(i),
				    json_string(jvpn_audit_property_verdict(report, i)));
	return object;
}

json_t *jvpn_audit_report_to_json(const struct jvpn_audit_report *report)
{
	char hex[2 * JVPN_AUDIT_HASH + 1];

	jvpn_util_hex_encode(report->head, JVPN_AUDIT_HASH, hex);
	return json_pack("{s:b, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:O?, s:O?}",
		"verified", !jvpn_audit_report_refuted(report),
		"properties", jvpn_audit_properties_to_json(report),
		"violations", jvpn_audit_findings_to_json(&report->violations, true),
		"notes", jvpn_audit_findings_to_json(&report->notes, false),
		"lines", (json_int_t)report->lines,
		"transitions", (json_int_t)report->transitions,
		"sessions", (json_int_t)report->sessions,
		"live", (json_int_t)report->live,
		"lost", (json_int_t)report->lost,
		"missed", (json_int_t)report->missed,
		"seq", (json_int_t)report->seq,
		"head", hex,
		"refused", report->refused,
		"reasons", report->reasons);
}
