/* editor.h - reads the lines of the prompt, while the engine runs
 *
 * One editor at a time in a process. No function here raises or touches a
 * lua_State; all are called from the thread that opened the editor.
 *
 * With libedit, and a terminal at standard input and output whose TERM is known
 * and not "dumb", lines are edited: history, completion, and output above the
 * prompt. Otherwise plain lines are read from `stdin`, with prompts on `stdout`
 * and no history, as `lua` does.
 */
#ifndef HOST_EDITOR_H
#define HOST_EDITOR_H

#include "prompt/calls.h"

#include <stddef.h>

typedef struct host_editor host_editor;

/* Prepare a process that may have a prompt: call this before anything reads
 * `stdin`, and before anything handles signals. It takes the buffer from
 * `stdin`, so that the editor and a line that calls io.read() share what comes
 * in. And signals that end the process restore the terminal first. */
void host_editor_prepare(void);

/* Open the editor.
 *
 *   calls         copied
 *   history_path  borrowed; NULL: no history file. See host_history_path()
 *
 * Gives an editor, or NULL when out of memory. A history file that cannot be
 * read is a note on standard error. */
host_editor *host_editor_open(const host_editor_calls *calls,
                              const char *history_path);

/* Read a line.
 *
 *   prompt   may have colours: sequences as ESC [ 1 m. Borrowed
 *   line     the line without its "\n", with a 0 at its end; it may contain
 *            "\n" if it comes from the history, and other zeros if it was read
 *            plainly. Valid until the next call
 *   length   in bytes. If the read is interrupted: not 0 if text is discarded
 *
 * Returns HOST_EDITOR_LINE, HOST_EDITOR_END, HOST_EDITOR_INTERRUPTED or the
 * negative code that `wait` returned. However it ends, the terminal and the
 * descriptors 1 and 2 are then as they were before, and the cursor is at the
 * start of a row, unless something writes an unfinished line meanwhile. */
int host_editor_read(host_editor *e, const char *prompt, const char **line,
                     size_t *length);

/* Put an entry into the history, also into the file. Not taken are: an empty
 * one, one that begins with a space, one that equals the entry before. Does
 * nothing for plain lines. */
void host_editor_remember(host_editor *e, const char *entry);

/* Takes; NULL is fine. */
void host_editor_close(host_editor *e);

#endif
