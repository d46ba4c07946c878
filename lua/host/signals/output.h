/* output.h - ends the program when standard output loses its reader
 *
 * Other broken pipes do not end the program.
 */

#ifndef HOST_OUTPUT_H
#define HOST_OUTPUT_H

#include <stdbool.h>

/* Handle SIGPIPE until the process ends. When standard output has lost its
 * reader, the running loop is interrupted and cleans up, and the process dies
 * by SIGPIPE when it exits.
 */
void host_output_watch(void);

/* Flush standard output. Returns false, after a message on stderr, if output
 * was lost although there is a reader.
 */
bool host_output_flush(void);

/* Say how the program has ended: an os.exit in a finalizer no longer counts.
 *
 *   status         0 without a signal: such an os.exit counts
 *   signal_number  die by this signal instead; 0: none
 */
void host_ends_by(int status, int signal_number);

/* Die by this signal, so that the shell sees the reason. */
void host_die_by(int signal_number);

#endif
