/* subscribers.h - who has subscribed to a PUB or an XPUB
 *
 *     libzmq's queue of subscriptions ─► read ─► topics
 *                                         └────► an XPUB holds them for recv()
 *
 * A PUB of libzmq drops the subscriptions. So a PUB of ours is an XPUB of
 * libzmq (socket.c), of which the user sees nothing: subscriptions are read
 * here and end here. Somebody must read them, or libzmq would keep them all: a
 * task that waits for subscribers, or every 256th send. An XPUB is read by the
 * user; while a task waits for subscribers, what comes is read ahead of the
 * user and held, in its order (awz_message_stock()).
 *
 * The topics are those of libzmq, as far as its messages tell. libzmq reports
 * the first subscription to a topic and the end of the last one, also if the
 * connection ends; with `xpub_verboser` each one, so that topics are counted.
 *
 * A subscription that could not be noted for want of memory is kept, and noted
 * before anything else is read. */
#ifndef AWZ_SUBSCRIBERS_H
#define AWZ_SUBSCRIBERS_H

#include "zmq.h"

/* Note the subscribers of a PUB or XPUB; other sockets have none. Returns 0 or
 * AW_ENOMEM. */
int awz_subscribers_new(awz_socket *socket);
void awz_subscribers_free(awz_socket *socket);

/* Forget all, since another socket of libzmq replaces that of `socket`.
 *
 *   known  it reports subscriptions
 */
void awz_subscribers_reset(awz_socket *socket, bool known);

/* Note a frame that the XPUB has received. Returns 0 or AW_ENOMEM; then it must
 * be called again before the next frame is received. */
int awz_subscribers_note(awz_subscribers *subscribers, const char *data,
                         size_t size);

/* Read the subscriptions of a PUB, or do nothing. Returns 0 or a negative code.
 */
int awz_subscribers_read(awz_socket *socket);
/* Say that a message was sent: now and then that reads. */
void awz_subscribers_count_send(awz_socket *socket);
static inline void awz_subscribers_sent(awz_socket *socket) {
  if (socket->subscribers)
    awz_subscribers_count_send(socket);
}

/* The options that change what libzmq reports, or what a subscriber gets. */
typedef enum awz_reporting {
  AWZ_VERBOSE,
  AWZ_VERBOSER,
  AWZ_MANUAL,
  AWZ_INVERTED
} awz_reporting;
/* Note that the option was set. */
void awz_subscribers_report(awz_socket *socket, awz_reporting what, bool value);

/* `observe` and `watch` of aw_zmq_config. */
int awz_subscribers_observe(void *socket);
int awz_subscribers_watch(aw_task *task, void *data);

/* Add to the table on top: subscriber(s, prefix) → a Wire that ends when there
 * is a subscriber; subscribed(s, prefix) → boolean; losses(s) → integer. Raise.
 */
void awz_open_subscribers(lua_State *L);

#endif
