/* tuple.c - one value of several: what joins and races end with [O4, O6]
 *
 * The core asks for it where nothing may raise, so the values are kept as they
 * are, in an aw_lua_value, and become results of Lua when somebody takes them.
 */
#include "base/tuple.h"

#include "base/values.h"

typedef struct gathered {
  aw_lua_value value; /* first */
  awl_state *state;
  aw_shape shape;
  size_t index, count;
  aw_value values[];
} gathered;

/* The first result of each value, nil for one without [O4]. */
static int push_list(lua_State *L, const gathered *g) {
  enum { SPARE = 8 };
  luaL_checkstack(L, (int)g->count + SPARE, "too many results");
  for (size_t i = 0; i < g->count; i++) {
    int top = lua_gettop(L);
    awl_push_tuple(L, g->state, g->values[i]);
    lua_settop(L, top + 1);
  }
  return (int)g->count;
}

static int push_gathered(lua_State *L, aw_lua_value *value) {
  const gathered *g = (const gathered *)value;
  if (g->shape == AW_SHAPE_LIST)
    return push_list(L, g);
  if (g->shape == AW_SHAPE_INDEX_FIRST)
    lua_pushinteger(L, (lua_Integer)g->index);
  int count = awl_push_tuple(L, g->state, g->values[0]);
  luaL_checkstack(L, 1, "too many results");
  if (g->shape == AW_SHAPE_INDEX_LAST)
    lua_pushinteger(L, (lua_Integer)g->index);
  return count + 1;
}

static void drop_all(awl_state *s, const aw_value *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    awl_drop(s, values[i]);
}

static void release_gathered(aw_lua_value *value) {
  gathered *g = (gathered *)value;
  drop_all(g->state, g->values, g->count);
  aw_free(g);
}

int awl_gather(void *state, aw_shape shape, const aw_value *values,
               size_t count, size_t index, aw_value *out) {
  gathered *g = aw_allocate(sizeof *g + count * sizeof *values);
  if (!g) {
    drop_all(state, values, count);
    return AW_ENOMEM;
  }
  g->value.push = push_gathered;
  g->value.release = release_gathered;
  g->state = state;
  g->shape = shape;
  g->index = index;
  g->count = count;
  for (size_t i = 0; i < count; i++)
    g->values[i] = values[i];
  *out = aw_lua_box(&g->value);
  return 0;
}
