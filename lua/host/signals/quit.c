/* quit.c - SIGQUIT prints the tasks; two at once end the program
 *
 *   SIGQUIT ─► on_quit: the last one less than PAIR ago, or being answered?
 *                 yes: the default action ends the program
 *                 no:  aw_lua_request_dump ─► … ─► print_notice: the dump
 *                        false, as no task runs: a line says so
 *
 * The handler is there for the whole life of the process, so that SIGQUIT never
 * ends the program by surprise: not between two chunks, and not in its start
 * and its end. If the parent ignored the signal, as a shell does for background
 * jobs, it stays ignored. A script that waits for the signal by aw.signal gets
 * it instead; the library puts its own handler before this one then.
 *
 * Only the main thread runs Lua code of the program; other threads pass the
 * signal on to it.
 *
 * Neighbours: output.c has SIGPIPE; the library has SIGINT, SIGTERM and SIGHUP.
 */

#include "signals/quit.h"

#include "signals/output.h"
#include "terminal/style.h"
#include "terminal/terminal.h"

#include <aiowire_lua.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const long long PAIR = 1000 * 1000 * 1000; /* ns */

static pthread_t main_thread;
static long long last;       /* when SIGQUIT came last; 0: never */
static atomic_bool printing; /* a dump is being printed */

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Without the buffers of stdio, which the handler may have interrupted. */
static void say_nothing_runs(void) {
  static const char text[] = "aiowire: no tasks\n";
  ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  (void)written; /* nobody could be told */
}

static void end_program(int signal_number) {
  host_terminal_restore();
  host_die_by(signal_number);
}

static void on_quit(int signal_number) {
  int saved = errno;
  if (!pthread_equal(pthread_self(), main_thread)) {
    pthread_kill(main_thread, signal_number);
    errno = saved;
    return;
  }
  long long before = last;
  last = now();
  if (printing || (before != 0 && last - before < PAIR))
    end_program(signal_number);
  if (!aw_lua_request_dump())
    say_nothing_runs();
  errno = saved;
}

void host_quit_watch(void) {
  struct sigaction action;
  if (sigaction(SIGQUIT, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
    return;
  main_thread = pthread_self();
  memset(&action, 0, sizeof action);
  action.sa_handler = on_quit;
  action.sa_flags = SA_RESTART; /* nothing notices that it was interrupted */
  sigemptyset(&action.sa_mask);
  sigaction(SIGQUIT, &action, NULL);
}

static void print_notice(void *data, aw_lua_notice kind, const char *text) {
  (void)data;
  printing = true;
  host_style_print(
      STDERR_FILENO,
      kind == AW_LUA_NOTICE_DUMP ? HOST_STYLE_DUMP : HOST_STYLE_NOTE, text);
  printing = false;
}

void host_quit_open(lua_State *L) {
  aw_lua_set_notice(L, print_notice, NULL);
}
