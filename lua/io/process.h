/* process.h - a child process, from its start until it is reaped
 *
 *     RUNS ──end()──► ENDING: TERM was sent, KILL comes after the grace
 *       └──────────────┴──► exited: reaped, by libuv or with kill_now()
 *
 * The uv_process_t lives until the child is reaped, whatever becomes of the
 * Lua object and of the task that started it: closing it sooner would leave a
 * zombie [U8].
 */
#ifndef AWIO_PROCESS_H
#define AWIO_PROCESS_H

#include "stream.h"

#include <uv.h>

typedef struct awio_hub awio_hub;

typedef struct awio_process {
  uv_process_t uv;
  uv_timer_t timer;                 /* until KILL */
  awio_hub *hub;                    /* NULL once it is reaped */
  struct awio_process *next, *prev; /* the hub's */
  awio_waiters waiters;
  unsigned refs; /* of the userdata, of each open handle */
  uint64_t grace_ms;
  int pid;
  int64_t code; /* once exited */
  int signal;   /* that it died of, or 0 */
  bool exited;
  bool reaped; /* by us: libuv will not hear of it */
  bool lost;   /* somebody else reaped it: nobody knows how it ended */
  bool ending; /* … */
  bool group;  /* it leads a process group of its own */
  char name[40];
} awio_process;

/* What uv_spawn() needs to know. All borrowed. */
typedef struct awio_plan {
  const char *command;
  char **arguments, **environment; /* NULL: ours */
  const char *folder;              /* NULL: ours */
  int files[3];                    /* descriptors for 0 to 2; -1: /dev/null */
  uint64_t grace_ms;
  bool group;
} awio_plan;

/* Start a child. The caller keeps its descriptors. Returns 0 and gives, or
 * libuv's code. */
int awio_process_start(aw_engine *engine, const awio_plan *plan,
                       awio_process **out);
void awio_process_release(awio_process *process); /* NULL is fine */

/* Send a signal, to its group if it has one. Returns 0, UV_ESRCH when it has
 * ended, UV_EINVAL. */
int awio_process_kill(awio_process *process, int signal);

/* TERM now, KILL when the grace is over; then it is reaped. */
void awio_process_end(awio_process *process);

/* To wait for its end; the data is the process. */
extern const aw_operation awio_wait_exit;
/* The same; who gives up waiting kills it at once. */
extern const aw_operation awio_wait_end;

#endif
