/* loop.c - EventLoop: a root scope on an engine, as a Lua object
 *
 * User values of an EventLoop: 1 the table of values that the engine carries, 2
 * `stuck`, 3 the name. A loop that is made while an engine runs belongs to that
 * engine [S6], unless the options `clock` or `seed` ask for an engine of its
 * own.
 *
 * Neighbours: run/loop_run.c runs loops; base/loops.c finds loops by number;
 * tree.c shows the tasks of loops.
 */
#include "objects/loop.h"
#include "base/classes.h"
#include "base/engine.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/memory_pressure.h"
#include "base/parts.h"
#include "base/resources.h"
#include "base/show_value.h"
#include "base/values.h"
#include "errors/core_error.h"
#include "errors/mistake.h"
#include "errors/timeout.h"
#include "objects/start_ready.h"
#include "objects/task.h"
#include "objects/tree.h"
#include "open.h"
#include "run/loop_run.h"

#include <string.h>

enum { VALUES = 1, STUCK = 2, NAME = 3 };

/* ---- making ---- */

typedef struct loop_options {
  uint64_t timeout, grace, seed;
  bool is_virtual, private_engine, signals;
} loop_options;

static void read_clock_options(lua_State *L, int arg, loop_options *out) {
  if (lua_getfield(L, arg, "clock") != LUA_TNIL) {
    const char *clock =
        lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    out->is_virtual = strcmp(clock, "virtual") == 0;
    out->private_engine = true;
    if (!out->is_virtual && strcmp(clock, "real") != 0) {
      awl_show_value(L, awl_of(L), -1);
      aw_lua_error(L,
                   "bad option 'clock' (\"virtual\" or \"real\" expected, got "
                   "%s)",
                   lua_tostring(L, -1));
    }
  }
  if (lua_getfield(L, arg, "seed") != LUA_TNIL) {
    int is_integer;
    out->seed = (uint64_t)lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || lua_type(L, -1) != LUA_TNUMBER)
      aw_lua_bad_option(L, "seed", "integer");
    out->seed = out->seed ? out->seed : UINT64_MAX;
    out->private_engine = true;
  }
  lua_pop(L, 2);
}

/* Read the options at `arg`; a number there is the option `timeout`. */
static void read_loop_options(lua_State *L, int arg, loop_options *out) {
  static const uint64_t GRACE = 5 * AW_SECOND;
  static const char *const known[] = {"timeout", "grace",   "clock", "seed",
                                      "name",    "signals", NULL};
  memset(out, 0, sizeof *out);
  out->timeout = AW_NEVER;
  out->grace = GRACE;
  out->signals = true;
  if (lua_isnoneornil(L, arg))
    return;
  if (lua_type(L, arg) == LUA_TNUMBER) {
    out->timeout = awl_check_ns(L, arg);
    return;
  }
  aw_lua_check_options(L, arg, known, false);
  out->timeout = aw_lua_opt_ns(L, arg, "timeout", AW_NEVER);
  out->grace = aw_lua_opt_ns(L, arg, "grace", GRACE);
  read_clock_options(L, arg, out);
  out->signals = aw_lua_opt_flag(L, arg, "signals", true);
  int type = lua_getfield(L, arg, "name");
  if (type != LUA_TNIL && type != LUA_TSTRING)
    aw_lua_bad_option(L, "name", "string");
  lua_pop(L, 1);
}

/* Bytes of a private engine with its first tasks and its libuv loop. */
enum { ENGINE_WEIGHT = 16 * 1024 };

static awl_engine *engine_for(lua_State *L, awl_state *s,
                              const loop_options *options) {
  if (options->private_engine)
    return awl_new_engine(
        L, s, options->is_virtual ? AW_CLOCK_VIRTUAL : AW_CLOCK_REAL,
        options->seed);
  return awl_current_engine(L, s);
}

/* Push an EventLoop that has no loop of the core yet; its options are at `arg`.
 * A finalized EventLoop points to `gone_loop`. */
