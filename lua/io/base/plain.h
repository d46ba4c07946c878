/* plain.h - system calls on files, for threads of the pool
 *
 * All of them return -errno on failure, and a signal interrupts none. */
#ifndef AWIO_PLAIN_H
#define AWIO_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Bytes that a job moves before it looks whether it should stop. */
enum { AWIO_FILE_CHUNK = 16 * 1024 * 1024 };

/* Open a file without blocking. Returns a descriptor above 2 that is closed by
 * exec. A directory is UV_EISDIR, unless `flags` have O_DIRECTORY.
 *
 *   info  receives what fstat(2) says
 */
int awio_file_open(const char *path, int flags, mode_t mode, struct stat *info);

/* Reads and writes would wait for others, as of a FIFO or a terminal: such a
 * file is for a stream. */
bool awio_file_waits(const struct stat *info);

/* Write all bytes. */
int awio_file_write(int fd, const char *data, size_t size);

/* Take all bytes out of a file. */
int awio_file_empty(int fd);

/* Close, and report what the file system says only then. */
int awio_file_close(int fd);

/* `rc`, or if that is 0 the result of closing `fd`. */
int awio_file_end(int fd, int rc);

#endif
