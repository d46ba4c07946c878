/* chunks.c - runs the chunks of a command line, and reports their errors
 *
 * Each chunk is a run of aw_lua_main(): the main chunk is the root task of a
 * main loop, and the next chunk begins when all tasks of the chunk before have
 * ended. With a prompt, all chunks run in its session instead, and their tasks
 * stay.
 *
 *   -e, -l, script ─► host_run_chunk ─┬► aw_lua_main_with (the binding)
 *                                     └► host_repl_chunk  (the prompt)
 *
 * Neighbours: main.c decides which chunks run.
 */
#include "chunks.h"

#include "options/graph.h"
#include "report/recording.h"
#include "signals/limit.h"
#include "terminal/style.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void host_complain(const char *text) {
  static const char NAME[] = "aiowire: ";
  size_t size = strlen(text);
  char *line = malloc(sizeof NAME + size);
  if (line) {
    memcpy(line, NAME, sizeof NAME - 1);
    memcpy(line + sizeof NAME - 1, text, size + 1);
  }
  host_style_print(STDERR_FILENO, HOST_STYLE_ERROR, line ? line : text);
  free(line);
}

void host_fail(host *h, const char *text) {
  host_complain(text ? text : "(error without a message)");
  h->status = HOST_STATUS_ERROR;
  h->ended = true;
}

/* The time of --timeout is over.
 *
 *   cut  what that has cut short; NULL: nothing that is known
 */
static void time_out(host *h, const char *cut) {
  char text[512];
  double seconds = (double)h->options.timeout_ns / 1e9;
  snprintf(text, sizeof text,
           cut ? "timeout after %.14g s (cut short: %s)"
               : "timeout after %.14g s",
           seconds, cut);
  host_complain(text);
  h->status = HOST_STATUS_TIMEOUT;
  h->ended = true;
}

/* ── errors ──────────────────────────────────────────────────────────────── */

/* Make the text of an error: that of its info, which includes the error's own
 * text. There is none with an error of the engine, or without memory: then the
 * error is a text, or has one. [err, info] -> [text] */
static int describe_error(lua_State *L) {
  luaL_tolstring(L, lua_isnil(L, 2) ? 1 : 2, NULL);
  return 1;
}

void host_report(lua_State *L, host *h) {
  bool collects = lua_gc(L, LUA_GCISRUNNING);
  lua_gc(L, LUA_GCSTOP);
  lua_pushcfunction(L, describe_error);
  lua_insert(L, -3);
  if (lua_pcall(L, 2, 1, 0) == LUA_OK)
    host_fail(h, lua_tostring(L, -1));
  else
    host_fail(h, "(an error whose text cannot be made)");
  lua_pop(L, 1);
  if (collects)
    lua_gc(L, LUA_GCRESTART);
}

/* ── running ─────────────────────────────────────────────────────────────── */

void host_note_end(host *h, int end, int code) {
  if (end == AW_LUA_SIGNAL)
    h->signal = code;
  else if (end == AW_LUA_EXIT)
    h->status = code;
  else
    return;
  h->ended = true;
}

