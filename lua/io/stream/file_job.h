/* file_job.h - a descriptor of a file, and what a thread does with it
 *
 *     engine ─► awio_file_begin() ─► job ─► a thread of awio_files: run
 *        ▲                                    │ `done`, and the tickets of the
 *        └── awio_file_ended() ◄──────────────┘ tasks that wait for the job
 *
 * A file has one job at a time, so its calls reach the kernel in their order,
 * and it has one position, the kernel's. Nobody needs to wait for a job: it may
 * read ahead, and a task that wants its result later finds it `done`.
 *
 * While a job runs, the job, the descriptor and its position are the thread's;
 * else they are the engine's. `lock` guards `done` and the list of waiters.
 * The references keep the descriptor open: the stream's, and that of the job.
 * So a file that is closed while a job is under way is closed by its thread.
 *
 * If no thread can be made, a job runs on the thread of the engine instead.
 */
#ifndef AWIO_FILE_JOB_H
#define AWIO_FILE_JOB_H

#include "base/buffer.h"
#include "base/work.h"

#include <aiowire.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

typedef struct awio_file awio_file;

typedef struct awio_file_job {
  awio_work work;  /* first; its result is 0 or a code */
  awio_file *file; /* a reference */
  atomic_bool done;

  awio_buffer data; /* read, or to be written; the job's own */
  /* Of awio_run_read: */
  size_t size;   /* bytes to read */
  size_t wanted; /* more than that, if the file has so many */
  size_t head;   /* bytes to leave free in front of them */
  bool end;      /* the end of the file was reached */
  /* Of awio_run_open: */
  char *path; /* from malloc(3); NULL: none */
  int flags;
  struct stat stat;
} awio_file_job;

/* A task that waits for the job, and the ticket with which it ends. */
typedef struct awio_file_waiter {
  aw_task *task;
  aw_ticket *ticket;
  int result; /* 0 or AW_READY */
} awio_file_waiter;

struct awio_file {
  int fd; /* -1: not open */
  atomic_uint refs;
  pid_t pid;          /* the process whose threads run the jobs */
  awio_file_job *job; /* under way, or over and not taken; for the engine */
  pthread_mutex_t lock;
  pthread_cond_t over; /* the job is done */
  awio_file_waiter *waiters;
  size_t count, room; /* of `waiters` */
};

/* Make a file that is not open; NULL: out of memory. */
awio_file *awio_file_new(void);
void awio_file_release(awio_file *file); /* takes */

/* Make a job, with one of the functions below as `run`; NULL: out of memory. */
awio_file_job *awio_file_job_new(awio_file *file, void (*run)(awio_work *));
void awio_file_job_free(awio_file_job *job); /* takes; NULL is fine */

/* What jobs do. All but awio_run_open() need an open file. */
void awio_run_open(awio_work *work); /* also fstat(2) */
void awio_run_read(awio_work *work);
void awio_run_write(awio_work *work); /* all of `data` */
void awio_run_sync(awio_work *work);
void awio_run_close(awio_work *work); /* close(2) */

/* Begin a job of a file that has none. Takes. */
void awio_file_begin(awio_file_job *job);
/* Take the job, if it is over; NULL: it is under way, or there is none. */
awio_file_job *awio_file_ended(awio_file *file);
/* Block the thread until the job is over. In a forked child, whose parent has
 * the thread of the job, forget the job. */
void awio_file_wait(awio_file *file);

/* Wait for the end of the job, in operations that are `external`. Returns 1 if
 * no job is under way, 0 or a code.
 *
 *   result  how the wait ends: 0 or AW_READY
 */
int awio_file_arm(awio_file *file, aw_task *task, int result);
void awio_file_disarm(awio_file *file, const aw_task *task);
/* End all these waits with `result`, but for that of the task `spared`. */
void awio_file_wake(awio_file *file, int result, const aw_task *spared);

#endif
