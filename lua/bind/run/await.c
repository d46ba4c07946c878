/* await.c - how a C function of the binding awaits
 *
 *   w = awl_awaiter(L, s, "name")     return the worker, or raise why not
 *   rc = aw_await_…(w->task, …)       arm the wait
 *   return awl_wait(L, w, rc, after)  yield; the worker's coroutine rests
 *   after: awl_check_result(L, w)     raise if the wait ended with an error
 *
 * The continuation `after` runs in every case, also when the core refuses the
 * wait. It finds 0 in worker->result, or the code with which the wait ended or
 * was refused.
 */
#include "run/await.h"

#include "base/classes.h"
#include "base/location.h"
#include "errors/core_error.h"
#include "errors/errors.h"
#include "run/first_await.h"

#include <string.h>

/* "sort" of "table.sort" */
static const char *last_part(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot ? dot + 1 : name;
}

/* Is the function on top our `require`, which can be left half way? */
static bool is_our_require(lua_State *L, const awl_state *s) {
  lua_CFunction f = lua_tocfunction(L, -1);
  return f && f == s->upcalls.require;
}

/* The name of the function that keeps L from yielding [C11, LU6]: the innermost
 * C function that is not the binding's, a finalizer, or a debug hook. NULL: it
 * is not to be found. */
static const char *blocker(lua_State *L, awl_state *s) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Snf", &ar);
    const char *name = NULL;
    if (*ar.what == 'C' && !is_our_require(L, s))
      name = awl_function_name(L, s, -1);
    lua_pop(L, 1);
    if (ar.name && strcmp(ar.name, "__gc") == 0)
      return "__gc";
    if (strcmp(ar.namewhat, "hook") == 0)
      return "debug hook";
    if (name && strncmp(name, "aiowire.", 8) != 0 &&
        strcmp(name, "pcall") != 0 && strcmp(name, "xpcall") != 0)
      return last_part(name);
  }
  return NULL;
}

/* Does a `require` of Lua or of ours run in L? */
static bool is_in_require(lua_State *L, awl_state *s) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sf", &ar);
    bool found = *ar.what == 'C' &&
                 (is_our_require(L, s) ||
                  strcmp(awl_function_name(L, s, -1), "require") == 0);
    lua_pop(L, 1);
    if (found)
      return true;
  }
  return false;
}

/* The prefix of the awaiting function in messages: "" for a method, "aw." for a
 * function of the module. */
static const char *module_prefix(const char *what) {
  return strchr(what, ':') ? "" : "aw.";
}

/* Raise that no task runs here. The message says what runs here, and what to do
 * instead. */
static int refuse_outside(lua_State *L, awl_state *s, const char *what) {
  static const char *const START =
      "start a task that waits, as ev:start(function() ... end)";
  const char *why = NULL, *advice = START;
  if (s->closing_worker) {
    why = ": its coroutine is being closed";
    advice = "what is left of its clean-up cannot wait";
  } else if (awl_in_finalizer(L)) {
    why = ": a finalizer is not a task";
  } else if (s->in_handler) {
    why = ": a handler is not a task";
  } else if (s->run.engine) {
    why = ": the engine calls this between two tasks";
  } else if (s->hosted) {
    why = ": the host program drives the engine";
    advice = "let the program start a task that waits";
  } else {
    why = "";
    advice = "run it with aw.run(function() ... end)";
    if (is_in_require(L, s))
      advice = s->installed ? "require the module in aw.run(function() ... end)"
                            : "call aw.install(), and require the module in "
                              "aw.run(function() ... end)";
  }
  return awl_error(L, "cannot await outside a task (%s%s)%s; %s",
                   module_prefix(what), what, why, advice);
}

/* Tell the core that a `__close` handler awaits, and so delays the error that
 * is on its way [D4]. */
static void hold_back(awl_worker *w) {
  w->holding = true;
  aw_task_hold_back(w->task);
}

