/* sync.c - events and semaphores: aw.event, aw.semaphore, and the wires that
 * wait for them, aw.Wait and aw.Acquire [H1, V6]
 *
 * Each is a userdata with one object of the core. A permit is a userdata whose
 * `__close` gives one permit back to its semaphore. All permits of a semaphore
 * are alike: acquire() returns the user value of the semaphore.
 *
 * Acquire() is one event, so its commit decides a race, also in Any{}. The
 * permit is made before the wait begins, as a value that needs no Lua
 * (`grant`).
 */
#include "base/classes.h"
#include "base/location.h"
#include "base/resources.h"
#include "base/values.h"
#include "objects/rate.h"
#include "open.h"
#include "run/await.h"

/* The userdata of events, semaphores and permits. */
typedef struct object {
  void *core;        /* aw_event, or aw_semaphore (kept); NULL once finalized */
  uint32_t resource; /* number of its entry, see resources.h */
} object;

enum { PERMIT = 1 }; /* user value of a semaphore: its permit */

/* ---- what all do ---- */

/* Return the core's object of the object at 1, which must be of `class`. */
static void *check_sync(lua_State *L, awl_class class, const char *name) {
  if (!awl_is(L, awl_of(L), 1, class))
    aw_lua_type_error(L, 1, name);
  const object *o = lua_touserdata(L, 1);
  if (!o->core)
    awl_error(L, "this object is garbage, and finalized");
  return o->core;
}

static aw_event *check_event(lua_State *L) {
  return check_sync(L, AWL_EVENT, "event");
}

static aw_semaphore *check_semaphore(lua_State *L) {
  return check_sync(L, AWL_SEMAPHORE, "semaphore");
}

static awl_resource_kind holding_of(awl_class class) {
  return class == AWL_EVENT ? AWL_RESOURCE_EVENT : AWL_RESOURCE_SEMAPHORE;
}

/* Push an object that has no object of the core yet. */
static void push_empty_sync(lua_State *L, awl_state *s, awl_class class,
                            int user_values) {
  object *o = lua_newuserdatauv(L, sizeof *o, user_values);
  o->core = NULL;
  o->resource = awl_enter_object(L, s, holding_of(class));
  awl_push_class(L, s, class);
  lua_setmetatable(L, -2);
}

/* Give the object on top, of `class`, its object of the core (takes). */
static void fill_sync(lua_State *L, awl_state *s, awl_class class, void *core) {
  object *o = lua_touserdata(L, -1);
  o->core = core;
  awl_set_resource(s, holding_of(class), o->resource, core);
}

/* The object at 1 is being finalized: take its object of the core away from
 * it. */
static void *take_sync(lua_State *L, awl_class class) {
  awl_state *s = lua_touserdata(L, lua_upvalueindex(1));
  object *o = lua_touserdata(L, 1);
  void *core = o->core;
  awl_strike_object(s, holding_of(class), o->resource);
  o->core = NULL;
  return core;
}

static aw_engine *worker_engine(const awl_worker *w) {
  return w->state->run.engine->core;
}

/* ---- events ---- */

/* event([{name=}]) */
static int m_event(lua_State *L) {
  static const char *const known[] = {"name", NULL};
  lua_settop(L, 1);
  awl_state *s = awl_of(L);
  const char *name = awl_object_name(L, s, 1, known);
  push_empty_sync(L, s, AWL_EVENT, 0);
  aw_event *event;
  if (aw_event_new(name, &event) < 0)
    return awl_error(L, "not enough memory");
  fill_sync(L, s, AWL_EVENT, event);
  return 1;
}

static int event_gc(lua_State *L) {
  aw_event_release(take_sync(L, AWL_EVENT));
  return 0;
}

static int event_set(lua_State *L) {
  aw_event_set(check_event(L));
  return 0;
}

static int event_clear(lua_State *L) {
  aw_event_clear(check_event(L));
  return 0;
}

static int event_is_set(lua_State *L) {
  lua_pushboolean(L, aw_event_is_set(check_event(L)));
  return 1;
}

/* e:wait() */
static int event_wait(lua_State *L) {
  aw_event *event = check_event(L);
  lua_settop(L, 1);
  awl_worker *w = awl_awaiter(L, awl_of(L), "event:wait");
  bool open = aw_event_open_to(event, worker_engine(w));
  if (open && awl_at_once(w) && aw_event_is_set(event))
    return 0;
  awl_anchor_wait(L, w);
  return awl_wait(L, w, aw_await_event(w->task, event), awl_after_object);
}

