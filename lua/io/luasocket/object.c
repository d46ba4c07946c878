/* object.c - the classes of aw.socket, and their small methods
 *
 * The role of a socket is its class: "tcp{master}" becomes "tcp{client}" by
 * connect(). All classes of a kind have the same methods, so a method checks
 * the role. The userdata is a pointer to the awio_ls; its metatable has the
 * MARK. A finalized socket has none: the pointer is NULL.
 */
#include "base/waiters.h"
#include "luasocket/luasocket.h"

#include "io.h"

#include <lauxlib.h>

#include <math.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* the address of MARK is a key of the metatables */
static const char MARK = 's';

typedef struct ls_class {
  const char *name; /* as LuaSocket's */
  const char *kind;
  unsigned role;
} ls_class;

static const ls_class classes[] = {
    {"tcp{master}", "tcp", AWIO_LS_MASTER},
    {"tcp{client}", "tcp", AWIO_LS_CLIENT},
    {"tcp{server}", "tcp", AWIO_LS_SERVER},
    {"unixstream{master}", "unix", AWIO_LS_MASTER},
    {"unixstream{client}", "unix", AWIO_LS_CLIENT},
    {"unixstream{server}", "unix", AWIO_LS_SERVER},
    {"udp{unconnected}", "udp", AWIO_LS_UNCONNECTED},
    {"udp{connected}", "udp", AWIO_LS_CONNECTED},
};
enum { CLASSES = sizeof classes / sizeof *classes };

static const char *kind_of(const awio_ls *s) {
  return s->type == SOCK_DGRAM    ? "udp"
         : s->family == AF_UNIX ? "unix"
                                : "tcp";
}

static const ls_class *class_of(const char *kind, unsigned role) {
  const ls_class *c = classes;
  while (strcmp(c->kind, kind) != 0 || c->role != role)
    c++;
  return c;
}

/* Set the metatable of the userdata on top. Names of the registry are ours. */
static void set_class(lua_State *L, const awio_ls *s) {
  lua_pushfstring(L, "aiowire.%s", class_of(kind_of(s), s->role)->name);
  lua_rawget(L, LUA_REGISTRYINDEX);
  lua_setmetatable(L, -2);
}

void awio_ls_become(lua_State *L, awio_ls *s, unsigned role) {
  s->role = role;
  lua_pushvalue(L, 1);
  set_class(L, s);
  lua_pop(L, 1);
}

/* ---- checking ---- */

/* The text for a wrong object, as "tcp{client} expected". */
static const char *expected_class(lua_State *L, const char *kind,
                                  unsigned roles) {
  bool streams = (roles & AWIO_LS_STREAMS) != 0 && strcmp(kind, "udp") != 0;
  const char *name = strcmp(kind, "unix") == 0 ? "unixstream"
                     : streams                 ? "tcp"
                                               : "udp";
  unsigned own = roles & (streams ? AWIO_LS_STREAMS : AWIO_LS_DATAGRAMS);
  bool any = own == AWIO_LS_STREAMS || own == AWIO_LS_DATAGRAMS;
  if (any)
    return lua_pushfstring(L, "%s{any} expected", name);
  return lua_pushfstring(L, "%s expected",
                         class_of(streams && *name == 'u' ? "unix" : name, own)
                             ->name);
}

/* Return the userdata at 1 if it is a socket, or NULL. */
static awio_ls **to_socket(lua_State *L) {
  awio_ls **box = lua_touserdata(L, 1);
  if (!box || !lua_getmetatable(L, 1))
    return NULL;
  bool is = lua_rawgetp(L, -1, &MARK) != LUA_TNIL;
  lua_pop(L, 2);
  return is ? box : NULL;
}

awio_ls *awio_ls_check(lua_State *L, unsigned roles) {
  awio_ls **box = to_socket(L);
  if (!box || !*box || !((*box)->role & roles))
    aw_lua_arg_error(
        L, 1, expected_class(L, box && *box ? kind_of(*box) : "tcp", roles));
  return *box;
}

awio_ls *awio_ls_again(lua_State *L) {
  return awio_ls_check(L, AWIO_LS_ANY);
}

double awio_ls_opt_number(lua_State *L, int arg, double otherwise) {
  if (lua_isnoneornil(L, arg))
    return otherwise;
  if (!lua_isnumber(L, arg))
    aw_lua_type_error(L, arg, "number");
  return lua_tonumber(L, arg);
}

void awio_ls_refuse(lua_State *L, int code) {
  if (code == AW_ENOMEM)
    luaL_error(L, "not enough memory");
}

int awio_ls_fail(lua_State *L, int code) {
  awio_ls_refuse(L, code);
  lua_pushnil(L);
  lua_pushstring(L, awio_ls_text(code));
  return 2;
}

