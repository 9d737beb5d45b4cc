// SPDX-License-Identifier: GPL-2.0
/* The lines of an audit log: their form, their order, their chain. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit_replay.h"
#include "util.h"

#define SLACK_DEFAULT_MS 5000

struct jvpn_audit_link {
	uint64_t line;
	uint64_t seq;
	uint8_t hash[JVPN_AUDIT_HASH];
	bool known;
	bool malformed;			/* reported already; its seq is not known */
};

struct jvpn_audit_verifier {
	struct jvpn_audit_report *report;
	struct jvpn_audit_replay *replay;
	struct jvpn_audit_place place;
	uint64_t offset;		/* of the line in its file */
	struct jvpn_audit_link last;	/* the line before */
	struct jvpn_audit_link before;	/* and the one before that */
};

static void jvpn_audit_chain_first(struct jvpn_audit_verifier *v, uint64_t seq, const char *event)
{
	if (!event || strcmp(event, "AUDIT_OPEN"))
		jvpn_audit_report_violation(v->report, &v->place, JVPN_AUDIT_CHAIN, NULL,
			"a log begins with AUDIT_OPEN; its beginning is missing");
	if (seq == 1)
		return;
	jvpn_audit_report_note(v->report, &v->place, NULL,
			       "the log begins at seq %llu: what was before is in an earlier file",
			       (unsigned long long)seq);
	jvpn_audit_replay_continues(v->replay);
}

static bool jvpn_audit_chain_fits(const struct jvpn_audit_verifier *v,
				  const struct jvpn_audit_link *link,
				  const uint8_t prev[JVPN_AUDIT_HASH])
{
	/* A foreign line has no number; a line that was made malformed had one. */
	if (v->last.malformed)
		return link->seq == v->last.seq + 1 || link->seq == v->last.seq + 2;
	return link->seq == v->last.seq + 1 && !memcmp(prev, v->last.hash, JVPN_AUDIT_HASH);
}

/* Says what happened to a line whose seq or prev does not fit. True if it is to be replayed. */
static bool jvpn_audit_chain_break(struct jvpn_audit_verifier *v,
				   const struct jvpn_audit_link *link,
				   const uint8_t prev[JVPN_AUDIT_HASH])
{
	struct jvpn_audit_report *report = v->report;
	struct jvpn_audit_place earlier = { v->place.file, v->last.line };

	if (!memcmp(link->hash, v->last.hash, sizeof(link->hash))) {
		jvpn_audit_report_violation(report, &v->place, JVPN_AUDIT_CHAIN, NULL,
			"the line is doubled: the same as line %llu",
			(unsigned long long)v->last.line);
		return false;
	}
	if (v->before.known && link->seq == v->before.seq + 1 &&
	    !memcmp(prev, v->before.hash, sizeof(v->before.hash))) {
		jvpn_audit_report_violation(report, &earlier, JVPN_AUDIT_CHAIN, NULL,
			"the line was inserted: line %llu follows on line %llu",
			(unsigned long long)v->place.line, (unsigned long long)v->before.line);
		return true;
	}
	if (link->seq == v->last.seq + 1) {
		jvpn_audit_report_violation(report, &earlier, JVPN_AUDIT_CHAIN, NULL,
			"the line was altered: line %llu carries another hash of it",
			(unsigned long long)v->place.line);
		return true;
	}
	if (link->seq > v->last.seq) {
		jvpn_audit_report_violation(report, &v->place, JVPN_AUDIT_CHAIN, NULL,
			"%llu line%s removed before this one: seq goes from %llu to %llu",
			(unsigned long long)(link->seq - v->last.seq - 1),
			link->seq - v->last.seq == 2 ? " was" : "s were",
			(unsigned long long)v->last.seq, (unsigned long long)link->seq);
		return true;
	}
	jvpn_audit_report_violation(report, &v->place, JVPN_AUDIT_CHAIN, NULL,
		"the line is doubled or moved: seq goes back from %llu to %llu",
		(unsigned long long)v->last.seq, (unsigned long long)link->seq);
	return false;
}

static void jvpn_audit_chain_advance(struct jvpn_audit_verifier *v,
				     const struct jvpn_audit_link *link)
{
	v->before = v->last;
	v->last = *link;
	v->report->seq = link->seq;
	memcpy(v->report->head, link->hash, sizeof(v->report->head));
}

/* True if the record is to be replayed. */
static bool jvpn_audit_chain_check(struct jvpn_audit_verifier *v, const json_t *record,
				   const char *line, size_t length)
{
	const char *prev_text = json_string_value(json_object_get(record, "prev"));
	const json_t *seq = json_object_get(record, "seq");
	struct jvpn_audit_link link = { .line = v->place.line, .known = true };
	uint8_t prev[JVPN_AUDIT_HASH];

	jvpn_audit_hash_line(line, length, link.hash);
	link.seq = json_is_integer(seq) ? (uint64_t)json_integer_value(seq) : v->last.seq;
	if (!json_is_integer(seq) || !prev_text ||
	    !jvpn_util_hex_decode(prev_text, prev, sizeof(prev))) {
		jvpn_audit_report_violation(v->report, &v->place, JVPN_AUDIT_FORMAT, NULL,
			record ? "seq or prev is missing or malformed" : "not a JSON object");
		link.malformed = true;
		jvpn_audit_chain_advance(v, &link);
		return false;
	}
	if (!v->last.known) {
		jvpn_audit_chain_first(v, link.seq,
				       json_string_value(json_object_get(record, "event")));
	} else if (!jvpn_audit_chain_fits(v, &link, prev) &&
		   !jvpn_audit_chain_break(v, &link, prev)) {
		return false;
	}
	jvpn_audit_chain_advance(v, &link);
	return true;
}

