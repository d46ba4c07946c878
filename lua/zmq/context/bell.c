/* bell.c - see bell.h
 *
 * The pipe has one byte while the bell is rung, else none. */
#include "context/bell.h"

#include "base/system.h"

#include <uv.h>

#include <errno.h>
#include <unistd.h>

void awz_bell_close(awz_bell *bell) {
  for (int i = 0; i < 2; i++) {
    if (bell->fds[i] >= 0)
      close(bell->fds[i]);
    bell->fds[i] = -1;
  }
}

int awz_bell_open(awz_bell *bell) {
  *bell = (awz_bell){.fds = {-1, -1}};
  int rc = uv_pipe(bell->fds, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE);
  if (rc < 0)
    return rc;
  for (int i = 0; i < 2; i++) {
    int fd = bell->fds[i] = awio_above_standard(bell->fds[i]);
    rc = fd < 0 ? fd : rc;
  }
  if (rc < 0)
    awz_bell_close(bell);
  return rc;
}

void awz_bell_set(awz_bell *bell, bool rung) {
  char byte = 0;
  if (bell->rung == rung || bell->fds[0] < 0)
    return;
  ssize_t rc;
  do
    rc = rung ? write(bell->fds[1], &byte, 1) : read(bell->fds[0], &byte, 1);
  while (rc < 0 && errno == EINTR);
  if (rc == 1)
    bell->rung = rung;
}
