/* disk.c - see disk.h
 *
 * More than 500 lines: reading, writing and the position share one job.
 */
#include "stream/disk.h"

#include <uv.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  FIRST_CHUNK = 64 * 1024,
  LAST_CHUNK = 1024 * 1024, /* each one wakes two threads */
  LEAST_SPARE = 32 * 1024,  /* smaller blocks are not kept for the next job */
  MOST_SPARE = 2 * 1024 * 1024
};

/* ---- streams with bytes to write ---- */

static struct {
  pthread_mutex_t lock;
  awio_stream *first;
} unwritten = {PTHREAD_MUTEX_INITIALIZER, NULL};

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Files of Lua are written when the process exits, and ours, too. Streams of
 * other threads are not touched: their threads may use them. */
static awio_stream *find_unwritten(void) {
  pthread_t self = pthread_self();
  pid_t pid = getpid();
  pthread_mutex_lock(&unwritten.lock);
  awio_stream *s = unwritten.first;
  while (s &&
         !(pthread_equal(s->disk->thread, self) && s->disk->file->pid == pid))
    s = s->disk->next;
  pthread_mutex_unlock(&unwritten.lock);
  return s;
}

static void write_at_exit(void) {
  awio_stream *s;
  while ((s = find_unwritten()) != NULL)
    awio_disk_settle(s); /* takes it out of the list */
}

static void watch_exit(void) {
  atexit(write_at_exit);
}

static void list(awio_stream *s) {
  awio_disk *d = s->disk;
  pthread_once(&once, watch_exit);
  d->thread = pthread_self();
  pthread_mutex_lock(&unwritten.lock);
  d->next = unwritten.first;
  d->place = &unwritten.first;
  if (d->next)
    d->next->disk->place = &d->next;
  unwritten.first = s;
  pthread_mutex_unlock(&unwritten.lock);
}

static void unlist(awio_stream *s) {
  awio_disk *d = s->disk;
  if (!d->place)
    return;
  pthread_mutex_lock(&unwritten.lock);
  *d->place = d->next;
  if (d->next)
    d->next->disk->place = d->place;
  d->place = NULL;
  pthread_mutex_unlock(&unwritten.lock);
}

/* ---- life ---- */

static int arm_job(aw_task *task, awio_stream *s, int result);
static void disarm_job(aw_task *task, void *data);
static void wake_all(awio_stream *s);
static void close_disk(awio_stream *s);

static const awio_disk_acts acts = {awio_disk_fill, arm_job, disarm_job,
                                    wake_all, close_disk};

int awio_disk_add(awio_stream *s) {
  awio_disk *d = aw_allocate(sizeof *d);
  if (!d)
    return AW_ENOMEM;
  d->file = awio_file_new();
  if (!d->file) {
    aw_free(d);
    return AW_ENOMEM;
  }
  d->chunk = FIRST_CHUNK;
  s->disk = d;
  s->acts = &acts;
  s->told = false;
  s->shared = false;
  s->drained = true; /* read(2) is for threads */
  s->limits.high_water = AWIO_DISK_WATER;
  return 0;
}

static void free_disk(awio_stream *s) {
  awio_disk *d = s->disk;
  s->disk = NULL;
  awio_file_job_free(d->read);
  awio_buffer_free(&d->spare);
  awio_buffer_free(&d->blank);
  awio_file_release(d->file);
  aw_free(d);
}

void awio_disk_opened(awio_stream *s, const struct stat *stat) {
  s->fd = s->disk->file->fd;
  if (S_ISREG(stat->st_mode) || S_ISBLK(stat->st_mode))
    return;
  s->disk->file->fd = -1;
  free_disk(s);
  s->acts = NULL;
  s->drained = S_ISFIFO(stat->st_mode);
  s->told = true;
  s->limits.high_water = AWIO_HIGH_WATER;
}

awio_stream *awio_disk_stream(int fd, bool can_read, bool can_write,
                              const char *name) {
  awio_stream *s = awio_stream_new(-1, can_read, can_write, name);
  if (!s || awio_disk_add(s) < 0) {
    awio_stream_release(s);
    close(fd);
    return NULL;
  }
  s->fd = s->disk->file->fd = fd;
  return s;
}

/* ---- jobs that are over ---- */

/* Keep the block of a buffer in the place of another, if it is of more use:
 * fresh memory of the kernel costs as much as reading a file into it. */
