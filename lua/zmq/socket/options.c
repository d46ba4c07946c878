/* options.c - the table of socket options, and how they are read and set
 *
 * Names are libzmq's in lower case, without "ZMQ_"; units are libzmq's. Flags
 * are booleans in Lua. A few options are stored in our socket as well, or only
 * there: see get_special() and set_special().
 *
 * `conflate`: libzmq conflates sent messages (PUB, PUSH). message.c conflates
 * received messages (SUB, PULL, DEALER), of any number of parts: libzmq would
 * abort the program if a peer sent several. `rcvhwm` sets no limit then, as in
 * libzmq. What a DEALER sends is not conflated.
 *
 * High-water marks cannot change once a socket is attached: libzmq passes a new
 * mark to the other end of each connection, also to an end that it has freed
 * because the connection is ending, and the program crashes. Nobody outside of
 * libzmq can see whether a connection is ending.
 *
 * Longer than 500 lines for its table.
 */
#include "security/curve.h"
#include "security/guard.h"
#include "security/mechanism.h"
#include "watch/subscribers.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

typedef enum kind { INT, FLAG, INT64, UINT64, BYTES, TEXT, KEY } kind;
/* LATE: the option takes effect at the next bind or connect. */
typedef enum direction {
  R = 1,
  W = 2,
  RW = R | W,
  LATE = 4,
  W_LATE = W | LATE,
  RW_LATE = RW | LATE
} direction;

typedef struct option {
  const char *name;
  int number;
  kind kind;
  direction access;
} option;

enum {
  ROUTING_ID = 5,
  EVENTS = 15,
  LINGER = 17,
  MAXMSGSIZE = 22,
  SNDHWM = 23,
  RCVHWM = 24,
  ROUTER_MANDATORY = 33,
  LAST_ENDPOINT = 32,
  FD = 14,
  ROUTER_RAW = 41,
  CONFLATE = 54,
  ZAP_DOMAIN = 55,
  CONNECT_ROUTING_ID = 61,
  TYPE = 16,
  XPUB_VERBOSE = 40,
  XPUB_MANUAL = 71,
  INVERT_MATCHING = 74,
  XPUB_VERBOSER = 78,
  XPUB_WELCOME_MSG = 72,
  MAX_PARTS = -1, /* not libzmq's, and the next one, too */
  HWM = -2
};

