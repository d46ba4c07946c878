/* zmq_watch.h - a socket of libzmq, and when to look at it; see zmq_watch.c */
#ifndef AW_ZMQ_WATCH_H
#define AW_ZMQ_WATCH_H

#include <aiowire_zmq.h>

#include "state.h"

enum { AW_ZMQ_EITHER = AW_READABLE | AW_WRITABLE };

typedef struct aw_zmq_watch aw_zmq_watch;

/* The sockets of an engine. */
typedef struct aw_zmq_sockets {
  aw_polled polled;
  aw_closer closer;
  aw_engine *engine;
  aw_link all;    /* all of them */
  aw_link dirty;  /* to look at … */
  aw_link round;  /* … in this pass */
  aw_link fired;  /* their descriptor fired while no task waited */
  unsigned forks; /* aw_zmq_forks() when the sockets came */
} aw_zmq_sockets;

struct aw_zmq {
  void *socket;
  void *poller; /* of libzmq, for a socket without a descriptor; or NULL */
  const aw_zmq_calls *calls;
  const aw_zmq_config *config;
  aw_zmq_sockets *home; /* of the engine that it is in, or NULL */
  aw_zmq_watch *watch;  /* in that engine */
  /* Tasks that wait: for `receive`, `send`, `watch`, and for events. */
  aw_link receivers, senders, watchers, readers, writers, both;
  unsigned waiting; /* tasks in these lists */
  aw_link link;     /* in `dirty`, `round` or `fired` of `home` */
  aw_link place;    /* in `all` of `home` */
  int fd;
  unsigned forks; /* aw_zmq_forks() when it was made */
  int pause;      /* the last pause, ms; 0: none since the last success */
  bool pausing;   /* the timer runs: senders wait for it */
  bool drained;   /* since the last receive, which found nothing, the socket was
                     not used and its descriptor did not fire */
};

static inline bool aw__zmq_awaited(const aw_zmq *z) {
  return z->waiting > 0; /* asked at each call with the socket */
}
/* The socket is dirty: look at it before the engine blocks. */
void aw__zmq_mark(aw_zmq *z);
/* Take the socket out of its list: `dirty`, `round` or `fired`. */
void aw__zmq_unlist(aw_zmq *z);
/* Make the libuv handles of a socket in the engine of `sockets`, and set
 * its `home`. Returns 0 or a negative code. */
int aw__zmq_watch_open(aw_zmq *z, aw_zmq_sockets *sockets);
void aw__zmq_watch_close(aw_zmq *z);
int aw__zmq_watch_start(aw_zmq *z); /* does nothing if it polls already */
void aw__zmq_watch_stop(aw_zmq *z);
/* Mark the socket again after 1, 2, 4 … ms. */
void aw__zmq_pause(aw_zmq *z);

#endif
