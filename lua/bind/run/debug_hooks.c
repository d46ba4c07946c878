/* debug_hooks.c - debug hooks of the user, for coverage, profilers, debuggers
 * [D5]
 *
 * Lua has one hook for each coroutine. A hook that was set outside of bodies is
 * for all bodies. `run.outside` is the thread that has this outside hook. Most
 * often that is the thread that drives. While the main chunk runs, it is the
 * coroutine of the main chunk, which counts as outside although the engine sees
 * a body. A worker gets the outside hook when it is resumed, and between two
 * bodies that it runs in one resume.
 *
 * AWL_HOOKS has records (userdata) of the hooks that were given: at key n + 1
 * the record of worker n, at key 0 the record of `run.outside`. If the hook of
 * a coroutine differs from its record, the body has set that hook. Such a hook
 * ends with the body: then the worker gets the outside hook again.
 *
 * All hooks that debug.sethook sets share one C function; the library keeps a
 * Lua function for each coroutine. So debug.gethook and debug.sethook read and
 * set these, and lua_sethook() sets the hooks of C programs.
 *
 * While the binding reads or sets hooks, the hook of its thread is muted: its
 * count is so high that it is never reached. The thread that drives is also
 * muted while it runs other functions of the binding, since a hook that raises
 * must fail a task, not the driver. Out of memory, a body runs without a hook.
 * Without hooks, a resume and a step only look once at the thread.
 */
#include "run/debug_hooks.h"

#include "base/location.h"
#include "open.h"

#include <limits.h>

/* ---- reading and setting ---- */

static awl_hook hook_of(lua_State *co) {
  return (awl_hook){lua_gethook(co), lua_gethookmask(co), lua_gethookcount(co)};
}

static bool is_muted(lua_State *L) {
  return lua_gethookmask(L) == LUA_MASKCOUNT && lua_gethookcount(L) == INT_MAX;
}

/* Muting leaves the C function in place, so that debug.gethook still recognizes
 * the hook of its library. */
void awl_hooks_mute(lua_State *L, awl_hook *hook) {
  *hook = hook_of(L);
  lua_sethook(L, hook->call, LUA_MASKCOUNT, INT_MAX);
}

void awl_hooks_unmute(lua_State *L, const awl_hook *hook) {
  if (hook->call && lua_gethook(L) == hook->call && is_muted(L))
    lua_sethook(L, hook->call, hook->mask, hook->count);
}

int awl_hooks_pcall(lua_State *L, int nargs, int nresults) {
  awl_hook hook;
  awl_hooks_begin_mute(L, &hook);
  int status = lua_pcall(L, nargs, nresults, 0);
  awl_hooks_unmute(L, &hook);
  return status;
}

/* Push debug.gethook or debug.sethook, as the function was when the module was
 * opened; push nil if the library `debug` was missing. */
static bool push_function(lua_State *L, awl_state *s, const char *name) {
  awl_push_slot(L, s, AWL_HOOKS);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
  return !lua_isnil(L, -1);
}

static void push_thread(lua_State *L, lua_State *co) {
  lua_pushthread(co);
  lua_xmove(co, L, 1);
}

/* Push the Lua function that the hook of `co` calls, or nil. */
static void push_called(lua_State *L, awl_state *s, lua_State *co) {
  if (!lua_gethook(co)) {
    lua_pushnil(L);
    return;
  }
  if (!push_function(L, s, "gethook"))
    return;
  push_thread(L, co);
  lua_call(L, 1, 1);
  if (!lua_isfunction(L, -1)) { /* "external hook" */
    lua_pop(L, 1);
    lua_pushnil(L);
  }
}

/* Tell the library `debug` that the hook of `co` calls the function at `called`
 * (nil: none). The hook is muted for now. */
static void note_called(lua_State *L, awl_state *s, lua_State *co, int called) {
  if (!push_function(L, s, "sethook")) {
    lua_pop(L, 1);
    return;
  }
  push_thread(L, co);
  lua_pushvalue(L, called);
  lua_pushliteral(L, "");
  lua_pushinteger(L, INT_MAX);
  lua_call(L, 4, 0);
}

/* ---- records ---- */

/* Does the record at `record` describe `hook`, which calls the function at
 * `called`? A nil record means "no hook". */
