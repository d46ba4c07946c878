/* bell.h - a pipe by which any thread wakes the tasks that wait for an object
 *
 * While a bell is rung, its descriptor is readable, for tasks of all engines.
 * The owner guards the bell with a lock, and keeps it rung as long as there is
 * something to take. */
#ifndef AWZ_BELL_H
#define AWZ_BELL_H

#include <stdbool.h>

typedef struct awz_bell {
  int fds[2]; /* -1 once it is closed */
  bool rung;
} awz_bell;

/* Return 0 or a negative code. Both descriptors are above 2 and closed by
 * exec. */
int awz_bell_open(awz_bell *bell);
void awz_bell_close(awz_bell *bell);

/* Ring the bell, or silence it. Does nothing if that is so already. Call from:
 * any thread. */
void awz_bell_set(awz_bell *bell, bool rung);

#endif
