/* disk.h - streams of regular files and block devices, with threads
 *
 *   in    file ─► job ─► `read` ─► `in` ─► Lua strings      reads ahead
 *   out   Lua strings ─► `out` ─► job ─► file               writes behind
 *
 * Whoever needs a file calls awio_disk_rest(). That function takes the result
 * of the job that is over, begins to write what is in `out`, and says whether a
 * job is under way. If so, the task waits for the job and calls the function
 * again. So each waiting task moves the work on. So does the *pump*, a task
 * that lives while there is something to write: no cancel ends its wait, and a
 * loop waits for it.
 *
 * A job takes the whole of `out`, so `out` has room at once, and small writes
 * gather while it is under way. The first of them begins a job only when the
 * pump has its turn, or when AWIO_GATHER bytes are there.
 *
 * Reading. A chunk of the file is read where there is room in front of it for
 * what is left in `in`, so its block becomes the new `in`. From the second
 * chunk on, the next one is read while Lua works. It gets larger then.
 *
 * Reads and writes share the position of the kernel. It is ahead of the user's
 * position by the bytes that were read and not taken, or behind it by the bytes
 * in `out`. So a write first moves the position back, by lseek(2), and a read
 * first writes what is in `out`.
 *
 * A write that fails is final: `out` is dropped, and each later write, flush or
 * sync raises the error. close() raises it if nothing else has (`told`).
 *
 * Invariants: while bytes are in `out`, or being written, nothing is read
 * ahead. A stream with bytes in `out` is in the list of `unwritten` streams,
 * which an exit handler writes.
 *
 *   file_job.c       the descriptor, and threads
 *   finish.c         methods of Lua
 */
#ifndef AWIO_DISK_H
#define AWIO_DISK_H

#include "stream/file_job.h"
#include "stream/stream.h"

#include <sys/types.h>

enum {
  AWIO_GATHER = 64 * 1024,      /* begin to write when `out` has so much */
  AWIO_DISK_WATER = 1024 * 1024 /* the usual high_water of a file */
};

typedef struct awio_disk {
  awio_file *file;
  awio_file_job *read;        /* a chunk that was read and not taken, or NULL */
  awio_buffer spare;          /* for the next job that reads */
  awio_buffer blank;          /* for the next `out` */
  size_t chunk;               /* bytes to read next */
  bool sequential;            /* the last chunk was full */
  bool ended_told;            /* the last read has told the end of the file */
  bool changed;               /* something was written since it was opened */
  bool killed;                /* its pump was killed */
  uint64_t syncs, synced;     /* begun, and ended */
  awio_stream *next, **place; /* in that list */
  aw_task *pump;              /* that waits for the job, or NULL */
  pthread_t thread;           /* that of its engine */
} awio_disk;

/* Make `stream`, which has no descriptor, a file. Returns 0 or AW_ENOMEM. */
int awio_disk_add(awio_stream *stream);
/* The file is open: `stat` says what it is. Only regular files and block
 * devices stay ones; of others the stream gets the descriptor. */
void awio_disk_opened(awio_stream *stream, const struct stat *stat);
/* Make a stream on a descriptor of a regular file. NULL: out of memory. Takes
 * `fd`, also on failure. */
awio_stream *awio_disk_stream(int fd, bool can_read, bool can_write,
                              const char *name);

/* Take the job that is over, and write on. Returns true if nothing is under way
 * and `out` is empty. */
bool awio_disk_rest(awio_stream *stream);
/* The same, and block the thread until that is so. */
void awio_disk_settle(awio_stream *stream);

/* As awio_stream_fill(). */
ssize_t awio_disk_fill(awio_stream *stream, size_t wanted);
/* Has the file grown since its end was read? Then the stream is not `ended`. */
bool awio_disk_grown(awio_stream *stream);
/* A read begins at the end of the file, where bytes may have come. */
void awio_disk_look_again(awio_stream *stream);
/* Give back what was read ahead, so that the position is the user's. Nothing
 * may be under way. Returns 0 or -errno. */
int awio_disk_give_back(awio_stream *stream);
/* Move the position, as lseek(2). Nothing may be under way. */
off_t awio_disk_seek(awio_stream *stream, off_t offset, int whence);

/* Prepare a write. Returns 0; UV_EAGAIN if the task must wait for the job; or
 * an error. */
int awio_disk_turn(awio_stream *stream);
/* Bytes were put into `out`. */
void awio_disk_submitted(awio_stream *stream);
/* Begin the pump in `loop`, or write here and now. See awio_stream_pump(). */
void awio_disk_pump(awio_stream *stream, aw_loop *loop);
/* Is something to be written, or maybe reported by close(2)? */
bool awio_disk_must_finish(const awio_stream *stream);
/* Begin to sync. Nothing may be under way. Returns 0 or AW_ENOMEM. */
int awio_disk_sync(awio_stream *stream);

#endif
