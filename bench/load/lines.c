/* lines.c PORT - lines of 0 to 100 bytes without an end, on a connection
 *
 * They are made once, and are sent from a file in memory: that costs this side
 * little.
 */
#define _GNU_SOURCE

#include "load.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

enum { LINES = 20000, TIMES = 20 };

static int make_lines(void) {
  int file = memfd_create("lines", MFD_CLOEXEC);
  check(file >= 0, "memfd");
  FILE *out = fdopen(dup(file), "w");
  check(out, "memfd");
  for (int i = 0; i < LINES * TIMES; i++)
    fprintf(out, "%d %.*s\n", i % LINES, i * 7 % 95,
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  check(fclose(out) == 0, "memfd");
  return file;
}

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  int file = make_lines(), to = connect_to((int)number(argv[1], 1, 65535));
  struct stat about;
  check(fstat(file, &about) == 0, "memfd");
  signal(SIGPIPE, SIG_IGN);
  for (;;)
    for (off_t at = 0; at < about.st_size;)
      if (sendfile(to, file, &at, (size_t)(about.st_size - at)) <= 0)
        return 0; /* the reader has enough */
}
