/* values.c - conversion of seconds, and the values that the core carries
 *
 * Seconds become nanoseconds here and nowhere else.
 *
 * An aw_value has three parts:
 *
 *     bits 48 to 62   the number of the state on its engine, from 1; 0: the
 *                     engine is the state's own, see lua/embed/hub.h
 *     bits 32 to 47   the number of an EventLoop of that state, from 1
 *     bits 0 to 31    a place in the table of values of that loop, from 1
 *
 * The table is a user value of the EventLoop, so values are garbage with their
 * loop; AWL_VALUES finds it, and AWL_BUSY_VALUES has the table that was used
 * last, of a loop that runs. Each place has a count of references (claims); a
 * free place has the number of the next free place instead. A value that
 * outlives its loop reads as nil, and its claim keeps the number of the loop
 * from being reused. An aw_value with its highest bit set is the address of an
 * aw_lua_value.
 *
 * Neighbours: loops.c finds loops by number.
 */
#include "base/values.h"

#include "base/location.h"
#include "base/loops.h"
#include "base/numbers.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- time ---- */

static uint64_t to_ns(lua_Number seconds) {
  /* seconds: 292 years or more are "never" */
  static const lua_Number FAR = 9.2e9;
  if (seconds >= FAR)
    return AW_NEVER;
  return (uint64_t)ceil(seconds * 1e9);
}

static lua_Number check_seconds(lua_State *L, int arg) {
  if (lua_type(L, arg) != LUA_TNUMBER)
    aw_lua_check_type(L, arg, LUA_TNUMBER);
  lua_Number seconds = lua_tonumber(L, arg);
  if (seconds != seconds)
    aw_lua_arg_error(L, arg, "seconds must not be NaN");
  return seconds;
}

const char *awl_seconds_fault(lua_Number seconds) {
  if (seconds != seconds)
    return "seconds must not be NaN";
  return seconds < 0 ? "seconds must not be negative" : NULL;
}

uint64_t awl_check_ns(lua_State *L, int arg) {
  lua_Number seconds = check_seconds(L, arg);
  const char *fault = awl_seconds_fault(seconds);
  if (fault)
    aw_lua_arg_error(L, arg, fault);
  return to_ns(seconds);
}

uint64_t awl_check_time(lua_State *L, int arg) {
  lua_Number seconds = check_seconds(L, arg);
  return seconds <= 0 ? 0 : to_ns(seconds);
}

double awl_seconds(uint64_t ns) {
  return ns == AW_NEVER ? HUGE_VAL : (double)ns / 1e9;
}

uint64_t aw_lua_opt_ns(lua_State *L, int arg, const char *field,
                       uint64_t otherwise) {
  int type = lua_getfield(L, arg, field);
  uint64_t ns = otherwise;
  if (type == LUA_TNUMBER) {
    lua_Number seconds = lua_tonumber(L, -1);
    const char *fault = awl_seconds_fault(seconds);
    if (fault)
      awl_error(L, "bad option '%s' (%s)", field, fault);
    ns = to_ns(seconds);
  } else if (type != LUA_TNIL) {
    aw_lua_bad_option(L, field, "number of seconds");
  }
  lua_pop(L, 1);
  return ns;
}

/* ---- values of others: aiowire_lua.h ---- */

static const aw_value BOXED = UINT64_C(1) << 63;

aw_lua_value *awl_boxed(aw_value value) {
  if (!(value & BOXED))
    return NULL;
  return (aw_lua_value *)(uintptr_t)(value & ~BOXED);
}

aw_value aw_lua_box(aw_lua_value *value) {
  value->refs = 1;
  return (aw_value)(uintptr_t)value | BOXED;
}

static void release_boxed(aw_lua_value *value) {
  if (--value->refs == 0)
    value->release(value);
}

/* ---- values ---- */

/* The number of the loop of a value; a number that no loop has, if the value is
 * none of the state: 0, a box, or a value of another state on the engine. */
