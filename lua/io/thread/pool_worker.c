/* pool_worker.c - a worker of a pool, in its Lua state
 *
 *     aiowire/pool_worker.lua ─► take a job ─► a task calls the function
 *                                  ▲             │
 *                                  └─ end it ◄───┘ results, or the error
 *
 * The part in Lua is the main function of the thread. A second task of it, in
 * the background, waits until the job under way is unwanted, and cancels the
 * task of the job. A job that does not await is interrupted meanwhile by
 * awio_thread_interrupt(). That error is no crash, since the call asked for it.
 *
 * What a job ends with is kept in `ending` of the seat until the task of the
 * job has ended, with all that it has started.
 *
 * Neighbours: jobs.c hands out the jobs; pool_object.c is the other end.
 */
#include "thread/pool_worker.h"

#include "io.h"
#include "thread/jobs.h"

#include <lauxlib.h>

#include <string.h>

/* The address is the key of `inner.part` in the registry. */
static const char PART_KEY = 'p';

/* ---- waiting for jobs and for cancels ---- */

static int take_arm(aw_task *task, void *data) {
  return awio_seat_take(data, task);
}

static void take_disarm(aw_task *task, void *data) {
  (void)task;
  awio_seat_leave(data);
}

static const aw_operation taking = {.label = "job",
                                    .arm = take_arm,
                                    .disarm = take_disarm,
                                    .ready = take_arm,
                                    .external = true};

static int mind_arm(aw_task *task, void *data) {
  return awio_seat_mind(data, task);
}

static void mind_disarm(aw_task *task, void *data) {
  (void)task;
  awio_seat_mind_no_more(data);
}

static const aw_operation minding = {.label = "cancel of a job",
                                     .arm = mind_arm,
                                     .disarm = mind_disarm,
                                     .ready = mind_arm,
                                     .external = true};

static awio_seat *seat_at(lua_State *L) {
  return lua_touserdata(L, 1);
}

static int after_take(lua_State *L, int result, void *data) {
  if (result < 0)
    return luaL_error(L, "not enough memory");
  lua_pushboolean(L, ((awio_seat *)data)->job != NULL);
  return 1;
}

/* take(seat) → true: there is a job; false: the pool is closed. Awaits. */
static int inner_pool_take(lua_State *L) {
  return aw_lua_await(L, &taking, seat_at(L), "pool", after_take);
}

static int after_mind(lua_State *L, int result, void *data) {
  if (result < 0)
    return luaL_error(L, "not enough memory");
  lua_pushboolean(L, awio_seat_must_cancel(data));
  return 1;
}

/* mind(seat) → true: the caller must cancel the task of the job now; false: it
 * was done, or the job has ended. Awaits. */
static int inner_pool_mind(lua_State *L) {
  return aw_lua_await(L, &minding, seat_at(L), "pool", after_mind);
}

/* began(seat) → as mind(seat). The job under way has a task. */
static int inner_pool_began(lua_State *L) {
  awio_seat_begin_job(seat_at(L));
  lua_pushboolean(L, awio_seat_must_cancel(seat_at(L)));
  return 1;
}

/* ---- what goes in ---- */

/* function(seat) → the function of the pool */
static int inner_pool_function(lua_State *L) {
  return awio_message_push(L, seat_at(L)->pool->function);
}

/* arguments(seat) → those of the job */
static int inner_pool_arguments(lua_State *L) {
  return awio_message_push(L, seat_at(L)->job->arguments->message);
}

/* ---- what comes out ---- */

static void set_ending(awio_seat *seat, awio_outcome ending) {
  awio_outcome_clear(&seat->ending);
  seat->ending = ending;
}

/* (seat, …): keep the results. */
static int keep_job_results(lua_State *L) {
  awio_seat *seat = seat_at(L);
  int count = lua_gettop(L) - 1;
  awio_message *message = awio_message_new(L, 2, count, "result", 1);
  set_ending(seat,
             (awio_outcome){.end = AWIO_CALL_RETURNED, .message = message});
  return 0;
}

