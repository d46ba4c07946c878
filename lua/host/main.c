/* main.c - aiowire(1): a Lua interpreter whose scripts may await
 *
 * The program takes the command line of `lua`. All Lua code runs inside one
 * protected call (run_all). Each -e and -l, and then the script, is a run of
 * aw_lua_main(): the main chunk is the root task of a main loop. The next chunk
 * begins when all tasks of the chunk before have ended. With a prompt, all of
 * them run in its session instead, and their tasks stay.
 *
 *   main ─► run_all ─► set_up, LUA_INIT, -e/-l/-W in order, script
 *                            └─► run_chunk ─► aw_lua_main (the binding)
 *                                         └─► host_repl_chunk
 *
 * The rooms, from the lowest to the highest; each includes lower ones only:
 *
 *   terminal/  modes of a terminal, colors, widths of characters
 *   options/   the command line
 *   report/    warnings, --stats, --trace and --record
 *   state/     Lua states, also those of workers: their allocator, the refusal
 *              of bytecode, parts of the program in Lua
 *   signals/   SIGQUIT, a standard output without a reader, --timeout
 *   prompt/    the prompt
 *   check/     --check
 *   top/       --top
 */

#include "check/check.h"
#include "options/graph.h"
#include "options/options.h"
#include "prompt/repl.h"
#include "report/recording.h"
#include "report/stats.h"
#include "report/warning.h"
#include "signals/limit.h"
#include "signals/output.h"
#include "signals/quit.h"
#include "state/bytecode.h"
#include "state/memory.h"
#include "state/workers.h"
#include "terminal/style.h"
#include "top/top.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  STATUS_ERROR = 1,
  STATUS_USAGE = 2,
  STATUS_DEADLOCK = 13,
  STATUS_TIMEOUT = 124
};

typedef struct host {
  host_options options;
  host_repl *repl; /* chunks run in its session; NULL: there is no prompt */
  int status;      /* exit status */
  int signal;      /* die by this signal instead of an exit; 0: none */
  bool ended;      /* by an error, a signal or os.exit: run no further chunk */
} host;

