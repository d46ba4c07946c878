/* noreturn.h - functions that raise, for cppcheck and clang-tidy
 *
 * ./dev lint includes this before each file. luaL_error() and its kind have the
 * type int, so that `return luaL_error(…)` can be written, but never return. A
 * checker that does not know this goes on after the call with the value that
 * the call has just refused.
 */
#ifndef AIOWIRE_SPEC_NORETURN_H
#define AIOWIRE_SPEC_NORETURN_H

#ifdef __clang__
#define RAISES __attribute__((analyzer_noreturn))
#else
#define RAISES __attribute__((noreturn))
#endif

typedef struct lua_State lua_State;

RAISES int lua_error(lua_State *L);
RAISES int luaL_error(lua_State *L, const char *format, ...);
RAISES int luaL_argerror(lua_State *L, int arg, const char *why);
RAISES int luaL_typeerror(lua_State *L, int arg, const char *expected);

RAISES int aw_lua_error(lua_State *L, const char *format, ...);
RAISES int aw_lua_arg_error(lua_State *L, int arg, const char *why);
RAISES int aw_lua_type_error(lua_State *L, int arg, const char *expected);
RAISES int aw_lua_bad_option(lua_State *L, const char *name,
                             const char *expected);
RAISES int aw_lua_raise_with(lua_State *L, const char *traceback);
RAISES int aw_lua_system_error(lua_State *L, int code, const char *call,
                               const char *about);

RAISES int awl_foreign(lua_State *L, const char *what);
RAISES int awl_bad_self(lua_State *L, const char *name);
RAISES int awl_refuse_hosted(lua_State *L, const char *what);
RAISES int awl_scope_left(lua_State *L);
RAISES int awio_watch_refuse(lua_State *L, int code, const char *path);
RAISES int awz_raise(lua_State *L, int code, const char *verb,
                     const char *about);

#undef RAISES

#endif
