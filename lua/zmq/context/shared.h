/* shared.h - what the contexts of several Lua states share
 *
 *     awz_context ──┐      of a state, with the sockets that it made
 *     awz_context ──┼──► awz_shared ──► context of libzmq
 *     a message ────┘      lua/io/thread/message.h
 *
 * Each awz_context that is open holds a reference, and so does each message in
 * which a context travels. The last one to go ends the context of libzmq. So
 * closing it in one state leaves the sockets of the others alone.
 *
 * libzmq aborts the program if sockets of certain types meet over inproc; see
 * address/endpoint.c. So the shared part knows which names are bound, and which
 * sockets wait for a name: `names`.
 *
 * `lock` guards all that changes. In a forked child nobody takes it: a thread
 * of the parent may have held it. There the shared part is never freed.
 */
#ifndef AWZ_SHARED_H
#define AWZ_SHARED_H

#include "zmq.h"

#include <pthread.h>

/* What is known of an inproc name: an entry for each socket that has to do with
 * it. */
typedef enum awz_name_state {
  AWZ_NAME_BOUND,   /* the socket has bound it */
  AWZ_NAME_PENDING, /* it has connected to it, and no socket has bound it */
  AWZ_NAME_GHOST,   /* as PENDING, but the socket was closed */
  AWZ_NAME_LEAVING  /* the socket has given it up a moment ago */
} awz_name_state;

typedef struct awz_local_name {
  struct awz_local_name *next;
  awz_name_state state;
  const void *socket; /* an awz_socket, maybe of another state; its address */
  const awz_type *type;
  uint64_t left; /* when it was given up, in ns of uv_hrtime() */
  char address[];
} awz_local_name;

struct awz_shared {
  void *raw; /* the context of libzmq; the same for ever, as are the next two */
  const aw_zmq_calls *calls;
  unsigned forks; /* aw_zmq_forks() when it was made */
  pthread_mutex_t lock;
  unsigned refs;
  awz_local_name *names;
  uint64_t watches;   /* begun so far; watch/reader.h */
  int longest_linger; /* ms, of its closed sockets; -1: for ever */
  int patience;       /* ms that the end of the program waits for it */
  int max_sockets;    /* option; libzmq allows more */
  int limit;          /* of `count`; set by the first socket */
  int count;          /* of the sockets of users */
  int answering;      /* the number of its authenticators */
  int reserve[2];     /* descriptors that are closed for its end */
};

/* Make a context of libzmq. Returns 0 or a negative code.
 *
 *   out  gives
 */
int awz_shared_new(int io_threads, awz_shared **out);

/* Keep a reference. Call from: any thread. */
awz_shared *awz_shared_keep(awz_shared *shared);
/* Let the reference of a closed context go. Returns true if it was the last:
 * then nobody uses `raw` any more, and the caller ends that. Always false in a
 * forked child.
 *
 *   wait  receives how long to wait for that end, in ms: its sockets may linger
 *         that long over unsent messages
 */
bool awz_shared_leave(awz_shared *shared, int *wait);

/* Returns false in a forked child: then change nothing, and do not unlock. */
bool awz_shared_lock(awz_shared *shared);
void awz_shared_unlock(awz_shared *shared);

/* A state has got an authenticator, or lost it: `change` is 1 or -1. Returns
 * whether there is one in any state. */
bool awz_shared_answers(awz_shared *shared, int change);

/* ---- under the lock ---- */

awz_local_name *awz_local_name_new(const awz_socket *socket,
                                   const char *address);
/* Takes the entry. */
void awz_local_name_add(awz_shared *shared, awz_local_name *name,
                        awz_name_state state);
/* Return an entry of that state, of any socket if that is NULL; or NULL. */
const awz_local_name *awz_local_name_find(const awz_shared *shared,
                                          awz_name_state state,
                                          const char *address,
                                          const awz_socket *socket);
/* Forget the entries of that state; NULL: any socket. */
void awz_local_name_forget(awz_shared *shared, awz_name_state state,
                           const char *address, const awz_socket *socket);

#endif
