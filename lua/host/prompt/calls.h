/* calls.h - what the editor asks of its caller, and how a read ends */
#ifndef HOST_CALLS_H
#define HOST_CALLS_H

#include <stddef.h>

/* How a read ends. The caller's `wait` gives negative codes of its own, below
 * HOST_EDITOR_INTERRUPTED. */
enum {
  HOST_EDITOR_LINE = 0,
  HOST_EDITOR_END = 1,         /* Ctrl-D in an empty line; the end of a file */
  HOST_EDITOR_INTERRUPTED = -1 /* `wait` gave this: the line is discarded */
};

typedef struct host_editor_calls {
  /* Wait until one of the descriptors is readable, and run the engine
   * meanwhile. Returns the index of a readable descriptor, or a negative code
   * that ends the read. */
  int (*wait)(void *data, const int *fds, int count);
  /* Complete a text, which ends at the cursor: text[cursor] is 0. Gives a list
   * that free() releases, of strings that free() releases, NULL at its end;
   * each is to replace the last *word_length bytes of the text. NULL: none.
   * This member may be NULL. */
  char **(*complete)(void *data, const char *text, size_t cursor,
                     size_t *word_length);
  void *data;
} host_editor_calls;

#endif
