/* terminal.c - the terminal's modes, and signals that concern them
 *
 * While a line is edited, the terminal is in libedit's modes. Whatever stops or
 * ends the process meanwhile gives the modes back first:
 *
 *   SIGTSTP          give them back, stop; once continued, wake the editor
 *   SIGCONT          wake the editor: SIGSTOP has no handler
 *   SIGWINCH         wake the editor, which looks at the size
 *   SIGTERM and kin  give them back, die; only where the program has no handler
 *
 * The handlers are in place during a read. One that somebody else puts in place
 * meanwhile stays. One that was there before is called as well.
 *
 * A screen, as that of --top, is a read of that kind, too. It also has a text
 * that is written whenever the modes are given back.
 *
 * Those for SIGTERM and kin are in place from the start of the program: whoever
 * holds such a signal, and gives it to the handler from before in the end, then
 * gives it to one that restores the terminal.
 */
#define _DEFAULT_SOURCE /* SIGWINCH */

#include "terminal/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void on_news(int signal_number);
static void on_terminal_stop(int signal_number);
static void on_death(int signal_number);

static const struct {
  int number;
  void (*handler)(int);
  bool only_default; /* leave a handler of the program alone */
} handled[] = {
    {SIGWINCH, on_news, false},        {SIGCONT, on_news, false},
    {SIGTSTP, on_terminal_stop, true}, {SIGTERM, on_death, true},
    {SIGHUP, on_death, true},          {SIGINT, on_death, true},
    {SIGQUIT, on_death, true},         {SIGALRM, on_death, true},
    {SIGUSR1, on_death, true},         {SIGUSR2, on_death, true},
    {SIGXCPU, on_death, true},         {SIGXFSZ, on_death, true},
    {SIGVTALRM, on_death, true},       {SIGABRT, on_death, true},
    {SIGSEGV, on_death, true},         {SIGBUS, on_death, true},
    {SIGFPE, on_death, true},          {SIGILL, on_death, true},
    {SIGTRAP, on_death, true},         {SIGSYS, on_death, true},
    {SIGPROF, on_death, true},         {SIGIO, on_death, true},
#ifdef SIGPWR
    {SIGPWR, on_death, true},
#endif
#ifdef SIGSTKFLT
    {SIGSTKFLT, on_death, true},
#endif
};

enum { HANDLED = sizeof handled / sizeof *handled };

/* Signal handlers use these. They are written while `reading` is false. */
static struct sigaction before[HANDLED];
static struct termios modes;
static int wake_end;
static int screen;             /* where `leave_text` goes */
static const char *leave_text; /* NULL: none */
static atomic_bool reading;

static atomic_bool stopped;

/* Only the terminal's foreground may set modes: another process is stopped. */
void host_terminal_restore(void) {
  int saved = errno;
  if (reading && tcgetpgrp(STDIN_FILENO) == getpgrp()) {
    tcsetattr(STDIN_FILENO, TCSANOW, &modes);
    if (leave_text)
      host_write_soon(screen, leave_text);
  }
  errno = saved;
}

void host_write_soon(int fd, const char *text) {
  enum { PATIENCE = 1000 }; /* ms */
  size_t left = strlen(text);
  while (left > 0) {
    ssize_t count = write(fd, text, left);
    if (count > 0) {
      text += count;
      left -= (size_t)count;
      continue;
    }
    struct pollfd ready = {fd, POLLOUT, 0};
    if (count < 0 && errno != EAGAIN && errno != EINTR)
      return;
    if (poll(&ready, 1, PATIENCE) == 0)
      return;
  }
}

void host_terminal_show(int terminal, const char *leave) {
  screen = terminal;
  leave_text = leave;
}

static void wake(void) {
  ssize_t ignored = write(wake_end, "", 1); /* a full pipe wakes, too */
  (void)ignored;
}

static int index_of(int signal_number) {
  int i = 0;
  while (handled[i].number != signal_number)
    i++;
  return i;
}

static void on_news(int signal_number) {
  int saved = errno;
  if (signal_number == SIGCONT)
    stopped = true;
  if (reading)
    wake();
  const struct sigaction *old = &before[index_of(signal_number)];
  if (!(old->sa_flags & SA_SIGINFO) && old->sa_handler != SIG_DFL &&
      old->sa_handler != SIG_IGN)
    old->sa_handler(signal_number);
  errno = saved;
}

static void set_mask(int how, int signal_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  sigprocmask(how, &set, NULL);
}

/* Let the default action happen: raise() returns after a stop. */
static void act_by_default(int signal_number) {
  struct sigaction action, own;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, &own);
  raise(signal_number);
  set_mask(SIG_UNBLOCK, signal_number);
  set_mask(SIG_BLOCK, signal_number);
  sigaction(signal_number, &own, NULL);
}

static void on_terminal_stop(int signal_number) {
  int saved = errno;
  host_terminal_restore();
  act_by_default(signal_number);
  stopped = true;
  wake();
  errno = saved;
}

static void on_death(int signal_number) {
  host_terminal_restore();
  act_by_default(signal_number);
  _exit(128 + signal_number);
}

/* Put a handler in place, unless the program has one. */
static void handle(int i) {
  struct sigaction action;
  sigaction(handled[i].number, NULL, &before[i]);
  if (handled[i].only_default && before[i].sa_handler != SIG_DFL)
    return;
  memset(&action, 0, sizeof action);
  action.sa_handler = handled[i].handler;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  sigaction(handled[i].number, &action, NULL);
}

bool host_terminal_is_usable(void) {
  const char *type = getenv("TERM");
  return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && type && type[0] &&
         strcmp(type, "dumb") != 0;
}

void host_terminal_prepare(void) {
  for (int i = 0; i < HANDLED; i++)
    if (handled[i].handler == on_death)
      handle(i);
}

void host_terminal_enter(int wake_descriptor) {
  wake_end = wake_descriptor;
  stopped = false;
  reading = tcgetattr(STDIN_FILENO, &modes) == 0;
  for (int i = 0; i < HANDLED; i++)
    handle(i);
}

bool host_terminal_was_stopped(void) {
  return atomic_exchange(&stopped, false);
}

void host_terminal_leave(void) {
  host_terminal_restore();
  for (int i = 0; i < HANDLED; i++) {
    struct sigaction now;
    sigaction(handled[i].number, NULL, &now);
    if (!(now.sa_flags & SA_SIGINFO) && now.sa_handler == handled[i].handler)
      sigaction(handled[i].number, &before[i], NULL);
  }
  reading = false;
  leave_text = NULL;
}
