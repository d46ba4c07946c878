/* trail.h - watches every folder and link on a path by inotify
 *
 *     /srv/site/page ─► "/"      is itself renamed
 *                       "/srv"   is itself renamed; `site`, if that is a link
 *                       "/srv/…" its entry `page` comes, goes, is replaced
 *                       target   the file or folder that the path names now
 *
 * A path is walked from the root, one part after the other. Each folder on the
 * way is a step. inotify watches files, not paths [UV30], so after an event of
 * a step the path is walked again.
 *
 * A folder that is not empty cannot be removed. So while the target exists, the
 * folders above it can only be renamed, and the kernel reports a rename to the
 * watch of the folder itself. The entries of a folder are watched only where
 * they matter: in the last folder, and in folders that hold a symbolic link of
 * the path. If a part of the path is missing, the folder where it should be may
 * be removed, too: so the entries of that folder and of the one above it are
 * watched. To watch more would cost much: watching the entries of a large
 * folder such as /tmp takes the kernel milliseconds [UV31].
 *
 * Order: a step is watched before the walk looks at its entry. So whatever
 * happens after that look makes an event, and another walk.
 *
 * A folder that may not be read cannot be watched, and is left out.
 */
#ifndef AWIO_TRAIL_H
#define AWIO_TRAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/stat.h>

/* A folder on the way. */
typedef struct awio_step {
  struct awio_step *next;
  int wd;
  bool names;  /* the folder tells what happens to its entries */
  bool last;   /* the entry is what the path names, or a link in its place */
  char name[]; /* of the entry */
} awio_step;

/* Zero it, but for the first three. */
typedef struct awio_trail {
  int fd;           /* of inotify; not owned */
  const char *path; /* absolute, without a slash at its end */
  int target;       /* wd of what the path names; -1: there is nothing */
  bool folder;      /* that is a folder */
  dev_t device;     /* with `inode`: that file */
  ino_t inode;
  awio_step *steps, **end; /* from the root */
  /* Steps from this number on tell of their entries: a part is missing. */
  unsigned names_from;
} awio_trail;

/* What an event means for the path. */
enum {
  AWIO_TRAIL_MOVED = 1,  /* walk again */
  AWIO_TRAIL_RENAMED = 2 /* what the path names came, went or was replaced */
};

/* Events of a folder about its entries. */
enum {
  AWIO_ENTRY_RENAMED = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO,
  AWIO_ENTRY_CHANGED = IN_MODIFY | IN_ATTRIB,
  /* The kernel no longer watches a file, or the file has another place. */
  AWIO_SELF_GONE = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT
};

/* Walk the path, and watch what it names now, if anything.
 *
 * Returns 0 or -errno: the kernel has no room for a watch, or the target may
 * not be read. The walk may be tried again. */
int awio_trail_walk(awio_trail *trail);

/* Return bits of the above for an event of the kernel. */
int awio_trail_heed(const awio_trail *trail, const struct inotify_event *event);

/* Does the path still lead to the target? */
bool awio_trail_leads(const awio_trail *trail);

/* Is a folder with this wd a step or the target? */
bool awio_trail_uses(const awio_trail *trail, int wd);

/* Free the steps. */
void awio_trail_free(awio_trail *trail);

#endif
