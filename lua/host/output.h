/* output.h - standard output, and its reader
 *
 * The program ends when nobody reads its standard output. Other broken pipes do
 * not end it.
 */

#ifndef HOST_OUTPUT_H
#define HOST_OUTPUT_H

#include <stdbool.h>

/* Take over SIGPIPE, for the whole life of the process. When standard output
 * loses its reader, all tasks are cancelled and cleaned up, and the process
 * dies of that signal when it exits.
 */
void host_output_watch(void);

/* Whether to die at once instead: Lua code that runs in no task cannot be
 * cancelled.
 */
void host_output_die_at_once(bool at_once);

/* Write what is buffered. Returns false, and prints the error to stderr, when
 * output was lost although it has a reader.
 */
bool host_output_flush(void);

/* Die of this signal, so that shells see the cause. */
void host_die_by(int signal_number);

#endif
