/* cstdio.c - see cstdio.h */
#include "base/cstdio.h"

#include "base/system.h"

#include <stdio.h>
#include <unistd.h>

#if defined __linux__ /* glibc and musl have it */
#include <stdio_ext.h>
static bool has_pending(FILE *file) {
  return __fpending(file) > 0;
}
#else
static bool has_pending(FILE *file) {
  (void)file;
  return true;
}
#endif

static FILE *standard_file(int fd) {
  return fd == STDOUT_FILENO ? stdout : fd == STDERR_FILENO ? stderr : NULL;
}

bool awio_stdio_pending(int fd) {
  FILE *file = standard_file(fd);
  return file && has_pending(file);
}

void awio_stdio_flush(int fd) {
  awio_quiet quiet;
  awio_quiet_begin(&quiet);
  int rc = fflush(standard_file(fd));
  awio_quiet_end(&quiet, fd, rc != 0);
}

void awio_stdio_hand_over(int fd) {
  if (fd == STDIN_FILENO)
    /* POSIX: a file goes back to the place up to which it was read. */
    fflush(stdin); /* cppcheck-suppress fflushOnInputStream */
  else if (awio_stdio_pending(fd))
    awio_stdio_flush(fd);
}
