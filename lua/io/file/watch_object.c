/* watch_object.c - the class FileWatch; see watch.h */
#include "file/watch.h"

#include "io.h"

#include <lauxlib.h>
#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *const CLASS = "aiowire.FileWatch";

/* ---- errors ---- */

/* Is the process' own limit of descriptors not the cause of EMFILE? */
static bool spare_descriptor(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd >= 0)
    close(fd);
  return fd >= 0;
}

int awio_watch_refuse(lua_State *L, int code, const char *path) {
  const char *about = path;
  if (code == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  if (code == UV_ENOSPC)
    about = lua_pushfstring(L, "%s (raise fs.inotify.max_user_watches)", path);
  else if (code == UV_EMFILE && spare_descriptor())
    about =
        lua_pushfstring(L, "%s (raise fs.inotify.max_user_instances)", path);
  return aw_lua_system_error(L, code, "watch", about);
}

/* ---- the object ---- */

static awio_watch_box *check_watch(lua_State *L) {
  awio_watch_box *box = luaL_testudata(L, 1, CLASS);
  if (!box)
    aw_lua_type_error(L, 1, "file watch");
  return box;
}

/* Lua has skipped the finalizer: release the watch here. */
static void release_lost_watch(aw_lua_held *held) {
  awio_watch_release((awio_watch *)((char *)held - offsetof(awio_watch, held)));
}

awio_watch_box *awio_watch_push_object(lua_State *L) {
  enum { WEIGHT = 4 * 1024 }; /* of watches of the kernel, a guess */
  awio_watch_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->watch = NULL;
  luaL_setmetatable(L, CLASS);
  aw_lua_weigh(L, WEIGHT);
  return box;
}

void awio_watch_fill(lua_State *L, awio_watch_box *box, awio_watch *w) {
  box->watch = w;
  w->held.release = release_lost_watch;
  aw_lua_hold(L, &w->held);
}

static int file_watch_close(lua_State *L) {
  const awio_watch_box *box = check_watch(L);
  if (box->watch)
    awio_watch_close(box->watch);
  return 0;
}

static int file_watch_gc(lua_State *L) {
  awio_watch_box *box = lua_touserdata(L, 1);
  awio_watch *w = box->watch;
  if (!w)
    return 0;
  if (w->waiting > 0) { /* lua_close(): the tasks end later */
    awio_watch_close(w);
    return 0;
  }
  box->watch = NULL;
  aw_lua_let_go(&w->held);
  awio_watch_release(w);
  return 0;
}

static int file_watch_tostring(lua_State *L) {
  const awio_watch *w = check_watch(L)->watch;
  if (!w)
    lua_pushliteral(L, "file watch (finalized)");
  else
    lua_pushfstring(L, "file watch '%s' (%s)", w->path,
                    w->closed ? "closed" : "open");
  return 1;
}

/* ---- receiving ---- */

static int fail_watch_recv(lua_State *L, const awio_watch *w, int code) {
  const char *about = w ? w->path : "file watch (finalized)";
  if (code == AW_EBUSY)
    return aw_lua_error(L, "tasks of another engine wait for changes of '%s'",
                        about);
  return awio_watch_refuse(L, code, about);
}

static int told_received(lua_State *L, int result, void *data) {
  if (result < 0)
    return fail_watch_recv(L, ((awio_watch_box *)data)->watch, result);
  return aw_lua_take_results(L, aw_current(aw_lua_engine(L)));
}

/* w:recv() → { path =, what = }, or nil, "closed" */
static int file_watch_recv(lua_State *L) {
  return aw_lua_await(L, &awio_watch_recv, check_watch(L), "watch:recv",
                      told_received);
}

/* w:iter() → w.recv, w */
static int file_watch_iter(lua_State *L) {
  check_watch(L);
  lua_getfield(L, 1, "recv");
  lua_pushvalue(L, 1);
  return 2;
}

/* aw.Recv(w) */
static int make_watch_recv(lua_State *L) {
  aw_lua_push_wire(L, aw_wait_for(&awio_watch_recv, check_watch(L)), 1);
  return 1;
}

/* ---- the class ---- */

/* Upvalue 1: the methods. w.path is the absolute path. */
static int file_watch_index(lua_State *L) {
  const awio_watch *w = check_watch(L)->watch;
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "path") == 0)
    lua_pushstring(L, w ? w->path : NULL);
  else
    lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

static const luaL_Reg watch_methods[] = {{"recv", file_watch_recv},
                                         {"iter", file_watch_iter},
                                         {"close", file_watch_close},
                                         {NULL, NULL}};

static const luaL_Reg watch_meta[] = {{"__close", file_watch_close},
                                      {"__gc", file_watch_gc},
                                      {"__tostring", file_watch_tostring},
                                      {NULL, NULL}};

static const aw_lua_source watch_source = {.recv = make_watch_recv};

void awio_watch_make_class(lua_State *L) {
  luaL_newmetatable(L, CLASS);
  aw_lua_set_functions(L, watch_meta, 0);
  aw_lua_add_source(L, -1, &watch_source);
  lua_pushliteral(L, "file watch");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* locked */
  lua_newtable(L);
  aw_lua_set_functions(L, watch_methods, 0);
  lua_pushcclosure(L, file_watch_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
