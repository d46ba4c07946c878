/* counter.c - a C module for Lua: counters that threads share
 *
 *   cc -shared -fPIC counter.c $(pkg-config --cflags aiowire-lua) -o counter.so
 *
 *   c = counter.new()   a counter, which begins at 0
 *   c:add([n])          adds n, or 1; returns the new value
 *   c:value()           the value now
 *
 * A counter may be an argument, a result or a message of aw.thread: the other
 * state gets an object of its own for the same counter. So the count itself is
 * in memory of C, with a count of its references, and all of it is atomic.
 * counting.lua beside this file uses it.
 */
#include <aiowire_module.h>

#include <stdatomic.h>
#include <stdlib.h>

AW_MODULE_DEFINE

static const char CLASS[] = "counter";

typedef struct counter {
  atomic_llong value;
  atomic_uint references; /* objects in all states, and messages */
} counter;

LUAMOD_API int luaopen_counter(lua_State *L);

/* ---- references ---- */

static counter *keep(counter *c) {
  atomic_fetch_add(&c->references, 1);
  return c;
}

static void release(void *reference) {
  counter *c = reference;
  if (atomic_fetch_sub(&c->references, 1) == 1)
    free(c);
}

/* ---- the object: a userdata with a pointer to its counter ---- */

/* Push an object without a counter. */
static counter **push_object(lua_State *L) {
  counter **object = lua_newuserdatauv(L, sizeof *object, 0);
  *object = NULL;
  luaL_setmetatable(L, CLASS);
  return object;
}

static counter *check_counter(lua_State *L, int index) {
  counter **object = luaL_checkudata(L, index, CLASS);
  if (!*object) /* a finalizer may have it still */
    luaL_error(L, "the counter is finalized");
  return *object;
}

static int counter_gc(lua_State *L) {
  counter **object = luaL_checkudata(L, 1, CLASS);
  if (*object)
    release(*object);
  *object = NULL;
  return 0;
}

static int counter_add(lua_State *L) {
  lua_Integer n = luaL_optinteger(L, 2, 1);
  lua_pushinteger(L, atomic_fetch_add(&check_counter(L, 1)->value, n) + n);
  return 1;
}

static int counter_value(lua_State *L) {
  lua_pushinteger(L, atomic_load(&check_counter(L, 1)->value));
  return 1;
}

/* ---- in other states ---- */

static void *take(lua_State *L, int index) {
  return keep(check_counter(L, index));
}

static void push(lua_State *L, void *reference) {
  luaL_requiref(L, CLASS, luaopen_counter, 0); /* the state may be new */
  lua_pop(L, 1);
  counter **object = push_object(L);
  *object = keep(reference);
}

static const aw_lua_transfer transfer = {
    .take = take, .push = push, .release = release};

/* ---- the module ---- */

static int new_counter(lua_State *L) {
  counter **object = push_object(L);
  *object = calloc(1, sizeof **object);
  if (!*object)
    return luaL_error(L, "not enough memory");
  atomic_store(&(*object)->references, 1);
  return 1;
}

LUAMOD_API int luaopen_counter(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"add", counter_add}, {"value", counter_value}, {NULL, NULL}};
  aw_module_load(L); /* before anything else of aiowire */
  luaL_newmetatable(L, CLASS);
  aw_lua_add_transfer(L, -1, &transfer);
  lua_pushcfunction(L, counter_gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  aw_lua_set_functions(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_newtable(L);
  aw_lua_push_function(L, new_counter, 0, "counter.new");
  lua_setfield(L, -2, "new");
  return 1;
}
