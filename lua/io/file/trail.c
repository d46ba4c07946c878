/* trail.c - see trail.h
 *
 * Numbers of watches (wd) are not used again. So a target with the number that
 * it had before is the same file, even if files were removed and made again
 * with the same inode. Events that the kernel has queued for a watch that was
 * removed since are ignored: they are older than the walk, which has seen the
 * changes that they report.
 *
 * A walk keeps the watches of the walk before it that it still needs. inotify
 * can add events to a watch, but take none away. So when fewer folders have to
 * report their entries than before, the watches are made anew.
 */
#include "file/trail.h"

#include <aiowire.h>

#include <uv.h>

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
  FOLDER = AWIO_ENTRY_RENAMED | AWIO_ENTRY_CHANGED | IN_EXCL_UNLINK,
  FILE_ITSELF = AWIO_ENTRY_CHANGED,
  SELF = IN_DELETE_SELF | IN_MOVE_SELF,
  MOST_LINKS = 40, /* as the kernel follows */
  TRIES = 8        /* while the folders change under the walk */
};

/* How a part of the path was walked; negative: -errno. */
enum { WENT_ON, NOTHING_THERE, CHANGED_MEANWHILE };

static const unsigned NONE_MISSING = UINT_MAX;

typedef struct walk {
  awio_trail *trail;
  unsigned names_from; /* as in the trail */
  unsigned steps;      /* so far, those left out included */
  int links;
  bool found;
  char at[PATH_MAX];   /* the folder that was reached; no links in it */
  char path[PATH_MAX]; /* from where the walk began, or after a link */
  const char *rest;    /* of `path` */
} walk;

/* ---- watches of the kernel ---- */

/* Returns the wd; or -errno. A file that has a watch keeps what that tells. */
static int add_watch(const awio_trail *t, const char *path, uint32_t mask) {
  int wd = inotify_add_watch(t->fd, path, mask | SELF | IN_MASK_ADD);
  return wd < 0 ? -errno : wd;
}

static bool is_step(const awio_trail *t, int wd) {
  for (const awio_step *s = t->steps; s; s = s->next)
    if (s->wd == wd)
      return true;
  return false;
}

bool awio_trail_uses(const awio_trail *t, int wd) {
  return wd == t->target || is_step(t, wd);
}

static void forget_unused(const awio_trail *t, int wd) {
  if (wd >= 0 && !awio_trail_uses(t, wd))
    inotify_rm_watch(t->fd, wd);
}

/* Free steps of a walk before, and forget what the trail no longer uses. */
static void forget_steps(const awio_trail *t, awio_step *steps) {
  while (steps) {
    awio_step *s = steps;
    steps = s->next;
    forget_unused(t, s->wd); /* twice for one folder is no harm */
    aw_free(s);
  }
}

void awio_trail_free(awio_trail *t) {
  while (t->steps) {
    awio_step *s = t->steps;
    t->steps = s->next;
    aw_free(s);
  }
}

/* ---- the walk ---- */

static const char *skip_slashes(const char *text) {
  return text + strspn(text, "/");
}

/* Take the next part of the path. Returns false at its end. */
static bool next_part(walk *k, char part[NAME_MAX + 1], int *rc) {
  const char *from = skip_slashes(k->rest);
  size_t length = strcspn(from, "/");
  if (length == 0)
    return false;
  if (length > NAME_MAX) {
    *rc = NOTHING_THERE;
    return false;
  }
  memcpy(part, from, length);
  part[length] = '\0';
  k->rest = skip_slashes(from + length);
  return true;
}

/* Write the path of an entry of the folder; false: it is too long. */
static bool entry_path(const walk *k, const char *name, char out[PATH_MAX]) {
  const char *folder = strcmp(k->at, "/") == 0 ? "" : k->at;
  int length = snprintf(out, PATH_MAX, "%s/%s", folder, name);
  return length < PATH_MAX;
}

static void go_up(walk *k) {
  char *slash = strrchr(k->at, '/');
  slash[slash == k->at] = '\0'; /* what is above "/" is "/" */
}

/* Watch the folder that was reached, before its entry is looked at. */
static int add_step(walk *k, const char *name, bool names) {
  awio_trail *t = k->trail;
  uint32_t mask = names ? AWIO_ENTRY_RENAMED : 0;
  if (k->names_from != NONE_MISSING && names)
    mask |= IN_ATTRIB; /* the target may become readable */
  int wd = add_watch(t, k->at, mask | IN_ONLYDIR);
  if (wd == -EACCES)
    return WENT_ON;
  if (wd == -ENOENT || wd == -ENOTDIR)
    return CHANGED_MEANWHILE;
  if (wd < 0)
    return wd;
  size_t length = strlen(name) + 1;
  awio_step *s = aw_allocate(sizeof *s + length);
  if (!s) {
    forget_unused(t, wd);
    return AW_ENOMEM;
  }
  s->wd = wd;
  s->names = names;
  s->last = *k->rest == '\0';
  memcpy(s->name, name, length);
  *t->end = s;
  t->end = &s->next;
  return WENT_ON;
}

