/* chunks.h - runs the chunks of a command line, and reports their errors
 *
 * A *chunk* is LUA_INIT, an -e, an -l, the script or standard input.
 */
#ifndef HOST_CHUNKS_H
#define HOST_CHUNKS_H

#include "options/options.h"
#include "prompt/repl.h"

#include <lua.h>
#include <stdbool.h>

enum {
  HOST_STATUS_ERROR = 1,
  HOST_STATUS_USAGE = 2,
  HOST_STATUS_DEADLOCK = 13,
  HOST_STATUS_TIMEOUT = 124
};

/* One call of the program. */
typedef struct host {
  host_options options;
  host_repl *repl; /* chunks run in its session; NULL: there is no prompt */
  int status;      /* exit status */
  int signal;      /* die by this signal instead of an exit; 0: none */
  bool ended;      /* by an error, a signal or os.exit: run no further chunk */
} host;

/* ---- errors ---- */

/* Print an error. Without memory for it, print its text alone. */
void host_complain(const char *text);

/* The same, and end with the status of an error. NULL: there is no text. */
void host_fail(host *h, const char *text);

/* Report an error that reached the top. The error comes first: meanwhile no
 * finalizer may warn of what it has left behind. [..., err, info] -> [...] */
void host_report(lua_State *L, host *h);

/* Note how a run or the session has ended, but for an error. */
void host_note_end(host *h, int end, int code);

/* ---- chunks ---- */

/* Run the result of luaL_load* as a main chunk. `drawn`: --graph draws it.
 * [..., function, args] -> [...], or [..., message] -> [...] */
void host_run_chunk(lua_State *L, host *h, int load_status, int nargs,
                    bool drawn);

/* Run LUA_INIT as lua does: a statement, or @file. */
void host_run_init(lua_State *L, host *h);

/* Run -e, -l and -W in the order given. options.c has checked them. */
void host_run_options(lua_State *L, host *h);

/* Run the script. */
void host_run_script(lua_State *L, host *h);

/* Run standard input as a script. */
void host_run_input(lua_State *L, host *h);

#endif
