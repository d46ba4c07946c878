/* states.c - how often tasks went from state to state [D35]
 *
 * A body that returns a wire lets its task go on to that wire: to another
 * *state*. The chain of a task remembers the last states only, so this listener
 * counts all transitions while somebody looks into the program: per line that
 * started the task, since many tasks run the same machine.
 *
 *     task ──► seen: what its chain had left last
 *                └── differs ──► pair {where, from, to}: count + 1
 *
 * The chain is looked at when a step or a wait begins. In between, a task
 * leaves at most one state, since only a body returns one.
 *
 * Both tables have a fixed size. A task whose place in `seen` another one has
 * taken loses one transition each time; transitions for which there is no pair
 * left are not counted.
 *
 * Many machines stay in one state for many steps, so that transition takes a
 * short way: the chain counts the name that it has, and the present state has
 * the same name at the same address. In other cases texts are compared, since a
 * new name may have the address of one that was freed.
 *
 * Neighbours: instruments.c calls the events; aiowire/graph_tasks.lua draws.
 */
#include "listen/states.h"

#include "base/classes.h"
#include "base/show_value.h"
#include "base/tasks.h"
#include "listen/instruments.h"

#include <string.h>

enum { SEEN = 1024, PAIRS = 512, CACHE = 256, LONGEST_STATE = 64 };

/* What the chain of a task had left when it was looked at last. */
typedef struct seen_state {
  const aw_task *task; /* NULL: free */
  uint64_t id;
  const char *left; /* only compared */
  uint32_t times;
  uint16_t loop; /* 1 + the index of the pair from that state to itself, or 0 */
} seen_state;

typedef struct state_pair {
  const char *where; /* that started the tasks */
  char from[LONGEST_STATE], to[LONGEST_STATE];
  uint64_t count;
} state_pair;

struct awm_states {
  aw_lua_instrument *own;
  unsigned uses;
  seen_state seen[SEEN];
  unsigned count; /* of pairs */
  state_pair pairs[PAIRS];
  uint16_t cache[CACHE]; /* by addresses: 1 + the index of a pair, or 0 */
};

/* ---- pairs ---- */

static bool is_state(const char *kept, const char *name) {
  return strncmp(kept, name, LONGEST_STATE - 1) == 0;
}

static bool is_pair(const state_pair *pair, const char *where, const char *from,
                    const char *to) {
  return pair->where == where && is_state(pair->from, from) &&
         is_state(pair->to, to);
}

static state_pair *find_pair(awm_states *of, const char *where,
                             const char *from, const char *to) {
  for (unsigned i = 0; i < of->count; i++)
    if (is_pair(&of->pairs[i], where, from, to))
      return &of->pairs[i];
  return NULL;
}

static void copy_state(char *out, const char *name) {
  size_t size = strnlen(name, LONGEST_STATE - 1);
  memcpy(out, name, size);
  out[size] = '\0';
}

/* A new pair; NULL: there is no place left. */
static state_pair *add_pair(awm_states *of, const char *where, const char *from,
                            const char *to) {
  if (of->count == PAIRS)
    return NULL;
  state_pair *pair = &of->pairs[of->count++];
  pair->where = where;
  copy_state(pair->from, from);
  copy_state(pair->to, to);
  return pair;
}

static size_t cache_place(const char *where, const char *from, const char *to) {
  uintptr_t mixed = (uintptr_t)where * 31 + (uintptr_t)from * 7 + (uintptr_t)to;
  return (size_t)((mixed >> 4) ^ (mixed >> 12)) % CACHE;
}

/* Returns 1 + the index of the pair, or 0. */
static uint16_t count_transition(awm_states *of, const char *where,
                                 const char *from, const char *to) {
  uint16_t *cached = &of->cache[cache_place(where, from, to)];
  state_pair *pair = *cached ? &of->pairs[*cached - 1] : NULL;
  if (!pair || !is_pair(pair, where, from, to)) {
    pair = find_pair(of, where, from, to);
    if (!pair)
      pair = add_pair(of, where, from, to);
    if (!pair)
      return 0;
    *cached = (uint16_t)(pair - of->pairs + 1);
  }
  pair->count++;
  return *cached;
}

