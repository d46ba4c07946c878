/* process_object.c - the class Process, of which aw.spawn makes objects
 *
 * A Process is a userdata with a pointer to an awio_process. Its user value is
 * a table of its streams, at most three. Each stream keeps its Process alive,
 * so a program may keep only a stream.
 *
 * Neighbours: spawn.c makes Processes; aiowire/programs.lua runs them for
 * aw.exec and aw.pipeline.
 */
#include "process/process_object.h"

#include "base/signal_names.h"
#include "io.h"

#include <lauxlib.h>

#include <signal.h>
#include <stddef.h>
#include <string.h>

static const char *const CLASS = "aiowire.Process";

/* Return the number of the signal at `arg`: "TERM", "SIGTERM" or a number. */
static int check_kill_signal(lua_State *L, int arg) {
  enum { MOST = 64 };
  if (lua_isnoneornil(L, arg))
    return SIGTERM;
  if (lua_isinteger(L, arg)) {
    lua_Integer number = lua_tointeger(L, arg);
    aw_lua_arg_check(L, number >= 0 && number <= MOST, arg, "no signal");
    return (int)number;
  }
  int number = awio_signal_number(aw_lua_check_string(L, arg, NULL));
  aw_lua_arg_check(L, number != 0, arg, "no signal of that name");
  return number;
}

/* Return the process of the Process at 1, in a function whose upvalue 1 is the
 * metatable of the class; NULL: the Process is finalized. */
static awio_process *check_any_process(lua_State *L) {
  awio_process **box = awio_object(L);
  if (!box)
    aw_lua_type_error(L, 1, "process");
  return *box;
}

/* Return the process of the Process at 1; raise Closed if it is finalized. */
static awio_process *check_process(lua_State *L, const char *call) {
  awio_process *p = check_any_process(L);
  if (!p)
    aw_lua_system_error(L, AW_ECLOSED, call, "process (finalized)");
  return p;
}

static int push_status(lua_State *L, const awio_process *p) {
  const awio_ending *how = &p->outcome;
  bool died = how->signal != 0;
  lua_createtable(L, 0, 4);
  lua_pushboolean(L, !died && !how->lost && how->code == 0);
  lua_setfield(L, -2, "ok");
  if (how->lost) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "lost");
    return 1;
  }
  if (how->signal == SIGPIPE && p->shares_output)
    awio_tell_broken_output();
  lua_pushinteger(L, died ? how->signal : how->code);
  lua_setfield(L, -2, died ? "signal" : "code");
  return 1;
}

static int wait_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_process *p = check_process(L, "wait");
  if (result == AW_EINVAL)
    return aw_lua_error(
        L,
        "process %d '%s' belongs to another engine: tasks of an "
        "EventLoop with a clock or seed of its own share nothing "
        "with others",
        p->pid, p->name);
  if (result < 0)
    return aw_lua_system_error(L, result, "wait", p->name);
  if (p->life != AWIO_RUNS)
    return push_status(L, p);
  return aw_lua_await(L, &awio_wait_exit, p, "process:wait", wait_on);
}

/* p:wait() → {ok=, code=, signal=} */
static int process_wait(lua_State *L) {
  awio_process *p = check_process(L, "wait");
  lua_settop(L, 1);
  return aw_lua_begin(L, p, "process:wait", wait_on);
}

/* p:kill([signal]) → whether the signal could be sent */
static int process_kill(lua_State *L) {
  awio_process *p = check_process(L, "kill");
  int number = check_kill_signal(L, 2);
  int rc = awio_process_kill(p, number);
  if (rc < 0 && rc != UV_ESRCH)
    return aw_lua_system_error(L, rc, "kill", p->name);
  lua_pushboolean(L, rc == 0);
  return 1;
}

/* Close the streams of the Process at 1. */
static void close_files(lua_State *L, aw_engine *engine) {
  if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE)
    for (int i = 0; i < 3; i++) {
      lua_getfield(L, -1, awio_file_names[i]);
      awio_stream **box = lua_touserdata(L, -1);
      if (box && *box)
        awio_stream_close(*box, engine);
      lua_pop(L, 1);
    }
  lua_pop(L, 1);
}

/* Wait until the Process at 1 is reaped. */
static int reap_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_process *p = *(awio_process **)lua_touserdata(L, 1);
  if (!p || p->life == AWIO_REAPED || result < 0)
    return 0;
  return aw_lua_await(L, &awio_wait_reaped, p, "process:close", reap_on);
}

/* The function that process_close() runs in a shield. Upvalue 1: the Process.
 * */
static int reap(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  return reap_on(L, 0, NULL);
}

static int after_reap(lua_State *L, int status, lua_KContext context) {
  (void)L;
  (void)status;
  (void)context;
  return 0;
}

