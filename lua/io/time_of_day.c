/* time_of_day.c - aw.time(), aw.at{hour=, min=, sec=} and aw.At{…}
 *
 *     wall (one for each engine, an aw_closer)
 *       ├─ list[]: waits, each with its task, its moment and its wall-clock
 *       time
 *       └─ watch: a timerfd that notices when somebody sets the clock
 *
 * A wait is an alarm on the engine's clock, which nobody can set, for the time
 * that is left until the moment. When somebody sets the wall clock, or the
 * machine has slept, the kernel cancels the timerfd: then all waits are
 * computed again. A moment that the change skipped has come; any other wait
 * gets the next such moment. Without a timerfd each wait is computed again
 * every minute.
 *
 * An engine with virtual time has a wall clock of its own, which nobody can
 * set. That clock begins with the real time, and moves with the virtual time.
 *
 * The watch is memory of C, which its close callback frees [I4].
 *
 * Neighbours: calendar.c computes moments.
 */
#if defined __linux__
#define _GNU_SOURCE /* TFD_TIMER_CANCEL_ON_SET */
#include <sys/timerfd.h>
#endif

#include "calendar.h"
#include "io.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <uv.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int64_t SECOND = 1000 * 1000 * 1000; /* ns */

#if defined CLOCK_REALTIME_COARSE
#define CLOCK_OF_DATES CLOCK_REALTIME_COARSE
#else
#define CLOCK_OF_DATES CLOCK_REALTIME
#endif

typedef struct watch {
  uv_poll_t poll;
  struct wall *wall;
  int fd;
} watch;

typedef struct waiting {
  aw_task *task;
  awio_moment moment;
  int64_t until; /* ns of wall-clock time */
} waiting;

typedef struct wall {
  aw_closer closer;
  aw_engine *engine;
  int64_t start; /* ns of wall-clock time at the virtual time 0 */
  waiting *list;
  size_t count, size;
  watch *watch; /* while somebody waits in real time, if possible; or NULL */
} wall;

static int64_t read_system_clock(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static int64_t real_time(void) {
  return read_system_clock(CLOCK_REALTIME);
}

/* Return the wall-clock time that waits go by, in ns. os.date() and time() read
 * the coarse clock of the kernel, if there is one, which is up to a tick behind
 * the precise clock. Waits read the coarse clock, too: a wait for 08:00 must
 * not end while os.date() says 07:59. */
static int64_t now_of(const wall *w) {
  return aw_engine_virtual(w->engine)
             ? w->start + (int64_t)aw_engine_now(w->engine)
             : read_system_clock(CLOCK_OF_DATES);
}

/* ---- the watch of changes ---- */

static void changed(wall *w);

static void watch_closed(uv_handle_t *handle) {
  aw_free(handle->data);
}

static void close_watch(wall *w) {
  watch *old = w->watch;
  w->watch = NULL;
  if (!old)
    return;
  uv_close((uv_handle_t *)&old->poll, watch_closed);
  close(old->fd); /* after its watcher [I7] */
}

#if defined TFD_TIMER_CANCEL_ON_SET

/* Arm the timer so that the next change of the clock cancels it. Its own time
 * never comes. */
static int renew(int fd) {
  const time_t far = (time_t)(INT64_MAX / SECOND / 2);
  const struct itimerspec never = {.it_value = {.tv_sec = far}};
  int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  return timerfd_settime(fd, flags, &never, NULL);
}

static void fired(uv_poll_t *poll, int status, int events) {
  const watch *one = poll->data;
  uint64_t count;
  (void)status;
  (void)events;
  if (read(one->fd, &count, sizeof count) < 0)
    renew(one->fd);
  changed(one->wall);
}

static int open_timer(void) {
  int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd >= 0 && renew(fd) < 0) {
    close(fd);
    fd = -1;
  }
  return fd;
}

#else

static void fired(uv_poll_t *poll, int status, int events) {
  (void)poll;
  (void)status;
  (void)events;
}

static int open_timer(void) {
  return -1;
}

#endif

/* Open the watch, unless there is one. On failure set_alarm() sees that there
 * is none. */
static void open_watch(wall *w) {
  void *uv;
  if (aw_engine_virtual(w->engine) || w->watch ||
      aw_engine_uv(w->engine, &uv) < 0)
    return;
  watch *new = aw_allocate(sizeof *new);
  if (!new)
    return;
  new->fd = open_timer();
  if (new->fd < 0 || uv_poll_init(uv, &new->poll, new->fd) < 0) {
    if (new->fd >= 0)
      close(new->fd);
    aw_free(new);
    return;
  }
  new->poll.data = new;
  new->wall = w;
  w->watch = new;
  uv_unref((uv_handle_t *)&new->poll);
  if (uv_poll_start(&new->poll, UV_READABLE, fired) < 0)
    close_watch(w);
}

