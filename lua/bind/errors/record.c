/* record.c - the info of an error, as the binding keeps it
 *
 * Most errors are handled, and few handlers look at their infos. So a record is
 * small and cheap to make:
 *
 *     record { engine, id }             origin { state, where, shared }
 *       1  err                            1  traceback     4  started_at
 *       2  replaced                       2  chain         5  the description
 *       3  ────────────────────────────►  3  name
 *
 * Both are userdata, whose other facts are user values, which need no keys. The
 * facts are values that exist anyway: texts, names and places. Lists and other
 * texts are made of them when somebody looks (info.c). A record refers to no
 * function, coroutine, wire or Task, so an error that is kept for long keeps
 * alive nothing but its own value.
 *
 * A program raises most of its errors from few places, in few kinds of tasks.
 * So records share their origins: traceback.c keeps an origin with the text of
 * each recent stack. The first task that fails with it makes a second origin,
 * with the description of the task, too; the user value 5 of the first one is
 * that description. It serves other tasks as long as they have the same one. A
 * shared origin never changes: a record that gets a fact makes an origin of its
 * own. The collector frees an origin when neither traceback.c nor a record has
 * it.
 *
 * Users see a record only through an Info, a table over it. An Info is an info,
 * too, and has its facts in fields: an error of a handler keeps such an Info.
 *
 * Neighbours: info.c fills records, and makes Infos; raised.c and core_error.c
 * keep records.
 */
#include "errors/record.h"

#include <string.h>

static const char *const fields[] = {
    [AWL_FACT_ERR] = "err",
    [AWL_FACT_REPLACED] = "replaced",
    [AWL_FACT_TRACEBACK] = "traceback",
    [AWL_FACT_CHAIN] = "chain",
    [AWL_FACT_NAME] = "name",
    [AWL_FACT_STARTED_AT] = "started_at",
};

/* User values: of a record, the facts up to AWL_FACT_REPLACED and … */
enum { ORIGIN = AWL_FACT_REPLACED + 1 };
/* … of an origin, the other facts by place_of_fact(), and … */
enum { DESCRIPTION = AWL_ORIGIN_VALUES };

static int place_of_fact(awl_fact fact) {
  return (int)(fact - AWL_FACT_REPLACED);
}

/* Tells a record from a userdata that a user has put in its place in an Info. A
 * metatable would do so, too, but would have to be set for each record. */
static const char MARK = 'r';

awl_record *awl_push_record(lua_State *L, int error) {
  error = lua_absindex(L, error);
  awl_record *record = lua_newuserdatauv(L, sizeof *record, ORIGIN);
  *record = (awl_record){&MARK, 0, 0};
  lua_pushvalue(L, error);
  lua_setiuservalue(L, -2, AWL_FACT_ERR);
  return record;
}

awl_record *awl_test_record(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA ||
      lua_rawlen(L, index) != sizeof(awl_record))
    return NULL;
  awl_record *record = lua_touserdata(L, index);
  return record->mark == &MARK ? record : NULL;
}

bool awl_is_info(lua_State *L, int index) {
  int type = lua_type(L, index);
  return type == LUA_TUSERDATA || type == LUA_TTABLE;
}

/* ---- facts ---- */

int awl_push_fact(lua_State *L, int index, awl_fact fact) {
  if (lua_type(L, index) != LUA_TUSERDATA)
    return lua_getfield(L, index, fields[fact]);
  if (fact <= AWL_FACT_REPLACED)
    return lua_getiuservalue(L, index, (int)fact);
  if (lua_getiuservalue(L, index, ORIGIN) == LUA_TNIL)
    return LUA_TNIL;
  int type = lua_getiuservalue(L, -1, place_of_fact(fact));
  lua_replace(L, -2);
  return type;
}

/* Push a new origin that nobody shares. */
static awl_origin *push_new_origin(lua_State *L, size_t size) {
  awl_origin *origin = lua_newuserdatauv(L, size, AWL_ORIGIN_VALUES);
  *origin = (awl_origin){NULL, NULL, false};
  return origin;
}

