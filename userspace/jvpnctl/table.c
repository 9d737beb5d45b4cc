// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "util.h"

void table_init(struct table *table, const char *const *headings)
{
	memset(table, 0, sizeof(*table));
	while (headings[table->n_columns] && table->n_columns < TABLE_COLUMNS)
		table->n_columns++;
	table_add(table, headings);
	table->n_rows = 0;
}

void table_free(struct table *table)
{
	for (size_t i = 0; table->cells && i < (table->n_rows + 1) * table->n_columns; i++)
		free(table->cells[i]);
	free(table->cells);
	memset(table, 0, sizeof(*table));
}

static void *table_must(void *memory)
{
	if (memory)
		return memory;
	fputs("jvpnctl: out of memory\n", stderr);
	exit(1);
}

void table_add(struct table *table, const char *const *cells)
{
	size_t first = table->cells ? (table->n_rows + 1) * table->n_columns : 0;

	table->cells = table_must(realloc(table->cells,
					  (first + table->n_columns) * sizeof(*table->cells)));
	for (size_t i = 0; i < table->n_columns; i++) {
		const char *text = cells[i] && *cells[i] ? cells[i] : "-";

		table->cells[first + i] = jvpn_util_text_clean(table_must(strdup(text)));
	}
	table->n_rows++;
}

static int table_compare(const void *a, const void *b, void *column)
{
	return strcmp(((char *const *)a)[*(size_t *)column], ((char *const *)b)[*(size_t *)column]);
}

void table_sort(struct table *table, size_t column)
{
	qsort_r(table->cells + table->n_columns, table->n_rows,
		table->n_columns * sizeof(*table->cells), table_compare, &column);
}

static size_t table_width(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t row = 0; row <= table->n_rows; row++) {
		size_t length = strlen(table->cells[row * table->n_columns + column]);

		if (length > width)
			width = length;
	}
	return width;
}

void table_print(const struct table *table, FILE *out)
{
	int widths[TABLE_COLUMNS];

	for (size_t column = 0; column < table->n_columns; column++)
		widths[column] = (int)table_width(table, column);
	for (size_t row = 0; row <= table->n_rows; row++) {
		char **cells = table->cells + row * table->n_columns;

		for (size_t column = 0; column + 1 < table->n_columns; column++)
			fprintf(out, "%-*s  ", widths[column], cells[column]);
		fprintf(out, "%s\n", cells[table->n_columns - 1]);
	}
}
