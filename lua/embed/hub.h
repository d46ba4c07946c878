/* hub.h - Lua states on an engine of the host program; see hub.c
 *
 *     engine ── hub ─┬─ hosted ── state (awl_state) ── its loop, records
 *                    ├─ hosted ── state
 *                    └─ records of tasks that have ended
 *
 * The files of this folder see all rooms of lua/bind. open.c binds states and
 * lets them go, step.c runs steps, start.c starts tasks, done.c tells the host
 * program of their ends, box.c makes values in C. A session (session.c) is for
 * a state without a hub.
 */
#ifndef AWL_HUB_H
#define AWL_HUB_H

#include "base/state.h"

typedef struct awl_hub awl_hub;

/* A task that the host program has started. It is the handler of the task, so
 * the core drops it when the task has ended: see done.c. */
typedef struct awl_job {
  aw_lua_value value; /* the first field: the core has its address */
  awl_hub *hub;
  awl_hosted *hosted; /* NULL: its state has gone */
  aw_task *task;      /* kept; NULL: it has not been started */
  void (*done)(lua_State *L, aw_task *task, int status, int nresults,
               void *data);
  void *data;
  bool unheard;         /* the host program cannot learn how the task ends */
  struct awl_job *next; /* of the state, or of the hub once it has ended */
  struct awl_job **place;
} awl_job;

/* A state on the engine of a hub. */
struct awl_hosted {
  awl_state *state;
  awl_hub *hub;       /* NULL: the engine was freed first */
  awl_engine *engine; /* the state's own; NULL: it was freed first */
  lua_State *driver;  /* runs the steps; anchored in the registry */
  awl_run run;        /* what is kept from one step to the next */
  awl_job *jobs;      /* under way */
  uint32_t number;    /* in the hub, from 1 */
  bool closed;        /* it starts no more tasks */
};

typedef struct awl_hub_entry {
  awl_hosted *hosted; /* NULL: there is none, or its state has gone */
  size_t left;        /* claims on values of a state that has gone */
} awl_hub_entry;

struct awl_hub {
  aw_closer closer; /* the first field: the engine finds it */
  aw_engine *engine;
  awl_hub_entry *entries; /* by number; the first is unused */
  uint32_t count;
  awl_job *lost; /* jobs whose state has gone before the task has ended */
  awl_job *ended, **last; /* jobs whose `done` is to be called, in order */
  awl_hosted *recent;     /* the state whose step ran last, or NULL */
};

/* The hub of an engine; NULL: it was not made with aw_lua_config(), or no state
 * was opened on it. */
awl_hub *awl_hub_of(const aw_engine *engine);
/* The hub of an engine that was made with aw_lua_config(); the first call makes
 * it. NULL: out of memory. */
awl_hub *awl_hub_for(aw_engine *engine);
/* Set the functions for values, and no hub so far. */
void awl_hub_config(aw_engine_config *config);
/* Was the engine made with aw_lua_config()? */
bool awl_hub_fits(const aw_engine *engine);
/* Enter a state. Returns 0, AW_ENOMEM, or AW_EAGAIN if there are too many. */
int awl_hub_enter(awl_hub *hub, awl_hosted *hosted);
/* The state goes. `left` is the number of claims on its values. */
void awl_hub_leave(awl_hosted *hosted, size_t left);
/* The state that has this loop; NULL: it is the host program's own. */
awl_hosted *awl_hub_find(const awl_hub *hub, const aw_loop *loop);
/* Has the state of this loop gone? */
bool awl_hub_lost(const awl_hub *hub, const aw_loop *loop);

/* ---- done.c ---- */

/* A record of a task that is about to be started. NULL: out of memory. */
awl_job *awl_job_new(awl_hosted *hosted);
/* The handler of a task that the host program has started, or NULL. */
bool awl_job_handles(const aw_task *task);
/* Call `done` of each task that has ended. */
void awl_job_tell(awl_hub *hub);
/* Is there a job of the state whose `done` has not been called? */
bool awl_job_waits(const awl_hosted *hosted);
/* The state goes: its jobs call no Lua any more. */
void awl_job_forget(awl_hosted *hosted);

/* ---- open.c ---- */

/* The state of L on an engine of the host program, or NULL. Raises nothing. */
awl_hosted *awl_hosted_of(lua_State *L);
/* The state ends: its tasks end now … */
void awl_end_hosted(awl_state *s);
/* … and the hub forgets it, before its engine and loops are freed. */
void awl_leave_hub(awl_state *s);

/* ---- step.c ---- */

/* Answer a step of a task of the state `s`, which ends its tasks now. NULL: the
 * state has gone, although it could not end the task. */
void awl_end_step(const awl_state *s, const aw_step *step);
/* The state ends: so do the loops that have been drawn, not run, and no code of
 * their tasks runs. */
void awl_end_left(awl_state *s);

#endif
