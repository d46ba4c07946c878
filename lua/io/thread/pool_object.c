/* pool_object.c - aw.pool: the class Pool
 *
 *     pool:call(…)   arguments ─► job ─► wait ─► results, or the error raised
 *     pool:Call(…)   a wire that calls pool:call(…)
 *     pool:close()   cancels all jobs, and waits for the ends of the workers
 *
 * The userdata is a box that refers to the pool (jobs.h), which workers use,
 * too. The job of a call is made before its wait begins, and the wait may be
 * refused; so the pool keeps it as `made` until `arm` takes it. It is freed by
 * the next call, or with the box.
 *
 * A job whose call is cancelled is awaited: its wait cannot be aborted any more
 * once the job is running. The job itself is the value with which the wait ends
 * (aw_lua_value), so what it ended with is copied into Lua when the task runs.
 *
 * Neighbours: pool_worker.c is the other end.
 */
#include "io.h"
#include "thread/crew.h"
#include "thread/jobs.h"
#include "thread/pool_worker.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <uv.h>

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const CLASS = "aiowire.Pool";

enum { MOST_WORKERS = 1024 };

typedef struct pool_box {
  awio_jobs *pool; /* NULL once it is finalized */
  awio_crew *crew; /* of the state */
} pool_box;

static pool_box *check_pool(lua_State *L) {
  pool_box *box = awio_object(L);
  if (!box)
    aw_lua_type_error(L, 1, "pool");
  return box;
}