/* results(seat, …): the job has returned so. Raises if a result cannot be
 * copied, and names the pool then. */
static int inner_pool_results(lua_State *L) {
  const awio_seat *seat = seat_at(L);
  lua_pushcfunction(L, keep_job_results);
  lua_insert(L, 1);
  int status = lua_pcall(L, lua_gettop(L) - 1, 0, 0);
  if (status == LUA_ERRRUN)
    lua_pushfstring(L, "%s: %s", seat->pool->name, lua_tostring(L, -1));
  return status == LUA_OK ? 0 : lua_error(L);
}

static bool ends_in(const char *text, const char *end) {
  size_t size = strlen(text), rest = strlen(end);
  return size >= rest && strcmp(text + size - rest, end) == 0;
}

static char *copy_trace(const char *text) {
  size_t size = text ? strlen(text) + 1 : 0;
  char *copy = text ? aw_allocate(size) : NULL;
  return copy ? memcpy(copy, text, size) : NULL;
}

/* Return why the error at 2 leaves the state in doubt; NULL: it does not. */
static const char *crash_at(lua_State *L) {
  static const char *const crashes[] = {"not enough memory", "interrupted!"};
  const char *text = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
    if (ends_in(text, crashes[i]))
      return crashes[i];
  return NULL;
}

/* failed(seat, error, traceback) → true: the worker must end. A job that is
 * cancelled while it does not await is interrupted: that is no failure. */
static int inner_pool_failed(lua_State *L) {
  awio_seat *seat = seat_at(L);
  const char *crash = crash_at(L);
  bool was_cancelled = crash && awio_seat_is_unwanted(seat);
  awio_outcome ending = {.end = AWIO_CALL_CANCELLED};
  if (crash && !was_cancelled) {
    ending.end = AWIO_CALL_CRASHED;
    ending.text = copy_trace(crash);
  } else if (!crash) {
    ending.end = AWIO_CALL_FAILED;
    ending.message = awio_message_of_error(L, 2);
    ending.text = copy_trace(lua_tostring(L, 3));
  }
  set_ending(seat, ending);
  lua_pushboolean(L, ending.end == AWIO_CALL_CRASHED);
  return 1;
}

/* finish(seat): the task of the job has ended */
static int inner_pool_finish(lua_State *L) {
  awio_seat *seat = seat_at(L);
  awio_outcome ending = seat->ending;
  seat->ending = (awio_outcome){.end = AWIO_CALL_CANCELLED};
  bool crashed = ending.end == AWIO_CALL_CRASHED;
  awio_seat_end_job(seat, &ending);
  if (crashed) /* with all that jobs have left in the loop */
    awio_thread_cancel(seat->thread);
  return 0;
}

/* ---- the main function ---- */

static int after_work(lua_State *L, int status, lua_KContext context) {
  (void)L;
  (void)status;
  (void)context;
  return 0;
}

int awio_pool_work(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &PART_KEY);
  lua_pushliteral(L, "aiowire.pool_worker");
  lua_call(L, 1, 1);
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 0, 0, after_work);
  return after_work(L, LUA_OK, 0);
}

void awio_open_pool_worker(lua_State *L) {
  static const luaL_Reg inner[] = {{"pool_take", inner_pool_take},
                                   {"pool_mind", inner_pool_mind},
                                   {"pool_began", inner_pool_began},
                                   {"pool_function", inner_pool_function},
                                   {"pool_arguments", inner_pool_arguments},
                                   {"pool_results", inner_pool_results},
                                   {"pool_failed", inner_pool_failed},
                                   {"pool_finish", inner_pool_finish},
                                   {NULL, NULL}};
  awio_add_inner(L, inner);
  lua_getfield(L, -2, "part");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &PART_KEY);
}
