/* temporary.h - new files with names that nothing else has */
#ifndef AWIO_TEMPORARY_H
#define AWIO_TEMPORARY_H

#include <sys/types.h>

/* Make a file in `folder` and open it for reading and writing. Returns a
 * descriptor above 2, or -errno.
 *
 *   mode  as for open(2); the umask counts
 *   out   receives its path, to be freed by free(3); NULL on failure
 */
int awio_temporary_open(const char *folder, mode_t mode, char **out);

#endif
