/* lsync.c - events and semaphores for Lua: aw.event, aw.semaphore, and the
 * wires that wait for them, aw.Wait and aw.Acquire [H1, V6]
 *
 * Both are userdata with one object of the core. A semaphore's user value is
 * its permit, which acquire() returns: its `__close` gives one back. Permits
 * are all alike, so there is one such object for each semaphore.
 */
#include "bridge.h"

#include <string.h>

#include "wires.h"

typedef struct event {
  aw_event *core; /* NULL once finalized */
} event;

typedef struct semaphore {
  aw_semaphore *core; /* NULL once finalized */
} semaphore;

enum { PERMIT = 1 };       /* user value of a semaphore */
enum { SEMAPHORE_OF = 1 }; /* and of its permit */

/* ---- what channels use as well ---- */

const char *awl_object_name(lua_State *L, awl_state *s, int arg,
                            const char *kind, const char *const *known) {
  const char *name = NULL;
  if (!lua_isnoneornil(L, arg)) {
    awl_check_options(L, arg, kind, known);
    int type = lua_getfield(L, arg, "name");
    if (type != LUA_TNIL && type != LUA_TSTRING)
      awl_error(L, "bad option 'name' (a string expected)");
    name = lua_tostring(L, -1); /* it stays there */
  }
  if (!name)
    name = awl_where(L, s, 1);
  return *name == '?' ? NULL : name;
}

void awl_note_object(lua_State *L, awl_state *s, const void *object,
                     int index) {
  index = lua_absindex(L, index);
  awl_push_slot(L, s, AWL_OBJECTS);
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, object);
  lua_pop(L, 1);
}

int awl_foreign(lua_State *L, const char *what) {
  return awl_error(L,
                   "%s belongs to another engine: tasks of an EventLoop with a "
                   "clock or seed of its own share nothing with others",
                   what);
}

/* ---- awaiting: `w` has armed a wait with `rc` ---- */

static int park(lua_State *L, awl_worker *w, int rc, awl_after after) {
  if (rc < 0)
    return awl_error(L, "%s", aw_strerror(rc));
  return awl_park(L, w, after);
}

static aw_engine *engine_of(const awl_worker *w) {
  return w->state->run.engine->core;
}

static void check_live(lua_State *L, const void *core) {
  if (!core)
    awl_error(L, "this object is garbage, and finalized");
}

/* Append ", 2 waiting)" or ")" to the text on top. */
static int end_text(lua_State *L, size_t waiting) {
  if (waiting > 0)
    lua_pushfstring(L, "%s, %I waiting)", lua_tostring(L, -1),
                    (LUAI_UACINT)waiting);
  else
    lua_pushfstring(L, "%s)", lua_tostring(L, -1));
  return 1;
}

/* ---- events ---- */

static aw_event *check_event(lua_State *L, awl_state *s) {
  if (!awl_is(L, s, 1, AWL_EVENT))
    luaL_typeerror(L, 1, "event");
  event *e = lua_touserdata(L, 1);
  check_live(L, e->core);
  return e->core;
}

static const char *const only_name[] = {"name", NULL};

/* event([{name=}]) */
static int m_event(lua_State *L) {
  awl_state *s = awl_of(L);
  lua_settop(L, 1);
  const char *name = awl_object_name(L, s, 1, "event", only_name);
  event *e = lua_newuserdatauv(L, sizeof *e, 0);
  e->core = NULL;
  awl_push_class(L, s, AWL_EVENT);
  lua_setmetatable(L, -2);
  if (aw_event_new(name, &e->core) < 0)
    return awl_error(L, "not enough memory");
  return 1;
}

static int event_gc(lua_State *L) {
  event *e = lua_touserdata(L, 1);
  aw_event_release(e->core);
  e->core = NULL;
  return 0;
}

static int event_set(lua_State *L) {
  aw_event_set(check_event(L, awl_of(L)));
  return 0;
}

static int event_clear(lua_State *L) {
  aw_event_clear(check_event(L, awl_of(L)));
  return 0;
}

static int event_is_set(lua_State *L) {
  lua_pushboolean(L, aw_event_is_set(check_event(L, awl_of(L))));
  return 1;
}

