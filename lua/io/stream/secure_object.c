/* secure_object.c - TLS in streams, for Lua: starttls, handshake, tls
 *
 * While these wait, the Lua stack is
 *
 *     [stream, options, context]    in starttls()
 *     [stream]                      in handshake()
 *
 * Neighbours: secure.c does the work; tls/ makes contexts; tls.lua connects.
 */
#include "stream/secure.h"
#include "stream/stream_object.h"

#include "base/address.h"
#include "io.h"
#include "tls/context_box.h"
#include "tls/context_cache.h"
#include "tls/peer.h"
#include "tls/tls_error.h"

#include <lauxlib.h>
#include <uv.h>

/* ---- contexts ---- */

/* Push the context that `make` returns for the options at `arg`. May raise. */
static awio_tls_context *push_tls_context(lua_State *L, int arg,
                                          awio_tls_context *(*make)(lua_State *,
                                                                    int)) {
  awio_tls_context **box = awio_tls_push_box(L);
  *box = make(L, arg);
  return *box;
}

/* tls_context(options) → a context for connections with these options */
static int inner_tls_context(lua_State *L) {
  lua_settop(L, 1);
  push_tls_context(L, 1, awio_tls_client_context);
  return 1;
}

/* ---- the handshake ---- */

static int handshake_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_stream *s = awio_stream_again(L, "handshake");
  if (result < 0 || s->closed)
    return awio_fail_stream(L, s, result < 0 ? result : AW_ECLOSED,
                            "handshake");
  int rc = awio_secure_turn(s);
  if (rc == UV_EAGAIN)
    return aw_lua_await(L, &awio_wait_open, s, "stream:handshake",
                        handshake_on);
  if (rc < 0)
    return awio_fail_stream(L, s, rc, "handshake");
  lua_settop(L, 1);
  return 1;
}

static awio_stream *check_secure(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "handshake");
  if (!s->secure)
    aw_lua_error(L, "the stream '%s' is not TLS: starttls() makes it so",
                 s->name);
  return s;
}

/* s:handshake() → s: wait until the handshake is over */
static int stream_handshake(lua_State *L) {
  awio_stream *s = check_secure(L);
  lua_settop(L, 1);
  return aw_lua_begin(L, s, "stream:handshake", handshake_on);
}

/* ---- the beginning ---- */

/* `place` is NULL in starttls(). */
static void begin_tls(lua_State *L, awio_stream *s, awio_tls_context *context,
                      const char *host, int port, const char *place) {
  awio_fault fault;
  if (!awio_secure_begin(s, awio_stream_pump, context, host, port, place,
                         &fault))
    awio_tls_raise(L, &fault, place ? "connect" : "starttls",
                   place ? place : s->name);
}

/* secure(stream, context, host, port) → stream, when the handshake of a client
 * is over */
static int inner_secure(lua_State *L) {
  enum { STREAM = 1, BOX, HOST, PORT };
  awio_stream *s = *awio_to_stream(L, STREAM);
  awio_tls_context *context = awio_tls_boxed(L, BOX);
  const char *own = awio_tls_context_host(context);
  const char *host = lua_tostring(L, HOST);
  int port = (int)lua_tointeger(L, PORT);
  const char *place = awio_push_where(L, host, port);
  begin_tls(L, s, context, own ? own : host, port, place);
  lua_settop(L, 1);
  return handshake_on(L, 0, s);
}

static void check_plain(lua_State *L, awio_stream *s) {
  if (s->closed)
    awio_fail_stream(L, s, AW_ECLOSED, "starttls");
  if (!s->socket)
    awio_fail_stream(L, s, UV_ENOTSOCK, "starttls");
  awio_check_writable(L, s);
  if (s->secure)
    aw_lua_error(L, "the stream '%s' is TLS already", s->name);
}

/* What was written before belongs to the plain stream. */
static int starttls_on(lua_State *L, int result, void *data) {
  enum { BOX = 3 };
  (void)data;
  awio_stream *s = awio_stream_again(L, "starttls");
  if (result < 0)
    return awio_fail_stream(L, s, result, "starttls");
  check_plain(L, s);
  if (awio_buffer_length(&s->out) > 0 || s->large) {
    int rc = awio_stream_pump(s, aw_task_loop(aw_lua_task(L, "starttls")));
    if (rc < 0)
      return awio_fail_stream(L, s, rc, "starttls");
    return aw_lua_await(L, &awio_wait_flushed, s, "stream:starttls",
                        starttls_on);
  }
  awio_tls_context *context = awio_tls_boxed(L, BOX);
  begin_tls(L, s, context, awio_tls_context_host(context), 0, NULL);
  lua_settop(L, 1);
  return handshake_on(L, 0, s);
}

/* s:starttls([options]) → s: make it TLS, and wait for the handshake */
static int stream_starttls(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "starttls");
  lua_settop(L, 2);
  check_plain(L, s);
  const awio_tls_context *context =
      push_tls_context(L, 2, awio_tls_starttls_context);
  if (!awio_tls_context_is_server(context) &&
      awio_tls_context_verifies(context) && !awio_tls_context_host(context))
    return aw_lua_error(L, "missing option 'host' (the name in the peer's "
                           "certificate; verify = false trusts anybody)");
  return aw_lua_begin(L, s, "stream:starttls", starttls_on);
}

/* ---- looking ---- */

/* s:tls() → a table about the connection; nil if the stream is plain */
static int stream_tls(lua_State *L) {
  const awio_stream *s = awio_check_stream(L, "tls");
  if (s->closed)
    return awio_fail_stream(L, s, AW_ECLOSED, "tls");
  if (awio_tls_of(s))
    awio_tls_push_peer(L, awio_tls_of(s));
  else
    lua_pushnil(L);
  return 1;
}

/* Add the methods to the class, which awio_open_stream() has made. */
void awio_open_secure(lua_State *L) {
  static const luaL_Reg methods[] = {{"starttls", stream_starttls},
                                     {"handshake", stream_handshake},
                                     {"tls", stream_tls},
                                     {NULL, NULL}};
  static const luaL_Reg inner[] = {{"tls_context", inner_tls_context},
                                   {"secure", inner_secure},
                                   {NULL, NULL}};
  awio_add_stream_methods(L, methods);
  awio_add_inner(L, inner);
}
