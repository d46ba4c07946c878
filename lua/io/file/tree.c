/* tree.c - see tree.h */
#include "file/tree.h"

#include "file/trail.h"

#include <aiowire.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

/* What a folder below the root tells. */
static const uint32_t BELOW = AWIO_ENTRY_RENAMED | AWIO_ENTRY_CHANGED |
                              IN_DELETE_SELF | IN_EXCL_UNLINK | IN_ONLYDIR |
                              IN_DONT_FOLLOW | IN_MASK_ADD;

/* ---- the table by wd ---- */

static awio_branch **slot_of_wd(const awio_tree *tree, int wd) {
  return &tree->slots[(unsigned)wd & (tree->size - 1)];
}

static bool grow_slots(awio_tree *tree) {
  enum { SMALLEST = 8 };
  awio_tree bigger = {.size = tree->size ? tree->size * 2 : SMALLEST};
  bigger.slots = aw_allocate(bigger.size * sizeof *bigger.slots);
  if (!bigger.slots)
    return false;
  for (size_t i = 0; i < tree->size; i++)
    while (tree->slots[i]) {
      awio_branch *b = tree->slots[i];
      tree->slots[i] = b->same;
      awio_branch **slot = slot_of_wd(&bigger, b->wd);
      b->same = *slot;
      *slot = b;
    }
  aw_free(tree->slots);
  tree->slots = bigger.slots;
  tree->size = bigger.size;
  return true;
}

awio_branch *awio_tree_find(const awio_tree *tree, int wd) {
  if (tree->size == 0)
    return NULL;
  awio_branch *b = *slot_of_wd(tree, wd);
  while (b && b->wd != wd)
    b = b->same;
  return b;
}

static void leave_slot(const awio_tree *tree, const awio_branch *b) {
  awio_branch **slot = slot_of_wd(tree, b->wd);
  while (*slot != b)
    slot = &(*slot)->same;
  *slot = b->same;
}

/* ---- the unscanned ---- */

static void put_unscanned(awio_tree *tree, awio_branch *b) {
  b->later = tree->unscanned;
  b->before = &tree->unscanned;
  if (b->later)
    b->later->before = &b->later;
  tree->unscanned = b;
}

static void take_unscanned(awio_branch *b) {
  if (!b->before)
    return;
  *b->before = b->later;
  if (b->later)
    b->later->before = b->before;
  b->before = NULL;
}

awio_branch *awio_tree_unscanned(awio_tree *tree) {
  awio_branch *b = tree->unscanned;
  if (b)
    take_unscanned(b);
  return b;
}

/* ---- adding ---- */

/* Put a folder into the tree, unscanned. */
static int put_branch(awio_tree *tree, awio_branch *parent, const char *name,
                      int wd) {
  size_t length = strlen(name) + 1;
  if (tree->count >= tree->size && !grow_slots(tree))
    return AW_ENOMEM;
  awio_branch *b = aw_allocate(sizeof *b + length);
  if (!b)
    return AW_ENOMEM;
  memcpy(b->name, name, length);
  b->wd = wd;
  b->parent = parent;
  b->place = parent ? &parent->child : &tree->root;
  b->next = *b->place;
  if (b->next)
    b->next->place = &b->next;
  *b->place = b;
  awio_branch **slot = slot_of_wd(tree, wd);
  b->same = *slot;
  *slot = b;
  tree->count++;
  put_unscanned(tree, b);
  return 0;
}

int awio_tree_plant(awio_tree *tree, int wd) {
  return put_branch(tree, NULL, "", wd);
}

awio_branch *awio_tree_child(const awio_branch *parent, const char *name) {
  awio_branch *b = parent->child;
  while (b && strcmp(b->name, name) != 0)
    b = b->next;
  return b;
}

/* Is the folder still at its place, so that `path` is a second way to it? */
static bool in_place(const awio_tree *tree, const awio_branch *b,
                     const char *path) {
  struct stat here, there;
  char own[PATH_MAX];
  return awio_tree_path(tree, b, NULL, own) && lstat(own, &here) == 0 &&
         lstat(path, &there) == 0 && here.st_ino == there.st_ino &&
         here.st_dev == there.st_dev;
}

/* Then the path is about to change, or is one of a mount of a folder in
 * itself. */
static bool is_above(const awio_branch *b, const awio_branch *of) {
  while (of && of != b)
    of = of->parent;
  return of;
}

static bool vanished(int code) {
  return code == -EACCES || code == -ENOENT || code == -ENOTDIR ||
         code == -ELOOP || code == -ENAMETOOLONG;
}

int awio_tree_add(awio_tree *tree, awio_branch *parent, const char *name) {
  char path[PATH_MAX];
  if (!awio_tree_path(tree, parent, name, path))
    return 0;
  int wd = inotify_add_watch(tree->fd, path, BELOW);
  awio_branch *known = wd < 0 ? NULL : awio_tree_find(tree, wd);
  if (known) {
    if (is_above(known, parent) || in_place(tree, known, path))
      return 0;
    /* It was moved here, and its event is still to come. */
    awio_tree_remove(tree, known);
    wd = inotify_add_watch(tree->fd, path, BELOW);
  }
  if (wd < 0)
    return vanished(-errno) ? 0 : -errno;
  awio_branch *old = awio_tree_child(parent, name);
  if (old)
    awio_tree_remove(tree, old);
  int rc = put_branch(tree, parent, name, wd);
  if (rc < 0)
    inotify_rm_watch(tree->fd, wd);
  return rc;
}

/* ---- removing ---- */

/* Remove a folder that has no children. */
static void remove_leaf(awio_tree *tree, awio_branch *b) {
  if (b->parent && tree->fd >= 0)
    inotify_rm_watch(tree->fd, b->wd);
  take_unscanned(b);
  leave_slot(tree, b);
  *b->place = b->next;
  if (b->next)
    b->next->place = b->place;
  tree->count--;
  aw_free(b);
}

void awio_tree_remove(awio_tree *tree, awio_branch *branch) {
  awio_branch *b = branch, *parent;
  do {
    while (b->child)
      b = b->child;
    parent = b == branch ? NULL : b->parent;
    remove_leaf(tree, b);
    b = parent;
  } while (parent);
}

void awio_tree_clear(awio_tree *tree) {
  if (tree->root)
    awio_tree_remove(tree, tree->root);
  aw_free(tree->slots);
  tree->slots = NULL;
  tree->size = 0;
}

/* ---- paths ---- */

/* Write `name` before `end`, behind a slash. Returns its begin, or NULL: there
 * is no room. */
static char *prepend(char *begin, char *end, const char *name) {
  size_t length = strlen(name);
  if ((size_t)(end - begin) <= length)
    return NULL;
  end -= length;
  memcpy(end, name, length);
  *--end = '/';
  return end;
}

bool awio_tree_path(const awio_tree *tree, const awio_branch *branch,
                    const char *name, char out[PATH_MAX]) {
  char *at = out + PATH_MAX - 1;
  *at = '\0';
  if (name)
    at = prepend(out, at, name);
  for (; at && branch->parent; branch = branch->parent)
    at = prepend(out, at, branch->name);
  const char *root =
      strcmp(tree->path, "/") == 0 && at && *at ? "" : tree->path;
  size_t length = strlen(root);
  if (!at || (size_t)(at - out) < length)
    return false;
  memmove(out + length, at, strlen(at) + 1);
  memcpy(out, root, length);
  return true;
}
