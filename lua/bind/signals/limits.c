/* limits.c - what bounds a run: real time and memory
 *
 * A run on a virtual clock may go on for ever in no virtual time; it blocks
 * without a deadline while it waits for something external. A run inside a step
 * of another engine blocks that engine and all its deadlines. So some limits
 * are in real time, and are checked from outside of the running engine:
 *
 *     limit     of a test [K6]: the dump is kept for its message
 *     fixed     of the program [R4]: its loop has it as a deadline, too, but
 *               the host program watches the clock by itself, and its word
 *               counts (aw_lua_interrupt): awl_limit_end()
 *     hard_at   the end of a signal's grace, on a virtual clock [L2, C8]
 *     outer     the limits of the runs around this one, and the deadlines of
 *               their engines: a task that one of these cancels stops the run
 *               that its step drives, as if the task awaited that run [S7]
 *
 * The engine wakes its host at the earliest of these times, whether the engine
 * is blocked or busy (aw_engine_wake_at); then the driver calls
 * awl_limit_check(). A step that goes on is interrupted at the limit of a test,
 * see guard.c.
 */
#include "signals/limits.h"

#include "base/classes.h"
#include "base/loops.h"
#include "base/parts.h"
#include "errors/notice.h"
#include "open.h"

#include <time.h>

static const char DUMP_KEY = 'd'; /* its address is the key */

uint64_t awl_real_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * AW_SECOND + (uint64_t)now.tv_nsec;
}

/* (light loop): store {EventLoop, dump text} in the registry, under
 * DUMP_KEY. */
static int keep_dump(lua_State *L) {
  awl_state *s = awl_open(L);
  const awl_loop *loop = awl_loop_of(s, lua_touserdata(L, 1));
  lua_createtable(L, 2, 0);
  awl_push_loop(L, s, loop);
  lua_rawseti(L, -2, 1);
  awl_push_embedded(L, "aiowire.dump");
  awl_push_loop(L, s, loop);
  awl_push_busy(L, s);
  lua_call(L, 2, 1);
  lua_rawseti(L, -2, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &DUMP_KEY);
  return 0;
}

/* The time of a test is over: keep the dump for its message. */
static void note_dump(lua_State *L, aw_loop *loop) {
  lua_pushcfunction(L, keep_dump);
  lua_pushlightuserdata(L, loop);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

/* Stop `run` and all runs nested in it, at once. */
static void stop_from(awl_state *s, const awl_run *run) {
  for (const awl_run *r = &s->run; r != run->outer; r = r->outer)
    aw_loop_stop(r->loop, true);
}

static void check_run(lua_State *L, awl_state *s, awl_run *run, uint64_t now) {
  bool over = now >= run->limit;
  if (over)
    note_dump(L, run->loop);
  if (!over && now < run->hard_at)
    return;
  run->limit = over ? AW_NEVER : run->limit;
  run->hard_at = AW_NEVER;
  stop_from(s, run);
}

/* Advance the engine of `outer`: this may cancel the task of `outer` whose step
 * drives `run`, and `run` follows. Returns the next deadline of that engine. */
static uint64_t look_outside(const awl_run *run, const awl_run *outer) {
  uint64_t due = aw_engine_tick(outer->engine->core);
  if (outer->running)
    aw_loop_follow(run->loop, outer->running->task);
  return due;
}

static uint64_t earlier(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

void awl_limit_grace(awl_run *run) {
  uint64_t now = awl_real_time(), grace = aw_loop_grace(run->loop);
  if (run->engine->is_virtual && grace < AW_NEVER - now)
    run->hard_at = now + grace;
}

bool awl_limit_is_over(const awl_state *s) {
  uint64_t now = awl_real_time();
  for (const awl_run *run = &s->run; run; run = run->outer)
    if (now >= run->limit)
      return true;
  return false;
}

bool awl_limit_end(const awl_state *s) {
  aw_loop *loop = s->fixed.loop;
  if (!atomic_load(&s->interruption.late))
    return false;
  if (loop) {
    /* refused if something has cancelled the loop already */
    (void)aw_scope_extend(aw_loop_scope(loop), 0);
    aw_engine_tick(aw_loop_engine(loop));
  }
  return true;
}

void awl_limit_check(lua_State *L, awl_state *s) {
  uint64_t now = awl_real_time(), next = AW_NEVER;
  for (awl_run *run = &s->run;; run = run->outer) {
    check_run(L, s, run, now);
    next = earlier(next, earlier(run->limit, run->hard_at));
    if (!run->outer)
      break;
    next = earlier(next, look_outside(run, run->outer));
  }
  if (!s->run.engine->hosted) /* else it is the host that may be woken */
    aw_engine_wake_at(s->run.engine->core, next);
}

/* ---- out of memory, or of time ----
 *
 * Without memory each step may take as long as a full garbage collection: with
 * very many tasks a loop would not end for hours. Within its grace the loop
 * must bear that. After its grace, a `hurried` run neither begins nor continues
 * a step of an overdue task. A run is hurried if memory has failed, or if it
 * still has slow steps long after the grace. */

bool awl_is_given_up(const awl_state *s, const aw_task *task) {
  return s->run.hurried && aw_task_overdue(task);
}

/* Is a loop of the run's engine past its grace? It may be the loop of the run,
 * or one whose end a task of the run awaits. */
static bool has_overdue_loop(const awl_state *s) {
  for (uint32_t i = 0; i < s->loop_count; i++) {
    const awl_loop *loop = s->loops[i];
    if (loop && loop->core && loop->engine == s->run.engine &&
        aw_scope_overdue(aw_loop_scope(loop->core)))
      return true;
  }
  return false;
}

void awl_limit_slow(awl_state *s) {
  static const uint64_t MUCH = 2 * AW_SECOND;
  awl_run *run = &s->run;
  if (!has_overdue_loop(s))
    return;
  uint64_t now = awl_real_time();
  if (run->late_since == 0)
    run->late_since = now;
  else if (now - run->late_since > MUCH)
    run->hurried = true;
}

/* ---- for tests ---- */

/* limit_dump(ev): the dump of `ev` at the moment when its time was over; nil if
 * there is none. A second call returns nil. */
static int inner_limit_dump(lua_State *L) {
  lua_settop(L, 1);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &DUMP_KEY) != LUA_TTABLE)
    return 0;
  lua_rawgeti(L, 2, 1);
  if (!lua_rawequal(L, 1, 3))
    return 0; /* the dump belongs to a test around this one */
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &DUMP_KEY);
  lua_rawgeti(L, 2, 2);
  return 1;
}

/* Register in the table of inner functions, below the module's table on top. */
void awl_open_limits(lua_State *L, awl_state *s) {
  static const luaL_Reg inner[] = {{"limit_dump", inner_limit_dump},
                                   {NULL, NULL}};
  lua_pushvalue(L, -2);
  awl_register_inner(L, s, inner);
  lua_pop(L, 1);
}
