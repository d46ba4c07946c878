/* crew.c - see crew.h */
#include "thread/crew.h"

#include <lauxlib.h>
#include <uv.h>

#include <stddef.h>
#include <stdio.h>

enum {
  MOST_MS = 2000,  /* for the workers of a state to end with it */
  PRESS_MS = 1000, /* the last of it: clean-up has no grace any more, and is
                      interrupted if it is busy … */
  PAUSE_MS = 50    /* … again and again */
};

static const char *const CREW = "aiowire.Crew";

struct awio_crew {
  aw_lua_held held;
  awio_member *first;
  awio_jobs *pools; /* closed ones without a Pool */
  bool ended;       /* the state is closing */
};

/* What the end of a state waits for. */
typedef struct ending {
  bool (*await)(void *what, uint64_t most_ms);
  void (*press)(void *what);
} ending;

static uint64_t crew_time_ms(void) {
  return uv_hrtime() / 1000000;
}

/* ---- members ---- */

static void free_member(awio_member *m) {
  if (m->holder)
    *m->holder = NULL;
  *m->place = m->next;
  if (m->next)
    m->next->place = m->place;
  awio_thread_release(m->thread);
  aw_free(m);
}

void awio_crew_remove(awio_member *m) {
  free_member(m);
}

awio_member *awio_crew_add(awio_crew *crew, awio_thread *thread,
                           const char *where) {
  awio_member *m = aw_allocate(sizeof *m);
  if (!m)
    return NULL;
  m->thread = thread;
  m->where = where;
  m->next = crew->first;
  m->place = &crew->first;
  if (m->next)
    m->next->place = &m->next;
  crew->first = m;
  return m;
}

/* ---- waiting ---- */

static bool await_worker(void *what, uint64_t most_ms) {
  if (!awio_thread_await_end(what, most_ms))
    return false;
  awio_thread_join(what);
  return true;
}

static void press_worker(void *what) {
  awio_thread_press(what);
}

static bool await_pool(void *what, uint64_t most_ms) {
  return awio_jobs_await_end(what, most_ms);
}

static void press_pool(void *what) {
  awio_jobs_press(what);
}

static const ending worker_ending = {await_worker, press_worker};
static const ending pool_ending = {await_pool, press_pool};

/* Wait until `until` for the end of what is cancelled. Returns whether it has
 * ended. */
static bool await_until(const ending *by, void *what, uint64_t until) {
  for (;;) {
    uint64_t now = crew_time_ms();
    uint64_t left = until > now ? until - now : 0;
    uint64_t most = left > PRESS_MS   ? left - PRESS_MS
                    : left > PAUSE_MS ? PAUSE_MS
                                      : left;
    if (by->await(what, most))
      return true;
    if (left <= PAUSE_MS)
      return false;
    by->press(what);
  }
}

bool awio_member_end(awio_member *m) {
  awio_thread_cancel(m->thread);
  return await_until(&worker_ending, m->thread, crew_time_ms() + MOST_MS);
}

/* ---- warnings ---- */

/* (light member) → the text of the worker's error */
static int push_error_text(lua_State *L) {
  const awio_member *m = lua_touserdata(L, 1);
  awio_message_push(L, awio_thread_end_of(m->thread)->message);
  luaL_tolstring(L, -1, NULL);
  return 1;
}

/* (light member): warn of a failure. */
static int tell_failure(lua_State *L) {
  awio_member *m = lua_touserdata(L, 1);
  lua_pushcfunction(L, push_error_text);
  lua_pushlightuserdata(L, m);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    lua_pop(L, 1);
    lua_pushliteral(L, "(an error whose text cannot be made)");
  }
  lua_pushfstring(L,
                  "thread %d '%s' has failed, and nobody has waited for it: %s",
                  (int)awio_thread_number(m->thread),
                  awio_thread_name(m->thread), lua_tostring(L, -1));
  aw_lua_mistake(L, m->where, "thread");
  return 0;
}

