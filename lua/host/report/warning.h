/* warning.h - prints Lua's warnings for the program; see warning.c */
#ifndef HOST_WARNING_H
#define HOST_WARNING_H

#include <lua.h>

#include <stdbool.h>
#include <stddef.h>

/* The warnings of one Lua state. Zero at first. */
typedef struct host_warnings {
  bool mistake; /* the next, or current, warning is one of a mistake */
  char *text;   /* the parts so far, or NULL */
  size_t size;
} host_warnings;

/* Print the warnings of this state.
 *
 *   warnings  borrowed until `L` is closed
 */
void host_warnings_use(lua_State *L, host_warnings *warnings);

/* Print no warnings from now on, of any state. */
void host_warnings_stop(void);

#endif
