/* object.c - the userdata of a socket, and its class
 *
 * The role of a socket is its class: "tcp{master}" becomes "tcp{client}" by
 * connect(). All classes of a kind have the same methods, so a method checks
 * the role. The userdata is a pointer to the awio_ls; its metatable has the
 * MARK. A finalized socket has none: the pointer is NULL.
 *
 * Neighbour: methods.c makes the classes.
 */
#include "base/waiters.h"
#include "luasocket/luasocket.h"

#include <lauxlib.h>

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* the address of MARK is a key of the metatables */
static const char MARK = 's';

const awio_ls_class awio_ls_classes[] = {
    {"tcp{master}", "tcp", AWIO_LS_MASTER},
    {"tcp{client}", "tcp", AWIO_LS_CLIENT},
    {"tcp{server}", "tcp", AWIO_LS_SERVER},
    {"unixstream{master}", "unix", AWIO_LS_MASTER},
    {"unixstream{client}", "unix", AWIO_LS_CLIENT},
    {"unixstream{server}", "unix", AWIO_LS_SERVER},
    {"udp{unconnected}", "udp", AWIO_LS_UNCONNECTED},
    {"udp{connected}", "udp", AWIO_LS_CONNECTED},
    {NULL, NULL, 0}};

static const char *ls_kind(const awio_ls *s) {
  return s->type == SOCK_DGRAM ? "udp" : s->family == AF_UNIX ? "unix" : "tcp";
}

static const awio_ls_class *class_of(const char *kind, unsigned role) {
  const awio_ls_class *c = awio_ls_classes;
  while (strcmp(c->kind, kind) != 0 || c->role != role)
    c++;
  return c;
}

/* Set the metatable of the userdata on top. Names of the registry are ours. */
static void set_class(lua_State *L, const awio_ls *s) {
  lua_pushfstring(L, "aiowire.%s", class_of(ls_kind(s), s->role)->name);
  lua_rawget(L, LUA_REGISTRYINDEX);
  lua_setmetatable(L, -2);
}

void awio_ls_become(lua_State *L, awio_ls *s, unsigned role) {
  s->role = role;
  lua_pushvalue(L, 1);
  set_class(L, s);
  lua_pop(L, 1);
}

void awio_ls_mark(lua_State *L) {
  lua_pushboolean(L, true);
  lua_rawsetp(L, -2, &MARK);
}

/* ---- checking ---- */

/* The text for a wrong object of a kind, as "tcp{client} expected". The object
 * may be of another kind than the method. */
static const char *expected_class(lua_State *L, const char *kind,
                                  unsigned roles) {
  unsigned streams = roles & AWIO_LS_STREAMS, own = roles & AWIO_LS_DATAGRAMS;
  if (strcmp(kind, "udp") == 0 && own == 0)
    kind = "tcp";
  else if (streams == 0)
    kind = "udp";
  if (strcmp(kind, "udp") != 0)
    own = streams;
  if (own == AWIO_LS_STREAMS || own == AWIO_LS_DATAGRAMS)
    return lua_pushfstring(L, "%s{any} expected",
                           strcmp(kind, "unix") == 0 ? "unixstream" : kind);
  return lua_pushfstring(L, "%s expected", class_of(kind, own)->name);
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
        L, 1, expected_class(L, box && *box ? ls_kind(*box) : "tcp", roles));
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

int awio_ls_done(lua_State *L) {
  lua_pushnumber(L, 1);
  return 1;
}

/* ---- making and closing ---- */

double awio_ls_time_of_day(void) {
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
  s->born = awio_ls_time_of_day();
  *box = s;
  aw_lua_hold(L, &s->held);
  awio_ls_note_maker(L, s);
  return s;
}

void awio_ls_finalize(lua_State *L) {
  awio_ls **box = lua_touserdata(L, 1);
  awio_ls *s = *box;
  if (!s)
    return;
  *box = NULL;
  aw_lua_let_go(&s->held);
  if (s->engine)
    awio_ls_close(s, aw_lua_engine(L));
  free_ls(s);
}

void awio_ls_push_text(lua_State *L) {
  awio_ls **box = to_socket(L);
  if (box && *box)
    lua_pushfstring(L, "%s: %p", class_of(ls_kind(*box), (*box)->role)->name,
                    lua_topointer(L, 1));
  else
    lua_pushliteral(L, "socket (finalized)");
}
