/* lookup.h - names of hosts, looked up in threads of our own
 *
 *     engine ─► awio_lookup ─► queue ─► a thread: getaddrinfo ─► engine
 *
 * libuv gives look-ups two of its four threads, so two dead names would block
 * all other look-ups, and would slow down files. This pool belongs to the
 * process: all engines on all threads share it. It makes threads when there is
 * work, and ends those that have been idle for some seconds.
 *
 * Admission: at most 16 look-ups that a task still wants run at a time; others
 * wait, first in, first out. The C library cannot interrupt a look-up. So one
 * that is forgotten half way runs on, but no longer counts, as long as there
 * are fewer than 64 threads.
 *
 * A look-up is allocated by malloc(3), since a thread may free it after its
 * engine has ended. The engine, the pool and each answer hold a reference.
 *
 * In a forked child the pool begins anew; the look-ups of the parent are not
 * continued there.
 */
#ifndef AWIO_LOOKUP_H
#define AWIO_LOOKUP_H

#include "base/address.h"

#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

typedef struct awio_lookup awio_lookup;

/* The look-ups of one engine. Zero it, but for `came`. */
typedef struct awio_lookups {
  uv_async_t *came;  /* called when a look-up is over */
  awio_lookup *over; /* those that are over; guarded by the pool's lock */
} awio_lookups;

typedef enum awio_lookup_state {
  AWIO_LOOKUP_QUEUED,
  AWIO_LOOKUP_RUNNING,
  AWIO_LOOKUP_OVER
} awio_lookup_state;

struct awio_lookup {
  /* The question: the address of a host, or the name of an address. */
  awio_address address; /* none: look for the addresses of `host` */
  int family;           /* AF_INET, AF_INET6 or AF_UNSPEC */
  char *host;           /* "" if there is an address */

  /* The answer, once it is over. */
  int result;             /* 0 or a code of libuv */
  struct addrinfo *found; /* the addresses */
  char *name;             /* or the name */

  /* For the engine. */
  void *asker; /* borrowed */

  /* Private. All but `refs` is guarded by the pool's lock. */
  atomic_uint refs;
  awio_lookup_state state;
  awio_lookups *owner; /* NULL: no task wants it any more */
  /* In the queue, in the list of those that run, or in `over`. */
  awio_lookup *next, **place;
};

/* Make a look-up of `host`, or of the name of `address` if `host` is NULL.
 * Returns NULL when out of memory. */
awio_lookup *awio_lookup_new(const char *host, int family,
                             const awio_address *address);

/* Begin it. Later the async of `owner` is called, and awio_lookups_next()
 * returns it.
 *
 *   owner  borrowed until it is over or forgotten
 *
 * Returns 0, or UV_EAGAIN if there is no thread for it. */
int awio_lookup_begin(awio_lookup *lookup, awio_lookups *owner);

/* Take the next look-up that is over; NULL: there is none. */
awio_lookup *awio_lookups_next(awio_lookups *owner);

/* Give up a look-up that was begun, before it was returned by
 * awio_lookups_next(). Takes. */
void awio_lookup_forget(awio_lookup *lookup);

awio_lookup *awio_lookup_keep(awio_lookup *lookup);
void awio_lookup_release(awio_lookup *lookup); /* takes */

/* Count the engines that may have look-ups. When the last one leaves, idle
 * threads end before this returns, unless an engine joins meanwhile. */
void awio_lookup_join_pool(void);
void awio_lookup_leave_pool(void);

#endif
