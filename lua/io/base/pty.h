/* pty.h - a terminal for a child
 *
 * The child is started as the leader of a new session, and opens the terminal
 * by its path: so it becomes the one that controls the session, without a call
 * that posix_spawn does not have. Ours is the other side, the master: what is
 * written there is typed, what the child writes is read there.
 */
#ifndef AWIO_PTY_H
#define AWIO_PTY_H

#include <stdbool.h>

typedef struct awio_pty {
  int master; /* does not block … */
  int slave;  /* both above 2, and closed by exec; or -1 */
  char path[64];
} awio_pty;

/* Make a terminal of this size. Returns 0 or -errno, with nothing open. */
int awio_pty_open(awio_pty *pty, int rows, int columns);

/* What to type so that a program which reads lines sees the end of its input;
 * a program that reads single keys is told nothing.
 *
 *   mid_line  the last line is not ended: the first of two ends that
 *
 * Returns how many characters that are, 0 to 2. */
int awio_pty_end(int master, bool mid_line, char text[2]);

#endif
