/* seen_stack.c - finds the text of a stack that was seen before
 *
 * A program raises most of its errors from few places. To ask Lua for all that
 * a text is made of takes most of the time of a traceback. So this file first
 * asks for the function and the line of each level alone, and for a name only
 * where the text has one. If all are those of a stack that was seen before, so
 * is the text.
 *
 * Functions and names are compared by their addresses. No function is kept
 * alive for that. Once one has been collected, its address may be that of
 * another. So all stacks are forgotten when the collector has gone through a
 * cycle: the *mark*, an object that nobody refers to, has left AWL_KNOWN then,
 * and it leaves before the memory of the first function is free.
 *
 * A program that makes its functions anew for each error is not found here. The
 * `credit` bounds what the attempts cost until the next cycle.
 *
 * Neighbours: traceback.c makes the texts.
 */
#include "errors/seen_stack.h"

#include <string.h>

enum { MOST_LEVELS = 12 };

/* A level of a stack, as cheap as Lua tells of it. */
typedef struct seen_level {
  const void *function; /* its address */
  int line;
  bool named; /* the text has the name that its caller uses for it: */
  const char *name, *what;
} seen_level;

typedef struct seen_stack {
  int count;
  bool has_libraries; /* the text has the names of functions of libraries */
  const void *kept;   /* the address of the userdata with the text */
  seen_level levels[MOST_LEVELS + 1]; /* the last one only for the look */
} seen_stack;

enum { STACKS = 32, CREDIT = 16, LITTLE_CREDIT = 2 };

struct awl_seen_stacks {
  int credit;                /* attempts to find a stack until the next cycle */
  bool useless;              /* no stack has been found in this cycle */
  seen_stack stacks[STACKS]; /* count 0: the place is free */
};

/* Keys of the mark in AWL_KNOWN, and of awl_seen_stacks in AWL_TRACES, that
 * nobody else uses. */
enum { MARK = AWL_MOST_KNOWN + 1, STACKS_AT = 0 };

/* Is `function` the lowest one of a worker, its turns, or a handler? */
static bool is_binding_bottom(const awl_state *s, const void *function) {
  return function == (const void *)(uintptr_t)s->upcalls.worker ||
         function == (const void *)(uintptr_t)s->upcalls.turns ||
         function == (const void *)(uintptr_t)s->upcalls.handler;
}

/* Fill `levels` with the stack of L from `level` on, down to the lowest
 * function that is not the binding's. Return how many there are, or 0 if there
 * are too many. `ars` are Lua's own records of them. The last level of a
 * worker's coroutine is the binding's, so that one is not looked at. */
static int take_levels(lua_State *L, const awl_state *s, int level,
                       seen_level *levels, lua_Debug *ars) {
  bool in_worker = s->run.running && s->run.running->co == L;
  int top = lua_gettop(L), n = 0;
  bool more = lua_getstack(L, level, &ars[0]);
  while (more && n <= MOST_LEVELS) {
    more = lua_getstack(L, level + n + 1, &ars[n + 1]);
    if (!more && in_worker)
      break;
    lua_getinfo(L, "fl", &ars[n]);
    const void *function = lua_topointer(L, -1);
    if (is_binding_bottom(s, function))
      break;
    levels[n].function = function;
    levels[n].line = ars[n].currentline;
    n++;
  }
  lua_settop(L, top);
  return n <= MOST_LEVELS ? n : 0;
}

static uint64_t hash_of_stack(const seen_level *levels, int count) {
  uint64_t hash = 0;
  for (int i = 0; i < count; i++)
    hash = (hash ^ (uintptr_t)levels[i].function ^ (unsigned)levels[i].line) *
           UINT64_C(0x9e3779b97f4a7c15);
  return hash;
}

static seen_stack *place_of_stack(awl_state *s, uint64_t hash) {
  return &s->seen_stacks->stacks[hash >> 32 & (STACKS - 1)];
}

static bool is_marked(awl_state *s) {
  bool marked = lua_rawgeti(s->util, AWL_KNOWN, MARK) == LUA_TUSERDATA;
  lua_pop(s->util, 1);
  return marked;
}

static bool has_same_name(lua_State *L, const seen_level *level,
                          lua_Debug *ar) {
  if (!level->named)
    return true;
  lua_getinfo(L, "n", ar);
  return ar->name == level->name && ar->namewhat == level->what;
}

static bool is_same_stack(lua_State *L, const seen_stack *seen,
                          const seen_level *levels, lua_Debug *ars, int count) {
  if (seen->count != count)
    return false;
  for (int i = 0; i < count; i++)
    if (seen->levels[i].function != levels[i].function ||
        seen->levels[i].line != levels[i].line ||
        !has_same_name(L, &seen->levels[i], &ars[i]))
      return false;
  return true;
}

const void *awl_find_seen(lua_State *L, awl_state *s, int level) {
  seen_level levels[MOST_LEVELS + 1];
  lua_Debug ars[MOST_LEVELS + 2];
  if (!s->seen_stacks || s->seen_stacks->credit == 0 || !is_marked(s))
    return NULL;
  int count = take_levels(L, s, level, levels, ars);
  const seen_stack *seen = place_of_stack(s, hash_of_stack(levels, count));
  if (count == 0 || seen->has_libraries != s->named ||
      !is_same_stack(L, seen, levels, ars, count)) {
    s->seen_stacks->credit--;
    return NULL;
  }
  s->seen_stacks->credit = CREDIT;
  s->seen_stacks->useless = false;
  return seen->kept;
}

void awl_prepare_seen(lua_State *L, awl_state *s) {
  if (!s->seen_stacks) {
    awl_seen_stacks *made = lua_newuserdatauv(L, sizeof *made, 0);
    memset(made, 0, sizeof *made);
    awl_set(L, s, AWL_TRACES, STACKS_AT);
    s->seen_stacks = made;
  }
  if (is_marked(s))
    return;
  bool useless = s->seen_stacks->useless;
  memset(s->seen_stacks, 0, sizeof *s->seen_stacks);
  s->seen_stacks->useless = true;
  s->seen_stacks->credit = useless ? LITTLE_CREDIT : CREDIT;
  lua_newuserdatauv(L, 0, 0);
  awl_set(L, s, AWL_KNOWN, MARK);
}

void awl_remember_seen(lua_State *L, awl_state *s, int level, uint32_t named,
                       const void *kept) {
  seen_stack stack;
  lua_Debug ars[MOST_LEVELS + 2];
  if (s->seen_stacks->credit == 0 || !is_marked(s))
    return;
  stack.count = take_levels(L, s, level, stack.levels, ars);
  if (stack.count == 0)
    return;
  stack.has_libraries = s->named;
  stack.kept = kept;
  for (int i = 0; i < stack.count; i++) {
    seen_level *at = &stack.levels[i];
    /* C calls the last level, and uses no name */
    at->named = i + 1 < stack.count && named >> i & 1;
    if (!at->named)
      continue;
    lua_getinfo(L, "n", &ars[i]);
    at->name = ars[i].name;
    at->what = ars[i].namewhat;
  }
  *place_of_stack(s, hash_of_stack(stack.levels, stack.count)) = stack;
}
