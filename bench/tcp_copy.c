/* tcp_copy.c - copies from one connection to another; the floor of tcp_copy.lua
 *
 *   tcp_copy     prints its port, takes two connections, and copies what comes
 *                from the first to the second
 *
 * A loop of read(2) and write(2) on blocking sockets, with 64 KiB.
 * Neighbours: `tcp_load copy` is both connections, tcp.lua compares.
 */
#define _XOPEN_SOURCE 700

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void check(bool good, const char *what) {
  if (good)
    return;
  perror(what);
  exit(1);
}

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  check(bind(fd, (struct sockaddr *)&address, size) == 0, "bind");
  check(listen(fd, 2) == 0, "listen");
  getsockname(fd, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void write_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t sent = write(fd, data, size);
    check(sent > 0, "write");
    data += sent;
    size -= (size_t)sent;
  }
}

int main(void) {
  static char buffer[65536];
  int server = listen_anywhere();
  int from = accept(server, NULL, NULL);
  int to = accept(server, NULL, NULL);
  check(from >= 0 && to >= 0, "accept");
  ssize_t count;
  while ((count = read(from, buffer, sizeof buffer)) > 0)
    write_all(to, buffer, (size_t)count);
  check(count == 0, "read");
  shutdown(to, SHUT_WR);
  pause(); /* until tcp.lua ends it, after the CPU time was read */
  return 0;
}
