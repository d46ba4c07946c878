/* plain.h - lines without an editor; see editor.h */
#ifndef HOST_PLAIN_H
#define HOST_PLAIN_H

#include "prompt/calls.h"

/* The buffer of a line. All zeros: an empty one. */
typedef struct host_plain {
  char *line; /* gives: free() releases it */
  size_t capacity;
} host_plain;

int host_plain_read(host_plain *p, const host_editor_calls *calls,
                    const char *prompt, const char **line, size_t *length);

#endif
