/* loads.c - modules that tasks are loading [R16..R22]
 *
 *     awl_state.loads ─► load ─► load ─► …           innermost first
 *                         ├─ task, co: who loads it, in which coroutine
 *                         └─ waits ─► wait ─► wait   tasks that require it, too
 *
 * A load begins before the searchers are called and ends when `require`
 * returns, raises, or is closed. Then its waiters wake, and each looks at
 * package.loaded again: the first that finds no value there loads the module
 * itself. So a failed or cancelled load leaves nothing behind.
 *
 * A load is a userdata on the stack of the coroutine that runs `require`, a
 * to-be-closed slot. Lua closes no slots of a coroutine that has died of an
 * error, or that is inside the coroutine of a killed worker; end_loads() is
 * told of those. The finalizer is for coroutines that were given up half way.
 *
 * A load that waits for a task which waits for the load would be a silent
 * deadlock beside other work. So each time a task parks while there are loads,
 * find_cycles() looks for such circles, and ends the waits in them.
 *
 * Neighbours: require.c is `require`; bind/run/await.c, coroutine.c and pool.c
 * call the functions of awl_upcalls.
 */
#include "loads.h"

#include <aiowire_lua.h>

#include <stdio.h>
#include <string.h>

typedef struct load_wait load_wait;

struct load_wait {
  load_wait *next, *previous;
  awl_load *load; /* in whose list it is, or NULL */
  aw_task *task;
  awl_state *state;
  const char *name; /* of the module; the string is on the same stack */
  lua_CFunction after;
};

struct awl_load {
  awl_load *next, *previous;
  awl_state *state; /* NULL: the load has ended */
  awl_worker *worker;
  lua_State *co;
  aw_task *task;    /* kept */
  const char *name; /* user value 1 keeps it alive */
  load_wait *first, *last;
  bool awaited; /* the module has waited since the load began */
  bool marked;  /* seen by the search for cycles */
};

/* its address is the registry key of the metatable of loads */
static const char LOAD_KEY = 'l';

/* ---- the list of waits ---- */

static void add_wait(awl_load *load, load_wait *wait) {
  wait->load = load;
  wait->next = NULL;
  wait->previous = load->last;
  *(load->last ? &load->last->next : &load->first) = wait;
  load->last = wait;
}

static void remove_wait(load_wait *wait) {
  awl_load *load = wait->load;
  *(wait->previous ? &wait->previous->next : &load->first) = wait->next;
  *(wait->next ? &wait->next->previous : &load->last) = wait->previous;
  wait->load = NULL;
}

static void end_load_wait(load_wait *wait, int result) {
  remove_wait(wait);
  aw_wait_complete(wait->task, result);
}

/* ---- the operation ---- */

/* Look for the load again: a finalizer may have ended it meanwhile. */
static int wait_arm(aw_task *task, void *data) {
  load_wait *wait = data;
  awl_load *load = awl_load_elsewhere(wait->state, wait->name);
  if (!load)
    return 1;
  wait->task = task;
  add_wait(load, wait);
  return 0;
}

static void wait_disarm(aw_task *task, void *data) {
  (void)task;
  remove_wait(data);
}

static void wait_describe(const void *data, char *out, size_t size) {
  const awl_load *load = ((const load_wait *)data)->load;
  if (load)
    snprintf(out, size, "'%s', loaded by task %llu", load->name,
             (unsigned long long)aw_task_id(load->task));
}

static const aw_operation operation = {.label = "require",
                                       .arm = wait_arm,
                                       .disarm = wait_disarm,
                                       .describe = wait_describe};

/* ---- cycles ---- */

/* Does `task` descend from `elder`, or is it the same? */
static bool descends(const aw_task *task, const aw_task *elder) {
  while (task && task != elder)
    task = aw_task_parent(task);
  return task != NULL;
}

/* Is `child` in the innermost scope of `task`, which is not the task's own? The
 * scopes of a task are inside one another. `open` counts those around the
 * branch of the tree where the walk is. */
static bool is_in_innermost(aw_task *task, const aw_task *child) {
  const aw_scope *root = aw_loop_scope(aw_task_loop(task)), *at = root;
  size_t depth = 0, own = SIZE_MAX, open = 0, most = 0, found = 0;
  while ((at = aw_scope_walk(root, at, &depth))) {
    const aw_task *owner = aw_scope_task(at);
    if (own != SIZE_MAX && depth <= own)
      break;
    if (owner == task) {
      own = depth;
    } else if (own != SIZE_MAX) {
      if (depth - own <= open)
        open = depth - own - 1;
      if (!owner && depth - own == open + 1)
        open++;
      most = open > most ? open : most;
      if (owner == child)
        found = open;
    }
  }
  return found > 0 && found == most;
}

/* Does the wait of `task` end only after `other` has ended? */
static bool waits_for(aw_task *task, const aw_task *other) {
  aw_waiting waiting;
  if (!aw_task_waiting(task, &waiting))
    return false;
  if (waiting.task)
    return descends(other, waiting.task);
  return waiting.children > 0 && descends(other, task) &&
         is_in_innermost(task, other);
}

