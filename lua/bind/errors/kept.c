/* kept.c - aw.keep: a handler that leaves the failure with its task [T5]
 *
 * Each task that waits for the failed task raises the failure. If the Task
 * becomes garbage and nobody has waited for it or asked for its traceback, the
 * binding warns of a mistake. The warning does not come earlier, since the
 * owner of the Task may still wait after the loop has ended, in the main chunk
 * of the program or in another loop.
 *
 * Until then AWL_KEPT has the info of each such failure, by its Task. The keys
 * are weak: the entry of a Task stays until its finalizer has run.
 *
 * Neighbours: run/driver.c calls handlers; errors/mistake.c warns.
 */
#include "errors/kept.h"

#include "base/classes.h"
#include "base/tasks.h"
#include "errors/mistake.h"
#include "open.h"

static int m_keep(lua_State *L) {
  return aw_lua_error(L, "aw.keep is a handler to give to start(), whose task "
                         "keeps the failure");
}

void awl_keep_failure(lua_State *L, awl_state *s, aw_task *task) {
  if (aw_task_waited(task)) {
    lua_pop(L, 1);
    return;
  }
  awl_push_slot(L, s, AWL_KEPT);
  awl_push_task(L, s, task);
  lua_pushvalue(L, -3);
  lua_rawset(L, -3);
  lua_pop(L, 2);
  s->keeps = true;
}

/* (value) → the text of the value */
static int push_text_of(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Warn of the failure of `task`, whose info is at `info`. */
static void tell_kept_failure(lua_State *L, int info, const aw_task *task) {
  info = lua_absindex(L, info);
  lua_pushcfunction(L, push_text_of);
  lua_getfield(L, info, "err");
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    lua_pop(L, 1);
    lua_pushliteral(L, "(an error whose text cannot be made)");
  }
  lua_getfield(L, info, "name");
  lua_pushfstring(L,
                  "aw.keep kept the failure of task %I '%s', and nobody has "
                  "waited for it: %s",
                  (LUAI_UACINT)aw_task_id(task), lua_tostring(L, -1),
                  lua_tostring(L, -2));
  const char *where = aw_task_where(task);
  awl_mistake(L, where ? where : "?", "keep");
  lua_pop(L, 2);
}

/* (light task, Task): warn if AWL_KEPT has the Task. */
static int tell_of_task(lua_State *L) {
  awl_push_slot(L, awl_open(L), AWL_KEPT);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) != LUA_TNIL)
    tell_kept_failure(L, -1, lua_touserdata(L, 1));
  return 0;
}

void awl_kept_asked(lua_State *L, awl_state *s) {
  if (!s->keeps)
    return;
  awl_push_slot(L, s, AWL_KEPT);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

void awl_kept_task_goes(lua_State *L, awl_state *s, const aw_task *task) {
  if (!s->keeps || aw_task_waited(task))
    return;
  lua_pushcfunction(L, tell_of_task);
  lua_pushlightuserdata(L, (void *)(uintptr_t)task);
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

/* Register the function in the module's table, on top. */
void awl_open_kept(lua_State *L, awl_state *s) {
  static const luaL_Reg functions[] = {{"keep", m_keep}, {NULL, NULL}};
  s->upcalls.keep = m_keep;
  awl_register(L, s, functions);
}
