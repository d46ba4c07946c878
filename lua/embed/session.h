/* session.h - a session, for the files that make it up; see session.c */
#ifndef AWL_SESSION_H
#define AWL_SESSION_H

#include "base/state.h"

enum { AWL_MOST_FDS = 16 }; /* descriptors of a wait */

/* A hidden task that waits for a descriptor, or rests; see
 * session_waiters.c. */
typedef struct awl_waiter {
  aw_lua_session *session;
  aw_task *task; /* kept; NULL: not needed so far */
  int fd;
  int result;    /* of the wait for it, if that has ended */
  bool wanted;   /* the wait under way is for this one … */
  bool watching; /* … and the task waits for it */
  bool ended;
} awl_waiter;

struct aw_lua_session {
  awl_session base; /* the first field: driver.c has its address */
  aw_lua_session_config config;
  char *name;         /* of the tasks of calls */
  lua_State *results; /* keeps those of the call; anchored in the registry */
  aw_task *call;      /* the task of the call under way, kept; or NULL */
  aw_error *deadlock; /* kept: the outcome of the call; or NULL */
  awl_hook hook;      /* that a call has set */
  bool busy;          /* a call, a wait or the close is under way */
  bool closing;
  bool over;                        /* a signal or os.exit has ended the loop */
  bool waiting;                     /* a wait is under way */
  awl_waiter waiters[AWL_MOST_FDS]; /* the first one always has a task */
};

/* ---- session_waiters.c ---- */

/* Start the first of the hidden tasks, in a new loop. Returns a code. */
int awl_session_keep_open(aw_lua_session *session);
/* Start one of the others. Returns a code. */
int awl_session_start_waiter(aw_lua_session *session, awl_waiter *w);
/* Let go of these tasks. */
void awl_session_forget_waiters(aw_lua_session *session);
/* Let the wait under way end. */
void awl_session_end_wait(aw_lua_session *session);

/* ---- session_drive.c ---- */

/* Set the functions by which the driver asks. */
void awl_session_set_answers(awl_session *base);
/* (light session): make the loop, and begin its run. A lua_CFunction. */
int awl_session_make_loop(lua_State *L);
/* Does its loop run? */
bool awl_session_has_loop(const aw_lua_session *session);
/* Take the EventLoop out of the registry. */
void awl_session_forget_loop(lua_State *L);
/* (error) → its text. A lua_CFunction. */
int awl_session_error_text(lua_State *L);
/* Push an error, and nil, and return AW_LUA_ERROR.
 *
 *   rc  the code of aw_next(); 0: there are too many results */
int awl_session_fail(lua_State *L, int rc, int *code);
/* Has something ended the session? Returns AW_LUA_OK, or how. */
int awl_session_has_ended(const aw_lua_session *session, int *code);

/* Begin a call or a wait. Raises if that is impossible now. Returns true if a
 * signal has come before: then it does not begin, but … */
bool awl_session_enter(aw_lua_session *session, lua_State *L, const char *what,
                       int *code);
/* … ends so. Returns how. */
int awl_session_turn_back(aw_lua_session *session, lua_State *L, int *code);
/* It has ended. */
void awl_session_leave(aw_lua_session *session);
/* Drive the loop until `until` has ended, or to its end if the session ends or
 * `until` is NULL. Returns AW_LUA_OK, or how the session has ended; or
 * AW_LUA_ERROR, with an error and nil pushed. */
int awl_session_drive(aw_lua_session *session, lua_State *L, aw_task *until,
                      int *code);

/* ---- session.c ---- */

/* The state ends, and its session does. */
void awl_end_session(awl_state *s);

#endif
