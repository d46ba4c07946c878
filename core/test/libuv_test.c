/* libuv_test.c - a libuv loop that gets no descriptors when it is opened
 *
 * The engine makes sure that there is room before it opens the loop, but
 * another thread may take descriptors then. Here uv_loop_init() itself finds
 * less and less room. Nothing may be left open [UV15].
 */
#include "check.h"

#if !defined TEST_WRAPS

int main(void) {
  enum { SKIPPED = 77 };
  return SKIPPED;
}

#else

#include <uv.h>

#include <fcntl.h>
#include <sys/resource.h>

enum { NUMBERS = 1024, ENOUGH = 8 };

/* The descriptors that uv_loop_init() finds. */
static int room = ENOUGH;

static bool is_open(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}

static int count_open(void) {
  int count = 0;
  for (int fd = 0; fd < NUMBERS; fd++)
    count += is_open(fd);
  return count;
}

/* The limit below which `room` numbers are free. */
static rlim_t limit_for_room(void) {
  int fd = 0;
  for (int left = room; left > 0; fd++)
    left -= !is_open(fd);
  return (rlim_t)fd;
}

int __real_uv_loop_init(uv_loop_t *uv);
int __wrap_uv_loop_init(uv_loop_t *uv);
int __wrap_uv_loop_init(uv_loop_t *uv) {
  struct rlimit before, now;
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  now = before;
  now.rlim_cur = limit_for_room();
  CHECK(setrlimit(RLIMIT_NOFILE, &now) == 0);
  int rc = __real_uv_loop_init(uv);
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  return rc;
}

/* Opens the loop of a new engine. Returns 0 or a code. */
static int open_engine(void) {
  aw_engine *engine = virtual_engine();
  int rc = aw_engine_wakeable(engine);
  empty(engine, NULL);
  return rc;
}

int main(void) {
  CHECK(open_engine() == 0); /* opens what libuv keeps for the process */
  int before = count_open(), refused = 0;
  for (room = 0; room <= ENOUGH; room++) {
    int rc = open_engine();
    CHECK(rc == 0 || rc == UV_EMFILE);
    CHECK(count_open() == before);
    refused += rc < 0;
  }
  CHECK(refused > 1 && refused < ENOUGH);
  return 0;
}

#endif
