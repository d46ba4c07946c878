/* tree.h - folders whose entries a watch tells: the one that it is for, and if
 * it is recursive all folders below that
 *
 *     tree ─┬ root ─► children ─► …   a folder each, with a wd of inotify
 *           ├ by wd                   from events to folders
 *           └ unscanned               entries of these are not known yet
 *
 * A folder is watched before its entries are listed. So an entry that comes
 * later makes an event, and one that came before is listed. Links are not
 * followed, so that a tree has an end.
 *
 * Invariant: no two folders of a tree have the same wd.
 */
#ifndef AWIO_TREE_H
#define AWIO_TREE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct awio_branch {
  int wd;
  struct awio_branch *parent;          /* NULL: it is the root */
  struct awio_branch *child;           /* the first one */
  struct awio_branch *next, **place;   /* among the children */
  struct awio_branch *same;            /* in its slot, by wd */
  struct awio_branch *later, **before; /* among the unscanned */
  char name[];
} awio_branch;

/* Zero it, but for the first two. */
typedef struct awio_tree {
  int fd;           /* of inotify; not owned; -1: it is about to be closed */
  const char *path; /* of the root */
  awio_branch *root, *unscanned;
  awio_branch **slots; /* a table by wd; `size` is a power of 2, or 0 */
  size_t count, size;
} awio_tree;

/* Make a folder with this wd the root, unscanned; the tree must be empty.
 * Returns 0 or AW_ENOMEM. */
int awio_tree_plant(awio_tree *tree, int wd);

/* Watch a folder below another one. Does nothing if it is watched already, or
 * is not to be watched: it is no folder, or may not be read, or is gone. One
 * that is watched anew becomes unscanned.
 *
 * Returns 0 or -errno. */
int awio_tree_add(awio_tree *tree, awio_branch *parent, const char *name);

/* Return the folder with this wd, or the child of this name; or NULL. */
awio_branch *awio_tree_find(const awio_tree *tree, int wd);
awio_branch *awio_tree_child(const awio_branch *parent, const char *name);

/* Forget a folder and all below it, and let the kernel forget them; but the
 * root's wd is not the tree's own. */
void awio_tree_remove(awio_tree *tree, awio_branch *branch);

/* Forget all folders, and free the table. */
void awio_tree_clear(awio_tree *tree);

/* Take the next folder that is not scanned, or NULL. */
awio_branch *awio_tree_unscanned(awio_tree *tree);

/* Write the path of a folder's entry; `name` NULL: of the folder itself. false:
 * it is longer than the system allows. */
bool awio_tree_path(const awio_tree *tree, const awio_branch *branch,
                    const char *name, char out[PATH_MAX]);

#endif
