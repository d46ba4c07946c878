/* info.c - what is known beside an error: info
 *
 * Error values travel raw [E1]. What is known beside them is an *info* [E2]:
 * a table that is made where the error is raised, by the message handler of
 * the body, and is the value of the core's error from then on.
 *
 * An error is on its way from there to the protected call that catches it: the
 * innermost scope that is open in the worker, or the body. Its info stands in
 * AWL_RAISED meanwhile, under the worker's number. `__close` handlers run on
 * the way, in which scopes may be opened and other errors be on their way to
 * those: the info of each such error has the one around it as its item BELOW.
 * An error that replaces another on the same way (it was raised in a `__close`)
 * has that one's info in `replaced` [E3].
 *
 * An error that an await raises is the worker's `passing` until the next await,
 * and keeps its info when the body does not catch it. What handlers get is an
 * info over it that has the Task as well: with it the kept one would be a cycle
 * through C.
 *
 * Neighbours: errors.c makes the objects that errors of the library are.
 */
#include "errors/info.h"

#include "base/classes.h"
#include "base/loops.h"
#include "base/parts.h"
#include "base/show.h"
#include "base/tasks.h"
#include "base/text.h"
#include "base/values.h"
#include "errors/errors.h"
#include "errors/frames.h"
#include "errors/traceback.h"
#include "open.h"
#include "wire/leaf.h"
#include "wire/task_text.h"

#include <string.h>

/* ---- where an error is raised ---- */

enum { BELOW = 1 }; /* an item of an info in AWL_RAISED */

/* The error on its way in `worker`, to the call that will catch it. */
static awl_raised *raised_in(awl_worker *worker) {
  return worker->scopes ? &worker->scopes->raised : &worker->raised;
}

/* Push the info of that error, or nil. */
static bool push_raised(lua_State *L, awl_state *s, awl_worker *worker) {
  if (raised_in(worker)->noted)
    awl_get(L, s, AWL_RAISED, (lua_Integer)worker->number + 1);
  else
    lua_pushnil(L);
  return lua_istable(L, -1);
}

static bool same_error(lua_State *L, int info, int error) {
  error = lua_absindex(L, error);
  lua_getfield(L, info, "err");
  bool same = lua_rawequal(L, -1, error);
  lua_pop(L, 1);
  return same;
}

/* Push a new info for the error at `error`. It is plain: who asks gets one over
 * it, see push_info_over(). */
static void push_new_info(lua_State *L, int error) {
  error = lua_absindex(L, error);
  lua_createtable(L, 0, 7);
  lua_pushvalue(L, error);
  lua_setfield(L, -2, "err");
}

/* Push an info that has all of the one at `info`, and room for more of its
 * own: fields that it lacks are looked for there, see info_index(). */
static void push_info_over(lua_State *L, awl_state *s, int info) {
  info = lua_absindex(L, info);
  lua_createtable(L, 1, 3);
  lua_pushvalue(L, info);
  lua_rawseti(L, -2, 1);
  awl_push_class(L, s, AWL_INFO);
  lua_setmetatable(L, -2);
}

/* Push the info of the error that an await of `worker` raised last, if that
 * is the error at `error`. */
static bool push_passing(lua_State *L, awl_state *s, const awl_worker *worker,
                         int error) {
  if (!worker->passing)
    return false;
  error = lua_absindex(L, error);
  awl_push_value(L, s, aw_error_value(worker->passing));
  if (lua_istable(L, -1) && same_error(L, -1, error))
    return true;
  lua_pop(L, 1);
  return false;
}

/* [.., info]: let it stand over the infos of AWL_RAISED, in place of the one of
 * the same way. */
static void put_over(lua_State *L, awl_state *s, awl_worker *worker) {
  awl_get(L, s, AWL_RAISED, (lua_Integer)worker->number + 1);
  if (raised_in(worker)->noted && lua_istable(L, -1)) {
    lua_rawgeti(L, -1, BELOW);
    lua_pushnil(L);
    lua_rawseti(L, -3, BELOW);
    lua_remove(L, -2);
  }
  lua_rawseti(L, -2, BELOW);
}

/* [.., info] → [..]: the error of that is on its way. `error`, which an await
 * raised it of, or NULL. */
