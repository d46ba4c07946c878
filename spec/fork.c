/* fork.c - fork for specs: Lua has none, and luaposix is not everywhere
 *
 *   local fork = require "spec_fork"
 *   fork.fork()     → 0 in the child, its number in the parent
 *   fork.wait(pid)  → exit code, or minus the signal, and seconds of processor
 *                     time that the child used
 */
#define _DEFAULT_SOURCE /* wait4() */

#include <aiowire.h>

#include <lauxlib.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int fork_fork(lua_State *L) {
  pid_t pid = fork();
  if (pid < 0)
    return luaL_error(L, "cannot fork");
  lua_pushinteger(L, pid);
  return 1;
}

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int fork_wait(lua_State *L) {
  pid_t pid = (pid_t)luaL_checkinteger(L, 1);
  struct rusage used;
  int status;
  if (wait4(pid, &status, 0, &used) != pid)
    return luaL_error(L, "no child %d", (int)pid);
  lua_pushinteger(L,
                  WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
  lua_pushnumber(L, seconds(used.ru_utime) + seconds(used.ru_stime));
  return 2;
}

AW_API int luaopen_spec_fork(lua_State *L);

int luaopen_spec_fork(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"fork", fork_fork}, {"wait", fork_wait}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
