/* trace_file.h - a file that is there complete, or not at all */
#ifndef AWM_TRACE_FILE_H
#define AWM_TRACE_FILE_H

#include <stdbool.h>
#include <stdio.h>

typedef struct awm_trace_file {
  char *path;    /* as it was given */
  char *name;    /* of the file in its folder */
  char *beside;  /* the name of the file that is written first */
  int folder;    /* a descriptor of it, as the process may change its own */
  bool in_place; /* a device, a pipe or a standard stream: nothing can take its
                    place … */
  int device;    /* … and this is open; else -1 */
} awm_trace_file;

/* Prepare to write `path` later. Checks that this can be done.
 *
 * Returns 0 or a negative code, with nothing left to forget. */
int awm_trace_file_open(awm_trace_file *f, const char *path);
/* Open the file for writing. Returns 0 or a code. */
int awm_trace_file_begin(awm_trace_file *f, FILE **out);
/* Close the file (takes `out`), and give it its name if it is complete. Returns
 * 0 or a code; then nothing is left. */
int awm_trace_file_end(awm_trace_file *f, FILE *out);
void awm_trace_file_forget(awm_trace_file *f);

#endif
