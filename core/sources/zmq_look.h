/* zmq_look.h - a look at a socket of libzmq; see zmq_look.c */
#ifndef AW_ZMQ_LOOK_H
#define AW_ZMQ_LOOK_H

#include <aiowire_zmq.h>

#include "state.h"

enum { AW_ZMQ_FD = 14, AW_ZMQ_EVENTS = 15 }; /* options of libzmq */
/* Read an option of the socket; returns 0 or a negative code. */
int aw__zmq_option(const aw_zmq *z, int option, int *value);
/* Find the descriptor that tells of changes; returns 0 or a negative code. */
int aw__zmq_find_fd(aw_zmq *z);
void aw__zmq_leave_fd(aw_zmq *z); /* before the socket is closed */
/* Look at the socket, end the waits that can end, and mark it again if another
 * look is needed. */
void aw__zmq_look_at(aw_zmq *z);
/* Hold the next message. Returns 1, 0 if there is none, or a negative code if
 * the binding cannot read ahead. */
int aw__zmq_read_ahead(aw_zmq *z);
bool aw__zmq_holds(const aw_zmq *z); /* does the binding hold a message? */
void aw__zmq_wake_everybody(aw_zmq *z, int result);

#endif