static awl_loop *push_empty_loop(lua_State *L, awl_state *s, int arg) {
  awl_loop **box = lua_newuserdatauv(L, sizeof(awl_loop *), 3);
  *box = &s->gone_loop;
  lua_newtable(L);
  lua_setiuservalue(L, -2, VALUES);
  lua_newtable(L);
  lua_setiuservalue(L, -2, STUCK);
  if (lua_istable(L, arg)) {
    lua_getfield(L, arg, "name");
    lua_setiuservalue(L, -2, NAME);
  }
  uint32_t resource = awl_enter_object(L, s, AWL_RESOURCE_LOOP);
  awl_loop *loop = aw_allocate(sizeof *loop);
  if (!loop) {
    awl_strike_object(s, AWL_RESOURCE_LOOP, resource);
    awl_error(L, "not enough memory");
  }
  loop->state = s;
  loop->resource = resource;
  loop->object = box;
  awl_set_resource(s, AWL_RESOURCE_LOOP, resource, loop);
  *box = loop;
  awl_push_class(L, s, AWL_LOOP);
  lua_setmetatable(L, -2);
  return loop;
}

/* Push a new EventLoop with the options at `arg`, on top. */
static int push_new(lua_State *L, awl_state *s, int arg) {
  loop_options options;
  read_loop_options(L, arg, &options);
  awl_loop *loop = push_empty_loop(L, s, arg);
  loop->where = awl_where(L, s, 1);
  if (options.private_engine)
    awl_weigh(L, s, ENGINE_WEIGHT);
  /* Until s->loops has the number, nothing collects: a finalizer might make a
   * loop, and take the same number. */
  uint32_t number = awl_loop_take_number(L, s);
  loop->number = number;
  loop->values = s->prefix | (aw_value)number << AWL_LOOP_SHIFT;
  lua_getiuservalue(L, -1, VALUES);
  awl_set(L, s, AWL_VALUES, number);
  lua_pushvalue(L, -1);
  awl_set(L, s, AWL_LOOPS, number);
  loop->claims = aw_allocate(sizeof *loop->claims);
  if (!loop->claims)
    return awl_error(L, "not enough memory");
  loop->engine = engine_for(L, s, &options);
  loop->private_engine = options.private_engine;
  loop->timeout = options.timeout;
  loop->signals = options.signals;
  aw_loop_config config = {.grace = options.grace,
                           .host = loop->values >> AWL_LOOP_SHIFT};
  if (aw_loop_new(loop->engine->core, &config, &loop->core) < 0)
    return awl_error(L, "not enough memory");
  s->loops[number] = loop;
  s->claims[number] = loop->claims;
  if (s->drawing) /* it will be drawn, even if nobody refers to it */
    awl_loop_anchor(L, loop);
  return 1;
}

static int m_EventLoop(lua_State *L) {
  lua_settop(L, 1);
  return push_new(L, awl_of(L), 1);
}

awl_loop *awl_push_loop_with(lua_State *L, awl_state *s) {
  push_new(L, s, lua_gettop(L));
  lua_remove(L, -2);
  return awl_loop_at(L, -1);
}

awl_loop *awl_push_new_loop(lua_State *L, awl_state *s) {
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_pushnil(L); /* no options */
  return awl_push_loop_with(L, s);
}

/* new_loop(w, opts): a new EventLoop, for functions whose second argument is
 * the table of options */
static int inner_new_loop(lua_State *L) {
  lua_settop(L, 2);
  return push_new(L, awl_of(L), 2);
}

/* Free the private engine of `loop`. Loops that were made in tasks of `loop`
 * may outlive it; then one of them becomes the owner of the engine. */
static void leave_engine(awl_loop *loop) {
  awl_engine *engine = loop->engine;
  loop->engine = NULL;
  if (!loop->private_engine || !engine || awl_free_engine(engine) == 0)
    return;
  const awl_state *s = loop->state;
  for (uint32_t i = 0; i < s->loop_count; i++)
    if (s->loops[i] && s->loops[i]->engine == engine) {
      s->loops[i]->private_engine = true;
      return;
    }
}

/* Release the number of the loop. Values of the loop that somebody still refers
 * to read as nil from now on. */
static void leave_number(awl_loop *loop) {
  awl_state *s = loop->state;
  s->values -= loop->claims->live;
  s->loops[loop->number] = NULL;
  awl_loop_forget_values(s, loop->number);
  awl_loop_forget_number(s, loop->number);
}

/* Count the tasks of `loop`; `*first` becomes the line that started the first
 * one. */
