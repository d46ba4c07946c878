/* full.c - a kernel whose room for datagrams is full at first
 *
 *   LD_PRELOAD=spec_full.so SPEC_FULL=3 program
 *
 * The first three calls of sendmsg(2) for datagrams say that there is no room.
 * The loopback interface hands each datagram over at once, so on it a real
 * kernel never says that.
 */
#define _GNU_SOURCE /* syscall() */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int left = -1;

static int is_datagram(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
         type == SOCK_DGRAM;
}

__attribute__((visibility("default"))) ssize_t
sendmsg(int fd, const struct msghdr *message, int flags) {
  if (left < 0) {
    const char *count = getenv("SPEC_FULL");
    left = count ? atoi(count) : 0;
  }
  if (left > 0 && is_datagram(fd)) {
    left--;
    errno = EAGAIN;
    return -1;
  }
  return (ssize_t)syscall(SYS_sendmsg, fd, message, flags);
}
