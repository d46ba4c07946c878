/* process.h - a child process, from its start until it is reaped
 *
 *     RUNS ── child ends ──► ENDED ──► REAPED
 *                              └─ only the leader of a group stays ENDED, until
 *                                 the process is closed and the group has
 *                                 ended, too
 *
 *     awio_process_end(): TERM now; KILL when the grace is over
 *
 * A detached child gets no signals but those of awio_process_kill(). The child
 * runs on when its awio_process or its engine is closed, and is reaped when it
 * ends.
 *
 * An awio_process lives until its child is reaped, whatever becomes of the Lua
 * object and of the task that started it. So no zombie is left [UV8]. The
 * leader of a group stays unreaped so that no other process gets its number,
 * which is that of the group: the rest of the group can still be sent signals.
 */
#ifndef AWIO_PROCESS_H
#define AWIO_PROCESS_H

#include "base/system.h"
#include "process/child.h"
#include "stream/stream.h"

#include <uv.h>

typedef struct awio_hub awio_hub;

typedef enum awio_life { AWIO_RUNS, AWIO_ENDED, AWIO_REAPED } awio_life;

typedef struct awio_process {
  uv_poll_t poll;                   /* of the pidfd; open while `watched` */
  uv_timer_t timer;                 /* calls advance() again */
  awio_hub *hub;                    /* NULL once the child is reaped */
  struct awio_process *next, *prev; /* in the list of the hub */
  awio_waiters waiters;             /* tasks that wait for the end */
  awio_waiters closers;             /* tasks that wait for the reaping */
  unsigned refs;       /* references of the userdata, hub, timer and poll */
  aw_lua_held held;    /* held by the userdata */
  uint64_t grace_ms;   /* between TERM and KILL */
  uint64_t due_ms;     /* while `ending`: the time of KILL; once `killed`: the
                         time to give up a group that has not ended */
  uint64_t pause_ms;   /* until the next look at a group, or at a child that has
                         ended but cannot be reaped yet */
  awio_ending outcome; /* valid once the child is ENDED */
  awio_life life;
  int pid;
  int fd;             /* pidfd; -1: none, so SIGCHLD tells of the end */
  bool watched;       /* `poll` is open */
  bool ending;        /* awio_process_end() was called */
  bool killed;        /* KILL was sent after TERM */
  bool given_up;      /* the group lives long after KILL */
  bool group;         /* the child leads a group that ends with it */
  bool detached;      /* awio_process_end() sends no signal */
  bool left;          /* the detached child has outlived its engine */
  bool shares_output; /* the child writes to our standard output */
  char name[40];
} awio_process;

/* Start a child.
 *
 *   out  gives
 *
 * Returns 0 or a code of libuv.
 */
int awio_process_start(aw_engine *engine, const awio_program *program,
                       uint64_t grace_ms, awio_process **out);
void awio_process_release(awio_process *process); /* NULL is fine */

/* Send a signal to the child, or to its group if it has `group`. Returns 0;
 * UV_ESRCH if the child and its group have ended; or another code, such as
 * UV_EINVAL. */
int awio_process_kill(awio_process *process, int signal);

/* End the child and reap it: TERM now, KILL when the grace is over. A detached
 * child gets no signal, but is reaped when it ends. */
void awio_process_end(awio_process *process);

/* Does the process belong to another engine than `engine`? While that other
 * engine does not run, nobody notices the end of the child [S6]. */
bool awio_process_is_foreign(const awio_process *process,
                             const aw_engine *engine);

/* The operation that waits for the end of a process, which is its data. Ends
 * with AW_EINVAL in a task of another engine. */
extern const aw_operation awio_wait_exit;
/* The operation that waits until a process is reaped. If it is disarmed, it
 * kills the child at once. */
extern const aw_operation awio_wait_reaped;

#endif