static size_t count_tasks(const awl_loop *loop, const char **first) {
  const aw_scope *root = aw_loop_scope(loop->core), *at = root;
  size_t count = 0, depth = 0;
  *first = NULL;
  while ((at = aw_scope_walk(root, at, &depth)) != NULL) {
    const aw_task *task = aw_scope_task(at);
    if (task && count++ == 0)
      *first = aw_task_where(task);
  }
  return count;
}

/* (light loop): warn if the loop has tasks that nobody has run. */
static int tell_unrun(lua_State *L) {
  const awl_loop *loop = lua_touserdata(L, 1);
  const char *first;
  size_t count = count_tasks(loop, &first);
  if (count == 0)
    return 0;
  lua_pushfstring(L,
                  "this EventLoop was %s, and its tasks never began (%d%s%s)"
                  "; call its run(), or declare it <close>",
                  loop->ran ? "not run again" : "never run", (int)count,
                  !first       ? ""
                  : count == 1 ? ", started at "
                               : ", the first started at ",
                  first ? first : "");
  awl_mistake(L, loop->where, "unrun");
  return 0;
}

/* Was the loop of the core made? It may be gone by now. */
static bool has_number(const awl_loop *loop) {
  return awl_loop_number(loop->state, loop->number) == loop;
}

/* Free a loop whose EventLoop is garbage. False: the Lua state is closed in the
 * middle of the loop's run, so the loop of the core is not freed. */
static bool free_loop(awl_loop *loop) {
  if (loop->core && aw_loop_free(loop->core) < 0)
    return false;
  if (has_number(loop))
    leave_number(loop);
  else
    aw_free(loop->claims); /* the loop of the core was not made */
  leave_engine(loop);
  awl_strike_object(loop->state, AWL_RESOURCE_LOOP, loop->resource);
  aw_free(loop);
  return true;
}

static int loop_gc(lua_State *L) {
  awl_state *s = lua_touserdata(L, lua_upvalueindex(1));
  awl_loop **box = lua_touserdata(L, 1);
  awl_loop *loop = *box;
  if (loop->core && aw_loop_state_of(loop->core) == AW_LOOP_IDLE)
    awl_try_telling(L, tell_unrun, loop);
  *box = &s->gone_loop;
  free_loop(loop);
  return 0;
}

static int loop_stop(lua_State *L) {
  awl_loop *loop = awl_check_loop(L, awl_of(L));
  if (loop->core)
    awl_loop_stop(loop);
  return 0;
}

static int loop_start(lua_State *L) {
  awl_state *s = awl_of(L);
  return awl_start(L, s, awl_check_loop(L, s), NULL, 2, 1);
}

static int loop_start_ready(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_loop *loop = awl_check_loop(L, s);
  return awl_start_ready(L, s, loop, NULL, "EventLoop:start_ready");
}

/* ---- looking inside ---- */

static int loop_now(lua_State *L) {
  awl_loop *loop = awl_check_loop(L, awl_of(L));
  if (!loop->engine)
    return awl_ended(L, loop);
  lua_pushnumber(L, awl_seconds(aw_engine_now(loop->engine->core)));
  return 1;
}

/* timeout_of(ev): the time limit of its run in seconds, with extensions */
static int inner_timeout_of(lua_State *L) {
  const awl_loop *loop = awl_check_loop(L, awl_of(L));
  lua_pushnumber(L, awl_seconds(aw_loop_timeout(loop->core)));
  return 1;
}

/* fix_limit([ev, seconds]): tasks cannot move the time limit of `ev`; nil: they
 * can again */
static int inner_fix_limit(lua_State *L) {
  awl_state *s = awl_of(L);
  if (lua_isnoneornil(L, 1)) {
    s->fixed.loop = NULL;
    return 0;
  }
  const awl_loop *loop = awl_check_loop(L, s);
  uint64_t ns = awl_check_ns(L, 2), now = aw_engine_now(loop->engine->core);
  s->fixed.at = ns < AW_NEVER - now ? now + ns : AW_NEVER;
  s->fixed.loop = loop->core;
  return 0;
}

/* start_raw(ev, w): start w for the caller of the caller; errors leave run()
 * raw */
static int inner_start_raw(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_loop *loop = awl_check_loop(L, s);
  lua_settop(L, 2);
  lua_pushboolean(L, true);
  return awl_start(L, s, loop, NULL, 2, 3);
}

