/* tls_error.c - see tls_error.h */
#include "tls/tls_error.h"

#include <aiowire_lua.h>

#include <string.h>

static void set_fault_text(lua_State *L, const char *field, const char *text) {
  if (!text || !*text)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

/* "CERTIFICATE_VERIFY_FAILED: certificate has expired" */
static void push_fault_reason(lua_State *L, const awio_fault *fault) {
  if (*fault->detail)
    lua_pushfstring(L, "%s: %s", fault->name, fault->detail);
  else
    lua_pushstring(L, fault->name);
}

static void push_fault_message(lua_State *L, const awio_fault *fault,
                               const char *call, const char *about) {
  push_fault_reason(L, fault);
  lua_pushfstring(L, about ? "%s '%s': %s" : "%s%s: %s", call,
                  about ? about : "", lua_tostring(L, -1));
  if (*fault->certificate)
    lua_pushfstring(L, "%s (certificate of %s)", lua_tostring(L, -1),
                    fault->certificate);
  else if (fault->from_peer)
    lua_pushfstring(L, "%s (alert of the peer)", lua_tostring(L, -1));
}

/* [] → [TLSError] */
static void push_tls_error(lua_State *L, const awio_fault *fault,
                           const char *call, const char *about) {
  enum { FIELDS = 8 };
  lua_createtable(L, 0, FIELDS);
  int error = lua_gettop(L);
  push_fault_message(L, fault, call, about);
  lua_setfield(L, error, "message");
  lua_settop(L, error);
  push_fault_reason(L, fault);
  lua_setfield(L, error, "reason");
  set_fault_text(L, "code", fault->name);
  set_fault_text(L, "call", call);
  set_fault_text(L, "about", about);
  set_fault_text(L, "certificate", fault->certificate);
  lua_pushboolean(L, fault->from_peer);
  lua_setfield(L, error, "from_peer");
  const char *where = aw_lua_where(L);
  set_fault_text(L, "where", *where != '?' ? where : NULL);
  aw_lua_set_error_class(L, "aiowire.TLSError");
}

void awio_tls_push_error(lua_State *L, const awio_fault *fault,
                         const char *call, const char *about) {
  if (!about && *fault->about)
    about = fault->about;
  if (fault->code == AWIO_ETLS)
    push_tls_error(L, fault, call, about);
  else if (fault->code == AW_ENOMEM)
    lua_pushliteral(L, "not enough memory");
  else
    aw_lua_push_system_error(L, fault->code, call, about);
}

int awio_tls_raise(lua_State *L, const awio_fault *fault, const char *call,
                   const char *about) {
  awio_tls_push_error(L, fault, call, about);
  return lua_error(L);
}
