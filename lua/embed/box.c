/* box.c - results that C steps make without Lua
 *
 * A C step runs where nothing may raise. So its simple results are boxes, which
 * become values of Lua when Lua code takes them.
 */
#include "base/loops.h"
#include "base/values.h"
#include "embed/hub.h"

#include <string.h>

typedef struct box {
  aw_lua_value value; /* the first field: the core has its address */
  union {
    lua_Integer integer;
    lua_Number number;
    bool boolean;
    size_t size;
  } u;
  char text[]; /* of a string: u.size bytes */
} box;

static void release_box(aw_lua_value *value) {
  aw_free(value);
}

static box *new_box(int (*push)(lua_State *, aw_lua_value *), size_t size) {
  box *b = aw_allocate(sizeof *b + size);
  if (!b)
    return NULL;
  b->value.push = push;
  b->value.release = release_box;
  return b;
}

static aw_value value_of(box *b) {
  return b ? aw_lua_box(&b->value) : 0;
}

static int push_integer(lua_State *L, aw_lua_value *value) {
  lua_pushinteger(L, ((const box *)value)->u.integer);
  return 1;
}

static int push_number(lua_State *L, aw_lua_value *value) {
  lua_pushnumber(L, ((const box *)value)->u.number);
  return 1;
}

static int push_boolean(lua_State *L, aw_lua_value *value) {
  lua_pushboolean(L, ((const box *)value)->u.boolean);
  return 1;
}

static int push_string(lua_State *L, aw_lua_value *value) {
  const box *b = (const box *)value;
  lua_pushlstring(L, b->text, b->u.size);
  return 1;
}

aw_value aw_lua_box_integer(lua_Integer integer) {
  box *b = new_box(push_integer, 0);
  if (b)
    b->u.integer = integer;
  return value_of(b);
}

aw_value aw_lua_box_number(lua_Number number) {
  box *b = new_box(push_number, 0);
  if (b)
    b->u.number = number;
  return value_of(b);
}

aw_value aw_lua_box_boolean(bool boolean) {
  box *b = new_box(push_boolean, 0);
  if (b)
    b->u.boolean = boolean;
  return value_of(b);
}

aw_value aw_lua_box_string(const char *text, size_t size) {
  box *b = new_box(push_string, size);
  if (!b)
    return 0;
  b->u.size = size;
  if (size > 0)
    memcpy(b->text, text, size);
  return value_of(b);
}

int aw_lua_give_results(lua_State *L, aw_task *task, int count) {
  awl_state *s = awl_open(L);
  awl_loop *loop = awl_loop_of(s, aw_task_loop(task));
  if (!loop || loop->core != aw_task_loop(task)) {
    lua_pop(L, count);
    return AW_EINVAL;
  }
  luaL_checkstack(L, 4, NULL);
  aw_task_set_value(task, awl_hold_tuple(L, loop, count));
  return 0;
}

void aw_lua_box_release(aw_value value) {
  if (awl_boxed(value))
    awl_drop(NULL, value);
}