/* __tostring: "event ready (set)" */
static int event_tostring(lua_State *L) {
  const aw_event *event = check_event(L);
  lua_pushstring(L, aw_event_is_set(event) ? "set" : "not set");
  return awl_show_object(L, "event", aw_event_name(event),
                         aw_event_waiting(event));
}

/* Wait(event) */
static int m_Wait(lua_State *L) {
  aw_lua_push_wire(L, aw_when_set(check_event(L)), 1);
  return 1;
}

/* ---- semaphores ---- */

/* Read the option `max` of the table at `arg`. */
static uint64_t check_max(lua_State *L, int arg, uint64_t count) {
  if (lua_isnoneornil(L, arg))
    return UINT64_MAX;
  int is_integer = 0;
  int type = lua_getfield(L, arg, "max");
  lua_Integer most = lua_tointegerx(L, -1, &is_integer);
  if (type != LUA_TNIL && type != LUA_TNUMBER)
    aw_lua_bad_option(L, "max", "positive integer");
  lua_pop(L, 1);
  if (type == LUA_TNIL)
    return UINT64_MAX;
  if (!is_integer || most < 1)
    awl_error(L, "bad option 'max' (a positive integer expected)");
  if ((uint64_t)most < count)
    awl_error(L, "bad option 'max' (there are more permits than that)");
  return (uint64_t)most;
}

static void push_permit(lua_State *L, aw_semaphore *semaphore) {
  awl_state *s = awl_open(L);
  push_empty_sync(L, s, AWL_PERMIT, 0);
  fill_sync(L, s, AWL_PERMIT, aw_semaphore_keep(semaphore));
}

static void push_semaphore_text(lua_State *L, const aw_semaphore *semaphore) {
  lua_pushfstring(L, "%I free", (LUAI_UACINT)aw_semaphore_count(semaphore));
  awl_show_object(L, "semaphore", aw_semaphore_name(semaphore),
                  aw_semaphore_waiting(semaphore));
}

/* semaphore(n [, {max=, name=}]) */
static int m_semaphore(lua_State *L) {
  static const char *const known[] = {"max", "name", NULL};
  lua_Integer count = aw_lua_check_integer(L, 1);
  aw_lua_arg_check(L, count >= 0, 1, "permits must not be negative");
  lua_settop(L, 2);
  awl_state *s = awl_of(L);
  const char *name = awl_object_name(L, s, 2, known);
  uint64_t most = check_max(L, 2, (uint64_t)count);
  push_empty_sync(L, s, AWL_SEMAPHORE, 1);
  aw_semaphore *semaphore;
  if (aw_semaphore_new((uint64_t)count, most, name, &semaphore) < 0)
    return awl_error(L, "not enough memory");
  fill_sync(L, s, AWL_SEMAPHORE, semaphore);
  push_permit(L, semaphore);
  lua_setiuservalue(L, -2, PERMIT);
  return 1;
}

/* __gc of semaphores and permits. */
static int semaphore_gc(lua_State *L) {
  aw_semaphore_release(take_sync(L, AWL_SEMAPHORE));
  return 0;
}

/* The stack is [semaphore, permit]. */
static int after_acquire(lua_State *L, awl_worker *w) {
  awl_check_object(L, w, NULL);
  return 1;
}

/* sem:acquire() → permit, for `<close>` */
static int semaphore_acquire(lua_State *L) {
  aw_semaphore *semaphore = check_semaphore(L);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, PERMIT);
  awl_worker *w = awl_awaiter(L, awl_of(L), "semaphore:acquire");
  bool open = aw_semaphore_open_to(semaphore, worker_engine(w));
  if (open && awl_at_once(w) && aw_semaphore_try_acquire(semaphore) == 0)
    return 1;
  awl_anchor_wait(L, w);
  return awl_wait(L, w, aw_await_acquire(w->task, semaphore), after_acquire);
}

/* sem:try_acquire() → permit, or nil */
static int semaphore_try_acquire(lua_State *L) {
  if (aw_semaphore_try_acquire(check_semaphore(L)) == 0)
    lua_getiuservalue(L, 1, PERMIT);
  else
    lua_pushnil(L);
  return 1;
}