static int fail_pool(lua_State *L, int code, const char *about) {
  if (code == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  return aw_lua_system_error(L, code, "call", about);
}

/* ---- what a call ends with ---- */

/* Push the traceback of the job, and how it is connected with ours. */
static void push_job_traceback(lua_State *L, const awio_call *job) {
  const char *text = job->outcome.text, *where = aw_lua_where(L);
  lua_pushfstring(L, "%s\n\tin %s",
                  text ? text : "stack traceback:", job->pool->name);
  if (*where == '?')
    return;
  lua_pushfstring(L, ", called at %s", where);
  lua_concat(L, 2);
}

static int raise_job_error(lua_State *L, const awio_call *job) {
  if (!job->outcome.message)
    return luaL_error(L, "not enough memory");
  push_job_traceback(L, job);
  awio_message_push(L, job->outcome.message);
  return aw_lua_raise_with(L, lua_tostring(L, -2));
}

/* Raise how the worker of a job has ended. */
static int raise_crash(lua_State *L, const awio_call *job) {
  static const char FORMAT[] = "%s: the worker has crashed: %s";
  const awio_outcome *outcome = &job->outcome;
  const awio_thread_end *end =
      outcome->thread ? awio_thread_end_of(outcome->thread) : NULL;
  if (!end || !end->message)
    return aw_lua_error(L, FORMAT, job->pool->name,
                        outcome->text ? outcome->text : "not enough memory");
  awio_message_push(L, end->message);
  return aw_lua_error(L, FORMAT, job->pool->name, luaL_tolstring(L, -1, NULL));
}

/* Push the results of a job that is over, or raise its error. */
static int push_job_outcome(lua_State *L, aw_lua_value *value) {
  const awio_call *job = (const awio_call *)value;
  const awio_outcome *outcome = &job->outcome;
  switch (outcome->end) {
  case AWIO_CALL_RETURNED: return awio_message_push(L, outcome->message);
  case AWIO_CALL_FAILED: return raise_job_error(L, job);
  case AWIO_CALL_CLOSED: return fail_pool(L, AW_ECLOSED, job->pool->name);
  case AWIO_CALL_UNSTAFFED: return fail_pool(L, outcome->code, job->pool->name);
  case AWIO_CALL_STRAY:
    return aw_lua_error(L, "%s: the job has cancelled itself", job->pool->name);
  default: return raise_crash(L, job);
  }
}

static void release_outcome(aw_lua_value *value) {
  awio_call_release((awio_call *)value);
}

/* ---- calls ---- */

static int call_arm(aw_task *task, void *data) {
  awio_call *job = data;
  int rc = awio_call_submit(job, task);
  if (rc == 0)
    *job->made = NULL;
  return rc;
}

static bool call_abortable(aw_task *task, void *data) {
  (void)task;
  return awio_call_stop(data);
}

static void call_disarm(aw_task *task, void *data) {
  (void)task;
  awio_call_forget(data);
}

static int call_ready(aw_task *task, void *data) {
  awio_call *job = data;
  if (job->outcome.end == AWIO_CALL_CANCELLED) {
    awio_call_release(job);
    return AW_ECANCELED;
  }
  aw_task_set_value(task, aw_lua_box(&job->value));
  return 1;
}

static void describe_call(const void *data, char *out, size_t size) {
  const awio_call *job = data;
  snprintf(out, size, "%s", job->pool->name);
}

static const aw_operation calling = {.label = "job of",
                                     .arm = call_arm,
                                     .abortable = call_abortable,
                                     .disarm = call_disarm,
                                     .abandon = call_disarm,
                                     .ready = call_ready,
                                     .external = true,
                                     .describe = describe_call};

static int after_pool_call(lua_State *L, int result, void *data) {
  (void)data; /* the job may be gone */
  if (result < 0)
    return fail_pool(L, result, ((pool_box *)lua_touserdata(L, 1))->pool->name);
  return aw_lua_take_results(L, aw_current(aw_lua_engine(L)));
}

/* Call the pool at 1. Takes a reference to `arguments`. */
static int call_with(lua_State *L, pool_box *box, awio_arguments *arguments) {
  awio_jobs *pool = box->pool;
  awio_call_release(pool->made);
  awio_call *made = pool->made = awio_call_new(pool, arguments);
  if (!made)
    return luaL_error(L, "not enough memory");
  made->value = (aw_lua_value){push_job_outcome, release_outcome, 0};
  made->made = &pool->made;
  return aw_lua_await(L, &calling, made, "pool:call", after_pool_call);
}

static pool_box *check_open_pool(lua_State *L) {
  pool_box *box = check_pool(L);
  if (!box->pool || awio_jobs_is_closed(box->pool))
    fail_pool(L, AW_ECLOSED, box->pool ? box->pool->name : "pool (finalized)");
  return box;
}

/* Give the copy of the values from index `first` on. Raises. */
static awio_arguments *copy_arguments(lua_State *L, int first) {
  awio_message *message =
      awio_message_new(L, first, lua_gettop(L) - first + 1, "argument", 1);
  awio_arguments *arguments = awio_arguments_new(message);
  if (!arguments)
    luaL_error(L, "not enough memory");
  return arguments;
}

/* pool:call(…) → the results of the function */
static int pool_call(lua_State *L) {
  aw_lua_task(L, "pool:call");
  pool_box *box = check_open_pool(L);
  awio_arguments *arguments = copy_arguments(L, 2);
  lua_settop(L, 1);
  return call_with(L, box, arguments);
}

/* ---- the wire of a call ---- */

static const char *const PREPARED = "aiowire.PoolCall";

/* The arguments of a wire. A userdata points to it. */
typedef struct prepared {
  awio_arguments *arguments; /* or NULL */
  aw_lua_held held;
} prepared;

static void free_prepared(prepared *p) {
  awio_arguments_release(p->arguments);
  aw_free(p);
}

/* Lua has skipped the finalizer. */
static void release_lost_prepared(aw_lua_held *held) {
  free_prepared((prepared *)((char *)held - offsetof(prepared, held)));
}

static int prepared_gc(lua_State *L) {
  prepared **box = lua_touserdata(L, 1);
  prepared *p = *box;
  *box = NULL;
  if (p) {
    aw_lua_let_go(&p->held);
    free_prepared(p);
  }
  return 0;
}

/* Push a userdata that has no arguments yet. */
static prepared *push_prepared(lua_State *L) {
  prepared **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, PREPARED);
  prepared *p = *box = aw_allocate(sizeof *p);
  if (!p)
    luaL_error(L, "not enough memory");
  p->held.release = release_lost_prepared;
  aw_lua_hold(L, &p->held);
  return p;
}

