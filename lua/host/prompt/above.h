/* above.h - output above the prompt; see above.c
 *
 * Between take() and release() the caller owns the terminal: nobody else
 * writes to it. It owns it in the whole read, except while it waits.
 */
#ifndef HOST_ABOVE_H
#define HOST_ABOVE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct host_above host_above;

/* Start the thread.
 *
 *   terminal  a descriptor of the terminal; kept, not closed
 *   wake      a non-blocking descriptor that gets a byte when the prompt has
 *             been erased
 *
 * Gives an object, or NULL if memory, descriptors or threads are short. */
host_above *host_above_open(int terminal, int wake);

/* Redirect those of the descriptors 1 and 2 that are this terminal, and take
 * the terminal. */
void host_above_begin(host_above *a);
/* Let output come in. The prompt is on the screen, and the cursor is `row` rows
 * below its first one. */
void host_above_release(host_above *a, int row);
/* Take the terminal back. Returns true if the prompt has been erased: the
 * cursor is at the start of an empty row. */
bool host_above_take(host_above *a);
/* Give the descriptors back, write what is left, and give the terminal up. */
void host_above_end(host_above *a);
/* Takes. Not between begin() and end(). */
void host_above_close(host_above *a);

/* Write all of it to a terminal, until an error that is none of waiting. */
void host_write_all(int fd, const char *text, size_t length);

#endif
