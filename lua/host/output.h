/* Standard output, and its reader: the program lives on other broken pipes,
 * and ends when nobody reads what it says.
 */

#ifndef HOST_OUTPUT_H
#define HOST_OUTPUT_H

#include <stdbool.h>

/* Take over SIGPIPE, for the whole life of the process. When standard output
 * has lost its reader, what runs is ended with clean-up, and the process dies
 * by that signal at its exit.
 */
void host_output_watch(void);

/* Die at once instead, for Lua code that runs in no task and so cannot be
 * ended; or no longer.
 */
void host_output_die_at_once(bool at_once);

/* Write what is buffered. Returns false, and says so on stderr, when output
 * was lost though somebody reads it.
 */
bool host_output_flush(void);

/* Die by this signal, so that shells see what happened.
 */
void host_die_by(int signal_number);

#endif
