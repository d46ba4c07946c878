/* info.c - Info: facts beside an error
 *
 * Error values travel raw [E1]. The facts beside an error are its *info* [E2].
 * The binding keeps them in a record (record.c). Users get an Info: a table
 * over the record, or over another Info, with more fields of its own (`task`,
 * `suppressed`). The __index of an Info reads the record, and makes what is
 * seldom read at its first use: lists, texts of frames, a name that is the cut
 * text of a wire. The record has no Task, since that would be a cycle through
 * C.
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

/* key in an Info: the info below */
enum { OVER = 1 };

void awl_push_info_over(lua_State *L, awl_state *s, int info) {
  info = lua_absindex(L, info);
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, info);
  lua_rawseti(L, -2, OVER);
  awl_push_class(L, s, AWL_INFO);
  lua_setmetatable(L, -2);
}

bool awl_sees_argument(lua_State *L, int index, int number) {
  lua_Debug ar;
  if (lua_type(L, index) != LUA_TFUNCTION || lua_iscfunction(L, index))
    return true;
  lua_pushvalue(L, index);
  lua_getinfo(L, ">u", &ar);
  return ar.isvararg || ar.nparams >= number;
}

/* ---- about a task ---- */

/* [text?] → [chain]: push the states that `task` was in [D3]. That is a list of
 * texts, newest first; for one state only its text, which info_index() makes a
 * list. The text of the last state is on top if `has_wire`. */
