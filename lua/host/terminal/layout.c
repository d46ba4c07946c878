/* layout.c - where libedit puts the characters of a prompt and a line
 *
 * libedit does not tell where the cursor is, and output above the prompt must
 * know. So this file repeats the rules of libedit's display: a tab goes to the
 * next multiple of 8, a control character is shown as ^X, another one that
 * cannot be printed as \U+XXXX, a wide character that does not fit goes to the
 * next row, and after a character in the last column the cursor is in the next
 * row.
 */
#define _XOPEN_SOURCE 700 /* wcwidth() */

#include "terminal/layout.h"

#include "terminal/wide.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wctype.h>

enum { TAB = 8 };

host_size host_size_of(int terminal) {
  struct winsize size;
  host_size out = {24, 80};
  if (ioctl(terminal, TIOCGWINSZ, &size) < 0)
    return out;
  if (size.ws_col >= 2)
    out.columns = size.ws_col;
  if (size.ws_row >= 1)
    out.rows = size.ws_row;
  return out;
}

static void next_row(host_place *place) {
  place->row++;
  place->column = 0;
}

static void put_cell(host_place *place, int width, int columns) {
  if (place->column + width > columns)
    next_row(place);
  place->column += width;
  if (place->column >= columns)
    next_row(place);
}

/* The columns that libedit shows a character in. */
static int width_of(wchar_t c) {
  if (c < 0x100 && iswcntrl((wint_t)c))
    return 2; /* ^X */
  if (iswprint((wint_t)c)) {
    int width = wcwidth(c);
    return width < 0 ? 0 : width;
  }
  return c > 0xffff ? 8 : 7; /* \U+XXXXX */
}

static void put_row_text(host_place *place, wchar_t c, int columns) {
  int width = width_of(c);
  if (width <= 2) {
    put_cell(place, width, columns);
    return;
  }
  for (int i = 0; i < width; i++)
    put_cell(place, 1, columns);
}

void host_layout(host_place *place, const wchar_t *text, size_t length,
                 int columns) {
  for (size_t i = 0; i < length; i++) {
    wchar_t c = text[i];
    if (c == L'\n')
      next_row(place);
    else if (c != L'\t')
      put_row_text(place, c, columns);
    else
      do
        put_cell(place, 1, columns);
      while (place->column % TAB != 0);
  }
}

void host_layout_prompt(host_place *place, const wchar_t *prompt, int columns) {
  bool literal = false;
  for (const wchar_t *at = prompt; *at; at++)
    if (*at == HOST_LITERAL)
      literal = !literal;
    else if (!literal)
      host_layout(place, at, 1, columns);
}

/* The length of the sequence that a text begins with; 0: none. */
static size_t sequence_length(const wchar_t *text) {
  if (text[0] != L'\033' || text[1] != L'[')
    return 0;
  size_t n = 2;
  while (text[n] >= 0x20 && text[n] < 0x40)
    n++;
  return text[n] >= 0x40 && text[n] < 0x7f ? n + 1 : 0;
}

/* Insert bracketed sequences before the character at `place`. Those that stand
 * there already get longer: libedit wants a character behind each bracket. */
static size_t insert_literal(wchar_t *out, size_t length, size_t place,
                             const wchar_t *text, size_t count) {
  bool joins = place > 0 && out[place - 1] == HOST_LITERAL;
  size_t at = joins ? place - 1 : place, more = joins ? 0 : 1;
  wmemmove(out + at + count + 2 * more, out + at, length - at);
  out[at] = HOST_LITERAL;
  wmemcpy(out + at + more, text, count);
  out[at + more + count] = HOST_LITERAL;
  return length + count + 2 * more;
}

/* libedit drops control characters of a prompt, but host_layout() would count
 * them. Blanks become spaces. Returns 0 for a character that is left out. */
static wchar_t prompt_character(wchar_t c) {
  if (c == L'\n' || c == L'\t')
    return L' ';
  return wcwidth(c) < 0 ? 0 : c;
}

/* A sequence belongs to the character behind it, and those at the end to the
 * last character. */
wchar_t *host_wide_prompt(const char *prompt) {
  wchar_t *text = host_widen(prompt, false);
  size_t size = text ? 3 * wcslen(text) + 3 : 0;
  wchar_t *out = calloc(size + 1, sizeof *out);
  wchar_t *codes = calloc(size + 1, sizeof *codes);
  size_t length = 0, pending = 0, last = 0;
  for (const wchar_t *at = text; text && out && codes && *at;) {
    size_t n = sequence_length(at);
    wmemcpy(codes + pending, at, n);
    pending += n;
    at += n;
    if (n > 0)
      continue;
    wchar_t c = prompt_character(*at++);
    if (c == 0)
      continue;
    if (pending > 0)
      length = insert_literal(out, length, length, codes, pending);
    pending = 0;
    last = length;
    out[length++] = c;
  }
  if (pending > 0 && length > 0)
    insert_literal(out, length, last, codes, pending);
  bool ok = text && codes;
  free(text);
  free(codes);
  if (ok)
    return out;
  free(out);
  return NULL;
}