static void set_raised(lua_State *L, awl_state *s, awl_worker *worker,
                       aw_error *error) {
  awl_raised *raised = raised_in(worker);
  if (worker->noted > 0) /* seldom: two at once */
    put_over(L, s, worker);
  awl_set(L, s, AWL_RAISED, (lua_Integer)worker->number + 1);
  worker->noted += !raised->noted;
  raised->noted = true;
  aw_error *old = raised->error;
  raised->error = error ? aw_error_keep(error) : NULL;
  if (old)
    aw_error_release(old);
}

/* Take the info that was noted last away; it cannot fail. */
static void take_over(awl_worker *worker) {
  awl_state *s = worker->state;
  lua_State *util = s->util;
  lua_Integer key = (lua_Integer)worker->number + 1;
  if (worker->noted == 0) {
    awl_unset(s, AWL_RAISED, key);
    return;
  }
  if (lua_rawgeti(util, AWL_RAISED, key) == LUA_TTABLE) {
    lua_rawgeti(util, -1, BELOW);
    lua_rawseti(util, AWL_RAISED, key);
    lua_pushnil(util);
    lua_rawseti(util, -2, BELOW);
  }
  lua_pop(util, 1);
}

void awl_drop_raised(awl_worker *worker, awl_raised *raised) {
  if (raised->noted) {
    raised->noted = false;
    worker->noted--;
    if (worker->holding && worker->noted == 0) {
      worker->holding = false;
      aw_task_let_out(worker->task);
    }
    take_over(worker);
  }
  if (raised->error)
    aw_error_release(raised->error);
  raised->error = NULL;
}

bool awl_put_first_error(lua_State *L, awl_worker *worker) {
  if (!push_raised(L, worker->state, worker)) {
    lua_pop(L, 1);
    return false;
  }
  lua_getfield(L, -1, "err");
  lua_replace(L, -3);
  lua_pop(L, 1);
  return true;
}

bool awl_push_held(lua_State *L, awl_state *s, const aw_task *task) {
  for (uint32_t i = 0; i < s->worker_count; i++) {
    awl_worker *w = s->workers[i];
    if (!w || w->task != task || w->noted == 0)
      continue;
    awl_get(L, s, AWL_RAISED, (lua_Integer)w->number + 1);
    lua_getfield(L, -1, "err");
    lua_remove(L, -2);
    return true;
  }
  return false;
}

/* Will nobody see the error that has left the body of `worker`? */
static bool is_unseen(const awl_worker *worker) {
  return !worker->scopes && !aw_step_wants_error(worker->task);
}

/* Has the traceback a line of a file, not only of functions in C? */
static bool has_lines(const char *traceback) {
  static const char C[] = "\n\t[C]:";
  for (const char *at = traceback; (at = strstr(at, "\n\t")) != NULL; at++)
    if (strncmp(at, C, sizeof C - 1) != 0)
      return true;
  return false;
}

/* Push the stack of L, which the running worker runs; and as long as that has no
 * line of the user's, those of who awaits it. */
static void push_stacks(lua_State *L, awl_state *s) {
  const awl_worker *running = s->run.running, *w;
  awl_push_traceback(L, s, L, 1);
  for (size_t i = 0; !has_lines(lua_tostring(L, -1)) &&
                     (w = aw_task_host_at(running->task, i)) != NULL;
       i++)
    if (w != running)
      awl_join_traceback(L, s, w->co);
}

/* [err, old, info]: give the info a traceback, unless it has one, of where the
 * error was raised first. What the core failed with has none before an await
 * raises it. A Timeout's is seldom read: it gets the frames, for a text later.
 */
static void add_traceback(lua_State *L, awl_state *s) {
  if (lua_getfield(L, 3, "traceback") == LUA_TNIL) {
    if (awl_is(L, s, 1, AWL_TIMEOUT))
      awl_push_frames(L, s, 1);
    else
      push_stacks(L, s);
    lua_setfield(L, 3, "traceback");
  }
  lua_settop(L, 3);
}

/* The message handler of bodies: notes the traceback, leaves the error. */
static int note_traceback(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_worker *worker = s->run.running;
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_pushliteral(L, "<nil error>");
    lua_replace(L, 1);
  }
  if (!worker || L != s->run.co || awl_is_cancelled(L, s, 1) ||
      is_unseen(worker))
    return 1; /* another coroutine: one that is closed */
  bool replaces = push_raised(L, s, worker); /* [err, old] */
  if (replaces && same_error(L, 2, 1)) {
    lua_settop(L, 1);
    return 1; /* it is passed on, and known */
  }
  bool passes = push_passing(L, s, worker, 1);
  if (!passes)
    push_new_info(L, 1); /* [err, old, info] */
  add_traceback(L, s);
  if (replaces) {
    lua_pushvalue(L, 2);
    lua_setfield(L, 3, "replaced");
  }
  set_raised(L, s, worker, passes ? worker->passing : NULL);
  lua_settop(L, 1);
  return 1;
}

