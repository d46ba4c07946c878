/* process.c - starting, ending and reaping children; see process.h
 *
 *   SIGCHLD → look(): waitpid for each child that runs → gone() → tasks wake
 *   end()   → TERM, timer → KILL → the same
 *
 * One hub for each engine that ever started a child: the list of those that
 * run, and the watch for SIGCHLD. A child that somebody else has reaped is
 * noticed in the same way. When the engine goes, the hub ends what is left:
 * TERM, a moment, KILL.
 *
 * Invariants: a process is in its hub's list until it `exited`; nothing is
 * sent to a pid that was reaped; the watch keeps libuv's loop alive (and is
 * counted) only while the list is not empty.
 */
#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct awio_hub {
  aw_closer closer; /* first */
  uv_loop_t *loop;
  uv_signal_t child;     /* SIGCHLD */
  awio_process *running; /* newest first */
};

/* ---- life of a process ---- */

void awio_process_release(awio_process *p) {
  if (!p || --p->refs > 0)
    return;
  awio_waiters_free(&p->waiters);
  aw_free(p);
}

static void timer_closed(uv_handle_t *handle) {
  awio_process_release(handle->data);
}

static void link_in(awio_process *p, awio_hub *hub) {
  p->hub = hub;
  p->refs++;
  p->next = hub->running;
  if (p->next)
    p->next->prev = p;
  hub->running = p;
  uv_ref((uv_handle_t *)&hub->child);
}

static void take_out(awio_process *p) {
  awio_hub *hub = p->hub;
  if (p->prev)
    p->prev->next = p->next;
  else
    hub->running = p->next;
  if (p->next)
    p->next->prev = p->prev;
  p->hub = NULL;
  if (!hub->running)
    uv_unref((uv_handle_t *)&hub->child);
}

/* It is reaped: tell those who wait. Its pid may be another's by now, so
 * nothing is sent any more, but to the group that it may leave behind. */
static void gone(awio_process *p) {
  p->exited = true;
  if (p->ending && p->group)
    kill(-p->pid, SIGKILL);
  if (p->ending)
    uv_close((uv_handle_t *)&p->timer, timer_closed);
  take_out(p);
  awio_waiters_wake(&p->waiters, 0);
  awio_process_release(p);
}

/* Note what waitpid said; false: it runs. */
static bool note(awio_process *p, int rc, int status) {
  if (rc == 0)
    return false;
  p->reaped = true;
  p->lost = rc < 0;
  if (rc > 0 && WIFSIGNALED(status))
    p->signal = WTERMSIG(status);
  else if (rc > 0)
    p->code = WEXITSTATUS(status);
  return true;
}

static bool reap(awio_process *p, unsigned ms) {
  if (p->reaped)
    return true;
  int status = 0;
  int rc = awio_reap_soon(p->pid, &status, ms);
  return note(p, rc, status);
}

/* KILL and reap it here, blocking for the moment that takes; its waiters are
 * told at the next look. */
static void kill_now(awio_process *p) {
  enum { MOMENT_MS = 100 };
  if (awio_process_kill(p, SIGKILL) == 0)
    reap(p, MOMENT_MS);
}

/* ---- the hub ---- */

static void look(uv_signal_t *handle, int number) {
  (void)number;
  awio_hub *hub = handle->data;
  awio_process *next;
  for (awio_process *p = hub->running; p; p = next) {
    next = p->next;
    if (reap(p, 0))
      gone(p);
  }
}

static void free_hub(uv_handle_t *handle) {
  aw_free(handle->data);
}

/* The engine goes, and nothing turns its loop any more. */
static void close_hub(aw_closer *closer) {
  enum { MOST_MS = 2000 };
  awio_hub *hub = (awio_hub *)closer;
  uint64_t left = MOST_MS;
  for (awio_process *p = hub->running; p; p = p->next)
    awio_process_end(p);
  while (hub->running) {
    awio_process *p = hub->running;
    uint64_t wait = p->grace_ms < left ? p->grace_ms : left;
    uint64_t start = uv_hrtime();
    if (!reap(p, (unsigned)wait))
      kill_now(p);
    uint64_t took = (uv_hrtime() - start) / 1000000;
    left = took < left ? left - took : 0;
    gone(p);
  }
  uv_close((uv_handle_t *)&hub->child, free_hub);
}

