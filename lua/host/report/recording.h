/* recording.h - the options --trace and --record; see recording.c */
#ifndef HOST_RECORDING_H
#define HOST_RECORDING_H

#include "options/options.h"

#include <lua.h>

/* Begin what the options ask for, before anything runs. Returns false, after a
 * message, if the trace cannot be written. Call from: protected mode. */
bool host_recording_begin(lua_State *L, const host_options *options);
/* Print the last events, after an error that nobody has caught; nothing unless
 * --record or --stats is given. Call from: protected mode. */
void host_recording_tell(lua_State *L, const host_options *options);
/* Write the trace of --trace, before lua_close(). Returns false, after a
 * message, if it could not be written. */
bool host_recording_end(lua_State *L, const host_options *options);

#endif
