/* candidates.c - completion of a word; see candidates.h */
#define _XOPEN_SOURCE 700 /* wcswidth() */

#include "prompt/candidates.h"

#include "prompt/above.h"
#include "terminal/layout.h"
#include "terminal/wide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2 }; /* between two columns */

size_t host_common_prefix(char *const *candidates) {
  size_t length = strlen(candidates[0]);
  for (size_t i = 1; candidates[i]; i++) {
    size_t same = 0;
    while (same < length && candidates[0][same] == candidates[i][same])
      same++;
    length = same;
  }
  /* In UTF-8, back to the beginning of a character. */
  while (length > 0 && ((unsigned char)candidates[0][length] & 0xc0) == 0x80)
    length--;
  return length;
}

static size_t width_of_candidate(const char *candidate) {
  wchar_t *wide = host_widen(candidate, false);
  int width = wide ? wcswidth(wide, wcslen(wide)) : -1;
  free(wide);
  return width < 0 ? strlen(candidate) : (size_t)width;
}

static void write_padded(int terminal, const char *text, size_t width) {
  static const char spaces[] = "                                ";
  host_write_all(terminal, text, strlen(text));
  for (size_t have = width_of_candidate(text); have < width;) {
    size_t n =
        width - have < sizeof spaces - 1 ? width - have : sizeof spaces - 1;
    host_write_all(terminal, spaces, n);
    have += n;
  }
}

/* Column by column, as ls does. */
static void write_table(int terminal, char *const *candidates, size_t count,
                        size_t columns, size_t width) {
  size_t rows = (count + columns - 1) / columns;
  for (size_t row = 0; row < rows; row++) {
    for (size_t i = row; i < count; i += rows)
      write_padded(terminal, candidates[i], i + rows < count ? width : 0);
    host_write_all(terminal, "\n", 1);
  }
}

void host_list_candidates(int terminal, char *const *candidates) {
  host_size size = host_size_of(terminal);
  size_t count = 0, width = GAP;
  for (; candidates[count]; count++) {
    size_t own = width_of_candidate(candidates[count]) + GAP;
    width = own > width ? own : width;
  }
  size_t columns = ((size_t)size.columns + GAP - 1) / width;
  columns = columns > 0 ? columns : 1;
  size_t rows = size.rows > 3 ? (size_t)size.rows - 2 : 1;
  size_t shown = count <= rows * columns ? count : rows * columns;
  write_table(terminal, candidates, shown, columns, width);
  if (shown < count) {
    char more[64];
    int n = snprintf(more, sizeof more, "… and %zu more\n", count - shown);
    host_write_all(terminal, more, (size_t)n);
  }
}

void host_free_candidates(char **candidates) {
  for (size_t i = 0; candidates && candidates[i]; i++)
    free(candidates[i]);
  free(candidates);
}