/* ---- events ---- */

static seen_state *seen_place(awm_states *of, const aw_task *task) {
  return &of->seen[aw_task_id(task) % SEEN];
}

/* The name of the state at which a task is. */
static const char *present_state(const aw_task *task) {
  const aw_wire *wire = aw_task_wire(task);
  const char *name = wire ? aw_wire_name(wire) : NULL;
  return name ? name : "wire";
}

static void watch_states(void *data, const aw_task *task) {
  seen_state *seen = seen_place(data, task);
  *seen = (seen_state){.task = task, .id = aw_task_id(task)};
  seen->left = aw_task_chain(task, 0, &seen->times);
}

/* The task has left a state. Not inline, as what it needs of the stack would
 * cost every call of look_at_chain(). */
__attribute__((noinline)) static void note_transition(awm_states *of,
                                                      const aw_task *task,
                                                      const char *left,
                                                      uint32_t times) {
  seen_state *seen = seen_place(of, task);
  const char *present = present_state(task);
  uint16_t pair = count_transition(of, aw_task_where(task), left, present);
  seen->left = left;
  seen->times = times;
  seen->loop = left == present ? pair : 0;
}

static void look_at_chain(void *data, const aw_task *task) {
  awm_states *of = data;
  seen_state *seen = seen_place(of, task);
  uint32_t times = 0;
  if (seen->task != task || seen->id != aw_task_id(task)) {
    watch_states(data, task);
    return;
  }
  const char *left = aw_task_chain(task, 0, &times);
  if (!left || (left == seen->left && times == seen->times))
    return;
  if (seen->loop && left == seen->left && times == seen->times + 1 &&
      present_state(task) == left) {
    seen->times = times;
    of->pairs[seen->loop - 1].count++;
  } else {
    note_transition(of, task, left, times);
  }
}

static void look_at_waiting(void *data, const aw_task *task,
                            const char *label) {
  (void)label;
  look_at_chain(data, task);
}

/* ---- uses ---- */

void awm_states_use(awl_state *s) {
  if (s->states) {
    s->states->uses++;
    return;
  }
  awm_states *of = aw_allocate(sizeof *of);
  if (!of)
    return;
  of->uses = 1;
  const awm_listener is = {.to = {.data = of,
                                  .task_started = watch_states,
                                  .step_begins = look_at_chain,
                                  .wait_begins = look_at_waiting}};
  if (awm_listen(s, &is, &of->own) < 0)
    aw_free(of);
  else
    s->states = of;
}

void awm_states_leave(awl_state *s) {
  awm_states *of = s->states;
  if (!of || --of->uses > 0)
    return;
  s->states = NULL;
  aw_lua_instrument_remove(of->own);
  aw_free(of);
}

/* ---- for pictures ---- */

/* transitions(task): a list of {from=, to=, count=} of the tasks that were
 * started at the same line; nil: nothing is counted */
static int inner_transitions(lua_State *L) {
  awl_state *s = awl_of(L);
  const aw_task *task = awl_check_task(L, s, 1);
  if (!s->states)
    return 0;
  const char *where = aw_task_where(task);
  lua_newtable(L);
  lua_Integer n = 0;
  for (unsigned i = 0; s->states && i < s->states->count; i++) {
    const state_pair pair = s->states->pairs[i]; /* a finalizer may free it */
    if (pair.where != where)
      continue;
    lua_createtable(L, 0, 3);
    awl_push_cut_name(L, pair.from);
    lua_setfield(L, -2, "from");
    awl_push_cut_name(L, pair.to);
    lua_setfield(L, -2, "to");
    lua_pushinteger(L, (lua_Integer)pair.count);
    lua_setfield(L, -2, "count");
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

void awm_open_states(lua_State *L, awl_state *s) {
  static const luaL_Reg inner[] = {{"transitions", inner_transitions},
                                   {NULL, NULL}};
  lua_pushvalue(L, -2);
  awl_register_inner(L, s, inner);
  lua_pop(L, 1);
}