/* ---- from Lua to the core ---- */

/* The states that the task of the info on top was in [D3]: a list of texts,
 * newest first; or the text of the only one, see info_index(). */
static void set_chain(lua_State *L, awl_state *s, const aw_task *task) {
  enum { LONGEST = 8 };
  uint32_t times;
  bool has_wire = awl_push_state(L, s, task, AWL_LONGEST_TEXT);
  const char *name = aw_task_chain(task, 0, &times);
  if (name || !has_wire) {
    lua_newtable(L);
    int n = has_wire;
    if (has_wire) {
      lua_insert(L, -2);
      lua_rawseti(L, -2, 1);
    }
    for (size_t i = 0; n < LONGEST && name;
         name = aw_task_chain(task, ++i, &times)) {
      awl_push_cut_name(L, name);
      if (times > 1) {
        lua_pushfstring(L, "%s (x%d)", lua_tostring(L, -1), (int)times);
        lua_remove(L, -2);
      }
      lua_rawseti(L, -2, ++n);
    }
  }
  lua_setfield(L, -2, "chain");
}

/* What the info on top says of its task, which may be gone later. */
static void describe_task(lua_State *L, awl_state *s, aw_task *task) {
  int info = lua_gettop(L);
  set_chain(L, s, task);
  lua_pushinteger(L, (lua_Integer)aw_task_id(task));
  lua_setfield(L, info, "id");
  if (!aw_task_name(task) && lua_getfield(L, info, "chain") == LUA_TSTRING)
    awl_cut_name(L); /* the state is the name: not put together twice */
  else
    awl_push_plain_name(L, s, task);
  lua_setfield(L, info, "name");
  lua_settop(L, info);
  lua_pushstring(L, aw_task_where(task)); /* NULL: nil */
  lua_setfield(L, -2, "started_at");
}

/* … and of one that has failed, whose Task may be asked for. */
static void describe_failed(lua_State *L, awl_state *s, aw_task *task) {
  const awl_loop *loop = awl_loop_of(s, aw_task_loop(task));
  lua_pushinteger(L, (lua_Integer)loop->engine->serial);
  lua_setfield(L, -2, "engine");
  describe_task(L, s, task);
}

/* The info on top becomes a core error; pops it. */
static aw_error *error_of_info(lua_State *L, awl_loop *loop) {
  aw_value value = awl_hold(L, loop);
  return aw_error_new(loop->engine->core, AW_EHOST, value);
}

/* Suppress what the info at `info` replaced, the oldest first. */
static void suppress_replaced(lua_State *L, awl_state *s, awl_loop *loop,
                              aw_error *error, int info) {
  luaL_checkstack(L, 4, NULL);
  if (lua_getfield(L, info, "replaced") == LUA_TTABLE) {
    lua_pushnil(L);
    lua_setfield(L, info, "replaced");
    suppress_replaced(L, s, loop, error, lua_gettop(L));
    aw_error_suppress(error, error_of_info(L, loop));
  } else {
    lua_pop(L, 1);
  }
}

/* (info, light loop, light error) */
static int protected_suppress(lua_State *L) {
  awl_loop *loop = lua_touserdata(L, 2);
  suppress_replaced(L, loop->state, loop, lua_touserdata(L, 3), 1);
  return 0;
}

/* The same, when `error` is in nobody's hands yet: out of memory loses some of
 * what was replaced, but not the error. */
static void try_suppress(lua_State *L, awl_loop *loop, aw_error *error,
                         int info) {
  lua_pushcfunction(L, protected_suppress);
  lua_pushvalue(L, info);
  lua_pushlightuserdata(L, loop);
  lua_pushlightuserdata(L, error);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

static aw_error *rehome(lua_State *L, awl_state *s, awl_loop *loop,
                        aw_error *error);

/* (light error, light copy, light loop): the copy's suppressed ones. */
static int protected_rehome(lua_State *L) {
  aw_error *error = lua_touserdata(L, 1), *copy = lua_touserdata(L, 2), *later;
  awl_loop *loop = lua_touserdata(L, 3);
  const void *at = NULL;
  while ((later = aw_error_next_suppressed(error, &at)) != NULL)
    aw_error_suppress(copy, rehome(L, loop->state, loop, later));
  return 0;
}

/* `error` for a task of `loop`: if its info is in the table of another loop,
 * which may go before, an error of `loop` with the same; out of memory may
 * lose some of what it suppresses. Gives. */
static aw_error *rehome(lua_State *L, awl_state *s, awl_loop *loop,
                        aw_error *error) {
  if (awl_belongs(s, aw_error_value(error), loop))
    return aw_error_keep(error);
  luaL_checkstack(L, 8, NULL);
  awl_push_value(L, s, aw_error_value(error));
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return aw_error_keep(error);
  }
  aw_error *copy = error_of_info(L, loop);
  lua_pushcfunction(L, protected_rehome);
  lua_pushlightuserdata(L, error);
  lua_pushlightuserdata(L, copy);
  lua_pushlightuserdata(L, loop);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK)
    lua_pop(L, 1);
  return copy;
}

