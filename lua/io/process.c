/* process.c - starting, ending and reaping children; see process.h
 *
 *   SIGCHLD → libuv reaps → exited() → waiters wake, handle closes
 *           → look_for_lost(): a child that somebody else has reaped ends, too
 *   end()   → TERM, timer → KILL → the same
 *
 * One hub for each engine that ever started a child: the list of those that
 * run, and the watch for lost ones. When the engine goes, the hub ends what is
 * left: TERM, a moment, KILL, so nobody is left behind as a zombie.
 */
#include "process.h"

#include "system.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
  free(p);
}

static void handle_closed(uv_handle_t *handle) {
  awio_process_release(handle->data);
}

static void link_in(awio_process *p, awio_hub *hub) {
  p->hub = hub;
  p->next = hub->running;
  if (p->next)
    p->next->prev = p;
  hub->running = p;
}

static void take_out(awio_process *p) {
  if (p->prev)
    p->prev->next = p->next;
  else
    p->hub->running = p->next;
  if (p->next)
    p->next->prev = p->prev;
  p->hub = NULL;
}

/* It is reaped, and its pid may be another's by now: nothing is sent to it any
 * more, but to the group that it may leave behind. */
static void gone(awio_process *p) {
  p->exited = true;
  if (p->ending && p->group)
    kill(-p->pid, SIGKILL);
  if (p->ending)
    uv_close((uv_handle_t *)&p->timer, handle_closed);
  take_out(p);
  uv_close((uv_handle_t *)&p->uv, handle_closed);
  awio_waiters_wake(&p->waiters, 0);
}

static void exited(uv_process_t *uv, int64_t code, int signal_number) {
  awio_process *p = uv->data;
  p->code = code;
  p->signal = signal_number;
  gone(p);
}

/* KILL and reap it here, blocking for the moment that takes. */
static void kill_now(awio_process *p) {
  if (awio_process_kill(p, SIGKILL) == 0 && awio_reap(p->pid)) {
    p->reaped = true;
    p->signal = SIGKILL;
  }
}

/* ---- the hub ---- */

static void look_for_lost(uv_signal_t *handle, int number) {
  (void)number;
  awio_hub *hub = handle->data;
  awio_process *next;
  for (awio_process *p = hub->running; p; p = next) {
    next = p->next;
    if (p->reaped || awio_child(p->pid) == AWIO_REAPED) {
      p->lost = !p->reaped;
      gone(p);
    }
  }
}

static void free_hub(uv_handle_t *handle) {
  free(handle->data);
}

static bool any_runs(const awio_hub *hub) {
  for (const awio_process *p = hub->running; p; p = p->next)
    if (!p->reaped && awio_child(p->pid) == AWIO_RUNS)
      return true;
  return false;
}

/* The engine goes, and nothing turns its loop any more. */
static void close_hub(aw_closer *closer) {
  enum { MOMENT_MS = 2000 };
  awio_hub *hub = (awio_hub *)closer;
  uint64_t wait = 0;
  for (awio_process *p = hub->running; p; p = p->next) {
    awio_process_end(p);
    wait = p->grace_ms > wait ? p->grace_ms : wait;
  }
  if (wait > MOMENT_MS)
    wait = MOMENT_MS;
  for (uint64_t ms = 0; ms < wait && any_runs(hub); ms++)
    uv_sleep(1);
  while (hub->running) {
    kill_now(hub->running);
    gone(hub->running);
  }
  uv_close((uv_handle_t *)&hub->child, free_hub);
}

static int new_hub(aw_engine *engine, awio_hub **out) {
  void *loop;
  int rc = aw_engine_uv(engine, &loop);
  if (rc < 0)
    return rc;
  awio_hub *hub = calloc(1, sizeof *hub);
  if (!hub)
    return AW_ENOMEM;
  hub->loop = loop;
  hub->closer.close = close_hub;
  rc = uv_signal_init(hub->loop, &hub->child);
  if (rc < 0) {
    free(hub);
    return rc;
  }
  hub->child.data = hub;
  rc = uv_signal_start(&hub->child, look_for_lost, SIGCHLD);
  if (rc < 0) {
    uv_close((uv_handle_t *)&hub->child, free_hub);
    return rc;
  }
  uv_unref((uv_handle_t *)&hub->child);
  aw_engine_add_closer(engine, &hub->closer);
  *out = hub;
  return 0;
}

static int hub_of(aw_engine *engine, awio_hub **out) {
  void *loop;
  int rc = aw_engine_uv(engine, &loop); /* makes way for our handles */
  if (rc < 0)
    return rc;
  aw_closer *closer = aw_engine_find_closer(engine, close_hub);
  if (!closer)
    return new_hub(engine, out);
  *out = (awio_hub *)closer;
  return 0;
}

/* ---- starting ---- */

static int spawn(awio_hub *hub, awio_process *p, const awio_plan *plan) {
  uv_stdio_container_t files[3];
  for (int i = 0; i < 3; i++) {
    files[i].flags = plan->files[i] < 0 ? UV_IGNORE : UV_INHERIT_FD;
    files[i].data.fd = plan->files[i];
  }
  uv_process_options_t options = {.exit_cb = exited,
                                  .file = plan->command,
                                  .args = plan->arguments,
                                  .env = plan->environment,
                                  .cwd = plan->folder,
                                  .flags =
                                      plan->group ? UV_PROCESS_DETACHED : 0,
                                  .stdio_count = 3,
                                  .stdio = files};
  awio_close_on_exec();
  return uv_spawn(hub->loop, &p->uv, &options);
}

int awio_process_start(aw_engine *engine, const awio_plan *plan,
                       awio_process **out) {
  awio_hub *hub;
  int rc = hub_of(engine, &hub);
  if (rc < 0)
    return rc;
  awio_process *p = calloc(1, sizeof *p);
  if (!p)
    return AW_ENOMEM;
  p->refs = 1;
  p->grace_ms = plan->grace_ms;
  p->group = plan->group;
  snprintf(p->name, sizeof p->name, "%s", plan->command);
  rc = spawn(hub, p, plan);
  p->uv.data = p;
  if (rc < 0) { /* the handle was opened all the same [U2] */
    uv_close((uv_handle_t *)&p->uv, handle_closed);
    return rc;
  }
  p->pid = p->uv.pid;
  p->refs = 2;
  link_in(p, hub);
  *out = p;
  return 0;
}

/* ---- ending ---- */

int awio_process_kill(awio_process *p, int number) {
  if (p->exited || p->reaped)
    return UV_ESRCH;
  return uv_kill(p->group ? -p->pid : p->pid, number);
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
  kill_now(p); /* the rest when SIGCHLD is looked at: nothing may wake here */
}

const aw_operation awio_wait_exit = {.label = "process",
                                     .arm = exit_arm,
                                     .disarm = exit_disarm,
                                     .external = true};
const aw_operation awio_wait_end = {.label = "end of process",
                                    .arm = exit_arm,
                                    .disarm = end_disarm,
                                    .external = true};
