/* done.c - tells the host program how the tasks that it started have ended
 *
 *     settle   the core drops the handler of the task: released() moves the job
 *              from its state to the hub, and calls nothing
 *     WOKEN    the task is watched, so the engine tells its host: aw_lua_step()
 *              calls `done`, outside of every step
 *
 * The job is the handler of its task, so a failure of the task fails neither
 * the loop nor its other tasks. `done` is called once for each task that was
 * started, without Lua if the state has gone.
 */
#include "embed/hub.h"

#include "base/loops.h"
#include "base/values.h"
#include "errors/core_error.h"
#include "errors/mistake.h"

/* ---- from the state to the hub ---- */

static void take_job(awl_job *job) {
  *job->place = job->next;
  if (job->next)
    job->next->place = job->place;
}

static void put_into(awl_job *job, awl_job **list) {
  job->next = *list;
  job->place = list;
  if (job->next)
    job->next->place = &job->next;
  *list = job;
}

static void released(aw_lua_value *value) {
  awl_job *job = (awl_job *)value;
  take_job(job);
  if (!job->task) { /* it could not be started */
    aw_free(job);
    return;
  }
  job->next = NULL;
  *job->hub->last = job;
  job->hub->last = &job->next;
}

awl_job *awl_job_new(awl_hosted *hosted) {
  awl_job *job = aw_allocate(sizeof *job);
  if (!job)
    return NULL;
  job->value.push = NULL; /* a handler is never the result of a task */
  job->value.release = released;
  job->hub = hosted->hub;
  job->hosted = hosted;
  put_into(job, &hosted->jobs);
  return job;
}

bool awl_job_handles(const aw_task *task) {
  const aw_lua_value *handler = awl_boxed(aw_task_handler(task));
  return handler && handler->release == released;
}

/* ---- calling `done` ---- */

static int status_of(const aw_task *task) {
  switch (aw_task_state_of(task)) {
  case AW_TASK_DONE: return 0;
  case AW_TASK_FAILED: return AW_EHOST;
  default: return AW_ECANCELED;
  }
}

/* Push what the task has ended with, and return how many values. */
static int push_job_end(lua_State *L, awl_hosted *hosted, aw_task *task) {
  awl_state *s = hosted->state;
  switch (aw_task_state_of(task)) {
  case AW_TASK_DONE: return awl_push_tuple(L, s, aw_task_value(task));
  case AW_TASK_FAILED: aw_lua_push_error(L, aw_task_error(task)); return 2;
  default: return 0;
  }
}

static bool is_of_other(const awl_state *s, const aw_error *error) {
  aw_value value = aw_error_value(error);
  return value != 0 && value >> AWL_STATE_SHIFT != s->prefix >> AWL_STATE_SHIFT;
}

void aw_lua_push_error(lua_State *L, aw_error *error) {
  awl_state *s = awl_open(L);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (!error || is_of_other(s, error)) {
    lua_pushstring(L, error ? aw_strerror(aw_error_code(error)) : NULL);
    lua_pushnil(L);
    return;
  }
  awl_push_error(L, s, s->hosted_loop, error);
  awl_push_info(L, s, error, NULL);
}

static void call_done(lua_State *L, awl_job *job, int status, int count) {
  void (*done)(lua_State *, aw_task *, int, int, void *) = job->done;
  job->done = NULL;
  if (done)
    done(L, job->task, status, count, job->data);
}

/* (light job): call `done` with what the task has ended with. */
static int tell_end(lua_State *L) {
  awl_job *job = lua_touserdata(L, 1);
  lua_settop(L, 0);
  int count = push_job_end(L, job->hosted, job->task);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  call_done(L, job, status_of(job->task), count);
  return 0;
}

/* (light job): there was no memory for what the task has ended with. */
static int tell_without(lua_State *L) {
  awl_job *job = lua_touserdata(L, 1);
  lua_settop(L, 0);
  call_done(L, job, AW_ENOMEM, 0);
  return 0;
}

static int text_of(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Nobody else can take the error on top (popped). */
static void warn_of(lua_State *L, const char *head) {
  lua_pushcfunction(L, text_of);
  lua_insert(L, -2);
  bool made = lua_pcall(L, 1, 1, 0) == LUA_OK;
  lua_warning(L, head, 1);
  lua_warning(L, made ? lua_tostring(L, -1) : "(no text)", 0);
  lua_pop(L, 1);
}

/* Returns false with an error on top. */
static bool call(lua_State *L, lua_CFunction f, awl_job *job) {
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, job);
  return lua_pcall(L, 1, 0, 0) == LUA_OK;
}

static void tell_in_state(awl_job *job) {
  lua_State *L = job->hosted->driver;
  bool ended_well = call(L, tell_end, job);
  if (!ended_well && job->done) {
    lua_pop(L, 1);
    ended_well = call(L, tell_without, job);
  }
  if (!ended_well)
    warn_of(L, "aiowire: error in the function done of a task: ");
}

/* (light job) → the error of the task */
static int push_task_error(lua_State *L) {
  const awl_job *job = lua_touserdata(L, 1);
  aw_lua_push_error(L, aw_task_error(job->task));
  lua_pop(L, 1);
  return 1;
}

static void warn_of_failure(const awl_job *job) {
  lua_State *L = job->hosted->driver;
  lua_pushcfunction(L, push_task_error);
  lua_pushlightuserdata(L, (void *)(uintptr_t)job);
  (void)lua_pcall(L, 1, 1, 0); /* else why the error cannot be had */
  warn_of(L, "aiowire: a task has failed, and the program is not told: ");
}

static void tell_job(awl_job *job) {
  if (job->done && job->hosted)
    tell_in_state(job);
  else if (job->unheard && job->hosted && status_of(job->task) == AW_EHOST)
    warn_of_failure(job);
  if (job->done) /* without Lua */
    call_done(NULL, job, status_of(job->task), 0);
  aw_task_release(job->task);
  aw_free(job);
}

void awl_job_tell(awl_hub *hub) {
  while (hub->ended) {
    awl_job *job = hub->ended;
    hub->ended = job->next;
    if (!hub->ended)
      hub->last = &hub->ended;
    tell_job(job);
  }
}

bool awl_job_waits(const awl_hosted *hosted) {
  for (const awl_job *job = hosted->hub->ended; job; job = job->next)
    if (job->hosted == hosted)
      return true;
  return hosted->jobs != NULL;
}

void awl_job_forget(awl_hosted *hosted) {
  if (!hosted->hub)
    return;
  for (awl_job *job = hosted->hub->ended; job; job = job->next)
    if (job->hosted == hosted)
      job->hosted = NULL;
  awl_job *job;
  while ((job = hosted->jobs) != NULL) {
    take_job(job);
    job->hosted = NULL;
    put_into(job, &hosted->hub->lost);
  }
}
