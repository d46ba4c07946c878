/* start.c - starts tasks of Lua for the host program
 *
 * The tasks stand at the root of one loop for each state. aw_lua_start() begins
 * the run of the loop with its first task; the run ends when the last task has
 * ended, and begins anew with the next one. A loop that has failed, was stopped
 * or has timed out accepts no more, nor does one whose end the host program is
 * about to be told of: another one takes its place.
 *
 * Invariant: the EventLoops of all tasks whose `done` has not been called are
 * in the table `anchors`, which is in the registry.
 *
 * Neighbours: done.c calls `done`; objects/loop.c makes EventLoops.
 */
#include "base/location.h"
#include "base/loops.h"
#include "base/parts.h"
#include "embed/config.h"
#include "embed/hub.h"
#include "objects/loop.h"
#include "run/debug_hooks.h"
#include "run/pool.h"
#include "wire/build.h"
#include "wire/convert.h"

#include <stddef.h>
#include <string.h>

/* its address is the registry key of the table of EventLoops */
static const char ANCHORS_KEY = 'a';

/* ---- the loop of a state ---- */

static bool accepts(const awl_loop *loop) {
  return loop && loop->core &&
         aw_loop_state_of(loop->core) <= AW_LOOP_RUNNING &&
         !aw_loop_untold(loop->core);
}

/* Push the table of EventLoops; a new one if the old ones need no anchor. */
static void push_anchors(lua_State *L, const awl_hosted *hosted) {
  if (awl_job_waits(hosted) &&
      lua_rawgetp(L, LUA_REGISTRYINDEX, &ANCHORS_KEY) == LUA_TTABLE)
    return;
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ANCHORS_KEY);
}

static void make_loop(lua_State *L, awl_hosted *hosted) {
  int top = lua_gettop(L);
  push_anchors(L, hosted);
  int anchors = lua_gettop(L);
  awl_loop *loop = awl_push_new_loop(L, hosted->state);
  lua_rawseti(L, anchors, (lua_Integer)lua_rawlen(L, anchors) + 1);
  hosted->state->hosted_loop = loop;
  lua_settop(L, top);
}

/* (light hosted): make its loop. */
static int make_first_loop(lua_State *L) {
  make_loop(L, lua_touserdata(L, 1));
  return 0;
}

aw_loop *aw_lua_loop(lua_State *L) {
  awl_hosted *hosted = awl_hosted_of(L);
  if (!hosted || hosted->closed || !lua_checkstack(L, LUA_MINSTACK))
    return NULL;
  if (!hosted->state->hosted_loop) {
    lua_pushcfunction(L, make_first_loop);
    lua_pushlightuserdata(L, hosted);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
      lua_pop(L, 1);
  }
  return hosted->state->hosted_loop ? hosted->state->hosted_loop->core : NULL;
}

/* A run of the loop is about to begin. Raises. */
static void prepare_run(lua_State *L, awl_hosted *hosted) {
  awl_state *s = hosted->state;
  if (aw_loop_state_of(s->hosted_loop->core) == AW_LOOP_RUNNING)
    return;
  if (s->background > 0)
    s->upcalls.start_background(L, s, s->hosted_loop);
  memset(&hosted->run, 0, sizeof hosted->run);
  awl_workers_trim(s);
}

/* Begin the run of the loop, which has a task. The host program may begin it
 * again, to give it a time limit. This cannot fail without a limit. */
static void begin_hosted_run(const awl_state *s) {
  aw_loop *core = s->hosted_loop->core;
  if (aw_loop_begin(core, AW_NEVER) == 0)
    aw_loop_pause(core);
}

/* ---- starting ---- */

typedef struct starting {
  awl_hosted *hosted;
  aw_lua_task_config config;
  aw_task **out;
  int rc; /* AW_ENOMEM until something else is known */
} starting;

static bool copy_config(const aw_lua_task_config *from,
                        aw_lua_task_config *to) {
  const size_t least = offsetof(aw_lua_task_config, size) + sizeof to->size;
  return awl_copy_config(from, from ? from->size : 0, least, to, sizeof *to);
}

/* (results…) of a wire that has run: return them. */
static int after_run_result(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  if (lua_gethook(L))
    awl_hooks_unscreen(L, awl_open(L));
  return lua_gettop(L);
}

/* (results…) of a function that has returned: run the first one if it is a Wire
 * or a Poller. */
static int run_result(lua_State *L, int status, lua_KContext context) {
  int type = lua_type(L, 1);
  if (type != LUA_TUSERDATA && type != LUA_TTABLE)
    return lua_gettop(L);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (lua_gethook(L))
    awl_hooks_screen(L, awl_open(L));
  awl_push_embedded(L, "aiowire.hosted");
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, context, after_run_result);
  return after_run_result(L, status, context);
}

/* (f, …): what a task of the host program calls. In C, since errors must blame
 * no line of the library, and debug hooks must see none. */
static int call_function(lua_State *L) {
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, run_result);
  return run_result(L, LUA_OK, 0);
}

/* [f, …] → [Wire]: the Wire of a task that calls f(…), and then runs the Wire
 * that f returns. A Wire stays as it is. Returns the name of f; NULL: f is a
 * Wire. */
