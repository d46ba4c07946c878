/* udp_object.c - the class UdpSocket; see udp.h
 *
 * While a send waits, the Lua stack is [socket, data, host, port, …, send]. The
 * userdata `send` keeps the data alive.
 *
 * Neighbours: udp_open.c makes objects. aiowire/udp.lua looks up names for
 * send(): the metatable has its function as the field NAMES.
 */
#include "io.h"
#include "net/udp.h"

#include <lauxlib.h>
#include <uv.h>

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

static const char *const CLASS = "aiowire.UdpSocket";
static const char *const NAMES = "names";

enum { DATA = 2, HOST = 3, PORT = 4 };

/* ---- the object ---- */

/* Return the userdata at 1, in a function whose upvalue 1 is the metatable. */
static awio_udp_box *check_udp_box(lua_State *L) {
  awio_udp_box *box = awio_object(L);
  if (!box)
    aw_lua_type_error(L, 1, "UDP socket");
  return box;
}

static int fail_udp(lua_State *L, const awio_udp_box *box, int code,
                    const char *call, const char *about) {
  if (code == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  if (awio_udp_gone(box)) /* the code may come from a wait that it ended */
    code = AW_ECLOSED;
  if (!box->socket)
    about = "UDP socket (finalized)";
  else if (!about || code == AW_ECLOSED)
    about = box->socket->name;
  return aw_lua_system_error(L, code, call, about);
}

/* Return the open socket of the object at 1. Raises Closed. */
static awio_udp *check_open(lua_State *L, const char *call) {
  const awio_udp_box *box = check_udp_box(L);
  if (awio_udp_gone(box))
    fail_udp(L, box, AW_ECLOSED, call, NULL);
  return box->socket;
}

/* Lua has skipped the finalizer: release the socket here. */
static void release_lost_udp(aw_lua_held *held) {
  awio_udp_free((awio_udp *)((char *)held - offsetof(awio_udp, held)));
}

awio_udp_box *awio_udp_push_object(lua_State *L) {
  enum { WEIGHT = 2 * 1024 }; /* of a descriptor and its socket, a guess */
  awio_udp_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (awio_udp_box){.fd = -1, .usual = {box, AWIO_LARGEST_DATAGRAM}};
  luaL_setmetatable(L, CLASS);
  aw_lua_weigh(L, WEIGHT);
  awio_udp *s = awio_udp_new();
  if (!s)
    luaL_error(L, "not enough memory");
  box->socket = s;
  s->held.release = release_lost_udp;
  aw_lua_hold(L, &s->held);
  return box;
}

static int udp_close(lua_State *L) {
  aw_engine *engine = aw_lua_engine(L); /* first: it may run a finalizer */
  const awio_udp_box *box = check_udp_box(L);
  if (box->socket)
    awio_udp_close(box->socket, engine);
  return 0;
}

static int udp_gc(lua_State *L) {
  awio_udp_box *box = lua_touserdata(L, 1);
  awio_udp *s = box->socket;
  if (!s)
    return 0;
  aw_lua_let_go(&s->held);
  awio_udp_close(s, s->engine ? aw_lua_engine(L) : NULL);
  box->socket = NULL;
  awio_udp_free(s);
  return 0;
}

static int udp_tostring(lua_State *L) {
  const awio_udp *s = check_udp_box(L)->socket;
  if (!s)
    lua_pushliteral(L, "UDP socket (finalized)");
  else
    lua_pushfstring(L, "UDP socket '%s' (%s)", s->name,
                    s->closed      ? "closed"
                    : s->connected ? "connected"
                                   : "bound");
  return 1;
}

/* ---- receiving ---- */

static size_t check_recv_max(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg))
    return AWIO_LARGEST_DATAGRAM;
  lua_Integer max = aw_lua_check_integer(L, arg);
  aw_lua_arg_check(L, max >= 1 && max <= AWIO_LARGEST_DATAGRAM, arg,
                   "a number of bytes from 1 to 65535 expected");
  return (size_t)max;
}

/* Return a receive of at most so many bytes as the number at 2. Leaves its
 * owner on top: the object itself, or a new userdata. */
