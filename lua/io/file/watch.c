/* watch.c - from events of the kernel to those that are told; see watch.h
 *
 * A read takes as many events as fit into a buffer. An event of the kernel may
 * concern the path (trail.c), the file or folder itself, and one of its
 * entries: one of these, or several.
 *
 * An event may lead to new watches. They are set before the event is told. So
 * when a task gets the event and looks at the file, it sees all changes so far;
 * each later change makes a further event.
 *
 * To close a descriptor of inotify takes 8 ms or more, so a thread does that
 * [UV31].
 *
 * A forked child shares the descriptor with its parent: the child may close it,
 * but not remove watches.
 */
#define _DEFAULT_SOURCE /* d_type */

#include "file/watch.h"

#include "base/system.h"

#include <uv.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
  MOST_TOLD = 16384, /* as many as the kernel holds */
  READS = 16         /* before others get their turn */
};

/* ---- life ---- */

awio_watch *awio_watch_new(const char *path, bool recursive) {
  size_t length = strlen(path) + 1;
  awio_watch *w = aw_allocate(sizeof *w + length);
  if (!w)
    return NULL;
  memcpy(w->path, path, length);
  w->fd = -1;
  w->recursive = recursive;
  w->owner = getpid();
  w->last = &w->first;
  w->keeper.owned = true;
  w->refs = 1;
  return w;
}

static void *close_watches(void *data) {
  close((int)(intptr_t)data);
  return NULL;
}

static void close_apart(int fd) {
  pthread_attr_t attributes;
  pthread_t thread;
  int rc = pthread_attr_init(&attributes);
  if (rc == 0) {
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    rc = awio_make_thread(&thread, &attributes, close_watches,
                          (void *)(intptr_t)fd);
    pthread_attr_destroy(&attributes);
  }
  if (rc != 0)
    close(fd);
}

void awio_watch_close_unused(awio_watch *w) {
  if (!w->closed || w->waiting > 0 || w->fd < 0)
    return;
  aw_ready_done(&w->keeper);
  close_apart(w->fd);
  w->fd = -1;
}

/* ---- what is told ---- */

static awio_told *shift_told(awio_watch *w) {
  awio_told *t = w->first;
  w->first = t->next;
  if (!w->first) {
    w->last = &w->first;
    w->latest = NULL;
  }
  w->count--;
  return t;
}

static void forget_told(awio_watch *w) {
  while (w->first)
    aw_free(shift_told(w));
}

/* One event stands for two that are equal and follow each other: who takes it
 * sees what both have done. */
static bool is_told(const awio_watch *w, awio_what what, const char *path) {
  const awio_told *t = w->latest;
  return t && t->what == what && strcmp(t->path, path) == 0;
}

static void tell_event(awio_watch *w, awio_what what, const char *path) {
  if (w->count >= MOST_TOLD && what != AWIO_OVERFLOW) {
    what = AWIO_OVERFLOW;
    path = w->path;
  }
  if (is_told(w, what, path))
    return;
  size_t length = strlen(path);
  awio_told *t = aw_allocate(sizeof *t + length + 1);
  if (!t) {
    w->lost = true;
    return;
  }
  t->what = what;
  t->length = length;
  memcpy(t->path, path, length + 1);
  *w->last = w->latest = t;
  w->last = &t->next;
  w->count++;
}

static void tell_entry(awio_watch *w, const awio_branch *folder, awio_what what,
                       const char *name) {
  char path[PATH_MAX];
  if (awio_tree_path(&w->tree, folder, name, path))
    tell_event(w, what, path);
}

/* ---- folders ---- */

static void note_failure(awio_watch *w, int code) {
  if (code < 0)
    w->failure = code;
}

static bool is_folder_entry(const awio_watch *w, const awio_branch *b,
                            const struct dirent *entry) {
  if (entry->d_type != DT_UNKNOWN)
    return entry->d_type == DT_DIR;
  char path[PATH_MAX];
  struct stat file;
  return awio_tree_path(&w->tree, b, entry->d_name, path) &&
         lstat(path, &file) == 0 && S_ISDIR(file.st_mode);
}