static const char *make_wire(lua_State *L, starting *st, int f) {
  awl_state *s = st->hosted->state;
  int count = lua_gettop(L) - f;
  if (awl_is_made(L, s, f))
    return NULL;
  if (!awl_callable(L, f)) {
    st->rc = AW_EINVAL;
    luaL_error(L, "not a wire");
  }
  const char *name = awl_function_name(L, s, f);
  lua_pushcfunction(L, call_function);
  lua_insert(L, f);
  awl_push_call_as(L, s, count + 1, name);
  return name;
}

/* All that may raise is done. Takes `wire`. Returns a code. */
static int start(const starting *st, aw_wire *wire, aw_task_config *config) {
  awl_job *job = awl_job_new(st->hosted);
  if (!job) {
    aw_wire_release(wire);
    return AW_ENOMEM;
  }
  config->handler = aw_lua_box(&job->value);
  aw_task *task;
  int rc =
      aw_loop_start(st->hosted->state->hosted_loop->core, wire, config, &task);
  if (rc < 0)
    return rc; /* the core has dropped the handler */
  job->task = task;
  job->done = st->config.done;
  job->data = st->config.data;
  job->unheard = !job->done && !st->out;
  aw_task_watch(task);
  if (st->out)
    *st->out = aw_task_keep(task);
  return 0;
}

/* (light starting, f, …) */
static int start_protected(lua_State *L) {
  enum { F = 2 };
  starting *st = lua_touserdata(L, 1);
  awl_hosted *hosted = st->hosted;
  awl_state *s = hosted->state;
  aw_task_config config = {.where = awl_where(L, s, 1),
                           .background = st->config.background,
                           .grace = st->config.grace};
  if (*config.where == '?')
    config.where = NULL;
  const char *name = make_wire(L, st, F);
  config.name = st->config.name ? st->config.name : name;
  if (!accepts(hosted->state->hosted_loop))
    make_loop(L, hosted);
  prepare_run(L, hosted);
  st->rc = start(st, awl_to_wire(L, s, s->hosted_loop, F), &config);
  if (st->rc == 0 && aw_loop_state_of(s->hosted_loop->core) == AW_LOOP_IDLE)
    begin_hosted_run(s);
  return 0;
}

/* Start [f, …], which are the `nargs` + 1 values on top; pops them. */
static int start_top(lua_State *L, starting *st, int nargs) {
  int f = lua_gettop(L) - nargs;
  lua_pushcfunction(L, start_protected);
  lua_insert(L, f);
  lua_pushlightuserdata(L, st);
  lua_insert(L, f + 1);
  if (lua_pcall(L, nargs + 2, 0, 0) != LUA_OK)
    lua_pop(L, 1); /* st->rc says why */
  return st->rc;
}

/* Prepare a start. Returns a code. */
static int prepare(lua_State *L, const aw_lua_task_config *config,
                   aw_task **out, starting *st) {
  *st = (starting){.hosted = awl_hosted_of(L), .out = out, .rc = AW_ENOMEM};
  if (!st->hosted || !copy_config(config, &st->config))
    return AW_EINVAL;
  return st->hosted->closed ? AW_EENDED : 0;
}

int aw_lua_start(lua_State *L, int nargs, const aw_lua_task_config *config,
                 aw_task **out) {
  int f = lua_gettop(L) - nargs;
  if (nargs < 0 || f < 1)
    return AW_EINVAL;
  starting st;
  int rc = prepare(L, config, out, &st);
  if (rc == 0 && nargs > 0 && awl_is_object(L, st.hosted->state, f))
    rc = AW_EINVAL;
  if (rc == 0)
    rc = lua_checkstack(L, 4) ? start_top(L, &st, nargs) : AW_ENOMEM;
  lua_settop(L, f - 1);
  return rc;
}

/* ---- files and buffers ---- */

/* A text to load: of a file, or in memory. */
typedef struct chunk {
  const char *path; /* or NULL */
  const char *text, *name;
  size_t size;
} chunk;

/* (light chunk) → function. Bytecode is refused: it may crash Lua. */
static int load(lua_State *L) {
  const chunk *c = lua_touserdata(L, 1);
  int status = c->path ? luaL_loadfilex(L, c->path, "t")
                       : luaL_loadbufferx(L, c->text, c->size, c->name, "t");
  return status == LUA_OK ? 1 : lua_error(L);
}

/* Load the text and start it. A text that cannot be loaded leaves its message
 * on the stack. */
static int start_chunk(lua_State *L, const chunk *c,
                       const aw_lua_task_config *config, aw_task **out) {
  starting st;
  int rc = prepare(L, config, out, &st);
  if (rc < 0)
    return rc;
  if (!lua_checkstack(L, LUA_MINSTACK))
    return AW_ENOMEM;
  lua_pushcfunction(L, load);
  lua_pushlightuserdata(L, (void *)(uintptr_t)c);
  int status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_OK)
    return start_top(L, &st, 0);
  if (status != LUA_ERRMEM)
    return AW_EHOST;
  lua_pop(L, 1);
  return AW_ENOMEM;
}

int aw_lua_start_file(lua_State *L, const char *path,
                      const aw_lua_task_config *config, aw_task **out) {
  const chunk c = {.path = path};
  return path ? start_chunk(L, &c, config, out) : AW_EINVAL;
}

int aw_lua_start_buffer(lua_State *L, const char *text, size_t size,
                        const char *chunkname, const aw_lua_task_config *config,
                        aw_task **out) {
  const chunk c = {.text = text, .size = size, .name = chunkname};
  bool fits = text && chunkname;
  return fits ? start_chunk(L, &c, config, out) : AW_EINVAL;
}
