/* history.h - the history file of the prompt; see history.c */
#ifndef HOST_HISTORY_H
#define HOST_HISTORY_H

#include <stddef.h>

/* Gives the path of the history file, $XDG_STATE_HOME/aiowire/history or
 * ~/.local/state/aiowire/history; NULL without a home or memory. */
char *host_history_path(void);

/* The number of entries that are kept. */
enum { HOST_HISTORY_SIZE = 1000 };

/* Call `each` for the last entries of the file, the oldest first. A missing
 * file is made, with its folders. Returns 0, or an errno value if that or
 * reading is impossible. */
int host_history_load(const char *path,
                      void (*each)(void *data, const char *entry), void *data);

/* Append an entry, and make the file and its folders if they are missing.
 * Returns 0 or an errno value. */
int host_history_append(const char *path, const char *entry);

#endif