/* Write the picture of a chunk, of which nothing runs. [..., text] -> [...] */
static void write_graph(lua_State *L, host *h) {
  const host_graph *graph = &h->options.graph;
  int rc = host_graph_write(graph, lua_tostring(L, -1));
  if (rc != 0) {
    lua_pushfstring(L, "cannot write %s: %s",
                    graph->path ? graph->path : "the picture", strerror(rc));
    host_fail(h, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  h->ended = true;
}

void host_run_chunk(lua_State *L, host *h, int load_status, int nargs,
                    bool drawn) {
  aw_lua_main_config config = {.timeout = host_limit_left(),
                               .grace = h->options.grace_ns,
                               .size = sizeof config,
                               .graph = drawn ? h->options.graph.format : NULL};
  if (config.timeout == 0 || load_status != LUA_OK) {
    if (config.timeout == 0)
      time_out(h, NULL);
    else
      host_fail(h, lua_tostring(L, -1));
    lua_pop(L, nargs + 1);
    return;
  }
  int code = 0;
  int end = h->repl ? host_repl_chunk(h->repl, L, nargs, &code)
                    : aw_lua_main_with(L, nargs, &config, &code);
  if (end == AW_LUA_GRAPH) {
    write_graph(L, h);
  } else if (end == AW_LUA_ERROR) {
    host_report(L, h);
    h->status = code;
    if (code != HOST_STATUS_DEADLOCK) /* that report has the events */
      host_recording_tell(L, &h->options);
  } else if (end == AW_LUA_TIMEOUT) {
    time_out(h, lua_tostring(L, -3));
    if (lua_isnil(L, -2))
      lua_pop(L, 2);
    else
      host_report(L, h);
    lua_pop(L, 1);
    h->status = code;
  }
  host_note_end(h, end, code);
}

/* luaL_loadfilex() of text, which the time limit interrupts. */
static int load_file(lua_State *L, const char *name) {
  host_limit_reading(true);
  int status = luaL_loadfilex(L, name, "t");
  host_limit_reading(false);
  return status;
}

/* Run an -e, with the library as the local `aw`. `last`: nothing follows. */
static void run_string(lua_State *L, host *h, const char *text, bool last) {
  lua_pushfstring(L, HOST_STATEMENT_HEAD "%s", text);
  size_t length;
  const char *chunk = lua_tolstring(L, -1, &length);
  int status = luaL_loadbufferx(L, chunk, length, "=(command line)", "t");
  lua_remove(L, -2);
  host_run_chunk(L, h, status, 0, last);
}

void host_run_init(lua_State *L, host *h) {
  const char *name = "=LUA_INIT" LUA_VERSUFFIX;
  const char *init = getenv(name + 1);
  if (!init) {
    name = "=LUA_INIT";
    init = getenv(name + 1);
  }
  if (!init || !init[0])
    return;
  int status = init[0] == '@'
                   ? load_file(L, init + 1)
                   : luaL_loadbufferx(L, init, strlen(init), name, "t");
  host_run_chunk(L, h, status, 0, false);
}

/* [global, value] */
static int set_required(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_setglobal(L, lua_tostring(L, -2));
  return 0;
}

/* The main chunk of an -l: (global, module). A Wire that the module returns is
 * a value for the global, and not run. */
static int require_global(lua_State *L) {
  lua_getglobal(L, "require");
  lua_insert(L, 2);
  lua_callk(L, 1, 1, 0, set_required);
  return set_required(L, LUA_OK, 0);
}

/* Run -l MOD or -l G=MOD, in a task, since the module may await. */
static void run_require(lua_State *L, host *h, const char *spec) {
  const char *equals = strchr(spec, '=');
  size_t length = equals ? (size_t)(equals - spec) : strlen(spec);
  lua_pushcfunction(L, require_global);
  lua_pushlstring(L, spec, length);
  lua_pushstring(L, equals ? equals + 1 : spec);
  host_run_chunk(L, h, LUA_OK, 2, false);
}

/* The index of the word behind the last -e, if there is no script: --graph
 * draws that one. 0: there is none. */
static int find_last_chunk(const host_options *o) {
  host_action action;
  int at = 1, last = 0;
  if (o->script < o->argc)
    return 0;
  while (host_options_next(o, &at, &action))
    if (action.letter == 'e')
      last = at;
  return last;
}

void host_run_options(lua_State *L, host *h) {
  host_action action;
  int at = 1, last = find_last_chunk(&h->options);
  while (!h->ended && host_options_next(&h->options, &at, &action)) {
    switch (action.letter) {
    case 'W': lua_warning(L, "@on", 0); break;
    case 'e': run_string(L, h, action.value, at == last); break;
    case 'l': run_require(L, h, action.value); break;
    }
  }
}

/* Push the script's arguments from the table `arg`, which an -e may have
 * changed. Returns their number. */
static int push_script_arguments(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE)
    luaL_error(L, "'arg' is not a table");
  int n = (int)luaL_len(L, -1);
  luaL_checkstack(L, n + 3, "too many arguments to script");
  for (int i = 1; i <= n; i++)
    lua_rawgeti(L, -i, i);
  lua_remove(L, -n - 1);
  return n;
}

void host_run_script(lua_State *L, host *h) {
  const char *name = host_options_script(&h->options);
  int status = load_file(L, name);
  if (status == LUA_OK) {
    host_run_chunk(L, h, status, push_script_arguments(L), true);
    return;
  }
  const char *message = lua_tostring(L, -1);
  if (name && status == LUA_ERRSYNTAX && !strstr(message, name))
    lua_pushfstring(L, "%s: %s", name, message); /* bytecode has no line */
  host_run_chunk(L, h, status, 0, false);
}

void host_run_input(lua_State *L, host *h) {
  host_run_chunk(L, h, load_file(L, NULL), 0, true);
}
