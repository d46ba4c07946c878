/* history.c - the history file of the prompt
 *
 * The file has a line for each entry, the oldest first. In an entry, "\n" is
 * written as "\n", and "\" as "\\".
 *
 * Several programs share the file. Each appends an entry when it is entered,
 * under a lock, in one write. So nothing is lost when a program is killed, or
 * when two write at once. An unfinished last line, of a full disk for example,
 * is finished by the next writer. A program that reads the file at its start,
 * and finds twice as many entries as are kept, or more than MOST bytes,
 * replaces the file by a shorter one. Whoever has waited for the lock then
 * finds that its file is not the one at the path any more, and opens it again.
 */
#define _DEFAULT_SOURCE /* flock() */

#include "prompt/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 1024 * 1024 }; /* bytes that are read */

char *host_history_path(void) {
  static const char file[] = "aiowire/history";
  const char *state = getenv("XDG_STATE_HOME");
  const char *home = getenv("HOME");
  bool own = state && state[0] == '/'; /* a relative path is to be ignored */
  if (!own && (!home || !home[0]))
    return NULL;
  const char *folder = own ? state : home;
  const char *between = own ? "/" : "/.local/state/";
  size_t size = strlen(folder) + strlen(between) + sizeof file;
  char *path = malloc(size);
  if (path)
    snprintf(path, size, "%s%s%s", folder, between, file);
  return path;
}

/* ── the file and its lock ───────────────────────────────────────────────── */

/* Make the folders of a path. Returns 0 or an errno value. */
static int make_history_folders(const char *path) {
  char *copy = strdup(path);
  if (!copy)
    return ENOMEM;
  int rc = 0;
  for (char *slash = strchr(copy + 1, '/'); slash && !rc;
       slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(copy, 0700) < 0 && errno != EEXIST)
      rc = errno;
    *slash = '/';
  }
  free(copy);
  return rc;
}

static bool is_at(int fd, const char *path) {
  struct stat own, other;
  return fstat(fd, &own) == 0 && stat(path, &other) == 0 &&
         own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

/* Can the file be a history? Returns 0 or an errno value. */
static int check_kind(int fd) {
  struct stat about;
  if (fstat(fd, &about) < 0)
    return errno;
  if (S_ISREG(about.st_mode))
    return 0;
  return S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
}

/* Open the file at the path, and lock it. Returns a descriptor, or -1 with
 * errno. */
static int open_locked(const char *path, int flags) {
  for (;;) {
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
      return -1;
    int rc = check_kind(fd);
    if (rc != 0) {
      close(fd);
      errno = rc;
      return -1;
    }
    while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
      continue; /* where there are no locks, we do without */
    if (is_at(fd, path))
      return fd;
    close(fd);
  }
}

/* Make an empty file, so that a user learns at the start if there can be none.
 * Returns 0 or an errno value. */
static int make_file(const char *path) {
  int rc = make_history_folders(path);
  int fd = rc == 0 ? open_locked(path, O_RDWR | O_CREAT) : -1;
  if (fd < 0)
    return rc ? rc : errno;
  close(fd);
  return 0;
}

/* ── reading ─────────────────────────────────────────────────────────────── */

/* Read up to `size` bytes from here. Returns their number, or -1 with errno. */
static ssize_t read_history(int fd, char *text, size_t size) {
  size_t have = 0;
  while (have < size) {
    ssize_t n = read(fd, text + have, size - have);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    have += (size_t)n;
  }
  return (ssize_t)have;
}

/* The text of a part of the file begins anywhere: drop a line of which only the
 * end is there. Returns the new length. */
static size_t drop_first_line(char *text, size_t length) {
  const char *newline = memchr(text, '\n', length);
  size_t dropped = newline ? (size_t)(newline - text) + 1 : length;
  memmove(text, text + dropped, length - dropped);
  return length - dropped;
}

/* Gives the text of the file with a 0 behind it, or NULL with errno. Of a long
 * file it is the end.
 *
 *   cut  receives whether something is missing
 */
static char *read_text(int fd, size_t *length, bool *cut) {
  struct stat about;
  if (fstat(fd, &about) < 0)
    return NULL;
  *cut = about.st_size > MOST;
  size_t size = *cut ? MOST : (size_t)about.st_size;
  if (*cut && lseek(fd, -MOST, SEEK_END) < 0)
    return NULL;
  char *text = malloc(size + 1);
  if (!text) {
    errno = ENOMEM;
    return NULL;
  }
  ssize_t have = read_history(fd, text, size);
  if (have < 0) {
    free(text);
    return NULL;
  }
  *length = *cut ? drop_first_line(text, (size_t)have) : (size_t)have;
  text[*length] = '\0';
  return text;
}

/* Where the last `count` lines begin. *lines: the number of all lines. */
static char *last_lines(char *text, size_t length, size_t count,
                        size_t *lines) {
  char *begin = text;
  *lines = 0;
  for (size_t i = length; i > 0; i--) {
    if (i < length && text[i - 1] != '\n')
      continue;
    if (++*lines == count + 1)
      begin = text + i;
  }
  return begin;
}

/* Undo the escapes in place. */
static void decode(char *entry) {
  char *to = entry;
  for (const char *from = entry; *from; from++) {
    if (from[0] == '\\' && (from[1] == 'n' || from[1] == '\\'))
      *to++ = *++from == 'n' ? '\n' : '\\';
    else
      *to++ = *from;
  }
  *to = '\0';
}

static void give_lines(char *line, const char *end,
                       void (*each)(void *data, const char *entry),
                       void *data) {
  while (line < end) {
    char *newline = memchr(line, '\n', (size_t)(end - line));
    char *next = newline ? newline + 1 : line + (end - line);
    if (newline)
      *newline = '\0';
    bool whole = line + strlen(line) >= next - (newline ? 1 : 0);
    decode(line);
    if (whole && line[0]) /* a zero byte: no text of ours */
      each(data, line);
    line = next;
  }
}

/* ── writing ─────────────────────────────────────────────────────────────── */

static int write_whole(int fd, const char *text, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, text, length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno;
    text += n;
    length -= (size_t)n;
  }
  return 0;
}