static awio_udp_recv *push_recv(lua_State *L, awio_udp_box *box) {
  size_t max = check_recv_max(L, 2);
  lua_settop(L, 1);
  if (max == AWIO_LARGEST_DATAGRAM)
    return &box->usual;
  awio_udp_recv *in = lua_newuserdatauv(L, sizeof *in, 1);
  *in = (awio_udp_recv){box, max};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return in;
}

static int datagram_received(lua_State *L, int result, void *data) {
  const awio_udp_recv *in = data;
  if (result < 0)
    return fail_udp(L, in->box, result, "recv", NULL);
  return aw_lua_take_results(L, aw_current(aw_lua_engine(L)));
}

/* Take a datagram that is there. Returns the number of results; 0 if there is
 * none; or a negative code. */
static int recv_now(lua_State *L, const awio_udp_recv *in) {
  char buffer[AWIO_LARGEST_DATAGRAM];
  awio_udp_sender sender;
  ssize_t got = awio_udp_take(in->box->socket, buffer, in->max, &sender);
  if (got < 0)
    return got == UV_EAGAIN ? 0 : (int)got;
  return awio_udp_push(L, buffer, (size_t)got, &sender);
}

static int recv_on(lua_State *L, int result, void *data) {
  awio_udp_recv *in = data;
  if (result < 0 || awio_udp_gone(in->box))
    return fail_udp(L, in->box, result, "recv", NULL);
  int rc = in->box->socket->receiving == 0 ? recv_now(L, in) : 0;
  if (rc == 0)
    return aw_lua_await(L, &awio_udp_wait_recv, in, "udp:recv",
                        datagram_received);
  return rc > 0 ? rc : fail_udp(L, in->box, rc, "recv", NULL);
}

/* u:recv([max]) → data, host, port, truncated */
static int udp_recv(lua_State *L) {
  awio_udp_recv *in = push_recv(L, check_udp_box(L));
  return aw_lua_begin(L, in, "udp:recv", recv_on);
}

/* aw.Recv(u [, max]) */
static int make_udp_recv(lua_State *L) {
  awio_udp_recv *in = push_recv(L, luaL_testudata(L, 1, CLASS));
  aw_lua_push_wire(L, aw_wait_for(&awio_udp_event_recv, in), -1);
  return 1;
}

/* ---- sending: to whom ---- */

/* Is there an address among the arguments? */
static bool has_address(lua_State *L) {
  return !lua_isnoneornil(L, HOST) || !lua_isnoneornil(L, PORT);
}

/* Check the arguments of a send, and leave just them on the stack. */
static void check_message(lua_State *L, const awio_udp *s) {
  aw_lua_check_string(L, DATA, NULL);
  if (s && s->connected) {
    if (has_address(L))
      aw_lua_arg_error(L, HOST,
                       lua_pushfstring(L,
                                       "no address expected: the socket is "
                                       "connected to %s",
                                       s->name));
  } else if (!has_address(L)) {
    aw_lua_arg_error(L, HOST,
                     "host and port expected: the socket is not connected");
  } else {
    aw_lua_check_string(L, HOST, NULL);
    awio_check_port(L, PORT);
    awio_check_host(L, HOST, "send");
  }
  lua_settop(L, PORT);
}

/* A socket of IPv6 reaches IPv4 by addresses such as ::ffff:127.0.0.1. */
static void map_address(awio_address *a) {
  awio_address mapped = {.in6 = {.sin6_family = AF_INET6}};
  mapped.in6.sin6_port = a->in.sin_port;
  mapped.in6.sin6_addr.s6_addr[10] = mapped.in6.sin6_addr.s6_addr[11] = 0xff;
  memcpy(&mapped.in6.sin6_addr.s6_addr[12], &a->in.sin_addr, 4);
  mapped.length = sizeof mapped.in6;
  *a = mapped;
}

/* Read the address at HOST and PORT. Returns false if the host is a name. */
static bool numeric_address(lua_State *L, const awio_udp *s,
                            awio_address *out) {
  int port = (int)lua_tointeger(L, PORT);
  if (!awio_address_parse(lua_tostring(L, HOST), port, out))
    return false;
  if (s && s->family == AF_INET6 && out->any.sa_family == AF_INET)
    map_address(out);
  return true;
}

/* Push the function that looks up the name at HOST, and its arguments. Returns
 * their number. */