/* ---- the clock of an engine ---- */

static void close_wall(aw_closer *closer) {
  wall *w = (wall *)closer;
  close_watch(w);
  aw_free(w->list);
  aw_free(w);
}

/* Return the wall clock of an engine; NULL: out of memory. */
static wall *wall_of(aw_engine *engine) {
  aw_closer *closer = aw_engine_find_closer(engine, close_wall);
  if (closer)
    return (wall *)closer;
  wall *w = aw_allocate(sizeof *w);
  if (!w)
    return NULL;
  w->closer.close = close_wall;
  w->engine = engine;
  w->start = real_time();
  aw_engine_add_closer(engine, &w->closer);
  return w;
}

/* ---- waiters ---- */

static int add(wall *w, aw_task *task, const awio_moment *moment) {
  if (w->count == w->size) {
    size_t size = w->size ? w->size * 2 : 1;
    waiting *list = aw_reallocate(w->list, size * sizeof *list);
    if (!list)
      return AW_ENOMEM;
    w->list = list;
    w->size = size;
  }
  w->list[w->count++] = (waiting){.task = task, .moment = *moment};
  return 0;
}

static waiting *find_waiting(const wall *w, const aw_task *task) {
  waiting *one = w->list;
  while (one->task != task)
    one++;
  return one;
}

static void leave_waiting(wall *w, aw_task *task) {
  waiting *one = find_waiting(w, task);
  *one = w->list[--w->count];
  aw_alarm_disarm(task);
  if (w->count == 0)
    close_watch(w);
}

/* Set the time at which the moment of `one` comes next. */
static void set_time(const wall *w, waiting *one) {
  time_t now = (time_t)(now_of(w) / SECOND);
  one->until = (int64_t)awio_calendar_next(&one->moment, now) * SECOND;
}

/* Set the alarm of `one`, after a minute at the latest if there is no watch. It
 * is never early, since the wall clock is read before the engine's clock. */
static int set_alarm(const wall *w, const waiting *one) {
  int64_t left = one->until - now_of(w);
  bool blind = !w->watch && !aw_engine_virtual(w->engine);
  if (blind && left > 60 * SECOND)
    left = 60 * SECOND;
  uint64_t now = aw_engine_now(w->engine);
  return aw_alarm_arm(one->task, now + (uint64_t)(left > 0 ? left : 0));
}

static void complete_moment(wall *w, aw_task *task, int result) {
  leave_waiting(w, task);
  aw_wait_complete(task, result);
}

/* Somebody has set the clock: compute all waits again. A wait that completes
 * takes its rivals out of the list [H3], so the search begins anew then. */
static void changed(wall *w) {
  size_t i = 0;
  while (i < w->count) {
    waiting *one = &w->list[i];
    bool over = one->until <= now_of(w);
    int rc = 0;
    if (!over) {
      aw_alarm_disarm(one->task);
      set_time(w, one);
      rc = set_alarm(w, one);
    }
    if (over || rc < 0) {
      complete_moment(w, one->task, rc);
      i = 0;
    } else {
      i++;
    }
  }
}

/* ---- the operation, whose data is a moment, packed into a number ---- */

static void *pack_moment(const awio_moment *m) {
  return (void *)(intptr_t)(((m->hour + 1) * 64 + m->minute + 1) * 64 +
                            m->second);
}

static awio_moment unpack(const void *data) {
  int n = (int)(intptr_t)data;
  return (awio_moment){n / (64 * 64) - 1, n / 64 % 64 - 1, n % 64};
}

static aw_engine *wall_engine(aw_task *task) {
  return aw_loop_engine(aw_task_loop(task));
}

static int at_arm(aw_task *task, void *data) {
  awio_moment moment = unpack(data);
  wall *w = wall_of(wall_engine(task));
  if (!w || add(w, task, &moment) < 0)
    return AW_ENOMEM;
  open_watch(w);
  waiting *one = find_waiting(w, task);
  set_time(w, one);
  int rc = set_alarm(w, one);
  if (rc < 0)
    leave_waiting(w, task);
  return rc;
}

static wall *wall_at(aw_task *task) {
  return (wall *)aw_engine_find_closer(wall_engine(task), close_wall);
}