static void keep_block(awio_buffer *place, awio_buffer *b) {
  if (b->size >= LEAST_SPARE && b->size <= MOST_SPARE &&
      b->size > place->size && awio_buffer_length(place) == 0) {
    awio_buffer_free(place);
    *place = (awio_buffer){b->data, 0, 0, b->size};
  } else {
    awio_buffer_free(b);
  }
  *b = (awio_buffer){NULL, 0, 0, 0};
}

static void note_error(awio_stream *s, int code) {
  if (code < 0 && !s->error)
    s->error = code;
  if (s->error)
    awio_buffer_free(&s->out);
}

/* Take the job if it is over. */
static void harvest(awio_stream *s) {
  awio_disk *d = s->disk;
  awio_file_job *job = awio_file_ended(d->file);
  if (!job)
    return;
  if (job->work.run == awio_run_read) {
    d->read = job;
    return;
  }
  note_error(s, job->work.result);
  if (job->work.run == awio_run_sync)
    d->synced++;
  if (job->work.run == awio_run_write) {
    keep_block(&d->blank, &job->data);
    awio_waiters_wake(&s->room, 0);
  }
  awio_file_job_free(job);
}

/* Begin to write the whole of `out`. */
static void begin_write(awio_stream *s) {
  awio_file_job *job = awio_file_job_new(s->disk->file, awio_run_write);
  if (!job) {
    note_error(s, AW_ENOMEM);
    return;
  }
  job->data = s->out;
  s->out = s->disk->blank;
  s->disk->blank = (awio_buffer){NULL, 0, 0, 0};
  awio_file_begin(job);
  awio_waiters_wake(&s->room, 0);
}

bool awio_disk_rest(awio_stream *s) {
  awio_disk *d = s->disk;
  for (;;) {
    harvest(s);
    if (d->file->job)
      return false;
    if (awio_buffer_length(&s->out) == 0)
      break;
    begin_write(s);
  }
  unlist(s);
  return true;
}

void awio_disk_settle(awio_stream *s) {
  while (!awio_disk_rest(s))
    awio_file_wait(s->disk->file);
}

/* ---- reading ---- */

static int begin_read(awio_stream *s, size_t wanted) {
  enum { ROOM = 4 }; /* the share of a chunk for what is left in `in` */
  awio_disk *d = s->disk;
  awio_file_job *job = awio_file_job_new(d->file, awio_run_read);
  if (!job)
    return AW_ENOMEM;
  size_t left = awio_buffer_length(&s->in);
  job->size = d->chunk;
  job->wanted = wanted;
  job->head = left > d->chunk / ROOM ? left : d->chunk / ROOM;
  job->data = d->spare;
  d->spare = (awio_buffer){NULL, 0, 0, 0};
  awio_file_begin(job);
  return 0;
}

/* Put the chunk behind what is left in `in`. false: out of memory. */
static bool append_chunk(awio_stream *s, awio_buffer *chunk) {
  size_t left = awio_buffer_length(&s->in);
  if (left > chunk->start) {
    if (!awio_buffer_add(&s->in, chunk->data + chunk->start,
                         awio_buffer_length(chunk)))
      return false;
    keep_block(&s->disk->spare, chunk);
    return true;
  }
  awio_buffer joined = *chunk;
  joined.start -= left;
  if (left > 0)
    memcpy(joined.data + joined.start, s->in.data + s->in.start, left);
  *chunk = (awio_buffer){NULL, 0, 0, 0};
  keep_block(&s->disk->spare, &s->in);
  s->in = joined;
  return true;
}

/* The next chunk is larger if this one was full, and read ahead. */
static void read_ahead(awio_stream *s, size_t got, size_t wanted) {
  awio_disk *d = s->disk;
  bool full = got >= d->chunk;
  if (full && d->sequential) {
    d->chunk = d->chunk < LAST_CHUNK ? d->chunk * 2 : LAST_CHUNK;
    begin_read(s, wanted > got ? wanted - got : 0);
  }
  d->sequential = full;
}

/* Hand the chunk that was read to the stream; returns as awio_stream_fill. */
static ssize_t hand_over_chunk(awio_stream *s, size_t wanted) {
  awio_disk *d = s->disk;
  awio_file_job *job = d->read;
  size_t got = awio_buffer_length(&job->data);
  if (job->work.result == 0 && got > 0 && !append_chunk(s, &job->data))
    return AW_ENOMEM;
  int code = job->work.result;
  bool end = job->end;
  d->read = NULL;
  awio_file_job_free(job);
  if (code < 0)
    return code;
  if (got > 0)
    d->ended_told = false;
  s->ended = end;
  if (!end)
    read_ahead(s, got, wanted);
  return (ssize_t)got;
}

