/* key_set.c - see key_set.h
 *
 * The time of modification is that of the kernel's clock, which ticks every few
 * ms. So a folder that changed less than RECENT seconds before it was read may
 * have changed again since, with the same time: it is read once more.
 */
#include "security/key_set.h"

#include "base/system.h"
#include "security/key_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECENT = 2 /* s */ };

/* ---- sets ---- */

/* Returns the place of the key, or the place where it belongs. */
static size_t place_of_key(const awz_key_set *set, const unsigned char *key,
                           bool *found) {
  size_t low = 0, high = set->count;
  *found = false;
  while (low < high && !*found) {
    size_t middle = low + (high - low) / 2;
    int order = memcmp(key, set->keys[middle], AWZ_KEY_BYTES);
    *found = order == 0;
    if (order > 0)
      low = middle + 1;
    else
      high = middle;
  }
  return high;
}

bool awz_key_set_has(const awz_key_set *set, const unsigned char *key) {
  bool found;
  place_of_key(set, key, &found);
  return found;
}

int awz_key_set_add(awz_key_set *set, const unsigned char *key) {
  bool found;
  size_t place = place_of_key(set, key, &found);
  if (found)
    return 0;
  if (set->count == set->room) {
    size_t room = set->room ? 2 * set->room : 8;
    void *keys = realloc(set->keys, room * AWZ_KEY_BYTES);
    if (!keys)
      return AW_ENOMEM;
    set->keys = keys;
    set->room = room;
  }
  memmove(set->keys + place + 1, set->keys + place,
          (set->count++ - place) * AWZ_KEY_BYTES);
  memcpy(set->keys[place], key, AWZ_KEY_BYTES);
  return 0;
}

void awz_key_set_remove(awz_key_set *set, const unsigned char *key) {
  bool found;
  size_t place = place_of_key(set, key, &found);
  if (found)
    memmove(set->keys + place, set->keys + place + 1,
            (--set->count - place) * AWZ_KEY_BYTES);
}

void awz_key_set_clear(awz_key_set *set) {
  free(set->keys);
  *set = (awz_key_set){NULL, 0, 0};
}

/* ---- folders ---- */

/* Read the public key in a file of the folder. A secret key may be there, too.
 */
static bool read_certificate(const char *folder, const char *name,
                             unsigned char *key) {
  char path[PATH_MAX];
  awz_keys keys;
  awz_key_note note;
  int size = snprintf(path, sizeof path, "%s/%s", folder, name);
  if (size < 0 || (size_t)size >= sizeof path)
    return false;
  bool found = awz_key_file_load(path, &keys, &note) == 0 &&
               awz_raw_decode_key(key, keys.public_key) == 0;
  awio_wipe(&keys, sizeof keys);
  return found;
}

static int read_entries(DIR *entries, const char *folder, awz_key_set *out) {
  const struct dirent *entry;
  int rc = 0;
  while (rc == 0 && (entry = readdir(entries)) != NULL) {
    unsigned char key[AWZ_KEY_BYTES];
    if (*entry->d_name != '.' && read_certificate(folder, entry->d_name, key))
      rc = awz_key_set_add(out, key);
  }
  return rc;
}

/* The time of modification is read first: what changes during the reading is
 * seen the next time. */
static int read_folder(awz_key_folder *f) {
  struct stat is;
  awz_key_set_clear(&f->keys);
  f->changed = (struct timespec){0, 0};
  int fd = awio_open(f->path, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0)
    return fd;
  DIR *entries = fdopendir(fd);
  int rc = entries && fstat(fd, &is) == 0
               ? read_entries(entries, f->path, &f->keys)
               : -errno;
  if (rc == 0) {
    f->changed = is.st_mtim;
    f->read_at = time(NULL);
  } else {
    awz_key_set_clear(&f->keys);
  }
  if (entries)
    closedir(entries);
  else
    close(fd);
  return rc;
}

static bool is_current(const awz_key_folder *f) {
  struct stat is;
  return stat(f->path, &is) == 0 && is.st_mtim.tv_sec == f->changed.tv_sec &&
         is.st_mtim.tv_nsec == f->changed.tv_nsec &&
         f->read_at - f->changed.tv_sec > RECENT;
}

int awz_key_folder_open(awz_key_folder *f, const char *path) {
  f->path = strdup(path);
  return f->path ? read_folder(f) : AW_ENOMEM;
}

bool awz_key_folder_has(awz_key_folder *f, const unsigned char *key) {
  if (!f->path)
    return false;
  if (!is_current(f))
    (void)read_folder(f); /* a failure leaves no keys */
  return awz_key_set_has(&f->keys, key);
}

void awz_key_folder_close(awz_key_folder *f) {
  awz_key_set_clear(&f->keys);
  free(f->path);
  f->path = NULL;
}
