/* main.c - aiowire(1): a Lua interpreter whose scripts may await
 *
 * The program takes the command line of `lua`. All Lua code runs inside one
 * protected call (run_all).
 *
 *   main ─► run_limited ─► run_state ─► run_all
 *             --timeout      lua_State     set_up, then
 *                                          --version, --check or --top; or
 *                                          LUA_INIT, -e/-l/-W in order, script
 *                                          (chunks.c), prompt
 *
 * The rooms, from the lowest to the highest; each includes lower ones only:
 *
 *   terminal/  modes of a terminal, colors, widths of characters
 *   options/   the command line
 *   report/    warnings, --stats, --trace and --record
 *   state/     Lua states, also those of workers: their allocator, the refusal
 *              of bytecode, `error`, parts of the program in Lua
 *   signals/   SIGQUIT, a standard output without a reader, --timeout
 *   prompt/    the prompt
 *   check/     --check
 *   top/       --top
 */

#include "check/check.h"
#include "chunks.h"
#include "options/options.h"
#include "prompt/repl.h"
#include "report/recording.h"
#include "report/stats.h"
#include "report/warning.h"
#include "signals/limit.h"
#include "signals/output.h"
#include "signals/quit.h"
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
#include <string.h>
#include <unistd.h>

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
    host_complain(o->graph.format ? "'--graph' cannot be used with a prompt"
                                  : "'--timeout' cannot be used with a prompt");
    h->status = HOST_STATUS_USAGE;
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
    host_report(L, h);
  host_note_end(h, end, code);
  return 0;
}

/* What follows -e, -l and -W. */
static void run_rest(lua_State *L, host *h) {
  const host_options *o = &h->options;
  if (o->script < o->argc)
    host_run_script(L, h);
  if (h->ended)
    return;
  if (h->repl)
    host_repl_prompt(h->repl, L);
  else if (runs_alone(o))
    host_run_input(L, h);
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
    host_run_chunk(L, h, LUA_OK, host_top_push(L, o->pid), false);
    return 0;
  }
  if (o->stats)
    host_stats_begin(L);
  if (!host_recording_begin(L, o)) {
    h->status = HOST_STATUS_ERROR;
    return 0;
  }
  begin_session(L, h);
  if (!h->ended && !o->ignore_env)
    host_run_init(L, h);
  host_run_options(L, h);
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
      _exit(HOST_STATUS_ERROR);
    /* cppcheck-suppress resourceLeak ; it stays open */
  }
}

/* Call a function with the host, in protected mode. */
static void run_protected(lua_State *L, host *h, lua_CFunction f) {
  lua_settop(L, 0);
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, h);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    host_fail(h, lua_tostring(L, -1));
}

static void run_state(host *h) {
  host_warnings warnings = {false, NULL, 0};
  host_memory *memory;
  lua_State *L = host_new_state(&warnings, &memory);
  if (!L) {
    host_fail(h, "not enough memory");
    return;
  }
  run_protected(L, h, run_all);
  if (h->repl)
    run_protected(L, h, end_session);
  if (h->ended) /* unfinished work is no mistake of the user then */
    host_warnings_stop();
  fflush(stdout);
  if (!host_recording_end(L, &h->options) && !h->status)
    h->status = HOST_STATUS_ERROR;
  host_stats_close(L);
  host_limit_close();
  if (h->signal || h->status == HOST_STATUS_TIMEOUT)
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
    host_fail(h, text);
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
    return HOST_STATUS_USAGE;
  }
  if (h.options.help)
    host_options_help(stdout);
  else
    run_limited(&h);
  if (!host_output_flush() && !h.status)
    h.status = HOST_STATUS_ERROR;
  host_stats_print(h.status, h.signal);
  if (h.signal)
    host_die_by(h.signal);
  return h.status;
}
