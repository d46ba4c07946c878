/* settings.c - see settings.h */
#include "thread/settings.h"

#include "thread/message.h"

#include <lauxlib.h>
#include <lualib.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The address of RULES_KEY is the registry key of a program's rules. */
static const char RULES_KEY = 'w';

typedef struct preload {
  char *name;
  lua_CFunction open;
} preload;

struct awio_thread_settings {
  atomic_uint refs;
  aw_lua_workers rules; /* of the program; zero: the usual ones */
  char *path, *cpath;   /* or NULL */
  awio_message *arg;    /* the table `arg`, or NULL */
  preload *preloads;
  size_t preload_count;
  bool no_environment; /* LUA_PATH and the like do not count */
};

/* ---- the rules of programs ---- */

void aw_lua_set_workers(lua_State *L, const aw_lua_workers *rules) {
  lua_pushlightuserdata(L, (void *)(uintptr_t)rules);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RULES_KEY);
}

static void read_rules(lua_State *L, awio_thread_settings *s) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RULES_KEY);
  const aw_lua_workers *rules = lua_touserdata(L, -1);
  if (rules)
    s->rules = *rules;
  lua_pop(L, 1);
}

/* ---- reading ---- */

static char *copy_text(lua_State *L, const char *text) {
  char *copy = aw_allocate(strlen(text) + 1);
  if (!copy)
    luaL_error(L, "not enough memory");
  return strcpy(copy, text);
}

/* Copy the field of the table on top, if it is a string. */
static char *copy_field(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  char *copy = NULL;
  if (lua_type(L, -1) == LUA_TSTRING)
    copy = copy_text(L, lua_tostring(L, -1));
  lua_pop(L, 1);
  return copy;
}

/* Is the value at -1 a C function that any state can have? */
static bool is_plain_function(lua_State *L) {
  bool plain = lua_iscfunction(L, -1) && !lua_getupvalue(L, -1, 1);
  if (!plain && lua_iscfunction(L, -1))
    lua_pop(L, 1);
  return plain;
}

/* Copy the C functions of package.preload, which is on top. */
static void read_preloads(lua_State *L, awio_thread_settings *s) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -2) == LUA_TSTRING && is_plain_function(L)) {
      size_t size = (s->preload_count + 1) * sizeof(preload);
      preload *more = aw_reallocate(s->preloads, size);
      if (!more)
        luaL_error(L, "not enough memory");
      s->preloads = more;
      char *name = copy_text(L, lua_tostring(L, -2));
      s->preloads[s->preload_count++] = (preload){name, lua_tocfunction(L, -1)};
    }
    lua_pop(L, 1);
  }
}

/* (message of `arg` fails if a script has put other things there) */
static int copy_arg(lua_State *L) {
  awio_thread_settings *s = lua_touserdata(L, 1);
  if (lua_getglobal(L, "arg") == LUA_TTABLE)
    s->arg = awio_message_new(L, 2, 1, "arg", 0);
  return 0;
}

/* (light settings) */
static int read_settings(lua_State *L) {
  awio_thread_settings *s = lua_touserdata(L, 1);
  read_rules(L, s);
  lua_getfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  s->no_environment = lua_toboolean(L, -1);
  if (luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE))
    read_preloads(L, s);
  lua_settop(L, 1);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, LUA_LOADLIBNAME) == LUA_TTABLE) {
    s->path = copy_field(L, "path");
    s->cpath = copy_field(L, "cpath");
  }
  lua_settop(L, 1);
  lua_pushcfunction(L, copy_arg);
  lua_pushlightuserdata(L, s);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1);
  return 0;
}

awio_thread_settings *awio_settings_new(lua_State *L) {
  awio_thread_settings *s = aw_allocate(sizeof *s);
  if (!s) {
    luaL_error(L, "not enough memory");
    return NULL;
  }
  atomic_init(&s->refs, 1);
  lua_pushcfunction(L, read_settings);
  lua_pushlightuserdata(L, s);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    awio_settings_release(s);
    lua_error(L);
  }
  return s;
}

awio_thread_settings *awio_settings_keep(awio_thread_settings *s) {
  atomic_fetch_add(&s->refs, 1);
  return s;
}

