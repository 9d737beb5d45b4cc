/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_CONFIG_READ_H
#define JVPN_CONFIG_READ_H

/*
 * How a YAML document becomes struct jvpn_config. Every mapping of the schema is a
 * table of keys; a key names its reader. The readers never stop at an error: they
 * record it with its position and go on, so that one run shows them all.
 *
 * Private to the config*.c files.
 */

#include <yaml.h>

#include "config.h"
#include "util.h"

struct jvpn_config_reader {
	yaml_document_t document;
	struct jvpn_config *config;
	struct jvpn_config_errors *errors;
	unsigned int flags;
	char path[512];			/* of the field that is being read */
	bool no_memory;
	bool exposed;			/* others can read the file */
	bool key_given;			/* it holds private_key */
};

struct jvpn_config_key;

typedef void (*jvpn_config_read_fn)(struct jvpn_config_reader *reader, yaml_node_t *node,
				    const struct jvpn_config_key *key, void *field);

struct jvpn_config_key {
	const char *name;
	jvpn_config_read_fn read;
	size_t offset;			/* of the field in the target */
	bool required;
	size_t size;			/* texts: room, NUL included */
	uint64_t min;			/* numbers: range; lists: least elements */
	uint64_t max;			/* numbers: range; lists: most elements */
	const char *const *words;	/* enums: ends with NULL */
	const char *allowed;
	const char *example;
};

/* A list is a pointer with its count beside it. */
struct jvpn_config_list {
	void *items;
	size_t count;
};

/* Enter a field; returns what jvpn_config_path_leave() needs. name may be NULL. */
size_t jvpn_config_path_enter(struct jvpn_config_reader *reader, const char *name);
size_t jvpn_config_path_enter_index(struct jvpn_config_reader *reader, size_t index);
void jvpn_config_path_leave(struct jvpn_config_reader *reader, size_t mark);

/* Record an error at node, in the current field. allowed and example may be NULL. */
__attribute__((format(printf, 5, 6)))
void jvpn_config_refuse(struct jvpn_config_reader *reader, const yaml_node_t *node,
			const char *allowed, const char *example, const char *format, ...);
/* The same with what the key says is allowed. */
__attribute__((format(printf, 4, 5)))
void jvpn_config_refuse_key(struct jvpn_config_reader *reader, const yaml_node_t *node,
			    const struct jvpn_config_key *key, const char *format, ...);
/* An error without a node. */
void jvpn_config_error_add(struct jvpn_config_errors *errors, unsigned int line,
			   unsigned int column, const char *field, const char *problem,
			   const char *allowed, const char *example);

/* Allocation that records its own failure. Zeroed. */
void *jvpn_config_alloc(struct jvpn_config_reader *reader, size_t count, size_t size);

/* The value of a key, or NULL. */
yaml_node_t *jvpn_config_find(struct jvpn_config_reader *reader, yaml_node_t *map,
			      const char *name);
/* The value of a key, or the mapping itself: a place to report an error at. */
yaml_node_t *jvpn_config_place(struct jvpn_config_reader *reader, yaml_node_t *map,
			       const char *name);
size_t jvpn_config_length(const yaml_node_t *sequence);
yaml_node_t *jvpn_config_item(struct jvpn_config_reader *reader, yaml_node_t *sequence,
			      size_t index);

/* What was found, for messages: "the text 'x'", "a list", ... Returns buf. */
const char *jvpn_config_describe(const yaml_node_t *node, char *buf, size_t size);

/*
 * Read all keys of a mapping into target. Reports unknown, doubled and missing
 * keys. False if node is no mapping. keys ends with a NULL name.
 */
bool jvpn_config_read_map(struct jvpn_config_reader *reader, yaml_node_t *node,
			  const struct jvpn_config_key *keys, void *target);

/* True, with the text, if node is a non-empty scalar; else the error is recorded. */
bool jvpn_config_scalar(struct jvpn_config_reader *reader, yaml_node_t *node,
			const struct jvpn_config_key *key, const char **text);
bool jvpn_config_sequence(struct jvpn_config_reader *reader, yaml_node_t *node,
			  const struct jvpn_config_key *key);

/* A zeroed list as long as the sequence, its pointer and count stored in field too. */
bool jvpn_config_list_make(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, size_t item_size, void *field,
			   struct jvpn_config_list *list);