static void list_states(lua_State *L, const aw_task *task, bool has_wire) {
  enum { LONGEST = 8 };
  uint32_t times;
  int n = has_wire;
  const char *name = aw_task_chain(task, 0, &times);
  lua_newtable(L);
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

/* Is the name of `task` the text of its state? Only that text is kept then. */
static bool has_no_other_name(const aw_task *task) {
  const char *name = aw_task_name(task);
  return !name || name == aw_wire_name(aw_task_wire(task));
}

/* Set the facts of the info on top that describe its task. */
static void describe_task(lua_State *L, awl_state *s, aw_task *task) {
  int info = lua_gettop(L);
  uint32_t times;
  bool has_wire = awl_push_state(L, s, task, AWL_LONGEST_TEXT);
  bool one = has_wire && !aw_task_chain(task, 0, &times);
  if (!one)
    list_states(L, task, has_wire);
  awl_set_fact(L, info, AWL_FACT_CHAIN);
  if (!one || !has_no_other_name(task) || lua_istable(L, info)) {
    awl_push_plain_name(L, s, task);
    awl_set_fact(L, info, AWL_FACT_NAME);
  }
  lua_pushstring(L, aw_task_where(task)); /* NULL pushes nil */
  awl_set_fact(L, info, AWL_FACT_STARTED_AT);
}

/* [Info]: describe_task(), into fields. */
static void describe_in_fields(lua_State *L, awl_state *s, aw_task *task,
                               uint64_t engine) {
  lua_pushinteger(L, (lua_Integer)engine);
  lua_setfield(L, -2, "engine");
  lua_pushinteger(L, (lua_Integer)aw_task_id(task));
  lua_setfield(L, -2, "id");
  describe_task(L, s, task);
  if (lua_getfield(L, -1, "chain") == LUA_TSTRING) {
    lua_createtable(L, 1, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, "chain");
  } else {
    lua_pop(L, 1);
  }
}

/* The text of the one state that `task` was in, if other tasks may share its
 * description: the state is a named wire, and the task has no other name. Else
 * NULL. */
static const char *sharable_state(const aw_task *task) {
  uint32_t times;
  const aw_wire *wire = aw_task_wire(task);
  const char *text = wire ? aw_wire_name(wire) : NULL;
  const char *name = aw_task_name(task);
  bool one = text && (!name || name == text) && !aw_task_chain(task, 0, &times);
  return one ? text : NULL;
}

/* [record]: describe_task(), with a shared description where that is the same.
 * A description with a long text is not shared, since traceback.c keeps it. */
static void describe_in_origin(lua_State *L, awl_state *s, aw_task *task) {
  const char *state = sharable_state(task);
  if (state && awl_use_description(L, state, aw_task_where(task)))
    return;
  awl_push_origin_of(L);
  lua_insert(L, -2);
  describe_task(L, s, task);
  if (state && strlen(state) <= AWL_LONGEST_NAME)
    awl_share_description(L, lua_gettop(L) - 1);
  lua_remove(L, -2);
}

void awl_describe_failed(lua_State *L, awl_state *s, aw_task *task) {
  uint64_t engine = awl_loop_of(s, aw_task_loop(task))->engine->serial;
  if (lua_istable(L, -1)) {
    describe_in_fields(L, s, task, engine);
    return;
  }
  awl_record *record = lua_touserdata(L, -1);
  record->engine = engine;
  record->id = aw_task_id(task);
  describe_in_origin(L, s, task);
}

void awl_push_task_info(lua_State *L, awl_state *s, aw_task *task) {
  lua_pushnil(L);
  awl_push_record(L, -1)->id = aw_task_id(task);
  describe_task(L, s, task);
  awl_push_info_over(L, s, -1);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* [.., Info]: has the Info a description of its own? It may name the task. */
static bool is_described(lua_State *L, awl_record *out) {
  static const char *const keys[] = {"engine", "id", "chain"};
  for (int i = 0; i < 3; i++) {
    lua_pushstring(L, keys[i]);
    lua_rawget(L, -2 - i);
  }
  out->engine = (uint64_t)lua_tointeger(L, -3);
  out->id = (uint64_t)lua_tointeger(L, -2);
  bool has_chain = !lua_isnil(L, -1);
  lua_pop(L, 3);
  return has_chain;
}

bool awl_failed_task(lua_State *L, int info, awl_record *out) {
  int left = 200; /* users can make an Info inherit itself */
  const awl_record *record = awl_test_record(L, info);
  bool described = false;
  *out = record ? *record : (awl_record){NULL, 0, 0};
  if (record)
    return record->id != 0;
  lua_pushvalue(L, info);
  while (left-- > 0 && lua_istable(L, -1) &&
         !(described = is_described(L, out))) {
    lua_rawgeti(L, -1, OVER);
    lua_replace(L, -2);
  }
  record = awl_test_record(L, -1);
  if (record)
    *out = *record;
  lua_pop(L, 1);
  return record ? out->id != 0 : described;
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
  awl_push_fact(L, 4, AWL_FACT_ERR);
  if (!awl_is(L, awl_of(L), 5, AWL_TIMEOUT) || !awl_push_waited(L, 5))
    return 0;
  return keep_field(L);
}

/* [Info, key, record, nil] → [Info, key, record, name]: the name is the text of
 * the one state, cut. */
static int push_cut_state(lua_State *L) {
  if (awl_push_fact(L, 3, AWL_FACT_CHAIN) == LUA_TSTRING)
    awl_cut_name(L);
  else
    lua_pushnil(L);
  lua_replace(L, 4);
  lua_settop(L, 4);
  return lua_type(L, 4);
}

/* [Info, key, info] → [Info, key, info, value]: push the field `key` of the
 * info, and return its type. */
static int push_kept_field(lua_State *L, const char *key) {
  const awl_record *record = awl_test_record(L, 3);
  if (!record) {
    lua_pushvalue(L, 2);
    return lua_gettable(L, 3);
  }
  awl_fact fact = awl_fact_named(key);
  if (fact) {
    int type = awl_push_fact(L, 3, fact);
    return fact == AWL_FACT_NAME && type == LUA_TNIL ? push_cut_state(L) : type;
  }
  if (record->id && strcmp(key, "id") == 0)
    lua_pushinteger(L, (lua_Integer)record->id);
  else
    lua_pushnil(L);
  return lua_type(L, -1);
}

/* __index of an Info: returns the field of the info below. Some fields are made
 * here, since they are seldom read: lists, which are most often short or empty,
 * and texts. */
static int info_index(lua_State *L) {
  lua_settop(L, 2);
  if (!lua_istable(L, 1) || lua_type(L, 2) != LUA_TSTRING)
    return 0;
  const char *key = lua_tostring(L, 2);
  lua_rawgeti(L, 1, OVER);
  if (!lua_istable(L, 3) && !awl_test_record(L, 3))
    return 0; /* the user has put something there */
  int type = push_kept_field(L, key);
  lua_insert(L, 3); /* [Info, key, value, info] */
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