ssize_t awio_disk_fill(awio_stream *s, size_t wanted) {
  if (!awio_disk_rest(s))
    return UV_EAGAIN;
  if (!s->disk->read) {
    int rc = begin_read(s, wanted);
    if (rc < 0)
      return rc;
    if (!awio_disk_rest(s))
      return UV_EAGAIN;
  }
  return hand_over_chunk(s, wanted);
}

/* Its size is there without a thread, as a rule. */
bool awio_disk_grown(awio_stream *s) {
  struct stat now;
  if (!s->ended || s->closed || fstat(s->fd, &now) < 0)
    return false;
  off_t at = lseek(s->fd, 0, SEEK_CUR);
  if (at < 0 || now.st_size <= at)
    return false;
  s->ended = s->disk->ended_told = false;
  return true;
}

void awio_disk_look_again(awio_stream *s) {
  awio_disk *d = s->disk;
  if (awio_buffer_length(&s->in) > 0 || awio_disk_grown(s))
    return;
  if (d->ended_told)
    s->ended = false;
  d->ended_told = true;
}

/* ---- the position ---- */

/* How many bytes were read and not taken. */
static size_t ahead(const awio_stream *s) {
  const awio_file_job *job = s->disk->read;
  size_t chunk = job ? awio_buffer_length(&job->data) : 0;
  return awio_buffer_length(&s->in) + chunk;
}

/* The position has moved: forget what was read. */
static void forget_read(awio_stream *s) {
  awio_disk *d = s->disk;
  awio_file_job_free(d->read);
  d->read = NULL;
  d->sequential = d->ended_told = false;
  d->chunk = FIRST_CHUNK;
  keep_block(&d->spare, &s->in);
  s->no_line = (awio_span){0, 0};
  s->ended = false;
  s->taken++;
}

int awio_disk_give_back(awio_stream *s) {
  size_t count = ahead(s);
  if (count > 0 && lseek(s->fd, -(off_t)count, SEEK_CUR) < 0)
    return -errno;
  if (count > 0 || s->disk->read || s->ended)
    forget_read(s);
  return 0;
}

off_t awio_disk_seek(awio_stream *s, off_t offset, int whence) {
  if (whence == SEEK_CUR) {
    off_t at = lseek(s->fd, 0, SEEK_CUR);
    if (at < 0)
      return -errno;
    at -= (off_t)ahead(s);
    if (offset == 0)
      return at;
    if (offset > 0 && at > INT64_MAX - offset)
      return UV_EOVERFLOW;
    offset += at;
    whence = SEEK_SET;
  }
  off_t at = lseek(s->fd, offset, whence);
  if (at < 0)
    return -errno;
  forget_read(s);
  return at;
}

/* ---- writing ---- */

int awio_disk_turn(awio_stream *s) {
  awio_disk *d = s->disk;
  bool reads = s->can_read && (d->file->job || ahead(s) > 0 || s->ended);
  if (!reads)
    return 0;
  harvest(s);
  if (d->file->job && d->file->job->work.run == awio_run_read)
    return UV_EAGAIN;
  if (ahead(s) == 0 && !s->ended)
    return 0;
  return d->file->job ? UV_EAGAIN : awio_disk_give_back(s);
}

void awio_disk_submitted(awio_stream *s) {
  awio_disk *d = s->disk;
  d->changed = true;
  if (!d->place)
    list(s);
  if (awio_buffer_length(&s->out) >= AWIO_GATHER)
    awio_disk_rest(s);
}

bool awio_disk_must_finish(const awio_stream *s) {
  return s->disk && (s->pumping || s->disk->changed);
}

int awio_disk_sync(awio_stream *s) {
  awio_file_job *job = awio_file_job_new(s->disk->file, awio_run_sync);
  if (!job)
    return AW_ENOMEM;
  s->disk->syncs++;
  awio_file_begin(job);
  return 0;
}

/* ---- the pump ---- */

static void describe_disk(const void *data, char *out, size_t size) {
  const awio_stream *s = data;
  snprintf(out, size, "%s", s->name);
}

