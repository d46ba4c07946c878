/* output.c - ends the program when standard output loses its reader; see
 * output.h
 *
 *   write ─► SIGPIPE ─► on_broken_pipe: does standard output have a reader?
 *                         yes: the write fails with EPIPE, and that is all
 *                         no:  lost ─► aw_lua_interrupt: clean-up ─► at_exit
 *
 * SIGPIPE does not tell which write caused it. If standard output has no
 * reader, a write to any other broken pipe ends the program as well.
 */

#include "signals/output.h"

#include "terminal/terminal.h"

#include <aiowire_lua.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set by the signal handler, on any thread. */
static atomic_bool lost; /* standard output lost its reader */

/* See host_ends_by(). */
static int ending_status, ending_signal;

/* poll() reports POLLERR for a broken pipe, POLLHUP for a socket. */
static bool has_reader(void) {
  struct pollfd output = {STDOUT_FILENO, POLLOUT, 0};
  return poll(&output, 1, 0) <= 0 || !(output.revents & (POLLERR | POLLHUP));
}

static void unblock(int signal_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void host_die_by(int signal_number) {
  host_terminal_restore();
  signal(signal_number, SIG_DFL);
  unblock(signal_number);
  raise(signal_number);
  _exit(128 + signal_number);
}

static void on_broken_pipe(int signal_number) {
  int saved = errno;
  if (!has_reader()) {
    lost = true;
    aw_lua_interrupt(signal_number);
  }
  errno = saved;
}

void host_ends_by(int status, int signal_number) {
  ending_status = status;
  ending_signal = signal_number;
}

/* A run that is being stopped has a reason to end, which comes first. */
static void note_reason(void) {
  int code;
  aw_lua_end end = aw_lua_stopped_by(&code);
  if (end == AW_LUA_SIGNAL)
    ending_signal = code;
  else if (end == AW_LUA_TIMEOUT)
    ending_status = code;
}

/* Flush standard output, and die by SIGPIPE if it has lost its reader. As an
 * exit handler this also runs after os.exit(code, false), and after an os.exit
 * in a finalizer at the end. */
static void at_exit(void) {
  fflush(stdout);
  if (lost)
    host_die_by(SIGPIPE);
  note_reason();
  if (ending_signal)
    host_die_by(ending_signal);
  if (ending_status) {
    fflush(NULL);
    _exit(ending_status);
  }
}

/* Set a handler rather than SIG_IGN, which children would inherit. */
void host_output_watch(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_broken_pipe;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGPIPE, &action, NULL);
  unblock(SIGPIPE);
  atexit(at_exit);
}

bool host_output_flush(void) {
  bool failed = ferror(stdout) != 0; /* print ignores errors of its flush */
  failed = fflush(stdout) != 0 || failed;
  if (failed && !has_reader())
    lost = true; /* a module may have set SIGPIPE to SIG_IGN */
  if (!failed || lost)
    return true;
  fputs("aiowire: cannot write to stdout\n", stderr);
  return false;
}