static uint32_t loop_number(const awl_state *s, aw_value value) {
  return (uint32_t)((value - s->prefix) >> AWL_LOOP_SHIFT);
}

static aw_value value_name(const awl_loop *loop, uint32_t place) {
  return loop->values | place;
}

/* Push the table of values of `loop` to util. False, and nothing is pushed: the
 * EventLoop is gone. AWL_VALUES loses the table when AWL_LOOPS loses the
 * EventLoop, to which alone the table belongs. */
static bool push_values(const awl_loop *loop) {
  lua_State *util = loop->state->util;
  if (lua_rawgeti(util, AWL_VALUES, loop->number) == LUA_TTABLE)
    return true;
  lua_pop(util, 1);
  return false;
}

/* Return the index on util of the table of values of `loop`; 0: the EventLoop
 * is gone. drop_found() ends the use of the table. */
static int find_values(const awl_loop *loop) {
  awl_state *s = loop->state;
  if (loop->number == s->busy_loop)
    return AWL_BUSY_VALUES;
  if (!push_values(loop))
    return 0;
  if (!loop->core || aw_loop_state_of(loop->core) != AW_LOOP_RUNNING)
    return lua_gettop(s->util);
  s->busy_loop = loop->number;
  lua_replace(s->util, AWL_BUSY_VALUES);
  return AWL_BUSY_VALUES;
}

static void drop_found(const awl_state *s, int index) {
  if (index > AWL_LAST_SLOT)
    lua_settop(s->util, index - 1);
}

bool awl_values_gone(const awl_loop *loop) {
  int values = find_values(loop);
  drop_found(loop->state, values);
  return values == 0;
}

static int values_are_gone(lua_State *L) {
  return awl_error(L, "this EventLoop is garbage, and about to be finalized");
}

/* Let the table of values have entries up to `count`. Raises, and may run
 * finalizers, which may take places. */
static void fill_values(lua_State *L, const awl_loop *loop, uint32_t count) {
  luaL_checkstack(L, 3, NULL);
  awl_get(L, loop->state, AWL_VALUES, loop->number);
  if (!lua_istable(L, -1)) /* a finalizer still refers to the loop */
    values_are_gone(L);
  for (uint32_t i = loop->claims->places + 1; i <= count; i++) {
    bool is_new = lua_rawgeti(L, -1, i) == LUA_TNIL;
    lua_pop(L, 1);
    if (!is_new)
      continue;
    lua_pushboolean(L, false);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 1);
}

/* Add free places. Each place has an entry in the table, with `false` if it is
 * free: to hold a value allocates nothing then. */
static void add_places(lua_State *L, const awl_loop *loop) {
  enum { FEWEST = 8 };
  awl_claims *claims = loop->claims;
  while (claims->first_free >= claims->places) {
    uint32_t places = claims->places;
    fill_values(L, loop, places ? places * 2 : FEWEST);
    if (claims->places == places &&
        !awl_grow_chain(&claims->counts, &claims->places, FEWEST))
      awl_error(L, "not enough memory");
  }
}

bool awl_has_place(const awl_loop *loop) {
  return loop->claims->first_free < loop->claims->places &&
         !awl_values_gone(loop);
}

aw_value awl_hold(lua_State *L, awl_loop *loop) {
  awl_claims *claims = loop->claims;
  lua_State *util = loop->state->util;
  if (claims->first_free >= claims->places)
    add_places(L, loop);
  int values = find_values(loop);
  if (values == 0)
    values_are_gone(L);
  uint32_t place = claims->first_free;
  lua_xmove(L, util, 1);
  lua_rawseti(util, values, (lua_Integer)place + 1);
  drop_found(loop->state, values);
  claims->first_free = claims->counts[place];
  claims->counts[place] = 1;
  claims->live++;
  loop->state->values++;
  return value_name(loop, place + 1);
}

