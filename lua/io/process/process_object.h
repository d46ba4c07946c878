/* process_object.h - processes for Lua: what process_object.c, spawn.c share */
#ifndef AWIO_PROCESS_OBJECT_H
#define AWIO_PROCESS_OBJECT_H

#include "process/process.h"
#include "process/redirect.h"

#include <lua.h>

/* Push a Process without a process: put one into the place that this gives.
 * Its user value is for the table of its streams, by name. Raises. */
awio_process **awio_push_process(lua_State *L);
/* The userdata whose place is `box` holds `process`: takes. */
void awio_fill_process(lua_State *L, awio_process **box, awio_process *process);

#endif
