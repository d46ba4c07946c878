/* context_box.c - see context_box.h
 *
 *     userdata ─► box ─► context
 *
 * The box is in memory of C, since Lua may lose a finalizer: then the end of
 * the state releases the context.
 */
#include "tls/context_box.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <stddef.h>

static const char *const BOX = "aiowire.tls_context";

typedef struct tls_box {
  awio_tls_context *context; /* or NULL */
  aw_lua_held held;          /* by the userdata */
} tls_box;

static void free_tls_box(tls_box *box) {
  awio_tls_context_release(box->context);
  aw_free(box);
}

static void release_lost_box(aw_lua_held *held) {
  free_tls_box((tls_box *)((char *)held - offsetof(tls_box, held)));
}

static int tls_box_gc(lua_State *L) {
  tls_box **place = lua_touserdata(L, 1);
  tls_box *box = *place;
  *place = NULL;
  if (!box)
    return 0;
  aw_lua_let_go(&box->held);
  free_tls_box(box);
  return 0;
}

awio_tls_context **awio_tls_push_box(lua_State *L) {
  tls_box **place = lua_newuserdatauv(L, sizeof *place, 0);
  *place = NULL;
  if (luaL_newmetatable(L, BOX)) {
    lua_pushcfunction(L, tls_box_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  tls_box *box = aw_allocate(sizeof *box);
  if (!box)
    luaL_error(L, "not enough memory");
  box->held.release = release_lost_box;
  *place = box;
  aw_lua_hold(L, &box->held);
  return &box->context;
}

awio_tls_context *awio_tls_boxed(lua_State *L, int index) {
  tls_box **place = luaL_testudata(L, index, BOX);
  return place && *place ? (*place)->context : NULL;
}
