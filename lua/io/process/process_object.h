/* process_object.h - the class Process, for spawn.c */
#ifndef AWIO_PROCESS_OBJECT_H
#define AWIO_PROCESS_OBJECT_H

#include "process/process.h"
#include "process/redirect.h"

#include <lua.h>

/* Push a Process whose pointer is NULL, and return its userdata, for
 * awio_fill_process(). The caller sets its user value: a table of its streams,
 * by name. May raise. */
awio_process **awio_push_process(lua_State *L);
/* Put `process` into the userdata `box`; takes `process`. */
void awio_fill_process(lua_State *L, awio_process **box, awio_process *process);

#endif
