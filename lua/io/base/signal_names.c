/* signal_names.c - signals by name: those of POSIX, and two that most systems
 * have as well
 */
#include "base/signal_names.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static const struct {
  const char *name;
  int number;
  bool waitable;
} signals[] = {
    {"HUP", SIGHUP, true},     {"INT", SIGINT, true},
    {"QUIT", SIGQUIT, true},   {"ABRT", SIGABRT, false},
    {"KILL", SIGKILL, false},  {"SEGV", SIGSEGV, false},
    {"ALRM", SIGALRM, true},   {"TERM", SIGTERM, true},
    {"USR1", SIGUSR1, true},   {"USR2", SIGUSR2, true},
    {"PIPE", SIGPIPE, true},   {"CHLD", SIGCHLD, true},
    {"CONT", SIGCONT, true},   {"STOP", SIGSTOP, false},
    {"TSTP", SIGTSTP, true},   {"TTIN", SIGTTIN, true},
    {"TTOU", SIGTTOU, true},   {"URG", SIGURG, true},
    {"XCPU", SIGXCPU, true},   {"XFSZ", SIGXFSZ, true},
#ifdef SIGWINCH
    {"WINCH", SIGWINCH, true},
#endif
#ifdef SIGIO
    {"IO", SIGIO, true},
#endif
};

enum { COUNT = sizeof signals / sizeof *signals };

int awio_signal_number(const char *name) {
  if (strncmp(name, "SIG", 3) == 0)
    name += 3;
  for (size_t i = 0; i < COUNT; i++)
    if (strcmp(signals[i].name, name) == 0)
      return signals[i].number;
  return 0;
}

static size_t place_of(int number) {
  size_t i = 0;
  while (i < COUNT && signals[i].number != number)
    i++;
  return i;
}

const char *awio_signal_name(int number) {
  size_t i = place_of(number);
  return i < COUNT ? signals[i].name : "?";
}

bool awio_signal_waitable(int number) {
  size_t i = place_of(number);
  return i < COUNT && signals[i].waitable;
}
