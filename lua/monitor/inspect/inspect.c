/* inspect.c - aw.inspect(), and what a Lua state answers [D40, D41]
 *
 *     aw.inspect(), AIOWIRE_INSPECT=1 ──► join: an awm_look for the state
 *         runs: an engine begins or ends a run ──► the registry knows it
 *         look: WOKEN, or the hook in a busy body ─► take ─► text ─► answer
 *     aw.inspect(false), the end of the state ──► leave
 *
 * A state joins by its own wish, and then it holds the server. A state that is
 * opened while the server runs, such as that of a worker, joins too, without
 * holding it.
 *
 * Requests wake the engine of the run that is under way, as signals do, so that
 * the driver answers between two steps. A body that is busy is asked by a
 * signal to its thread, with the hook of interrupt.c. The signal is
 * taken when the first run begins: from then on it is known which thread drives
 * the state.
 *
 * A forked process is not inspected. What its parent has joined is left alone,
 * and aw.inspect() joins anew.
 *
 * Neighbours: text.c makes the texts, registry.c hands them
 * over, server.c has the thread.
 */
#include "inspect/inspect.h"

#include "base/classes.h"
#include "errors/mistake.h"
#include "inspect/registry.h"
#include "inspect/server.h"
#include "inspect/text.h"
#include "listen/states.h"
#include "signals/interrupt.h"

typedef struct awm_look {
  awm_inspected *inspected;
  aw_lua_interrupts *interrupts; /* NULL until the first run */
  awm_accounts *accounts;        /* NULL: a host program has the engine's
                                    instrument, or there was no memory */
  bool holds;                    /* the server, at `path` */
  bool named;                    /* the state has its name */
  bool answering;
  bool leaves; /* as soon as the answer is made */
  char path[sizeof((awm_place *)0)->path];
} awm_look;

/* ---- names ---- */

/* () → the script's name: arg[0], read without metamethods */
static int script_name(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pushliteral(L, "arg");
  if (lua_rawget(L, -2) != LUA_TTABLE || lua_rawgeti(L, -1, 0) != LUA_TSTRING)
    lua_pushliteral(L, "");
  return 1;
}

/* The name of a state is that of its script, unless it is a worker. In the
 * program aiowire, `arg` is there only when the script begins. Afterwards
 * s->look may be another one, or NULL: a finalizer may run meanwhile. */
static void find_script_name(lua_State *L, awl_state *s) {
  const awm_look *before = s->look;
  if (before->named || !lua_checkstack(L, 2))
    return;
  lua_pushcfunction(L, script_name);
  if (lua_pcall(L, 0, 1, 0) == LUA_OK && *lua_tostring(L, -1) && s->look) {
    awm_registry_rename(s->look->inspected, lua_tostring(L, -1));
    s->look->named = true;
  }
  lua_pop(L, 1);
}

/* name_inspected(name): a worker has this name */
static int inner_name_inspected(lua_State *L) {
  awl_state *s = awl_of(L);
  if (s->look) {
    awm_registry_rename(s->look->inspected, luaL_checkstring(L, 1));
    s->look->named = true;
  }
  return 0;
}

/* ---- upcalls ---- */

/* The engine of the run under way, or of the host program. */
static aw_engine *engine_now(const awl_state *s) {
  return s->run.engine            ? s->run.engine->core
         : s->hosted && s->engine ? s->engine->core
                                  : NULL;
}

static void runs(lua_State *L, awl_state *s) {
  aw_engine *engine = engine_now(s);
  if (engine && aw_engine_wakeable(engine) < 0)
    engine = NULL;
  if (engine)
    find_script_name(L, s);
  awm_look *look = s->look;
  if (!look)
    return;
  if (engine && !look->interrupts &&
      awl_interrupts_open(L, false, &look->interrupts) == 0)
    awm_registry_set_interrupts(look->inspected, look->interrupts);
  if (s->engine)
    atomic_store(&look->inspected->own_engine, s->engine->serial);
  awm_registry_set_engine(look->inspected, engine);
}

static void leave_registry(awl_state *s);

/* A finalizer may drive an engine in the middle of an answer: the questions
 * wait. It may also end the inspection: that waits, too. */
