/* editor.c - reads the lines of the prompt: edited ones, or plain ones
 *
 * See editor.h; edited.c and plain.c do the work.
 */
#include "prompt/editor.h"

#include "prompt/edited.h"
#include "prompt/plain.h"
#include "terminal/terminal.h"

#include <stdio.h>
#include <stdlib.h>

struct host_editor {
  host_editor_calls calls;
  host_edited *edited; /* NULL: plain lines */
  host_plain plain;
};

void host_editor_prepare(void) {
  setvbuf(stdin, NULL, _IONBF, 0);
  host_terminal_prepare();
}

host_editor *host_editor_open(const host_editor_calls *calls,
                              const char *history_path) {
  host_editor *e = calloc(1, sizeof *e);
  if (!e)
    return NULL;
  e->calls = *calls;
  e->edited = host_edited_open(calls, history_path);
  return e;
}

int host_editor_read(host_editor *e, const char *prompt, const char **line,
                     size_t *length) {
  *line = NULL;
  *length = 0;
  if (e->edited)
    return host_edited_read(e->edited, prompt, line, length);
  return host_plain_read(&e->plain, &e->calls, prompt, line, length);
}

void host_editor_remember(host_editor *e, const char *entry) {
  if (e->edited)
    host_edited_remember(e->edited, entry);
}

void host_editor_close(host_editor *e) {
  if (!e)
    return;
  if (e->edited)
    host_edited_close(e->edited);
  free(e->plain.line);
  free(e);
}
