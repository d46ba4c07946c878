/* set_clock_test.c - waits for a time of day, while somebody sets the clock
 *
 * The linker puts functions of this file in the place of those that read the
 * system's clock and have a timer told of its changes: only the administrator
 * may set the real one. The clock of the test is the real one, plus a shift.
 * Instead of the timer there is an eventfd, and reading it fails as reading a
 * timer does after the clock was set. timer_create_fails and timer_set_fails
 * stand for a kernel without such timers.
 *
 * In a script, set_clock(n) sets the clock n seconds forward, or back, and
 * hour(n) is the moment { hour = } n hours after the start.
 */
#include "check.h"

#if !defined __linux__ || !defined TEST_WRAPS || defined __ILP32__ || \
    __SIZEOF_POINTER__ < 8

int main(void) {
  enum { SKIPPED = 77 };
  return SKIPPED;
}

#else

#include "with_aw.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static time_t shift;
static int timer = -1;
static int renewals;
static bool timer_create_fails, timer_set_fails;

int __real_clock_gettime(clockid_t id, struct timespec *out);
ssize_t __real_read(int fd, void *data, size_t size);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);
int __wrap_timerfd_create(int id, int flags);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *when,
                           struct itimerspec *old);
ssize_t __wrap_read(int fd, void *data, size_t size);

int __wrap_clock_gettime(clockid_t id, struct timespec *out) {
  int rc = __real_clock_gettime(id, out);
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
    out->tv_sec += shift;
  return rc;
}

int __wrap_timerfd_create(int id, int flags) {
  CHECK(id == CLOCK_REALTIME && flags == (TFD_NONBLOCK | TFD_CLOEXEC));
  if (timer_create_fails) {
    errno = ENODEV;
    return -1;
  }
  return timer = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *when,
                           struct itimerspec *old) {
  (void)flags;
  (void)when;
  (void)old;
  CHECK(fd == timer);
  renewals++;
  return timer_set_fails ? -1 : 0;
}

ssize_t __wrap_read(int fd, void *data, size_t size) {
  ssize_t got = __real_read(fd, data, size);
  if (fd != timer || got < 0)
    return got;
  errno = ECANCELED;
  return -1;
}

static int set_clock(lua_State *L) {
  const uint64_t one = 1;
  shift += (time_t)luaL_checkinteger(L, 1);
  CHECK(write(timer, &one, sizeof one) == (ssize_t)sizeof one);
  return 0;
}

static void run(const char *script) {
  lua_State *L = new_state_with_aw();
  lua_register(L, "set_clock", set_clock);
  shift = 0;
  renewals = 0;
  timer = -1;
  bool good = luaL_dostring(L, "ev = aw.EventLoop{signals = false}\n"
                               "local start = aw.time() // 1 | 0\n"
                               "function hour(n)\n"
                               "  local at = start + n * 3600\n"
                               "  return {hour = os.date('*t', at).hour}\n"
                               "end\n") == LUA_OK &&
              luaL_dostring(L, script) == LUA_OK;
  if (!good)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(good);
  lua_close(L);
}

static void waits_end_when_their_moment_is_skipped(void) {
  run("local ended = {}\n"
      "for _, n in ipairs{5, 9, 14} do\n"
      "  ev:start(aw.At(hour(n)) >> function() ended[#ended + 1] = n end)\n"
      "end\n"
      "ev:start(function()\n"
      "  aw.yield()\n"
      "  set_clock(6 * 3600)\n"
      "  aw.sleep(0.01)\n"
      "  assert(#ended == 1 and ended[1] == 5)\n"
      "  set_clock(10 * 3600)\n"
      "end)\n"
      "ev:run()\n"
      "assert(#ended == 3)\n");
  CHECK(renewals == 3); /* at the start, and after each change */
}

static void waits_go_on_when_the_clock_is_set_back(void) {
  run("local ended\n"
      "ev:start(aw.At(hour(5)) >> function() ended = true end)\n"
      "ev:start(function()\n"
      "  aw.yield()\n"
      "  set_clock(-2 * 3600)\n"
      "  aw.sleep(0.01)\n"
      "  assert(not ended)\n"
      "  set_clock(5 * 3600)\n"
      "  aw.sleep(0.01)\n"
      "  assert(not ended)\n"
      "  set_clock(2 * 3600)\n"
      "end)\n"
      "ev:run()\n"
      "assert(ended)\n");
}

static void a_wait_may_end_its_rival(void) {
  run("local got\n"
      "ev:start(aw.Race{a = aw.At(hour(5)), b = aw.At(hour(6)),\n"
      "  c = aw.At(hour(20))} / function(n) got = n end)\n"
      "ev:start(function()\n"
      "  aw.yield()\n"
      "  set_clock(8 * 3600)\n"
      "end)\n"
      "ev:run()\n"
      "assert(got == 'a' or got == 'b')\n");
}

static void waits_work_without_a_timer(void) {
  run("local n = 0\n"
      "ev:start((aw.At(hour(5)) | aw.Sleep(0)) >> function() n = n + 1 end)\n"
      "ev:start(aw.At{sec = 0} | aw.Sleep(0))\n"
      "ev:run()\n"
      "assert(n == 1)\n");
}

int main(void) {
  waits_end_when_their_moment_is_skipped();
  waits_go_on_when_the_clock_is_set_back();
  a_wait_may_end_its_rival();
  timer_create_fails = true;
  waits_work_without_a_timer();
  timer_create_fails = false;
  timer_set_fails = true;
  waits_work_without_a_timer();
  return 0;
}

#endif
