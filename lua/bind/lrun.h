/* lrun.h - how an EventLoop is run; see lrun.c */
#ifndef AWL_LRUN_H
#define AWL_LRUN_H

#include "bridge.h"

/* Methods of EventLoop, with the loop at 1. */
int awl_loop_run(lua_State *L);   /* run([timeout]) */
int awl_loop_close(lua_State *L); /* close() */
int awl_loop_leave(lua_State *L); /* __close */
/* (ev, seconds): as ev:run(), stopped after so much real time. */
int awl_loop_run_limited(lua_State *L);

#endif
