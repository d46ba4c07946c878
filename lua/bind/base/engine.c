/* engine.c - engines of a Lua state
 *
 * A state has one engine of its own, on the real clock, made when it is first
 * needed; or a host program has made it (lua/embed/open.c). An EventLoop with a
 * clock or a seed has another one. Each engine has a number, which a later
 * engine may reuse, and a serial, which is unique.
 *
 * Neighbours: loops.c has the loops of engines; values.c has the values that
 * engines carry.
 */
#include "base/engine.h"

#include "base/loops.h"
#include "base/numbers.h"
#include "base/values.h"

#include <stddef.h>

static void nothing_to_close(aw_closer *closer) {
  (void)closer;
}

/* The core does not run the loop any more, so the EventLoop may be garbage. */
void awl_note_loop_end(awl_state *s, aw_loop *loop) {
  awl_loop_of(s, loop)->ran = true;
  awl_loop_let_go(s, loop);
}

static void note_loop_end(aw_closer *closer, aw_loop *loop) {
  const awl_engine *engine =
      (const awl_engine *)((char *)closer - offsetof(awl_engine, closer));
  awl_note_loop_end(engine->state, loop);
}

/* Return a struct for one more engine, or NULL when out of memory. */
static awl_engine *make_struct(awl_state *s) {
  if (s->first_engine >= s->engine_count &&
      !awl_grow_chain(&s->engine_chain, &s->engine_count, 8))
    return NULL;
  awl_engine *engine = aw_allocate(sizeof *engine);
  if (!engine)
    return NULL;
  engine->state = s;
  engine->serial = ++s->engine_serial;
  engine->number = s->first_engine;
  s->first_engine = s->engine_chain[engine->number];
  return engine;
}

static void free_struct(awl_engine *engine) {
  awl_state *s = engine->state;
  s->engine_chain[engine->number] = s->first_engine;
  s->first_engine = engine->number;
  aw_free(engine);
}

/* Return a new engine, or NULL when out of memory. */
static awl_engine *make_engine(awl_state *s, aw_clock clock, uint64_t seed) {
  awl_engine *engine = make_struct(s);
  aw_engine_config config = {.clock = clock,
                             .seed = seed,
                             .host = s,
                             .drop = awl_drop,
                             .keep = awl_keep,
                             .gather = awl_gather,
                             .deadlocks = true};
  if (engine && aw_engine_new(&config, &engine->core) < 0) {
    free_struct(engine);
    return NULL;
  }
  return engine;
}

awl_engine *awl_hosted_engine(awl_state *s, aw_engine *core) {
  awl_engine *engine = make_struct(s);
  if (!engine)
    return NULL;
  engine->core = core;
  engine->hosted = true;
  engine->is_virtual = aw_engine_virtual(core);
  return engine;
}

awl_engine *awl_new_engine(lua_State *L, awl_state *s, aw_clock clock,
                           uint64_t seed) {
  awl_engine *engine = make_engine(s, clock, seed);
  if (!engine)
    luaL_error(L, "not enough memory");
  engine->is_virtual = clock == AW_CLOCK_VIRTUAL;
  engine->closer =
      (aw_closer){.close = nothing_to_close, .ended = note_loop_end};
  aw_engine_add_closer(engine->core, &engine->closer);
  if (s->upcalls.engine_made && s->upcalls.engine_made(engine) < 0) {
    (void)awl_free_engine(engine);
    luaL_error(L, "not enough memory");
  }
  return engine;
}

awl_engine *awl_own_engine(lua_State *L, awl_state *s) {
  if (!s->engine)
    s->engine = awl_new_engine(L, s, AW_CLOCK_REAL, 0);
  return s->engine;
}

awl_engine *awl_current_engine(lua_State *L, awl_state *s) {
  return s->run.engine ? s->run.engine : awl_own_engine(L, s);
}

int awl_free_engine(awl_engine *engine) {
  int rc = engine->hosted ? 0 : aw_engine_free(engine->core);
  if (rc < 0)
    return rc;
  free_struct(engine);
  return 0;
}

aw_engine *aw_lua_engine(lua_State *L) {
  awl_state *s = awl_open(L);
  return awl_current_engine(L, s)->core;
}

/* An engine that still has a loop is not freed here: os.exit() came in the
 * middle of a run, and the process ends now. */
void awl_free_engines(awl_state *s) {
  if (s->engine)
    (void)awl_free_engine(s->engine);
  aw_free(s->engine_chain);
}