/* The function in the wire. Upvalues: the pool, the arguments. */
static int call_prepared(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  pool_box *box = lua_touserdata(L, 1);
  prepared *const *p = lua_touserdata(L, lua_upvalueindex(2));
  if (!box->pool || !*p) /* the state ends */
    return fail_pool(L, AW_ECLOSED, "pool (finalized)");
  return call_with(L, box, awio_arguments_keep((*p)->arguments));
}

/* pool:Call(…): a wire of pool:call(…), with copies of the arguments. Upvalue
 * 3: aw.Call. */
static int pool_make_call(lua_State *L) {
  enum { PREPARATION = 1, POOL, FIRST };
  check_open_pool(L);
  prepared *p = push_prepared(L);
  lua_insert(L, PREPARATION);
  p->arguments = copy_arguments(L, FIRST);
  lua_settop(L, POOL);
  lua_pushvalue(L, PREPARATION);
  lua_pushcclosure(L, call_prepared, 2);
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_insert(L, -2);
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "named");
  lua_insert(L, -2);
  lua_pushliteral(L, "pool:Call(…)");
  lua_call(L, 2, 1);
  return 1;
}

/* ---- closing ---- */

typedef struct leave_wait {
  awio_jobs_leaving own; /* first */
  awio_jobs *pool;       /* of the Pool at 1 */
} leave_wait;

static int leave_arm(aw_task *task, void *data) {
  leave_wait *wait = data;
  return awio_jobs_leave(wait->pool, &wait->own, task);
}

static void leave_disarm(aw_task *task, void *data) {
  (void)task;
  leave_wait *wait = data;
  awio_jobs_stay(wait->pool, &wait->own);
}

static const aw_operation leaving = {.label = "end of a pool",
                                     .arm = leave_arm,
                                     .disarm = leave_disarm,
                                     .ready = leave_arm,
                                     .external = true,
                                     .closes = true};

static int after_leave(lua_State *L, int result, void *data) {
  leave_wait *wait = data;
  awio_jobs_stay(wait->pool, &wait->own);
  if (result == 0)
    (void)awio_jobs_await_end(wait->pool, 0);
  return result < 0 ? luaL_error(L, "not enough memory") : 0;
}

/* The function that pool_close() runs in a shield. Upvalue 1: the Pool. */
static int leave(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  const pool_box *box = lua_touserdata(L, 1);
  leave_wait *wait = lua_newuserdatauv(L, sizeof *wait, 0);
  *wait = (leave_wait){.pool = box->pool};
  return aw_lua_await(L, &leaving, wait, "pool:close", after_leave);
}

static int after_close(lua_State *L, int status, lua_KContext context) {
  (void)L;
  (void)status;
  (void)context;
  return 0;
}

/* pool:close(): cancel all jobs and end the workers. In a task, await their
 * ends; elsewhere block. Upvalue 2: aw.shield. */
static int pool_close(lua_State *L) {
  const pool_box *box = check_pool(L);
  lua_settop(L, 1);
  if (!box->pool)
    return 0;
  awio_jobs_close(box->pool);
  if (!aw_lua_may_await(L)) {
    awio_crew_end_pool(box->pool, L);
    return 0;
  }
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, leave, 1);
  lua_callk(L, 1, 0, 0, after_close);
  return 0;
}

/* ---- the object ---- */

static void close_pool(awio_jobs *pool) {
  awio_call *made = pool->made;
  pool->made = NULL;
  awio_call_release(made);
  awio_jobs_close(pool);
}

/* Lua has skipped the finalizer: end the workers here. */
static void release_lost_pool(aw_lua_held *held) {
  awio_jobs *pool = (awio_jobs *)((char *)held - offsetof(awio_jobs, held));
  close_pool(pool);
  awio_crew_end_pool(pool, NULL);
  awio_jobs_release(pool);
}

