/* warning.h - what the program does with Lua's warnings; see warning.c */
#ifndef HOST_WARNING_H
#define HOST_WARNING_H

#include <lua.h>

#include <stdbool.h>

typedef struct host_warnings {
  enum { HOST_WARN_MISTAKES, HOST_WARN_ALL, HOST_WARN_NOTHING } shown;
  bool mistake;   /* the next one is one … */
  bool continues; /* … and the last part of one was not its end */
} host_warnings;

/* Print the warnings of this state as `warnings` says, which is to outlive
 * it. */
void host_warnings_use(lua_State *L, host_warnings *warnings);

#endif
