/* file_job.c - see file_job.h */
#include "stream/file_job.h"

#include "base/plain.h"
#include "base/system.h"

#include <uv.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- files ---- */

awio_file *awio_file_new(void) {
  awio_file *f = calloc(1, sizeof *f);
  if (!f)
    return NULL;
  if (pthread_mutex_init(&f->lock, NULL) != 0)
    goto free_file;
  if (pthread_cond_init(&f->over, NULL) != 0)
    goto destroy_lock;
  f->fd = -1;
  f->pid = getpid();
  atomic_init(&f->refs, 1);
  return f;

destroy_lock:
  pthread_mutex_destroy(&f->lock);
free_file:
  free(f);
  return NULL;
}

void awio_file_release(awio_file *f) {
  if (atomic_fetch_sub(&f->refs, 1) != 1)
    return;
  if (f->fd >= 0)
    close(f->fd);
  pthread_cond_destroy(&f->over);
  pthread_mutex_destroy(&f->lock);
  aw_free(f->waiters);
  free(f);
}

/* ---- jobs ---- */

static void release_job(awio_work *work) {
  awio_file_job *job = (awio_file_job *)work;
  awio_buffer_free(&job->data);
  free(job->path);
  awio_file_release(job->file);
  free(job);
}

awio_file_job *awio_file_job_new(awio_file *f, void (*run)(awio_work *)) {
  awio_file_job *job = calloc(1, sizeof *job);
  if (!job)
    return NULL;
  awio_work_init(&job->work, run, release_job);
  atomic_init(&job->done, false);
  atomic_fetch_add(&f->refs, 1);
  job->file = f;
  return job;
}

void awio_file_job_free(awio_file_job *job) {
  if (job)
    awio_work_release(&job->work);
}

/* The job is over: the engine may take it, and its waits end. */
static void finish_job(awio_file_job *job, int result) {
  awio_file *f = job->file;
  job->work.result = result;
  pthread_mutex_lock(&f->lock);
  awio_file_waiter *waiters = f->waiters;
  size_t count = f->count;
  f->waiters = NULL;
  f->count = f->room = 0;
  atomic_store_explicit(&job->done, true, memory_order_release);
  pthread_cond_broadcast(&f->over);
  pthread_mutex_unlock(&f->lock);
  for (size_t i = 0; i < count; i++)
    aw_ticket_complete(waiters[i].ticket, waiters[i].result, 0);
  aw_free(waiters);
}

void awio_file_begin(awio_file_job *job) {
  job->file->job = job;
  if (awio_work_send(&awio_files, &job->work, NULL) < 0)
    job->work.run(&job->work);
}

static bool job_is_over(awio_file_job *job) {
  return atomic_load_explicit(&job->done, memory_order_acquire);
}

awio_file_job *awio_file_ended(awio_file *f) {
  awio_file_job *job = f->job;
  if (!job || !job_is_over(job))
    return NULL;
  f->job = NULL;
  return job;
}

void awio_file_wait(awio_file *f) {
  awio_file_job *job = f->job;
  if (!job)
    return;
  if (f->pid != getpid()) {
    f->job = NULL; /* leaked, as is what its thread held */
    return;
  }
  pthread_mutex_lock(&f->lock);
  while (!job_is_over(job))
    pthread_cond_wait(&f->over, &f->lock);
  pthread_mutex_unlock(&f->lock);
}

/* ---- waiting ---- */

/* Make room for a waiter. The lock is held. */
static bool room_for_waiter(awio_file *f) {
  if (f->count < f->room)
    return true;
  size_t room = f->room ? f->room * 2 : 2;
  awio_file_waiter *waiters =
      aw_reallocate(f->waiters, room * sizeof *f->waiters);
  if (!waiters)
    return false;
  f->waiters = waiters;
  f->room = room;
  return true;
}

static int add_waiter(awio_file *f, aw_task *task, int result) {
  if (!room_for_waiter(f))
    return AW_ENOMEM;
  aw_ticket *ticket = aw_ticket_new(task);
  if (!ticket)
    return AW_ENOMEM;
  f->waiters[f->count++] = (awio_file_waiter){task, ticket, result};
  return 0;
}

int awio_file_arm(awio_file *f, aw_task *task, int result) {
  void *uv;
  int rc = aw_engine_uv(aw_loop_engine(aw_task_loop(task)), &uv);
  if (rc < 0) /* this code says why there can be no ticket */
    return rc;
  if (!f->job)
    return 1;
  pthread_mutex_lock(&f->lock);
  rc = job_is_over(f->job) ? 1 : add_waiter(f, task, result);
  pthread_mutex_unlock(&f->lock);
  return rc;
}