/* Push the origin of the record at `record`, after making sure that nobody
 * shares it. */
static void push_own_origin(lua_State *L, int record) {
  lua_getiuservalue(L, record, ORIGIN);
  const awl_origin *old = lua_touserdata(L, -1);
  if (old && !old->shared)
    return;
  push_new_origin(L, sizeof *old);
  for (int i = 1; old && i < DESCRIPTION; i++) {
    lua_getiuservalue(L, -2, i);
    lua_setiuservalue(L, -2, i);
  }
  lua_replace(L, -2);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, record, ORIGIN);
}

void awl_set_fact(lua_State *L, int index, awl_fact fact) {
  if (lua_type(L, index) != LUA_TUSERDATA) {
    lua_setfield(L, index, fields[fact]);
  } else if (fact <= AWL_FACT_REPLACED) {
    lua_setiuservalue(L, index, (int)fact);
  } else {
    push_own_origin(L, lua_absindex(L, index));
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, place_of_fact(fact));
    lua_pop(L, 1);
  }
}

bool awl_is_info_of(lua_State *L, int index, int error) {
  error = lua_absindex(L, error);
  awl_push_fact(L, index, AWL_FACT_ERR);
  bool same = lua_rawequal(L, -1, error);
  lua_pop(L, 1);
  return same;
}

awl_fact awl_fact_named(const char *key) {
  for (int fact = AWL_FACT_ERR; fact <= AWL_FACTS; fact++)
    if (fact != AWL_FACT_REPLACED && strcmp(key, fields[fact]) == 0)
      return (awl_fact)fact;
  return (awl_fact)0;
}

/* ---- origins ---- */

awl_origin *awl_push_origin(lua_State *L, size_t size) {
  awl_origin *origin = push_new_origin(L, size);
  origin->shared = true;
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, place_of_fact(AWL_FACT_TRACEBACK));
  return origin;
}

void awl_take_traceback(lua_State *L) {
  lua_getiuservalue(L, -1, place_of_fact(AWL_FACT_TRACEBACK));
  lua_replace(L, -2);
}

void awl_set_origin(lua_State *L, int index) {
  lua_setiuservalue(L, index, ORIGIN);
}

void awl_push_origin_of(lua_State *L) {
  lua_getiuservalue(L, -1, ORIGIN);
}

static bool is_equal_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

/* [.., origin] → [.., its description] */
static bool has_description(lua_State *L, const char *state,
                            const char *where) {
  if (!lua_isuserdata(L, -1))
    return false;
  lua_getiuservalue(L, -1, DESCRIPTION);
  lua_replace(L, -2);
  const awl_origin *known = lua_touserdata(L, -1);
  return known && is_equal_text(known->state, state) &&
         is_equal_text(known->where, where);
}

bool awl_use_description(lua_State *L, const char *state, const char *where) {
  awl_push_origin_of(L);
  bool has = has_description(L, state, where);
  if (has)
    lua_setiuservalue(L, -2, ORIGIN);
  else
    lua_pop(L, 1);
  return has;
}

/* [.., origin] → [.., origin]: the text of a fact, which the origin keeps. */
static const char *text_of_fact(lua_State *L, awl_fact fact) {
  lua_getiuservalue(L, -1, place_of_fact(fact));
  const char *text = lua_tostring(L, -1);
  lua_pop(L, 1);
  return text;
}

void awl_share_description(lua_State *L, int traced) {
  const awl_origin *before = lua_touserdata(L, traced);
  if (!before || !before->shared)
    return;
  awl_push_origin_of(L);
  awl_origin *described = lua_touserdata(L, -1);
  described->state = text_of_fact(L, AWL_FACT_CHAIN);
  described->where = text_of_fact(L, AWL_FACT_STARTED_AT);
  described->shared = true;
  lua_setiuservalue(L, traced, DESCRIPTION);
}
