/* coroutine.c - coroutines of the user: aw.wrap, aw.install [C11]
 *
 * An await in a generator must park the task; it must not return to whoever
 * resumed the generator. So these versions of resume and wrap pass a park on:
 * when the coroutine yields because its worker parks, resume and wrap yield as
 * well. When the engine resumes them, they resume the coroutine again. `run.co`
 * is the innermost of these coroutines; an await in any other coroutine is
 * refused.
 *
 * The functions of coroutine.* that aw.install puts in place of Lua's also
 * refuse to resume or close coroutines of the engine.
 *
 * Neighbours: coroutine_owner.c knows which coroutines are the engine's;
 * await.c parks.
 */
#include "base/classes.h"
#include "open.h"
#include "run/await.h"
#include "run/coroutine_owner.h"
#include "signals/interrupt.h"

/* ---- resume ---- */

typedef enum outcome { FINISHED, YIELDED, RAISED } outcome;

static int resume_after_park(lua_State *L, int status, lua_KContext context);
static int wrap_after_park(lua_State *L, int status, lua_KContext context);

/* Resume `co` with the `count` values on top of its stack. True: `co` parks, so
 * the caller must yield. */
static bool resume_once(lua_State *L, awl_state *s, lua_State *co, int count,
                        int *results, outcome *out) {
  awl_worker *w = s->run.running;
  lua_State *outer = s->run.co;
  bool ours = w && L == outer && lua_isyieldable(L);
  if (ours) {
    /* reserve the key: park_through() must not raise */
    awl_own(L, s, co, NULL);
    w->parked = false;
    s->run.co = co;
  }
  /* also where the coroutine cannot await: in a handler, in table.sort */
  bool runs = awl_interrupt_enter(s, L, co);
  int status = lua_resume(co, L, count, results);
  if (ours) {
    /* if the inner coroutine was closed, nothing has cleared this flag */
    w->resumed = false;
    s->run.co = outer;
  }
  if (ours || runs)
    awl_interrupt_watch(s, L);
  if (ours) {
    if (status == LUA_YIELD && w->parked)
      return true;
  }
  *out = status == LUA_YIELD ? YIELDED : status == LUA_OK ? FINISHED : RAISED;
  if (*out == RAISED && s->loads)
    s->upcalls.end_loads(s, co, NULL);
  return false;
}

/* Return why `co` cannot be resumed, or NULL. May push a string. */
static const char *refusal(awl_state *s, lua_State *L, lua_State *co) {
  if (co == L)
    return "cannot resume non-suspended coroutine";
  lua_Debug ar;
  if (lua_status(co) == LUA_OK && lua_gettop(co) == 0 &&
      !lua_getstack(co, 0, &ar))
    return "cannot resume dead coroutine";
  if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD)
    return "cannot resume dead coroutine";
  awl_worker *owner = awl_owner(s, co);
  if (owner)
    return awl_push_refusal(L, owner);
  if (lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar))
    return "cannot resume non-suspended coroutine";
  return NULL;
}

static int park_through(lua_State *L, awl_state *s, lua_State *co, int results,
                        lua_KFunction k) {
  lua_pop(co, results);
  awl_own(L, s, co, s->run.running);
  return lua_yieldk(L, 0, (lua_KContext)s->run.running, k);
}

/* Move the results of `co` to L, after the boolean that coroutine.resume
 * returns first. */
static int give_results(lua_State *L, lua_State *co, int results, outcome out) {
  if (out == RAISED)
    results = 1;
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushboolean(L, false);
    lua_pushliteral(L, "too many results to resume");
    return 2;
  }
  lua_pushboolean(L, out != RAISED);
  lua_xmove(co, L, results);
  return results + 1;
}

static int resume_inner(lua_State *L, lua_State *co, int count,
                        lua_KFunction k) {
  awl_state *s = awl_of(L);
  int results = 0;
  outcome out = FINISHED;
  if (resume_once(L, s, co, count, &results, &out))
    return park_through(L, s, co, results, k);
  return give_results(L, co, results, out);
}

static int co_resume(lua_State *L) {
  awl_state *s = awl_of(L);
  lua_State *co = lua_tothread(L, 1);
  if (!co)
    return aw_lua_type_error(L, 1, "coroutine");
  const char *why = refusal(s, L, co);
  int count = lua_gettop(L) - 1;
  if (!why && !lua_checkstack(co, count + 1))
    why = "too many arguments to resume";
  if (why) {
    lua_pushboolean(L, false);
    lua_pushstring(L, why);
    return 2;
  }
  lua_xmove(L, co, count);
  return resume_inner(L, co, count, resume_after_park);
}

/* The engine has resumed the outer coroutine: resume the inner one, at index 1.
 * (wrap_after_park() does this for a wrapped function.) */
static int resume_after_park(lua_State *L, int status, lua_KContext context) {
  (void)status;
  awl_worker *w = (awl_worker *)context;
  lua_settop(L, 1);
  if (!w->resumed)
    return awl_park_again(L, w, resume_after_park);
  awl_own(L, w->state, lua_tothread(L, 1), NULL);
  return resume_inner(L, lua_tothread(L, 1), 0, resume_after_park);
}

/* ---- wrap ---- */

static lua_State *wrapped(lua_State *L) {
  return lua_tothread(L, lua_upvalueindex(2));
}