aw_value awl_hold_instead(lua_State *L, awl_loop *loop, aw_value value) {
  uint32_t place = (uint32_t)(value & UINT32_MAX);
  int values = loop->claims->counts[place - 1] == 1 ? find_values(loop) : 0;
  if (values == 0) {
    aw_value instead = awl_hold(L, loop);
    awl_drop(loop->state, value);
    return instead;
  }
  lua_xmove(L, loop->state->util, 1);
  lua_rawseti(loop->state->util, values, (lua_Integer)place);
  drop_found(loop->state, values);
  return value;
}

aw_value awl_hold_tuple(lua_State *L, awl_loop *loop, int count) {
  if (count == 0)
    return 0;
  lua_createtable(L, count, 1);
  lua_insert(L, -count - 1);
  for (int i = count; i >= 1; i--)
    lua_rawseti(L, -i - 1, i);
  lua_pushinteger(L, count);
  lua_setfield(L, -2, "n");
  return awl_hold(L, loop);
}

awl_loop *awl_value_loop(const awl_state *s, aw_value value) {
  return awl_loop_number(s, loop_number(s, value));
}

bool awl_belongs(const awl_state *s, aw_value value, const awl_loop *loop) {
  return awl_value_loop(s, value) == loop;
}

void awl_push_value(lua_State *L, awl_state *s, aw_value value) {
  assert(L != s->util); /* drop_found() would take the value back */
  const awl_loop *loop = awl_value_loop(s, value);
  int values = loop ? find_values(loop) : 0;
  if (values == 0) {
    lua_pushnil(L);
    return;
  }
  lua_rawgeti(s->util, values, (lua_Integer)(value & UINT32_MAX));
  lua_xmove(s->util, L, 1);
  drop_found(s, values);
}

void awl_push_value_on_util(awl_state *s, aw_value value) {
  const awl_loop *loop = awl_value_loop(s, value);
  int values = loop ? find_values(loop) : 0;
  if (values == 0) {
    lua_pushnil(s->util);
    return;
  }
  lua_rawgeti(s->util, values, (lua_Integer)(value & UINT32_MAX));
  if (values > AWL_LAST_SLOT)
    lua_remove(s->util, values);
}

int awl_push_tuple(lua_State *L, awl_state *s, aw_value value) {
  if (!value)
    return 0;
  aw_lua_value *box = awl_boxed(value);
  if (box)
    return box->push(L, box);
  awl_push_value(L, s, value);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return 0;
  }
  int tuple = lua_gettop(L);
  lua_getfield(L, tuple, "n");
  int count = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  luaL_checkstack(L, count + 1, "too many results");
  for (int i = 1; i <= count; i++)
    lua_rawgeti(L, tuple, i);
  lua_remove(L, tuple);
  return count;
}

int awl_take_results(lua_State *L, awl_state *s, aw_task *task) {
  aw_value value = aw_task_take_value(task);
  if (!value)
    return 0;
  /* the task keeps it if the next line raises */
  aw_task_set_value(task, value);
  int count = awl_push_tuple(L, s, value);
  awl_drop(s, aw_task_take_value(task));
  return count;
}

int aw_lua_take_results(lua_State *L, aw_task *task) {
  return awl_take_results(L, awl_open(L), task);
}

aw_value awl_keep(void *state, aw_value value) {
  aw_lua_value *box = awl_boxed(value);
  if (box) {
    box->refs++;
    return value;
  }
  awl_loop *loop = awl_value_loop(state, value);
  if (!loop)
    return 0;
  loop->claims->counts[(value & UINT32_MAX) - 1]++;
  return value;
}

/* A wire of C may hand a value of another state to a task of this one. */
static void drop_of_other(const awl_state *s, aw_value value) {
  bool other = value >> AWL_STATE_SHIFT != s->prefix >> AWL_STATE_SHIFT;
  if (!other || !s->engine || !s->engine->hosted)
    return; /* no value, or the host value of a loop */
  const aw_engine_config *config = aw_engine_config_of(s->engine->core);
  config->drop(config->host, value);
}

