/* layout.h - where libedit puts the characters of a prompt and a line */
#ifndef HOST_LAYOUT_H
#define HOST_LAYOUT_H

#include <stddef.h>
#include <wchar.h>

/* A place on the screen, counted from the first row of the prompt. */
typedef struct host_place {
  int row, column;
} host_place;

/* A terminal's size. */
typedef struct host_size {
  int rows, columns;
} host_size;

/* The size of the terminal as libedit sees it. */
host_size host_size_of(int terminal);

/* Move `place` behind a text. */
void host_layout(host_place *place, const wchar_t *text, size_t length,
                 int columns);

/* The same for a prompt of host_wide_prompt(): what stands between two
 * HOST_LITERAL takes no place. */
void host_layout_prompt(host_place *place, const wchar_t *prompt, int columns);

/* Gives the prompt for libedit, in the locale in use. Its sequences, as ESC
 * [ 1 m, stand between two HOST_LITERAL. It has one row, and no other control
 * characters. NULL: out of memory. */
wchar_t *host_wide_prompt(const char *prompt);

/* Brackets the parts of a prompt that take no place. */
#define HOST_LITERAL L'\1'

#endif
