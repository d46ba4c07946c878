/* warning.h - prints Lua's warnings for the program; see warning.c */
#ifndef HOST_WARNING_H
#define HOST_WARNING_H

#include <lua.h>

#include <stdbool.h>

typedef struct host_warnings {
  enum { HOST_WARN_MISTAKES, HOST_WARN_ALL, HOST_WARN_NOTHING } shown;
  bool mistake;   /* the next, or current, warning is one of a mistake */
  bool continues; /* the warning has more parts */
} host_warnings;

/* Print the warnings of this state.
 *
 *   warnings  borrowed until `L` is closed
 */
void host_warnings_use(lua_State *L, host_warnings *warnings);

#endif
