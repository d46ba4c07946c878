/* process.h - a child process, from its start until it is reaped
 *
 *     runs ──end()──► TERM was sent, KILL comes after the grace
 *       └──────────────┴──► exited: reaped, at SIGCHLD
 *
 * It is kept until the child is reaped, whatever becomes of the Lua object and
 * of the task that started it, so that there is never a zombie [U8].
 */
#ifndef AWIO_PROCESS_H
#define AWIO_PROCESS_H

#include "stream.h"
#include "system.h"

#include <uv.h>

typedef struct awio_hub awio_hub;

typedef struct awio_process {
  uv_process_t uv;
  uv_timer_t timer;                 /* until KILL */
  awio_hub *hub;                    /* NULL once it is reaped */
  struct awio_process *next, *prev; /* the hub's */
  awio_waiters waiters;
  unsigned refs; /* of the userdata, the hub while it runs, the timer */
  uint64_t grace_ms;
  int pid;
  int code;   /* once exited */
  int signal; /* that it died of, or 0 */
  bool exited;
  bool reaped; /* ended, but nobody could be told yet */
  bool lost;   /* somebody else reaped it: nobody knows how it ended */
  bool ending; /* … */
  bool group;  /* it leads a process group of its own */
  bool shares_output; /* it writes to our standard output */
  char name[40];
} awio_process;

/* Start a child. Returns 0 and gives, or libuv's code. */
int awio_process_start(aw_engine *engine, const awio_program *program,
                       uint64_t grace_ms, awio_process **out);
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
