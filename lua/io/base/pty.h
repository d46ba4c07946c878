/* pty.h - a terminal for a child
 *
 * The child is started as the leader of a new session, and opens the slave by
 * its path. So the terminal becomes the controlling terminal of the session,
 * without TIOCSCTTY, for which posix_spawn has no action. Our side is the
 * master: the child reads what we write there as typed input, and we read there
 * what the child writes.
 */
#ifndef AWIO_PTY_H
#define AWIO_PTY_H

#include <stdbool.h>

/* Both descriptors are above 2 and closed by exec; negative: not open. */
typedef struct awio_pty {
  int master; /* does not block */
  int slave;
  char path[64];
} awio_pty;

/* Make a terminal of this size. Returns 0 or -errno, with nothing open. */
int awio_pty_open(awio_pty *pty, int rows, int columns);

/* Give the characters that tell a program which reads lines the end of its
 * input. There are none if the terminal is set to single keys.
 *
 *   mid_line  the last line has no end yet: then one character ends the line,
 *             and a second one the input
 *
 * Returns the number of characters, 0 to 2. */
int awio_pty_end(int master, bool mid_line, char text[2]);

#endif
