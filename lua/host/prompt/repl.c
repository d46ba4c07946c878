/* repl.c - the prompt: gives the session and the editor to repl.lua
 *
 *   main ─► host_repl_open ─► host_repl_chunk … ─► host_repl_prompt ─► _close
 *                                │                    │
 *                                ▼                    ▼
 *                          repl.lua: main_chunk    repl.lua: run
 *                                                     │ table `term`
 *                          session ◄── term.call ─────┤
 *                          editor  ◄── term.read ─────┘
 *                            └─ wait, complete (callbacks, below)
 *
 * The loop of lines is in Lua, and runs outside of tasks. It calls functions of
 * the table `term`, whose upvalue 1 is the host_repl. The editor calls back
 * while term.read runs. Its frames, and those of libedit, must not be jumped
 * over, so the callbacks run Lua in protected mode only; an error in `wait`
 * ends the read, and term.read raises it.
 *
 * Invariant: once `end` is not AW_LUA_OK, the session has cleaned up, and is
 * not called again but to close it.
 */

#include "prompt/repl.h"

#include "prompt/candidates.h"
#include "prompt/editor.h"
#include "prompt/history.h"
#include "state/parts.h"
#include "terminal/style.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct host_repl {
  aw_lua_session *session;
  host_editor *editor; /* opened by the prompt; NULL until then */
  lua_State *L;        /* that of the read under way */
  int part, term;      /* references in the registry: host.repl, its `term` */
  int end;             /* AW_LUA_OK, or how the session has ended */
  int code;            /* the signal or exit code of `end` */
};

/* Codes of `wait` that end a read. */
enum {
  READ_STOPPED = HOST_EDITOR_INTERRUPTED - 1,
  READ_BROKEN =
      HOST_EDITOR_INTERRUPTED - 2 /* an error is on top of the stack */
};

static host_repl *repl_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

/* Push a function of repl.lua. */
static void push_repl_function(lua_State *L, const host_repl *repl,
                               const char *name) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, repl->part);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
}

/* Note that the session has ended, if it has. Returns `end`. */
static int note_session_end(host_repl *repl, int end, int code) {
  if (end == AW_LUA_SIGNAL || end == AW_LUA_EXIT) {
    repl->end = end;
    repl->code = code;
  }
  return end;
}

/* ── the editor's calls ──────────────────────────────────────────────────── */

typedef struct read_wait {
  host_repl *repl;
  const int *fds;
  int count;
  int index; /* of a readable descriptor, or a negative code */
} read_wait;

/* (light read_wait) */
static int wait_in_session(lua_State *L) {
  read_wait *w = lua_touserdata(L, 1);
  int code = 0;
  int end = aw_lua_session_wait(w->repl->session, L, w->fds, w->count, &code);
  note_session_end(w->repl, end, code);
  if (end == AW_LUA_ERROR) { /* [error, info] */
    luaL_tolstring(L, -2, NULL);
    return lua_error(L);
  }
  if (end == AW_LUA_OK)
    w->index = code;
  else
    w->index = end == AW_LUA_CANCELLED ? HOST_EDITOR_INTERRUPTED : READ_STOPPED;
  return 0;
}

static int editor_wait(void *data, const int *fds, int count) {
  host_repl *repl = data;
  lua_State *L = repl->L;
  read_wait w = {repl, fds, count, READ_BROKEN};
  lua_pushcfunction(L, wait_in_session);
  lua_pushlightuserdata(L, &w);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    return READ_BROKEN;
  return w.index;
}

typedef struct completion {
  host_repl *repl;
  const char *text;
  size_t cursor;
  size_t word_length;
  char **words; /* or NULL */
} completion;

/* Copy the strings of the list on top. NULL: there are none, or no memory.
 * Does not raise. */
static char **copy_candidates(lua_State *L) {
  size_t count = lua_rawlen(L, -1);
  char **words = count ? calloc(count + 1, sizeof *words) : NULL;
  for (size_t i = 0; words && i < count; i++) {
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    words[i] = strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    if (!words[i]) {
      host_free_candidates(words);
      return NULL;
    }
  }
  return words;
}

/* (light completion) */
static int find_words(lua_State *L) {
  completion *c = lua_touserdata(L, 1);
  push_repl_function(L, c->repl, "complete");
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->repl->term);
  aw_lua_session_push_loop(c->repl->session, L);
  lua_pushlstring(L, c->text, c->cursor);
  lua_call(L, 3, 2);
  c->word_length = (size_t)lua_tointeger(L, -2);
  c->words = copy_candidates(L);
  return 0;
}

static char **editor_complete(void *data, const char *text, size_t cursor,
                              size_t *word_length) {
  host_repl *repl = data;
  lua_State *L = repl->L;
  completion c = {repl, text, cursor, 0, NULL};
  lua_pushcfunction(L, find_words);
  lua_pushlightuserdata(L, &c);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1); /* there is nothing to complete, then */
  *word_length = c.word_length;
  return c.words;
}

