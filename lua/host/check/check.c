/* check.c - the option --check; see check.h
 *
 * Here the command line becomes a list of sources, and a list of the globals
 * that -l would define. check.lua does the rest:
 *
 *   check.lua ─► names.lua    which names are globals
 *            │     └─► reader.lua   its place in the text, visible names
 *            └─► tokens.lua   the tokens of a text
 *
 * Nothing of the user runs: neither LUA_INIT, nor a module.
 */
#include "check/check.h"

#include "state/parts.h"
#include "terminal/style.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <string.h>
#include <unistd.h>

/* ---- nearest names ---- */

typedef struct name_list {
  lua_State *L;
  int index; /* of a table of strings; they stay alive by it */
} name_list;

static const char *listed_name(const void *list, size_t index) {
  const name_list *names = list;
  lua_rawgeti(names->L, names->index, (lua_Integer)index + 1);
  const char *name = lua_tostring(names->L, -1);
  lua_pop(names->L, 1);
  return name;
}

/* nearest(name, list): a name of the list, or nil. */
static int nearest(lua_State *L) {
  name_list names = {L, 2};
  lua_pushstring(L,
                 aw_lua_nearest(luaL_checkstring(L, 1), listed_name, &names));
  return 1;
}

/* ---- the command line ---- */

/* Add a source with the field `kind`, or without one, to the list at index 1.
 */
static void add_source(lua_State *L, const char *kind, const char *text) {
  lua_createtable(L, 0, 1);
  if (kind) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, kind);
  }
  lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
}

static void add_statement(lua_State *L, const char *text) {
  text = lua_pushfstring(L, HOST_STATEMENT_HEAD "%s", text);
  add_source(L, "statement", text);
  lua_pop(L, 1);
}

/* Add the global of -l MOD or -l G=MOD to the list at index 2. */
static void add_global(lua_State *L, const char *spec) {
  lua_pushlstring(L, spec, strcspn(spec, "="));
  lua_rawseti(L, 2, (lua_Integer)lua_rawlen(L, 2) + 1);
}

static void add_options(lua_State *L, const host_options *options) {
  host_action action;
  int at = 1;
  while (host_options_next(options, &at, &action)) {
    if (action.letter == 'e')
      add_statement(L, action.value);
    else if (action.letter == 'l')
      add_global(L, action.value);
  }
}

/* Add what would run as the script. Returns false if there is nothing to check.
 */
static bool add_script(lua_State *L, const host_options *options) {
  bool is_named = options->script < options->argc;
  const char *name = is_named ? host_options_script(options) : NULL;
  if (name)
    add_source(L, "file", name);
  else if (is_named || !isatty(STDIN_FILENO))
    add_source(L, NULL, NULL);
  else
    return false;
  return true;
}

static int complain_of_nothing(void) {
  host_style_print(STDERR_FILENO, HOST_STYLE_ERROR,
                   "aiowire: no script to check");
  return 2;
}

/* Print the findings in the list at index 1. */
static void print_lines(lua_State *L, host_style_kind kind) {
  for (lua_Integer i = 1; lua_rawgeti(L, 1, i) == LUA_TSTRING; i++) {
    host_style_print(STDERR_FILENO, kind, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
}

int host_check(lua_State *L, const host_options *options) {
  lua_settop(L, 0);
  lua_newtable(L); /* sources */
  lua_newtable(L); /* globals */
  add_options(L, options);
  bool is_alone = !options->chunks && !options->version;
  if ((options->script < options->argc || is_alone) && !add_script(L, options))
    return complain_of_nothing();
  host_push_part(L, "host.check.check");
  lua_insert(L, 1);
  lua_pushcfunction(L, nearest);
  lua_call(L, 3, 2);
  bool is_right = lua_toboolean(L, 2);
  print_lines(L, is_right ? HOST_STYLE_NOTE : HOST_STYLE_ERROR);
  return is_right ? 0 : 1;
}
