/* cstdio.h - the buffers of C's stdout and stderr
 *
 * print, io.write and io.stderr of Lua write through these buffers, but
 * aw.stdout and aw.stderr do not. To keep the output of both in order, a stream
 * first writes the content of C's buffer, and its own write awaits until the
 * kernel has all of the bytes.
 */
#ifndef AWIO_CSTDIO_H
#define AWIO_CSTDIO_H

#include <stdbool.h>

/* Does C's buffer for descriptor 1 or 2 hold data? False for others. */
bool awio_stdio_pending(int fd);
/* Write the content of C's buffer for descriptor 1 or 2. This blocks if there
 * is more than the descriptor takes at once. An error stays recorded in C's
 * FILE. */
void awio_stdio_flush(int fd);
/* Prepare descriptor `fd` for a child. For 1 and 2, write the content of C's
 * buffer. For 0, give back what C has read ahead, if the file can be sought
 * in. */
void awio_stdio_hand_over(int fd);

#endif
