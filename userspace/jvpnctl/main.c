// SPDX-License-Identifier: GPL-2.0
/* Finds the verb, reads its options, runs it. */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "util.h"

const struct ctl_verb *const ctl_verbs[] = {
	&ctl_verb_init_gateway,
	&ctl_verb_init_client,
	&ctl_verb_peer_add,
	&ctl_verb_peer_remove,
	&ctl_verb_peer_list,
	&ctl_verb_genkey,
	&ctl_verb_pubkey,
	&ctl_verb_genpsk,
	&ctl_verb_session_list,
	&ctl_verb_session_show,
	&ctl_verb_session_explain,
	&ctl_verb_session_jump,
	&ctl_verb_session_terminate,
	&ctl_verb_session_watch,
	&ctl_verb_transport_list,
	&ctl_verb_policy_list,
	&ctl_verb_events,
	&ctl_verb_audit_verify,
	&ctl_verb_config_check,
	&ctl_verb_status,
	&ctl_verb_reload,
	&ctl_verb_up,
	&ctl_verb_down,
	NULL,
};

/* Options of all verbs. getopt gives their numbers; those of a verb follow. */
enum {
	OPTION_SOCKET = 256,
	OPTION_JSON,
	OPTION_VERSION,
	OPTION_VERB,
};

#define COMMON 5
static const struct option ctl_common[COMMON] = {
	{ "device", required_argument, NULL, 'i' },
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
};

static const char ctl_common_help[] =
	"  -i, --device DEV     the jvpn device, if there are several\n"
	"      --socket PATH    control socket (default /run/jvpn/DEV.sock)\n"
	"      --json           for programs\n"
	"  -h, --help           this text\n";

static void ctl_verb_name(const struct ctl_verb *verb, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", verb->group ? verb->group : "", verb->group ? " " : "",
		 verb->name);
}

static void ctl_help_all(FILE *out)
{
	char name[64];

	fprintf(out, "usage: jvpnctl [OPTION]... VERB [ARGUMENT]...\n\n");
	for (size_t i = 0; ctl_verbs[i]; i++) {
		ctl_verb_name(ctl_verbs[i], name, sizeof(name));
		fprintf(out, "  %-18s %s\n", name, ctl_verbs[i]->summary);
	}
	fprintf(out, "\n%s      --version        of the program\n\n"
		"'jvpnctl VERB --help' tells more about a verb; see also jvpnctl(8).\n",
		ctl_common_help);
}

static void ctl_help_option(const struct ctl_option *option, FILE *out)
{
	char text[64];

	if (option->letter)
		snprintf(text, sizeof(text), "-%c, --%s", option->letter, option->name);
	else
		snprintf(text, sizeof(text), "    --%s", option->name);
	if (option->value)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s", option->value);
	fprintf(out, "  %-20s %s\n", text, option->help);
}

static void ctl_help_verb(const struct ctl_verb *verb, FILE *out)
{
	char name[64];

	ctl_verb_name(verb, name, sizeof(name));
	fprintf(out, "usage: jvpnctl %s [OPTION]...%s%s\n\n%s.\n", name,
		*verb->arguments ? " " : "", verb->arguments, verb->summary);
	if (verb->help)
		fprintf(out, "%s\n", verb->help);
	fprintf(out, "\n");
	for (const struct ctl_option *option = verb->options; option && option->name; option++)
		ctl_help_option(option, out);
	fputs(ctl_common_help, out);
}

/* Verbs. */

static const struct ctl_verb *ctl_verb_find(const char *first, const char *second, int *used)
{
	for (size_t i = 0; ctl_verbs[i]; i++) {
		const struct ctl_verb *verb = ctl_verbs[i];

		if (!verb->group && !strcmp(verb->name, first)) {
			*used = 1;
			return verb;
		}
		if (verb->group && !strcmp(verb->group, first) && second &&
		    !strcmp(verb->name, second)) {
			*used = 2;
			return verb;
		}
	}
	return NULL;
}

static bool ctl_group_known(const char *group)
{
	for (size_t i = 0; ctl_verbs[i]; i++)
		if (ctl_verbs[i]->group && !strcmp(ctl_verbs[i]->group, group))
			return true;
	return false;
}