void awl_drop(void *state, aw_value value) {
  awl_state *s = state;
  aw_lua_value *box = awl_boxed(value);
  if (box) {
    release_boxed(box);
    return;
  }
  uint32_t number = loop_number(s, value);
  if (number == 0 || number >= s->loop_count) {
    drop_of_other(s, value);
    return;
  }
  uint32_t place = (uint32_t)(value & UINT32_MAX) - 1;
  awl_claims *claims = s->claims[number];
  if (--claims->counts[place] > 0)
    return;
  claims->counts[place] = claims->first_free;
  claims->first_free = place;
  claims->live--;
  const awl_loop *loop = s->loops[number];
  if (!loop) {
    awl_loop_forget_number(s, number);
    return;
  }
  s->values--;
  int values = s->closing ? 0 : find_values(loop);
  if (values == 0)
    return;
  lua_pushboolean(s->util, false);
  lua_rawseti(s->util, values, (lua_Integer)place + 1);
  drop_found(s, values);
}

/* ---- one value of several: what joins and races end with [O4, O6] ----
 *
 * The core calls awl_gather() where nothing may raise. So an aw_lua_value keeps
 * the values as they are; they become results of Lua when somebody takes them.
 */

typedef struct gathered {
  aw_lua_value value;    /* the first field: the core has its address */
  const awl_carrier *by; /* NULL: `host` is the awl_state of the values */
  void *host;
  aw_shape shape;
  size_t index, count;
  aw_value values[];
} gathered;

static int push_one(lua_State *L, const gathered *g, aw_value value) {
  return g->by ? g->by->push(L, g->host, value)
               : awl_push_tuple(L, g->host, value);
}

/* Push the first result of each value, or nil if it has no result [O4]. */
static int push_first_results(lua_State *L, const gathered *g) {
  enum { SPARE = 8 };
  luaL_checkstack(L, (int)g->count + SPARE, "too many results");
  for (size_t i = 0; i < g->count; i++) {
    int top = lua_gettop(L);
    push_one(L, g, g->values[i]);
    lua_settop(L, top + 1);
  }
  return (int)g->count;
}

static int push_gathered(lua_State *L, aw_lua_value *value) {
  const gathered *g = (const gathered *)value;
  if (g->shape == AW_SHAPE_LIST)
    return push_first_results(L, g);
  if (g->shape == AW_SHAPE_INDEX_FIRST)
    lua_pushinteger(L, (lua_Integer)g->index);
  int count = push_one(L, g, g->values[0]);
  luaL_checkstack(L, 1, "too many results");
  if (g->shape == AW_SHAPE_INDEX_LAST)
    lua_pushinteger(L, (lua_Integer)g->index);
  return count + 1;
}

static void drop_values(const awl_carrier *by, void *host,
                        const aw_value *values, size_t count) {
  void (*drop)(void *, aw_value) = by ? by->drop : awl_drop;
  for (size_t i = 0; i < count; i++)
    drop(host, values[i]);
}

static void release_gathered(aw_lua_value *value) {
  gathered *g = (gathered *)value;
  drop_values(g->by, g->host, g->values, g->count);
  aw_free(g);
}

int awl_gather_by(const awl_carrier *by, void *host, aw_shape shape,
                  const aw_value *values, size_t count, size_t index,
                  aw_value *out) {
  gathered *g = aw_allocate(sizeof *g + count * sizeof *values);
  if (!g) {
    drop_values(by, host, values, count);
    return AW_ENOMEM;
  }
  g->value.push = push_gathered;
  g->value.release = release_gathered;
  g->by = by;
  g->host = host;
  g->shape = shape;
  g->index = index;
  g->count = count;
  for (size_t i = 0; i < count; i++)
    g->values[i] = values[i];
  *out = aw_lua_box(&g->value);
  return 0;
}

int awl_gather(void *state, aw_shape shape, const aw_value *values,
               size_t count, size_t index, aw_value *out) {
  return awl_gather_by(NULL, state, shape, values, count, index, out);
}