/* [.., err] → [.., err, info]: of the error that has ended its way in `worker`.
 * The handler is not told of all: out of memory replaces others, too. */
static bool push_caught(lua_State *L, awl_state *s, awl_worker *worker) {
  int err = lua_gettop(L);
  bool replaces = push_raised(L, s, worker);
  if (replaces && same_error(L, err + 1, err))
    return true;
  push_new_info(L, err);
  if (replaces) {
    lua_pushvalue(L, err + 1);
    lua_setfield(L, -2, "replaced");
  }
  lua_remove(L, err + 1);
  return false;
}

aw_error *awl_make_error(lua_State *L, awl_state *s, awl_worker *worker) {
  aw_task *task = worker->task;
  awl_loop *loop = awl_loop_of(s, aw_task_loop(task));
  awl_raised *raised = raised_in(worker);
  int err = lua_gettop(L), info = err + 1;
  aw_error *error = push_caught(L, s, worker) ? raised->error : NULL;
  bool replaced = lua_getfield(L, info, "replaced") != LUA_TNIL;
  lua_pop(L, 1);
  if (error) {
    if (lua_getfield(L, info, "chain") == LUA_TNIL) { /* the core's own */
      lua_settop(L, info);
      describe_failed(L, s, task);
    }
    error = rehome(L, s, loop, error);
  } else {
    describe_failed(L, s, task);
    lua_pushvalue(L, info);
    error = error_of_info(L, loop);
  }
  if (replaced)
    try_suppress(L, loop, error, info);
  awl_drop_raised(worker, raised);
  lua_settop(L, err - 1);
  return error;
}

aw_error *awl_make_plain_error(lua_State *L, awl_state *s, aw_task *task) {
  push_new_info(L, -1);
  describe_failed(L, s, task);
  lua_remove(L, -2);
  return error_of_info(L, awl_loop_of(s, aw_task_loop(task)));
}

/* [info, key, value]: a list that nobody has asked for before: of the one state
 * that `value` is, or of nothing. Keep it in the info. */
