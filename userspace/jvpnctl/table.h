/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPNCTL_TABLE_H
#define JVPNCTL_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS 16

/* A table for people: columns as wide as what is in them. */
struct table {
	size_t n_columns;
	size_t n_rows;
	char **cells;			/* the headings, then row by row */
};

/* Headings end with NULL. */
void table_init(struct table *table, const char *const *headings);
void table_free(struct table *table);
/* As many texts as there are headings; NULL is shown as "-". */
void table_add(struct table *table, const char *const *cells);
/* By the text of a column. */
void table_sort(struct table *table, size_t column);
void table_print(const struct table *table, FILE *out);

#endif