/* [ok, values…] on top: return the values, or raise as coroutine.wrap does. */
static int unwrap(lua_State *L, lua_State *co, int count) {
  if (lua_toboolean(L, -count))
    return count - 1;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    awl_state *s = awl_of(L);
    lua_xmove(L, co, 1);
    bool runs = awl_interrupt_enter(s, L, co);
    status = lua_resetthread(co); /* runs its `<close>` handlers */
    if (runs)
      awl_interrupt_watch(s, L);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int wrap_go_on(lua_State *L, int count) {
  awl_state *s = awl_of(L);
  lua_State *co = wrapped(L);
  int results = 0;
  outcome out = FINISHED;
  if (resume_once(L, s, co, count, &results, &out))
    return park_through(L, s, co, results, wrap_after_park);
  int given = give_results(L, co, results, out);
  return unwrap(L, co, given);
}

static int wrap_after_park(lua_State *L, int status, lua_KContext context) {
  (void)status;
  awl_worker *w = (awl_worker *)context;
  lua_settop(L, 0);
  if (!w->resumed)
    return awl_park_again(L, w, wrap_after_park);
  awl_own(L, w->state, wrapped(L), NULL);
  return wrap_go_on(L, 0);
}

static int wrap_call(lua_State *L) {
  lua_State *co = wrapped(L);
  const char *why = refusal(awl_of(L), L, co);
  if (why)
    return luaL_error(L, "%s", why);
  int count = lua_gettop(L);
  luaL_checkstack(co, count, "too many arguments to resume");
  lua_xmove(L, co, count);
  return wrap_go_on(L, count);
}

static int m_wrap(lua_State *L) {
  aw_lua_check_type(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushlightuserdata(L, awl_of(L));
  lua_insert(L, -2);
  lua_pushcclosure(L, wrap_call, 2);
  return 1;
}

/* ---- close ---- */

#if LUA_VERSION_NUM >= 505 /* closes the running one by default */
static lua_State *closed_by(lua_State *L) {
  return lua_isnone(L, 1) ? L : lua_tothread(L, 1);
}
#else
static lua_State *closed_by(lua_State *L) {
  return lua_tothread(L, 1);
}
#endif

/* Does `co` run, or has it resumed the one that runs? */
static bool is_active(lua_State *L, lua_State *co) {
  lua_Debug ar;
  return co == L || (lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar));
}

/* Close `co`, which is at index 1 and not active, by Lua's own version (upvalue
 * 2). Its `<close>` handlers run in `co`, where they can be interrupted. */
static int close_inner(lua_State *L, awl_state *s, lua_State *co) {
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, 1);
  bool runs = awl_interrupt_enter(s, L, co);
  int status = lua_pcall(L, 1, LUA_MULTRET, 0);
  if (runs)
    awl_interrupt_watch(s, L);
  return status == LUA_OK ? lua_gettop(L) - 1 : lua_error(L);
}

/* coroutine.close(co): calls Lua's own version (upvalue 2), unless the engine
 * owns `co`. To close a coroutine of the engine would take away the wait of its
 * task, and the task would fail. */
static int co_close(lua_State *L) {
  awl_state *s = awl_of(L);
  lua_State *co = closed_by(L);
  if (!co)
    return aw_lua_type_error(L, 1, "thread");
  const awl_worker *owner = awl_owner(s, co);
  if (owner) {
    lua_pushboolean(L, false);
    awl_push_ownership(L, owner, "closes");
    return 2;
  }
  if (!is_active(L, co)) {
    lua_settop(L, 1);
    return close_inner(L, s, co);
  }
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static void install_close(lua_State *L, awl_state *s) {
  lua_pushlightuserdata(L, s);
  lua_getfield(L, -2, "close");
  lua_pushcclosure(L, co_close, 2);
  lua_setfield(L, -2, "close");
}

/* ---- yield ---- */

/* The coroutine of a body belongs to the engine, so a plain yield in it is a
 * mistake. */
static int co_yield(lua_State *L) {
  awl_state *s = awl_of(L);
  if (s->run.running && L == s->run.running->co)
    return luaL_error(L, "coroutine.yield in a body, outside any coroutine of "
                         "its own: to wait, use aw.yield() or another await");
  if (s->loads && s->upcalls.loads_in(s, L)) { /* as in Lua */
    lua_pushliteral(L, "attempt to yield across a C-call boundary");
    return lua_error(L);
  }
  return lua_yield(L, lua_gettop(L));
}

/* Replace functions of coroutine.* by these versions, and `require` by one that
 * may await [R16]; a second call does nothing. */
void awl_install(lua_State *L, awl_state *s) {
  if (s->installed)
    return;
  static const luaL_Reg functions[] = {{"resume", co_resume},
                                       {"wrap", m_wrap},
                                       {"yield", co_yield},
                                       {NULL, NULL}};
  if (lua_getglobal(L, "coroutine") == LUA_TTABLE) {
    awl_register(L, s, functions);
    install_close(L, s);
    s->upcalls.install_require(L, s);
    s->installed = true;
  }
  lua_pop(L, 1);
}

static int m_install(lua_State *L) {
  awl_install(L, awl_of(L));
  return 0;
}

/* Register the functions in the module's table, on top. */
void awl_open_coroutine(lua_State *L, awl_state *s) {
  static const luaL_Reg functions[] = {
      {"wrap", m_wrap}, {"install", m_install}, {NULL, NULL}};
  awl_register(L, s, functions);
}
