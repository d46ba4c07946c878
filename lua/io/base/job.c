/* job.c - functions of Lua that await a work; see job.h
 *
 * While a job waits, its box is on top of the Lua stack; `data` of the
 * operation is the box. When the wait is given up, the box lets go of its job
 * at once. The box may also be finalized during the wait, when the state is
 * closed.
 */
#include "base/job.h"

#include <lauxlib.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const CLASS = "aiowire.job";

typedef struct box {
  awio_job *job; /* NULL: its results were taken, or nobody wants them */
} box;

/* ---- the life of a job ---- */

static void call_kind(awio_work *work) {
  awio_job *job = (awio_job *)work;
  job->kind->run(job);
}

static void dispose_job(awio_work *work) {
  awio_job *job = (awio_job *)work;
  if (job->kind->dispose)
    job->kind->dispose(job);
  free(job);
}

static void forget_job(awio_job *job) {
  awio_work_forget(&job->work);
  awio_work_release(&job->work);
}

static void release_lost_job(aw_lua_held *held) {
  forget_job((awio_job *)((char *)held - offsetof(awio_job, held)));
}

/* Take the job out of the box. NULL: it is gone. */
static awio_job *take_from_box(box *b) {
  awio_job *job = b->job;
  b->job = NULL;
  if (job)
    aw_lua_let_go(&job->held);
  return job;
}

static void close_box(box *b) {
  awio_job *job = take_from_box(b);
  if (job)
    forget_job(job);
}

/* Empty the box, and let the job do what it does. */
static void drop_job(box *b) {
  awio_job *job = take_from_box(b);
  if (job)
    awio_work_release(&job->work);
}

static int job_box_gc(lua_State *L) {
  close_box(lua_touserdata(L, 1));
  return 0;
}

static box *push_job_box(lua_State *L) {
  box *b = lua_newuserdatauv(L, sizeof *b, 0);
  b->job = NULL;
  if (luaL_newmetatable(L, CLASS)) {
    lua_pushcfunction(L, job_box_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return b;
}

/* ---- the operation ---- */

int awio_job_arm(aw_task *task, void *data) {
  const box *b = data;
  return awio_work_begin(&awio_files, &b->job->work, task);
}

/* What the job has, such as a descriptor, does not wait for the collector. */
void awio_job_disarm(aw_task *task, void *data) {
  (void)task;
  close_box(data);
}

void awio_job_abandon(aw_task *task, void *data) {
  (void)task;
  drop_job(data);
}

bool awio_job_abortable(aw_task *task, void *data) {
  const box *b = data;
  (void)task;
  return !b->job || awio_work_stop(&b->job->work);
}

void awio_job_describe(const void *data, char *out, size_t size) {
  const box *b = data;
  snprintf(out, size, "%s", b->job && b->job->path ? b->job->path : "");
}

/* ---- for Lua ---- */

const char *awio_check_path(lua_State *L, int arg) {
  size_t size;
  const char *path = aw_lua_check_string(L, arg, &size);
  aw_lua_arg_check(L, strlen(path) == size, arg, "a path has no zero byte");
  return path;
}

void *awio_job_new(lua_State *L, const awio_job_kind *kind, size_t size,
                   int paths) {
  const char *path = paths > 0 ? awio_check_path(L, 1) : "";
  const char *other = paths > 1 ? awio_check_path(L, 2) : "";
  (void)aw_lua_engine(L); /* so that aw_lua_hold() does not raise below */
  box *b = push_job_box(L);
  size_t path_size = strlen(path) + 1, other_size = strlen(other) + 1;
  awio_job *job = calloc(1, size + path_size + other_size);
  if (!job)
    luaL_error(L, "not enough memory");
  char *text = (char *)job + size;
  awio_work_init(&job->work, call_kind, dispose_job);
  job->kind = kind;
  job->path = job->about = paths > 0 ? memcpy(text, path, path_size) : NULL;
  job->other = paths > 1 ? memcpy(text + path_size, other, other_size) : NULL;
  b->job = job;
  job->held.release = release_lost_job;
  aw_lua_hold(L, &job->held);
  return job;
}

static int raise_job_failure(lua_State *L, box *b, int code) {
  const awio_job *job = b->job;
  if (code == AW_ENOMEM)
    lua_pushfstring(L, "%s '%s': not enough memory", job->kind->call,
                    job->about ? job->about : "");
  else
    aw_lua_push_system_error(L, code, job->kind->call, job->about);
  close_box(b);
  return code == AW_ENOMEM ? aw_lua_error(L, "%s", lua_tostring(L, -1))
                           : lua_error(L);
}

static int after_job(lua_State *L, int result, void *data) {
  box *b = data;
  if (!b->job) /* finalized, as the state is being closed */
    return aw_lua_system_error(L, AW_ECLOSED, "await", NULL);
  if (result < 0)
    return raise_job_failure(L, b, result);
  int count = b->job->kind->push ? b->job->kind->push(L, b->job) : 0;
  if (count == AWIO_JOB_MORE)
    return aw_lua_await(L, NULL, b, b->job->kind->operation.label, after_job);
  drop_job(b); /* it is over */
  return count;
}

int awio_job_await(lua_State *L) {
  box *b = lua_touserdata(L, -1);
  const aw_operation *operation = &b->job->kind->operation;
  return aw_lua_await(L, operation, b, operation->label, after_job);
}

int awio_job_leave(lua_State *L) {
  box *b = lua_touserdata(L, -1);
  awio_work_send(&awio_files, &b->job->work, NULL);
  drop_job(b);
  return 0;
}
