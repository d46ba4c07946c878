/* connect.c - connecting: one attempt to reach one address
 *
 *     plan      what all attempts of one call share: options, own address
 *     attempt   one try for one address; it owns the descriptor until the
 *               connection is made
 *
 *   arm   socket → bind → connect ─┬ made:         value of a stream
 *                                  ├ EINPROGRESS:  writable → ready: SO_ERROR
 *                                  └ EAGAIN:       alarm → due: connect again
 *
 * connect(2) reports EAGAIN for a unix socket whose backlog is full, and the
 * kernel does not tell when there is room.
 *
 * The connection travels as an aw_value, see stream/socket.h, so an attempt
 * that loses a race leaves no descriptor. It becomes a Stream when the task
 * takes its results. The task may have been cancelled by then, in the same
 * pass: then keep() closes the Stream before user code sees it.
 *
 * If the engine cannot watch the descriptor, the wait fails without a call of
 * `ready`. So the code that sees the failure ends the attempt, too.
 *
 * Neighbours: connect.lua chooses addresses; lookup_calls.c resolves names.
 */
#include "base/address.h"
#include "base/socket.h"
#include "io.h"
#include "stream/socket.h"
#include "tls/settings.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <uv.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS "timeout", AWIO_SOCKET_OPTIONS

static const char *const ATTEMPT = "aiowire.attempt";

typedef struct plan {
  const char *what; /* the function of the user, for messages */
  awio_socket_options options;
  awio_address to;   /* of a unix socket; else none */
  awio_address from; /* the own address to bind, or none */
  int from_port;     /* the own port to bind; 0: any */
} plan;

typedef struct attempt {
  plan plan;
  awio_address to;
  int fd;           /* -1: not open, or given to the value */
  aw_keeper keeper; /* keeps nothing; it lets `ready` end the watching */
  enum { IDLE, AT_SOCKET, AT_ALARM } waits;
  uint64_t pause; /* ns, before the next try */
} attempt;

/* ---- the socket ---- */

static void close_attempt(attempt *a) {
  if (a->fd >= 0)
    close(a->fd);
  a->fd = -1;
}

/* The own address to bind: that of the plan, or the port alone. */
static awio_address own_address(const attempt *a) {
  awio_address from = a->plan.from;
  if (from.length == 0) {
    from.any.sa_family = a->to.any.sa_family;
    from.length = a->to.length;
  }
  if (from.any.sa_family == AF_INET)
    from.in.sin_port = htons((uint16_t)a->plan.from_port);
  else
    from.in6.sin6_port = htons((uint16_t)a->plan.from_port);
  return from;
}

static bool binds(const attempt *a) {
  return a->plan.from.length > 0 || a->plan.from_port > 0;
}

/* One own port may serve several peers. Without a port, leave the choice to
 * connect(2): bind(2) would reserve a port that no other socket uses. */
