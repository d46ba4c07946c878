/* tcp_copy.c N PORT - copies N megabytes from one connection to the next, by
 * read(2) and write(2) with 64 KiB */
#include "accept.h"

#include <unistd.h>

static void write_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t sent = write(fd, data, size);
    check((int)sent, "write");
    data += sent;
    size -= (size_t)sent;
  }
}

int main(int argc, char **argv) {
  static char buffer[65536];
  if (argc < 3)
    return 2;
  int server = listen_at(argv[2]);
  int from = accept_one(server), to = accept_one(server);
  ssize_t count;
  while ((count = read(from, buffer, sizeof buffer)) > 0)
    write_all(to, buffer, (size_t)count);
  check((int)count, "read");
  return 0;
}