/* ── the table `term` ────────────────────────────────────────────────────── */

/* term.read(prompt) */
static int term_read(lua_State *L) {
  enum { ROOM = 8 };
  host_repl *repl = repl_of(L);
  const char *prompt = luaL_checkstring(L, 1);
  const char *line = NULL;
  size_t length = 0;
  luaL_checkstack(L, ROOM, NULL);
  repl->L = L;
  int how = host_editor_read(repl->editor, prompt, &line, &length);
  switch (how) {
  case HOST_EDITOR_LINE:
    lua_pushliteral(L, "line");
    lua_pushlstring(L, line, length);
    return 2;
  case HOST_EDITOR_INTERRUPTED:
    lua_pushliteral(L, "interrupted");
    lua_pushboolean(L, length == 0);
    return 2;
  case HOST_EDITOR_END: lua_pushliteral(L, "end"); return 1;
  case READ_BROKEN: return lua_error(L);
  default: lua_pushliteral(L, "stopped"); return 1;
  }
}

/* term.call(f, ...) */
static int term_call(lua_State *L) {
  host_repl *repl = repl_of(L);
  int code = 0;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_pushnil(L); /* place of the first result */
  lua_insert(L, 1);
  int end = aw_lua_session_call(repl->session, L, lua_gettop(L) - 2, &code);
  switch (note_session_end(repl, end, code)) {
  case AW_LUA_OK: lua_pushliteral(L, "ok"); break;
  case AW_LUA_ERROR: lua_pushliteral(L, "error"); break;
  case AW_LUA_CANCELLED: lua_pushliteral(L, "cancelled"); break;
  default: lua_pushliteral(L, "stopped"); break;
  }
  lua_replace(L, 1);
  return lua_gettop(L);
}

static int term_write(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  fwrite(text, 1, length, stdout);
  fflush(stdout);
  return 0;
}

static int term_note(lua_State *L) {
  host_style_print(STDERR_FILENO, HOST_STYLE_NOTE, luaL_checkstring(L, 1));
  return 0;
}

static int term_fail(lua_State *L) {
  host_style_print(STDERR_FILENO, HOST_STYLE_ERROR, luaL_checkstring(L, 1));
  return 0;
}

static int term_dump(lua_State *L) {
  host_style_print(STDOUT_FILENO, HOST_STYLE_DUMP, luaL_checkstring(L, 1));
  return 0;
}

static int term_remember(lua_State *L) {
  host_editor_remember(repl_of(L)->editor, luaL_checkstring(L, 1));
  return 0;
}

static void push_clock(lua_State *L, clockid_t clock) {
  struct timespec t = {0};
  clock_gettime(clock, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec / 1e9);
}

/* term.figures() → seconds on a clock, seconds of processor time, steps */
static int term_figures(lua_State *L) {
  aw_stats stats;
  aw_engine_stats(aw_lua_engine(L), &stats);
  push_clock(L, CLOCK_MONOTONIC);
  push_clock(L, CLOCK_PROCESS_CPUTIME_ID);
  lua_pushinteger(L, (lua_Integer)stats.steps);
  return 3;
}

/* Entry `index` of the list of strings at index 2 of a Lua stack. */
static const char *name_in_list(const void *list, size_t index) {
  lua_State *L = *(lua_State *const *)list;
  lua_rawgeti(L, 2, (lua_Integer)index + 1);
  const char *name = lua_tostring(L, -1);
  lua_pop(L, 1); /* the list keeps it */
  return name;
}

/* term.nearest(name, list) */
static int term_nearest(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_pushstring(L, aw_lua_nearest(name, name_in_list, &L));
  return 1;
}

/* (path, light DIR) → list of names, with "/" after those of folders */
static int list_entries(lua_State *L) {
  enum { MOST = 10000 };
  DIR *folder = lua_touserdata(L, 2);
  lua_newtable(L);
  struct dirent *entry;
  for (int i = 1; i <= MOST && (entry = readdir(folder)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    struct stat info;
    bool is_folder = fstatat(dirfd(folder), entry->d_name, &info, 0) == 0 &&
                     S_ISDIR(info.st_mode);
    lua_pushfstring(L, is_folder ? "%s/" : "%s", entry->d_name);
    lua_rawseti(L, -2, i++);
  }
  return 1;
}

/* term.entries(folder) */
static int term_entries(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  DIR *folder = opendir(path);
  if (!folder)
    return 0;
  lua_pushcfunction(L, list_entries);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, folder);
  int status = lua_pcall(L, 2, 1, 0);
  closedir(folder);
  return status == LUA_OK ? 1 : lua_error(L);
}

static const luaL_Reg term_functions[] = {{"read", term_read},
                                          {"call", term_call},
                                          {"write", term_write},
                                          {"note", term_note},
                                          {"fail", term_fail},
                                          {"dump", term_dump},
                                          {"remember", term_remember},
                                          {"figures", term_figures},
                                          {"nearest", term_nearest},
                                          {"entries", term_entries},
                                          {NULL, NULL}};

