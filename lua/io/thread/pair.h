/* pair.h - the two channels between a worker and the one that started it
 *
 *            ┌──── queue [AWIO_PARENT] ◄──── sends   ┐
 *     parent │                                       │ worker
 *            └──── sends ────► queue [AWIO_WORKER] ──┘
 *
 * Each side receives from its own queue, and sends to that of the other side.
 * Only tasks of one Lua state, and so of one thread, receive from a queue; both
 * sides may close it. A queue keeps the order, and holds 16 messages: then
 * senders wait.
 *
 * The pair is memory of C, counted: the objects of both sides, wires and waits
 * have references.
 */
#ifndef AWIO_PAIR_H
#define AWIO_PAIR_H

#include "thread/message.h"

#include <aiowire_lua.h>

#include <stdbool.h>
#include <stddef.h>

enum { AWIO_PARENT, AWIO_WORKER, AWIO_SIDES };
enum { AWIO_PAIR_MOST = 16 };

typedef struct awio_pair awio_pair;
typedef struct awio_queue awio_queue;

/* Make a pair of open queues.
 *
 *   name  of the worker, for people; copied
 *
 * Gives; NULL: no memory. */
awio_pair *awio_pair_new(const char *name);
/* Note the number of the worker: both sides do, before they need it. */
void awio_pair_number(awio_pair *pair, unsigned number);
awio_pair *awio_pair_keep(awio_pair *pair);
void awio_pair_release(awio_pair *pair); /* takes; NULL is fine */
/* Write a text that names what `side` talks to: "thread 3 'f.lua:12'". */
void awio_pair_describe(const awio_pair *pair, int side, char *out,
                        size_t size);

/* The queue from which `side` receives; borrowed from the pair. */
awio_queue *awio_pair_queue(awio_pair *pair, int side);

typedef struct awio_queue_view {
  size_t count, senders, receivers;
  bool closed;
} awio_queue_view;
void awio_queue_look(awio_queue *queue, awio_queue_view *out);

/* No more messages come: senders get Closed; receivers get what is queued, and
 * then the end. */
void awio_queue_close(awio_queue *queue);
/* Drop what is queued, too. */
void awio_queue_drop(awio_queue *queue);

/* A message that may be sent more than once: a wire can. Counted. */
typedef struct awio_parcel awio_parcel;
/* Takes the message, also on failure. NULL: no memory. */
awio_parcel *awio_parcel_new(awio_message *message);
void awio_parcel_release(awio_parcel *parcel); /* takes; NULL is fine */

/* Put a message into the queue, without waiting. Keeps the parcel on success.
 * Returns 0, AW_EAGAIN if there is no room or others wait for it, AW_ECLOSED,
 * AW_EFORKED or AW_ENOMEM. */
int awio_queue_try_send(awio_queue *queue, awio_parcel *parcel);
/* Take a message, without waiting. Returns 0, AW_EAGAIN if there is none that
 * is not meant for others, AW_ECLOSED at the end, or AW_EFORKED. Gives. */
int awio_queue_try_recv(awio_queue *queue, awio_parcel **out);
/* Push the value; returns 1. */
int awio_parcel_push(lua_State *L, const awio_parcel *parcel);

/* The operation that receives; its data is the queue. It ends with the value,
 * or with nil, "closed". */
extern const aw_operation awio_recv_message;

/* The operation that sends; its data is an awio_sending: counted. */
typedef struct awio_sending awio_sending;
extern const aw_operation awio_send_message;
/* Takes the parcel, also on failure. NULL: no memory. */
awio_sending *awio_sending_new(awio_pair *pair, awio_queue *queue,
                               awio_parcel *parcel);
void awio_sending_release(awio_sending *sending); /* takes */

#endif