static int disk_pump_arm(aw_task *task, void *data) {
  awio_stream *s = data;
  s->disk->pump = task;
  return arm_job(task, s, 0);
}

/* The pump is killed. */
static void leave_pump(aw_task *task, void *data) {
  awio_stream *s = data;
  s->disk->killed = true;
  disarm_job(task, data);
}

/* Not abortable: a loop that ends has written its files. */
static const aw_operation disk_pump_waits = {.label = "stream:write",
                                             .arm = disk_pump_arm,
                                             .abandon = leave_pump,
                                             .external = true,
                                             .describe = describe_disk};

/* All is written: does another thread have to close the file? */
static bool closes_now(awio_stream *s) {
  awio_disk *d = s->disk;
  awio_file_job *job = s->closed && d->changed && d->file->fd >= 0
                           ? awio_file_job_new(d->file, awio_run_close)
                           : NULL;
  if (job)
    awio_file_begin(job);
  return job != NULL;
}

static aw_turn disk_pump(aw_task *task, void *data) {
  awio_stream *s = data;
  s->disk->pump = NULL;
  if (aw_task_came_back(task) && aw_task_result(task) < 0)
    return AW_DONE;
  if (awio_disk_rest(s) && !closes_now(s))
    return AW_DONE;
  if (aw_await_operation(task, &disk_pump_waits, s) == 0)
    return AW_WAIT;
  return AW_DONE;
}

/* The wire of the pump is freed: the pump has ended, or could not start, or was
 * cancelled before it began: then the thread of the loop waits. */
static void disk_pump_over(void *data) {
  awio_stream *s = data;
  s->pumping = false;
  if (!s->disk->killed)
    awio_disk_settle(s);
  if (s->closed)
    awio_stream_close_fd(s, NULL);
  awio_waiters_wake(&s->room, 0);
  awio_stream_release(s);
}

void awio_disk_pump(awio_stream *s, aw_loop *loop) {
  static const aw_task_config config = {.name = "write", .background = true};
  s->pumping = true;
  s->disk->killed = false;
  s->refs++;
  aw_wire *wire = aw_shielded(aw_call(disk_pump, s), AW_NEVER);
  wire = aw_hold(wire, s, disk_pump_over);
  aw_loop_start(loop, wire, &config, NULL); /* else disk_pump_over() writes */
}

/* ---- closing ---- */

static void wake_all(awio_stream *s) {
  awio_file_wake(s->disk->file, AW_ECLOSED, s->disk->pump);
}

/* close(2) of a file that was written may report what a write did not. */
static void close_changed(awio_stream *s) {
  awio_disk *d = s->disk;
  awio_file_job *job = awio_file_job_new(d->file, awio_run_close);
  if (!job)
    return;
  d->file->job = job;
  awio_run_close(&job->work);
  harvest(s);
}

static void close_disk(awio_stream *s) {
  awio_disk *d = s->disk;
  awio_file_job *job = d->file->job;
  if (awio_buffer_length(&s->out) > 0 || (job && d->changed))
    awio_disk_settle(s);
  unlist(s);
  s->fd = -1;
  if (!d->file->job && d->changed && d->file->fd >= 0)
    close_changed(s);
  if (d->file->job) { /* its thread closes the file */
    awio_work_stop(&d->file->job->work);
    awio_file_job_free(d->file->job);
    d->file->job = NULL;
  }
  free_disk(s);
}

/* ---- waiting for the job ---- */

static int arm_job(aw_task *task, awio_stream *s, int result) {
  s->engine = aw_loop_engine(aw_task_loop(task));
  return awio_file_arm(s->disk->file, task, result);
}

/* The stream may have been closed, if the job was over before. */
static void disarm_job(aw_task *task, void *data) {
  awio_stream *s = data;
  if (s->disk)
    awio_file_disarm(s->disk->file, task);
}

static int plain_arm(aw_task *task, void *data) {
  return arm_job(task, data, 0);
}

#define FOR_JOB(what) \
  { \
    .label = (what), .arm = plain_arm, .disarm = disarm_job, .external = true, \
    .describe = describe_disk \
  }
const aw_operation awio_wait_to_disk = FOR_JOB("copy");
const aw_operation awio_wait_write_disk = FOR_JOB("stream:write");
const aw_operation awio_wait_flush_disk = FOR_JOB("stream:flush");
const aw_operation awio_wait_seek = FOR_JOB("stream:seek");
const aw_operation awio_wait_sync = FOR_JOB("stream:sync");