static int bind_attempt(const attempt *a) {
  if (!binds(a))
    return 0;
  awio_address from = own_address(a);
  if (a->plan.from_port > 0)
    awio_socket_set(a->fd, SOL_SOCKET, SO_REUSEADDR, 1);
#ifdef IP_BIND_ADDRESS_NO_PORT
  else
    awio_socket_set(a->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
#endif
  return bind(a->fd, &from.any, from.length) < 0 ? -errno : 0;
}

static int open_attempt(attempt *a) {
  int fd = awio_socket_open(a->to.any.sa_family, SOCK_STREAM);
  if (fd < 0)
    return fd;
  a->fd = fd;
  return bind_attempt(a);
}

/* Has the socket connected to itself? That happens on one machine, when the
 * kernel chooses the peer's port as the own port. */
static bool is_own_peer(const attempt *a) {
  awio_address own;
  if (a->to.any.sa_family == AF_UNIX || awio_own_address(a->fd, &own) < 0 ||
      own.any.sa_family != a->to.any.sa_family)
    return false;
  if (own.any.sa_family == AF_INET)
    return own.in.sin_port == a->to.in.sin_port &&
           own.in.sin_addr.s_addr == a->to.in.sin_addr.s_addr;
  return own.in6.sin6_port == a->to.in6.sin6_port &&
         memcmp(&own.in6.sin6_addr, &a->to.in6.sin6_addr,
                sizeof own.in6.sin6_addr) == 0;
}

/* ---- one try ---- */

/* The connection is made. Returns 1, or a negative code. */
static int made(aw_task *task, attempt *a) {
  if (is_own_peer(a))
    return UV_ECONNREFUSED; /* nobody listens */
  aw_value value = awio_socket_value(a->fd, &a->plan.options, NULL);
  a->fd = -1;
  if (!value)
    return AW_ENOMEM;
  aw_task_set_value(task, value);
  return 1;
}

static int wait_for_room(aw_task *task, attempt *a) {
  static const uint64_t SHORTEST = AW_SECOND / 1000, LONGEST = AW_SECOND / 50;
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  if (aw_engine_virtual(engine)) /* its alarms do not follow real time */
    return UV_EAGAIN;
  a->pause = a->pause == 0 ? SHORTEST : a->pause * 2;
  if (a->pause > LONGEST)
    a->pause = LONGEST;
  int rc = aw_alarm_arm(task, aw_engine_now(engine) + a->pause);
  a->waits = rc == 0 ? AT_ALARM : IDLE;
  return rc;
}

static int wait_for_socket(aw_task *task, attempt *a) {
  int rc = aw_ready_arm_kept(task, a->fd, AW_WRITABLE, &a->keeper);
  a->waits = rc == 0 ? AT_SOCKET : IDLE;
  return rc;
}

/* Returns 1 if the connection is made; 0 if the attempt waits; or a negative
 * code. */
static int try_connect(aw_task *task, attempt *a) {
  if (connect(a->fd, &a->to.any, a->to.length) == 0)
    return made(task, a);
  switch (errno) {
  case EINTR: /* the kernel goes on */
  case EINPROGRESS: return wait_for_socket(task, a);
  case EAGAIN:
    if (a->to.any.sa_family == AF_UNIX)
      return wait_for_room(task, a);
    return UV_EAGAIN;
  default: return -errno;
  }
}

/* ---- the operation ---- */

static int attempt_arm(aw_task *task, void *data) {
  attempt *a = data;
  if (a->waits != IDLE || a->fd >= 0)
    return AW_EBUSY;
  int rc = open_attempt(a);
  if (rc == 0)
    rc = try_connect(task, a);
  if (rc < 0)
    close_attempt(a);
  return rc;
}

/* The socket is writable: the connection is made, or has failed. The watching
 * ends before the descriptor is closed or given away. */
static int attempt_ready(aw_task *task, void *data) {
  attempt *a = data;
  int rc = awio_socket_error(a->fd);
  if (rc == -EINPROGRESS)
    return 0;
  a->waits = IDLE;
  aw_ready_done(&a->keeper);
  if (rc == 0)
    rc = made(task, a);
  if (rc < 0)
    close_attempt(a);
  return rc;
}

static void attempt_due(aw_task *task, void *data) {
  attempt *a = data;
  a->waits = IDLE;
  int rc = try_connect(task, a);
  if (rc == 0)
    return;
  if (rc < 0)
    close_attempt(a);
  aw_wait_complete(task, rc < 0 ? rc : 0);
}

/* The attempt waits no longer. */
static void end_attempt(attempt *a) {
  a->waits = IDLE;
  aw_ready_done(&a->keeper);
  close_attempt(a);
}

static void attempt_disarm(aw_task *task, void *data) {
  attempt *a = data;
  if (a->waits == AT_ALARM)
    aw_alarm_disarm(task);
  else
    aw_ready_disarm(task, a->fd);
  end_attempt(a);
}

/* "127.0.0.1:80", or "127.0.0.1:80 (from 10.0.0.1:0)" */
static void attempt_describe(const void *data, char *out, size_t size) {
  const attempt *a = data;
  char to[AWIO_ADDRESS_TEXT], from[AWIO_ADDRESS_TEXT];
  awio_address_text(&a->to, to);
  if (binds(a)) {
    awio_address own = own_address(a);
    awio_address_text(&own, from);
    snprintf(out, size, "%s (from %s)", to, from);
  } else {
    snprintf(out, size, "%s", to);
  }
}

static const aw_operation connecting = {.label = "connect",
                                        .arm = attempt_arm,
                                        .disarm = attempt_disarm,
                                        .external = true,
                                        .describe = attempt_describe,
                                        .due = attempt_due,
                                        .ready = attempt_ready};

/* ---- options ---- */

/* local_host is numeric, since a name would need an await to look it up. */
static void check_own_host(lua_State *L, int arg, plan *p) {
  int type = lua_getfield(L, arg, "local_host");
  if (type != LUA_TNIL) {
    if (type != LUA_TSTRING)
      aw_lua_bad_option(L, "local_host", "address");
    const char *host = lua_tostring(L, -1);
    if (strlen(host) != lua_rawlen(L, -1) ||
        !awio_address_parse(host, 0, &p->from))
      aw_lua_error(L,
                   "bad option 'local_host' (an address of this machine, as "
                   "\"127.0.0.1\", expected, got '%s')",
                   host);
  }
  lua_pop(L, 1);
}

static void check_own_port(lua_State *L, int arg, plan *p) {
  awio_push_port_option(L, arg, "local_port");
  p->from_port = (int)lua_tointeger(L, -1); /* nil: 0, any */
  lua_pop(L, 1);
}

static plan *push_plan(lua_State *L, const char *what) {
  plan *p = lua_newuserdatauv(L, sizeof *p, 0);
  memset(p, 0, sizeof *p);
  p->what = what;
  p->options = awio_socket_usual;
  return p;
}

/* Push the only family to try, or nil: that of the own address, or else
 * `wanted`. */
static void push_wanted_family(lua_State *L, const plan *p, int wanted) {
  if (p->from.length == 0) {
    awio_push_family(L, wanted);
    return;
  }
  if (wanted != AF_UNSPEC && wanted != p->from.any.sa_family)
    aw_lua_error(L, "bad option 'local_host' (it is not of option 'family')");
  awio_push_family(L, p->from.any.sa_family);
}

/* tcp_plan(host, port, opts, tls) → plan, family or nil. The arguments are
 * those of the user's function, which takes options of TLS if `tls` is true. */
static int inner_tcp_plan(lua_State *L) {
#define TCP_OPTIONS "local_host", "local_port", "family", OPTIONS
  static const char *const of_tcp[] = {TCP_OPTIONS, NULL};
  static const char *const of_tls[] = {TCP_OPTIONS, AWIO_TLS_CLIENT_OPTIONS,
                                       NULL};
  enum { OPTS = 3, TLS };
  lua_settop(L, TLS);
  bool tls = lua_toboolean(L, TLS);
  awio_check_host(L, 1, "connect");
  awio_check_port(L, 2);
  plan *p = push_plan(L, tls ? "tls.connect" : "tcp.connect");
  int family = AF_UNSPEC;
  if (!lua_isnil(L, OPTS)) {
    aw_lua_check_options(L, OPTS, tls ? of_tls : of_tcp, false);
    awio_check_socket_options(L, OPTS, &p->options);
    check_own_host(L, OPTS, p);
    check_own_port(L, OPTS, p);
    family = awio_opt_family(L, OPTS);
  }
  push_wanted_family(L, p, family);
  return 2;
}

/* unix_plan(path, opts) → plan */
static int inner_unix_plan(lua_State *L) {
  static const char *const known[] = {OPTIONS, NULL};
  enum { OPTS = 2 };
  size_t size;
  lua_settop(L, OPTS);
  aw_lua_check_type(L, 1, LUA_TSTRING); /* a number is a slip for a port */
  const char *path = lua_tolstring(L, 1, &size);
  plan *p = push_plan(L, "unix.connect");
  if (!lua_isnil(L, OPTS)) {
    aw_lua_check_options(L, OPTS, known, false);
    awio_check_socket_options(L, OPTS, &p->options);
  }
  int rc = awio_address_of_path(path, size, &p->to);
  if (rc < 0)
    awio_refuse_path(L, rc, "connect", path, size);
  return 1;
}

/* ---- attempts ---- */

/* Push an attempt for the plan at 1: for the address and the port at 2 and 3,
 * or for the path of the plan. */
static attempt *push_attempt(lua_State *L) {
  const plan *p = lua_touserdata(L, 1);
  attempt *a = lua_newuserdatauv(L, sizeof *a, 0);
  memset(a, 0, sizeof *a);
  a->plan = *p;
  a->to = p->to;
  a->fd = -1;
  if (a->to.length == 0)
    awio_address_parse(luaL_checkstring(L, 2), (int)luaL_checkinteger(L, 3),
                       &a->to);
  luaL_setmetatable(L, ATTEMPT);
  return a;
}

/* Raise that the attempt failed. Its address came from the name at 4, if there
 * is one. */
static int fail_attempt(lua_State *L, const attempt *a, int code) {
  enum { NAME = 4 };
  char text[2 * AWIO_ADDRESS_TEXT + 16];
  if (code == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  attempt_describe(a, text, sizeof text);
  if (lua_isnil(L, NAME))
    return aw_lua_system_error(L, code, "connect", text);
  const char *where =
      awio_push_where(L, lua_tostring(L, NAME), (int)lua_tointeger(L, 3));
  lua_pushfstring(L, "%s (tried %s)", where, text);
  return aw_lua_system_error(L, code, "connect", lua_tostring(L, -1));
}

static int after_attempt(lua_State *L, int result, void *data) {
  attempt *a = data;
  if (result < 0) {
    end_attempt(a);
    return fail_attempt(L, a, result);
  }
  return aw_lua_take_results(L, aw_lua_task(L, a->plan.what));
}

/* attempt(plan [, address, port [, name]]) → Stream. Awaits. `name` is the name
 * that was resolved to the address. */
static int inner_attempt(lua_State *L) {
  enum { ARGUMENTS = 4 };
  lua_settop(L, ARGUMENTS);
  attempt *a = push_attempt(L);
  return aw_lua_await(L, &connecting, a, a->plan.what, after_attempt);
}

/* Attempt(plan, address, port) → a wire, to be run once; its attempt */
static int inner_Attempt(lua_State *L) {
  attempt *a = push_attempt(L);
  aw_lua_push_wire(L, aw_wait_for(&connecting, a), -1);
  lua_insert(L, -2);
  return 2;
}

/* failed(attempt): its wire has failed. If the engine could not watch the
 * descriptor, it is still open. */
static int inner_failed(lua_State *L) {
  end_attempt(luaL_checkudata(L, 1, ATTEMPT));
  return 0;
}

static int kept(lua_State *L, int result, void *data) {
  (void)result;
  (void)data;
  lua_settop(L, 1);
  return 1;
}

/* keep(stream, plan) → stream. In a cancelled task, close the stream and raise
 * Cancelled instead: no user code may see it. */
static int inner_keep(lua_State *L) {
  lua_settop(L, 2);
  const plan *p = lua_touserdata(L, 2);
  if (!aw_task_cancelled(aw_lua_task(L, p->what)))
    return kept(L, 0, NULL);
  awio_stream **box = awio_to_stream(L, 1);
  awio_stream_close(*box, aw_lua_engine(L));
  return aw_lua_await(L, NULL, NULL, p->what, kept); /* raises Cancelled */
}

/* connect_error(errno, about) → a SystemError of "connect" */
static int inner_connect_error(lua_State *L) {
  aw_lua_push_system_error(L, (int)-luaL_checkinteger(L, 1), "connect",
                           luaL_checkstring(L, 2));
  return 1;
}

void awio_open_connect(lua_State *L) {
  static const luaL_Reg inner[] = {{"tcp_plan", inner_tcp_plan},
                                   {"unix_plan", inner_unix_plan},
                                   {"attempt", inner_attempt},
                                   {"Attempt", inner_Attempt},
                                   {"failed", inner_failed},
                                   {"keep", inner_keep},
                                   {"connect_error", inner_connect_error},
                                   {NULL, NULL}};
  luaL_newmetatable(L, ATTEMPT);
  lua_pop(L, 1);
  awio_add_inner(L, inner);
}
