/* loops.c - EventLoops by their numbers
 *
 * Each EventLoop of a state has a number. The number is in the host value of
 * the core's loop, and a part of each value that the engine carries. So the
 * number leads from the core to the awl_loop and to the EventLoop of Lua
 * (AWL_LOOPS). A number is reused once its loop is garbage and nobody refers to
 * a value of the loop.
 *
 * Invariant: s->loops[n] is the loop of number n, or NULL; s->claims[n] are the
 * claims on the values of that loop, and may outlive the loop.
 *
 * Neighbours: values.c has the values; objects/loop.c makes and ends loops.
 */
#include "base/loops.h"

#include "base/arguments.h"
#include "base/location.h"

/* ---- numbers ---- */

static bool grow_loops(awl_state *s) {
  uint32_t count = s->loop_count ? s->loop_count * 2 : 8;
  awl_loop **loops = aw_reallocate(s->loops, count * sizeof(awl_loop *));
  if (!loops)
    return false;
  s->loops = loops;
  awl_claims **claims = aw_reallocate(s->claims, count * sizeof(awl_claims *));
  if (!claims)
    return false;
  s->claims = claims;
  for (uint32_t i = s->loop_count; i < count; i++) {
    loops[i] = NULL;
    claims[i] = NULL;
  }
  s->loop_count = count;
  return true;
}

uint32_t awl_loop_take_number(lua_State *L, awl_state *s) {
  uint32_t number = 1; /* numbers begin at 1, so that a value is never 0 */
  while (number < s->loop_count && (s->loops[number] || s->claims[number]))
    number++;
  if (number >= AWL_MOST_LOOPS)
    awl_error(L, "too many EventLoops");
  if (number >= s->loop_count && !grow_loops(s))
    awl_error(L, "not enough memory");
  return number;
}

void awl_loop_forget_number(awl_state *s, uint32_t number) {
  awl_claims *claims = s->claims[number];
  if (s->loops[number] || claims->live > 0)
    return;
  aw_free(claims->counts);
  aw_free(claims);
  s->claims[number] = NULL;
}

void awl_free_loops(awl_state *s) {
  for (uint32_t i = 0; i < s->loop_count; i++)
    if (s->claims[i])
      aw_free(s->claims[i]->counts), aw_free(s->claims[i]);
  aw_free(s->claims);
  aw_free(s->loops);
}

/* ---- finding loops ---- */

awl_loop *awl_loop_number(const awl_state *s, uint32_t number) {
  return number < s->loop_count ? s->loops[number] : NULL;
}

/* The host value of a loop of the core is the high half of its values. */
static uint32_t number_of_core(const aw_loop *core) {
  return (uint32_t)aw_loop_host(core) & AWL_MOST_LOOPS;
}

awl_loop *awl_loop_of(awl_state *s, const aw_loop *core) {
  return core ? awl_loop_number(s, number_of_core(core)) : NULL;
}

void awl_push_loop(lua_State *L, awl_state *s, const awl_loop *loop) {
  awl_get(L, s, AWL_LOOPS, loop->number);
}

awl_loop *awl_loop_at(lua_State *L, int index) {
  return *(awl_loop **)lua_touserdata(L, index);
}

awl_loop *awl_check_loop(lua_State *L, awl_state *s) {
  if (!awl_is(L, s, 1, AWL_LOOP))
    awl_bad_self(L, "EventLoop");
  return awl_loop_at(L, 1);
}

/* ---- anchored while the core runs it ---- */

bool awl_loop_anchor(lua_State *L, awl_loop *loop) {
  awl_push_loop(L, loop->state, loop);
  if (!lua_isuserdata(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  awl_set(L, loop->state, AWL_RUNNING, loop->number);
  return true;
}

void awl_loop_let_go(awl_state *s, const aw_loop *core) {
  if (aw_loop_state_of(core) == AW_LOOP_RUNNING)
    return;
  awl_unset(s, AWL_RUNNING, number_of_core(core));
  awl_loop_forget_values(s, number_of_core(core));
}

void awl_loop_forget_values(awl_state *s, uint32_t number) {
  if (s->busy_loop != number)
    return;
  s->busy_loop = 0;
  if (s->closing)
    return;
  lua_pushnil(s->util);
  lua_replace(s->util, AWL_BUSY_VALUES);
}

/* ---- loops that have ended ---- */

static const char *ended_as(const awl_loop *loop) {
  if (!loop->core)
    return "closed";
  switch (aw_loop_state_of(loop->core)) {
  case AW_LOOP_TIMEOUT: return "timeout";
  case AW_LOOP_STOPPED: return "stopped";
  case AW_LOOP_FAILED: return "failed";
  default: return "closed";
  }
}

int awl_ended(lua_State *L, const awl_loop *loop) {
  return awl_error(L, "this EventLoop has ended (%s)", ended_as(loop));
}