/* Raise that the function `name` keeps L from yielding. */
static int refuse_inside(lua_State *L, const awl_state *s, const char *name,
                         const char *what) {
  const char *why = "Lua cannot leave it half way";
  if (strcmp(name, "require") == 0)
    why = s->installed ? "this is Lua's own function, kept since before "
                         "aw.install()"
                       : "call aw.install() before";
  return awl_error(L, "cannot await inside '%s' (%s%s): %s", name,
                   module_prefix(what), what, why);
}

/* Raise why L may not await. */
static int refuse_await(lua_State *L, awl_state *s, const char *what) {
  if (!s->run.running || s->in_handler)
    return refuse_outside(L, s, what);
  const char *name = lua_isyieldable(L) ? NULL : blocker(L, s);
  if (!name && L == s->run.co && !lua_isyieldable(L))
    name = "a function that Lua cannot leave half way";
  if (name)
    return refuse_inside(L, s, name, what);
  return awl_error(L,
                   "cannot await in a coroutine that the engine does not know "
                   "(%s%s); make it with aw.wrap(f), or %s",
                   module_prefix(what), what,
                   s->installed ? "let a task of its own await"
                                : "call aw.install()");
}

/* The chunk of `w` is only drawn: it stops here, for ever. Returns only if its
 * task is cancelled. */
static void stop_chunk(lua_State *L, awl_worker *w, const char *what) {
  awl_note_first_await(L, w->state, what);
  aw_task_park(w->task, w);
  awl_wait(L, w, aw_await_sleep(w->task, AW_NEVER), awl_after_wait);
}

awl_worker *awl_prepare_await(lua_State *L, awl_state *s, const char *what) {
  awl_worker *w = s->run.running;
  if (!w || s->in_handler || L != s->run.co || !lua_isyieldable(L))
    refuse_await(L, s, what);
  if (s->gc_stress)
    lua_gc(L, LUA_GCCOLLECT);
  if (s->drawing)
    stop_chunk(L, w, what);
  awl_forget_passing(s);
  if (w->noted > 0 && !w->holding)
    hold_back(w);
  aw_task_park(w->task, w);
  return w;
}

static int after_park(lua_State *L, int status, lua_KContext context) {
  (void)status;
  awl_worker *w = (awl_worker *)context;
  if (!w->resumed)
    return awl_park_again(L, w, after_park);
  w->resumed = false;
  return w->after(L, w);
}

static int park(lua_State *L, awl_worker *w, awl_after after, lua_KFunction k) {
  w->parked = true;
  w->resumed = false;
  w->waiting = L;
  w->after = after;
  w->top = lua_gettop(L);
  if (w->state->loads)
    w->state->upcalls.find_cycles(w->state, w);
  return lua_yieldk(L, 0, (lua_KContext)w, k);
}

static int after_turn(lua_State *L, int status, lua_KContext context) {
  (void)status;
  awl_worker *w = (awl_worker *)context;
  if (!w->resumed)
    return awl_park_again(L, w, after_turn);
  w->resumed = false;
  if (w->result == 0 && aw_task_cancelled(w->task)) {
    /* The task was cancelled in this turn: one more wait delivers the cancel
     * [C2]. */
    aw_task_park(w->task, w);
    aw_await_yield(w->task);
    return park(L, w, w->after, after_turn);
  }
  if (w->result == 0)
    w->result = w->refused;
  return w->after(L, w);
}

/* The core refused the wait with `rc`. A Lua loop that swallows the error must
 * not keep the engine from other tasks: after some refusals, other tasks get
 * their turn first [F3]. */
static int refuse(lua_State *L, awl_worker *w, int rc, awl_after after) {
  awl_release_wait(w);
  w->refused = w->result = rc;
  if (awl_at_once(w))
    return after(L, w);
  aw_await_yield(w->task);
  return park(L, w, after, after_turn);
}

