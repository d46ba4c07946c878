/* output.c - standard output whose reader has gone; see output.h
 *
 *   write ─► SIGPIPE ─► on_broken_pipe ─► has standard output a reader?
 *                         yes: the write fails with EPIPE, that is all
 *                         no:  lost ─► aw_lua_interrupt: clean-up ─► at_exit
 *
 * The signal does not say which write it was. Where standard output has no
 * reader, a write to another pipe without one ends the program as well.
 */

#include "output.h"

#include "aiowire_lua.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t lost;    /* standard output lost its reader */
static volatile sig_atomic_t at_once; /* … which kills then and there */

/* A pipe shows an error, a socket that it is hung up. */
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
  signal(signal_number, SIG_DFL);
  unblock(signal_number);
  raise(signal_number);
  _exit(128 + signal_number);
}

static void on_broken_pipe(int signal_number) {
  int saved = errno;
  if (!has_reader()) {
    lost = 1;
    if (!aw_lua_interrupt(signal_number) && at_once)
      host_die_by(signal_number);
  }
  errno = saved;
}

/* Also after os.exit(code, false), and after output that stayed in the buffer
 * until now. */
static void at_exit(void) {
  fflush(stdout);
  if (lost)
    host_die_by(SIGPIPE);
}

/* A handler rather than SIG_IGN, which children would inherit. */
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

void host_output_die_at_once(bool yes) {
  at_once = yes;
}

bool host_output_flush(void) {
  bool failed = ferror(stdout) != 0; /* print flushes, and says nothing */
  failed = fflush(stdout) != 0 || failed;
  if (failed && !has_reader())
    lost = 1; /* also if a module has SIGPIPE ignored */
  if (!failed || lost)
    return true;
  fputs("aiowire: cannot write to stdout\n", stderr);
  return false;
}
