/* options.c - tables of options: known names, and errors about values
 *
 * Names are checked in the table itself, without `__index`: an unknown name
 * raises an error that suggests the nearest known name. Values are read by
 * lua_getfield(), so values that a table inherits by `__index` count: a program
 * can keep defaults there.
 *
 * Neighbours: arguments.c checks other arguments.
 */
#include "base/options.h"

#include "base/location.h"
#include "base/show_value.h"

#include <ctype.h>
#include <string.h>

/* ---- the name that somebody meant who wrote another one ---- */

enum { LONGEST = 40 };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static bool same_letter(char a, char b) {
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* The edit distance, without regard to case: the number of letters to change,
 * to leave out, to insert or to swap with their neighbour. Both names have at
 * most LONGEST letters. */
static size_t edit_distance(const char *a, const char *b) {
  size_t rows[3][LONGEST + 1], width = strlen(b), height = strlen(a);
  for (size_t j = 0; j <= width; j++)
    rows[0][j] = j;
  for (size_t i = 1; i <= height; i++) {
    const size_t *before = rows[(i + 1) % 3], *above = rows[(i + 2) % 3];
    size_t *row = rows[i % 3];
    row[0] = i;
    for (size_t j = 1; j <= width; j++) {
      row[j] = least(above[j - 1] + !same_letter(a[i - 1], b[j - 1]),
                     least(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
          same_letter(a[i - 2], b[j - 1]))
        row[j] = least(row[j], before[j - 2] + 1);
    }
  }
  return rows[height % 3][width];
}

const char *aw_lua_nearest(const char *name,
                           const char *(*get)(const void *list, size_t index),
                           const void *list) {
  const char *best = NULL, *at;
  size_t length = strlen(name);
  size_t nearest = length / 3 + 2; /* a larger distance suggests nothing */
  for (size_t i = 0; length <= LONGEST && (at = get(list, i)) != NULL; i++) {
    size_t d = strlen(at) <= LONGEST ? edit_distance(name, at) : nearest;
    if (d < nearest) {
      nearest = d;
      best = at;
    }
  }
  return best;
}

/* ---- names of options ---- */

static const char *option_name_at(const void *list, size_t index) {
  return ((const char *const *)list)[index];
}

static bool is_known(const char *name, const char *const *known) {
  while (*known && strcmp(*known, name) != 0)
    known++;
  return *known != NULL;
}

/* Raise that the key on top is no known name. */
static int refuse_option(lua_State *L, int arg, const char *const *known) {
  awl_state *s = awl_open(L);
  if (lua_type(L, -1) != LUA_TSTRING) {
    bool is_number = lua_type(L, -1) == LUA_TNUMBER;
    lua_pushfstring(L, "the name of an option is a string, got %s%s",
                    aw_lua_type_name(L, -1), is_number ? " " : "");
    if (is_number)
      luaL_tolstring(L, -2, NULL);
    else
      lua_pushliteral(L, "");
    lua_concat(L, 2);
    return aw_lua_arg_error(L, arg, lua_tostring(L, -1));
  }
  const char *meant =
      aw_lua_nearest(lua_tostring(L, -1), option_name_at, known);
  awl_show_key(L, s, -1);
  lua_pushfstring(L, "unknown option '%s'", lua_tostring(L, -1));
  if (meant)
    lua_pushfstring(L, "%s, did you mean '%s'?", lua_tostring(L, -1), meant);
  return aw_lua_arg_error(L, arg, lua_tostring(L, -1));
}

bool aw_lua_unknown_option(lua_State *L, int index, const char *const *known,
                           bool is_list) {
  index = lua_absindex(L, index);
  lua_Integer length = is_list ? (lua_Integer)lua_rawlen(L, index) : 0;
  for (lua_pushnil(L); lua_next(L, index);) {
    lua_pop(L, 1);
    int is_integer;
    lua_Integer place = lua_tointegerx(L, -1, &is_integer);
    bool is_option = lua_type(L, -1) == LUA_TSTRING
                         ? is_known(lua_tostring(L, -1), known)
                         : is_integer && place >= 1 && place <= length;
    if (!is_option)
      return true;
  }
  return false;
}

/* Check the names in the table at `index`, which is argument `arg`. */
static void check_names(lua_State *L, int index, int arg,
                        const char *const *known, bool is_list) {
  if (aw_lua_unknown_option(L, index, known, is_list))
    refuse_option(L, arg, known);
}

void aw_lua_check_options(lua_State *L, int arg, const char *const *known,
                          bool is_list) {
  aw_lua_check_type(L, arg, LUA_TTABLE);
  luaL_checkstack(L, 8, NULL);
  check_names(L, arg, arg, known, is_list);
}

int aw_lua_bad_option(lua_State *L, const char *name, const char *expected) {
  return awl_error(L, "bad option '%s' (%s expected, got %s)", name, expected,
                   aw_lua_type_name(L, -1));
}

bool aw_lua_opt_flag(lua_State *L, int arg, const char *name, bool otherwise) {
  int type = lua_getfield(L, arg, name);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN)
    aw_lua_bad_option(L, name, "boolean");
  bool value = type == LUA_TNIL ? otherwise : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* check_options(arg, opts, known [, is_list]): check `opts`, argument `arg` of
 * the function that the user called; with `is_list`, items may come before its
 * options */
static int inner_check_options(lua_State *L) {
  enum { MOST = 16, ARG = 1, OPTIONS, KNOWN, IS_LIST };
  const char *known[MOST + 1] = {NULL};
  int arg = (int)lua_tointeger(L, ARG);
  bool is_list = lua_toboolean(L, IS_LIST);
  if (!lua_istable(L, OPTIONS))
    return aw_lua_arg_error(L, arg,
                            lua_pushfstring(L, "table expected, got %s",
                                            aw_lua_type_name(L, OPTIONS)));
  for (int i = 0; i < MOST && lua_rawgeti(L, KNOWN, i + 1) == LUA_TSTRING; i++)
    known[i] = lua_tostring(L, -1);
  check_names(L, OPTIONS, arg, known, is_list);
  return 0;
}

/* type_name(v): the type or class of v, for a message */
static int inner_type_name(lua_State *L) {
  lua_pushstring(L, aw_lua_type_name(L, 1));
  return 1;
}

/* bad_argument(arg, why): raise an error about an argument of the function that
 * the user called */
static int inner_bad_argument(lua_State *L) {
  return aw_lua_arg_error(L, (int)lua_tointeger(L, 1), lua_tostring(L, 2));
}

/* bad_type(arg, expected, v): raise that the argument is `v` */
static int inner_bad_type(lua_State *L) {
  const char *got = lua_isnil(L, 3) ? "no value" : aw_lua_type_name(L, 3);
  const char *why =
      lua_pushfstring(L, "%s expected, got %s", lua_tostring(L, 2), got);
  return aw_lua_arg_error(L, (int)lua_tointeger(L, 1), why);
}

/* bad_option(name, expected, v): raise that the option is `v` */
static int inner_bad_option(lua_State *L) {
  return aw_lua_bad_option(L, lua_tostring(L, 1), lua_tostring(L, 2));
}

const luaL_Reg awl_options_inner[] = {
    {"check_options", inner_check_options}, {"type_name", inner_type_name},
    {"bad_argument", inner_bad_argument},   {"bad_type", inner_bad_type},
    {"bad_option", inner_bad_option},       {NULL, NULL}};