/* AUDIT_OPEN names where it stands, so that a log cannot be cut at its beginning. */
static void jvpn_audit_open_check(struct jvpn_audit_verifier *v, const json_t *record)
{
	const char *event = json_string_value(json_object_get(record, "event"));
	const json_t *details = json_object_get(record, "details");
	const json_t *offset = json_object_get(details, "offset");
	const json_t *torn = json_object_get(details, "torn_bytes");

	if (!event || strcmp(event, "AUDIT_OPEN"))
		return;
	if (json_is_integer(offset) && (uint64_t)json_integer_value(offset) != v->offset)
		jvpn_audit_report_violation(v->report, &v->place, JVPN_AUDIT_CHAIN, NULL,
			"the record was written at octet %lld of its file and stands at %llu: "
			"something before it was removed or added",
			(long long)json_integer_value(offset), (unsigned long long)v->offset);
	if (json_is_integer(torn))
		jvpn_audit_report_note(v->report, &v->place, NULL,
			"a torn last line of %lld octets was cut off when the log was continued",
			(long long)json_integer_value(torn));
}

static void jvpn_audit_line_verify(struct jvpn_audit_verifier *v, const char *line, size_t length)
{
	json_t *record = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);

	v->report->lines++;
	if (!json_is_object(record)) {
		json_decref(record);
		record = NULL;
	}
	if (jvpn_audit_chain_check(v, record, line, length)) {
		jvpn_audit_open_check(v, record);
		jvpn_audit_replay_record(v->replay, &v->place, record);
	}
	json_decref(record);
}

/* A last line without its end: a crash while it was written, or a cut file. */
static void jvpn_audit_tail_verify(struct jvpn_audit_verifier *v, const char *line, size_t length)
{
	json_t *record = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(record))
		jvpn_audit_line_verify(v, line, length);
	jvpn_audit_report_note(v->report, &v->place, NULL, json_is_object(record) ?
		"the last line lacks its newline" :
		"the last line is torn after %zu octets; what it said is unknown", length);
	json_decref(record);
}

static int jvpn_audit_stream_verify(struct jvpn_audit_verifier *v, FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	v->place.line = 0;
	v->offset = 0;
	while ((n = getline(&line, &size, file)) > 0) {
		v->place.line++;
		if (line[n - 1] == '\n')
			jvpn_audit_line_verify(v, line, (size_t)n - 1);
		else
			jvpn_audit_tail_verify(v, line, (size_t)n);
		v->offset += (uint64_t)n;
	}
	free(line);
	return ferror(file) ? -1 : 0;
}

static int jvpn_audit_file_verify(struct jvpn_audit_verifier *v, const char *path, char *err,
				  size_t err_size)
{
	bool standard = !strcmp(path, "-");
	FILE *file;
	int ret;

	errno = 0;
	file = standard ? stdin : fopen(path, "re");
	v->place.file = standard ? "(standard input)" : path;
	ret = file ? jvpn_audit_stream_verify(v, file) : -1;
	if (ret)
		snprintf(err, err_size, "cannot read %s: %s", v->place.file, strerror(errno));
	if (file && !standard)
		fclose(file);
	return ret;
}

static void jvpn_audit_head_check(struct jvpn_audit_verifier *v,
				  const struct jvpn_audit_verify_options *options)
{
	const struct jvpn_audit_report *report = v->report;

	if (!options || !options->has_head)
		return;
	if (report->seq < options->head_seq)
		jvpn_audit_report_violation(v->report, &v->place, JVPN_AUDIT_CHAIN, NULL,
			"the log was cut after this line: it ends at seq %llu, the head is %llu",
			(unsigned long long)report->seq, (unsigned long long)options->head_seq);
	else if (report->seq > options->head_seq)
		jvpn_audit_report_violation(v->report, &v->place, JVPN_AUDIT_CHAIN, NULL,
			"the log goes on to seq %llu, beyond the head at seq %llu",
			(unsigned long long)report->seq, (unsigned long long)options->head_seq);
	else if (memcmp(report->head, options->head, sizeof(report->head)))
		jvpn_audit_report_violation(v->report, &v->place, JVPN_AUDIT_CHAIN, NULL,
			"the last line was altered: its hash is not that of the head");
}

int jvpn_audit_verify(const char *const *files, size_t n_files,
		      const struct jvpn_audit_verify_options *options,
		      struct jvpn_audit_report *report, char *err, size_t err_size)
{
	struct jvpn_audit_verifier v = { .report = report };
	int ret = 0;

	memset(report, 0, sizeof(*report));
	report->refused = json_object();
	report->reasons = json_object();
	v.replay = jvpn_audit_replay_new(report, options && options->slack_ms ?
					 options->slack_ms : SLACK_DEFAULT_MS);
	if (!v.replay || !report->refused || !report->reasons) {
		snprintf(err, err_size, "out of memory");
		jvpn_audit_replay_free(v.replay);
		return -1;
	}
	for (size_t i = 0; i < n_files && !ret; i++)
		ret = jvpn_audit_file_verify(&v, files[i], err, err_size);
	if (!ret && !report->lines)
		jvpn_audit_report_violation(report, &v.place, JVPN_AUDIT_FORMAT, NULL,
					    "the log is empty: not even AUDIT_OPEN is there");
	jvpn_audit_head_check(&v, options);
	jvpn_audit_replay_end(v.replay, &v.place);
	jvpn_audit_replay_free(v.replay);
	return ret;
}
