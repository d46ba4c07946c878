/* zmq_sockets.h - the sockets of libzmq in one engine; see zmq_sockets.c */
#ifndef AW_ZMQ_SOCKETS_H
#define AW_ZMQ_SOCKETS_H

#include <aiowire_zmq.h>

#include "state.h"

/* Let the socket be in `engine`, and watch its descriptor. */
int aw__zmq_enter(aw_zmq *z, aw_engine *engine);
void aw__zmq_leave(aw_zmq *z);

#endif