/* Print an error. Without memory for it, print its text alone. */
static void complain(const char *text) {
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

static void fail_usage(host *h, const char *text) {
  complain(text ? text : "(error without a message)");
  h->status = STATUS_ERROR;
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
  complain(text);
  h->status = STATUS_TIMEOUT;
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

/* Report an error that reached the top. The error comes first: meanwhile no
 * finalizer may warn of what it has left behind. [..., err, info] -> [...] */
static void report(lua_State *L, host *h) {
  bool collects = lua_gc(L, LUA_GCISRUNNING);
  lua_gc(L, LUA_GCSTOP);
  lua_pushcfunction(L, describe_error);
  lua_insert(L, -3);
  if (lua_pcall(L, 2, 1, 0) == LUA_OK)
    fail_usage(h, lua_tostring(L, -1));
  else
    fail_usage(h, "(an error whose text cannot be made)");
  lua_pop(L, 1);
  if (collects)
    lua_gc(L, LUA_GCRESTART);
}

/* ── running ─────────────────────────────────────────────────────────────── */

/* Note how a run or the session has ended, but for an error. */
static void note_run_end(host *h, int end, int code) {
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
    fail_usage(h, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  h->ended = true;
}

/* Run the result of luaL_load* as a main chunk. `drawn`: --graph draws it.
 * [..., function, args] -> [...], or [..., message] -> [...] */
static void run_chunk(lua_State *L, host *h, int load_status, int nargs,
                      bool drawn) {
  aw_lua_main_config config = {.timeout = host_limit_left(),
                               .grace = h->options.grace_ns,
                               .size = sizeof config,
                               .graph = drawn ? h->options.graph.format : NULL};
  if (config.timeout == 0 || load_status != LUA_OK) {
    if (config.timeout == 0)
      time_out(h, NULL);
    else
      fail_usage(h, lua_tostring(L, -1));
    lua_pop(L, nargs + 1);
    return;
  }
  int code = 0;
  int end = h->repl ? host_repl_chunk(h->repl, L, nargs, &code)
                    : aw_lua_main_with(L, nargs, &config, &code);
  if (end == AW_LUA_GRAPH) {
    write_graph(L, h);
  } else if (end == AW_LUA_ERROR) {
    report(L, h);
    h->status = code;
    if (code != STATUS_DEADLOCK) /* that report has the events */
      host_recording_tell(L, &h->options);
  } else if (end == AW_LUA_TIMEOUT) {
    time_out(h, lua_tostring(L, -3));
    if (lua_isnil(L, -2))
      lua_pop(L, 2);
    else
      report(L, h);
    lua_pop(L, 1);
    h->status = code;
  }
  note_run_end(h, end, code);
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
  run_chunk(L, h, status, 0, last);
}

/* Run LUA_INIT as lua does: a statement, or @file. */
static void run_init(lua_State *L, host *h) {
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
  run_chunk(L, h, status, 0, false);
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
  run_chunk(L, h, LUA_OK, 2, false);
}

/* The index of the word behind the last -e, if there is no script: --graph draws
 * that one. 0: there is none. */
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

/* Run -e, -l and -W in the order given. options.c has checked them. */
static void run_options(lua_State *L, host *h) {
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

static void run_script(lua_State *L, host *h) {
  const char *name = host_options_script(&h->options);
  int status = load_file(L, name);
  if (status == LUA_OK) {
    run_chunk(L, h, status, push_script_arguments(L), true);
    return;
  }
  const char *message = lua_tostring(L, -1);
  if (name && status == LUA_ERRSYNTAX && !strstr(message, name))
    lua_pushfstring(L, "%s: %s", name, message); /* bytecode has no line */
  run_chunk(L, h, status, 0, false);
}

/* ── setting up ──────────────────────────────────────────────────────────── */

/* Make the table `arg` as lua does: the script is at 0, the words before the
 * script are at negative indices. */
static void make_arg(lua_State *L, const host_options *o) {
  int script = o->script < o->argc ? o->script : 0;
  lua_createtable(L, o->argc - script, script + 1);
  for (int i = 0; i < o->argc; i++) {
    lua_pushstring(L, o->argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

static void set_up(lua_State *L, const host_options *o) {
  host_open(L, o->ignore_env);
  host_quit_open(L);
  make_arg(L, o);
}

static void print_version(void) {
  printf("aiowire %s (%s, libuv %s)\n", aw_version(), LUA_RELEASE, HOST_LIBUV);
}

/* --version prints the search paths, too, for users whose module was not found.
 */
static void print_parts(lua_State *L) {
  print_version();
  printf("build          %s\n", HOST_BUILD);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "path");
  lua_getfield(L, -2, "cpath");
  printf("package.path   %s\n", luaL_tolstring(L, -2, NULL));
  printf("package.cpath  %s\n", luaL_tolstring(L, -2, NULL));
  lua_settop(L, 0);
}

/* Without a script, -e and -v, standard input is the script, unless it is a
 * terminal: that gets the prompt, as in lua. */
static bool runs_alone(const host_options *o) {
  return o->script == o->argc && !o->chunks && !o->version;
}

/* Begin the session of the prompt, if there will be one. */
static void begin_session(lua_State *L, host *h) {
  const host_options *o = &h->options;
  if (!o->interactive && !(runs_alone(o) && isatty(STDIN_FILENO)))
    return;
  if (o->timeout_ns != AW_NEVER || o->graph.format) {
    complain(o->graph.format ? "'--graph' cannot be used with a prompt"
                             : "'--timeout' cannot be used with a prompt");
    h->status = STATUS_USAGE;
    h->ended = true;
    return;
  }
  host_repl_greet();
  h->repl = host_repl_open(L, o->grace_ns);
}

/* [host] -> [] */
static int end_session(lua_State *L) {
  host *h = lua_touserdata(L, 1);
  host_repl *repl = h->repl;
  int code = 0;
  h->repl = NULL;
  int end = host_repl_close(repl, L, &code);
  if (end == AW_LUA_ERROR)
    report(L, h);
  note_run_end(h, end, code);
  return 0;
}

/* What follows -e, -l and -W. */
static void run_rest(lua_State *L, host *h) {
  const host_options *o = &h->options;
  if (o->script < o->argc)
    run_script(L, h);
  if (h->ended)
    return;
  if (h->repl)
    host_repl_prompt(h->repl, L);
  else if (runs_alone(o))
    run_chunk(L, h, load_file(L, NULL), 0, true);
}

/* The one protected call. [host] -> [] */
static int run_all(lua_State *L) {
  host *h = lua_touserdata(L, 1);
  const host_options *o = &h->options;
  luaL_checkversion(L);
  lua_settop(L, 0);
  if (o->version && !o->interactive)
    print_version();
  set_up(L, o);
  if (o->all_parts) {
    print_parts(L);
    return 0;
  }
  if (o->check) {
    h->status = host_check(L, o);
    return 0;
  }
  if (o->top) {
    run_chunk(L, h, LUA_OK, host_top_push(L, o->pid), false);
    return 0;
  }
  if (o->stats)
    host_stats_begin(L);
  if (!host_recording_begin(L, o)) {
    h->status = STATUS_ERROR;
    return 0;
  }
  begin_session(L, h);
  if (!h->ended && !o->ignore_env)
    run_init(L, h);
  run_options(L, h);
  if (!h->ended)
    run_rest(L, h);
  return 0;
}

/* ── the process ─────────────────────────────────────────────────────────── */

/* Open those of the descriptors 0 to 2 that are closed. Otherwise a descriptor
 * of the engine could get such a number, and print would write to it. open()
 * returns the lowest free number. */
static void open_standard_files(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
      continue;
    int opened = open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
    if (opened != fd)
      _exit(STATUS_ERROR);
    /* cppcheck-suppress resourceLeak ; it stays open */
  }
}

/* Call a function with the host, in protected mode. */
static void run_protected(lua_State *L, host *h, lua_CFunction f) {
  lua_settop(L, 0);
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, h);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    fail_usage(h, lua_tostring(L, -1));
}

static void run_state(host *h) {
  host_warnings warnings = {false, NULL, 0};
  host_memory *memory;
  lua_State *L = host_new_state(&warnings, &memory);
  if (!L) {
    fail_usage(h, "not enough memory");
    return;
  }
  run_protected(L, h, run_all);
  if (h->repl)
    run_protected(L, h, end_session);
  if (h->ended) /* unfinished work is no mistake of the user then */
    host_warnings_stop();
  fflush(stdout);
  if (!host_recording_end(L, &h->options) && !h->status)
    h->status = STATUS_ERROR;
  host_stats_close(L);
  host_limit_close();
  if (h->signal || h->status == STATUS_TIMEOUT)
    host_ends_by(h->status, h->signal);
  lua_close(L);
  host_ends_by(0, 0);
  host_memory_free(memory);
}

static void run_limited(host *h) {
  int rc = host_limit_begin(h->options.timeout_ns, h->options.grace_ns);
  if (rc != 0) {
    char text[128];
    snprintf(text, sizeof text, "cannot watch the time: %s", strerror(rc));
    fail_usage(h, text);
    return;
  }
  run_state(h);
  host_limit_end();
}

int main(int argc, char **argv) {
  host h = {.status = 0};
  host_quit_watch();
  open_standard_files();
  host_output_watch();
  host_options_read(&h.options, argc, argv);
  host_style_use(h.options.colour);
  if (h.options.bad) {
    host_options_complain(&h.options);
    return STATUS_USAGE;
  }
  if (h.options.help)
    host_options_help(stdout);
  else
    run_limited(&h);
  if (!host_output_flush() && !h.status)
    h.status = STATUS_ERROR;
  host_stats_print(h.status, h.signal);
  if (h.signal)
    host_die_by(h.signal);
  return h.status;
}
