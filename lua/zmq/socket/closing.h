/* closing.h - who must know when a socket is closed
 *
 * A task that waits for a message or for room learns of a close by its wait. A
 * watcher learns of it without such a wait, and so takes no turn in the lists
 * of the socket. */
#ifndef AWZ_CLOSING_H
#define AWZ_CLOSING_H

#include "zmq.h"

typedef struct awz_watcher awz_watcher;
struct awz_watcher {
  /* The socket was closed; the watcher is forgotten. May not call Lua. */
  void (*closed)(awz_watcher *watcher);
  awz_watcher *next, **place; /* in the socket */
};

/* Watch an open socket; borrows `watcher` until it is forgotten. */
void awz_watch_closing(awz_socket *socket, awz_watcher *watcher);
/* Does nothing if it watches no socket. */
void awz_forget_watcher(awz_watcher *watcher);
/* Tell the watchers of a socket that it is closed. */
void awz_tell_watchers(awz_socket *socket);

#endif