static bool is_same_hook(lua_State *L, int record, const awl_hook *hook,
                         int called) {
  const awl_hook *other = lua_touserdata(L, record);
  if (!other || !hook->call)
    return !other && !hook->call;
  if (other->call != hook->call || other->mask != hook->mask ||
      other->count != hook->count)
    return false;
  lua_getiuservalue(L, record, 1);
  bool same = lua_rawequal(L, -1, called);
  lua_pop(L, 1);
  return same;
}

/* Replace the value at `index` by a record of `hook`. */
static void make_record(lua_State *L, const awl_hook *hook, int called,
                        int index) {
  if (hook->call) {
    *(awl_hook *)lua_newuserdatauv(L, sizeof *hook, 1) = *hook;
    lua_pushvalue(L, called);
    lua_setiuservalue(L, -2, 1);
  } else {
    lua_pushnil(L);
  }
  lua_replace(L, index);
}

/* ---- lines of our own ----
 *
 * A hook for lines must not see lines of the library's parts that are written
 * in Lua: a hook that only looks at line numbers would take them for lines of
 * the user's own file. So screen_hook() stands in for the user's hook when a
 * part is called, and when a body begins or goes on (the body may be a part).
 * It hides the lines until the part returns or a line of the user comes. Only
 * hooks of the library `debug` are screened; they share one C function
 * (`screened`). */

static bool is_library_line(lua_State *L, lua_Debug *ar) {
  return lua_getinfo(L, "S", ar) && awl_is_ours(ar);
}

static void screen_hook(lua_State *L, lua_Debug *ar) {
  const awl_state *s = awl_open(L);
  if (ar->event == LUA_HOOKLINE && is_library_line(L, ar))
    return;
  if (ar->event == LUA_HOOKLINE)
    awl_hooks_unscreen(L, s);
  s->screened(L, ar);
}

void awl_hooks_screen(lua_State *L, const awl_state *s) {
  awl_hook hook = hook_of(L);
  if ((hook.mask & LUA_MASKLINE) && hook.call == s->screened)
    lua_sethook(L, screen_hook, hook.mask, hook.count);
}

void awl_hooks_unscreen(lua_State *L, const awl_state *s) {
  if (lua_gethook(L) == screen_hook)
    lua_sethook(L, s->screened, lua_gethookmask(L), lua_gethookcount(L));
}

/* ---- giving ---- */

/* Copy the hook of `from` to `to`. `theirs` and `own` are the hooks of both
 * before muting. */
typedef struct job {
  awl_state *s;
  awl_worker *worker; /* the worker whose coroutine is `to`; or NULL */
  lua_State *from, *to;
  bool keep; /* a hook that the body of `worker` has set stays */
  awl_hook theirs, own;
  bool changes; /* the hook of `to` must become `next` */
  awl_hook next;
} job;

enum { THEIRS = 1, OWN, CURRENT, GIVEN }; /* places on the stack */

/* Push the record of the hook of `from`; make one if that hook has changed. */
static void find_current(lua_State *L, const job *j) {
  awl_get(L, j->s, AWL_HOOKS, 0);
  if (is_same_hook(L, CURRENT, &j->theirs, THEIRS))
    return;
  make_record(L, &j->theirs, THEIRS, CURRENT);
  lua_pushvalue(L, CURRENT);
  awl_set(L, j->s, AWL_HOOKS, 0);
}

/* Note that the worker has got the current hook. */
static void note_given(lua_State *L, const job *j) {
  j->worker->hooked = !lua_isnil(L, CURRENT);
  lua_pushvalue(L, CURRENT);
  awl_set(L, j->s, AWL_HOOKS, (lua_Integer)j->worker->number + 1);
}

/* (light job): compare the hooks, set `changes` and `next`. */
static int do_job(lua_State *L) {
  job *j = lua_touserdata(L, 1);
  lua_settop(L, 0);
  push_called(L, j->s, j->from);
  push_called(L, j->s, j->to);
  find_current(L, j);
  if (j->worker) {
    awl_get(L, j->s, AWL_HOOKS, (lua_Integer)j->worker->number + 1);
    if (j->keep && !is_same_hook(L, GIVEN, &j->own, OWN))
      return 0;
    note_given(L, j);
  }
  j->changes = !is_same_hook(L, CURRENT, &j->own, OWN);
  if (j->changes && !lua_rawequal(L, THEIRS, OWN))
    note_called(L, j->s, j->to, THEIRS);
  j->next = j->theirs;
  return 0;
}

