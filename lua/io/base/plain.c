/* plain.c - system calls on files; see plain.h */
#include "base/plain.h"

#include "base/system.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int awio_file_open(const char *path, int flags, mode_t mode,
                   struct stat *info) {
  int fd = awio_open(path, flags | O_NONBLOCK, mode);
  if (fd < 0)
    return fd;
  int rc = fstat(fd, info) < 0 ? -errno : 0;
  if (rc == 0 && S_ISDIR(info->st_mode) && !(flags & O_DIRECTORY))
    rc = -EISDIR;
  if (rc == 0)
    return fd;
  close(fd);
  return rc;
}

bool awio_file_waits(const struct stat *info) {
  return !S_ISREG(info->st_mode) && !S_ISBLK(info->st_mode) &&
         !S_ISDIR(info->st_mode);
}

int awio_file_write(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t put = write(fd, data, size);
    if (put < 0 && errno != EINTR)
      return -errno;
    if (put > 0) {
      data += put;
      size -= (size_t)put;
    }
  }
  return 0;
}

int awio_file_empty(int fd) {
  int rc;
  do
    rc = ftruncate(fd, 0);
  while (rc < 0 && errno == EINTR);
  return rc < 0 ? -errno : 0;
}

/* After EINTR the descriptor is closed, too. */
int awio_file_close(int fd) {
  return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

int awio_file_end(int fd, int rc) {
  int closed = awio_file_close(fd);
  return rc < 0 ? rc : closed;
}
