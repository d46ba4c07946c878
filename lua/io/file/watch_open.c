/* watch_open.c - aw.fs.watch; see watch.h
 *
 * To watch one file or folder takes a few quick system calls, which the loop's
 * thread makes. With `recursive` there may be thousands of folders: a thread of
 * the pool for files opens the watch, while nobody else has it. If the task is
 * cancelled meanwhile, that thread disposes of the watch.
 */
#include "file/watch.h"

#include "base/work.h"
#include "io.h"

#include <lauxlib.h>
#include <uv.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const CLASS = "aiowire.opening_watch";
static const char *const NAME = "fs.watch";

enum { AT_PATH = 1, AT_OPTIONS, AT_OBJECT, AT_OPENING };

/* ---- the path ---- */

/* Push the path without the current folder, doubled slashes and slashes at its
 * end. Returns 0 or -errno. */
static int push_absolute(lua_State *L, const char *path) {
  char folder[PATH_MAX];
  luaL_Buffer b;
  if (*path != '/' && !getcwd(folder, sizeof folder))
    return -errno;
  luaL_buffinit(L, &b);
  if (*path != '/' && strcmp(folder, "/") != 0)
    luaL_addstring(&b, folder);
  while (*(path += strspn(path, "/"))) {
    size_t length = strcspn(path, "/");
    if (length != 1 || *path != '.') {
      luaL_addchar(&b, '/');
      luaL_addlstring(&b, path, length);
    }
    path += length;
  }
  if (luaL_bufflen(&b) == 0)
    luaL_addchar(&b, '/');
  luaL_pushresult(&b);
  return 0;
}

/* Make a watch of the path at AT_PATH. Raises. */
static awio_watch *make_file_watch(lua_State *L, bool recursive) {
  struct stat file;
  const char *path = lua_tostring(L, AT_PATH);
  int rc = stat(path, &file) < 0 ? -errno : push_absolute(L, path);
  if (rc < 0)
    awio_watch_refuse(L, rc, path);
  awio_watch *w = awio_watch_new(lua_tostring(L, -1), recursive);
  if (!w)
    luaL_error(L, "not enough memory");
  lua_pop(L, 1);
  return w;
}

/* ---- opening in a thread ---- */

typedef struct opening {
  awio_work work;    /* must be first */
  awio_watch *watch; /* a reference; NULL: the object has it */
  aw_lua_held held;  /* held by the userdata, which points to this struct */
} opening;

static void run_opening(awio_work *work) {
  work->result = awio_watch_open(((opening *)work)->watch, &work->unwanted);
}

static void release_opening(awio_work *work) {
  opening *o = (opening *)work;
  if (o->watch)
    awio_watch_release(o->watch);
  aw_free(o);
}

static void forget_opening(opening *o) {
  awio_work_forget(&o->work);
  awio_work_release(&o->work);
}

static void release_lost_opening(aw_lua_held *held) {
  forget_opening((opening *)((char *)held - offsetof(opening, held)));
}

/* The task does not need it any more. The box is empty already if it was
 * finalized during the wait, as the state is being closed. */
static void drop_opening(opening **box) {
  opening *o = *box;
  if (!o)
    return;
  *box = NULL;
  aw_lua_let_go(&o->held);
  forget_opening(o);
}

static int opening_arm(aw_task *task, void *data) {
  opening *o = *(opening **)data;
  return awio_work_begin(&awio_files, &o->work, task);
}

static void opening_disarm(aw_task *task, void *data) {
  (void)task;
  drop_opening(data); /* its descriptor does not wait for the collector */
}

static void opening_describe(const void *data, char *out, size_t size) {
  const opening *o = *(opening *const *)data;
  snprintf(out, size, "%s", o && o->watch ? o->watch->path : "");
}

static const aw_operation opening_watch = {.label = "fs.watch",
                                           .arm = opening_arm,
                                           .disarm = opening_disarm,
                                           .external = true,
                                           .describe = opening_describe};

static int opening_gc(lua_State *L) {
  drop_opening(lua_touserdata(L, 1));
  return 0;
}

static int watch_opened(lua_State *L, int result, void *data) {
  opening **box = data;
  if (!*box)
    return aw_lua_system_error(L, AW_ECLOSED, "watch", NULL);
  awio_watch *w = (*box)->watch;
  if (result == 0)
    (*box)->watch = NULL;
  drop_opening(box);
  if (result < 0)
    return awio_watch_refuse(L, result, lua_tostring(L, AT_PATH));
  awio_watch_fill(L, lua_touserdata(L, AT_OBJECT), w);
  lua_settop(L, AT_OBJECT);
  return 1;
}

static int open_apart(lua_State *L) {
  opening **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, CLASS);
  awio_watch *w = make_file_watch(L, true);
  opening *o = aw_allocate(sizeof *o);
  if (!o) {
    awio_watch_release(w);
    return luaL_error(L, "not enough memory");
  }
  awio_work_init(&o->work, run_opening, release_opening);
  o->watch = w;
  o->held.release = release_lost_opening;
  *box = o;
  aw_lua_hold(L, &o->held);
  return aw_lua_await(L, &opening_watch, box, NAME, watch_opened);
}

/* ---- for Lua ---- */

static int open_here(lua_State *L) {
  awio_watch *w = make_file_watch(L, false);
  int rc = awio_watch_open(w, NULL);
  if (rc < 0) {
    awio_watch_release(w);
    return awio_watch_refuse(L, rc, lua_tostring(L, AT_PATH));
  }
  awio_watch_fill(L, lua_touserdata(L, AT_OBJECT), w);
  return 1;
}

/* aw.fs.watch(path [, options]) → a FileWatch */
static int fs_watch(lua_State *L) {
  static const char *const known[] = {"recursive", NULL};
  size_t size;
  bool recursive = false;
  const char *path = aw_lua_check_string(L, AT_PATH, &size);
  aw_lua_arg_check(L, strlen(path) == size, AT_PATH, "a path has no zero byte");
  lua_settop(L, AT_OPTIONS);
  if (!lua_isnil(L, AT_OPTIONS)) {
    aw_lua_check_options(L, AT_OPTIONS, known, false);
    recursive = aw_lua_opt_flag(L, AT_OPTIONS, "recursive", false);
  }
  if (recursive)
    aw_lua_task(L, NAME);   /* where nothing can wait, nothing is watched */
  lua_tostring(L, AT_PATH); /* a number becomes its text */
  awio_watch_push_object(L);
  return recursive ? open_apart(L) : open_here(L);
}

/* Add fs_watch for fs.lua. [inner, module] */
void awio_open_watch(lua_State *L) {
  static const luaL_Reg meta[] = {{"__gc", opening_gc}, {NULL, NULL}};
  luaL_newmetatable(L, CLASS);
  luaL_setfuncs(L, meta, 0);
  lua_pop(L, 1);
  awio_watch_make_class(L);
  aw_lua_push_function(L, fs_watch, 0, "watch");
  lua_setfield(L, -3, "fs_watch");
}
