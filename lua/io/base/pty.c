/* pty.c - see pty.h */
#define _GNU_SOURCE /* ptsname_r() */
#include "base/pty.h"

#include "base/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int open_slave(awio_pty *pty) {
  if (grantpt(pty->master) < 0 || unlockpt(pty->master) < 0)
    return -errno;
  int rc = ptsname_r(pty->master, pty->path, sizeof pty->path);
  if (rc != 0)
    return -rc;
  return awio_open(pty->path, O_RDWR, 0);
}

int awio_pty_open(awio_pty *pty, int rows, int columns) {
  struct winsize size = {.ws_row = (unsigned short)rows,
                         .ws_col = (unsigned short)columns};
  pty->slave = -1;
  int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  pty->master = fd < 0 ? -errno : awio_above_standard(fd);
  if (pty->master < 0)
    return pty->master;
  pty->slave = open_slave(pty);
  if (pty->slave < 0) {
    close(pty->master);
    pty->master = -1;
    return pty->slave;
  }
  ioctl(pty->master, TIOCSWINSZ, &size);
  return 0;
}

int awio_pty_end(int master, bool mid_line, char text[2]) {
  struct termios state;
  if (tcgetattr(master, &state) < 0 || !(state.c_lflag & ICANON) ||
      state.c_cc[VEOF] == _POSIX_VDISABLE)
    return 0;
  int count = mid_line ? 2 : 1;
  memset(text, state.c_cc[VEOF], (size_t)count);
  return count;
}
