/* lookup.h - names of hosts, looked up in threads of our own
 *
 *     engine ─► awio_lookup ─► awio_names (work.h): getaddrinfo ─► inbox
 *
 * At most 16 look-ups that a task still wants run at a time; others wait, first
 * in, first out. The C library cannot interrupt a look-up. So one that is
 * forgotten half way runs on, but no longer counts, as long as there are fewer
 * than 64 threads.
 *
 * The engine, the pool and each answer hold a reference to a look-up.
 */
#ifndef AWIO_LOOKUP_H
#define AWIO_LOOKUP_H

#include "base/address.h"
#include "base/work.h"

#include <netdb.h>

typedef struct awio_lookup {
  awio_work work; /* `work.result` is 0 or a code of libuv */

  /* The question: the address of a host, or the name of an address. */
  awio_address address; /* none: look for the addresses of `host` */
  int family;           /* AF_INET, AF_INET6 or AF_UNSPEC */
  char *host;           /* "" if there is an address */

  /* The answer, once it is over. */
  struct addrinfo *found; /* the addresses */
  char *name;             /* or the name */

  void *asker; /* for the engine; borrowed */
} awio_lookup;

/* Make a look-up of `host`, or of the name of `address` if `host` is NULL.
 * Returns NULL when out of memory. */
awio_lookup *awio_lookup_new(const char *host, int family,
                             const awio_address *address);

/* Begin it, as awio_work_send(). */
int awio_lookup_begin(awio_lookup *lookup, awio_inbox *inbox);

/* Take the next look-up that is over; NULL: there is none. */
awio_lookup *awio_lookup_next(awio_inbox *inbox);

/* Give up a look-up that was begun, before it was returned by
 * awio_lookup_next(). Takes. */
void awio_lookup_forget(awio_lookup *lookup);

awio_lookup *awio_lookup_keep(awio_lookup *lookup);
void awio_lookup_release(awio_lookup *lookup); /* takes */

#endif
