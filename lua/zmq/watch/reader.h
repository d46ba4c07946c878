/* reader.h - what libzmq reports of the sockets of a context
 *
 *     socket ─► PAIR of libzmq ─┐
 *     socket ─► PAIR of libzmq ─┼─► ROUTER ─► `notify`, in the thread
 *     socket ─► PAIR of libzmq ─┘
 *
 * One socket reads the events of all sockets of its context, so an event costs
 * the same however many there are. It has no limit, and the thread always
 * reads, so libzmq never waits for it.
 */
#ifndef AWZ_READER_H
#define AWZ_READER_H

#include "watch/event.h"

typedef struct awz_reported awz_reported;

/* Part of an object that learns what is reported of a socket. */
struct awz_reported {
  /* Called in the thread. */
  void (*notify)(awz_reported *reported, const awz_event *event);
  /* There will be no more events. The last call, in the thread: it may free the
   * object. */
  void (*gone)(awz_reported *reported);
  awz_reported *next, **place; /* private */
};

/* Let libzmq report the events of the socket from now on. Returns 0 or a
 * negative code. */
int awz_reader_begin(awz_socket *socket, awz_reported *reported);

/* Have `gone` called, after all that was reported so far. Call it after
 * awz_raw_unmonitor(), and before the context ends. */
void awz_reader_end(const awz_context *context, awz_reported *reported);

#endif
