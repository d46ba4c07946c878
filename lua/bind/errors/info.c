/* info.c - Info: facts beside an error
 *
 * Error values travel raw [E1]. The facts beside an error are its *info* [E2],
 * a table with the fields `err`, `traceback`, `chain`, `id`, `name`,
 * `started_at` and others. Users get an Info: a table over the info, with more
 * fields of its own (`task`, `suppressed`). The __index of an Info makes fields
 * that are seldom read at their first use. The info itself has no Task, since
 * that would be a cycle through C.
 *
 * Neighbours: raised.c keeps the infos of errors on their way; core_error.c
 * makes core errors of infos, and Infos of core errors.
 */
#include "errors/info.h"

#include "base/classes.h"
#include "base/loops.h"
#include "base/parts.h"
#include "base/show_value.h"
#include "base/text.h"
#include "errors/frames.h"
#include "errors/timeout.h"
#include "errors/traceback.h"
#include "open.h"
#include "wire/task_text.h"

#include <string.h>

void awl_new_info(lua_State *L, int error) {
  error = lua_absindex(L, error);
  lua_createtable(L, 0, 7);
  lua_pushvalue(L, error);
  lua_setfield(L, -2, "err");
}

void awl_push_info_over(lua_State *L, awl_state *s, int info) {
  info = lua_absindex(L, info);
  lua_createtable(L, 1, 3);
  lua_pushvalue(L, info);
  lua_rawseti(L, -2, 1);
  awl_push_class(L, s, AWL_INFO);
  lua_setmetatable(L, -2);
}

bool awl_is_info_of(lua_State *L, int info, int error) {
  error = lua_absindex(L, error);
  lua_getfield(L, info, "err");
  bool same = lua_rawequal(L, -1, error);
  lua_pop(L, 1);
  return same;
}

/* ---- about a task ---- */

/* Set `chain` of the info on top: the states that its task was in [D3]. That is
 * a list of texts, newest first; for one state only its text, which
 * info_index() makes a list. */
static void set_chain(lua_State *L, awl_state *s, const aw_task *task) {
  enum { LONGEST = 8 };
  uint32_t times;
  bool has_wire = awl_push_state(L, s, task, AWL_LONGEST_TEXT);
  const char *name = aw_task_chain(task, 0, &times);
  if (name || !has_wire) {
    lua_newtable(L);
    int n = has_wire;
    if (has_wire) {
      lua_insert(L, -2);
      lua_rawseti(L, -2, 1);
    }
    for (size_t i = 0; n < LONGEST && name;
         name = aw_task_chain(task, ++i, &times)) {
      awl_push_cut_name(L, name);
      if (times > 1) {
        lua_pushfstring(L, "%s (x%d)", lua_tostring(L, -1), (int)times);
        lua_remove(L, -2);
      }
      lua_rawseti(L, -2, ++n);
    }
  }
  lua_setfield(L, -2, "chain");
}

/* Set the fields of the info on top that describe its task. */
static void describe_task(lua_State *L, awl_state *s, aw_task *task) {
  int info = lua_gettop(L);
  set_chain(L, s, task);
  lua_pushinteger(L, (lua_Integer)aw_task_id(task));
  lua_setfield(L, info, "id");
  if (!aw_task_name(task) && lua_getfield(L, info, "chain") == LUA_TSTRING)
    awl_cut_name(L); /* the text of the state is the name: make it once */
  else
    awl_push_plain_name(L, s, task);
  lua_setfield(L, info, "name");
  lua_settop(L, info);
  lua_pushstring(L, aw_task_where(task)); /* NULL pushes nil */
  lua_setfield(L, -2, "started_at");
}

void awl_describe_failed(lua_State *L, awl_state *s, aw_task *task) {
  const awl_loop *loop = awl_loop_of(s, aw_task_loop(task));
  lua_pushinteger(L, (lua_Integer)loop->engine->serial);
  lua_setfield(L, -2, "engine");
  describe_task(L, s, task);
}