/* Replace the file by one with these lines. A failure leaves the long file. */
static void shorten(const char *path, const char *lines, size_t length) {
  char *real = realpath(path, NULL); /* the file may be a symbolic link */
  size_t size = real ? strlen(real) + sizeof ".XXXXXX" : 0;
  char *other = real ? malloc(size) : NULL;
  if (other) {
    snprintf(other, size, "%s.XXXXXX", real);
    int fd = mkstemp(other); /* with mode 0600 */
    if (fd >= 0) {
      int rc = write_whole(fd, lines, length);
      if (close(fd) < 0 || rc != 0 || rename(other, real) < 0)
        unlink(other);
    }
  }
  free(other);
  free(real);
}

int host_history_load(const char *path,
                      void (*each)(void *data, const char *entry), void *data) {
  int fd = open_locked(path, O_RDONLY);
  if (fd < 0 && errno == ENOENT)
    return make_file(path);
  if (fd < 0)
    return errno;
  size_t length, lines;
  bool cut;
  char *text = read_text(fd, &length, &cut);
  int rc = text ? 0 : errno;
  if (text) {
    char *begin = last_lines(text, length, HOST_HISTORY_SIZE, &lines);
    size_t kept = length - (size_t)(begin - text);
    if (cut || lines > 2 * (size_t)HOST_HISTORY_SIZE)
      shorten(path, begin, kept);
    give_lines(begin, begin + kept, each, data);
  }
  free(text);
  close(fd);
  return rc;
}

/* The line of an entry, after a free byte for a "\n". Gives it, or NULL. */
static char *encode(const char *entry, size_t *length) {
  char *line = malloc(2 * strlen(entry) + 2);
  if (!line)
    return NULL;
  char *to = line + 1;
  for (; *entry; entry++) {
    if (*entry == '\n' || *entry == '\\')
      *to++ = '\\';
    *to++ = *entry == '\n' ? 'n' : *entry;
  }
  *to++ = '\n';
  *length = (size_t)(to - line - 1);
  return line;
}

static bool is_unfinished(int fd) {
  char last;
  return lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) == 1 &&
         last != '\n';
}

int host_history_append(const char *path, const char *entry) {
  size_t length;
  char *line = encode(entry, &length);
  if (!line)
    return ENOMEM;
  int rc = make_history_folders(path);
  int fd = rc == 0 ? open_locked(path, O_RDWR | O_CREAT | O_APPEND) : -1;
  if (fd >= 0) {
    bool unfinished = is_unfinished(fd);
    line[0] = '\n';
    rc = write_whole(fd, line + !unfinished, length + unfinished);
    if (close(fd) < 0 && rc == 0)
      rc = errno;
  } else if (rc == 0) {
    rc = errno;
  }
  free(line);
  return rc;
}
