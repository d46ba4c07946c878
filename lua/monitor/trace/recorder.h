/* recorder.h - writes what the engines of a Lua state do into a ring
 *
 * A state has one recorder at most. aw.record() and aw.trace() use it, each for
 * itself; it ends with its last use.
 */
#ifndef AWM_RECORDER_H
#define AWM_RECORDER_H

#include "trace/ring.h"

#include "base/state.h"

enum { AWM_RECORD_CELLS = 4096, AWM_TRACE_CELLS = 1 << 18 };

/* What a recorder is used for. */
typedef enum awm_use { AWM_FOR_RECORD = 1, AWM_FOR_TRACE = 2 } awm_use;

/* An engine of the state. */
typedef struct awm_heard {
  awm_recorder *recorder;
  aw_engine *core;
  uint64_t serial;
  bool is_virtual;            /* its clock is not the real one … */
  uint64_t clock;             /* … and this is what the clock said last */
  uint64_t stepping, step_at; /* key of the task whose step runs, or 0 */
  uint64_t blocked_at;        /* or 0: the engine does not block */
  struct awm_heard *next, **place; /* in the list of the recorder */
} awm_heard;

struct awm_recorder {
  awm_ring ring;
  awl_state *state;
  aw_lua_instrument *own;
  awm_heard *engines; /* a list */
  unsigned uses;      /* awm_use, or-ed */
  bool telling;       /* what is told now has happened before */
  bool yielding;      /* a yield has begun */
  /* a reading of the clock that the next hook may use again, or 0 */
  uint64_t fresh;
  uint64_t alive, waiting; /* tasks */
  char *text;              /* of recorded.c, or NULL */
  const void *registry;    /* the address of the registry: it tells the state */
};

/* Use the recorder of the state, with room for `cells` records; the first use
 * makes it. With the use AWM_FOR_TRACE it is told of all living tasks again.
 *
 * Returns 0; AW_EBUSY if the host program has an instrument of its own;
 * AW_ENOMEM. Does not raise. */
int awm_recorder_use(awl_state *s, awm_use use, size_t cells);
/* End a use; of no recorder, or of one that is not used so, does nothing. */
void awm_recorder_leave(awl_state *s, awm_use use);

/* The recorder that was made last on this thread; or NULL. For the pauses of
 * the collector, which come with any coroutine, of any state. */
extern _Thread_local awm_recorder *awm_here;
/* Record that the collector has worked since `began`. */
void awm_record_pause(awm_recorder *r, uint64_t began, bool full);
/* Record that a cycle of the collector is over. */
void awm_record_cycle(awm_recorder *r);

#endif
