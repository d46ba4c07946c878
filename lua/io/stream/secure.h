/* secure.h - TLS in a stream
 *
 *   in    kernel → TLS in the task that reads → `in` → Lua strings
 *   out   Lua strings → TLS in the task that writes → kernel; what the kernel
 *         does not take waits in `out` unencrypted → the pump → TLS → kernel
 *
 * So small writes that wait become one record, and limits, flush(), shutdown()
 * and lingering are those of every stream.
 *
 * The pump makes the handshake, as the first thing that it sends. It begins
 * with the first wait of a task that needs it, and no cancel of that task ends
 * it. Until it is over, tasks wait in the list `opening`, not for the
 * descriptor: the handshake may have brought bytes with it. When it is over or
 * has failed, each of them looks again, by its function `again`.
 *
 * Close, and shutdown(), end what was sent with close_notify (`parting`): the
 * pump sends it behind `out`. After a failure, and when bytes are lost, it is
 * not sent, so the peer sees that something is missing.
 *
 * A socket is closed when that loses nothing (`settled`): see
 * awio_tls_settled(). A client that has read nothing waits until the peer has
 * all that was sent.
 *
 * Neighbours: tls/connection.h; secure_object.c has the methods for Lua.
 */
#ifndef AWIO_SECURE_H
#define AWIO_SECURE_H

#include "stream/state.h"
#include "tls/connection.h"

#include <aiowire.h>

#include <sys/types.h>

/* Looks again for a task that has waited: as `ready` of an operation, but 0
 * says that the task waits for the descriptor now. */
typedef int (*awio_again)(aw_task *task, void *data);

typedef struct awio_opening {
  aw_task *task;
  awio_again again; /* NULL: its wait ends */
  void *data;
} awio_opening;

/* Starts the pump: awio_stream_pump() of stream.h, which lies above this. */
typedef int (*awio_start_pump)(awio_stream *stream, aw_loop *loop);

typedef struct awio_secure {
  awio_tls *tls; /* NULL once the descriptor is closed */
  awio_start_pump start_pump;
  awio_opening *opening;
  size_t count, size; /* of `opening` */
  uint64_t deadline;  /* of the handshake; 0: it has not begun */
  pid_t process;      /* a child that was forked sends nothing */
  bool parting;       /* end what is sent with close_notify */
  bool settled;       /* the socket may be closed */
  uint64_t look;      /* when to look whether it may. Bytes that come meanwhile
                        do not put that off. 0: unset */
  uint64_t give_up;   /* when to close it, unless the peer takes something. 0:
                        unset */
  char name[];        /* of the stream */
} awio_secure;

/* Make a stream over a socket one over TLS. What it has read and nobody has
 * taken is the beginning of the peer's TLS; nothing may be queued. Returns
 * whether that was possible, else `fault` is filled and the stream as before,
 * but for bytes that it had read.
 *
 *   host, port  as for awio_tls_context_ssl()
 *   place       for people, the other end: "example.org:443"; NULL: that which
 *               the name of the stream has
 */
bool awio_secure_begin(awio_stream *stream, awio_start_pump start_pump,
                       awio_tls_context *context, const char *host, int port,
                       const char *place, awio_fault *fault);

/* The connection, or NULL: the stream is plain, or its descriptor closed. */
static inline awio_tls *awio_tls_of(const awio_stream *stream) {
  return stream->secure ? stream->secure->tls : NULL;
}

/* Is the handshake still to be made? False for plain streams. */
static inline bool awio_secure_opens(const awio_stream *stream) {
  const awio_tls *tls = awio_tls_of(stream);
  return tls && !tls->established && !tls->unread && !stream->closed;
}

/* May bytes be written? Returns 0, also for plain streams; UV_EAGAIN before the
 * end of the handshake; or the code with which it has failed. */
int awio_secure_turn(const awio_stream *stream);

/* Begin to wait for the end of the handshake, which begins now if it has not
 * begun; in `arm`, of operations that are `external`. Returns 0 or a code. */
int awio_secure_wait(aw_task *task, awio_stream *stream, awio_again again,
                     void *data);
/* Abort such a wait. Returns false if the task does not wait so. */
bool awio_secure_leave(const aw_task *task, awio_stream *stream);
/* End such waits with a code, as the stream is closed. */
void awio_secure_wake(awio_stream *stream, int code);

/* ---- for stream.c and pump.c; the stream is secure ---- */

/* As read(2) and write(2); UV_EAGAIN or a code on failure. */
ssize_t awio_secure_read(awio_stream *stream, char *data, size_t size);
ssize_t awio_secure_write(awio_stream *stream, const char *data, size_t size);

/* Go on with the handshake. Returns 0 if it is over, UV_EAGAIN, or the code
 * with which it has failed. */
int awio_secure_open(awio_stream *stream);
/* The handshake has failed, with this code. */
void awio_secure_fail(awio_stream *stream, int code);
/* What the socket must be for the handshake to go on: AW_READABLE or
 * AW_WRITABLE. */
int awio_secure_events(const awio_stream *stream);
/* The same for the next read; AW_READABLE for plain streams. */
int awio_secure_read_events(const awio_stream *stream);

/* End what is sent with close_notify. Sends it unless something is queued, or
 * the kernel has no room: then the pump does. Does nothing to plain streams. */
void awio_secure_part(awio_stream *stream);
/* Is close_notify still to be sent? */
bool awio_secure_parts(const awio_stream *stream);
/* Bytes are lost: send no close_notify, and close the socket at once. */
void awio_secure_cut(awio_stream *stream);

/* After awio_secure_part(), look whether the socket may be closed. True for
 * plain streams. */
bool awio_secure_settle(awio_stream *stream);
/* Is the stream closed, and its socket not to be closed yet? */
bool awio_secure_settles(const awio_stream *stream);
/* Do not wait for ever for a peer that takes nothing.
 *
 *   progress  it has taken something since the last call
 */
void awio_secure_waited(awio_stream *stream, uint64_t now, bool progress);

/* The descriptor is being closed: free the connection. */
void awio_secure_end(awio_stream *stream);
void awio_secure_free(awio_secure *secure); /* NULL is fine */

#endif
