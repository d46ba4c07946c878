/* terminal.h - the terminal's modes, and signals that concern them */
#ifndef HOST_TERMINAL_H
#define HOST_TERMINAL_H

#include <stdbool.h>

/* Are standard input and output a terminal that can move its cursor: is TERM
 * known, and not "dumb"? */
bool host_terminal_is_usable(void);

/* Let the signals that end a process by default restore the terminal first,
 * until the process ends. */
void host_terminal_prepare(void);

/* Save the modes of standard input's terminal, and handle signals. `wake`, a
 * non-blocking descriptor, gets a byte when the process goes on after a stop,
 * and when the terminal is resized. */
void host_terminal_enter(int wake);

/* Has the process gone on after a stop since the last call? Then the terminal
 * has the modes from before the read. */
bool host_terminal_was_stopped(void);

/* Give modes and signals back. */
void host_terminal_leave(void);

/* Give the terminal the modes back that it had before a read. For handlers of
 * signals that end the process: async-signal-safe. Without a read: nothing. */
void host_terminal_restore(void);

/* Write a text whenever the modes are given back, up to and with the next
 * host_terminal_leave(). Call this before host_terminal_enter().
 *
 *   terminal  a descriptor that does not block
 *   leave     borrowed until then */
void host_terminal_show(int terminal, const char *leave);

/* Write a short text to a descriptor that does not block. A terminal that takes
 * nothing for a second loses the rest. Async-signal-safe. */
void host_write_soon(int fd, const char *text);

#endif