/* e:wait() */
static int event_wait(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_event *core = check_event(L, s);
  lua_settop(L, 1);
  awl_worker *w = awl_awaiter(L, s, "event:wait");
  if (!aw_event_open_to(core, engine_of(w)))
    return awl_foreign(L, luaL_tolstring(L, 1, NULL));
  if (awl_at_once(w) && aw_event_is_set(core))
    return 0;
  return park(L, w, aw_await_event(w->task, core), awl_after_wait);
}

static void push_name_of(lua_State *L, const char *kind, const char *name) {
  lua_pushfstring(L, name ? "%s %s (" : "%s (", kind, name);
}

/* event ready (set) */
static int event_tostring(lua_State *L) {
  const aw_event *core = check_event(L, awl_of(L));
  push_name_of(L, "event", aw_event_name(core));
  lua_pushstring(L, aw_event_is_set(core) ? "set" : "not set");
  lua_concat(L, 2);
  return end_text(L, aw_event_waiting(core));
}

/* Wait(event) */
static int m_Wait(lua_State *L) {
  aw_lua_push_wire(L, aw_when_set(check_event(L, awl_of(L))), 1);
  return 1;
}

/* ---- semaphores ---- */

static aw_semaphore *check_semaphore(lua_State *L, awl_state *s) {
  if (!awl_is(L, s, 1, AWL_SEMAPHORE))
    luaL_typeerror(L, 1, "semaphore");
  semaphore *sem = lua_touserdata(L, 1);
  check_live(L, sem->core);
  return sem->core;
}

/* Option `max` of the table at `arg`. */
static uint64_t check_max(lua_State *L, int arg, uint64_t count) {
  if (lua_isnoneornil(L, arg))
    return UINT64_MAX;
  int is_integer = 0;
  int type = lua_getfield(L, arg, "max");
  lua_Integer most = lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1);
  if (type == LUA_TNIL)
    return UINT64_MAX;
  if (type != LUA_TNUMBER || !is_integer || most < 1)
    awl_error(L, "bad option 'max' (a positive integer expected)");
  if ((uint64_t)most < count)
    awl_error(L, "bad option 'max' (there are more permits than that)");
  return (uint64_t)most;
}

static void push_permit(lua_State *L, int owner) {
  lua_newuserdatauv(L, 0, 1);
  lua_pushvalue(L, owner);
  lua_setiuservalue(L, -2, SEMAPHORE_OF);
  awl_push_class(L, awl_open(L), AWL_PERMIT);
  lua_setmetatable(L, -2);
}

/* semaphore(n [, {max=, name=}]) */
static int m_semaphore(lua_State *L) {
  static const char *const known[] = {"max", "name", NULL};
  awl_state *s = awl_of(L);
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, count >= 0, 1, "permits must not be negative");
  lua_settop(L, 2);
  const char *name = awl_object_name(L, s, 2, "semaphore", known);
  uint64_t most = check_max(L, 2, (uint64_t)count);
  semaphore *sem = lua_newuserdatauv(L, sizeof *sem, 1);
  sem->core = NULL;
  awl_push_class(L, s, AWL_SEMAPHORE);
  lua_setmetatable(L, -2);
  push_permit(L, lua_gettop(L));
  lua_setiuservalue(L, -2, PERMIT);
  if (aw_semaphore_new((uint64_t)count, most, name, &sem->core) < 0)
    return awl_error(L, "not enough memory");
  return 1;
}

static int semaphore_gc(lua_State *L) {
  semaphore *sem = lua_touserdata(L, 1);
  aw_semaphore_release(sem->core);
  sem->core = NULL;
  return 0;
}

/* [semaphore, permit] */
static int after_acquire(lua_State *L, awl_worker *w) {
  awl_check_result(L, w);
  return 1;
}

/* sem:acquire() → permit, for `<close>` */
static int semaphore_acquire(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_semaphore *core = check_semaphore(L, s);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, PERMIT);
  awl_worker *w = awl_awaiter(L, s, "semaphore:acquire");
  if (!aw_semaphore_open_to(core, engine_of(w)))
    return awl_foreign(L, luaL_tolstring(L, 1, NULL));
  if (awl_at_once(w) && aw_semaphore_try_acquire(core) == 0)
    return 1;
  return park(L, w, aw_await_acquire(w->task, core), after_acquire);
}

