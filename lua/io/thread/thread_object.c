/* thread_object.c - aw.thread, and the class Thread [J1]
 *
 * A Thread is a userdata with an awio_endpoint, its side of the channels, and
 * the member of the crew of its state. What is on its way to the worker is the
 * job: it belongs to the Thread until the thread has begun, and then to the
 * thread.
 *
 * Neighbours: thread.c has the life; endpoint.c the channels; crew.c those that
 * run.
 */
#include "io.h"
#include "thread/crew.h"
#include "thread/endpoint.h"

#include <lauxlib.h>
#include <uv.h>

#include <stddef.h>
#include <string.h>

typedef struct job {
  awio_message *message; /* the function and its arguments */
  awio_pair *pair;
} job;

/* What a Thread owns. Not part of the userdata, which is freed even if Lua has
 * not called its finalizer. */
typedef struct thread_parts {
  aw_lua_held held;
  awio_pair *pair;
  awio_member *member;            /* NULL: not begun, or ended */
  awio_thread_settings *settings; /* until it has begun */
  job *job;                       /* until it has begun */
} thread_parts;

typedef struct thread_object {
  awio_endpoint endpoint; /* first; borrows its pair */
  thread_parts *parts;    /* NULL: finalized, or not made yet */
} thread_object;

static const char *class_name(void) {
  return awio_endpoint_classes[AWIO_PARENT];
}

/* ---- in the worker ---- */

static void free_job(job *j) {
  if (!j)
    return;
  awio_message_free(j->message);
  awio_pair_release(j->pair);
  aw_free(j);
}

static int after_main(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L);
}

/* (light job): the main function of a worker */
static int run_thread_job(lua_State *L) {
  job *j = lua_touserdata(L, 1);
  awio_pair_number(j->pair, awio_thread_number(awio_thread_here(L)));
  luaopen_aiowire(L);
  awio_push_parent(L, j->pair);
  lua_setfield(L, -2, "parent");
  lua_settop(L, 0);
  int count = awio_message_push(L, j->message);
  awio_message_free(j->message); /* the arguments may be large */
  j->message = NULL;
  lua_callk(L, count - 1, LUA_MULTRET, 0, after_main);
  return after_main(L, LUA_OK, 0);
}

/* The worker has ended: what it has sent can still be received. */
static void job_ended(awio_thread *thread, void *data) {
  (void)thread;
  job *j = data;
  awio_queue_close(awio_pair_queue(j->pair, AWIO_PARENT));
  awio_queue_drop(awio_pair_queue(j->pair, AWIO_WORKER));
  free_job(j);
}

/* ---- starting ---- */

/* Push the name of the worker: that of the file, or the place of the
 * function. */
static const char *push_name(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING)
    return lua_pushstring(L, lua_tostring(L, 1));
  lua_Debug ar;
  lua_pushvalue(L, 1);
  lua_getinfo(L, ">S", &ar);
  return lua_pushfstring(L, "%s:%d", ar.short_src, ar.linedefined);
}

/* Release all but the worker, which the crew has. */
static void release_parts(thread_parts *parts) {
  awio_endpoint endpoint = {parts->pair, AWIO_PARENT};
  awio_endpoint_close(&endpoint);
  awio_pair_release(parts->pair);
  awio_settings_release(parts->settings);
  free_job(parts->job);
  if (parts->member)
    parts->member->holder = NULL;
  aw_free(parts);
}

/* Lua has skipped the finalizer. The crew has ended the worker. */
static void release_lost_thread(aw_lua_held *held) {
  release_parts((thread_parts *)((char *)held - offsetof(thread_parts, held)));
}

static thread_object *push_thread_object(lua_State *L) {
  thread_object *t = lua_newuserdatauv(L, sizeof *t, 0);
  *t = (thread_object){.endpoint = {NULL, AWIO_PARENT}};
  luaL_setmetatable(L, class_name());
  t->parts = aw_allocate(sizeof *t->parts);
  if (!t->parts)
    luaL_error(L, "not enough memory");
  t->parts->held.release = release_lost_thread;
  aw_lua_hold(L, &t->parts->held);
  return t;
}

static awio_member *member_of(const thread_object *t) {
  return t->parts ? t->parts->member : NULL;
}

/* Begin the thread. Returns 0 or a code. */
static int begin_thread(lua_State *L, thread_parts *parts, awio_crew *crew,
                        const char *name) {
  awio_thread_plan plan = {.main = run_thread_job,
                           .data = parts->job,
                           .ended = job_ended,
                           .name = name};
  awio_member *m = awio_crew_add(crew, NULL, aw_lua_where(L));
  if (!m)
    return AW_ENOMEM;
  int rc = awio_thread_start(parts->settings, &plan, &m->thread);
  if (rc < 0) {
    awio_crew_remove(m);
    return rc;
  }
  awio_pair_number(parts->pair, awio_thread_number(m->thread));
  parts->job = NULL;
  parts->member = m;
  m->holder = &parts->member;
  awio_settings_release(parts->settings);
  parts->settings = NULL;
  return 0;
}

