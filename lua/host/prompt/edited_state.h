/* edited_state.h - what edited.c and tab.c share: the state of an editor */
#ifndef HOST_EDITED_STATE_H
#define HOST_EDITED_STATE_H

#include "prompt/above.h"
#include "prompt/edited.h"
#include "prompt/libedit.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <wchar.h>

struct host_edited {
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
};

/* The one editor of the process: for libedit's callbacks, and at its exit. */
extern host_edited *host_edited_current;

/* Let the caller's code run: give up the terminal and the locale. */
void host_edited_go_out(host_edited *e);
/* Take both back. Draws the line again if it was erased. */
void host_edited_come_in(host_edited *e);

/* Draw the line. The cursor is at the start of an empty row. */
void host_edited_draw(host_edited *e);
/* Move below the line, after writing `mark` at its end. */
void host_edited_leave_line(host_edited *e, const char *mark);

/* The function of the Tab key, for libedit. */
unsigned char host_edited_complete(void *el, wint_t key);

#endif
