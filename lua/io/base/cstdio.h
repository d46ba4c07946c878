/* cstdio.h - what C's own stdout and stderr have kept back
 *
 * Lua's print, io.write and io.stderr write by them, aw.stdout and aw.stderr do
 * not: so that what both write comes in order, a stream of ours has C's buffer
 * written first, and its own write awaits that all is with the kernel.
 */
#ifndef AWIO_CSTDIO_H
#define AWIO_CSTDIO_H

#include <stdbool.h>

/* Is anything kept back for descriptor 1 or 2? */
bool awio_stdio_pending(int fd);
/* Write it. That may block, if more is kept back than the descriptor takes at
 * once. Errors stay with C's file, whose next user is told. */
void awio_stdio_flush(int fd);
/* A child is about to get descriptor `fd`: the same; from standard input what
 * was read ahead is given back, where it can be sought in. */
void awio_stdio_hand_over(int fd);

#endif
