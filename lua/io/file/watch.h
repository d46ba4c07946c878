/* watch.h - what happens to a file, or in a folder: aw.fs.watch
 *
 *   inotify ─► the kernel's queue ─► awio_watch_take() ─┬ trail: the path
 *                                                       └ tree: the folders
 *                                    ─► told ─► a task
 *
 * The kernel has the queue of what happens. The watch reads from it only when
 * a task wants an event and `told` is empty. So a watch that nobody reads costs
 * nothing, and what does not fit into the kernel's queue is an overflow.
 *
 * Each watch has an inotify descriptor of its own. So one that nobody reads
 * does not fill the queue of another one, and each may be used in any engine.
 *
 *   trail.c         follows what the path names
 *   tree.c          the folders whose entries are told
 *   watch.c         from events of the kernel to those that are told
 *   watch_recv.c    the operation
 *   watch_object.c  the class for Lua
 *   watch_open.c    aw.fs.watch
 *
 * Invariants: while a task waits, `told` is empty, unless a task was killed
 * that had taken an event; then the descriptor is ready.
 */
#ifndef AWIO_WATCH_H
#define AWIO_WATCH_H

#include "file/trail.h"
#include "file/tree.h"

#include <aiowire.h>
#include <aiowire_lua.h>

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef enum awio_what {
  AWIO_CHANGE,  /* the content or the attributes */
  AWIO_RENAME,  /* came, went, was replaced */
  AWIO_OVERFLOW /* events are lost */
} awio_what;

typedef struct awio_watch awio_watch;

/* An event that is told. */
typedef struct awio_told {
  aw_lua_value value; /* must be first; used when a task has taken it */
  struct awio_told *next;
  awio_watch *watch; /* a reference, once a task has taken it */
  bool delivered;
  awio_what what;
  size_t length; /* of `path` */
  char path[];
} awio_told;

struct awio_watch {
  int fd; /* of inotify; -1: not open */
  bool recursive;
  bool closed;
  bool lost;   /* an event could not be told: there is no memory */
  int failure; /* why the watch is not complete: a negative code, or 0 */
  pid_t owner; /* the process that opened it */
  awio_trail trail;
  awio_tree tree; /* of the target, if that is a folder */
  awio_told *first, **last, *latest;
  size_t count; /* of those told */

  aw_engine *engine; /* whose tasks wait, or waited last; it may be freed */
  aw_keeper keeper;
  unsigned waiting; /* tasks; see watch_recv.c */
  aw_lua_held held;
  unsigned refs; /* of the userdata and of events that tasks have taken */
  char path[];   /* absolute */
};

/* Make a watch for an absolute path, not open yet. NULL: no memory. */
awio_watch *awio_watch_new(const char *path, bool recursive);

/* Begin to watch. Calls neither Lua nor an engine, so any thread may call it.
 *
 *   unwanted  stop when it becomes true; NULL: never does
 *
 * Returns 0 or a negative code. */
int awio_watch_open(awio_watch *watch, const atomic_bool *unwanted);

/* Stop to watch. Tasks that wait learn of it. Closing again does nothing. */
void awio_watch_close(awio_watch *watch);

/* Give up a reference; the last one closes the watch. */
void awio_watch_release(awio_watch *watch);

/* Take the next event, with a reference to the watch.
 *
 * Returns 1; 0: there is none now; or a negative code, and the next call tries
 * again. */
int awio_watch_take(awio_watch *watch, awio_told **out);

/* Put an event back in front, that no task has got. */
void awio_watch_give_back(awio_told *told);

/* Make the descriptor ready for reading: a task that waits looks again. */
void awio_watch_nudge(const awio_watch *watch);

/* Close the descriptor if the watch is closed and no task waits. */
void awio_watch_close_unused(awio_watch *watch);

/* ---- watch_recv.c ---- */

/* The userdata. */
typedef struct awio_watch_box {
  awio_watch *watch; /* NULL: not made yet, or finalized */
} awio_watch_box;

/* Wait for the next event; the data is an awio_watch_box. Ends with a value:
 * the event, or nil and "closed". */
extern const aw_operation awio_watch_recv;

/* ---- for Lua: watch_object.c ---- */

/* Push an object without a watch. May raise. */
awio_watch_box *awio_watch_push_object(lua_State *L);
/* Give the object its watch; takes a reference, also if it raises. */
void awio_watch_fill(lua_State *L, awio_watch_box *box, awio_watch *watch);
/* Make the class, before the first object. */
void awio_watch_make_class(lua_State *L);

/* Raise a SystemError, which says which limit of the system to raise, if that
 * is the reason. */
int awio_watch_refuse(lua_State *L, int code, const char *path);

#endif