/* List a folder: watch the folders in it, and tell its entries if `telling`. */
static void scan(awio_watch *w, awio_branch *b, bool telling) {
  char path[PATH_MAX];
  errno = 0;
  DIR *folder = awio_tree_path(&w->tree, b, NULL, path) ? opendir(path) : NULL;
  if (!folder) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
      note_failure(w, -errno);
    return;
  }
  const struct dirent *entry;
  while ((entry = readdir(folder))) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
      continue;
    if (w->recursive && is_folder_entry(w, b, entry))
      note_failure(w, awio_tree_add(&w->tree, b, name));
    if (telling)
      tell_entry(w, b, AWIO_RENAME, name);
  }
  closedir(folder);
}

/* Forget the folders, and begin with the target if that is one. */
static void plant(awio_watch *w) {
  awio_tree_clear(&w->tree);
  if (w->trail.target >= 0 && w->trail.folder)
    note_failure(w, awio_tree_plant(&w->tree, w->trail.target));
}

/* ---- the path ---- */

/* Follow the path again. `renamed`: tell it even if the same file is there. */
static void follow_path(awio_watch *w, bool renamed) {
  int before = w->trail.target;
  note_failure(w, awio_trail_walk(&w->trail));
  bool replaced = w->trail.target != before;
  if (replaced)
    plant(w);
  if (renamed || replaced)
    tell_event(w, AWIO_RENAME, w->path);
}

/* The kernel has lost events, or could not watch something. */
static void watch_anew(awio_watch *w, bool folders) {
  tell_event(w, AWIO_OVERFLOW, w->path);
  follow_path(w, false);
  if (folders)
    plant(w);
}

/* ---- events of the kernel ---- */

static awio_what what_of(uint32_t mask) {
  return mask & AWIO_ENTRY_RENAMED ? AWIO_RENAME : AWIO_CHANGE;
}

/* An entry of a folder that is told. */
static void heed_entry(awio_watch *w, awio_branch *folder, uint32_t mask,
                       const char *name) {
  enum { WENT = IN_DELETE | IN_MOVED_FROM, CAME = IN_CREATE | IN_MOVED_TO };
  if (w->recursive && mask & IN_ISDIR) {
    awio_branch *known = mask & WENT ? awio_tree_child(folder, name) : NULL;
    if (known)
      awio_tree_remove(&w->tree, known);
    if (mask & CAME)
      note_failure(w, awio_tree_add(&w->tree, folder, name));
  }
  tell_entry(w, folder, what_of(mask), name);
}

/* A folder below the target: one that is still there is watched anew. */
static void heed_gone(awio_watch *w, awio_branch *folder) {
  char name[NAME_MAX + 1];
  awio_branch *parent = folder->parent;
  strcpy(name, folder->name);
  awio_tree_remove(&w->tree, folder);
  note_failure(w, awio_tree_add(&w->tree, parent, name));
}

/* The file or folder that the path names has changed itself. When a file is
 * removed, its number of names changes first: that is no change to tell. */
static void heed_itself(awio_watch *w, uint32_t mask) {
  if (mask & IN_ATTRIB && !awio_trail_leads(&w->trail))
    follow_path(w, false);
  else if (mask & AWIO_ENTRY_CHANGED)
    tell_event(w, AWIO_CHANGE, w->path);
}

static void heed(awio_watch *w, const struct inotify_event *e) {
  if (e->mask & IN_Q_OVERFLOW) {
    watch_anew(w, w->recursive);
    return;
  }
  awio_branch *folder = awio_tree_find(&w->tree, e->wd);
  if (folder && e->len > 0)
    heed_entry(w, folder, e->mask, e->name);
  else if (e->wd == w->trail.target && e->len == 0)
    heed_itself(w, e->mask);
  else if (folder && folder->parent && e->mask & AWIO_SELF_GONE)
    heed_gone(w, folder);
  int path = awio_trail_heed(&w->trail, e);
  if (path)
    follow_path(w, path & AWIO_TRAIL_RENAMED);
}

