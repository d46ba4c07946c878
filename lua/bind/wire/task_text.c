/* task_text.c - how tasks and their waits look to people [D1]
 *
 * A text shows a task by its name, or else by the wire that the task runs. The
 * info of an error and ev:dump() use these texts.
 *
 * Neighbours: show.c has the texts of wires.
 */
#include "wire/task_text.h"

#include "base/show_value.h"
#include "base/tasks.h"
#include "base/text.h"
#include "base/values.h"
#include "wire/build.h"
#include "wire/show.h"

#include <stdio.h>
#include <string.h>

static void push_wire_text(lua_State *L, awl_state *s, const aw_wire *wire,
                           size_t most) {
  const char *name = aw_wire_name(wire);
  if (name)
    awl_push_cut_name(L, name);
  else
    awl_show_wire(L, s, wire, most);
}

/* Making the text may run finalizers, which may end a task that is not running.
 * So a Wire keeps the wire of the task alive meanwhile; and no longer, since
 * the end of the wire may be what others wait for, as that of a write. */
static bool push_state_safely(lua_State *L, awl_state *s, const aw_task *task,
                              size_t most) {
  awl_push_simple(L, s);
  aw_wire *wire = (aw_wire *)(uintptr_t)aw_task_wire(task);
  if (!wire) {
    lua_pop(L, 1);
    return false;
  }
  awl_fill_wire(L, s, aw_wire_keep(wire));
  push_wire_text(L, s, wire, most);
  awl_empty_wire(s, lua_touserdata(L, -2));
  lua_remove(L, -2);
  return true;
}

bool awl_push_state(lua_State *L, awl_state *s, const aw_task *task,
                    size_t most) {
  if (aw_task_state_of(task) != AW_TASK_RUNNING)
    return push_state_safely(L, s, task, most);
  const aw_wire *wire = aw_task_wire(task);
  if (wire)
    push_wire_text(L, s, wire, most);
  return wire != NULL;
}

void awl_push_plain_name(lua_State *L, awl_state *s, const aw_task *task) {
  if (aw_task_name(task) || !awl_push_state(L, s, task, AWL_LONGEST_NAME))
    awl_push_given_name(L, task);
}

const char *awl_push_task_name(lua_State *L, awl_state *s,
                               const aw_task *task) {
  awl_push_plain_name(L, s, task);
  lua_pushfstring(L, "task %I '%s'", (LUAI_UACINT)aw_task_id(task),
                  lua_tostring(L, -1));
  lua_remove(L, -2);
  return lua_tostring(L, -1);
}

/* One digit after the point tells enough of 0.1 s and more; less time has two
 * digits that say something, down to microseconds. */
static void write_seconds(uint64_t ns, char *out, size_t size) {
  double seconds = awl_seconds(ns);
  if (ns >= 100000000 || ns < 1000) {
    snprintf(out, size, "%.1f", seconds);
    return;
  }
  int digits = 2;
  for (uint64_t least = 100000000; ns < least && digits < 6; least /= 10)
    digits++;
  int length = snprintf(out, size, "%.*f", digits, seconds);
  while (length > 3 && out[length - 1] == '0')
    out[--length] = '\0';
}

static void push_sleep_label(lua_State *L, const aw_task *task,
                             const aw_waiting *waiting) {
  if (waiting->until == AW_NEVER) {
    lua_pushliteral(L, "sleep for ever");
    return;
  }
  uint64_t now = aw_engine_now(aw_loop_engine(aw_task_loop(task)));
  uint64_t left = waiting->until > now ? waiting->until - now : 0;
  char span[32], rest[32];
  write_seconds(waiting->span, span, sizeof span);
  write_seconds(left, rest, sizeof rest);
  lua_pushfstring(L, "sleep %s (%s left)", span, rest);
}

static void push_operation_label(lua_State *L, const aw_waiting *waiting) {
  char about[AWL_LONGEST_WAIT];
  awl_describe(waiting->operation, waiting->data, about, sizeof about);
  lua_pushfstring(L, *about ? "%s %s" : "%s", waiting->label, about);
}

void awl_push_label(lua_State *L, awl_state *s, const aw_task *task) {
  aw_waiting waiting;
  if (!aw_task_waiting(task, &waiting))
    lua_pushnil(L);
  else if (strcmp(waiting.label, "sleep") == 0)
    push_sleep_label(L, task, &waiting);
  else if (waiting.task) {
    awl_push_task(L, s, waiting.task); /* the Task keeps the task alive */
    lua_pushliteral(L, "join ");
    awl_push_task_name(L, s, waiting.task);
    lua_concat(L, 2);
    lua_remove(L, -2);
  } else if (strcmp(waiting.label, "children") == 0)
    lua_pushfstring(L, "join %d child%s", (int)waiting.children,
                    waiting.children == 1 ? "" : "ren");
  else
    push_operation_label(L, &waiting);
}

/* ---- the text of a Task in a message ---- */

static bool show_task(lua_State *L, awl_state *s, int index) {
  const aw_task *task = awl_test_task(L, s, index);
  if (task)
    awl_push_task_name(L, s, task);
  return task != NULL;
}

void awl_set_task_show(awl_state *s) {
  awl_set_show(s, AWL_TASK, show_task);
}
