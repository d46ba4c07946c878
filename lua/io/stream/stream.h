/* stream.h - bytes in and out of a descriptor: a pipe, a socket, a FIFO, a file
 *
 *   in    the kernel → read(2) in the task that reads → `in` → Lua strings
 *   out   Lua strings → write(2) in the task that writes; bytes that the kernel
 *         does not take → `out` → the pump, a background task → write(2)
 *
 * The stream reads only when a task wants data, so memory is bounded. A
 * cancelled read loses nothing: the bytes that have come stay in `in` [C10].
 *
 * A write is *submitted* when all its bytes are with the kernel or in `out`. A
 * *large* write is one for which `out` has no room. Only a large write can be
 * cancelled half way, and that breaks the stream.
 *
 * A read that gets less than it asked for has emptied the descriptor. The next
 * one waits for readiness at once (`drained`), instead of a call that could
 * only fail with EAGAIN. So a request on a socket costs a poll, a recv and a
 * send.
 *
 * A `socket` is read by recv(2) and written by send(2), without SIGPIPE. A
 * connection that breaks is not taken for one that ends (`lost`).
 *
 * A closed socket *lingers* while the pump sends what is queued, as long as the
 * peer takes something from time to time. A peer that never reads would hold
 * its descriptor and the queue for ever; so after 30 seconds without
 * progress the queue is dropped. A peer from which bytes are kept back sees a
 * reset, which nobody takes for an end. The pipe or terminal of a child has no
 * such limit: its peer is a program of ours.
 *
 * A `shared` descriptor (0 to 2) stays blocking, since other processes use the
 * same open file; so poll(2) comes before each read and write. Lua's print and
 * io.write write to such a descriptor, too: see cstdio.h.
 *
 * A regular file, or a block device, is read and written by threads: `disk`,
 * see disk.h. TLS lies between a stream and its socket: `secure`, see secure.h.
 *
 *   state.h            the struct
 *   stream_object.c    the class, and writing
 *   finish.c           flush, sync, seek, close
 *   read.c, read_until.c, events.c  reading
 *   copy.c             from one stream to another
 *   socket.c, file.c   streams over sockets, over FIFOs and files
 *   secure_object.c    starttls, and what Lua sees of TLS
 */
#ifndef AWIO_STREAM_H
#define AWIO_STREAM_H

#include "stream/state.h"

/* Make a stream on `fd`; NULL: out of memory. Takes `fd`, also on failure. */
awio_stream *awio_stream_new(int fd, bool can_read, bool can_write,
                             const char *name);
void awio_stream_release(awio_stream *stream); /* NULL is fine */

/* Close a stream: its waits end with AW_ECLOSED, and it reads nothing more. The
 * pump still sends what is in `out` while its loop runs; a socket lingers.
 * Closing again does nothing.
 *
 *   engine  the running engine; NULL: unknown
 */
void awio_stream_close(awio_stream *stream, aw_engine *engine);

/* Close a socket, also one that lingers, and drop what is in `out`: after a
 * failure nobody waits for a peer that does not read. */
void awio_stream_abort(awio_stream *stream, aw_engine *engine);

/* Close a stream whose task will wait until everything is sent: call this again
 * after each awio_wait_flushed. Returns true if the task must wait. */
bool awio_stream_finish(awio_stream *stream, aw_task *task);

/* Call read(2) once, unless the stream is `drained`. Returns the number of
 * bytes added to `in`; 0 at the end of the file; UV_EAGAIN if the task must
 * wait; or an error.
 *
 *   wanted  the number of bytes that the task wants; 0: unknown
 */
ssize_t awio_stream_fill(awio_stream *stream, size_t wanted);

/* The descriptor is readable: the next read may ask the kernel. */
void awio_stream_note_readable(awio_stream *stream);

/* Remove `count` bytes from `in`, of which the caller has made Lua strings.
 * Returns false, with nothing removed, if a finalizer that ran meanwhile has
 * read from the stream or closed it: then look at `in` again.
 *
 *   seen  the value of `taken` before the strings were made
 */
bool awio_stream_take(awio_stream *stream, size_t count, uint64_t seen);

/* May the bytes of a new write go to the kernel, or to `out`? Returns 0;
 * UV_EAGAIN if the task must wait for the descriptor first, by one of the
 * operations that do; UV_EBUSY if it must wait until `out` is empty; or an
 * error. Not for files. */
int awio_stream_turn(const awio_stream *stream);

/* Submit as much of `data` as the kernel and `out` take. Returns the number of
 * bytes submitted, or an error. Use awio_stream_send(). */
ssize_t awio_stream_submit(awio_stream *stream, const char *data, size_t size);

/* Submit, and start the pump in `loop` if bytes are left in `out`. */
ssize_t awio_stream_send(awio_stream *stream, aw_loop *loop, const char *data,
                         size_t size);