static int push_names_call(lua_State *L, int metatable, const awio_udp *s) {
  lua_getfield(L, metatable, NAMES);
  lua_pushvalue(L, HOST);
  lua_pushvalue(L, PORT);
  if (s && s->family == AF_INET)
    lua_pushliteral(L, "inet");
  else if (s && s->only6)
    lua_pushliteral(L, "inet6");
  else
    lua_pushnil(L);
  return 3;
}

/* ---- sending ---- */

static int fail_send(lua_State *L, const awio_udp_send *out, int code) {
  char text[AWIO_ADDRESS_TEXT];
  const char *about = out->to.length > 0 ? text : NULL;
  if (about)
    awio_address_text(&out->to, text);
  if (about && code == UV_EACCES)
    about =
        lua_pushfstring(L, "%s (broadcast needs the option broadcast)", text);
  return fail_udp(L, out->box, code, "send", about);
}

/* Push a copy of the message as userdata, which keeps the object and the data
 * alive. */
static awio_udp_send *push_send(lua_State *L, const awio_udp_send *message) {
  enum { OBJECT_VALUE = 1, DATA_VALUE };
  awio_udp_send *out = lua_newuserdatauv(L, sizeof *out, DATA_VALUE);
  *out = *message;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, OBJECT_VALUE);
  lua_pushvalue(L, DATA);
  lua_setiuservalue(L, -2, DATA_VALUE);
  return out;
}

static int datagram_sent(lua_State *L, int result, void *data) {
  return result < 0 ? fail_send(L, data, result) : 0;
}

/* Send the message, or wait until that is possible.
 *
 *   kept  the message as userdata on top; NULL: there is none yet
 */
static int send_message(lua_State *L, const awio_udp_send *message,
                        awio_udp_send *kept) {
  const awio_udp *s = message->box->socket;
  if (awio_udp_gone(message->box))
    return fail_send(L, message, AW_ECLOSED);
  int rc = s->sending == 0 ? awio_udp_put(s, message) : UV_EAGAIN;
  if (rc != UV_EAGAIN)
    return rc < 0 ? fail_send(L, message, rc) : 0;
  if (!kept)
    kept = push_send(L, message);
  return aw_lua_await(L, &awio_udp_wait_send, kept, "udp:send", datagram_sent);
}

static int send_later(lua_State *L, int result, void *data) {
  return result < 0 ? fail_send(L, data, result) : send_message(L, data, data);
}

/* Most messages are sent at once, without an allocation. */
static int begin_send(lua_State *L, awio_udp_send *message) {
  message->data = lua_tolstring(L, DATA, &message->size);
  if (aw_lua_at_once(L, "udp:send"))
    return send_message(L, message, NULL);
  return aw_lua_await(L, NULL, push_send(L, message), "udp:send", send_later);
}

/* The name at HOST was looked up: its address is on top. */
static int send_to_name(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  const awio_udp_box *box = check_udp_box(L);
  awio_udp_send message = {.box = box};
  lua_replace(L, HOST);
  numeric_address(L, box->socket, &message.to);
  return begin_send(L, &message);
}

/* u:send(data, host, port), and u:send(data) if it is connected */
static int udp_send(lua_State *L) {
  const awio_udp_box *box = check_udp_box(L);
  awio_udp_send message = {.box = box};
  check_message(L, box->socket);
  if (!has_address(L) || numeric_address(L, box->socket, &message.to))
    return begin_send(L, &message);
  aw_lua_task(L, "udp:send"); /* where nothing can wait, nothing is looked up */
  int count = push_names_call(L, lua_upvalueindex(1), box->socket);
  lua_callk(L, count, 1, 0, send_to_name);
  return send_to_name(L, LUA_OK, 0);
}

/* Replace "localhost" at HOST by its address. An event cannot look up other
 * names. */
static void replace_localhost(lua_State *L, const awio_udp *s) {
  const char *host = lua_tostring(L, HOST);
  if (strcmp(host, "localhost") != 0)
    aw_lua_arg_error(L, HOST,
                     lua_pushfstring(L,
                                     "a numeric address expected, got '%s': "
                                     "an event looks up no names, but "
                                     "u:send() does",
                                     host));
  luaL_getmetatable(L, CLASS);
  lua_call(L, push_names_call(L, lua_gettop(L), s), 1);
  lua_replace(L, HOST);
  lua_settop(L, PORT);
}

