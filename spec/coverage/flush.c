/* flush.c - keeps the counts of a process that ends without exit handlers
 *
 * gcov writes counts in an exit handler, which _exit() and a signal that ends
 * the process skip. The linker puts these functions in the place of _exit() and
 * raise() in a build that counts. Specs that would kill a program send signal
 * 63 before (spec/support/terminal.lua), which keeps the counts and ends the
 * process. Only SIGKILL and signals that the process neither handles nor raises
 * lose counts.
 */
#define _POSIX_C_SOURCE 200809L /* sigaction() */

#include <gcov.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { END = 63 }; /* SIGRTMAX - 1: neither the library nor a spec uses it */

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
int __real_raise(int number);
int __wrap_raise(int number);

/* Counting goes on: reset what has been added to the files. */
static void flush(void) {
  __gcov_dump();
  __gcov_reset();
}

void __wrap__exit(int status) {
  flush();
  __real__exit(status);
}

int __wrap_raise(int number) {
  flush();
  return __real_raise(number);
}

/* The program and each module that it has loaded have counts, and handlers, of
 * their own. */
static struct sigaction next;

static void end(int number) {
  flush();
  if (next.sa_handler != SIG_DFL && next.sa_handler != SIG_IGN)
    next.sa_handler(number);
  __real__exit(128 + number);
}

__attribute__((constructor)) static void listen_for_end(void) {
  struct sigaction action = {.sa_handler = end};
  sigemptyset(&action.sa_mask);
  sigaction(END, &action, &next);
}

/* A module is unloaded before those that were loaded earlier. */
__attribute__((destructor)) static void stop_listening(void) {
  sigaction(END, &next, NULL);
}

/* gcov tells of files that it cannot write, in spite of GCOV_ERROR_FILE. Specs
 * that run as another user cannot, and look at what they print. */
int __wrap_fprintf(FILE *file, const char *format, ...);
int __wrap_fprintf(FILE *file, const char *format, ...) {
  if (strncmp(format, "profiling:", 10) == 0)
    return 0;
  va_list arguments;
  va_start(arguments, format);
  int n = vfprintf(file, format, arguments);
  va_end(arguments);
  return n;
}