static void protect_job(lua_State *L, job *j) {
  lua_pushcfunction(L, do_job);
  lua_pushlightuserdata(L, j);
  if (awl_hooks_pcall(L, 1, 0) != LUA_OK) { /* out of memory */
    lua_pop(L, 1);
    j->changes = j->worker && !j->keep;
    j->next.call = NULL;
  }
}

/* Run the job in L, which may be `from` or `to`. Screens are removed first:
 * debug.gethook does not know the hook behind screen_hook(). */
static void run_job(lua_State *L, job *j) {
  enum { ROOM = 3 };
  if (!lua_checkstack(L, ROOM))
    return;
  bool screened = lua_gethook(j->from) == screen_hook;
  awl_hooks_unscreen(j->from, j->s);
  awl_hooks_unscreen(j->to, j->s);
  j->theirs = hook_of(j->from);
  j->own = hook_of(j->to);
  protect_job(L, j);
  if (screened)
    awl_hooks_screen(j->from, j->s);
  if (j->changes)
    lua_sethook(j->to, j->next.call, j->next.mask, j->next.count);
  if (j->worker && lua_gethook(j->to))
    awl_hooks_screen(j->to, j->s);
}

void awl_hooks_give(lua_State *L, awl_worker *w) {
  awl_state *s = w->state;
  if (w->co == s->run.outside)
    return;
  bool inside = w->leaf != NULL; /* a body is under way */
  job j = {
      .s = s, .worker = w, .from = s->run.outside, .to = w->co, .keep = inside};
  run_job(L, &j);
}

/* The main chunk has ended: its hook moves to the driver, and stays the hook of
 * all bodies. */
static void leave_main_chunk(lua_State *L, awl_state *s) {
  job j = {.s = s, .from = s->run.outside, .to = s->run.driver};
  run_job(L, &j);
  s->run.outside = s->run.driver;
}

void awl_hooks_clean(lua_State *L, awl_worker *w) {
  awl_state *s = w->state;
  if (w->co == s->run.outside)
    leave_main_chunk(L, s);
  job j = {.s = s, .worker = w, .from = s->run.outside, .to = w->co};
  run_job(L, &j);
}

void awl_hooks_enter_handler(lua_State *L, awl_state *s) {
  job j = {.s = s, .from = s->run.outside, .to = L};
  if (L != s->run.outside && (lua_gethook(j.from) || lua_gethook(L)))
    run_job(L, &j);
}

void awl_hooks_leave_handler(lua_State *L, awl_state *s) {
  job j = {.s = s, .from = L, .to = s->run.outside};
  if (L != s->run.outside && (lua_gethook(j.to) || lua_gethook(L)))
    run_job(L, &j);
}

/* ---- life ---- */

void awl_hooks_main_chunk(awl_state *s) {
  awl_worker *w = s->run.running;
  s->run.outside = w->co;
  /* so that awl_hooks_step_over() sees the end of the chunk */
  w->hooked = true;
}

void awl_hooks_forget(awl_worker *w) {
  awl_state *s = w->state;
  for (awl_run *run = &s->run; run; run = run->outer)
    if (run->outside == w->co)
      run->outside = run->driver;
  if (w->hooked)
    awl_unset(s, AWL_HOOKS, (lua_Integer)w->number + 1);
}

/* Find the C function that debug.sethook sets as the hook. AWL_HOOKS is on
 * top. */
static lua_Hook hook_of_library(lua_State *L) {
  lua_getfield(L, -1, "sethook");
  lua_State *co = lua_newthread(L);
  lua_insert(L, -2);
  lua_pushvalue(L, -2); /* [co, sethook, co] */
  lua_getfield(L, -4, "gethook");
  lua_pushliteral(L, "c");
  lua_call(L, 3, 0);
  lua_Hook hook = lua_gethook(co);
  lua_pop(L, 1);
  return hook;
}

void awl_open_debug_hooks(lua_State *L, awl_state *s) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "debug") == LUA_TTABLE) {
    awl_push_slot(L, s, AWL_HOOKS);
    lua_getfield(L, -2, "gethook");
    lua_setfield(L, -2, "gethook");
    lua_getfield(L, -2, "sethook");
    lua_setfield(L, -2, "sethook");
    s->screened = hook_of_library(L);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}
