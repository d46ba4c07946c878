/* settings.c - see settings.h */
#include "thread/settings.h"

#include "base/relay.h"
#include "base/system.h"
#include "thread/message.h"

#include <lauxlib.h>
#include <lualib.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
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
  awio_relay *relay;   /* for warnings, if there are no rules; or NULL */
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
  if (!s->rules.make)
    s->relay = awio_relay_of(L);
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

void awio_settings_prepare(lua_State *L) {
  awio_thread_settings s = {.relay = NULL};
  read_rules(L, &s);
  if (!s.rules.make)
    awio_relay_release(awio_relay_of(L));
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
  awio_message_free(s->arg);
  awio_relay_release(s->relay);
  aw_free(s);
}

/* ---- what a thread runs ---- */

/* Raise the error of a file that cannot be read at all. */
static void check_file(lua_State *L, const char *path) {
  struct stat about;
  int fd = awio_open(path, O_RDONLY, 0);
  int code = fd < 0 ? fd : 0;
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

/* ---- warnings of a state without rules of a program ---- */

typedef struct usual_state {
  awio_relay *relay; /* borrowed from the settings */
  char *text;        /* the parts so far, or NULL */
  size_t size;
  bool mistake, off;
} usual_state;

static void control_warnings(usual_state *u, const char *word) {
  if (strcmp(word, "@mistake") == 0)
    u->mistake = true;
  else if (strcmp(word, "@on") == 0 || strcmp(word, "@off") == 0)
    u->off = word[2] == 'f';
}

static bool add_warning_part(usual_state *u, const char *part) {
  size_t size = strlen(part);
  char *text = aw_reallocate(u->text, u->size + size + 1);
  if (!text)
    return false;
  memcpy(text + u->size, part, size + 1);
  u->text = text;
  u->size += size;
  return true;
}

/* The warning function: whole warnings go to the parent, which decides whether
 * it shows them. */
static void relay_part(void *data, const char *part, int more) {
  usual_state *u = data;
  if (!u->text && !more && *part == '@') {
    control_warnings(u, part);
    return;
  }
  if (!add_warning_part(u, part) || more)
    return;
  if (!u->off)
    awio_relay_warn(u->relay, u->text, u->mistake);
  aw_free(u->text);
  u->text = NULL;
  u->size = 0;
  u->mistake = false;
}

static lua_State *make_usual(awio_relay *relay, void **memo) {
  usual_state *u = aw_allocate(sizeof *u);
  lua_State *L = u ? luaL_newstate() : NULL;
  if (!L) {
    aw_free(u);
    return NULL;
  }
  u->relay = relay;
  lua_setwarnf(L, relay_part, u);
  *memo = u;
  return L;
}

static void close_usual(lua_State *L, usual_state *u) {
  lua_close(L);
  aw_free(u->text);
  aw_free(u);
}

/* ---- making a state ---- */

int aw_lua_print(lua_State *L) {
  int count = lua_gettop(L);
  for (int i = 1; i <= count; i++) { /* may call Lua, without the lock */
    luaL_tolstring(L, i, NULL);
    lua_replace(L, i);
  }
  flockfile(stdout);
  for (int i = 1; i <= count; i++) {
    size_t size;
    const char *text = lua_tolstring(L, i, &size);
    if (i > 1)
      putc('\t', stdout);
    fwrite(text, 1, size, stdout);
  }
  putc('\n', stdout);
  fflush(stdout);
  funlockfile(stdout);
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
  lua_pushcfunction(L, aw_lua_print);
  lua_setglobal(L, "print");
  if (s->arg && awio_message_push(L, s->arg) == 1)
    lua_setglobal(L, "arg");
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  return 0;
}

lua_State *awio_settings_open_state(const awio_thread_settings *s,
                                    void **memo) {
  *memo = NULL;
  lua_State *L = s->rules.make ? s->rules.make(s->rules.data, memo)
                               : make_usual(s->relay, memo);
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
    close_usual(L, memo);
}
