/* entries.c - lists of names; see entries.h */
#define _DEFAULT_SOURCE /* DT_DIR, S_IFSOCK */
#include "file/entries.h"

#include "base/plain.h"

#include <aiowire.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct awio_name_block {
  struct awio_name_block *next;
  size_t used, size;
  char text[];
} awio_name_block;

/* Return room for `size` bytes, or NULL. */
static char *take_room(awio_entries *e, size_t size) {
  enum { LEAST = 128, MOST = 64 * 1024 };
  awio_name_block *n = e->names;
  if (!n || n->size - n->used < size) {
    size_t room = n ? n->size * 4 : LEAST;
    room = room < MOST ? room : MOST;
    room = room < size ? size : room;
    n = malloc(sizeof *n + room);
    if (!n)
      return NULL;
    *n = (awio_name_block){e->names, 0, room};
    e->names = n;
  }
  n->used += size;
  return n->text + n->used - size;
}

int awio_entries_add(awio_entries *e, const char *name, mode_t type) {
  size_t size = strlen(name) + 1;
  if (e->count == e->room) {
    size_t room = e->room ? e->room * 2 : 32;
    awio_entry *list = realloc(e->list, room * sizeof *list);
    if (!list)
      return AW_ENOMEM;
    e->list = list;
    e->room = room;
  }
  char *copy = take_room(e, size);
  if (!copy)
    return AW_ENOMEM;
  e->list[e->count++] = (awio_entry){memcpy(copy, name, size), type};
  return 0;
}

/* Not every file system says the types with the names. */
static mode_t type_of_entry(DIR *folder, const struct dirent *entry) {
  struct stat info;
  if (entry->d_type != DT_UNKNOWN)
    return (mode_t)DTTOIF(entry->d_type);
  if (fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
    return 0;
  return info.st_mode & S_IFMT;
}

static int fill_entries(awio_entries *e, DIR *folder) {
  for (;;) {
    errno = 0;
    struct dirent *entry = readdir(folder);
    if (!entry)
      return -errno;
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
      continue;
    int rc = awio_entries_add(e, name, type_of_entry(folder, entry));
    if (rc < 0)
      return rc;
  }
}

int awio_entries_read(awio_entries *e, const char *path) {
  struct stat info;
  int fd = awio_file_open(path, O_RDONLY | O_DIRECTORY, 0, &info);
  if (fd < 0)
    return fd;
  DIR *folder = fdopendir(fd);
  if (!folder) {
    close(fd);
    return AW_ENOMEM;
  }
  int rc = fill_entries(e, folder);
  closedir(folder);
  return rc;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(((const awio_entry *)a)->name, ((const awio_entry *)b)->name);
}

void awio_entries_sort(awio_entries *e) {
  if (e->count > 1)
    qsort(e->list, e->count, sizeof *e->list, compare_names);
}

void awio_entries_free(awio_entries *e) {
  while (e->names) {
    awio_name_block *next = e->names->next;
    free(e->names);
    e->names = next;
  }
  free(e->list);
  *e = (awio_entries){0};
}

const char *awio_type_name(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG: return "file";
  case S_IFDIR: return "directory";
  case S_IFLNK: return "link";
  case S_IFIFO: return "fifo";
  case S_IFSOCK: return "socket";
  case S_IFCHR: return "char";
  case S_IFBLK: return "block";
  default: return "unknown";
  }
}
