/* recording.c - see recording.h
 *
 * The library records (aw.trace, aw.record). If the process ends in another way
 * than by the end of main(), the library's exit handler writes the trace.
 */
#include "report/recording.h"

#include "terminal/style.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Call a function of the library with the `count` values on top; one result, or
 * an error, is on top then. Returns a status of Lua. */
static int call_library(lua_State *L, const char *name, int count) {
  luaopen_aiowire(L);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
  lua_insert(L, -count - 1);
  return lua_pcall(L, count, 1, 0);
}

/* Print "aiowire: " and the error on top, which is popped. */
static void print_error(lua_State *L) {
  lua_pushfstring(L, "aiowire: %s", luaL_tolstring(L, -1, NULL));
  host_style_print(STDERR_FILENO, HOST_STYLE_ERROR, lua_tostring(L, -1));
  lua_pop(L, 3);
}

/* Call a function that begins something, likewise. False: an error was printed.
 */
static bool begin_recording(lua_State *L, const char *name, int count) {
  if (call_library(L, name, count) != LUA_OK) {
    print_error(L);
    return false;
  }
  lua_pop(L, 1);
  return true;
}

bool host_recording_begin(lua_State *L, const host_options *options) {
  if ((options->record || options->stats) && !begin_recording(L, "record", 0))
    return false;
  if (!options->trace)
    return true;
  lua_pushstring(L, options->trace);
  return begin_recording(L, "trace", 1);
}

void host_recording_tell(lua_State *L, const host_options *options) {
  enum { SHOWN = 100 };
  if (!options->record && !options->stats)
    return;
  lua_pushinteger(L, SHOWN);
  if (call_library(L, "recorded", 1) == LUA_OK && lua_isstring(L, -1)) {
    lua_pushfstring(L, "the last events:\n%s", lua_tostring(L, -1));
    host_style_print(STDERR_FILENO, HOST_STYLE_NOTE, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

bool host_recording_end(lua_State *L, const host_options *options) {
  aw_lua_trace_end end;
  char text[1200];
  if (!options->trace)
    return true;
  int rc = aw_lua_end_trace(L, &end);
  if (rc == AW_EENDED) /* the program has ended it */
    return true;
  if (rc < 0) {
    snprintf(text, sizeof text, "aiowire: cannot write the trace '%s': %s",
             options->trace, aw_strerror(rc));
    host_style_print(STDERR_FILENO, HOST_STYLE_ERROR, text);
    return false;
  }
  if (end.lost == 0)
    return true;
  snprintf(text, sizeof text,
           "trace: '%s' has the last %llu events; %llu before them were "
           "overwritten (aw.trace has an option `events`)",
           options->trace, (unsigned long long)end.events,
           (unsigned long long)end.lost);
  host_style_print(STDERR_FILENO, HOST_STYLE_NOTE, text);
  return true;
}
