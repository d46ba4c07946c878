/* wipe.c - see wipe.h */
#include "base/wipe.h"

#include <string.h>

void awio_wipe(void *data, size_t size) {
  /* The compiler cannot know that the call has no effect. */
  static void *(*const volatile fill)(void *, int, size_t) = memset;
  fill(data, 0, size);
}
