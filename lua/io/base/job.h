/* job.h - functions of Lua that await one work of the pool for files
 *
 *     box (userdata) ─► awio_job ◄─ the pool
 *
 * A job does all its system calls in one visit of a thread. It lies in memory
 * of malloc(3) and has its own copies of all arguments, since its task may be
 * killed, and the state closed, while a thread still works on it.
 *
 * Cancel [C10]. A job without an effect, such as a read, is forgotten at once;
 * its thread disposes of the result. A job with an effect that waits in the
 * queue is taken out: nothing has happened. Under way it becomes *unwanted*,
 * and its task waits on: `run` may undo what it has done and set the result
 * AW_ECANCELED, so that Cancelled means "it did not happen" [C2]; or it
 * finishes, its result is delivered, and the next await raises Cancelled [C6].
 * A task that is killed waits no longer [C9]; the job goes on, unwanted.
 */
#ifndef AWIO_JOB_H
#define AWIO_JOB_H

#include "base/work.h"

#include <aiowire_lua.h>

#include <lua.h>

typedef struct awio_job awio_job;

/* What a job does. Constant. */
typedef struct awio_job_kind {
  const char *call;       /* for errors: "read" */
  aw_operation operation; /* AWIO_JOB_READS() or AWIO_JOB_CHANGES() */
  /* On a thread: do it, and set the result of the work. */
  void (*run)(awio_job *job);
  /* Push the results and return their number; may raise. AWIO_JOB_MORE: call
   * it again, with the stack as it is, after other tasks had a turn. NULL:
   * there are no results. */
  int (*push)(lua_State *L, awio_job *job);
  /* Free what the job owns, and undo what nobody has heard of, such as the file
   * of a tempfile. On any thread. NULL: nothing to do. */
  void (*dispose)(awio_job *job);
} awio_job_kind;

enum {
  AWIO_JOB_MORE = -1,
  AWIO_JOB_PIECE = 1000 /* entries of a list to push in a turn */
};

/* Make this the first member of a struct. */
struct awio_job {
  awio_work work; /* first */
  const awio_job_kind *kind;
  const char *path;  /* a copy of argument 1 */
  const char *other; /* a copy of argument 2, or NULL */
  const char *about; /* what an error is about: at first, `path` */
  aw_lua_held held;  /* held by the box */
};

/* The operation of a kind without an effect, or with one. `label` is the name
 * of the function in messages, such as "fs.read". */
#define AWIO_JOB_READS(label_) \
  { \
    .label = (label_), .arm = awio_job_arm, .disarm = awio_job_disarm, \
    .external = true, .describe = awio_job_describe \
  }
#define AWIO_JOB_CHANGES(label_) \
  { \
    .label = (label_), .arm = awio_job_arm, .disarm = awio_job_disarm, \
    .abandon = awio_job_disarm, .abortable = awio_job_abortable, \
    .external = true, .describe = awio_job_describe \
  }
int awio_job_arm(aw_task *task, void *data);
void awio_job_disarm(aw_task *task, void *data);
bool awio_job_abortable(aw_task *task, void *data);
/* For `abandon`: the thread still does the job, also one in the queue. */
void awio_job_abandon(aw_task *task, void *data);
void awio_job_describe(const void *data, char *out, size_t size);

/* Check that argument `arg` can be a path: a string without a zero byte. */
const char *awio_check_path(lua_State *L, int arg);

/* Make a job of `size` zeroed bytes, and push its box.
 *
 *   paths  how many arguments, from 1 on, are paths: 0 to 2
 *
 * Returns the job, borrowed from the box. Raises. */
void *awio_job_new(lua_State *L, const awio_job_kind *kind, size_t size,
                   int paths);

/* Await the job whose box is on top, and return its results. Use it as `return
 * awio_job_await(L)`. Failures are SystemErrors at the caller's line. */
int awio_job_await(lua_State *L);

/* Leave the job whose box is on top to a thread, and wait for nothing. Jobs of
 * this engine were awaited before. Returns 0. */
int awio_job_leave(lua_State *L);

/* Should the job stop? */
static inline bool awio_job_unwanted(const awio_job *job) {
  return atomic_load(&job->work.unwanted);
}

#endif