static void keep_list(lua_State *L, bool has_one) {
  lua_createtable(L, has_one, 0);
  if (has_one) {
    lua_pushvalue(L, 3);
    lua_rawseti(L, -2, 1);
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
}

/* [info, key, …]: keep what is on top in the info, and return it. */
static int keep_field(lua_State *L) {
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

/* Is the info at 1 about an error, not only about a task? */
static bool is_of_error(lua_State *L) {
  bool is = lua_getfield(L, 1, "err") != LUA_TNIL;
  lua_pop(L, 1);
  return is;
}

/* [info, key, value]: the traceback, of which `value` is what was taken where
 * the error was raised: a text, the frames, or nothing. Without a line of the
 * user's it says where the task was started. */
static int finish_traceback(lua_State *L) {
  if (awl_is_frames(L, 3)) {
    lua_pushliteral(L, "stack traceback:");
    awl_push_frames_text(L, 3, false);
    lua_concat(L, 2);
    lua_replace(L, 3);
  }
  const char *text = lua_tostring(L, 3);
  if (text && has_lines(text))
    return keep_field(L);
  if (lua_getfield(L, 1, "started_at") == LUA_TSTRING) {
    lua_pushfstring(L, "%s\n\tstarted at %s",
                    text ? text : "stack traceback:", lua_tostring(L, -1));
    return keep_field(L);
  }
  lua_settop(L, 3);
  return 1;
}

/* [info, key, nil, underlying info]: of a Timeout, what it cut short. */
static int push_waited(lua_State *L) {
  lua_getfield(L, 4, "err");
  if (!awl_is(L, awl_of(L), 5, AWL_TIMEOUT) || !awl_push_waited(L, 5))
    return 0;
  return keep_field(L);
}

/* __index of an info: the field of the one that it is over. Lists that most
 * often are short or empty, and seldom read, are made here, and texts. */
static int info_index(lua_State *L) {
  lua_settop(L, 2);
  if (!lua_istable(L, 1) || lua_rawgeti(L, 1, 1) != LUA_TTABLE)
    return 0;
  lua_pushvalue(L, 2);
  int type = lua_gettable(L, 3);
  lua_insert(L, 3); /* [info, key, value, underlying info] */
  if (lua_type(L, 2) != LUA_TSTRING) {
    lua_settop(L, 3);
    return 1;
  }
  const char *key = lua_tostring(L, 2);
  if (strcmp(key, "waited") == 0 && type == LUA_TNIL)
    return push_waited(L);
  lua_settop(L, 3);
  if (strcmp(key, "traceback") == 0 && is_of_error(L))
    return finish_traceback(L);
  if (type == LUA_TSTRING && strcmp(key, "chain") == 0)
    keep_list(L, true);
  else if (type == LUA_TNIL && strcmp(key, "suppressed") == 0)
    keep_list(L, false);
  return 1;
}

aw_error *awl_make_derived_error(lua_State *L, awl_loop *loop, int info) {
  if (info != 0) {
    push_info_over(L, loop->state, info);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "err");
  } else {
    push_new_info(L, -1);
  }
  lua_remove(L, -2);
  return error_of_info(L, loop);
}

/* ---- errors of handlers [E8] ---- */

/* What a handler failed with, and what it was called for. */
typedef struct handler_failure {
  awl_worker *worker;
  aw_error *error, *handled;
} handler_failure;

/* Make a copy of the failure and push the info of the copy: an error that an
 * await raised is shared with other tasks. False: it has no info. */
static bool push_own_info(lua_State *L, handler_failure *f, awl_loop *loop) {
  awl_push_value(L, loop->state, aw_error_value(f->error));
  if (!lua_istable(L, -1))
    return false;
  push_info_over(L, loop->state, -1);
  lua_pushvalue(L, -1);
  aw_error *own = error_of_info(L, loop), *later;
  const void *at = NULL;
  while ((later = aw_error_next_suppressed(f->error, &at)) != NULL)
    aw_error_suppress(own, aw_error_keep(later));
  aw_error_release(f->error);
  f->error = own;
  return true;
}

/* (light handler_failure) */
static int protected_add_handled(lua_State *L) {
  handler_failure *f = lua_touserdata(L, 1);
  awl_loop *loop = awl_loop_of(f->worker->state, aw_task_loop(f->worker->task));
  awl_push_error(L, loop->state, loop, f->handled);
  awl_push_error(L, loop->state, loop, f->error);
  if (lua_rawequal(L, 2, 3)) /* passed on */
    return 0;
  if (!push_own_info(L, f, loop))
    return 0;
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "cause");
  awl_leaf_kind kind = f->worker->leaf->kind;
  if (kind == AWL_LEAF_CATCH || kind == AWL_LEAF_SUPERVISE)
    aw_error_suppress(f->error, aw_error_keep(f->handled));
  return 0; /* else the core does that */
}

aw_error *awl_add_handled(lua_State *L, awl_worker *worker, aw_error *error,
                          aw_error *handled) {
  handler_failure f = {worker, error, handled};
  if (error == handled)
    return error;
  lua_pushcfunction(L, protected_add_handled);
  lua_pushlightuserdata(L, &f);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1); /* out of memory: it is told without its cause */
  return f.error;
}

aw_error *awl_make_handler_error(lua_State *L, awl_loop *loop, int info,
                                 aw_error *handled) {
  int raised = lua_gettop(L);
  push_info_over(L, loop->state, info);
  static const char *const fields[] = {"err", "traceback"};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_getfield(L, raised, fields[i]);
    lua_setfield(L, -2, fields[i]);
  }
  lua_getfield(L, info, "err");
  lua_setfield(L, -2, "cause");
  lua_remove(L, raised);
  aw_error *error = error_of_info(L, loop);
  aw_error_suppress(error, aw_error_keep(handled));
  return error;
}

/* ---- from the core to Lua ---- */

/* Push the object of a core error. Its place is that of the await that raises
 * it: the driver's stack has none, see awl_place_error(). */