/* sem:try_acquire() → permit, or nil */
static int semaphore_try_acquire(lua_State *L) {
  aw_semaphore *core = check_semaphore(L, awl_of(L));
  if (aw_semaphore_try_acquire(core) == 0)
    lua_getiuservalue(L, 1, PERMIT);
  else
    lua_pushnil(L);
  return 1;
}

static int give_back(lua_State *L) {
  if (aw_semaphore_give_back(check_semaphore(L, awl_of(L))) < 0) {
    luaL_tolstring(L, 1, NULL);
    return awl_error(L, "%s: released more often than acquired",
                     lua_tostring(L, -1));
  }
  return 0;
}

/* sem:release() */
static int semaphore_release(lua_State *L) {
  return give_back(L);
}

static int permit_close(lua_State *L) {
  if (!awl_is(L, awl_of(L), 1, AWL_PERMIT))
    return luaL_typeerror(L, 1, "permit");
  lua_getiuservalue(L, 1, SEMAPHORE_OF);
  lua_replace(L, 1);
  return give_back(L);
}

/* semaphore db (1 free, 2 waiting) */
static int semaphore_tostring(lua_State *L) {
  const aw_semaphore *core = check_semaphore(L, awl_of(L));
  push_name_of(L, "semaphore", aw_semaphore_name(core));
  lua_pushfstring(L, "%I free", (LUAI_UACINT)aw_semaphore_count(core));
  lua_concat(L, 2);
  return end_text(L, aw_semaphore_waiting(core));
}

static int permit_tostring(lua_State *L) {
  if (!awl_is(L, awl_of(L), 1, AWL_PERMIT))
    return luaL_typeerror(L, 1, "permit");
  lua_getiuservalue(L, 1, SEMAPHORE_OF);
  lua_pushfstring(L, "permit of %s", luaL_tolstring(L, -1, NULL));
  return 1;
}

/* Acquire(semaphore): ends with the permit, as acquire() */
static int m_Acquire(lua_State *L) {
  enum { TAKE = 2, GIVE };
  awl_state *s = awl_of(L);
  aw_semaphore *core = check_semaphore(L, s);
  lua_settop(L, 1);
  aw_lua_push_wire(L, aw_acquire(core), 1);
  lua_getiuservalue(L, 1, PERMIT);
  awl_push_value_part(L, s);
  awl_push_compound(L, s, TAKE, 2);
  aw_wire *take = aw_wire_keep(awl_wire_of(L, TAKE));
  return awl_fill_wire(L, aw_bind(take, aw_wire_keep(awl_wire_of(L, GIVE))));
}

/* ---- opening ---- */

static const luaL_Reg event_methods[] = {{"set", event_set},
                                         {"clear", event_clear},
                                         {"wait", event_wait},
                                         {"is_set", event_is_set},
                                         {NULL, NULL}};
static const luaL_Reg event_meta[] = {
    {"__gc", event_gc}, {"__tostring", event_tostring}, {NULL, NULL}};

static const luaL_Reg semaphore_methods[] = {
    {"acquire", semaphore_acquire},
    {"try_acquire", semaphore_try_acquire},
    {"release", semaphore_release},
    {NULL, NULL}};
static const luaL_Reg semaphore_meta[] = {
    {"__gc", semaphore_gc}, {"__tostring", semaphore_tostring}, {NULL, NULL}};

static const luaL_Reg permit_meta[] = {
    {"__close", permit_close}, {"__tostring", permit_tostring}, {NULL, NULL}};

/* Into the module's table on top. */
void awl_open_sync(lua_State *L, awl_state *s) {
  static const luaL_Reg functions[] = {{"event", m_event},
                                       {"Wait", m_Wait},
                                       {"semaphore", m_semaphore},
                                       {"Acquire", m_Acquire},
                                       {NULL, NULL}};
  awl_new_class(L, s, AWL_EVENT, "aiowire.Event", event_methods, event_meta);
  awl_new_class(L, s, AWL_SEMAPHORE, "aiowire.Semaphore", semaphore_methods,
                semaphore_meta);
  awl_new_class(L, s, AWL_PERMIT, "aiowire.Permit", NULL, permit_meta);
  lua_pop(L, 3);
  awl_register(L, s, functions);
}