int awl_wait(lua_State *L, awl_worker *w, int rc, awl_after after) {
  return rc < 0 ? refuse(L, w, rc, after) : park(L, w, after, after_park);
}

/* Other tasks have had their turn: a wait that is complete at once does not
 * spend the budget of refuse(). */
int awl_yield(lua_State *L, awl_worker *w) {
  int rc = aw_begin_yield(w->task);
  if (rc == 0)
    return park(L, w, awl_after_wait, after_park);
  w->result = 0;
  w->at_once = 0;
  return awl_after_wait(L, w);
}

int awl_take_turn(lua_State *L, awl_worker *w, awl_after after) {
  int rc = aw_await_yield(w->task);
  if (rc < 0)
    return refuse(L, w, rc, after);
  w->refused = 0;
  return park(L, w, after, after_turn);
}

static void anchor_value(lua_State *L, awl_worker *w, int index, int which) {
  if (lua_type(L, index) != LUA_TUSERDATA)
    return;
  lua_pushvalue(L, index);
  awl_set(L, w->state, AWL_WAITS, 2 * (lua_Integer)w->number + which);
  w->anchored |= (uint8_t)which;
}

void awl_anchor_wait(lua_State *L, awl_worker *w) {
  if (w->state->installed)
    return;
  int top = lua_gettop(L);
  if (top > 0)
    anchor_value(L, w, 1, 1);
  if (top > 1)
    anchor_value(L, w, top, 2);
}

void awl_release_anchored(awl_worker *w) {
  for (int which = 1; which <= 2; which++)
    if (w->anchored & which)
      awl_unset(w->state, AWL_WAITS, 2 * (lua_Integer)w->number + which);
  w->anchored = 0;
}

int awl_after_wait(lua_State *L, awl_worker *w) {
  awl_check_result(L, w);
  return 0;
}

bool awl_at_once(awl_worker *w) {
  enum { BUDGET = 64 };
  return !aw_task_cancelled(w->task) && ++w->at_once < BUDGET;
}

const char *awl_push_ownership(lua_State *L, const awl_worker *w,
                               const char *verb) {
  if (!w->task)
    return lua_pushliteral(L, "this coroutine belongs to the engine");
  return lua_pushfstring(L,
                         "this coroutine belongs to task %I; only the engine "
                         "%s it",
                         (LUAI_UACINT)aw_task_id(w->task), verb);
}

const char *awl_push_refusal(lua_State *L, const awl_worker *w) {
  return awl_push_ownership(L, w, "resumes");
}

int awl_park_again(lua_State *L, awl_worker *w, lua_KFunction k) {
  if (w->waiting == L)
    lua_settop(L, w->top); /* drop the arguments of the wrong resume */
  lua_pushnil(L);
  awl_push_refusal(L, w);
  return lua_yieldk(L, 2, (lua_KContext)w, k);
}

void awl_check_result(lua_State *L, awl_worker *w) {
  if (w->result == 0)
    return;
  awl_state *s = w->state;
  if (w->refused)
    awl_error(L, "%s", aw_strerror(w->refused));
  if (w->result == AW_ECANCELED) {
    awl_push_cancelled(L, s, w->task);
    lua_error(L);
  }
  aw_error *error = aw_task_take_error(w->task);
  if (!error)
    error = aw_error_new(s->run.engine->core, w->result, 0);
  awl_raise(L, w, error);
}

void awl_check_object(lua_State *L, awl_worker *w, const char *what) {
  if (awl_is_refused(w) && w->result == AW_EINVAL)
    awl_foreign(L, what ? what : luaL_tolstring(L, 1, NULL));
  awl_check_result(L, w);
}

int awl_after_object(lua_State *L, awl_worker *w) {
  awl_check_object(L, w, NULL);
  return 0;
}

int awl_check_cancel(lua_State *L, awl_worker *w) {
  if (w->result == AW_ECANCELED)
    awl_check_result(L, w);
  return w->result;
}
