/* zmq.h - sockets of libzmq that are waited for; see zmq.c */
#ifndef AW_ZMQ_H
#define AW_ZMQ_H

#include <aiowire_zmq.h>

#include "state.h"

/* Look at the sockets that something was done with, and wake tasks. */
void aw__zmq_look(aw_engine *engine);
/* Before libuv blocks: hear no more of sockets that nobody waits for. */
void aw__zmq_settle(aw_engine *engine);
/* Do some want to be looked at? Then do not block. */
bool aw__zmq_is_dirty(const aw_engine *engine);

#endif