static void push_object(lua_State *L, const awl_state *s,
                        const aw_error *error) {
  awl_push_error_object(L, error);
  bool awaited = s->run.running && L == s->run.co;
  if (awaited || !lua_istable(L, -1))
    return;
  lua_pushnil(L);
  lua_setfield(L, -2, "where");
}

/* Give a core error the info it lacks. */
static void complete(lua_State *L, awl_state *s, awl_loop *loop,
                     aw_error *error) {
  push_object(L, s, error);
  push_new_info(L, -1);
  lua_remove(L, -2);
  if (loop)
    aw_error_set_value(error, awl_hold(L, loop));
  else
    lua_pop(L, 1);
}

void awl_push_error(lua_State *L, awl_state *s, awl_loop *loop,
                    aw_error *error) {
  if (!aw_error_value(error))
    complete(L, s, loop, error);
  awl_push_value(L, s, aw_error_value(error));
  if (!lua_istable(L, -1)) { /* the engine's own "out of memory" */
    lua_pop(L, 1);
    awl_push_error_object(L, error);
    return;
  }
  lua_getfield(L, -1, "err");
  lua_remove(L, -2);
}

/* Set info.suppressed of the info on top. */
static void set_suppressed(lua_State *L, awl_state *s, aw_error *error) {
  if (!aw_error_suppressed(error, 0))
    return; /* see info_index() */
  aw_error *later;
  const void *at = NULL;
  lua_newtable(L);
  for (lua_Integer i = 1; (later = aw_error_next_suppressed(error, &at)); i++) {
    luaL_checkstack(L, 8, NULL);
    lua_createtable(L, 0, 2);
    awl_push_error(L, s, NULL, later);
    lua_setfield(L, -2, "err");
    awl_push_info(L, s, later, NULL);
    lua_setfield(L, -2, "info");
    lua_rawseti(L, -2, i);
  }
  lua_setfield(L, -2, "suppressed");
}

void awl_push_info(lua_State *L, awl_state *s, aw_error *error, aw_task *task) {
  awl_push_value(L, s, aw_error_value(error));
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    push_object(L, s, error);
    push_new_info(L, -1);
    lua_remove(L, -2);
  }
  int kept = lua_gettop(L);
  push_info_over(L, s, kept);
  lua_getfield(L, kept, "engine");
  lua_getfield(L, kept, "id");
  awl_push_known_task(L, s, (uint64_t)lua_tointeger(L, -2),
                      (uint64_t)lua_tointeger(L, -1));
  if (lua_isnil(L, -1) && task) { /* nobody has a handle of the one it was */
    lua_pop(L, 1);
    awl_push_task(L, s, task);
  }
  lua_setfield(L, kept + 1, "task");
  if (task && lua_getfield(L, kept, "chain") == LUA_TNIL) {
    lua_settop(L, kept + 1);
    describe_failed(L, s, task);
    lua_pushnil(L);
    lua_setfield(L, kept + 1, "engine");
  }
  lua_settop(L, kept + 1);
  lua_remove(L, kept);
  set_suppressed(L, s, error);
  if (aw_error_attempts(error) > 0) {
    lua_pushinteger(L, aw_error_attempts(error));
    lua_setfield(L, -2, "attempts");
  }
}

void awl_push_task_info(lua_State *L, awl_state *s, aw_task *task) {
  lua_createtable(L, 0, 4);
  describe_task(L, s, task);
  push_info_over(L, s, -1);
  lua_remove(L, -2);
}

int awl_raise(lua_State *L, awl_worker *worker, aw_error *error) {
  awl_state *s = worker->state;
  if (worker->passing)
    aw_error_release(worker->passing);
  worker->passing = error;
  worker->raising = true; /* hooks and finalizers come by below */
  awl_push_error(L, s, awl_loop_of(s, aw_task_loop(worker->task)), error);
  worker->raising = false;
  return lua_error(L);
}

/* ---- the class ---- */

static int info_tostring(lua_State *L) {
  lua_settop(L, 1);
  awl_push_embedded(L, "aiowire.info");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

void awl_open_info(lua_State *L, awl_state *s) {
  static const luaL_Reg meta[] = {
      {"__tostring", info_tostring}, {"__index", info_index}, {NULL, NULL}};
  awl_new_class(L, s, AWL_INFO, "aiowire.Info", NULL, meta);
  lua_pop(L, 1);
  lua_pushlightuserdata(L, s);
  lua_pushcclosure(L, note_traceback, 1);
  lua_xmove(L, s->util, 1);
  lua_replace(s->util, AWL_HANDLER);
}
