/* trace.h - aw.trace(): what an engine did, in a file */
#ifndef AWM_TRACE_H
#define AWM_TRACE_H

#include "base/state.h"

void awm_open_trace(lua_State *L, awl_state *s);
/* The state ends: write the trace that is under way, and free the recorder. */
void awm_end_trace(awl_state *s);

#endif