void awl_push_task_info(lua_State *L, awl_state *s, aw_task *task) {
  lua_createtable(L, 0, 4);
  describe_task(L, s, task);
  awl_push_info_over(L, s, -1);
  lua_remove(L, -2);
}

/* ---- fields that are made when they are asked for ---- */

/* [Info, key, value]: make the list for `key`, with the one state `value`, or
 * empty. Push the list, and keep it in the Info. */
static void keep_list(lua_State *L, bool has_one) {
  lua_createtable(L, has_one, 0);
  if (has_one) {
    lua_pushvalue(L, 3);
    lua_rawseti(L, -2, 1);
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
}

/* [Info, key, …]: keep the value on top as Info[key], and return it. */
static int keep_field(lua_State *L) {
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

/* Is the Info at 1 about an error, not only about a task? */
static bool is_of_error(lua_State *L) {
  bool is = lua_getfield(L, 1, "err") != LUA_TNIL;
  lua_pop(L, 1);
  return is;
}

/* [Info, key, value]: return the traceback. `value` was noted where the error
 * was raised: a text, frames, or nothing. If the traceback has no line of a
 * file, it also says where the task was started. */
static int finish_traceback(lua_State *L) {
  if (awl_is_frames(L, 3)) {
    lua_pushliteral(L, "stack traceback:");
    awl_push_frames_text(L, 3, false);
    lua_concat(L, 2);
    lua_replace(L, 3);
  }
  const char *text = lua_tostring(L, 3);
  if (text && awl_has_lines(text))
    return keep_field(L);
  if (lua_getfield(L, 1, "started_at") == LUA_TSTRING) {
    lua_pushfstring(L, "%s\n\tstarted at %s",
                    text ? text : "stack traceback:", lua_tostring(L, -1));
    return keep_field(L);
  }
  lua_settop(L, 3);
  return 1;
}

/* [Info, key, nil, info]: for a Timeout, return the text of the wait that was
 * cut short. */
static int push_info_waited(lua_State *L) {
  lua_getfield(L, 4, "err");
  if (!awl_is(L, awl_of(L), 5, AWL_TIMEOUT) || !awl_push_waited(L, 5))
    return 0;
  return keep_field(L);
}

/* __index of an Info: returns the field of the info below. Some fields are made
 * here, since they are seldom read: lists, which are most often short or empty,
 * and texts. */
static int info_index(lua_State *L) {
  lua_settop(L, 2);
  if (!lua_istable(L, 1) || lua_rawgeti(L, 1, 1) != LUA_TTABLE)
    return 0;
  lua_pushvalue(L, 2);
  int type = lua_gettable(L, 3);
  lua_insert(L, 3); /* [Info, key, value, info] */
  if (lua_type(L, 2) != LUA_TSTRING) {
    lua_settop(L, 3);
    return 1;
  }
  const char *key = lua_tostring(L, 2);
  if (strcmp(key, "waited") == 0 && type == LUA_TNIL)
    return push_info_waited(L);
  lua_settop(L, 3);
  if (strcmp(key, "traceback") == 0 && is_of_error(L))
    return finish_traceback(L);
  if (type == LUA_TSTRING && strcmp(key, "chain") == 0)
    keep_list(L, true);
  else if (type == LUA_TNIL && strcmp(key, "suppressed") == 0)
    keep_list(L, false);
  return 1;
}

/* ---- the class ---- */

static int info_tostring(lua_State *L) {
  lua_settop(L, 1);
  awl_push_embedded(L, "aiowire.info");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

void awl_open_info(lua_State *L, awl_state *s) {
  static const luaL_Reg meta[] = {
      {"__tostring", info_tostring}, {"__index", info_index}, {NULL, NULL}};
  awl_new_class(L, s, AWL_INFO, "aiowire.Info", NULL, meta);
  lua_pop(L, 1);
}
