/* line.h - tasks of any engine that wait for something on other threads
 *
 *     first ─► waiter (told) ─► waiter (told) ─► waiter (has a ticket) ─► …
 *
 * An object that threads share, such as a queue, has a line for each thing that
 * a task can wait for. The lock of the object guards the lines. A thread that
 * has something for the first task *tells* that task, by completing its ticket.
 * The task stays in the line until it has tried to take the thing, on its own
 * thread. So nothing is given to a wait that is ending, and a task that comes
 * later does not overtake one that was told.
 *
 * Invariant: the tasks that were told stand before all others.
 */
#ifndef AWIO_LINE_H
#define AWIO_LINE_H

#include <aiowire.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct awio_waiter awio_waiter;

/* Make it with awio_line_init(). */
typedef struct awio_line {
  awio_waiter *first, **end;
  size_t count;
  size_t told; /* of them */
} awio_line;

void awio_line_init(awio_line *line);
/* Let `task`, whose wait is being armed, wait at the end of the line. Returns 0
 * or a code. */
int awio_line_join(awio_line *line, aw_task *task);
/* Take the task out. Returns true if it had been told: then tell another. */
bool awio_line_leave(awio_line *line, const aw_task *task);
/* Tell the first one that was not told to try (AW_READY). Returns false if
 * there is none. */
bool awio_line_tell(awio_line *line);
/* End the waits of all that were not told, and empty the line. */
void awio_line_end(awio_line *line, int result);

#endif
