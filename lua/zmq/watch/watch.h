/* watch.h - what happens to a socket: its events, and its peers
 *
 *   libzmq ─► reader.c, in a thread ─┬─► the tally of peers
 *                                    └─► the observers of the watch: monitors,
 *                                        waits for peers
 *
 * A socket has a watch from its first bind, connect or monitor on, but for
 * sockets of this library that no program sees (`unwatched`). The watch lets
 * libzmq report all events from the first bind or connect on that is not over
 * inproc: libzmq reports to one reader only, a replaced reader would lose
 * events, and the tally must not miss any.
 *
 * The watch is memory of malloc(3), for two threads; `lock` guards all that
 * both use. The thread has one reference, the socket has one, and so has each
 * observer. In a forked child nobody touches the lock: the watch is the
 * parent's.
 */
#ifndef AWZ_WATCH_H
#define AWZ_WATCH_H

#include "context/bell.h"
#include "watch/event.h"

typedef struct awz_watch awz_watch;
typedef struct awz_observer awz_observer;

/* What an observer learns of the watch with each change. */
typedef struct awz_state {
  unsigned peers; /* that are connected now, those over inproc included */
  bool closing;   /* the socket is closed */
  bool ended;     /* no more events will come */
} awz_state;

/* Part of an object that the watch informs. */
struct awz_observer {
  awz_observer *next; /* private */
  /* Something has changed; `event` is NULL if that was no event. Called under
   * the lock, in any thread. */
  void (*notify)(awz_observer *observer, const awz_state *state,
                 const awz_event *event);
};

/* Return the watch of the socket, which is made if needed; NULL without
 * memory. */
awz_watch *awz_watch_of(awz_socket *socket);

/* Let libzmq report, before a bind or connect to this address. Call it after
 * awz_room_for_files(): it takes at most half of these descriptors, and leaves
 * the others for the bind or connect. Returns 0 or a negative code. */
int awz_watch_begin(awz_socket *socket, const char *address);

/* The same before a connect: its peer will be counted. */
int awz_watch_connect(awz_socket *socket, const char *address);

/* Tell whether libzmq reports: no other socket of libzmq may take the place of
 * this one then. */
bool awz_watch_listens(const awz_socket *socket);

/* The socket was disconnected from this address. */
void awz_watch_leave(const awz_socket *socket, const char *address);

/* Return how many connections the socket has lost so far, over all transports;
 * an end may count more than once. */
unsigned awz_watch_losses(const awz_socket *socket);

/* The number of peers over inproc, socket->linked, has changed. */
void awz_watch_linked(const awz_socket *socket);

/* The socket closes. Call the first before libzmq closes it, and the second
 * after that. */
void awz_watch_stop(awz_socket *socket);
void awz_watch_end(awz_socket *socket);

/* Report an event of our own, such as "resolve_failed", to the monitors of the
 * socket. Call from: the thread of Lua.
 *
 *   value  an error of the system, or a negative code of libuv
 */
void awz_watch_post(const awz_socket *socket, const char *name,
                    const char *address, int64_t value);

/* Add an observer, which learns of the state at once; or remove it. The watch
 * is kept until then. */
void awz_watch_observe(awz_watch *watch, awz_observer *observer);
void awz_watch_unobserve(awz_watch *watch, awz_observer *observer);

/* For the owner of an observer, about its own data. */
void awz_watch_lock(awz_watch *watch);
void awz_watch_unlock(awz_watch *watch);
/* Return the state. Call it under the lock. */
awz_state awz_watch_state(const awz_watch *watch);
/* Tell whether the watch belongs to a parent process. */
bool awz_watch_forked(const awz_watch *watch);

#endif