static int watch_children(awio_hub *hub) {
  int rc = uv_signal_init(hub->loop, &hub->child);
  if (rc < 0) {
    aw_free(hub);
    return rc;
  }
  hub->child.data = hub;
  rc = uv_signal_start(&hub->child, look, SIGCHLD);
  if (rc < 0)
    uv_close((uv_handle_t *)&hub->child, free_hub);
  else
    uv_unref((uv_handle_t *)&hub->child);
  return rc;
}

static int hub_of(aw_engine *engine, awio_hub **out) {
  aw_closer *closer = aw_engine_find_closer(engine, close_hub);
  *out = (awio_hub *)closer;
  if (closer)
    return 0;
  void *loop;
  int rc = aw_engine_uv(engine, &loop);
  if (rc < 0)
    return rc;
  awio_hub *hub = aw_allocate(sizeof *hub);
  if (!hub)
    return AW_ENOMEM;
  hub->loop = loop;
  hub->closer.close = close_hub;
  rc = watch_children(hub);
  if (rc < 0)
    return rc;
  aw_engine_add_closer(engine, &hub->closer);
  *out = hub;
  return 0;
}

/* ---- starting ---- */

int awio_process_start(aw_engine *engine, const awio_program *program,
                       uint64_t grace_ms, awio_process **out) {
  awio_hub *hub;
  int rc = hub_of(engine, &hub);
  if (rc < 0)
    return rc;
  awio_process *p = aw_allocate(sizeof *p);
  if (!p)
    return AW_ENOMEM;
  pid_t pid;
  rc = awio_start(program, &pid);
  if (rc < 0) {
    aw_free(p);
    return rc;
  }
  p->pid = pid;
  p->refs = 1;
  p->grace_ms = grace_ms;
  p->group = program->group;
  p->shares_output = program->files[1] == STDOUT_FILENO;
  snprintf(p->name, sizeof p->name, "%s", program->command);
  link_in(p, hub);
  *out = p;
  return 0;
}

/* ---- ending ---- */

int awio_process_kill(awio_process *p, int number) {
  if (p->reaped)
    return UV_ESRCH;
  return kill(p->group ? -p->pid : p->pid, number) < 0 ? -errno : 0;
}

static void grace_over(uv_timer_t *timer) {
  awio_process_kill(timer->data, SIGKILL);
}

void awio_process_end(awio_process *p) {
  if (p->exited || p->ending)
    return;
  p->ending = true;
  p->refs++;
  uv_timer_init(p->hub->loop, &p->timer);
  p->timer.data = p;
  awio_process_kill(p, p->grace_ms > 0 ? SIGTERM : SIGKILL);
  uv_update_time(p->hub->loop); /* or it would be late by what just ran */
  uv_timer_start(&p->timer, grace_over, p->grace_ms, 0);
}

/* ---- waiting ---- */

static int exit_arm(aw_task *task, void *data) {
  awio_process *p = data;
  return p->exited ? 1 : awio_waiters_add(&p->waiters, task);
}

static void exit_disarm(aw_task *task, void *data) {
  awio_process *p = data;
  awio_waiters_remove(&p->waiters, task);
}

static void end_disarm(aw_task *task, void *data) {
  awio_process *p = data;
  awio_waiters_remove(&p->waiters, task);
  kill_now(p);
}

static void describe(const void *data, char *out, size_t size) {
  const awio_process *p = data;
  snprintf(out, size, "%d '%s'", p->pid, p->name);
}

const aw_operation awio_wait_exit = {.label = "process:wait",
                                     .arm = exit_arm,
                                     .disarm = exit_disarm,
                                     .external = true,
                                     .describe = describe};
const aw_operation awio_wait_end = {.label = "process:close",
                                    .arm = exit_arm,
                                    .disarm = end_disarm,
                                    .external = true,
                                    .describe = describe};