static void ctl_group_help(const char *group, FILE *out)
{
	for (size_t i = 0; ctl_verbs[i]; i++)
		if (ctl_verbs[i]->group && !strcmp(ctl_verbs[i]->group, group))
			fprintf(out, "  jvpnctl %s %-10s %s\n", group, ctl_verbs[i]->name,
				ctl_verbs[i]->summary);
}

static const char *ctl_word_guess(const char *word, const char *group)
{
	const char *words[64];
	size_t count = 0;

	for (size_t i = 0; ctl_verbs[i] && count + 1 < JVPN_ARRAY_SIZE(words); i++) {
		const struct ctl_verb *verb = ctl_verbs[i];

		if (!group)
			words[count++] = verb->group ? verb->group : verb->name;
		else if (verb->group && !strcmp(verb->group, group))
			words[count++] = verb->name;
	}
	words[count] = NULL;
	return jvpn_util_nearest(word, words);
}

static int ctl_verb_unknown(const struct ctl *ctl, const char *first, const char *second)
{
	bool group = ctl_group_known(first);
	const char *word = group ? second : first;
	const char *guess = word ? ctl_word_guess(word, group ? first : NULL) : NULL;

	if (group && !second) {
		fprintf(stderr, "jvpnctl: '%s' needs a verb:\n", first);
		ctl_group_help(first, stderr);
		return CTL_USAGE;
	}
	return ctl_fail(ctl, CTL_USAGE, "USAGE",
			"unknown verb '%s%s%s'%s%s%s; see 'jvpnctl --help'",
			first, group ? " " : "", group ? second : "",
			guess ? "; did you mean '" : "", guess ? guess : "", guess ? "'?" : "");
}

/* Options. */

static void ctl_options_make(const struct ctl_verb *verb, struct option *longs, char *shorts)
{
	size_t count = COMMON, used;

	memcpy(longs, ctl_common, sizeof(ctl_common));
	strcpy(shorts, "i:h");
	used = strlen(shorts);
	for (size_t i = 0; verb && verb->options && verb->options[i].name; i++) {
		const struct ctl_option *option = &verb->options[i];

		longs[count++] = (struct option) {
			option->name, option->value ? required_argument : no_argument, NULL,
			OPTION_VERB + (int)i,
		};
		if (option->letter)
			shorts[used++] = option->letter;
		if (option->letter && option->value)
			shorts[used++] = ':';
	}
	shorts[used] = '\0';
	longs[count] = (struct option) { };
}

static int ctl_option_index(const struct ctl_verb *verb, int found)
{
	if (found >= OPTION_VERB)
		return found - OPTION_VERB;
	for (int i = 0; verb && verb->options && verb->options[i].name; i++)
		if (verb->options[i].letter == found)
			return i;
	return -1;
}

/* Returns -1 to go on, or an exit code. */
static int ctl_option_take(struct ctl *ctl, int found)
{
	int index;

	switch (found) {
	case 'i':
		ctl->device = optarg;
		return -1;
	case OPTION_SOCKET:
		ctl->socket = optarg;
		return -1;
	case OPTION_JSON:
		ctl->json = true;
		return -1;
	case 'h':
		if (ctl->verb)
			ctl_help_verb(ctl->verb, stdout);
		else
			ctl_help_all(stdout);
		return ctl_finish();
	case OPTION_VERSION:
		printf("jvpnctl %s\n", JVPN_VERSION);
		return ctl_finish();
	default:
		break;
	}
	index = ctl_option_index(ctl->verb, found);
	if (index < 0)
		return CTL_USAGE;
	ctl->given[index] = optarg ? optarg : "";
	return -1;
}

/* Stops at the first argument if there is no verb yet, else takes them wherever they stand. */
static int ctl_options_parse(struct ctl *ctl, int argc, char **argv)
{
	struct option longs[COMMON + CTL_OPTIONS_MAX + 1];
	char shorts[64] = "+", *letters = ctl->verb ? shorts : shorts + 1;
	int found, status;

	ctl_options_make(ctl->verb, longs, letters);
	optind = 0;
	while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		status = ctl_option_take(ctl, found);
		if (status >= 0)
			return status;
	}
	return -1;
}