static int give_permit_back(lua_State *L, aw_semaphore *semaphore) {
  if (aw_semaphore_give_back(semaphore) == 0)
    return 0;
  push_semaphore_text(L, semaphore);
  return awl_error(L, "%s: released more often than acquired",
                   lua_tostring(L, -1));
}

/* sem:release() */
static int semaphore_release(lua_State *L) {
  return give_permit_back(L, check_semaphore(L));
}

/* __tostring: "semaphore db (1 free, 2 waiting)" */
static int semaphore_tostring(lua_State *L) {
  push_semaphore_text(L, check_semaphore(L));
  return 1;
}

static aw_semaphore *check_permit(lua_State *L) {
  return check_sync(L, AWL_PERMIT, "permit");
}

static int permit_close(lua_State *L) {
  return give_permit_back(L, check_permit(L));
}

static int permit_tostring(lua_State *L) {
  push_semaphore_text(L, check_permit(L));
  lua_pushfstring(L, "permit of %s", lua_tostring(L, -1));
  return 1;
}

/* ---- Acquire ---- */

/* The data of one Acquire(). */
typedef struct grant {
  aw_lua_value base;
  aw_value permit; /* this struct as a value: the wire and tasks refer to it */
  aw_semaphore *semaphore;
} grant;

static int push_granted(lua_State *L, aw_lua_value *value) {
  push_permit(L, ((const grant *)value)->semaphore);
  return 1;
}

static void free_grant(aw_lua_value *value) {
  aw_semaphore_release(((grant *)value)->semaphore);
  aw_free(value);
}

static void drop_grant(void *data) {
  awl_drop(NULL, ((const grant *)data)->permit);
}

static int arm_grant(aw_task *task, void *data) {
  const grant *g = data;
  aw_task_set_value(task, awl_keep(NULL, g->permit));
  return aw_acquire_arm(task, g->semaphore);
}

static void disarm_grant(aw_task *task, void *data) {
  aw_acquire_disarm(task, ((grant *)data)->semaphore);
}

static void describe_grant(const void *data, char *out, size_t size) {
  aw_semaphore_describe(((const grant *)data)->semaphore, out, size);
}

static const aw_operation granting = {.label = "acquire",
                                      .arm = arm_grant,
                                      .disarm = disarm_grant,
                                      .describe = describe_grant};

/* Acquire(semaphore), which ends with the permit; or Acquire(rate [, k]) */
static int m_Acquire(lua_State *L) {
  if (awl_is(L, awl_of(L), 1, AWL_RATE))
    return awl_acquire_rate(L);
  if (!awl_is(L, awl_of(L), 1, AWL_SEMAPHORE))
    return aw_lua_type_error(L, 1, "rate or semaphore");
  aw_semaphore *semaphore = check_semaphore(L);
  lua_settop(L, 1);
  grant *g = aw_allocate(sizeof *g);
  if (!g)
    return awl_error(L, "not enough memory");
  g->base.push = push_granted;
  g->base.release = free_grant;
  g->permit = aw_lua_box(&g->base);
  g->semaphore = aw_semaphore_keep(semaphore);
  aw_wire *wire = aw_hold(aw_wait_for(&granting, g), g, drop_grant);
  aw_lua_push_wire(L, wire, 1);
  return 1;
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

static const luaL_Reg permit_meta[] = {{"__close", permit_close},
                                       {"__gc", semaphore_gc},
                                       {"__tostring", permit_tostring},
                                       {NULL, NULL}};

static void release_event(void *thing) {
  aw_event_release(thing);
}

static void release_semaphore(void *thing) {
  aw_semaphore_release(thing);
}

/* Register the functions in the module's table, on top. */
void awl_open_sync(lua_State *L, awl_state *s) {
  static const luaL_Reg functions[] = {{"event", m_event},
                                       {"Wait", m_Wait},
                                       {"semaphore", m_semaphore},
                                       {"Acquire", m_Acquire},
                                       {NULL, NULL}};
  awl_new_class(L, s, AWL_EVENT, "aiowire.Event", event_methods, event_meta);
  awl_set_release(s, AWL_RESOURCE_EVENT, release_event);
  awl_new_class(L, s, AWL_SEMAPHORE, "aiowire.Semaphore", semaphore_methods,
                semaphore_meta);
  awl_set_release(s, AWL_RESOURCE_SEMAPHORE, release_semaphore);
  awl_new_class(L, s, AWL_PERMIT, "aiowire.Permit", NULL, permit_meta);
  lua_pop(L, 3);
  awl_register(L, s, functions);
}
