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
