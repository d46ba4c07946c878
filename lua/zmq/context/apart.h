/* apart.h - calls of libzmq for the sockets of the attendant's thread
 *
 * These sockets belong to no awz_socket. The calls do not block, and report
 * nothing to an engine. Call from: the thread that owns the socket. */
#ifndef AWZ_APART_H
#define AWZ_APART_H

#include "zmq.h"

/* Open a socket of a type of libzmq in the context. Returns 0 or a negative
 * code.
 *
 *   out  gives
 */
int awz_apart_open(const awz_context *context, int type, void **out);
void awz_apart_close(void *socket);

/* Return 0 or a negative code. */
int awz_apart_set(void *socket, int option, int value);
/* Choose the name that the next peer of a ROUTER has. */
int awz_apart_name_peer(void *socket, const void *name, size_t size);
int awz_apart_connect(void *socket, const char *address);
int awz_apart_bind(void *socket, const char *address);
int awz_apart_unbind(void *socket, const char *address);
/* Give its descriptor, which is edge-triggered [ZQ1]. */
int awz_apart_fd(void *socket, int *fd);

/* Tell whether there is a message. */
bool awz_apart_readable(void *socket);

/* Receive a frame, into a frame that is initialized. Returns its size, -EAGAIN
 * if there is none, or another negative code. */
int awz_apart_receive(void *socket, aw_zmq_message *frame);
/* Receive a frame into memory, and cut what is longer than `room`. Returns 0;
 * -EAGAIN: there is none; or another negative code.
 *
 *   size  receives the number of bytes stored
 */
int awz_apart_read(void *socket, void *buffer, size_t room, size_t *size);
/* Send a frame that is copied from `data`. Returns 0 or a negative code. */
int awz_apart_send(void *socket, const void *data, size_t size, bool more);

void awz_apart_init(aw_zmq_message *frame);
void awz_apart_drop(aw_zmq_message *frame);
void *awz_apart_data(aw_zmq_message *frame);
bool awz_apart_more(const aw_zmq_message *frame);

#endif
