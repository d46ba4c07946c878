/* apart.h - calls of libzmq for sockets that are no awz_socket
 *
 * The attendant's thread reads them. They do not block, and do not tell an
 * engine of their use. Call from: the thread that owns the socket. */
#ifndef AWZ_APART_H
#define AWZ_APART_H

#include "zmq.h"

void awz_apart_close(void *socket);

/* Receive a frame, and cut what is longer than `room`. Returns 0; -EAGAIN: there
 * is none; or another negative code.
 *
 *   size  receives the number of bytes stored
 */
int awz_apart_receive(void *socket, void *buffer, size_t room, size_t *size);

/* Wait for one of the items, or for `ms`; -1: without an end. Returns the
 * number of items that are ready, or a negative code. */
int awz_apart_poll(aw_zmq_poll_item *items, int count, long ms);

#endif
