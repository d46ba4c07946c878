/* trace_file.c - see trace_file.h
 *
 * The file beside the name is made and removed at once when the trace begins,
 * to see whether that can be done, and made again at its end. A link is
 * followed, so that it stays a link.
 *
 * The file that standard output or error goes to gets the trace behind what is
 * there: another file with its name would lose that. So a user gets what
 * --trace=/dev/stdout says.
 */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "trace/trace_file.h"

#include <aiowire.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *copy_path(const char *text) {
  char *copy = aw_allocate(strlen(text) + 1);
  if (copy)
    memcpy(copy, text, strlen(text) + 1);
  return copy;
}

/* Open the folder of a path, and find the name in it. */
static int open_folder_of(awm_trace_file *f, const char *path) {
  const char *slash = strrchr(path, '/');
  char folder[PATH_MAX] = ".";
  if (slash && (size_t)(slash - path) >= sizeof folder)
    return -ENAMETOOLONG;
  if (slash == path)
    strcpy(folder, "/");
  else if (slash)
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
  f->name = copy_path(slash ? slash + 1 : path);
  size_t room = strlen(path) + 32;
  f->beside = aw_allocate(room);
  if (!f->name || !f->beside)
    return AW_ENOMEM;
  if (!f->name[0])
    return path[0] ? -EISDIR : -ENOENT;
  snprintf(f->beside, room, "%s.%ld.part", f->name, (long)getpid());
  f->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return f->folder < 0 ? -errno : 0;
}

static int make_beside(const awm_trace_file *f) {
  int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  return openat(f->folder, f->beside, flags, 0666);
}

/* A pipe without a reader is an error rather than a wait. */
static int open_in_place(const awm_trace_file *f) {
  int fd = openat(f->folder, f->name, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0)
    (void)fcntl(fd, F_SETFL, 0);
  return fd;
}

/* Return standard output or error, if it goes to this file; or -1. */
static int stream_to(const struct stat *file) {
  for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
    struct stat is;
    if (fstat(fd, &is) == 0 && is.st_dev == file->st_dev &&
        is.st_ino == file->st_ino)
      return fd;
  }
  return -1;
}

/* Can the file be written? */
static int try_file(awm_trace_file *f) {
  struct stat about;
  int stream = -1;
  if (fstatat(f->folder, f->name, &about, 0) == 0) {
    if (S_ISDIR(about.st_mode))
      return -EISDIR;
    stream = S_ISREG(about.st_mode) ? stream_to(&about) : -1;
    f->in_place = stream >= 0 || !S_ISREG(about.st_mode);
  }
  int fd = stream >= 0   ? fcntl(stream, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
           : f->in_place ? open_in_place(f)
                         : make_beside(f);
  if (fd < 0)
    return -errno;
  if (f->in_place) {
    f->device = fd;
    return 0;
  }
  close(fd);
  (void)unlinkat(f->folder, f->beside, 0);
  return 0;
}

int awm_trace_file_open(awm_trace_file *f, const char *path) {
  char real[PATH_MAX];
  *f = (awm_trace_file){.folder = -1, .device = -1, .path = copy_path(path)};
  int rc = f->path ? open_folder_of(f, realpath(path, real) ? real : path)
                   : AW_ENOMEM;
  if (rc == 0)
    rc = try_file(f);
  if (rc < 0)
    awm_trace_file_forget(f);
  return rc;
}

int awm_trace_file_begin(awm_trace_file *f, FILE **out) {
  int fd = f->in_place ? f->device : make_beside(f);
  f->device = -1;
  if (f->in_place)
    (void)fflush(stdout); /* the trace may go there, too */
  if (fd < 0)
    return -errno;
  *out = fdopen(fd, "w");
  if (*out)
    return 0;
  int rc = -errno;
  close(fd);
  return rc;
}

int awm_trace_file_end(awm_trace_file *f, FILE *out) {
  errno = 0;
  bool failed = fflush(out) != 0 || ferror(out);
  int rc = failed ? -(errno ? errno : EIO) : 0;
  if (fclose(out) != 0 && rc == 0)
    rc = -errno;
  if (f->in_place)
    return rc;
  if (rc == 0 && renameat(f->folder, f->beside, f->folder, f->name) != 0)
    rc = -errno;
  if (rc < 0)
    (void)unlinkat(f->folder, f->beside, 0);
  return rc;
}

void awm_trace_file_forget(awm_trace_file *f) {
  if (f->folder >= 0)
    close(f->folder);
  if (f->device >= 0)
    close(f->device);
  aw_free(f->path);
  aw_free(f->name);
  aw_free(f->beside);
  *f = (awm_trace_file){.folder = -1, .device = -1};
}