/* Readers. Field types stand beside them. */
void jvpn_config_read_text(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, void *field);	/* char[size] */
void jvpn_config_read_name(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, void *field);	/* char[size] */
void jvpn_config_read_ifname(struct jvpn_config_reader *reader, yaml_node_t *node,
			     const struct jvpn_config_key *key, void *field);	/* char[size] */
void jvpn_config_read_path(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, void *field);	/* char[PATH_MAX] */
void jvpn_config_read_u32(struct jvpn_config_reader *reader, yaml_node_t *node,
			  const struct jvpn_config_key *key, void *field);	/* uint32_t */
void jvpn_config_read_u16(struct jvpn_config_reader *reader, yaml_node_t *node,
			  const struct jvpn_config_key *key, void *field);	/* uint16_t */
void jvpn_config_read_enum(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, void *field);	/* enum */
void jvpn_config_read_public_key(struct jvpn_config_reader *reader, yaml_node_t *node,
				 const struct jvpn_config_key *key, void *field); /* uint8_t[32] */
void jvpn_config_read_addr(struct jvpn_config_reader *reader, yaml_node_t *node,
			   const struct jvpn_config_key *key, void *field);	/* jvpn_addr */
void jvpn_config_read_prefixes(struct jvpn_config_reader *reader, yaml_node_t *node,
			       const struct jvpn_config_key *key, void *field);	/* list */
void jvpn_config_read_networks(struct jvpn_config_reader *reader, yaml_node_t *node,
			       const struct jvpn_config_key *key, void *field);	/* list */
void jvpn_config_read_hosts(struct jvpn_config_reader *reader, yaml_node_t *node,
			    const struct jvpn_config_key *key, void *field);	/* list */
void jvpn_config_read_policy_ref(struct jvpn_config_reader *reader, yaml_node_t *node,
				 const struct jvpn_config_key *key, void *field); /* pointer */

/* A number within [min, max], or false with the error recorded. */
bool jvpn_config_number(struct jvpn_config_reader *reader, yaml_node_t *node,
			const struct jvpn_config_key *key, uint64_t *value);

/* A pre-shared or private key from the file that node names. False on error. */
bool jvpn_config_key_file(struct jvpn_config_reader *reader, yaml_node_t *node,
			  const struct jvpn_config_key *key, const char *path, uint8_t *secret);

/* "./x" in /etc/jvpn/gateway.yaml is /etc/jvpn/x. False if it does not fit. */
bool jvpn_config_path_resolve(const struct jvpn_config_reader *reader, const char *text,
			      char *path, size_t size);

/*
 * Report every element of a sequence whose text equals that of an earlier one.
 * text_of returns the bytes that count, or NULL for "compare with none".
 */
typedef const void *(*jvpn_config_bytes_fn)(const void *item, size_t *size);
void jvpn_config_unique(struct jvpn_config_reader *reader, yaml_node_t *sequence,
			const struct jvpn_config_list *list, size_t item_size,
			jvpn_config_bytes_fn bytes_of, const char *name);

/* The sections. */
void jvpn_config_read_policies(struct jvpn_config_reader *reader, yaml_node_t *node);
void jvpn_config_read_gateway(struct jvpn_config_reader *reader, yaml_node_t *node,
			      const struct jvpn_config_key *key, void *field);
void jvpn_config_read_client(struct jvpn_config_reader *reader, yaml_node_t *node,
			     const struct jvpn_config_key *key, void *field);
/* One element of gateway.peers, also in a file of its own. */
void jvpn_config_read_peer(struct jvpn_config_reader *reader, yaml_node_t *node,
			   struct jvpn_config_peer *peer);
/* Those of gateway.peers_dir; the section has been read. */
void jvpn_config_read_peer_files(struct jvpn_config_reader *reader);
void jvpn_config_refuse_yaml(struct jvpn_config_reader *reader, const yaml_parser_t *parser);
/* The errors from the first on are those of another file. */
void jvpn_config_errors_place(struct jvpn_config_errors *errors, size_t first, const char *file);
/* What needs both sections, device and gateway. */
void jvpn_config_check_networks(struct jvpn_config_reader *reader, yaml_node_t *root);
void jvpn_config_defaults_gateway(struct jvpn_config *config);
void jvpn_config_defaults_client(struct jvpn_config *config);
void jvpn_config_free_gateway(struct jvpn_config_gateway *gateway);
void jvpn_config_free_client(struct jvpn_config_client *client);

#endif /* JVPN_CONFIG_READ_H */