/* thread(function_or_file, …) → Thread. The relay of warnings is made before
 * the crew, and the crew before the first Thread: lua_close() finalizes in the
 * opposite order. */
static int m_thread(lua_State *L) {
  awio_settings_check_body(L, 1);
  int count = lua_gettop(L);
  const char *name = push_name(L);
  awio_settings_prepare(L);
  awio_crew *crew = awio_crew_of(L);
  awio_crew_sweep(L, crew);
  thread_object *t = push_thread_object(L);
  thread_parts *parts = t->parts;
  parts->settings = awio_settings_new(L);
  awio_settings_load_body(L, parts->settings, 1);
  parts->pair = t->endpoint.pair = awio_pair_new(name);
  parts->job = aw_allocate(sizeof *parts->job);
  if (!parts->pair || !parts->job)
    return aw_lua_error(L, "not enough memory");
  parts->job->pair = awio_pair_keep(parts->pair);
  parts->job->message = awio_message_new(L, 1, count, "argument", 1);
  int rc = begin_thread(L, parts, crew, name);
  if (rc == AW_ENOMEM)
    return aw_lua_error(L, "not enough memory");
  if (rc < 0)
    return aw_lua_system_error(L, rc, "thread", name);
  return 1;
}

/* ---- checking ---- */

static thread_object *check_any_thread(lua_State *L) {
  thread_object *t = awio_object(L);
  if (!t)
    aw_lua_type_error(L, 1, "thread");
  return t;
}

static thread_object *check_thread(lua_State *L, const char *call) {
  thread_object *t = check_any_thread(L);
  if (!member_of(t))
    aw_lua_system_error(L, AW_ECLOSED, call, "thread (finalized)");
  return t;
}

/* ---- waiting ---- */

/* Return the results of the worker, which is over, or raise its error. Upvalue
 * 3: inner.task_cancelled. */
static int give_end(lua_State *L, thread_object *t) {
  awio_thread *thread = member_of(t)->thread;
  const awio_thread_end *end = awio_thread_end_of(thread);
  awio_thread_fate fate = awio_thread_fate_of(thread);
  member_of(t)->waited = true;
  awio_thread_join(thread);
  if (fate == AWIO_THREAD_DONE)
    return end->message ? awio_message_push(L, end->message) : 0;
  if (fate == AWIO_THREAD_EXITED && end->code == 0)
    return 0;
  lua_getfield(L, LUA_REGISTRYINDEX, "aiowire.task_cancelled");
  return awio_thread_raise(L, thread, lua_gettop(L));
}

static int wait_on_thread(lua_State *L, int result, void *data) {
  (void)data;
  thread_object *t = lua_touserdata(L, 1);
  if (!member_of(t))
    return aw_lua_system_error(L, AW_ECLOSED, "wait", "thread (finalized)");
  awio_thread *thread = member_of(t)->thread;
  if (result < 0)
    return aw_lua_system_error(L, result, "wait", awio_thread_name(thread));
  if (awio_thread_fate_of(thread) != AWIO_THREAD_RUNS)
    return give_end(L, t);
  return aw_lua_await(L, &awio_wait_thread, thread, "thread:wait",
                      wait_on_thread);
}

/* t:wait() → the results */
static int thread_wait(lua_State *L) {
  const thread_object *t = check_thread(L, "wait");
  lua_settop(L, 1);
  return aw_lua_begin(L, member_of(t)->thread, "thread:wait", wait_on_thread);
}

/* ---- the end ---- */

/* t:cancel() */
static int thread_cancel(lua_State *L) {
  awio_thread_cancel(member_of(check_thread(L, "cancel"))->thread);
  return 0;
}

/* Wait until the worker of the Thread at 1 has ended. */
static int join_on(lua_State *L, int result, void *data) {
  (void)data;
  const thread_object *t = lua_touserdata(L, 1);
  if (!member_of(t) || result < 0)
    return 0;
  awio_thread *thread = member_of(t)->thread;
  if (awio_thread_fate_of(thread) != AWIO_THREAD_RUNS) {
    awio_thread_join(thread);
    return 0;
  }
  return aw_lua_await(L, &awio_wait_thread, thread, "thread:close", join_on);
}

/* The function that thread_close() runs in a shield. Upvalue 1: the Thread. */
static int join_in_shield(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  return join_on(L, 0, NULL);
}

/* What the worker has sent while it cleaned up is dropped. */
static int after_join(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  awio_endpoint_close(lua_touserdata(L, 1));
  return 0;
}

