/* crew.h - the workers that a Lua state has started, also for pools
 *
 *     RUNS, has a Thread ─► RUNS, its Thread is garbage (cancelled) ─► over
 *
 * A worker stays in the crew of its state while it runs, whatever becomes of
 * its Thread. The end of the state cancels all workers at once, and waits for
 * them; but not for ever for one that does not come back from code in C.
 *
 * A pool that is garbage is closed, and joins the crew until its workers have
 * ended: the collector does not wait for them.
 *
 * The crew warns of a failure that nobody has waited for [D4].
 */
#ifndef AWIO_CREW_H
#define AWIO_CREW_H

#include "thread/jobs.h"
#include "thread/thread.h"

typedef struct awio_crew awio_crew;

typedef struct awio_member {
  struct awio_member *next, **place;
  awio_thread *thread;
  const char *where; /* the line that started it */
  bool waited;       /* somebody was told how it ended */
  /* Where its Thread refers to it; cleared when the member is freed. NULL: it
   * has no Thread any more. */
  struct awio_member **holder;
} awio_member;

/* The crew of the state of L; the first call makes it. Raises. */
awio_crew *awio_crew_of(lua_State *L);
/* Add a worker, as yet without a Thread. Takes the thread on success; NULL: no
 * memory. */
awio_member *awio_crew_add(awio_crew *crew, awio_thread *thread,
                           const char *where);
/* Take a member out whose thread was not begun. */
void awio_crew_remove(awio_member *member);
/* The Thread is garbage: cancel the worker, or let it go if it is over. May
 * warn. */
void awio_crew_leave(lua_State *L, awio_member *member);
/* Let all go that are over and have no Thread or Pool. May warn. */
void awio_crew_sweep(lua_State *L, awio_crew *crew);

/* Cancel the worker, and block until it has ended, for at most 2 s. */
bool awio_member_end(awio_member *member);

/* A pool is garbage, and closed. Takes it. */
void awio_crew_leave_pool(lua_State *L, awio_crew *crew, awio_jobs *pool);
/* Close a pool, and block until its workers have ended, for at most 2 s. Then
 * they are left behind. L: NULL, or warn of that. */
void awio_crew_end_pool(awio_jobs *pool, lua_State *L);

/* Make the class of crews. */
void awio_make_crew_class(lua_State *L);

#endif