static int loop_dump(lua_State *L) {
  awl_check_loop(L, awl_of(L));
  lua_settop(L, 1);
  awl_push_embedded(L, "aiowire.dump");
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static const char *state_name(const awl_loop *loop) {
  static const char *const names[] = {"idle",    "running", "timeout",
                                      "stopped", "failed",  "closed"};
  aw_loop_state state =
      loop->core ? aw_loop_state_of(loop->core) : AW_LOOP_CLOSED;
  return state == AW_LOOP_IDLE && loop->ran ? "done" : names[state];
}

/* Push the wait that the loop's time-out cut short, as the text of info.waited;
 * or nil. */
static void push_loop_waited(lua_State *L, const awl_loop *loop) {
  const aw_cut *cut = loop->core ? aw_loop_cut(loop->core) : NULL;
  if (cut)
    awl_push_timeout(L, 0, cut);
  if (!cut || !awl_push_waited(L, -1))
    lua_pushnil(L);
}

static int loop_index(lua_State *L) {
  if (awl_push_method(L)) /* which checks its own arguments */
    return 1;
  awl_state *s = awl_of(L);
  awl_loop *loop = awl_check_loop(L, s);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(key, "stuck") == 0) {
    lua_getiuservalue(L, 1, STUCK);
  } else if (strcmp(key, "name") == 0) {
    lua_getiuservalue(L, 1, NAME);
  } else if (strcmp(key, "status") == 0) {
    lua_pushstring(L, state_name(loop));
  } else if (strcmp(key, "waited") == 0) {
    push_loop_waited(L, loop);
  } else if (strcmp(key, "failure") == 0) {
    if (loop->core && aw_loop_error(loop->core))
      awl_push_info(L, s, aw_loop_error(loop->core), NULL);
    else
      lua_pushnil(L);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

static int loop_newindex(lua_State *L) {
  awl_show_key(L, awl_of(L), 2);
  return awl_error(L, "an EventLoop's fields are read only (cannot set '%s')",
                   lua_tostring(L, -1));
}

static int loop_tostring(lua_State *L) {
  awl_loop *loop = awl_check_loop(L, awl_of(L));
  if (lua_getiuservalue(L, 1, NAME) == LUA_TNIL) {
    lua_pushfstring(L, "EventLoop (%s)", state_name(loop));
    return 1;
  }
  awl_cut_name(L);
  lua_pushfstring(L, "EventLoop '%s' (%s)", lua_tostring(L, -1),
                  state_name(loop));
  return 1;
}

/* A loop that runs, as in os.exit(0, true), loses only its awl_loop. */
static void release_loop(void *thing) {
  awl_loop *loop = thing;
  if (free_loop(loop))
    return;
  loop->state->loops[loop->number] = NULL;
  aw_free(loop);
}

void awl_open_loop(lua_State *L, awl_state *s) {
  static const luaL_Reg methods[] = {{"run", awl_loop_run},
                                     {"start", loop_start},
                                     {"start_ready", loop_start_ready},
                                     {"stop", loop_stop},
                                     {"close", awl_loop_close},
                                     {"now", loop_now},
                                     {"tasks", awl_loop_tasks},
                                     {"dump", loop_dump},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__index", loop_index},       {"__newindex", loop_newindex},
      {"__tostring", loop_tostring}, {"__gc", loop_gc},
      {"__close", awl_loop_leave},   {NULL, NULL}};
  static const luaL_Reg functions[] = {{"EventLoop", m_EventLoop},
                                       {NULL, NULL}};
  static const luaL_Reg inner[] = {
      {"start_raw", inner_start_raw},        {"timeout_of", inner_timeout_of},
      {"fix_limit", inner_fix_limit},        {"new_loop", inner_new_loop},
      {"run_limited", awl_loop_run_limited}, {NULL, NULL}};
  awl_new_class(L, s, AWL_LOOP, "aiowire.EventLoop", methods, meta);
  awl_set_release(s, AWL_RESOURCE_LOOP, release_loop);
  lua_pop(L, 1);
  awl_register(L, s, functions);
  lua_pushvalue(L, -2);
  awl_register_inner(L, s, inner);
  lua_pop(L, 1);
}