int awio_ls_done(lua_State *L, int code) {
  if (code < 0)
    return awio_ls_fail(L, code);
  lua_pushnumber(L, 1);
  return 1;
}

/* ---- making and closing ---- */

static double time_of_day(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  return (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

void awio_ls_close(awio_ls *s, aw_engine *engine) {
  int fd = s->fd;
  if (fd < 0)
    return;
  awio_waits_end(&s->keeper, s->engine, engine, fd);
  aw_ready_done(&s->keeper);
  if (s->spread && engine) { /* this wakes the tasks of the other engine */
    shutdown(fd, SHUT_RDWR);
    return;
  }
  s->fd = -1;
  close(fd);
}

static void free_ls(awio_ls *s) {
  awio_ls_close(s, NULL);
  awio_buffer_free(&s->in);
  aw_free(s);
}

/* Lua has skipped the finalizer: release the socket here. */
static void release_lost_ls(aw_lua_held *held) {
  free_ls((awio_ls *)((char *)held - offsetof(awio_ls, held)));
}

awio_ls *awio_ls_push(lua_State *L, int family, int type, unsigned role) {
  enum { WEIGHT = 2 * 1024 }; /* of a descriptor and its socket, a guess */
  awio_ls **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  awio_ls model = {.fd = -1, .family = family, .type = type, .role = role};
  set_class(L, &model);
  aw_lua_weigh(L, WEIGHT);
  awio_ls *s = aw_allocate(sizeof *s);
  if (!s)
    luaL_error(L, "not enough memory");
  *s = model;
  s->held.release = release_lost_ls;
  s->here = aw_lua_place(L);
  s->block = s->total = -1;
  s->born = time_of_day();
  *box = s;
  aw_lua_hold(L, &s->held);
  awio_ls_note_maker(L, s);
  return s;
}

static int ls_close(lua_State *L) {
  aw_engine *engine = aw_lua_engine(L); /* first: it may run a finalizer */
  awio_ls_close(awio_ls_check(L, AWIO_LS_ANY), engine);
  lua_pushnumber(L, 1);
  return 1;
}

static int ls_gc(lua_State *L) {
  awio_ls **box = lua_touserdata(L, 1);
  awio_ls *s = *box;
  if (!s)
    return 0;
  *box = NULL;
  aw_lua_let_go(&s->held);
  if (s->engine)
    awio_ls_close(s, aw_lua_engine(L));
  free_ls(s);
  return 0;
}

static int ls_tostring(lua_State *L) {
  awio_ls **box = to_socket(L);
  if (box && *box)
    lua_pushfstring(L, "%s: %p", class_of(kind_of(*box), (*box)->role)->name,
                    lua_topointer(L, 1));
  else
    lua_pushliteral(L, "socket (finalized)");
  return 1;
}

/* ---- small methods ---- */

static int ls_getfd(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  s->keeper.owned = false; /* others may close it now */
  lua_pushnumber(L, s->fd);
  return 1;
}

/* The old descriptor stays open: its new owner closes it. */
static int ls_setfd(lua_State *L) {
  aw_engine *engine = aw_lua_engine(L);
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  aw_lua_arg_check(L, lua_isnumber(L, 2), 2, "number expected");
  awio_waits_end(&s->keeper, s->engine, engine, s->fd);
  aw_ready_done(&s->keeper);
  s->keeper.owned = false;
  s->fd = (int)lua_tonumber(L, 2);
  return 0;
}

static int ls_dirty(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  lua_pushboolean(L, awio_buffer_length(&s->in) > 0);
  return 1;
}

static int ls_getfamily(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  lua_pushstring(L, s->family == AF_INET6 ? "inet6" : "inet4");
  return 1;
}

static int ls_settimeout(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  double seconds = awio_ls_opt_number(L, 2, -1);
  const char *mode = lua_isnoneornil(L, 3) ? "b"
                                           : aw_lua_check_string(L, 3, NULL);
  aw_lua_arg_check(L, *mode == 'b' || *mode == 't' || *mode == 'r', 3,
                   "invalid timeout mode");
  aw_lua_arg_check(L, !isnan(seconds), 2, "a number of seconds expected");
  if (*mode == 'b')
    s->block = seconds;
  else
    s->total = seconds;
  lua_pushnumber(L, 1);
  return 1;
}

static int ls_gettimeout(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  lua_pushnumber(L, s->block);
  lua_pushnumber(L, s->total);
  return 2;
}

static int ls_getstats(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_CLIENT);
  lua_pushnumber(L, s->received);
  lua_pushnumber(L, s->sent);
  lua_pushnumber(L, time_of_day() - s->born);
  return 3;
}

static int ls_setstats(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_CLIENT);
  s->received = trunc(awio_ls_opt_number(L, 2, s->received));
  s->sent = trunc(awio_ls_opt_number(L, 3, s->sent));
  if (lua_isnumber(L, 4))
    s->born = time_of_day() - lua_tonumber(L, 4);
  lua_pushnumber(L, 1);
  return 1;
}