void awio_file_disarm(awio_file *f, const aw_task *task) {
  aw_ticket *ticket = NULL;
  pthread_mutex_lock(&f->lock);
  for (size_t i = 0; i < f->count && !ticket; i++)
    if (f->waiters[i].task == task) {
      ticket = f->waiters[i].ticket;
      f->waiters[i] = f->waiters[--f->count];
    }
  pthread_mutex_unlock(&f->lock);
  aw_ticket_release(ticket);
}

/* Take a waiter out of the list; its task is NULL if there is none. */
static awio_file_waiter take_waiter(awio_file *f, const aw_task *spared) {
  awio_file_waiter w = {NULL, NULL, 0};
  pthread_mutex_lock(&f->lock);
  for (size_t i = f->count; i-- > 0 && !w.task;)
    if (f->waiters[i].task != spared) {
      w = f->waiters[i];
      f->waiters[i] = f->waiters[--f->count];
    }
  pthread_mutex_unlock(&f->lock);
  return w;
}

void awio_file_wake(awio_file *f, int result, const aw_task *spared) {
  awio_file_waiter w = take_waiter(f, spared);
  while (w.task) {
    aw_ticket_release(w.ticket);
    aw_wait_complete(w.task, result);
    w = take_waiter(f, spared);
  }
}

/* ---- what jobs do: on a thread of the pool ---- */

static int open_file(awio_file_job *job) {
  int fd = awio_file_open(job->path, job->flags, 0666, &job->stat);
  if (fd == UV_ENXIO && stat(job->path, &job->stat) == 0 &&
      S_ISFIFO(job->stat.st_mode))
    return UV_EAGAIN; /* it has no reader yet */
  if (fd < 0)
    return fd;
  bool appends = (job->flags & O_APPEND) && !(job->flags & O_RDWR);
  if (appends && S_ISREG(job->stat.st_mode))
    lseek(fd, 0, SEEK_END); /* as fopen(3) does, for seek("cur") */
  job->file->fd = fd;
  return 0;
}

void awio_run_open(awio_work *work) {
  awio_file_job *job = (awio_file_job *)work;
  finish_job(job, open_file(job));
}

/* The number of bytes to read: those that the stream asks for, and more if a
 * task wants more and the file has them. The end shows itself in the same
 * visit, by one byte more. */
static size_t size_of_read(const awio_file_job *job) {
  struct stat now;
  int fd = job->file->fd;
  if (job->wanted <= job->size || fstat(fd, &now) < 0 || !S_ISREG(now.st_mode))
    return job->size;
  off_t at = lseek(fd, 0, SEEK_CUR);
  if (at < 0 || now.st_size <= at)
    return job->size;
  size_t left = (size_t)(now.st_size - at) + 1;
  size_t size = job->wanted < left ? job->wanted : left;
  return size > job->size ? size : job->size;
}

static int read_file(awio_file_job *job) {
  awio_buffer *b = &job->data;
  size_t size = size_of_read(job);
  b->start = b->end = 0;
  if (!awio_buffer_room(b, job->head + size))
    return AW_ENOMEM;
  b->start = b->end = job->head;
  while (b->end - b->start < size && !atomic_load(&job->work.unwanted)) {
    ssize_t got =
        awio_read(job->file->fd, b->data + b->end, size - (b->end - b->start));
    if (got < 0 && b->end == b->start)
      return (int)got;
    job->end = got == 0;
    if (got <= 0)
      break; /* an error comes again with the next read */
    b->end += (size_t)got;
  }
  return 0;
}

void awio_run_read(awio_work *work) {
  awio_file_job *job = (awio_file_job *)work;
  finish_job(job, read_file(job));
}

void awio_run_write(awio_work *work) {
  awio_file_job *job = (awio_file_job *)work;
  finish_job(job,
             awio_file_write(job->file->fd, job->data.data + job->data.start,
                             awio_buffer_length(&job->data)));
}

/* By libuv, which knows what each system needs. */
void awio_run_sync(awio_work *work) {
  awio_file_job *job = (awio_file_job *)work;
  uv_fs_t request;
  int rc = uv_fs_fdatasync(NULL, &request, job->file->fd, NULL);
  uv_fs_req_cleanup(&request);
  finish_job(job, rc);
}

void awio_run_close(awio_work *work) {
  awio_file_job *job = (awio_file_job *)work;
  int fd = job->file->fd;
  job->file->fd = -1;
  finish_job(job, awio_file_close(fd));
}
