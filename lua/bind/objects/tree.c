/* tree.c - the tasks and scopes below an EventLoop, as they are at one moment
 *
 * Making Lua tables of a tree may collect, and a finalizer may end tasks and
 * start others. So the tree is first copied into a userdata, which keeps the
 * tasks until it is finalized.
 *
 * Neighbours: loop.c has the class; aiowire/dump.lua makes texts of trees.
 */
#include "objects/tree.h"

#include "base/classes.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/tasks.h"
#include "open.h"

#include <stddef.h>

typedef struct branch {
  size_t depth;
  aw_task *task; /* kept; NULL: a scope without a task of its own */
  const char *label;
  bool cancelled;
} branch;

typedef struct tree {
  aw_lua_held held;
  size_t count;
  branch branches[];
} tree;

static const char *const TREE = "aiowire.tree";

static void free_tree(tree *t) {
  while (t->count > 0) {
    aw_task *task = t->branches[--t->count].task;
    if (task)
      aw_task_release(task);
  }
  aw_free(t);
}

static void release_tree(aw_lua_held *held) {
  free_tree((tree *)((char *)held - offsetof(tree, held)));
}

static int tree_gc(lua_State *L) {
  tree **box = lua_touserdata(L, 1);
  if (*box) {
    aw_lua_let_go(&(*box)->held);
    free_tree(*box);
  }
  *box = NULL;
  return 0;
}

static size_t count_branches(const aw_scope *root) {
  size_t count = 0, depth = 0;
  for (const aw_scope *at = root; at; at = aw_scope_walk(root, at, &depth))
    count++;
  return count;
}

static bool is_of_session(const aw_scope *scope) {
  const aw_task *task = aw_scope_task(scope);
  return task && aw_task_where(task) == awl_hidden;
}

/* What a session hides stands at the root. */
static void fill_tree(tree *t, const aw_scope *root) {
  const aw_scope *at = root;
  size_t depth = 0;
  bool hidden = false;
  while ((at = aw_scope_walk(root, at, &depth)) != NULL) {
    if (depth == 1)
      hidden = is_of_session(at);
    if (hidden)
      continue;
    aw_task *task = aw_scope_task(at);
    t->branches[t->count++] =
        (branch){depth, task ? aw_task_keep(task) : NULL, aw_scope_label(at),
                 aw_scope_cancelled(at)};
  }
}

/* Push a copy of the tree of `loop`, empty if the loop is closed. Once the
 * branches are counted, nothing allocates in Lua, so their number stays
 * right. */
static const tree *push_tree(lua_State *L, const awl_loop *loop) {
  tree **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, TREE);
  const aw_scope *root = loop->core ? aw_loop_scope(loop->core) : NULL;
  size_t count = count_branches(root);
  tree *t = aw_allocate(sizeof *t + count * sizeof *t->branches);
  if (!t)
    awl_error(L, "not enough memory");
  t->held = (aw_lua_held){.release = release_tree};
  t->count = 0;
  if (root)
    fill_tree(t, root);
  *box = t;
  aw_lua_hold(L, &t->held);
  return t;
}

int awl_loop_tasks(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_loop *loop = awl_check_loop(L, s);
  const tree *t = push_tree(L, loop);
  lua_newtable(L);
  lua_Integer n = 0;
  for (size_t i = 0; i < t->count; i++) {
    if (!t->branches[i].task)
      continue;
    awl_push_task_of(L, s, loop, t->branches[i].task);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* Push the entry {depth=, task=, cancelled=, label=} of a branch. */
static void push_entry(lua_State *L, awl_state *s, awl_loop *loop,
                       const branch *b) {
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, (lua_Integer)b->depth);
  lua_setfield(L, -2, "depth");
  if (b->task) {
    awl_push_task_of(L, s, loop, b->task);
    lua_setfield(L, -2, "task");
  }
  lua_pushboolean(L, b->cancelled);
  lua_setfield(L, -2, "cancelled");
  lua_pushstring(L, b->label);
  lua_setfield(L, -2, "label");
}

/* tree(ev, most): for the dump, a list of the first `most` entries, and the
 * number of tasks beyond them. */
static int inner_tree(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_loop *loop = awl_check_loop(L, s);
  size_t most = (size_t)lua_tointeger(L, 2);
  const tree *t = push_tree(L, loop);
  lua_newtable(L);
  lua_Integer beyond = 0;
  for (size_t i = 0; i < t->count; i++) {
    if (i < most) {
      push_entry(L, s, loop, &t->branches[i]);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    } else if (t->branches[i].task) {
      beyond++;
    }
  }
  lua_pushinteger(L, beyond);
  return 2;
}

/* is_loop(v): is v an EventLoop? */
static int inner_is_loop(lua_State *L) {
  lua_pushboolean(L, awl_is(L, awl_of(L), 1, AWL_LOOP));
  return 1;
}

/* loops() → a list of all EventLoops, in the order of their numbers */
static int inner_loops(lua_State *L) {
  awl_state *s = awl_of(L);
  lua_newtable(L);
  lua_Integer n = 0;
  for (uint32_t i = 0; i < s->loop_count; i++) {
    if (!s->loops[i] || !s->loops[i]->core)
      continue;
    awl_push_loop(L, s, s->loops[i]);
    if (lua_isuserdata(L, -1))
      lua_rawseti(L, -2, ++n);
    else
      lua_pop(L, 1);
  }
  return 1;
}

void awl_open_tree(lua_State *L, awl_state *s) {
  static const luaL_Reg inner[] = {{"tree", inner_tree},
                                   {"is_loop", inner_is_loop},
                                   {"loops", inner_loops},
                                   {NULL, NULL}};
  luaL_newmetatable(L, TREE);
  lua_pushcfunction(L, tree_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_pushvalue(L, -2);
  awl_register_inner(L, s, inner);
  lua_pop(L, 1);
}
