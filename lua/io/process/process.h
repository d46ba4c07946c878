/* process.h - a child process, from its start until it is reaped
 *
 *     RUNS ── it ends ──► ENDED ──► REAPED
 *                            └─ only the leader of a group stays here, until
 *                               it is closed and the group has ended, too
 *
 *     end(): TERM now; KILL when the grace is over
 *
 * One that is detached is sent nothing but what kill() is asked for: end() and
 * the end of its engine leave it running, and it is reaped whenever it ends.
 *
 * It is kept until it is reaped, whatever becomes of the Lua object and of the
 * task that started it, so that there is never a zombie [UV8]. A leader stays
 * unreaped so that the number of its group remains its own: what it has left
 * behind can be sent signals.
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
  uv_poll_t poll;                   /* of the pidfd, while `watched` */
  uv_timer_t timer;                 /* until there is something to do for it */
  awio_hub *hub;                    /* NULL once all have been told */
  struct awio_process *next, *prev; /* the hub's */
  awio_waiters waiters;             /* for its end */
  awio_waiters closers;             /* for its reaping */
  unsigned refs;     /* of the userdata, the hub, the timer, the poll */
  aw_lua_held held;  /* by the userdata */
  uint64_t grace_ms; /* between TERM and KILL */
  uint64_t due_ms;   /* while `ending`: when KILL comes; after it, when a group
                         that does not end is given up */
  uint64_t pause_ms; /* until the next look at a group, or at a child that has
                         ended but cannot be reaped yet */
  awio_ending outcome; /* once it is ENDED */
  awio_life life;
  int pid;
  int fd;             /* pidfd, or -1: it is noticed by SIGCHLD */
  bool watched;       /* the poll is open */
  bool ending;        /* TERM was sent … */
  bool killed;        /* … and KILL */
  bool given_up;      /* … and its group lives still */
  bool group;         /* it leads a process group of its own */
  bool detached;      /* end() only lets it go: `ending`, without a signal */
  bool left;          /* … and with its engine it is lost */
  bool shares_output; /* it writes to our standard output */
  char name[40];
} awio_process;

/* Start a child. Returns 0 and gives, or libuv's code. */
int awio_process_start(aw_engine *engine, const awio_program *program,
                       uint64_t grace_ms, awio_process **out);
void awio_process_release(awio_process *process); /* NULL is fine */

/* Send a signal, to its group if it has one. Returns 0, UV_ESRCH when it, with
 * its group, has ended, UV_EINVAL. */
int awio_process_kill(awio_process *process, int signal);

/* TERM now, KILL when the grace is over; then it is reaped. Of a detached one:
 * nothing of it is needed any more, once it has ended. */
void awio_process_end(awio_process *process);

/* Does another engine than `engine` see to it? While that is blocked, nobody
 * learns of its end [S6]. */
bool awio_process_is_foreign(const awio_process *process,
                             const aw_engine *engine);

/* To wait for its end; the data is the process. AW_EINVAL in a task of another
 * engine. */
extern const aw_operation awio_wait_exit;
/* To wait until it is reaped; who gives up waiting kills it at once. */
extern const aw_operation awio_wait_reaped;

#endif