const char *ctl_option(const struct ctl *ctl, const char *name)
{
	for (size_t i = 0; ctl->verb->options && ctl->verb->options[i].name; i++)
		if (!strcmp(ctl->verb->options[i].name, name))
			return ctl->given[i];
	return NULL;
}

bool ctl_option_number(struct ctl *ctl, const char *name, unsigned long long least,
		       unsigned long long most, unsigned long long usual,
		       unsigned long long *number)
{
	const char *text = ctl_option(ctl, name);
	uint64_t value = usual;

	if (text && (!jvpn_util_number_parse(text, most, &value) || value < least)) {
		ctl_fail(ctl, CTL_USAGE, "USAGE", "--%s: '%s' is not a number from %llu to %llu",
			 name, text, least, most);
		return false;
	}
	*number = value;
	return true;
}

/* Failures and output. */

int ctl_fail(const struct ctl *ctl, enum ctl_exit status, const char *code,
	     const char *format, ...)
{
	char *message = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	va_end(args);
	if (ctl->json)
		ctl_print_json(json_pack("{s:{s:s, s:s}}", "error", "code", code, "message",
					 message ? message : "out of memory"));
	else
		fprintf(stderr, "jvpnctl: %s\n", message ? message : "out of memory");
	free(message);
	return status;
}

static int ctl_print(json_t *json, size_t flags)
{
	int ret = json ? json_dumpf(json, stdout, flags | JSON_PRESERVE_ORDER) : -1;

	json_decref(json);
	putchar('\n');
	return ret || fflush(stdout) ? CTL_FAILED : CTL_OK;
}

int ctl_print_json(json_t *json)
{
	return ctl_print(json, JSON_INDENT(2));
}

int ctl_print_json_line(json_t *json)
{
	return ctl_print(json, JSON_COMPACT);
}

int ctl_finish(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return CTL_OK;
	fprintf(stderr, "jvpnctl: cannot write to standard output\n");
	return CTL_FAILED;
}

static int ctl_arguments_check(const struct ctl *ctl)
{
	const struct ctl_verb *verb = ctl->verb;
	char name[64];

	ctl_verb_name(verb, name, sizeof(name));
	if (ctl->n_arguments < verb->least)
		return ctl_fail(ctl, CTL_USAGE, "USAGE",
				"an argument is missing; usage: jvpnctl %s %s", name,
				verb->arguments);
	if (verb->most >= 0 && ctl->n_arguments > verb->most)
		return ctl_fail(ctl, CTL_USAGE, "USAGE", "'%s' is too much; usage: jvpnctl %s %s",
				ctl->arguments[verb->most], name, verb->arguments);
	return CTL_OK;
}

static int ctl_verb_run(struct ctl *ctl, int argc, char **argv)
{
	int status = ctl_options_parse(ctl, argc, argv);

	if (status >= 0)
		return status;
	ctl->arguments = argv + optind;
	ctl->n_arguments = argc - optind;
	status = ctl_arguments_check(ctl);
	return status ? status : ctl->verb->run(ctl);
}

int main(int argc, char **argv)
{
	struct ctl ctl = { };
	int status, used = 0;

	signal(SIGPIPE, SIG_IGN);
	status = ctl_options_parse(&ctl, argc, argv);
	if (status >= 0)
		return status;
	argc -= optind;
	argv += optind;
	if (!argc) {
		ctl_help_all(stderr);
		return CTL_USAGE;
	}
	ctl.verb = ctl_verb_find(argv[0], argv[1], &used);
	if (!ctl.verb && ctl_group_known(argv[0]) && argv[1] &&
	    (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		ctl_group_help(argv[0], stdout);
		return ctl_finish();
	}
	if (!ctl.verb)
		return ctl_verb_unknown(&ctl, argv[0], argv[1]);
	/* getopt takes the last word of the verb for the program's name. */
	argv[used - 1] = (char *)"jvpnctl";
	return ctl_verb_run(&ctl, argc - used + 1, argv + used - 1);
}