/* ---- classes ---- */

static const luaL_Reg common[] = {
    {"close", ls_close},
    {"dirty", ls_dirty},
    {"getfamily", ls_getfamily},
    {"getfd", ls_getfd},
    {"setfd", ls_setfd},
    {"settimeout", ls_settimeout},
    {"gettimeout", ls_gettimeout},
    {"getsockname", awio_ls_getsockname},
    {"getpeername", awio_ls_getpeername},
    {"setoption", awio_ls_setoption},
    {"getoption", awio_ls_getoption},
    {NULL, NULL}};
static const luaL_Reg of_streams[] = {{"accept", awio_ls_accept},
                                      {"getstats", ls_getstats},
                                      {"setstats", ls_setstats},
                                      {"listen", awio_ls_listen},
                                      {"receive", awio_ls_receive},
                                      {"send", awio_ls_send},
                                      {"shutdown", awio_ls_shutdown},
                                      {NULL, NULL}};
static const luaL_Reg of_datagrams[] = {
    {"receive", awio_ls_receive_datagram},
    {"receivefrom", awio_ls_receivefrom},
    {"send", awio_ls_send_datagram},
    {"sendto", awio_ls_sendto},
    {NULL, NULL}};
static const luaL_Reg meta[] = {
    {"__gc", ls_gc}, {"__close", ls_close}, {"__tostring", ls_tostring},
    {NULL, NULL}};

/* Push the table of methods of a class, and make the class. */
static void make_class(lua_State *L, const ls_class *c) {
  lua_newtable(L);
  aw_lua_set_functions(L, common, 0);
  aw_lua_set_functions(
      L, c->role & AWIO_LS_STREAMS ? of_streams : of_datagrams, 0);
  lua_pushstring(L, c->name);
  lua_setfield(L, -2, "class");
  lua_pushfstring(L, "aiowire.%s", c->name);
  luaL_newmetatable(L, lua_tostring(L, -1)); /* [methods, name, meta] */
  lua_pushstring(L, c->name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, true);
  lua_rawsetp(L, -2, &MARK);
  aw_lua_set_functions(L, meta, 0);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 2);
}

/* ls_new(family, type, role) → a socket; family "inet", "inet6", "unix" or nil
 */
static int inner_ls_new(lua_State *L) {
  bool datagrams = lua_toboolean(L, 2);
  int family = lua_isnil(L, 1) ? AF_UNSPEC : awio_to_family(L, 1);
  if (lua_isstring(L, 1) && strcmp(lua_tostring(L, 1), "unix") == 0)
    family = AF_UNIX;
  awio_ls_push(L, family, datagrams ? SOCK_DGRAM : SOCK_STREAM,
               datagrams ? AWIO_LS_UNCONNECTED : AWIO_LS_MASTER);
  return 1;
}

/* ls_state(socket) → family or nil, descriptor, seconds that a call may wait;
 * raises for what is no socket with one of the roles at 2 */
static int inner_ls_state(lua_State *L) {
  awio_ls *s = awio_ls_check(L, (unsigned)lua_tointeger(L, 2));
  awio_push_family(L, s->family);
  lua_pushinteger(L, s->fd);
  lua_pushnumber(L, s->block < 0                      ? s->total
                    : s->total < 0 || s->block < s->total ? s->block
                                                      : s->total);
  return 3;
}

/* ls_become(socket, role) */
static int inner_ls_become(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  awio_ls_become(L, s, (unsigned)lua_tointeger(L, 2));
  return 0;
}

/* [inner, module]: inner.ls_methods = { [name of a class] = its methods } */
void awio_open_luasocket(lua_State *L) {
  static const luaL_Reg inner[] = {{"ls_new", inner_ls_new},
                                   {"ls_state", inner_ls_state},
                                   {"ls_become", inner_ls_become},
                                   {NULL, NULL}};
  awio_add_inner(L, inner);
  awio_add_inner(L, awio_ls_address_inner);
  awio_add_inner(L, awio_ls_poll_inner);
  lua_createtable(L, 0, CLASSES);
  for (size_t i = 0; i < CLASSES; i++) {
    make_class(L, &classes[i]);
    lua_setfield(L, -2, classes[i].name);
  }
  lua_setfield(L, -3, "ls_methods");
}
