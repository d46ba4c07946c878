/* crew.c - see crew.h */
#include "thread/crew.h"

#include <lauxlib.h>
#include <uv.h>

#include <stddef.h>
#include <stdio.h>

enum {
  MOST_MS = 2000, /* for the workers of a state to end with it */
  PRESS_MS = 1000, /* the last of it, in which busy clean-up is interrupted … */
  PAUSE_MS = 50    /* … again and again */
};

static const char *const CREW = "aiowire.Crew";

struct awio_crew {
  aw_lua_held held;
  awio_member *first;
  bool ended; /* the state is closing */
};

static uint64_t crew_time_ms(void) {
  return uv_hrtime() / 1000000;
}

/* ---- members ---- */

static void free_member(awio_member *m) {
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

/* Wait for the end of the worker, which is cancelled, until `until`. Busy
 * clean-up is interrupted when half of the time is over. */
static bool await_until(awio_member *m, uint64_t until) {
  for (;;) {
    uint64_t now = crew_time_ms();
    uint64_t left = until > now ? until - now : 0;
    uint64_t most = left > PRESS_MS   ? left - PRESS_MS
                    : left > PAUSE_MS ? PAUSE_MS
                                      : left;
    if (awio_thread_await_end(m->thread, most)) {
      awio_thread_join(m->thread);
      return true;
    }
    if (left <= PAUSE_MS)
      return false;
    awio_thread_interrupt(m->thread);
  }
}

bool awio_member_end(awio_member *m) {
  awio_thread_cancel(m->thread);
  return await_until(m, crew_time_ms() + MOST_MS);
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

/* ---- leaving ---- */

/* Let the member go if its worker is over. */
static void let_go(lua_State *L, awio_member *m) {
  if (awio_thread_fate_of(m->thread) == AWIO_THREAD_RUNS)
    return;
  warn_unwaited(L, m);
  awio_thread_join(m->thread);
  free_member(m);
}

void awio_crew_leave(lua_State *L, awio_member *m) {
  m->garbage = true;
  awio_thread_cancel(m->thread);
  let_go(L, m);
}

void awio_crew_sweep(lua_State *L, awio_crew *crew) {
  awio_member *next;
  for (awio_member *m = crew->first; m; m = next) {
    next = m->next;
    if (m->garbage)
      let_go(L, m);
  }
}

/* ---- the end of the state ---- */

static void warn_of_left(lua_State *L, const awio_member *m) {
  char text[200];
  snprintf(text, sizeof text,
           "thread %u '%s' does not come back from code in C, and is left "
           "behind",
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
    bool over = await_until(m, until);
    if (!over)
      awio_thread_leave(m->thread);
    if (L && over)
      warn_unwaited(L, m);
    else if (L)
      warn_of_left(L, m);
    free_member(m);
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
    awio_crew *crew = lua_newuserdatauv(L, sizeof *crew, 0);
    *crew = (awio_crew){.held = {.release = release_lost_crew}};
    luaL_setmetatable(L, CREW);
    aw_lua_hold(L, &crew->held);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, CREW);
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
