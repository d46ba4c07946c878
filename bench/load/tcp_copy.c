/* tcp_copy.c PORT N - both ends of a program that copies
 *
 * It sends N megabytes on a first connection, and receives the same on a
 * second.
 */
#define _GNU_SOURCE

#include "load.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

enum { PIECE = 1024 * 1024, MEGABYTE = 1000 * 1000 };

/* Make a file in memory, of random bytes: sendfile(2) of it costs this side
 * little. */
static int make_piece(char *piece) {
  unsigned seed = 1;
  for (size_t i = 0; i < PIECE; i++) {
    seed = seed * 1103515245 + 12345;
    piece[i] = (char)(seed >> 16);
  }
  int file = memfd_create("piece", MFD_CLOEXEC);
  check(file >= 0 && write(file, piece, PIECE) == PIECE, "memfd");
  return file;
}

/* Send until the socket is full or `left` is 0; return the bytes sent. */
static long long send_some(int fd, int file, long long at, long long left) {
  long long sent = 0;
  while (sent < left) {
    off_t offset = (at + sent) % PIECE;
    long long size = PIECE - offset;
    if (size > left - sent)
      size = left - sent;
    ssize_t count = sendfile(fd, file, &offset, (size_t)size);
    if (count < 0 && errno == EAGAIN)
      break;
    check(count > 0, "sendfile");
    sent += count;
  }
  return sent;
}

/* Receive all that has come. One in 16 pieces is compared, the others are only
 * counted, for less work on this side. */
static long long get_some(int fd, const char *piece, long long at) {
  static char bytes[PIECE];
  long long got = 0;
  for (unsigned turn = 0;; turn++) {
    bool compares = turn % 16 == 0;
    size_t offset = (size_t)((at + got) % PIECE);
    size_t size = compares ? PIECE - offset : PIECE;
    ssize_t count = recv(fd, bytes, size, compares ? 0 : MSG_TRUNC);
    if (count < 0 && errno == EAGAIN)
      return got;
    errno = 0;
    check(count > 0, "recv");
    check(!compares || memcmp(bytes, piece + offset, (size_t)count) == 0,
          "the bytes are those sent");
    got += count;
  }
}

static int open_watched(int port, int epoll, uint32_t events) {
  int fd = connect_to(port);
  struct epoll_event event = {.events = events | EPOLLET, .data = {.fd = fd}};
  check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll");
  return fd;
}

int main(int argc, char **argv) {
  static char piece[PIECE];
  if (argc < 3)
    return 2;
  int port = (int)number(argv[1], 1, 65535);
  long long all = number(argv[2], 0, 1000000) * (long long)MEGABYTE;
  int file = make_piece(piece), epoll = epoll_create1(EPOLL_CLOEXEC);
  int to = open_watched(port, epoll, EPOLLOUT);
  int from = open_watched(port, epoll, EPOLLIN);
  long long sent = 0, got = 0;
  while (got < all) {
    struct epoll_event events[2];
    check(epoll_wait(epoll, events, 2, -1) > 0, "epoll_wait");
    sent += send_some(to, file, sent, all - sent);
    got += get_some(from, piece, got);
  }
  close(to);
  check(fcntl(from, F_SETFL, 0) == 0, "fcntl");
  errno = 0;
  check(recv(from, piece, PIECE, 0) == 0, "nothing beyond the bytes sent");
  return 0;
}
