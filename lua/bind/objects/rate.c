/* rate.c - rates for Lua: aw.rate(n, per), and aw.Acquire of a rate
 *
 * A Rate is a userdata with a rate of the core. Units of a rate come back with
 * time, and nobody gives them back: there is no permit, and the wire needs no
 * Lua.
 */
#include "objects/rate.h"

#include "base/classes.h"
#include "base/location.h"
#include "base/resources.h"
#include "base/values.h"
#include "open.h"
#include "run/await.h"

#include <stdio.h>

typedef struct rate {
  aw_rate *core;     /* kept; NULL once finalized */
  uint32_t resource; /* number of its entry, see resources.h */
} rate;

static aw_rate *check_rate(lua_State *L) {
  if (!awl_is(L, awl_of(L), 1, AWL_RATE))
    aw_lua_type_error(L, 1, "rate");
  const rate *r = lua_touserdata(L, 1);
  if (!r->core)
    awl_error(L, "this rate is garbage, and finalized");
  return r->core;
}

/* Read the number of units to acquire: 1 by default. */
static uint64_t check_units(lua_State *L, int arg, const aw_rate *core) {
  aw_rate_view view;
  aw_rate_look(core, &view);
  lua_Integer units =
      lua_isnoneornil(L, arg) ? 1 : aw_lua_check_integer(L, arg);
  aw_lua_arg_check(L, units >= 1, arg, "at least 1 expected");
  if ((uint64_t)units > view.most) {
    lua_pushfstring(L, "more than the %I that there are at once",
                    (LUAI_UACINT)view.most);
    aw_lua_arg_error(L, arg, lua_tostring(L, -1));
  }
  return (uint64_t)units;
}

static uint64_t check_per(lua_State *L, int arg) {
  uint64_t per = awl_check_ns(L, arg);
  aw_lua_arg_check(L, per > 0, arg, "seconds must be positive");
  aw_lua_arg_check(L, per != AW_NEVER, arg, "seconds must be finite");
  return per;
}

/* rate(n, per [, {name=}]) */
static int m_rate(lua_State *L) {
  static const char *const known[] = {"name", NULL};
  awl_state *s = awl_of(L);
  lua_Integer most = aw_lua_check_integer(L, 1);
  aw_lua_arg_check(L, most >= 1, 1, "at least 1 expected");
  uint64_t per = check_per(L, 2);
  lua_settop(L, 3);
  const char *name = awl_object_name(L, s, 3, known);
  rate *r = lua_newuserdatauv(L, sizeof *r, 0);
  r->core = NULL;
  r->resource = awl_enter_object(L, s, AWL_RESOURCE_RATE);
  awl_push_class(L, s, AWL_RATE);
  lua_setmetatable(L, -2);
  if (aw_rate_new((uint64_t)most, per, name, &r->core) < 0)
    return awl_error(L, "not enough memory");
  awl_set_resource(s, AWL_RESOURCE_RATE, r->resource, r->core);
  return 1;
}

static int rate_gc(lua_State *L) {
  awl_state *s = lua_touserdata(L, lua_upvalueindex(1));
  rate *r = lua_touserdata(L, 1);
  awl_strike_object(s, AWL_RESOURCE_RATE, r->resource);
  aw_rate_release(r->core);
  r->core = NULL;
  return 0;
}

/* r:acquire([k]) */
static int rate_acquire(lua_State *L) {
  aw_rate *core = check_rate(L);
  uint64_t units = check_units(L, 2, core);
  lua_settop(L, 1);
  awl_worker *w = awl_awaiter(L, awl_of(L), "rate:acquire");
  aw_engine *engine = w->state->run.engine->core;
  if (awl_at_once(w) && aw_rate_try_acquire(core, engine, units) == 0)
    return 0;
  awl_anchor_wait(L, w);
  return awl_wait(L, w, aw_await_rate(w->task, core, units), awl_after_object);
}

/* r:try_acquire([k]) → true; or false */
static int rate_try_acquire(lua_State *L) {
  aw_rate *core = check_rate(L);
  uint64_t units = check_units(L, 2, core);
  int rc = aw_rate_try_acquire(core, aw_lua_engine(L), units);
  if (rc == AW_EINVAL)
    return awl_foreign(L, luaL_tolstring(L, 1, NULL));
  if (rc < 0 && rc != AW_EAGAIN)
    return awl_error(L, "not enough memory");
  lua_pushboolean(L, rc == 0);
  return 1;
}

/* __tostring: "rate api (2 of 10 in 1 s, 1 waiting)" */
static int rate_tostring(lua_State *L) {
  aw_rate_view view;
  aw_rate_look(check_rate(L), &view);
  char text[96];
  snprintf(text, sizeof text, "%llu of %llu in %g s",
           (unsigned long long)view.used, (unsigned long long)view.most,
           awl_seconds(view.per));
  lua_pushstring(L, text);
  return awl_show_object(L, "rate", view.name, view.waiting);
}

int awl_acquire_rate(lua_State *L) {
  aw_rate *core = check_rate(L);
  uint64_t units = check_units(L, 2, core);
  aw_lua_push_wire(L, aw_acquire_rate(core, units), 1);
  return 1;
}

static void release_rate(void *thing) {
  aw_rate_release(thing);
}

/* Register the functions in the module's table, on top. */
void awl_open_rate(lua_State *L, awl_state *s) {
  static const luaL_Reg methods[] = {{"acquire", rate_acquire},
                                     {"try_acquire", rate_try_acquire},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__gc", rate_gc}, {"__tostring", rate_tostring}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"rate", m_rate}, {NULL, NULL}};
  awl_new_class(L, s, AWL_RATE, "aiowire.Rate", methods, meta);
  awl_set_release(s, AWL_RESOURCE_RATE, release_rate);
  lua_pop(L, 1);
  awl_register(L, s, functions);
}