static const option options[] = {
    {"affinity", 4, UINT64, RW_LATE},
    {"routing_id", ROUTING_ID, BYTES, RW_LATE},
    {"identity", ROUTING_ID, BYTES, RW_LATE}, /* its old name */
    {"subscribe", 6, BYTES, W},
    {"unsubscribe", 7, BYTES, W},
    {"rate", 8, INT, RW_LATE},
    {"recovery_ivl", 9, INT, RW_LATE},
    {"sndbuf", 11, INT, RW_LATE},
    {"rcvbuf", 12, INT, RW_LATE},
    {"rcvmore", 13, FLAG, R},
    {"fd", FD, INT, R},
    {"events", EVENTS, INT, R},
    {"type", TYPE, INT, R},
    {"linger", LINGER, INT, RW},
    {"reconnect_ivl", 18, INT, RW_LATE},
    {"backlog", 19, INT, RW_LATE},
    {"reconnect_ivl_max", 21, INT, RW_LATE},
    {"maxmsgsize", MAXMSGSIZE, INT64, RW_LATE},
    {"sndhwm", SNDHWM, INT, RW},
    {"rcvhwm", RCVHWM, INT, RW},
    {"multicast_hops", 25, INT, RW_LATE},
    {"rcvtimeo", 27, INT, RW},
    {"sndtimeo", 28, INT, RW},
    {"last_endpoint", LAST_ENDPOINT, TEXT, R},
    {"router_mandatory", ROUTER_MANDATORY, FLAG, RW},
    {"tcp_keepalive", 34, INT, RW_LATE},
    {"tcp_keepalive_cnt", 35, INT, RW_LATE},
    {"tcp_keepalive_idle", 36, INT, RW_LATE},
    {"tcp_keepalive_intvl", 37, INT, RW_LATE},
    {"tcp_accept_filter", 38, BYTES, W_LATE},
    {"immediate", 39, FLAG, RW_LATE},
    {"xpub_verbose", XPUB_VERBOSE, FLAG, W},
    {"router_raw", ROUTER_RAW, FLAG, W},
    {"ipv6", 42, FLAG, RW_LATE},
    {"mechanism", 43, INT, R},
    {"plain_server", 44, FLAG, RW_LATE},
    {"plain_username", 45, TEXT, RW_LATE},
    {"plain_password", AWZ_PLAIN_PASSWORD, TEXT, RW_LATE},
    {"curve_server", 47, FLAG, RW_LATE},
    {"curve_publickey", AWZ_CURVE_PUBLICKEY, KEY, RW_LATE},
    {"curve_secretkey", AWZ_CURVE_SECRETKEY, KEY, RW_LATE},
    {"curve_serverkey", AWZ_CURVE_SERVERKEY, KEY, RW_LATE},
    {"probe_router", 51, FLAG, W},
    {"req_correlate", 52, FLAG, W},
    {"req_relaxed", 53, FLAG, W},
    {"conflate", CONFLATE, FLAG, RW},
    {"zap_domain", ZAP_DOMAIN, TEXT, RW_LATE},
    {"router_handover", 56, FLAG, W},
    {"tos", 57, INT, RW_LATE},
    {"ipc_filter_pid", 58, INT, W_LATE},
    {"ipc_filter_uid", 59, INT, W_LATE},
    {"ipc_filter_gid", 60, INT, W_LATE},
    {"connect_routing_id", CONNECT_ROUTING_ID, BYTES, W},
    {"gssapi_server", 62, FLAG, RW_LATE},
    {"gssapi_principal", 63, TEXT, RW_LATE},
    {"gssapi_service_principal", 64, TEXT, RW_LATE},
    {"gssapi_plaintext", 65, FLAG, RW_LATE},
    {"handshake_ivl", 66, INT, RW_LATE},
    {"socks_proxy", 68, TEXT, RW_LATE},
    {"xpub_nodrop", 69, FLAG, W},
    {"xpub_manual", XPUB_MANUAL, FLAG, W},
    {"xpub_welcome_msg", 72, BYTES, W},
    {"stream_notify", 73, FLAG, W_LATE},
    {"invert_matching", INVERT_MATCHING, FLAG, RW},
    {"heartbeat_ivl", 75, INT, RW_LATE},
    {"heartbeat_ttl", 76, INT, RW_LATE},
    {"heartbeat_timeout", 77, INT, RW_LATE},
    {"xpub_verboser", XPUB_VERBOSER, FLAG, W},
    {"connect_timeout", 79, INT, RW_LATE},
    {"tcp_maxrt", 80, INT, RW_LATE},
    {"thread_safe", 81, FLAG, R},
    {"multicast_maxtpdu", 84, INT, RW_LATE},
    {"vmci_buffer_size", 85, UINT64, RW_LATE},
    {"vmci_buffer_min_size", 86, UINT64, RW_LATE},
    {"vmci_buffer_max_size", 87, UINT64, RW_LATE},
    {"vmci_connect_timeout", 88, INT, RW_LATE},
    {"use_fd", 89, INT, RW_LATE},
    {"gssapi_principal_nametype", 90, INT, RW_LATE},
    {"gssapi_service_principal_nametype", 91, INT, RW_LATE},
    {"bindtodevice", 92, TEXT, RW_LATE},
    {"max_parts", MAX_PARTS, INT, RW},
    {"hwm", HWM, INT, RW},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const char *option_at(const void *list, size_t index) {
  (void)list;
  return index < OPTIONS ? options[index].name : NULL;
}

static const option *find_option(const char *name) {
  for (size_t i = 0; i < OPTIONS; i++)
    if (strcmp(options[i].name, name) == 0)
      return &options[i];
  return NULL;
}

const char *awz_nearest_option(const char *name) {
  const option *found = find_option(name);
  return found ? found->name : aw_lua_nearest(name, option_at, NULL);
}

static const option *find_number(lua_Integer number) {
  for (size_t i = 0; i < OPTIONS; i++)
    if (options[i].number == number)
      return &options[i];
  return NULL;
}

/* Returns the option whose name or number is at 2. Raises. */
static const option *check_option(lua_State *L) {
  bool is_number = lua_type(L, 2) == LUA_TNUMBER;
  if (!is_number && lua_type(L, 2) != LUA_TSTRING)
    awz_error(L, "the name of an option is a string, got %s",
              aw_lua_type_name(L, 2));
  const option *found = is_number ? find_number(lua_tointeger(L, 2))
                                  : find_option(lua_tostring(L, 2));
  if (found)
    return found;
  const char *name = luaL_tolstring(L, 2, NULL);
  awz_push_nearest(L, name, option_at);
  awz_error(L, "a zmq socket has no option '%s'%s", name, lua_tostring(L, -1));
  return NULL;
}

void awz_push_options(lua_State *L) {
  lua_createtable(L, OPTIONS, 0);
  for (int i = 0; i < OPTIONS; i++) {
    awz_push_entry(L, options[i].name, options[i].number);
    lua_pushboolean(L, options[i].access & R);
    lua_setfield(L, -2, "readable");
    lua_pushboolean(L, options[i].access & W);
    lua_setfield(L, -2, "writable");
    lua_rawseti(L, -2, i + 1);
  }
}

/* Raise an error that names the option and the socket. */
static int fail_option(lua_State *L, const awz_socket *s, const option *o,
                       int code, const char *verb) {
  if (code == -EINVAL)
    return awz_error(L,
                     "cannot %s option '%s' of a %s socket: a bad value, or "
                     "not for this type or this libzmq",
                     verb, o->name, s->type->name);
  lua_pushfstring(L, "option %s of a %s socket", o->name, s->type->name);
  return aw_lua_system_error(L, code, verb, lua_tostring(L, -1));
}

/* ---- reading ---- */

typedef union number {
  int i;
  int64_t i64;
  uint64_t u64;
} number;

static size_t size_of(kind k) {
  return k == INT || k == FLAG ? sizeof(int) : sizeof(int64_t);
}

/* libzmq does not count messages that our socket holds in its events. */
static int read_number(awz_socket *s, const option *o, number *out) {
  size_t size = size_of(o->kind);
  if (o->number != EVENTS)
    return awz_raw_get(s, o->number, out, &size);
  awz_subscribers_read(s);
  out->i = aw_zmq_events(s->ready);
  return out->i < 0 ? out->i : 0;
}

static int get_number(lua_State *L, awz_socket *s, const option *o) {
  number n = {.u64 = 0};
  int rc = read_number(s, o, &n);
  if (rc < 0)
    return fail_option(L, s, o, rc, "get");
  if (o->number == FD)
    aw_lua_tell_fd(L, 1, n.i);
  if (o->kind == FLAG)
    lua_pushboolean(L, n.i != 0);
  else
    lua_pushinteger(L, o->kind == INT ? (lua_Integer)n.i : (lua_Integer)n.i64);
  return 1;
}

static int get_text(lua_State *L, awz_socket *s, const option *o) {
  enum { KEY_AS_TEXT = 41 };
  char buffer[1024];
  size_t size = o->kind == KEY ? KEY_AS_TEXT : sizeof buffer;
  int rc = awz_raw_get(s, o->number, buffer, &size);
  if (rc < 0)
    return fail_option(L, s, o, rc, "get");
  if (o->kind != BYTES && size > 0 && buffer[size - 1] == '\0')
    size--;
  if (awz_is_secret(o->number))
    awz_push_secret(L, buffer, size, sizeof buffer);
  else
    lua_pushlstring(L, buffer, size);
  return 1;
}

/* Options that libzmq cannot read, or that have another meaning here. Returns
 * false for all others. */
static bool get_special(lua_State *L, const awz_socket *s, const option *o) {
  switch (o->number) {
  case MAX_PARTS: lua_pushinteger(L, (lua_Integer)s->max_parts); return true;
  case LINGER: lua_pushinteger(L, s->linger); return true;
  case TYPE: lua_pushinteger(L, s->type->number); return true;
  case ROUTER_MANDATORY: lua_pushboolean(L, s->strict); return true;
  case CONFLATE: lua_pushboolean(L, s->conflated); return true;
  case ZAP_DOMAIN:
    if (s->domain)
      lua_pushstring(L, s->domain);
    return s->domain != NULL;
  case LAST_ENDPOINT:
    if (s->shown)
      lua_pushstring(L, s->shown);
    return s->shown != NULL;
  default: return false;
  }
}

int awz_get_option(lua_State *L, awz_socket *s) {
  const option *o = check_option(L);
  if (!(o->access & R))
    return awz_error(L, "option '%s' of a zmq socket can only be set", o->name);
  if (o->number == HWM)
    o = find_number(SNDHWM);
  if (get_special(L, s, o))
    return 1;
  return o->kind >= BYTES ? get_text(L, s, o) : get_number(L, s, o);
}

/* ---- setting ---- */

static int bad_value(lua_State *L, const option *o, const char *expected) {
  bool is_shown = lua_type(L, 3) == LUA_TNUMBER && !awz_is_secret(o->number);
  const char *got =
      is_shown ? luaL_tolstring(L, 3, NULL) : aw_lua_type_name(L, 3);
  return awz_error(L, "bad value for option '%s' (%s expected, got %s)",
                   o->name, expected, got);
}

static lua_Integer check_option_number(lua_State *L, const option *o) {
  int is_integer;
  lua_Integer value = lua_tointegerx(L, 3, &is_integer);
  if (lua_type(L, 3) != LUA_TNUMBER || !is_integer)
    bad_value(L, o, "integer");
  if (o->kind == INT && (value < INT_MIN || value > INT_MAX))
    bad_value(L, o, "32-bit integer");
  if (o->kind == UINT64 && value < 0)
    bad_value(L, o, "integer, not negative,");
  return value;
}

static int check_flag(lua_State *L, const option *o) {
  if (lua_isboolean(L, 3))
    return lua_toboolean(L, 3);
  int is_integer;
  lua_Integer value = lua_tointegerx(L, 3, &is_integer);
  if (lua_type(L, 3) != LUA_TNUMBER || !is_integer || value < 0 || value > 1)
    bad_value(L, o, "boolean");
  return (int)value;
}

static void set_raw(lua_State *L, awz_socket *s, const option *o, int which,
                    const void *value, size_t size) {
  int rc = awz_raw_set(s, which, value, size);
  if (rc < 0)
    fail_option(L, s, o, rc, "set");
}

/* Tells whether the text is a name of a peer that looks like the numbers which
 * a ROUTER gives to peers without a name. libzmq aborts when it reaches that
 * number. */
static bool is_number(const option *o, const char *text, size_t size) {
  bool is_name = o->number == ROUTING_ID || o->number == CONNECT_ROUTING_ID;
  return is_name && size == 5 && text[0] == '\0';
}

static void set_text(lua_State *L, awz_socket *s, const option *o) {
  size_t size = 0;
  const char *text = NULL;
  bool may_be_nil = o->kind == TEXT;
  if (!(may_be_nil && lua_isnil(L, 3))) {
    if (lua_type(L, 3) != LUA_TSTRING)
      bad_value(L, o, "string");
    text = lua_tolstring(L, 3, &size);
    if (o->kind == TEXT && strlen(text) != size)
      bad_value(L, o, "string without a zero byte");
  }
  bool names = o->number == CONNECT_ROUTING_ID;
  if (is_number(o, text, size) || (names && !s->type->addressed))
    fail_option(L, s, o, -EINVAL, "set");
  int rc = names ? awz_name_next(s, text, size)
                 : awz_raw_set(s, o->number, text, size);
  if (names && rc == -EOPNOTSUPP)
    awz_error(L,
              "cannot set option '%s' of a %s socket that others reach over "
              "tcp or ipc: a peer could take the name first (name peers by a "
              "socket that only connects, or before its bind)",
              o->name, s->type->name);
  if (rc < 0)
    fail_option(L, s, o, rc, "set");
}

static void set_key(lua_State *L, awz_socket *s, const option *o) {
  int rc = awz_set_key(L, s, o->number, o->name);
  if (rc < 0)
    fail_option(L, s, o, rc, "set");
}

static void set_number(lua_State *L, awz_socket *s, const option *o) {
  int64_t value =
      o->kind == FLAG ? check_flag(L, o) : check_option_number(L, o);
  number n = {.i64 = value};
  if (o->kind == INT || o->kind == FLAG)
    n.i = (int)value;
  set_raw(L, s, o, o->number, &n, size_of(o->kind));
}

static void set_max_parts(lua_State *L, awz_socket *s, const option *o) {
  lua_Integer count = check_option_number(L, o);
  if (count < 1)
    bad_value(L, o, "positive integer");
  s->max_parts = (size_t)count;
}

/* libzmq aborts the program if a socket with linger 0 is closed in the middle
 * of a message and loses its connection just then (libzmq issue 3442). So
 * libzmq gets at least a moment, in which it can end that message. */
static void set_linger(lua_State *L, awz_socket *s, const option *o) {
  enum { MOMENT = 10 /* ms */ };
  int value = (int)check_option_number(L, o);
  int least = value == 0 ? MOMENT : value;
  set_raw(L, s, o, LINGER, &least, sizeof least);
  s->linger = value;
}

/* Set one of the high-water marks. */
static void set_mark(lua_State *L, awz_socket *s, const option *o, int which,
                     int value) {
  int now = -1;
  size_t size = sizeof now;
  if (awz_raw_get(s, which, &now, &size) == 0 && now == value)
    return;
  if (s->attached)
    fail_option(L, s, o, -EISCONN, "set");
  set_raw(L, s, o, which, &value, sizeof value);
}

/* A socket that is always read until it is empty needs no limit. A limit would
 * keep new messages behind old ones. */
static void set_rcvhwm(lua_State *L, awz_socket *s, const option *o,
                       int value) {
  set_mark(L, s, o, RCVHWM, s->drains && value >= 0 ? 0 : value);
}

/* Note an option that has no effect on connections and addresses so far. */
static void note_late(lua_State *L, awz_socket *s, const option *o) {
  if (!s->attached || s->late_count == AWZ_LATE)
    return;
  const char *where = aw_lua_where(L);
  s->late[s->late_count++] = (awz_late){o->name, where};
}

/* Only a PUB of libzmq conflates, and only an XPUB knows its subscribers. */
static void set_pub_conflate(lua_State *L, awz_socket *s, const option *o,
                             int value) {
  int rc = value == s->conflated
               ? 0
               : awz_socket_change_type(s, value ? AWZ_PUB : AWZ_XPUB);
  if (rc == AW_EBUSY)
    awz_error(L, "cannot set option '%s' while a task waits for the socket",
              o->name);
  if (rc < 0)
    fail_option(L, s, o, rc, "set");
  if (value != s->conflated)
    awz_subscribers_reset(s, !value);
  set_raw(L, s, o, CONFLATE, &value, sizeof value);
  s->overwrites = value;
}

static void set_conflate(lua_State *L, awz_socket *s, const option *o) {
  static const int USUAL = 1000;
  int value = check_flag(L, o);
  if (value && !s->type->conflates)
    fail_option(L, s, o, -EINVAL, "set");
  if (s->type->receives && value != s->drains) {
    awz_message_drain(s, value);
    if (value) /* if that fails, the next waiter reads it */
      (void)aw_zmq_attend(s->ready, aw_lua_engine(L));
    if (!s->attached)
      set_rcvhwm(L, s, o, USUAL);
  } else if (s->type->number == AWZ_PUB) {
    set_pub_conflate(L, s, o, value);
  } else if (!s->type->receives) {
    set_raw(L, s, o, CONFLATE, &value, sizeof value);
    note_late(L, s, o);
    s->overwrites = s->overwrites || value;
  }
  s->conflated = value;
}

/* When a ROUTER becomes raw, its peers keep their names, but routing_id.c would
 * not check for them any more. So that is refused once it is attached. */
static void set_router_raw(lua_State *L, awz_socket *s, const option *o) {
  bool value = check_flag(L, o);
  if (s->attached && value != s->numbers)
    fail_option(L, s, o, -EISCONN, "set");
  set_number(L, s, o);
  s->numbers = s->numbers || value; /* libzmq cannot undo it */
}

static void set_server_of(lua_State *L, awz_socket *s, const option *o) {
  int rc = awz_mechanism_serve(s, o->number, check_flag(L, o));
  if (rc == AW_EBUSY)
    awz_error(L,
              "cannot set option '%s' of a %s socket: it is a server of "
              "another mechanism, and has only one",
              o->name, s->type->name);
  if (rc < 0)
    fail_option(L, s, o, rc, "set");
  note_late(L, s, o);
}

/* security/guard.c gives the domain to libzmq, at the next bind or connect. */
static void set_zap_domain(lua_State *L, awz_socket *s, const option *o) {
  size_t size = 0;
  const char *text = NULL;
  if (!lua_isnil(L, 3)) {
    if (lua_type(L, 3) != LUA_TSTRING)
      bad_value(L, o, "string");
    text = lua_tolstring(L, 3, &size);
    if (strlen(text) != size)
      bad_value(L, o, "string without a zero byte");
  }
  int rc = awz_guard_domain(s, text, size);
  if (rc < 0)
    fail_option(L, s, o, rc, "set");
  note_late(L, s, o);
}

/* What libzmq reports of the subscribers of a PUB stays inside, so it need not
 * be more than usual. */
static void set_verbosity(lua_State *L, awz_socket *s, const option *o,
                          awz_reporting what) {
  bool value = check_flag(L, o);
  if (s->type->number == AWZ_PUB)
    return;
  set_number(L, s, o);
  awz_subscribers_report(s, what, value);
}

/* Set an option that we store, or that needs a check. Returns false for all
 * others. */
static bool set_special(lua_State *L, awz_socket *s, const option *o) {
  if (awz_mechanism_serves(o->number)) {
    set_server_of(L, s, o);
    return true;
  }
  switch (o->number) {
  case MAX_PARTS: set_max_parts(L, s, o); return true;
  case LINGER: set_linger(L, s, o); return true;
  case ROUTER_MANDATORY:
    if (s->type->number != AWZ_ROUTER)
      fail_option(L, s, o, -EINVAL, "set");
    s->strict = check_flag(L, o);
    return true;
  case CONFLATE: set_conflate(L, s, o); return true;
  case XPUB_VERBOSE: set_verbosity(L, s, o, AWZ_VERBOSE); return true;
  case XPUB_VERBOSER: set_verbosity(L, s, o, AWZ_VERBOSER); return true;
  case ROUTER_RAW: set_router_raw(L, s, o); return true;
  case ZAP_DOMAIN: set_zap_domain(L, s, o); return true;
  case SNDHWM:
    set_mark(L, s, o, SNDHWM, (int)check_option_number(L, o));
    return true;
  case RCVHWM: set_rcvhwm(L, s, o, (int)check_option_number(L, o)); return true;
  case HWM: {
    int value = (int)check_option_number(L, o);
    set_mark(L, s, o, SNDHWM, value);
    set_rcvhwm(L, s, o, value);
    return true;
  }
  default: return false;
  }
}

void awz_tell_late(lua_State *L, const awz_box *box) {
  awz_socket *s;
  while ((s = awz_socket_in(box)) != NULL && s->late_count > 0) {
    awz_late late = s->late[0];
    memmove(s->late, s->late + 1, --s->late_count * sizeof late);
    if (!late.option) {
      awz_guard_tell(L, s, late.where);
      continue;
    }
    lua_pushfstring(L,
                    "option '%s' of a %s socket came too late: it counts for "
                    "what is bound or connected after it, and nothing was",
                    late.option, s->type->name);
    aw_lua_mistake(L, late.where, late.option);
  }
}

static void note(lua_State *L, awz_socket *s, const option *o) {
  if (o->access & LATE)
    note_late(L, s, o);
  if (o->number == MAXMSGSIZE)
    s->max_size = lua_tointeger(L, 3);
  else if (o->number == XPUB_WELCOME_MSG)
    s->welcomes = lua_rawlen(L, 3) > 0;
  else if (o->number == XPUB_MANUAL)
    awz_subscribers_report(s, AWZ_MANUAL, check_flag(L, o));
  else if (o->number == INVERT_MATCHING)
    awz_subscribers_report(s, AWZ_INVERTED, check_flag(L, o));
}

/* An option must not count for a connect that came before it. */
static void check_unresolved(lua_State *L, const awz_socket *s,
                             const option *o) {
  bool late = (o->access & LATE) || o->number == CONFLATE;
  if (late && s->unresolved > 0)
    awz_error(L,
              "option '%s' of a %s socket comes too early: it would count for "
              "an earlier connect, to a host whose name is being looked up",
              o->name, s->type->name);
}

int awz_set_option(lua_State *L, awz_socket *s) {
  const option *o = check_option(L);
  if (!(o->access & W))
    return awz_error(L, "option '%s' of a zmq socket can only be read",
                     o->name);
  check_unresolved(L, s, o);
  if (set_special(L, s, o))
    return 0;
  if (o->kind == KEY)
    set_key(L, s, o);
  else if (o->kind >= BYTES)
    set_text(L, s, o);
  else
    set_number(L, s, o);
  int rc = awz_mechanism_keep(s, o->number);
  if (rc < 0)
    fail_option(L, s, o, rc, "set");
  note(L, s, o);
  return 0;
}
