/* failing.h - an allocator that fails from some request on
 *
 * For a test of its own; sweep.h runs whole scenarios so. */
#ifndef FAILING_H
#define FAILING_H

#include <stdlib.h>

static int until_failure = -1; /* requests that succeed; -1: all of them */

static inline void *allocate(void *context, void *memory, size_t size) {
  (void)context;
  if (size == 0) {
    free(memory);
    return NULL;
  }
  if (until_failure == 0)
    return NULL;
  until_failure -= until_failure > 0;
  return realloc(memory, size);
}

#endif