/* End the process of the Process at 1, without waiting. */
static void end_object(lua_State *L, awio_process *p, aw_engine *engine) {
  close_files(L, engine);
  awio_process_end(p);
}

/* end_process(p): begin to close a Process; close() then waits for the end */
static int inner_end_process(lua_State *L) {
  awio_process *p = *(awio_process **)lua_touserdata(L, 1);
  lua_settop(L, 1);
  if (p)
    end_object(L, p, aw_lua_engine(L));
  return 0;
}

/* p:close(): end the process. In a task of its engine, also wait until it is
 * reaped. A detached child runs on. Upvalue 2: aw.shield. */
static int process_close(lua_State *L) {
  awio_process *p = check_any_process(L);
  lua_settop(L, 1);
  if (!p)
    return 0;
  aw_engine *engine = aw_lua_engine(L);
  end_object(L, p, engine);
  if (p->life == AWIO_REAPED || p->detached || !aw_lua_may_await(L) ||
      awio_process_is_foreign(p, engine))
    return 0;
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, reap, 1);
  lua_callk(L, 1, 0, 0, after_reap);
  return 0;
}

/* Lua has skipped the finalizer of the Process: release the process here. */
static void release_lost_process(aw_lua_held *held) {
  awio_process *p =
      (awio_process *)((char *)held - offsetof(awio_process, held));
  awio_process_end(p);
  awio_process_release(p);
}

void awio_fill_process(lua_State *L, awio_process **box, awio_process *p) {
  *box = p;
  p->held.release = release_lost_process;
  aw_lua_hold(L, &p->held);
}

/* End a collected Process. Its hub reaps the child later. */
static int process_gc(lua_State *L) {
  awio_process **box = lua_touserdata(L, 1);
  if (*box) {
    aw_lua_let_go(&(*box)->held);
    awio_process_end(*box);
    awio_process_release(*box);
  }
  *box = NULL;
  return 0;
}

/* __index. Upvalues: the metatable, the methods. */
static int process_index(lua_State *L) {
  const awio_process *p = check_any_process(L);
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL)
    return 1;
  lua_pop(L, 1);
  if (!p)
    return 0;
  if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "pid") == 0) {
    lua_pushinteger(L, p->pid);
    return 1;
  }
  lua_getiuservalue(L, 1, 1);
  lua_insert(L, 2);
  lua_rawget(L, 2);
  return 1;
}

static int process_tostring(lua_State *L) {
  const awio_process *p = check_any_process(L);
  if (!p) {
    lua_pushliteral(L, "process (finalized)");
    return 1;
  }
  const awio_ending *how = &p->outcome;
  lua_pushfstring(L, "process %d '%s' ", p->pid, p->name);
  if (p->left)
    lua_pushliteral(L, "(detached, left running)");
  else if (p->life == AWIO_RUNS && p->detached)
    lua_pushliteral(L, "(detached, running)");
  else if (p->life == AWIO_RUNS)
    lua_pushstring(L, p->ending ? "(being ended)" : "(running)");
  else if (how->lost)
    lua_pushliteral(L, "(ended, nobody knows how)");
  else if (how->signal)
    lua_pushfstring(L, "(killed by signal %d)", how->signal);
  else
    lua_pushfstring(L, "(ended with %d)", how->code);
  lua_concat(L, 2);
  return 1;
}

static const luaL_Reg methods[] = {{"wait", process_wait},
                                   {"kill", process_kill},
                                   {"close", process_close},
                                   {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", process_close},
                                {"__gc", process_gc},
                                {"__index", process_index},
                                {"__tostring", process_tostring},
                                {NULL, NULL}};

/* Make the class, with the module on top of the stack. Each function has two
 * upvalues: the metatable and aw.shield. */
static void make_process_class(lua_State *L) {
  luaL_newmetatable(L, CLASS);
  lua_pushvalue(L, -1);
  lua_getfield(L, -3, "shield");
  aw_lua_set_functions(L, meta, 2);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* locked */
  lua_pushvalue(L, -1);
  luaL_newlibtable(L, methods);
  lua_pushvalue(L, -3);
  lua_getfield(L, -5, "shield");
  aw_lua_set_functions(L, methods, 2);
  lua_pushcclosure(L, process_index, 2);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

awio_process **awio_push_process(lua_State *L) {
  awio_process **box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = NULL;
  luaL_setmetatable(L, CLASS);
  return box;
}

void awio_open_process(lua_State *L) {
  static const luaL_Reg inner[] = {{"end_process", inner_end_process},
                                   {NULL, NULL}};
  make_process_class(L);
  awio_add_inner(L, inner);
}
