/* stream.h - bytes in and out of a descriptor
 *
 *   in    the kernel → read(2) in the task that reads → `in` → Lua strings
 *   out   Lua strings → write(2) in the task that writes; what the kernel does
 *         not take → `out` → the pump, a background task → write(2)
 *
 * Nothing is read but for a task that wants it, so memory is bounded and a
 * cancelled read loses nothing: what has come stays in `in` [C10]. A write is
 * submitted when its bytes are with the kernel or in `out`; only one that is
 * larger than what `out` takes can be cancelled half way, which breaks the
 * stream.
 *
 * A descriptor that is `shared` (a standard one) stays blocking, since others
 * have it as well; then each read and write is preceded by a look. Lua's own
 * print and io.write write there, too: see cstdio.h.
 */
#ifndef AWIO_STREAM_H
#define AWIO_STREAM_H

#include "base/buffer.h"
#include "base/waiters.h"

#include <aiowire.h>
#include <aiowire_lua.h>

#include <stdint.h>
#include <sys/types.h>

enum {
  AWIO_HIGH_WATER = 256 * 1024, /* write() awaits while more is in `out` */
  AWIO_LOW_WATER = 64 * 1024,   /* … and goes on below this */
  AWIO_MAX_LINE = 1024 * 1024
};

/* Bytes: for write, for a line, for "a". */
typedef struct awio_limits {
  size_t high_water, max_line, max_output;
} awio_limits;

typedef struct awio_stream {
  int fd;            /* -1 once it is closed or given away */
  unsigned refs;     /* of the userdata, of the pump */
  aw_lua_held held;  /* by the userdata */
  awio_buffer in;    /* read from the kernel, not by Lua */
  uint64_t taken;    /* how often bytes have left `in` */
  size_t chunk;      /* how much to ask the kernel for */
  awio_buffer out;   /* submitted, not taken by the kernel */
  awio_waiters room; /* tasks that wait for `out` to shrink */
  size_t sent;       /* of the large write under way: bytes submitted */
  aw_engine *engine; /* where `fd` was waited for last; may be no more */
  aw_keeper keeper;  /* of `fd`, while it is open */
  awio_limits limits;
  int error; /* of a write of the pump, or 0 */
  bool can_read, can_write;
  bool shared;  /* the descriptor is not ours alone: stays blocking, and open */
  bool ended;   /* the kernel said end of file */
  bool closed;  /* by Lua; the pump may still have the descriptor */
  bool shut;    /* no more writes */
  bool broken;  /* a write was cancelled half way */
  bool large;   /* a large write is under way */
  bool pumping; /* the pump runs, or is about to */
  bool terminal; /* our side of a child's: EIO is its end … */
  bool types;    /* … and the end of the input is to be typed yet */
  bool mid_line; /* what was typed last does not end a line */
  char name[48];
} awio_stream;

/* A new stream on `fd`, which it takes, also on failure; NULL: no memory. */
awio_stream *awio_stream_new(int fd, bool can_read, bool can_write,
                             const char *name);
void awio_stream_release(awio_stream *stream); /* NULL is fine */

/* End it: waits end with AW_ECLOSED, nothing more is read. What is in `out` is
 * still sent while the engine runs. Twice is fine.
 *
 *   engine  the one that runs now
 */
void awio_stream_close(awio_stream *stream, aw_engine *engine);

/* Read once. Returns how many bytes came into `in`, 0 at the end of file,
 * UV_EAGAIN when a task has to wait, else an error. */
ssize_t awio_stream_fill(awio_stream *stream, size_t wanted);

/* Take `count` bytes out of `in`, which Lua strings were made of after `taken`
 * was `seen`. False, and none is taken: a finalizer that ran meanwhile has read
 * from the stream, or closed it; look again. */
bool awio_stream_take(awio_stream *stream, size_t count, uint64_t seen);

/* Hand `data` to the kernel or to `out`, as much as they take; the pump of
 * `loop` sees to `out`. Returns how much that was, or an error. */
ssize_t awio_stream_send(awio_stream *stream, aw_loop *loop, const char *data,
                         size_t size);

/* Type what ends the input of a terminal, once, or put it into `out`. Returns 0
 * or AW_ENOMEM. */
int awio_stream_end_input(awio_stream *stream);

/* Before a write to a shared descriptor: hand over what C has kept back for it.
 * Returns 0, UV_EAGAIN when a task has to wait for the descriptor, UV_EBUSY for
 * `out`. */
int awio_stream_yield_to_c(const awio_stream *stream);

/* See to `out`, if it is not seen to. Returns 0 or AW_ENOMEM, AW_EENDED. */
int awio_stream_pump(awio_stream *stream, aw_loop *loop);

/* All is sent: say so to the other side. */
void awio_stream_shut(awio_stream *stream, aw_engine *engine);

/* To wait for; the data is the stream. */
extern const aw_operation awio_wait_read; /* something to read, or the end … */
extern const aw_operation awio_wait_some;  /* … for read_some() … */
extern const aw_operation awio_wait_line;  /* … for lines() */
extern const aw_operation awio_wait_write; /* the descriptor takes something */
extern const aw_operation awio_wait_flush; /* the same, for flush() */
extern const aw_operation awio_wait_room;  /* less in `out` */
extern const aw_operation awio_wait_large; /* the same, in a large write */
extern const aw_operation awio_wait_sent;  /* the same, for shutdown() … */
extern const aw_operation awio_wait_flushed; /* … and for flush() */

/* … in wires, where nothing is read or written yet [Q6]; the data is the
 * userdata of the Stream, which a wire may find finalized: */
extern const aw_operation awio_stream_readable, awio_stream_writable;

/* ---- for Lua: stream_object.c ---- */

/* The userdata of the Stream at `index`: the place of its stream, where NULL is
 * when it is finalized. NULL if it is none. */
awio_stream **awio_to_stream(lua_State *L, int index);

/* Push a Stream without a stream: put one into the place that this gives. The
 * value at `anchor` (0: none) lives as long. Raises. */
awio_stream **awio_push_stream(lua_State *L, int anchor);
/* The userdata whose place is `box` holds `stream`: takes, NULL is fine. */
void awio_fill_stream(lua_State *L, awio_stream **box, awio_stream *stream);

/* Take the options max_line, high_water and max_output, bytes, from the table
 * at `arg`; those that are there. Raises. */
void awio_check_limits(lua_State *L, int arg, awio_limits *limits);

#endif
