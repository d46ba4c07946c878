/* attendant.h - the thread of a context, which reads sockets of its own
 *
 *     awz_attendant_add() ─► a listener ─► `ready`, in the thread, again and
 *                                          again ─► `gone`, in the thread
 *
 * Some sockets must be read although no loop runs, or while the program is
 * busy: those on which libzmq reports what happens to connections, and the one
 * on which it asks who may connect. The thread of their context reads them. It
 * starts with the first listener, and ends with the context.
 *
 * A listener is memory of malloc(3), since the thread may free it. Its socket
 * belongs to the thread from the moment it is added: only the functions of the
 * listener may touch it, by the functions of apart.c. The thread of Lua may do
 * so between awz_attendant_hold() and awz_attendant_let_go(): all functions of
 * listeners are called under the same lock.
 *
 * A context has few listeners: the time that the thread takes for an event
 * grows with their number.
 *
 * In a forked child there is no such thread; the listeners are the parent's.
 */
#ifndef AWZ_ATTENDANT_H
#define AWZ_ATTENDANT_H

#include "zmq.h"

typedef struct awz_listener awz_listener;

struct awz_listener {
  void *socket; /* of libzmq; the thread closes it */
  /* There may be messages. Receive until libzmq has none; or return true after
   * some messages, to be called again after other listeners. Called in the
   * thread. May not block. */
  bool (*ready)(awz_listener *listener);
  /* The socket will be closed right after: receive what is left. Called in the
   * thread. NULL: nothing to do */
  void (*drain)(awz_listener *listener);
  /* The socket is closed, because the listener was removed or the context ends.
   * The last call, in the thread: it may free the listener. */
  void (*gone)(awz_listener *listener);
  /* Return in how many ms `late` must be called, or -1. Called in the thread,
   * before it blocks. NULL: never */
  int (*wait)(awz_listener *listener);
  void (*late)(awz_listener *listener);
  awz_listener *next; /* private, and those that follow */
  bool leaving, dirty;
  int fd;
};

/* Give a listener to the thread of the context, which is started if needed.
 * Returns 0, or a negative code; then the caller still owns the listener and
 * its socket. */
int awz_attendant_add(awz_context *context, awz_listener *listener);

/* Let the thread close the socket of the listener, and call `gone` soon. In a
 * forked child, and once the context is closed, it does nothing: the thread has
 * called `gone`, or will. */
void awz_attendant_remove(awz_context *context, awz_listener *listener);

/* Keep the thread from the sockets of the listeners. Returns false in a forked
 * child, or without a thread: then do not use them. */
bool awz_attendant_hold(const awz_context *context);
/* The end of that.
 *
 *   dirty  call `ready`: the listener has other work, or its socket was used,
 *          and may have messages now
 */
void awz_attendant_let_go(const awz_context *context, awz_listener *listener,
                          bool dirty);

/* Let the thread ask `wait` again: a listener has new work. */
void awz_attendant_nudge(const awz_context *context);

/* End the thread, after `gone` of all its listeners. The context calls it
 * before libzmq's context ends. */
void awz_attendant_end(awz_context *context);

#endif
