/* listener.h - a listening socket, and the wait for its next connection
 *
 *     kernel's backlog ─► accept4(2) ─► value (stream/socket.h) ─► Stream
 *
 * A connection is accepted only when a task takes it: the operation calls
 * accept4 when the socket is ready, for one waiter after the other, the oldest
 * first. So a race is won by the connection that was taken, and connections
 * that nobody takes stay in the kernel's backlog.
 *
 * When descriptors or memory run out, connections stay in the backlog, too. The
 * socket is still readable then, so each waiter leaves the poller and tries
 * again when its alarm is due.
 *
 * Neighbours: server.c is the class Server; listen.c makes listeners.
 */
#ifndef AWIO_LISTENER_H
#define AWIO_LISTENER_H

#include "base/address.h"
#include "base/waiters.h"
#include "stream/socket.h"

#include <aiowire.h>
#include <aiowire_lua.h>

#include <stdbool.h>
#include <sys/types.h>

typedef struct awio_listener {
  int fd;              /* -1 once it is closed */
  bool closed;         /* closed by Lua */
  aw_lua_held held;    /* held by the userdata */
  aw_lua_here *here;   /* for aw_lua_quick() */
  aw_engine *engine;   /* of the waits, if there are any; it may be freed */
  bool shared;         /* tasks of several engines have waited */
  size_t polled;       /* tasks that wait for `fd` */
  awio_waiters paused; /* tasks that wait for their alarms */
  aw_keeper keeper;    /* keeps the watcher of `fd` */
  awio_socket_options options; /* of its connections; `tls` is referenced */
  awio_address address;        /* its own */
  char *path;                  /* of its file, absolute; or NULL */
  dev_t device;                /* with `inode`: the file that bind(2) made */
  ino_t inode;
  pid_t process; /* that made the file */
  char name[AWIO_ADDRESS_TEXT + 8];
} awio_listener;

/* Make a listener of a socket that listens already. Returns NULL without
 * memory.
 *
 *   fd       takes, also on failure
 *   options  copied; the listener has its own reference to `tls`
 */
awio_listener *awio_listener_new(int fd, const awio_socket_options *options);

/* Give the connections from now on another context of TLS. Takes a
 * reference. */
void awio_listener_set_tls(awio_listener *listener,
                           struct awio_tls_context *context);

/* Remember the file that bind(2) has made at `path`, to unlink it at the close.
 * Returns 0 or AW_ENOMEM. */
int awio_listener_own_file(awio_listener *listener, const char *path);

/* Close a listener: its waits end with AW_ECLOSED, and the connections in its
 * backlog are reset. Closing again does nothing.
 *
 *   engine  the running engine; NULL: unknown
 */
void awio_listener_close(awio_listener *listener, aw_engine *engine);
void awio_listener_free(awio_listener *listener); /* of a closed one, or NULL */

/* Take the next connection without waiting. Returns its descriptor, or
 * UV_EAGAIN if there is none, or if tasks already wait for it, or another
 * code. */
int awio_listener_take(awio_listener *listener, awio_address *peer);
/* Does the code say that descriptors or memory are exhausted? */
bool awio_exhausted(int code);

/* Operations that wait for a connection and end with its value. Their data is
 * the userdata, a pointer to the listener, which is NULL in a finalized Server.
 * They fail with AW_ECLOSED, and with AW_EBUSY if tasks of another engine
 * wait. */
extern const aw_operation awio_accept;       /* tries at once */
extern const aw_operation awio_accept_later; /* after a try */

/* Waits until a connection can be taken; the same data. */
extern const aw_operation awio_acceptable;

#endif
