/* repl.h - the prompt, and the session that it runs in; see repl.c */
#ifndef HOST_REPL_H
#define HOST_REPL_H

#include <lua.h>
#include <stdint.h>

typedef struct host_repl host_repl;

/* Print the line that greets, as `lua -i` does before everything else. */
void host_repl_greet(void);

/* Open a session: chunks and lines run in it, and their tasks stay until it is
 * closed. One at a time for each state. Raises. Gives.
 *
 *   grace  for clean-up, ns; AW_DEFAULT, or AW_NEVER for no limit */
host_repl *host_repl_open(lua_State *L, uint64_t grace);

/* Run a main chunk. A Wire or Poller that it returns is started, and goes on.
 *
 *   nargs  number of arguments on top of the stack, above the function
 *   code   as for aw_lua_session_call()
 *
 * Pops the function and its arguments. Returns an aw_lua_end; AW_LUA_ERROR
 * pushes the error value and its info. After AW_LUA_SIGNAL and AW_LUA_EXIT only
 * host_repl_close() is allowed. AW_LUA_CANCELLED: it has been told. Raises. */
int host_repl_chunk(host_repl *repl, lua_State *L, int nargs, int *code);

/* Read and run lines until Ctrl-D, .exit, a signal or os.exit. Raises. */
void host_repl_prompt(host_repl *repl, lua_State *L);

/* End the session: cancel its tasks, let them clean up. Takes.
 *
 * Returns AW_LUA_OK, or how the session has ended, as above. AW_LUA_ERROR
 * pushes an error and its info. Raises. */
int host_repl_close(host_repl *repl, lua_State *L, int *code);

#endif
