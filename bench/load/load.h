/* load.h - what the loads of TCP servers share: failures, numbers, connections
 *
 * A load that runs beside its program may start first, so it tries again until
 * the program listens.
 */
#ifndef LOAD_H
#define LOAD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LOAD_TRIES = 10000, LOAD_TRY_NS = 1000000 };

static inline void check(bool good, const char *what) {
  if (good)
    return;
  fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "no");
  exit(1);
}

static inline long number(const char *text, long least, long most) {
  char *end;
  errno = 0;
  long n = strtol(text, &end, 10);
  check(end > text && *end == 0 && n >= least && n <= most, text);
  return n;
}

static inline int try_to_connect(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET};
  to.sin_port = htons((uint16_t)port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(fd >= 0, "socket");
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }
  close(fd);
  return -1;
}

static inline int connect_to(int port) {
  int fd = try_to_connect(port);
  for (int i = 0; fd < 0 && i < LOAD_TRIES; i++) {
    nanosleep(&(struct timespec){.tv_nsec = LOAD_TRY_NS}, NULL);
    fd = try_to_connect(port);
  }
  check(fd >= 0, "connect");
  return fd;
}

#endif
