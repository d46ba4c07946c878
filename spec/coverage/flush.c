/* flush.c - keeps the counts of a process that ends without exit handlers
 *
 * gcov writes counts in an exit handler, which _exit() and a signal that ends
 * the process skip. The linker puts these functions in the place of _exit() and
 * raise() in a build that counts. Only SIGKILL and signals that the
 * process neither handles nor raises lose counts.
 */
#include <gcov.h>
#include <signal.h>
#include <unistd.h>

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
