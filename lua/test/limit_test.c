/* limit_test.c - the guard of the program's time limit
 *
 * aw_lua_interrupt() is in this file: the linker puts it in the place of the
 * library's.
 */
#include "check.h"

#if !defined TEST_HOST || !defined TEST_WRAPS

int main(void) {
  enum { SKIPPED = 77 };
  return SKIPPED;
}

#else

#include "signals/limit.h"

#include <aiowire_lua.h>

#include <signal.h>

static volatile sig_atomic_t calls;

/* At first nothing runs. */
bool __wrap_aw_lua_interrupt(int signal_number);
bool __wrap_aw_lua_interrupt(int signal_number) {
  CHECK(signal_number == 0);
  return ++calls > 1;
}

static void tells_again_what_no_run_has_learned(void) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  CHECK(host_limit_begin(1, AW_NEVER) == 0);
  while (calls < 2)
    sigsuspend(&none); /* signals come only here */
  CHECK(host_limit_left() == 0);
  host_limit_end();
}

int main(void) {
  tells_again_what_no_run_has_learned();
  return 0;
}

#endif