/* Does the load end only after `task` has gone on? */
static bool needs_task(awl_load *load, const aw_task *task) {
  if (load->marked)
    return false;
  load->marked = true;
  if (load->task == task || waits_for(load->task, task))
    return true;
  for (awl_load *other = load->state->loads; other; other = other->next)
    for (load_wait *wait = other->first; wait; wait = wait->next)
      if ((wait->task == load->task || waits_for(load->task, wait->task)) &&
          needs_task(other, task))
        return true;
  return false;
}

static bool is_in_cycle(const load_wait *wait) {
  for (awl_load *load = wait->load->state->loads; load; load = load->next)
    load->marked = false;
  return needs_task(wait->load, wait->task);
}

/* See awl_upcalls: `worker` has parked. */
static void find_cycles(awl_state *s, const awl_worker *worker) {
  for (awl_load *load = s->loads; load; load = load->next)
    load->awaited = load->awaited || load->worker == worker;
  for (awl_load *load = s->loads; load; load = load->next) {
    for (load_wait *wait = load->first, *next; wait; wait = next) {
      next = wait->next;
      if (is_in_cycle(wait))
        end_load_wait(wait, AW_EDEADLOCK);
    }
  }
}

/* ---- begin and end ---- */

void awl_load_end(awl_load *load) {
  awl_state *s = load->state;
  if (!s)
    return;
  load->state = NULL;
  *(load->previous ? &load->previous->next : &s->loads) = load->next;
  if (load->next)
    load->next->previous = load->previous;
  for (load_wait *wait = load->first, *after; wait; wait = after) {
    after = wait->next;
    end_load_wait(wait, 0);
  }
  aw_task_release(load->task);
}

/* __close and __gc */
static int load_close(lua_State *L) {
  awl_load_end(lua_touserdata(L, 1));
  return 0;
}

/* See awl_upcalls. */
static void end_loads(awl_state *s, const lua_State *co,
                      const awl_worker *worker) {
  for (awl_load *load = s->loads, *next; load; load = next) {
    next = load->next;
    if (load->co == co || load->worker == worker)
      awl_load_end(load);
  }
}

static bool loads_in(const awl_state *s, const lua_State *co) {
  const awl_load *load = s->loads;
  while (load && load->co != co)
    load = load->next;
  return load != NULL;
}

static void push_metatable(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &LOAD_KEY) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, load_close);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, load_close);
  lua_setfield(L, -2, "__gc");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &LOAD_KEY);
}

awl_load *awl_load_begin(lua_State *L, awl_state *s, int name) {
  awl_load *load = lua_newuserdatauv(L, sizeof *load, 1);
  memset(load, 0, sizeof *load);
  lua_pushvalue(L, name);
  lua_setiuservalue(L, -2, 1);
  push_metatable(L);
  lua_setmetatable(L, -2);
  load->name = lua_tostring(L, name);
  load->co = L;
  load->worker = s->run.running;
  load->task = aw_task_keep(load->worker->task);
  load->next = s->loads;
  if (s->loads)
    s->loads->previous = load;
  s->loads = load;
  load->state = s;
  lua_toclose(L, -1);
  return load;
}

/* ---- waiting ---- */

awl_load *awl_load_elsewhere(awl_state *s, const char *name) {
  awl_load *found = NULL;
  for (awl_load *load = s->loads, *next; load; load = next) {
    next = load->next;
    if (strcmp(load->name, name) != 0)
      continue;
    if (load->worker == s->run.running && !load->awaited)
      return NULL;
    if (aw_task_state_of(load->task) >= AW_TASK_DONE)
      awl_load_end(load); /* its coroutine was given up half way */
    else
      found = load;
  }
  return found;
}

static int refuse_wait(lua_State *L, const char *name, uint64_t task,
                       const char *why) {
  return luaL_error(L, "cannot require '%s': task %I is loading it, and %s",
                    name, (LUAI_UACINT)task, why);
}

/* [name, ..., number of the task that loads] */
static int after_load(lua_State *L, int result, void *data) {
  const load_wait *wait = data;
  if (result == AW_EDEADLOCK)
    return refuse_wait(L, wait->name, (uint64_t)lua_tointeger(L, -2),
                       "waits for this task");
  if (result < 0)
    return luaL_error(L, "%s", aw_strerror(result));
  return wait->after(L);
}

int awl_load_wait(lua_State *L, awl_load *load, lua_CFunction after) {
  awl_state *s = load->state;
  uint64_t id = aw_task_id(load->task);
  const awl_worker *w = s->run.running;
  if (w && w->task == load->task)
    return luaL_error(L, "cannot require '%s': this task is loading it",
                      load->name);
  if (!w || !aw_lua_may_await(L) ||
      aw_task_engine(w->task) != aw_task_engine(load->task))
    return refuse_wait(L, load->name, id,
                       "this call of 'require' cannot wait for it");
  lua_pushinteger(L, (lua_Integer)id);
  load_wait *wait = lua_newuserdatauv(L, sizeof *wait, 0);
  memset(wait, 0, sizeof *wait);
  wait->state = s;
  wait->name = lua_tostring(L, 1);
  wait->after = after;
  return aw_lua_await(L, &operation, wait, "require", after_load);
}

void awl_open_loads(awl_state *s) {
  s->upcalls.find_cycles = find_cycles;
  s->upcalls.end_loads = end_loads;
  s->upcalls.loads_in = loads_in;
}