void awio_settings_release(awio_thread_settings *s) {
  if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
    return;
  for (size_t i = 0; i < s->preload_count; i++)
    aw_free(s->preloads[i].name);
  aw_free(s->preloads);
  aw_free(s->path);
  aw_free(s->cpath);
  if (s->arg)
    awio_message_free(s->arg);
  aw_free(s);
}

/* ---- what a thread runs ---- */

/* Raise the error of a file that cannot be read at all. */
static void check_file(lua_State *L, const char *path) {
  struct stat about;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  int code = fd < 0 ? -errno : 0;
  if (fd >= 0) {
    if (fstat(fd, &about) == 0 && S_ISDIR(about.st_mode))
      code = -EISDIR;
    close(fd);
  }
  if (code < 0)
    aw_lua_system_error(L, code, "open", path);
}

void awio_settings_check_body(lua_State *L, int arg) {
  int type = lua_type(L, arg);
  if (type != LUA_TFUNCTION && type != LUA_TSTRING)
    aw_lua_type_error(L, arg, "function or file name");
}

void awio_settings_load_body(lua_State *L, const awio_thread_settings *s,
                             int arg) {
  if (lua_type(L, arg) != LUA_TSTRING)
    return;
  size_t size;
  const char *path = lua_tolstring(L, arg, &size);
  aw_lua_arg_check(L, strlen(path) == size, arg, "file name contains a zero");
  check_file(L, path);
  if (luaL_loadfilex(L, path, s->rules.text_only ? "t" : NULL) != LUA_OK)
    aw_lua_error(L, "%s", lua_tostring(L, -1));
  lua_replace(L, arg);
}

/* ---- making a state ---- */

/* print(...): as Lua's, but with one write, so that the lines of several
 * threads do not mix. */
static int print_line(lua_State *L) {
  int count = lua_gettop(L);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int i = 1; i <= count; i++) {
    if (i > 1)
      luaL_addchar(&b, '\t');
    luaL_tolstring(L, i, NULL);
    luaL_addvalue(&b);
  }
  luaL_addchar(&b, '\n');
  luaL_pushresult(&b);
  size_t size;
  const char *line = lua_tolstring(L, -1, &size);
  fwrite(line, 1, size, stdout);
  fflush(stdout);
  return 0;
}

static void set_package_text(lua_State *L, const char *name, const char *text) {
  if (!text)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/* (light settings): let the new state be as the parent's. */
static int dress(lua_State *L) {
  const awio_thread_settings *s = lua_touserdata(L, 1);
  if (!s->rules.make) {
    lua_pushboolean(L, s->no_environment);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    luaL_openlibs(L);
  }
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  for (size_t i = 0; i < s->preload_count; i++) {
    lua_pushcfunction(L, s->preloads[i].open);
    lua_setfield(L, -2, s->preloads[i].name);
  }
  lua_pushcfunction(L, luaopen_aiowire);
  lua_setfield(L, -2, "aiowire");
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, LUA_LOADLIBNAME) == LUA_TTABLE) {
    set_package_text(L, "path", s->path);
    set_package_text(L, "cpath", s->cpath);
  }
  lua_settop(L, 1);
  lua_pushcfunction(L, print_line);
  lua_setglobal(L, "print");
  if (s->arg && awio_message_push(L, s->arg) == 1)
    lua_setglobal(L, "arg");
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  return 0;
}

lua_State *awio_settings_open_state(const awio_thread_settings *s,
                                    void **memo) {
  *memo = NULL;
  lua_State *L =
      s->rules.make ? s->rules.make(s->rules.data, memo) : luaL_newstate();
  if (!L)
    return NULL;
  lua_pushcfunction(L, dress);
  lua_pushlightuserdata(L, (void *)(uintptr_t)s);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK)
    return L;
  awio_settings_close_state(s, L, *memo);
  return NULL;
}

void awio_settings_close_state(const awio_thread_settings *s, lua_State *L,
                               void *memo) {
  if (s->rules.close)
    s->rules.close(s->rules.data, L, memo);
  else
    lua_close(L);
}
