/* open.c - binds a Lua state to an engine of the host program, and lets it go
 *
 * A state that is bound has the engine of the host program in the place of its
 * own one. It lets go of that engine in two steps. aw_lua_close(), or else
 * lua_close(), ends all tasks of the state on the engine at once. Finalizers of
 * objects may still use the engine. When the state itself ends, after its
 * objects, the hub forgets it; values of the state that somebody still refers
 * to are only counted from then on.
 *
 * Neighbours: hub.c has the states of an engine; step.c answers the steps of
 * tasks that end.
 */
#include "base/engine.h"
#include "base/loops.h"
#include "embed/hub.h"

/* its address is the registry key of the driver */
static const char DRIVER_KEY = 'v';

/* ---- opening ---- */

void aw_lua_config(aw_engine_config *config) {
  awl_hub_config(config);
  config->pull = aw_lua_pull;
}

static int check_version(lua_State *L) {
  luaL_checkversion(L);
  return 0;
}

static int open_library(lua_State *L) {
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  return 0;
}

/* (light hosted): make the thread that drives. */
static int make_driver(lua_State *L) {
  awl_hosted *hosted = lua_touserdata(L, 1);
  lua_State *driver = lua_newthread(L);
  lua_sethook(driver, NULL, 0, 0); /* lua_newthread() copied that of L */
  luaL_checkstack(driver, 2 * LUA_MINSTACK, NULL);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &DRIVER_KEY);
  hosted->driver = driver;
  return 0;
}

/* Call `f` with a light userdata, and pop its error. */
static bool try(lua_State *L, lua_CFunction f, void *data) {
  if (!lua_checkstack(L, LUA_MINSTACK))
    return false;
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, data);
  bool ended_well = lua_pcall(L, 1, 0, 0) == LUA_OK;
  if (!ended_well)
    lua_pop(L, 1);
  return ended_well;
}

static void unbind(awl_hosted *hosted) {
  awl_state *s = hosted->state;
  if (hosted->engine)
    awl_free_engine(hosted->engine);
  s->engine = NULL;
  aw_free(hosted);
}

/* Make the awl_hosted of the state. */
static int bind(lua_State *L, awl_state *s, aw_engine *engine) {
  awl_hub *hub = awl_hub_for(engine);
  awl_hosted *hosted = hub ? aw_allocate(sizeof *hosted) : NULL;
  if (!hosted)
    return AW_ENOMEM;
  hosted->state = s;
  hosted->engine = awl_hosted_engine(s, engine);
  bool made = hosted->engine && try(L, make_driver, hosted);
  int rc = made ? awl_hub_enter(hub, hosted) : AW_ENOMEM;
  if (rc < 0) {
    unbind(hosted);
    return rc;
  }
  s->hosted = hosted;
  s->engine = hosted->engine;
  s->prefix = (aw_value)hosted->number << AWL_STATE_SHIFT;
  if (s->upcalls.runs)
    s->upcalls.runs(L, s);
  return 0;
}

int aw_lua_open(lua_State *L, aw_engine *engine) {
  if (!L || !awl_hub_fits(engine))
    return AW_EINVAL;
  if (!try(L, check_version, NULL))
    return AW_EHOST;
  if (!try(L, open_library, NULL))
    return AW_ENOMEM;
  awl_state *s = awl_find_state(L);
  if (!s) /* Lua has loaded another copy of the library */
    return AW_EBUSY;
  if (s->hosted || s->engine || s->loop_count > 0)
    return AW_EBUSY;
  return bind(L, s, engine);
}

/* ---- ending ---- */

static bool is_own(void *data, const aw_loop *loop) {
  const awl_hosted *hosted = data;
  return awl_hub_find(hosted->hub, loop) == hosted;
}

static void run_step(void *data, const aw_step *step) {
  const awl_hosted *hosted = data;
  awl_end_step(hosted->state, step);
}

static int end_tasks(awl_hosted *hosted) {
  if (!hosted->hub)
    return 0;
  aw_loop_end how = {.data = hosted, .ends = is_own, .run = run_step};
  return aw_engine_end_loops(hosted->hub->engine, &how);
}

/* Free the core's loops of the state on the engine, which do not run. */
static void free_loops(awl_hosted *hosted) {
  const awl_state *s = hosted->state;
  for (uint32_t i = 0; i < s->loop_count; i++) {
    awl_loop *loop = s->loops[i];
    if (!loop || !loop->core || loop->engine != hosted->engine)
      continue;
    (void)aw_loop_free(loop->core);
    loop->core = NULL;
  }
  hosted->state->hosted_loop = NULL;
}

int aw_lua_close(lua_State *L) {
  awl_hosted *hosted = awl_hosted_of(L);
  if (!hosted)
    return AW_EINVAL;
  int rc = end_tasks(hosted);
  if (rc < 0)
    return rc;
  if (hosted->hub)
    awl_job_tell(hosted->hub);
  free_loops(hosted);
  hosted->closed = true;
  return 0;
}

void awl_end_hosted(awl_state *s) {
  if (!s->hosted)
    return;
  (void)end_tasks(s->hosted);
  awl_job_forget(s->hosted);
  if (s->hosted->hub)
    awl_job_tell(s->hosted->hub);
}

/* How many claims there are on values of the state. */
static size_t count_claims(const awl_state *s) {
  size_t count = 0;
  for (uint32_t i = 0; i < s->loop_count; i++) {
    const awl_claims *claims = s->claims[i];
    if (!claims || claims->live == 0)
      continue;
    for (uint32_t free = claims->first_free; free < claims->places;) {
      uint32_t next = claims->counts[free];
      claims->counts[free] = 0;
      free = next;
    }
    for (uint32_t place = 0; place < claims->places; place++)
      count += claims->counts[place];
  }
  return count;
}

void awl_leave_hub(awl_state *s) {
  awl_hosted *hosted = s->hosted;
  if (!hosted)
    return;
  free_loops(hosted);
  awl_hub_leave(hosted, count_claims(s));
  if (hosted->engine)
    awl_free_engine(hosted->engine);
  if (s->engine == hosted->engine)
    s->engine = NULL;
  s->hosted = NULL;
  aw_free(hosted);
}