/* Write once, past `out`, which must be empty. Returns the number of bytes that
 * the kernel has taken, UV_EAGAIN if the task must wait, or an error. */
ssize_t awio_stream_put(awio_stream *stream, const char *data, size_t size);

/* Type the characters that end the input of a terminal, or put them into `out`.
 * Does nothing on other descriptors, or when called again. Returns 0 or
 * AW_ENOMEM. */
int awio_stream_end_input(awio_stream *stream);

/* Write the content of C's buffer for a shared descriptor. Call this before a
 * write of our own. Returns 0; UV_EAGAIN if the task must wait for the
 * descriptor first; or UV_EBUSY if it must wait until `out` is empty. */
int awio_stream_yield_to_c(const awio_stream *stream);

/* Start the pump in `loop`, unless it runs. Returns 0, AW_ENOMEM or
 * AW_EENDED. */
int awio_stream_pump(awio_stream *stream, aw_loop *loop);

/* Let the other side see the end of the file, after everything was sent. */
void awio_stream_shut(awio_stream *stream, aw_engine *engine);

/* What the pump has to do next for a stream. */
typedef enum awio_owed {
  AWIO_NOTHING,
  AWIO_HANDSHAKE,
  AWIO_BYTES,   /* send `out`, or close_notify */
  AWIO_FAREWELL /* wait until the peer has what was sent: then close the fd */
} awio_owed;
awio_owed awio_stream_owes(const awio_stream *stream);
/* For pump.c: send what the kernel takes of `out`; returns as write(2). */
ssize_t awio_stream_send_queue(awio_stream *stream);
/* For pump.c: drop `out`. The peer of a socket sees a reset when it has lost
 * bytes, or the rest of a large write. */
void awio_stream_drop(awio_stream *stream);
/* For pump.c: close the descriptor. If `engine` is the running engine, its
 * waits for the descriptor end first. */
void awio_stream_close_fd(awio_stream *stream, aw_engine *engine);

/* Operations, each with the label of the method that waits. Their data is the
 * stream. These wait until the descriptor is readable: */
extern const aw_operation awio_wait_read;  /* in read() */
extern const aw_operation awio_wait_some;  /* in read_some() */
extern const aw_operation awio_wait_line;  /* in lines() */
extern const aw_operation awio_wait_until; /* in read_until() */
extern const aw_operation awio_wait_from;  /* in copy() */
/* These wait until the descriptor is writable: */
extern const aw_operation awio_wait_write; /* in write() */
extern const aw_operation awio_wait_flush; /* in flush() */
extern const aw_operation awio_wait_open;  /* in handshake() and shutdown() */
extern const aw_operation awio_wait_to;    /* in copy() */
/* These wait for the job of a file: */
extern const aw_operation awio_wait_write_disk; /* in write() */
extern const aw_operation awio_wait_flush_disk; /* in flush() */
extern const aw_operation awio_wait_seek;       /* in seek() */
extern const aw_operation awio_wait_sync;       /* in sync() */
extern const aw_operation awio_wait_to_disk;    /* in copy() */
/* These wait until `out` has shrunk: */
extern const aw_operation awio_wait_room;       /* in write() */
extern const aw_operation awio_wait_large;      /* in a large write() */
extern const aw_operation awio_wait_large_file; /* the same, to a file */
extern const aw_operation awio_wait_sent;       /* in shutdown() */
extern const aw_operation awio_wait_flushed;    /* in flush() */
extern const aw_operation awio_wait_turn;       /* in copy() */
extern const aw_operation awio_wait_closed;     /* in close() of a file */

/* Begin and abort a wait for the descriptor, in operations; `data` of the
 * second is the stream. The first returns what aw_ready_arm() returns. */
int awio_stream_arm(aw_task *task, awio_stream *stream, int events);
void awio_stream_disarm(aw_task *task, void *data);

/* Operations of Readable(stream) and Writable(stream) [Q6]. Their data is the
 * userdata of the Stream, which may be finalized when the wire runs. */
extern const aw_operation awio_stream_readable, awio_stream_writable;

/* ---- for Lua: stream_object.c ---- */

/* Return the userdata of the Stream at `index`, or NULL if the value there is
 * no Stream. The userdata is a pointer to an awio_stream; that pointer is NULL
 * in a finalized Stream. */
awio_stream **awio_to_stream(lua_State *L, int index);

/* Push a Stream whose pointer is NULL, and return its userdata, for
 * awio_fill_stream(). May raise.
 *
 *   anchor  index of a value that must live as long as the Stream; 0: none
 */
awio_stream **awio_push_stream(lua_State *L, int anchor);
/* Put `stream` into the userdata `box`. Takes `stream`; NULL is fine. */
void awio_fill_stream(lua_State *L, awio_stream **box, awio_stream *stream);

/* Set those of the limits that the table at `arg` has as its options max_line,
 * high_water and max_output. May raise. */
void awio_check_limits(lua_State *L, int arg, awio_limits *limits);

#endif
