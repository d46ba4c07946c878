/* server_context.c - see server_context.h */
#include "tls/server_context.h"

#include "tls/tls_error.h"

#include <lauxlib.h>

awio_tls_context *awio_tls_server_context(lua_State *L, int arg,
                                          const awio_tls_context *before,
                                          const char *call) {
  awio_fault fault;
  awio_tls_settings *settings = awio_tls_settings_new(
      L, arg, true, before ? awio_tls_context_settings(before) : NULL);
  awio_tls_context *context = awio_tls_context_new(settings, &fault);
  if (!context) {
    awio_tls_settings_free(settings);
    awio_tls_raise(L, &fault, call, NULL);
    return NULL;
  }
  awio_tls_context_adopt(context, settings);
  return context;
}

static int tls_box_gc(lua_State *L) {
  awio_tls_context **box = lua_touserdata(L, 1);
  awio_tls_context_release(*box);
  *box = NULL;
  return 0;
}

awio_tls_context **awio_tls_push_box(lua_State *L) {
  awio_tls_context **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  if (luaL_newmetatable(L, "aiowire.tls_context")) {
    lua_pushcfunction(L, tls_box_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return box;
}