/* Read once. Returns 1; 0: there is nothing to read; or -errno. */
static int read_kernel_events(awio_watch *w) {
  union {
    struct inotify_event first; /* aligns */
    char bytes[16 * 1024];
  } buffer;
  ssize_t got = awio_read(w->fd, &buffer, sizeof buffer);
  if (got < 0)
    return got == UV_EAGAIN ? 0 : (int)got;
  const char *at = buffer.bytes, *end = at + got;
  while (at < end) {
    const struct inotify_event *e = (const void *)at;
    heed(w, e);
    at += sizeof *e + e->len;
  }
  return 1;
}

/* ---- taking ---- */

/* Look for events until one is told. */
static int look_for_events(awio_watch *w) {
  for (int i = 0; i < READS && !w->first && w->failure == 0; i++) {
    awio_branch *folder = awio_tree_unscanned(&w->tree);
    if (folder) {
      scan(w, folder, true);
      continue;
    }
    int rc = read_kernel_events(w);
    if (rc <= 0)
      return rc;
  }
  if (!w->first && w->failure == 0 && w->tree.unscanned)
    awio_watch_nudge(w); /* nothing else makes the descriptor ready */
  return 0;
}

int awio_watch_take(awio_watch *w, awio_told **out) {
  int rc = w->first ? 0 : look_for_events(w);
  if (w->lost) {
    w->lost = false;
    tell_event(w, AWIO_OVERFLOW, w->path);
  }
  if (!w->first && rc == 0) {
    rc = w->lost ? AW_ENOMEM : w->failure;
    if (w->failure < 0) { /* the next call tries again */
      w->failure = 0;
      watch_anew(w, true);
    }
  }
  if (!w->first || rc < 0)
    return rc;
  awio_told *t = shift_told(w);
  t->watch = w;
  w->refs++;
  *out = t;
  return 1;
}

void awio_watch_give_back(awio_told *t) {
  awio_watch *w = t->watch;
  if (w->closed || w->owner != getpid()) {
    aw_free(t);
    return;
  }
  t->next = w->first;
  if (!w->first) {
    w->last = &t->next;
    w->latest = t;
  }
  w->first = t;
  w->count++;
  if (w->waiting > 0)
    awio_watch_nudge(w);
}

void awio_watch_nudge(const awio_watch *w) {
  int wd = w->trail.steps ? w->trail.steps->wd : w->trail.target;
  inotify_rm_watch(w->fd, wd); /* IN_IGNORED comes: the path is followed */
}

/* ---- opening and closing ---- */

/* Watch all folders below the target. */
static void scan_all(awio_watch *w, const atomic_bool *unwanted) {
  awio_branch *folder;
  while (w->failure == 0 && !(unwanted && atomic_load(unwanted)) &&
         (folder = awio_tree_unscanned(&w->tree)))
    if (w->recursive)
      scan(w, folder, false);
}

/* There is nothing to watch: why? */
static int why_nothing(const awio_watch *w) {
  struct stat file;
  return stat(w->path, &file) < 0 ? -errno : UV_EACCES;
}

int awio_watch_open(awio_watch *w, const atomic_bool *unwanted) {
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  w->fd = fd < 0 ? -errno : awio_above_standard(fd);
  if (w->fd < 0)
    return w->fd;
  w->trail = (awio_trail){.fd = w->fd, .path = w->path, .target = -1};
  w->tree = (awio_tree){.fd = w->fd, .path = w->path};
  int rc = awio_trail_walk(&w->trail);
  if (rc == 0 && w->trail.target < 0)
    rc = why_nothing(w);
  if (rc < 0)
    return rc;
  plant(w);
  scan_all(w, unwanted);
  return w->failure;
}

void awio_watch_close(awio_watch *w) {
  if (w->closed)
    return;
  w->closed = true;
  forget_told(w);
  if (w->waiting > 0 && w->owner == getpid())
    awio_watch_nudge(w);
  w->tree.fd = -1; /* the kernel forgets all at once, when `fd` is closed */
  awio_tree_clear(&w->tree);
  awio_trail_free(&w->trail);
  awio_watch_close_unused(w);
}

void awio_watch_release(awio_watch *w) {
  if (--w->refs > 0)
    return;
  awio_watch_close(w);
  w->waiting = 0; /* a wait that failed was not counted down */
  awio_watch_close_unused(w);
  aw_free(w);
}