/* Put the text of a symbolic link in front of `rest`. */
static int follow_link(walk *k, const char *name, const char *path) {
  char text[PATH_MAX], rest[PATH_MAX];
  if (++k->links > MOST_LINKS)
    return NOTHING_THERE;
  int rc = add_step(k, name, true);
  if (rc != WENT_ON)
    return rc;
  ssize_t length = readlink(path, text, sizeof text - 1);
  if (length < 0)
    return errno == EINVAL ? CHANGED_MEANWHILE : NOTHING_THERE;
  text[length] = '\0';
  if (snprintf(rest, sizeof rest, "%s/%s", text, k->rest) >= (int)sizeof rest)
    return NOTHING_THERE;
  if (*text == '/')
    strcpy(k->at, "/");
  strcpy(k->path, rest);
  k->rest = k->path;
  return WENT_ON;
}

/* Note the file that the path names. */
static void note_target(walk *k, const struct stat *file) {
  k->found = true;
  k->trail->folder = S_ISDIR(file->st_mode);
  k->trail->device = file->st_dev;
  k->trail->inode = file->st_ino;
}

static int walk_part(walk *k, const char *name) {
  char path[PATH_MAX];
  struct stat file;
  if (strcmp(name, ".") == 0)
    return WENT_ON;
  if (strcmp(name, "..") == 0) {
    go_up(k);
    return WENT_ON;
  }
  bool last = *k->rest == '\0';
  int rc = add_step(k, name, last || k->steps >= k->names_from);
  k->steps++;
  if (rc != WENT_ON)
    return rc;
  if (!entry_path(k, name, path) || lstat(path, &file) < 0)
    return NOTHING_THERE;
  if (S_ISLNK(file.st_mode))
    return follow_link(k, name, path);
  if (!last && !S_ISDIR(file.st_mode))
    return NOTHING_THERE;
  strcpy(k->at, path);
  if (last)
    note_target(k, &file);
  return WENT_ON;
}

/* Watch what was found. Returns its wd, or -1 with a code in `rc`. */
static int watch_target(walk *k, int *rc) {
  struct stat file;
  bool above = !k->found; /* the path ends in "/" or ".." */
  if (*rc == WENT_ON && above) {
    if (lstat(k->at, &file) == 0)
      note_target(k, &file);
    else
      *rc = CHANGED_MEANWHILE;
  }
  if (*rc != WENT_ON)
    return -1;
  int wd = add_watch(k->trail, k->at, k->trail->folder ? FOLDER : FILE_ITSELF);
  if (wd >= 0)
    return wd;
  *rc = wd == -ENOENT || wd == -ENOTDIR ? CHANGED_MEANWHILE
        : wd == -EACCES                 ? NOTHING_THERE
                                        : wd;
  return -1;
}

/* Begin a new list of steps. Returns the old ones, to be forgotten later. */
static awio_step *begin_steps(awio_trail *t, unsigned names_from) {
  awio_step *old = t->steps;
  t->steps = NULL;
  t->end = &t->steps;
  if (names_from != t->names_from) {
    forget_steps(t, old);
    old = NULL;
  }
  t->names_from = names_from;
  return old;
}

/* Walk the path once. Returns WENT_ON if there is a target, and else why there
 * is none.
 *
 *   names_from  becomes the number of the step above the one where a part is
 *               missing
 */
static int walk_once(awio_trail *t, unsigned *names_from) {
  walk k = {.trail = t, .names_from = *names_from, .at = "/"};
  char part[NAME_MAX + 1];
  int rc = WENT_ON, before = t->target;
  if (snprintf(k.path, sizeof k.path, "%s", t->path) >= (int)sizeof k.path)
    return UV_ENAMETOOLONG;
  k.rest = k.path;
  awio_step *old = begin_steps(t, k.names_from);
  while (rc == WENT_ON && next_part(&k, part, &rc))
    rc = walk_part(&k, part);
  t->target = watch_target(&k, &rc);
  forget_steps(t, old);
  if (before != t->target)
    forget_unused(t, before);
  *names_from = k.steps > 2 ? k.steps - 2 : 0;
  return rc;
}

int awio_trail_heed(const awio_trail *t, const struct inotify_event *e) {
  int means = 0;
  if (e->len == 0 && e->mask & AWIO_SELF_GONE && awio_trail_uses(t, e->wd))
    return AWIO_TRAIL_MOVED;
  for (const awio_step *s = t->steps; s; s = s->next) {
    if (s->wd != e->wd || !s->names || e->len == 0 ||
        strcmp(s->name, e->name) != 0)
      continue;
    means |= AWIO_TRAIL_MOVED;
    if (s->last && e->mask & AWIO_ENTRY_RENAMED)
      means |= AWIO_TRAIL_RENAMED;
  }
  return means;
}

bool awio_trail_leads(const awio_trail *t) {
  struct stat file;
  return stat(t->path, &file) == 0 && file.st_ino == t->inode &&
         file.st_dev == t->device;
}

int awio_trail_walk(awio_trail *t) {
  unsigned names_from = NONE_MISSING;
  int rc = CHANGED_MEANWHILE;
  for (int i = 0; i < TRIES && rc == CHANGED_MEANWHILE; i++) {
    unsigned above = names_from;
    rc = walk_once(t, &above);
    if (rc == NOTHING_THERE && above < names_from) {
      names_from = above; /* what is missing may have come meanwhile */
      rc = CHANGED_MEANWHILE;
    }
  }
  return rc < 0 ? rc : 0;
}