static void answer_questions(lua_State *L, awl_state *s, bool hook) {
  awm_look *look = s->look;
  awm_question *q;
  if (look->answering)
    return;
  look->answering = true;
  while (!look->leaves && (q = awm_registry_take(look->inspected)) != NULL) {
    q->by_hook = hook;
    awm_text *text = awm_answer_make(L, q, look->accounts, &q->failed);
    awm_registry_answer(look->inspected, q, text);
  }
  look->answering = false;
  if (look->leaves)
    leave_registry(s);
}

/* ---- joining and leaving ---- */

static void leave_registry(awl_state *s) {
  awm_look *look = s->look;
  s->look = NULL;
  s->upcalls.look = NULL;
  s->upcalls.runs = NULL;
  bool holds = look->holds && awm_registry_has(look->inspected);
  awm_registry_set_interrupts(look->inspected, NULL);
  awm_registry_leave(look->inspected);
  awm_accounts_close(look->accounts);
  awm_states_leave(s);
  aw_lua_interrupts_close(look->interrupts);
  if (holds)
    awm_server_let_go();
  aw_free(look);
}

static bool enter(awl_state *s, awm_fault *fault) {
  awm_look *look = aw_allocate(sizeof *look);
  if (look)
    look->inspected = awm_registry_enter("lua");
  if (!look || !look->inspected) {
    aw_free(look);
    *fault = (awm_fault){.code = AW_ENOMEM};
    return false;
  }
  if (awm_accounts_open(s, &look->accounts) == 0)
    awm_registry_set_pulse(look->inspected, awm_accounts_pulse(look->accounts));
  awm_states_use(s);
  s->look = look;
  s->upcalls.look = answer_questions;
  s->upcalls.runs = runs;
  return true;
}

/* Join, if that has not happened. Returns false with `fault` filled. */
static bool join(lua_State *L, awl_state *s, bool holds, awm_fault *fault) {
  if (s->look && !awm_registry_has(s->look->inspected))
    leave_registry(s); /* this is a forked process */
  bool is_new = !s->look;
  if (is_new && !enter(s, fault))
    return false;
  awm_look *look = s->look;
  look->leaves = false;
  if (holds && !look->holds) {
    look->holds = awm_server_hold(look->path, sizeof look->path, fault);
    if (!look->holds) {
      if (is_new)
        leave_registry(s);
      return false;
    }
  }
  if (is_new)
    find_script_name(L, s);
  if (is_new && s->look)
    runs(L, s);
  return true;
}

/* ---- Lua ---- */

/* inspect([on]) → the path of the socket */
static int module_inspect(lua_State *L) {
  awl_state *s = awl_of(L);
  awm_fault fault;
  if (!lua_isnoneornil(L, 1))
    aw_lua_check_type(L, 1, LUA_TBOOLEAN);
  if (lua_isboolean(L, 1) && !lua_toboolean(L, 1)) {
    if (s->look && s->look->answering)
      s->look->leaves = true;
    else if (s->look)
      leave_registry(s);
    return 0;
  }
  if (!join(L, s, true, &fault)) {
    if (fault.code == AW_ENOMEM)
      return luaL_error(L, "not enough memory");
    return aw_lua_system_error(L, fault.code, "inspect", fault.about);
  }
  lua_pushstring(L, s->look ? s->look->path : NULL);
  return 1;
}

void awm_open_inspect(lua_State *L, awl_state *s) {
  static const luaL_Reg inner[] = {{"name_inspected", inner_name_inspected},
                                   {NULL, NULL}};
  awm_fault fault;
  lua_pushvalue(L, -2);
  awl_register_inner(L, s, inner);
  lua_pop(L, 1);
  bool holds = awl_is_switched_on(L, "AIOWIRE_INSPECT");
  if ((!holds && !awm_server_runs()) || join(L, s, holds, &fault))
    return;
  aw_lua_push_system_error(L, fault.code, "AIOWIRE_INSPECT", fault.about);
  lua_pushfstring(L, "nobody can look into this program: %s",
                  luaL_tolstring(L, -1, NULL));
  awl_mistake(L, "?", "inspect");
  lua_pop(L, 2);
}

void awm_open_inspect_function(lua_State *L) {
  lua_pushlightuserdata(L, awl_open(L));
  aw_lua_push_function(L, module_inspect, 1, "inspect");
  lua_setfield(L, -2, "inspect");
}

void awm_end_inspect(awl_state *s) {
  if (s->look)
    leave_registry(s);
}