/* t:close(): cancel the worker, and wait for its end. Upvalue 2: aw.shield. */
static int thread_close(lua_State *L) {
  thread_object *t = check_any_thread(L);
  lua_settop(L, 1);
  if (!member_of(t))
    return 0;
  awio_thread *thread = member_of(t)->thread;
  awio_thread_cancel(thread);
  if (awio_thread_fate_of(thread) != AWIO_THREAD_RUNS) {
    awio_thread_join(thread);
  } else if (!aw_lua_may_await(L)) {
    awio_member_end(member_of(t));
  } else {
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, join_in_shield, 1);
    lua_callk(L, 1, 0, 0, after_join);
  }
  return after_join(L, LUA_OK, 0);
}

static int thread_gc(lua_State *L) {
  thread_object *t = lua_touserdata(L, 1);
  thread_parts *parts = t->parts;
  if (!parts)
    return 0;
  awio_member *m = parts->member;
  aw_lua_let_go(&parts->held);
  t->parts = NULL;
  t->endpoint.pair = NULL;
  release_parts(parts);
  if (m)
    awio_crew_leave(L, m);
  return 0;
}

/* ---- how it looks ---- */

static const char *thread_status(const thread_object *t) {
  switch (awio_thread_fate_of(member_of(t)->thread)) {
  case AWIO_THREAD_RUNS: return "running";
  case AWIO_THREAD_DONE: return "done";
  case AWIO_THREAD_EXITED: return "done";
  case AWIO_THREAD_CANCELLED: return "cancelled";
  case AWIO_THREAD_LOST: return "lost";
  default: return "failed";
  }
}

/* __index. Upvalues: the metatable, the methods. */
static int thread_index(lua_State *L) {
  const thread_object *t = check_any_thread(L);
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL || !member_of(t) ||
      lua_type(L, 2) != LUA_TSTRING)
    return 1;
  const char *key = lua_tostring(L, 2);
  if (strcmp(key, "status") == 0)
    lua_pushstring(L, thread_status(t));
  else if (strcmp(key, "name") == 0)
    lua_pushstring(L, awio_thread_name(member_of(t)->thread));
  else if (strcmp(key, "id") == 0)
    lua_pushinteger(L, awio_thread_number(member_of(t)->thread));
  else
    lua_pushnil(L);
  return 1;
}

static int thread_tostring(lua_State *L) {
  const thread_object *t = check_any_thread(L);
  if (!member_of(t)) {
    lua_pushliteral(L, "thread (finalized)");
    return 1;
  }
  awio_thread *thread = member_of(t)->thread;
  awio_push_endpoint_text(L, &t->endpoint);
  lua_pushfstring(L, "thread %d '%s' (%s, %s)", (int)awio_thread_number(thread),
                  awio_thread_name(thread), thread_status(t),
                  lua_tostring(L, -1));
  return 1;
}

/* stats(): as before, with the number of workers. Upvalue 1: stats. */
static int stats_with_threads(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_call(L, 0, 1);
  lua_pushinteger(L, (lua_Integer)awio_thread_count());
  lua_setfield(L, -2, "threads");
  return 1;
}

/* ---- opening ---- */

static const luaL_Reg methods[] = {{"wait", thread_wait},
                                   {"cancel", thread_cancel},
                                   {"close", thread_close},
                                   {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", thread_close},
                                {"__gc", thread_gc},
                                {"__index", thread_index},
                                {"__tostring", thread_tostring},
                                {NULL, NULL}};

/* [.., metatable, module] with two upvalues each: the metatable, aw.shield */
static void set_thread_methods(lua_State *L, const luaL_Reg *list,
                               int metatable, int module) {
  lua_pushvalue(L, metatable);
  lua_getfield(L, module, "shield");
  aw_lua_set_functions(L, list, 2);
}

/* Make the class, with the module on top of the stack. */
static void make_thread_class(lua_State *L) {
  int module = lua_gettop(L), metatable = module + 1;
  luaL_newmetatable(L, class_name());
  set_thread_methods(L, meta, metatable, module);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* locked */
  lua_pushvalue(L, -1);
  lua_newtable(L);
  set_thread_methods(L, methods, metatable, module);
  set_thread_methods(L, awio_endpoint_methods, metatable, module);
  lua_pushcclosure(L, thread_index, 2);
  lua_setfield(L, -2, "__index");
  awio_add_endpoint_source(L, -1);
  lua_pop(L, 1);
}

void awio_open_thread(lua_State *L) {
  static const luaL_Reg functions[] = {{"thread", m_thread}, {NULL, NULL}};
  awio_open_thread_life(L);
  awio_make_crew_class(L);
  awio_make_parent_class(L);
  make_thread_class(L);
  aw_lua_set_functions(L, functions, 0);
  lua_getfield(L, -2, "task_cancelled");
  lua_setfield(L, LUA_REGISTRYINDEX, "aiowire.task_cancelled");
  lua_getfield(L, -1, "stats");
  aw_lua_push_function(L, stats_with_threads, 1, "stats");
  lua_setfield(L, -2, "stats");
}
