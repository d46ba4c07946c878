/* accounts.h - what each living task has cost; see accounts.c
 *
 *     accounts of a state ─┬─ engine: sums, table of accounts by task id
 *                          ├─ engine …
 *                          └─ pulse: what runs now, for other threads
 *
 * All times are real, in ns, as of uv_hrtime(), also on a virtual clock.
 */
#ifndef AWM_ACCOUNTS_H
#define AWM_ACCOUNTS_H

#include "base/state.h"

/* A living task. Times before the accounts were opened are not known. */
typedef struct awm_account {
  uint64_t id;
  uint64_t since;     /* it is running, ready or waiting since then */
  uint64_t busy;      /* in its steps, without EventLoops that ran inside */
  uint64_t longest;   /* step, with EventLoops that ran inside */
  uint64_t steps;     /* that have ended */
  uint64_t cancelled; /* when a cancel has reached it; 0: not, or not known */
  uint64_t starved;   /* when a long step of it ended, or now; 0: never */
} awm_account;

/* A step is long from here on, if there are other tasks in the engine. */
#define AWM_LONG_STEP (AW_SECOND / 10)

/* An engine of the state. */
typedef struct awm_sums {
  const aw_engine *core;
  uint64_t serial; /* of awl_engine */
  uint64_t began;  /* the account */
  uint64_t busy;   /* in steps, without EventLoops that ran inside */
  uint64_t idle;   /* blocked; a host with a loop of its own does not tell */
  uint64_t steps, wakeups;
  size_t tasks;  /* that have an account */
  size_t missed; /* tasks that had none, since there was no memory */
} awm_sums;

/* What the state does now. Other threads may read it while the accounts are
 * open. */
typedef struct awm_pulse {
  /* The task whose step is under way, its engine (awm_sums.serial), and when
   * the step began; `task` is 0 outside of steps. If a step runs inside
   * another, it is the inner one. See awm_pulse_look(). */
  _Atomic uint64_t task, engine, began;
  _Atomic uint64_t outermost; /* when the outermost step began; 0: none */
  /* Of all engines. */
  _Atomic uint64_t busy, idle, steps, wakeups;
} awm_pulse;

/* The step that is under way, see awm_pulse. */
typedef struct awm_step {
  uint64_t task, engine, began;
} awm_step;

typedef struct awm_accounts awm_accounts;

/* Begin to keep accounts of a state. Raises nothing. Returns 0 or a code of
 * awm_listen(). */
int awm_accounts_open(awl_state *s, awm_accounts **out);
/* End it; NULL is fine. Before awm_end_instruments(), outside of events, and
 * when no other thread reads the pulse any more. */
void awm_accounts_close(awm_accounts *accounts);

/* ---- any thread ---- */

const awm_pulse *awm_accounts_pulse(const awm_accounts *accounts);
/* Read the step that is under way. False: none is. */
bool awm_pulse_look(const awm_pulse *pulse, awm_step *out);

/* ---- the state's thread, also in a hook, in the middle of a step ---- */

/* Copy the account of a task, in which the step that is under way counts as far
 * as it has come, also for `starved`. False: it has none. */
bool awm_account_look(awm_accounts *accounts, const aw_task *task,
                      awm_account *out);
/* Copy the sums of an engine, likewise.
 *
 *   index  from 0; the order is that in which the engines were made
 *
 * False: there are not so many. */
bool awm_sums_look(const awm_accounts *accounts, size_t index, awm_sums *out);

#endif