/* The crew waits for the workers, not the collector. */
static int pool_gc(lua_State *L) {
  pool_box *box = lua_touserdata(L, 1);
  awio_jobs *pool = box->pool;
  if (!pool)
    return 0;
  aw_lua_let_go(&pool->held);
  box->pool = NULL;
  close_pool(pool);
  awio_crew_leave_pool(L, box->crew, pool);
  return 0;
}

static int pool_tostring(lua_State *L) {
  const pool_box *box = check_pool(L);
  if (!box->pool)
    lua_pushliteral(L, "pool (finalized)");
  else
    lua_pushfstring(L, "%s (%d workers at most%s)", box->pool->name,
                    (int)box->pool->most,
                    awio_jobs_is_closed(box->pool) ? ", closed" : "");
  return 1;
}

/* ---- aw.pool ---- */

static unsigned check_most(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    unsigned cores = uv_available_parallelism();
    return cores < MOST_WORKERS ? cores : MOST_WORKERS;
  }
  lua_Integer most = aw_lua_check_integer(L, 1);
  aw_lua_arg_check(L, most >= 1 && most <= MOST_WORKERS, 1,
                   "a number of workers from 1 to 1024 expected");
  return (unsigned)most;
}

/* Write a name for people: where the function at 2 is defined. */
static void name_pool(lua_State *L, awio_jobs *pool) {
  lua_Debug ar;
  lua_pushvalue(L, 2);
  lua_getinfo(L, ">S", &ar);
  if (ar.linedefined > 0)
    snprintf(pool->name, sizeof pool->name, "pool '%s:%d'", ar.short_src,
             ar.linedefined);
  else
    snprintf(pool->name, sizeof pool->name, "pool '%s'", ar.short_src);
}

/* aw.pool(n, function or path). The relay of warnings and the crew are made
 * first, so that they are finalized last. */
static int module_pool(lua_State *L) {
  enum { WEIGHT = 64 * 1024 }; /* of a thread and its state, a guess */
  lua_settop(L, 2);
  unsigned most = check_most(L);
  awio_settings_check_body(L, 2);
  awio_settings_prepare(L);
  awio_crew *crew = awio_crew_of(L);
  awio_crew_sweep(L, crew);
  pool_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (pool_box){.crew = crew};
  luaL_setmetatable(L, CLASS);
  awio_thread_settings *settings = awio_settings_new(L);
  box->pool = awio_jobs_new(most, awio_pool_work, settings);
  if (!box->pool)
    return luaL_error(L, "not enough memory");
  box->pool->held.release = release_lost_pool;
  aw_lua_hold(L, &box->pool->held);
  awio_settings_load_body(L, settings, 2);
  name_pool(L, box->pool);
  box->pool->function = awio_message_new(L, 2, 1, "argument", 2);
  aw_lua_weigh(L, WEIGHT);
  return 1;
}

static const luaL_Reg methods[] = {{"call", pool_call},
                                   {"Call", pool_make_call},
                                   {"close", pool_close},
                                   {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", pool_close},
                                {"__gc", pool_gc},
                                {"__tostring", pool_tostring},
                                {NULL, NULL}};

static void lock(lua_State *L) {
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

/* Set functions of the table on top whose upvalues are the metatable, aw.shield
 * and aw.Call. [module, metatable, …, table] */
static void set_functions(lua_State *L, int module, const luaL_Reg *functions) {
  lua_pushvalue(L, module + 1);
  lua_getfield(L, module, "shield");
  lua_getfield(L, module, "Call");
  aw_lua_set_functions(L, functions, 3);
}

void awio_open_pool(lua_State *L) {
  int module = lua_gettop(L);
  luaL_newmetatable(L, CLASS);
  set_functions(L, module, meta);
  lock(L);
  lua_newtable(L);
  set_functions(L, module, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newmetatable(L, PREPARED);
  lua_pushcfunction(L, prepared_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  aw_lua_push_function(L, module_pool, 0, "pool");
  lua_setfield(L, -2, "pool");
}