static void at_disarm(aw_task *task, void *data) {
  (void)data;
  leave_waiting(wall_at(task), task);
}

static void at_due(aw_task *task, void *data) {
  wall *w = wall_at(task);
  const waiting *one = find_waiting(w, task);
  (void)data;
  int rc = 0;
  bool over = one->until <= now_of(w);
  if (!over)
    rc = set_alarm(w, one);
  if (over || rc < 0)
    complete_moment(w, task, rc);
}

/* Write the moment as "08:30:00", "*:30:00" or "*:*:30". */
static void at_describe(const void *data, char *out, size_t size) {
  awio_moment m = unpack(data);
  char hour[4] = "*", minute[4] = "*";
  if (m.hour != AWIO_ANY)
    snprintf(hour, sizeof hour, "%02d", m.hour & 63);
  if (m.minute != AWIO_ANY)
    snprintf(minute, sizeof minute, "%02d", m.minute & 63);
  snprintf(out, size, "%s:%s:%02d", hour, minute, m.second);
}

static const aw_operation operation = {.label = "at",
                                       .arm = at_arm,
                                       .disarm = at_disarm,
                                       .describe = at_describe,
                                       .due = at_due};

/* ---- for Lua ---- */

enum { FIELDS = 3 };
static const char *const field_names[FIELDS + 1] = {"hour", "min", "sec", NULL};
static const int field_limits[FIELDS] = {23, 59, 59};

/* Return the value of field number `i` of the table at 1; AWIO_ANY: missing. */
static int check_field(lua_State *L, int i) {
  if (lua_getfield(L, 1, field_names[i]) == LUA_TNIL) {
    lua_pop(L, 1);
    return AWIO_ANY;
  }
  int is_integer;
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  if (lua_type(L, -1) != LUA_TNUMBER || !is_integer || value < 0 ||
      value > field_limits[i])
    aw_lua_arg_error(L, 1,
                     lua_pushfstring(L,
                                     "field '%s' must be an integer from 0 to "
                                     "%d, got %s",
                                     field_names[i], field_limits[i],
                                     lua_type(L, -1) == LUA_TNUMBER
                                         ? luaL_tolstring(L, -1, NULL)
                                         : aw_lua_type_name(L, -1)));
  lua_pop(L, 1);
  return (int)value;
}

/* Return the moment in the table at 1, packed. Missing fields above the largest
 * given one are AWIO_ANY, those below it 0. */
static void *check_moment(lua_State *L) {
  aw_lua_check_type(L, 1, LUA_TTABLE);
  if (aw_lua_unknown_option(L, 1, field_names, false))
    aw_lua_arg_error(L, 1,
                     lua_pushfstring(L,
                                     "unknown field '%s'; there are 'hour', "
                                     "'min' and 'sec'",
                                     luaL_tolstring(L, -1, NULL)));
  int values[FIELDS], largest = FIELDS;
  for (int i = FIELDS - 1; i >= 0; i--) {
    values[i] = check_field(L, i);
    if (values[i] != AWIO_ANY)
      largest = i;
  }
  aw_lua_arg_check(L, largest < FIELDS, 1,
                   "a field 'hour', 'min' or 'sec' expected");
  for (int i = largest + 1; i < FIELDS; i++)
    if (values[i] == AWIO_ANY)
      values[i] = 0;
  return pack_moment(&(awio_moment){values[0], values[1], values[2]});
}

static int after_at(lua_State *L, int result, void *data) {
  char what[16];
  at_describe(data, what, sizeof what);
  return result < 0 ? aw_lua_system_error(L, result, "at", what) : 0;
}

static int act_at(lua_State *L) {
  void *data = check_moment(L);
  return aw_lua_await(L, &operation, data, "at", after_at);
}

static int m_At(lua_State *L) {
  void *data = check_moment(L);
  aw_lua_push_wire(L, aw_wait_for(&operation, data), 0);
  return 1;
}

static int act_time(lua_State *L) {
  aw_engine *engine = aw_lua_engine(L);
  const wall *w = aw_engine_virtual(engine) ? wall_of(engine) : NULL;
  if (!w && aw_engine_virtual(engine))
    return luaL_error(L, "not enough memory");
  int64_t now = w ? now_of(w) : real_time();
  lua_pushnumber(L, (lua_Number)now / (lua_Number)SECOND);
  return 1;
}

void awio_open_time_of_day(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"time", act_time}, {"at", act_at}, {"At", m_At}, {NULL, NULL}};
  aw_lua_set_functions(L, functions, 0);
}
