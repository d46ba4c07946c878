/* loop_run.h - how an EventLoop is run; see loop_run.c */
#ifndef AWL_LOOP_RUN_H
#define AWL_LOOP_RUN_H

#include "base/state.h"

/* Methods of EventLoop, with the loop at 1. */
int awl_loop_run(lua_State *L);   /* run([timeout]) */
int awl_loop_close(lua_State *L); /* close() */
int awl_loop_leave(lua_State *L); /* __close */
/* Drive a loop, outside of every run, until the loop or the task `until` has
 * ended (NULL: no such task). Returns the negative code of aw_loop_begin(), or
 * the result of awl_drive(). Raises. */
int awl_loop_drive(lua_State *L, awl_loop *loop, aw_task *until);
/* Stop the run of a loop; a session only cancels the tasks of its loop. */
void awl_loop_stop(awl_loop *loop);
/* Raise that `what` would run an EventLoop whose engine a host program
 * drives. */
int awl_refuse_hosted(lua_State *L, const char *what);
/* (ev, seconds): as ev:run(), but stops the loop after so many seconds of real
 * time. */
int awl_loop_run_limited(lua_State *L);

#endif