/* aw.Send(u, data [, host, port]) */
static int make_udp_send(lua_State *L) {
  const awio_udp_box *box = luaL_testudata(L, 1, CLASS);
  awio_udp_send message = {.box = box};
  check_message(L, box->socket);
  if (has_address(L) && !numeric_address(L, box->socket, &message.to)) {
    replace_localhost(L, box->socket);
    numeric_address(L, box->socket, &message.to);
  }
  message.data = lua_tolstring(L, DATA, &message.size);
  aw_lua_push_wire(L, aw_wait_for(&awio_udp_event_send, push_send(L, &message)),
                   -1);
  return 1;
}

/* ---- the other methods ---- */

/* u:join(group [, interface]) → u */
static int udp_join(lua_State *L) {
  awio_udp_join(L, check_open(L, "join"));
  lua_settop(L, 1);
  return 1;
}

/* u:leave(group [, interface]) → u */
static int udp_leave(lua_State *L) {
  awio_udp_leave(L, check_open(L, "leave"));
  lua_settop(L, 1);
  return 1;
}

/* u:name() → host, port */
static int udp_name(lua_State *L) {
  const awio_udp *s = check_open(L, "name");
  awio_address address;
  int rc = awio_own_address(s->fd, &address);
  if (rc < 0)
    return aw_lua_system_error(L, rc, "name", s->name);
  return awio_push_address(L, &address);
}

/* u:peer() → host, port; nil if the socket is not connected */
static int udp_peer(lua_State *L) {
  const awio_udp *s = check_open(L, "peer");
  awio_address address;
  if (s->connected && awio_peer_address(s->fd, &address) == 0)
    return awio_push_address(L, &address);
  lua_pushnil(L);
  return 1;
}

/* u:getfd() → descriptor */
static int udp_getfd(lua_State *L) {
  lua_pushinteger(L, check_open(L, "getfd")->fd);
  return 1;
}

/* u:configure{broadcast=, ttl=, loopback=, interface=} → u */
static int udp_configure(lua_State *L) {
  static const char *const known[] = {AWIO_UDP_CHANGEABLE, NULL};
  awio_udp_options options = awio_udp_usual;
  check_open(L, "configure");
  aw_lua_check_options(L, 2, known, false);
  awio_udp_check_options(L, 2, &options);
  const awio_udp *s = check_open(L, "configure"); /* __index may close it */
  int rc = awio_udp_configure(s, &options);
  if (rc < 0)
    return aw_lua_system_error(L, rc, "configure", s->name);
  lua_settop(L, 1);
  return 1;
}

/* ---- a source ---- */

static const aw_operation *udp_ready(lua_State *L, int index, int events,
                                     void **data) {
  *data = luaL_testudata(L, index, CLASS);
  return events & AW_READABLE ? &awio_udp_readable : &awio_udp_writable;
}

static int udp_fd(lua_State *L, int index) {
  const awio_udp_box *box = luaL_testudata(L, index, CLASS);
  return awio_udp_gone(box) ? -1 : box->fd;
}

static const aw_lua_source udp_source = {.recv = make_udp_recv,
                                         .send = make_udp_send,
                                         .ready = udp_ready,
                                         .fd = udp_fd};

/* ---- the class ---- */

static const luaL_Reg udp_methods[] = {
    {"recv", udp_recv},   {"send", udp_send},   {"join", udp_join},
    {"leave", udp_leave}, {"name", udp_name},   {"peer", udp_peer},
    {"close", udp_close}, {"getfd", udp_getfd}, {"configure", udp_configure},
    {NULL, NULL}};

static const luaL_Reg udp_meta[] = {{"__close", udp_close},
                                    {"__gc", udp_gc},
                                    {"__tostring", udp_tostring},
                                    {NULL, NULL}};

void awio_udp_make_class(lua_State *L) {
  luaL_newmetatable(L, CLASS);
  lua_pushvalue(L, -1);
  aw_lua_set_functions(L, udp_meta, 1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* locked */
  lua_newtable(L);
  lua_pushvalue(L, -2);
  aw_lua_set_functions(L, udp_methods, 1);
  lua_setfield(L, -2, "__index");
  aw_lua_add_source(L, -1, &udp_source);
  lua_pop(L, 1);
}

int awio_udp_set_names(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_getmetatable(L, CLASS);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, NAMES);
  return 0;
}