/* ── the session ─────────────────────────────────────────────────────────── */

/* A task without a handler has failed. [..., err, info] */
static void tell_task_failure(lua_State *L, void *data) {
  const host_repl *repl = data;
  push_repl_function(L, repl, "failure_text");
  lua_insert(L, -3);
  lua_call(L, 2, 1);
  host_style_print(STDERR_FILENO, HOST_STYLE_ERROR, lua_tostring(L, -1));
}

/* (light host_repl, light grace): make what it refers to. */
static int fill_repl(lua_State *L) {
  host_repl *repl = lua_touserdata(L, 1);
  const uint64_t *grace = lua_touserdata(L, 2);
  host_push_part(L, "host.prompt.repl");
  repl->part = luaL_ref(L, LUA_REGISTRYINDEX);
  luaL_newlibtable(L, term_functions);
  lua_pushlightuserdata(L, repl);
  luaL_setfuncs(L, term_functions, 1);
  lua_pushboolean(L, isatty(STDIN_FILENO));
  lua_setfield(L, -2, "terminal");
  repl->term = luaL_ref(L, LUA_REGISTRYINDEX);
  aw_lua_session_config config = {.grace = *grace ? *grace : 1,
                                  /* 0 stands for the default */ .failed =
                                      tell_task_failure,
                                  .data = repl,
                                  .size = sizeof config};
  repl->session = aw_lua_session_open(L, &config);
  return 0;
}

host_repl *host_repl_open(lua_State *L, uint64_t grace) {
  host_repl *repl = calloc(1, sizeof *repl);
  if (!repl)
    luaL_error(L, "not enough memory");
  host_editor_prepare();
  lua_pushcfunction(L, fill_repl);
  lua_pushlightuserdata(L, repl);
  lua_pushlightuserdata(L, &grace);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    free(repl);
    lua_error(L);
  }
  return repl;
}

/* The task of a chunk has a name of the prompt, so the info would mislead. Put
 * the text of the error in its place. [..., err, info] → [..., text, nil] */
static void describe_chunk_error(lua_State *L, const host_repl *repl) {
  push_repl_function(L, repl, "entry_error_text");
  lua_insert(L, -3);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
    lua_pop(L, 1);
    lua_pushliteral(L, "(an error whose text cannot be made)");
  }
  lua_pushnil(L);
}

int host_repl_chunk(host_repl *repl, lua_State *L, int nargs, int *code) {
  int base = lua_gettop(L) - nargs; /* index of the function */
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  push_repl_function(L, repl, "main_chunk");
  aw_lua_session_push_loop(repl->session, L);
  lua_rotate(L, base, 2);
  int end = aw_lua_session_call(repl->session, L, nargs + 2, code);
  if (end == AW_LUA_ERROR)
    describe_chunk_error(L, repl);
  if (end == AW_LUA_CANCELLED) /* a terminal shows "^C" */
    host_style_print(STDERR_FILENO, HOST_STYLE_NOTE,
                     isatty(STDIN_FILENO) ? "\ncancelled" : "cancelled");
  return note_session_end(repl, end, *code);
}

/* ── the prompt ──────────────────────────────────────────────────────────── */

void host_repl_greet(void) {
  printf("aiowire %s (%s, libuv %s)  .help for help\n", aw_version(),
         LUA_RELEASE, HOST_LIBUV);
  fflush(stdout);
}

/* (light host_repl) */
static int run_prompt(lua_State *L) {
  const host_repl *repl = lua_touserdata(L, 1);
  push_repl_function(L, repl, "run");
  lua_rawgeti(L, LUA_REGISTRYINDEX, repl->term);
  aw_lua_session_push_loop(repl->session, L);
  lua_call(L, 2, 0);
  return 0;
}

void host_repl_prompt(host_repl *repl, lua_State *L) {
  char *history = host_history_path();
  host_editor_calls calls = {editor_wait, editor_complete, repl};
  repl->editor = host_editor_open(&calls, history);
  free(history);
  if (!repl->editor)
    luaL_error(L, "not enough memory");
  lua_pushcfunction(L, run_prompt);
  lua_pushlightuserdata(L, repl);
  int status = lua_pcall(L, 1, 0, 0);
  host_editor_close(repl->editor);
  repl->editor = NULL;
  if (status != LUA_OK)
    lua_error(L);
}

int host_repl_close(host_repl *repl, lua_State *L, int *code) {
  int end = aw_lua_session_close(repl->session, L, code);
  if (repl->end != AW_LUA_OK) {
    end = repl->end;
    *code = repl->code;
  }
  luaL_unref(L, LUA_REGISTRYINDEX, repl->part);
  luaL_unref(L, LUA_REGISTRYINDEX, repl->term);
  free(repl);
  return end;
}