static void warn_unwaited(lua_State *L, awio_member *m) {
  if (m->waited || awio_thread_fate_of(m->thread) != AWIO_THREAD_FAILED)
    return;
  m->waited = true;
  lua_pushcfunction(L, tell_failure);
  lua_pushlightuserdata(L, m);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

/* Warn of workers of a pool that are left behind. */
static void warn_of_left_pool(lua_State *L, const awio_jobs *pool,
                              unsigned left) {
  char text[sizeof pool->name + 100];
  if (left == 1)
    snprintf(text, sizeof text,
             "aiowire: %s: a worker does not come back from code in C, and is "
             "left behind",
             pool->name);
  else
    snprintf(text, sizeof text,
             "aiowire: %s: %u workers do not come back from code in C, and are "
             "left behind",
             pool->name, left);
  lua_warning(L, text, 0);
}

/* ---- leaving ---- */

/* Let all pools go whose workers have ended. */
static void sweep_pools(awio_crew *crew) {
  awio_jobs **at = &crew->pools;
  while (*at) {
    awio_jobs *pool = *at;
    if (!awio_jobs_await_end(pool, 0)) {
      at = &pool->next_left;
      continue;
    }
    *at = pool->next_left;
    awio_jobs_release(pool);
  }
}

/* Let the member go if its worker is over. */
static void let_go(lua_State *L, awio_member *m) {
  if (awio_thread_fate_of(m->thread) == AWIO_THREAD_RUNS)
    return;
  warn_unwaited(L, m);
  awio_thread_join(m->thread);
  free_member(m);
}

void awio_crew_leave(lua_State *L, awio_member *m) {
  m->holder = NULL;
  awio_thread_cancel(m->thread);
  let_go(L, m);
}

void awio_crew_sweep(lua_State *L, awio_crew *crew) {
  awio_member *next;
  for (awio_member *m = crew->first; m; m = next) {
    next = m->next;
    if (!m->holder)
      let_go(L, m);
  }
  sweep_pools(crew);
}

/* ---- pools ---- */

static void end_pool_until(awio_jobs *pool, uint64_t until, lua_State *L) {
  if (await_until(&pool_ending, pool, until))
    return;
  unsigned left = awio_jobs_abandon(pool);
  if (L && left > 0)
    warn_of_left_pool(L, pool, left);
}

void awio_crew_end_pool(awio_jobs *pool, lua_State *L) {
  awio_jobs_close(pool);
  end_pool_until(pool, crew_time_ms() + MOST_MS, L);
}

void awio_crew_leave_pool(lua_State *L, awio_crew *crew, awio_jobs *pool) {
  if (crew->ended) { /* nobody ends it later */
    awio_crew_end_pool(pool, L);
    awio_jobs_release(pool);
    return;
  }
  pool->next_left = crew->pools;
  crew->pools = pool;
  sweep_pools(crew);
}

/* ---- the end of the state ---- */

static void warn_of_left(lua_State *L, const awio_member *m) {
  char text[200];
  snprintf(text, sizeof text,
           "aiowire: thread %u '%s' does not come back from code in C, and is "
           "left behind",
           awio_thread_number(m->thread), awio_thread_name(m->thread));
  lua_warning(L, text, 0);
}

/* End all workers. Without L nothing is warned of. */
static void end_crew(awio_crew *crew, lua_State *L) {
  crew->ended = true;
  for (awio_member *m = crew->first; m; m = m->next)
    awio_thread_cancel(m->thread);
  uint64_t until = crew_time_ms() + MOST_MS;
  while (crew->first) {
    awio_member *m = crew->first;
    bool over = await_until(&worker_ending, m->thread, until);
    if (!over)
      awio_thread_leave(m->thread);
    if (L && over)
      warn_unwaited(L, m);
    else if (L)
      warn_of_left(L, m);
    free_member(m);
  }
  while (crew->pools) {
    awio_jobs *pool = crew->pools;
    crew->pools = pool->next_left;
    end_pool_until(pool, until, L);
    awio_jobs_release(pool);
  }
}

static void release_lost_crew(aw_lua_held *held) {
  end_crew((awio_crew *)((char *)held - offsetof(awio_crew, held)), NULL);
}

static int crew_gc(lua_State *L) {
  awio_crew *crew = lua_touserdata(L, 1);
  aw_lua_let_go(&crew->held);
  end_crew(crew, L);
  return 0;
}

/* ---- the crew ---- */

awio_crew *awio_crew_of(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, CREW) == LUA_TNIL) {
    lua_pop(L, 1);
    (void)aw_lua_place(L); /* raises if the state has ended */
    awio_crew *crew = lua_newuserdatauv(L, sizeof *crew, 0);
    *crew = (awio_crew){.held = {.release = release_lost_crew}};
    luaL_setmetatable(L, CREW);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, CREW); /* may raise: not held yet */
    aw_lua_hold(L, &crew->held);
  }
  awio_crew *crew = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (crew->ended) /* a finalizer calls, later than ours */
    aw_lua_error(L, "no thread can be started: the Lua state ends");
  return crew;
}

void awio_make_crew_class(lua_State *L) {
  luaL_newmetatable(L, CREW);
  lua_pushcfunction(L, crew_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
