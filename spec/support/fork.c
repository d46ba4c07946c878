/* fork.c - calls with processes for specs, which Lua does not have
 *
 * luaposix is not installed everywhere.
 *
 *   local fork = require "spec_fork"
 *   fork.fork()     → 0 in the child, the pid in the parent
 *   fork.wait(pid)  → exit code, or minus the signal; and the processor time of
 *                     the child, in seconds
 *   fork.reap_any() → number of children; reaps all that have ended, as some C
 *                     libraries do
 *   fork.exec(program, …)    replace this process by a program
 *   fork.kill(number)        send a signal to this process; its handler has run
 *                            when this returns, unless the signal is blocked
 *   fork.block(number, …), fork.ignore(number, …)  signals
 *   fork.forbid_pidfd(errno) → true, and pidfd_open() fails with this error
 *                            from now on; false if that is not possible
 */
#define _DEFAULT_SOURCE /* wait4() */

#include <aiowire.h>

#include <lauxlib.h>

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

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

static int fork_reap_any(lua_State *L) {
  int count = 0;
  while (waitpid(-1, NULL, WNOHANG) > 0)
    count++;
  lua_pushinteger(L, count);
  return 1;
}

static int fork_exec(lua_State *L) {
  enum { MOST = 16 };
  char *list[MOST + 1] = {(char *)(size_t)luaL_checkstring(L, 1)};
  for (int i = 1; i < MOST && i < lua_gettop(L); i++)
    list[i] = (char *)(size_t)luaL_checkstring(L, i + 1);
  execvp(list[0], list);
  return luaL_error(L, "cannot execute '%s'", list[0]);
}

static int fork_kill(lua_State *L) {
  kill(getpid(), (int)luaL_checkinteger(L, 1));
  return 0;
}

static int fork_block(lua_State *L) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 1; i <= lua_gettop(L); i++)
    sigaddset(&set, (int)luaL_checkinteger(L, i));
  sigprocmask(SIG_BLOCK, &set, NULL);
  return 0;
}

static int fork_ignore(lua_State *L) {
  for (int i = 1; i <= lua_gettop(L); i++)
    signal((int)luaL_checkinteger(L, i), SIG_IGN);
  return 0;
}

#if defined SYS_pidfd_open

/* Install a filter of system calls, which compares the number of each call. */
static int fork_forbid_pidfd(lua_State *L) {
  unsigned code = (unsigned)luaL_checkinteger(L, 1);
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code)};
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  bool done = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
              prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  lua_pushboolean(L, done);
  return 1;
}

#else

static int fork_forbid_pidfd(lua_State *L) {
  lua_pushboolean(L, 0);
  return 1;
}

#endif

AW_API int luaopen_spec_fork(lua_State *L);

int luaopen_spec_fork(lua_State *L) {
  static const luaL_Reg functions[] = {{"fork", fork_fork},
                                       {"wait", fork_wait},
                                       {"reap_any", fork_reap_any},
                                       {"exec", fork_exec},
                                       {"kill", fork_kill},
                                       {"block", fork_block},
                                       {"ignore", fork_ignore},
                                       {"forbid_pidfd", fork_forbid_pidfd},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
