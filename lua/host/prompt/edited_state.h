/* edited_state.h - the state of an editor, which edited.c, line.c and tab.c
 * share */
#ifndef HOST_EDITED_STATE_H
#define HOST_EDITED_STATE_H

#include "prompt/above.h"
#include "prompt/calls.h"
#include "prompt/libedit.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <wchar.h>

typedef struct host_edited {
  host_editor_calls calls;
  const host_libedit *lib;
  void *el;          /* EditLine * */
  void *history;     /* HistoryW * */
  char *path;        /* of the history file, or NULL */
  char *latest;      /* the last entry, or NULL */
  bool noted;        /* that the file cannot be used */
  host_above *above; /* NULL: descriptors or memory were short */
  int terminal;      /* a descriptor of our own: 1 is redirected in a read */
  FILE *out;         /* on that descriptor, for libedit */
  bool wraps_late;   /* terminfo's xenl: see start_row() */
  int wake[2];       /* a pipe: something is to be done */
  locale_t locale;

  /* of a read */
  bool reading;
  wchar_t *prompt;
  int columns;      /* of the terminal, when the line was drawn */
  int code;         /* how `wait` ended the read; 0: it did not */
  locale_t outside; /* the caller's locale */
  mbstate_t state;  /* of a character whose bytes are not all there yet */
  char *line;       /* the result */
} host_edited;

#endif
