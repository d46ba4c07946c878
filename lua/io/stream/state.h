/* state.h - what a stream consists of; see stream.h */
#ifndef AWIO_STREAM_STATE_H
#define AWIO_STREAM_STATE_H

#include "base/buffer.h"
#include "base/socket.h"
#include "base/waiters.h"

#include <aiowire.h>
#include <aiowire_lua.h>

#include <stdint.h>
#include <sys/types.h>

enum {
  AWIO_HIGH_WATER = 256 * 1024, /* write() awaits when `out` has so much */
  AWIO_LOW_WATER = 64 * 1024,   /* then it goes on when `out` has so little */
  AWIO_MAX_LINE = 1024 * 1024
};

/* For so long the peer of a closed socket may take nothing. */
#define AWIO_LINGER (30 * AW_SECOND)

/* Limits in bytes: of `out`, of a line, of the result of read "a". */
typedef struct awio_limits {
  size_t high_water, max_line, max_output;
} awio_limits;

/* Offsets from the start of a buffer's content; from == to: nothing. */
typedef struct awio_span {
  size_t from, to;
} awio_span;

typedef struct awio_stream awio_stream;

/* What stream.c calls for a file: functions of disk.c. */
typedef struct awio_disk_acts {
  ssize_t (*fill)(awio_stream *stream, size_t wanted);
  int (*arm)(aw_task *task, awio_stream *stream, int result);
  void (*disarm)(aw_task *task, void *data);
  void (*wake)(awio_stream *stream);
  void (*close)(awio_stream *stream);
} awio_disk_acts;

struct awio_stream {
  int fd;               /* -1 once it is closed or given away */
  unsigned refs;        /* references: the userdata's and the pump's */
  aw_lua_held held;     /* held by the userdata */
  aw_lua_weight weight; /* until it is closed */
  aw_lua_here *here;    /* for aw_lua_quick() */
  awio_buffer in;       /* bytes from the kernel that no reader has taken */
  uint64_t taken;       /* how often bytes have left `in` */
  awio_span no_line;    /* the part of `in` without the end of a line */
  size_t chunk;         /* bytes to ask the kernel for */
  awio_buffer out;      /* submitted bytes that the kernel has not taken */
  awio_waiters room;    /* tasks that wait for `out` to shrink */
  size_t sent;          /* bytes of the large write that are submitted */
  aw_engine *engine;    /* in which `fd` was waited for last; it may be freed */
  aw_keeper keeper;     /* keeps the watcher of `fd` */
  awio_limits limits;
  struct awio_disk *disk;     /* of a file, or NULL */
  const awio_disk_acts *acts; /* of a file, closed or not, or NULL */
  awio_tcp_options tcp;       /* of a socket */
  awio_address peer; /* of a socket: after a reset the kernel forgets it */
  int error;         /* with which a write of the pump failed, or 0 */
  int lost;          /* with which the connection broke, or 0 */
  uint64_t linger;   /* AWIO_LINGER; specs set less */
  int unread; /* while it lingers: bytes that the peer had not taken lately */
  bool can_read, can_write;
  bool told;     /* `error` was raised, or this is no file */
  bool socket;   /* `fd` is a connected socket */
  bool spread;   /* tasks of several engines have waited for `fd` */
  bool shared;   /* `fd` is 0, 1 or 2: it stays blocking, and open */
  bool drained;  /* wait for readiness before the next read(2) */
  bool ended;    /* the kernel has reported the end of the file */
  bool closed;   /* closed by Lua; the pump may still use `fd` */
  bool shut;     /* shut down: no more writes */
  bool broken;   /* a large write was cancelled half way */
  bool cut;      /* bytes of a socket were dropped: end it with a reset */
  bool large;    /* a large write is under way */
  bool pumping;  /* the pump runs, or has been started */
  bool stopped;  /* the pump was cancelled, and its loop has not failed */
  bool stopping; /* it goes on nevertheless, in a shield */
  bool terminal; /* `fd` is the master of a child's terminal: EIO is the end */
  bool types;    /* the end of the terminal's input was not typed yet */
  bool mid_line; /* the last byte typed into the terminal ends no line */
  struct awio_secure *secure; /* TLS, or NULL */
  const char *name; /* for people: what it is connected to; `text`, or of TLS */
  char text[];
};

#endif
