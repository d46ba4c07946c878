/* edited.h - lines with libedit; see edited.c and editor.h */
#ifndef HOST_EDITED_H
#define HOST_EDITED_H

#include "prompt/edited_state.h"

/* Gives what reads lines with libedit, or NULL if that is impossible: no
 * libedit, no terminal, too dumb a terminal, out of memory. */
host_edited *host_edited_open(const host_editor_calls *calls,
                              const char *history_path);
int host_edited_read(host_edited *e, const char *prompt, const char **line,
                     size_t *length);
void host_edited_remember(host_edited *e, const char *entry);
/* Takes. */
void host_edited_close(host_edited *e);

#endif
