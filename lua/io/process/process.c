/* process.c - starting, watching, ending and reaping children; see process.h
 *
 *   pidfd is readable, SIGCHLD, timer ─┐
 *   awio_process_end() ────────────────┴► advance(): look, press, reap
 *                                         settle():  wake waiters, set the
 *                                         timer
 *
 * We leave the signals of our process alone: a pidfd tells of the end of a
 * child, also if SIGCHLD is blocked, ignored or used by other code. We take
 * SIGCHLD over only if the kernel has no pidfds, or a filter forbids them [H5].
 *
 * Each engine that ever started a child has one hub: the list of the children
 * that are not reaped. When the engine ends, the hub ends its children: TERM,
 * their grace but at most 2 s, KILL. Detached children go to orphans.c. In a
 * forked process the children belong to the parent, so nothing is done to them.
 *
 * Invariants: a process is in the list of its hub until it is REAPED and its
 * waiters are woken; no signal is sent to a number that may belong to another
 * process; advance() wakes no task, so a `disarm` may call it.
 *
 * More than 500 lines: struct awio_hub is known only here.
 */
#include "process/process.h"

#include "process/orphans.h"

#include <aiowire_lua.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
  MOST_PAUSE_MS = 32,  /* the longest pause between two looks at a group */
  LAST_MS = 1000,      /* then a group that lives after KILL is given up */
  ABANDON_MS = 100,    /* the longest block for a child that gets KILL */
  CLOSE_MOST_MS = 2000 /* for all children to end with their engine */
};

struct awio_hub {
  aw_closer closer; /* first */
  uv_loop_t *loop;
  pid_t owner;            /* the parent of the children */
  bool hosted;            /* the loop is that of the host program */
  bool is_copy;           /* in a forked process: uv_loop_fork() was called */
  aw_lua_signal *sigchld; /* taken if there are no pidfds; else NULL */
  uv_async_t came;        /* SIGCHLD has arrived */
  awio_process *first;    /* newest first */
};

static uint64_t now_ms(void) {
  return uv_hrtime() / 1000000;
}

/* ---- life of a process ---- */

void awio_process_release(awio_process *p) {
  if (!p || --p->refs > 0)
    return;
  awio_waiters_free(&p->waiters);
  awio_waiters_free(&p->closers);
  aw_free(p);
}

static void handle_closed(uv_handle_t *handle) {
  awio_process_release(handle->data);
}

static bool is_our_process(const awio_process *p) {
  return p->hub && p->hub->owner == getpid();
}

/* In a forked process, let the epoll set of the parent keep the pidfd [UV16].
 * The loop of a host is not ours to fork: there the pidfd is closed before
 * libuv asks the kernel to remove it, which then fails. */
static void part_from_parent(awio_process *p) {
  awio_hub *hub = p->hub;
  if (hub->hosted) {
    close(p->fd);
    p->fd = -1;
  } else if (!hub->is_copy) {
    hub->is_copy = true;
    uv_loop_fork(hub->loop);
  }
}

static void unwatch(awio_process *p) {
  if (!p->watched)
    return;
  if (!is_our_process(p))
    part_from_parent(p);
  p->watched = false;
  uv_close((uv_handle_t *)&p->poll, handle_closed);
}

static void link_in(awio_process *p, awio_hub *hub) {
  p->hub = hub;
  p->refs++;
  p->next = hub->first;
  if (p->next)
    p->next->prev = p;
  hub->first = p;
}

/* Take a process whose child is reaped out of the hub, and close its timer and
 * pidfd. */
static void take_out(awio_process *p) {
  if (p->prev)
    p->prev->next = p->next;
  else
    p->hub->first = p->next;
  if (p->next)
    p->next->prev = p->prev;
  p->hub = NULL;
  uv_close((uv_handle_t *)&p->timer, handle_closed);
  if (p->fd >= 0)
    close(p->fd);
  p->fd = -1;
}

/* ---- signals ---- */

/* Send a signal to the group of `p`. The group may live after its leader has
 * ended. If somebody else has reaped the leader, its number may be another
 * group's, so the signal goes through the pidfd. */
static int send_to_group(const awio_process *p, int number) {
  if (p->life == AWIO_ENDED && !awio_group_lives(p->pid))
    return UV_ESRCH;
  awio_ending ending;
  if (!awio_child_look(p->pid, &ending) || !ending.lost)
    return awio_group_signal(p->pid, number);
  return awio_lost_group_signal(p->fd, number) == 0 ? 0 : UV_ESRCH;
}

int awio_process_kill(awio_process *p, int number) {
  awio_ending ending;
  if (p->life == AWIO_REAPED || !is_our_process(p))
    return UV_ESRCH;
  if (p->group)
    return send_to_group(p, number);
  if (p->fd < 0 && awio_child_look(p->pid, &ending) && ending.lost)
    return UV_ESRCH;
  return awio_child_signal(p->fd, p->pid, number);
}

/* ---- advancing ---- */

/* Send KILL if the time for that has come; later, give the group up. */
static void press(awio_process *p) {
  if (now_ms() < p->due_ms)
    return;
  if (p->killed) {
    p->given_up = true;
    return;
  }
  p->killed = true;
  p->due_ms = now_ms() + LAST_MS;
  p->pause_ms = 1;
  awio_process_kill(p, SIGKILL);
}

/* May a child that has ended be reaped? A leader may not before its process is
 * closed. If it is not detached, its group must have ended, or be given up. */
static bool may_reap(const awio_process *p) {
  if (!p->group || (p->outcome.lost && p->fd < 0) || !is_our_process(p))
    return true;
  if (p->detached)
    return p->ending;
  return p->ending && (p->given_up || !awio_group_lives(p->pid));
}

/* Bring `p` up to date, without waking any task. */
static void advance(awio_process *p) {
  if (p->life == AWIO_RUNS && awio_child_look(p->pid, &p->outcome))
    p->life = AWIO_ENDED;
  if (p->life != AWIO_REAPED && p->ending && !p->detached)
    press(p);
  if (p->life == AWIO_ENDED && may_reap(p)) {
    if (!p->outcome.lost)
      awio_child_reap(p->pid);
    p->life = AWIO_REAPED;
  }
}

static void tick(uv_timer_t *timer);

static void wake_in(awio_process *p, uint64_t ms) {
  uv_update_time(p->hub->loop); /* the libuv loop's time may be old */
  uv_timer_start(&p->timer, tick, ms, 0);
}

/* Has the pidfd told of an end that waitid() does not show yet? */
static bool is_withheld(const awio_process *p) {
  return p->life == AWIO_RUNS && p->watched &&
         !uv_is_active((const uv_handle_t *)&p->poll);
}

/* Set the timer for the next call of advance(), if one is needed. */
static void pace(awio_process *p) {
  bool looks = p->life == AWIO_ENDED ? p->ending : is_withheld(p);
  bool presses =
      p->ending && !p->detached && !(p->killed && p->life == AWIO_RUNS);
  uint64_t now = now_ms();
  uint64_t left = p->due_ms > now ? p->due_ms - now : 0;
  if (!looks && !presses)
    return;
  wake_in(p, looks && (!presses || p->pause_ms < left) ? p->pause_ms : left);
  if (looks && p->pause_ms < MOST_PAUSE_MS)
    p->pause_ms *= 2;
}

/* After advance(): wake the waiters of an end or a reaping, and set the timer
 * or let the process go. */
static void settle(awio_process *p) {
  if (p->life != AWIO_RUNS) {
    unwatch(p);
    awio_waiters_wake(&p->waiters, 0);
  }
  if (p->life != AWIO_REAPED) {
    pace(p);
    return;
  }
  take_out(p);
  awio_waiters_wake(&p->closers, 0);
  awio_process_release(p);
}

static void process_go_on(awio_process *p) {
  advance(p);
  settle(p);
}

static void on_pidfd_readable(uv_poll_t *poll, int status, int events) {
  (void)status;
  (void)events;
  awio_process *p = poll->data;
  advance(p);
  if (p->life == AWIO_RUNS) /* traced by a debugger: waitid() shows no end */
    uv_poll_stop(poll);
  settle(p);
}

static void tick(uv_timer_t *timer) {
  awio_process *p = timer->data;
  if (is_withheld(p))
    uv_poll_start(&p->poll, UV_READABLE, on_pidfd_readable);
  process_go_on(p);
}

/* Advance `p` until its child is reaped, blocking for at most `most_ms`. Wakes
 * no waiters. Returns false if the child is not reaped. */
static bool force(awio_process *p, uint64_t most_ms) {
  static const struct timespec MOMENT = {0, 1000 * 1000}; /* 1 ms */
  uint64_t until = now_ms() + most_ms;
  for (;;) {
    advance(p);
    if (p->life == AWIO_REAPED || now_ms() >= until)
      return p->life == AWIO_REAPED;
    nanosleep(&MOMENT, NULL);
  }
}

void awio_process_end(awio_process *p) {
  if (!p->hub || p->ending)
    return;
  p->ending = true;
  p->due_ms = now_ms() + p->grace_ms;
  advance(p);
  if (p->life != AWIO_REAPED && !p->killed && !p->detached)
    awio_process_kill(p, SIGTERM);
  settle(p);
}

/* The engine of a detached child ends: let orphans.c reap the child. Nobody
 * will know how it ends. */
static void leave_to_orphans(awio_process *p) {
  awio_leave(p->pid);
  p->outcome.lost = true;
  p->life = AWIO_REAPED;
  p->left = true;
  settle(p);
}

/* ---- the hub ---- */

static void look_at_all(uv_async_t *came) {
  awio_hub *hub = came->data;
  aw_lua_signal_arrived(hub->sigchld);
  awio_process *next;
  for (awio_process *p = hub->first; p; p = next) {
    next = p->next;
    process_go_on(p);
  }
}

static void sigchld_came(void *data) {
  uv_async_send(data);
}

static void free_hub(uv_handle_t *handle) {
  aw_free(handle->data);
}

/* Take SIGCHLD over, so that it tells of the ends of children. */
static int take_sigchld(awio_hub *hub) {
  if (hub->sigchld)
    return 0;
  int rc =
      hub->came.data ? 0 : uv_async_init(hub->loop, &hub->came, look_at_all);
  if (rc < 0)
    return rc;
  hub->came.data = hub;
  uv_unref((uv_handle_t *)&hub->came); /* children have handles of their own */
  rc = aw_lua_signal_take(SIGCHLD, sigchld_came, &hub->came, &hub->sigchld);
  if (rc == 0)
    aw_lua_signal_await(hub->sigchld, true);
  return rc;
}

/* The engine ends, and its libuv loop runs no more: end all children here. */
static void end_all(awio_hub *hub) {
  awio_process *next;
  for (awio_process *p = hub->first; p; p = next) {
    next = p->next;
    awio_process_end(p);
    if (p->detached && p->life != AWIO_REAPED)
      leave_to_orphans(p);
  }
  uint64_t until = now_ms() + CLOSE_MOST_MS;
  while (hub->first) {
    awio_process *p = hub->first;
    uint64_t now = now_ms();
    if (!force(p, until > now ? until - now : 0)) {
      p->due_ms = 0;
      force(p, ABANDON_MS);
    }
    p->life = AWIO_REAPED;
    settle(p);
  }
}

static void close_hub(aw_closer *closer) {
  awio_hub *hub = (awio_hub *)closer;
  end_all(hub);
  awio_reap_left();
  if (hub->sigchld)
    aw_lua_signal_give_back(hub->sigchld);
  if (hub->came.data)
    uv_close((uv_handle_t *)&hub->came, free_hub);
  else
    aw_free(hub);
}

static int hub_of(aw_engine *engine, awio_hub **out) {
  void *loop;
  int rc = aw_engine_uv(engine, &loop);
  if (rc < 0)
    return rc;
  awio_hub *hub = (awio_hub *)aw_engine_find_closer(engine, close_hub);
  if (!hub) {
    hub = aw_allocate(sizeof *hub);
    if (!hub)
      return AW_ENOMEM;
    hub->loop = loop;
    hub->hosted = aw_engine_config_of(engine)->uv != NULL;
    hub->owner = getpid();
    hub->closer.close = close_hub;
    aw_engine_add_closer(engine, &hub->closer);
  }
  *out = hub;
  return 0;
}

/* ---- starting ---- */

/* Start a program. Until it runs, keep a descriptor open and then free it for
 * the pidfd. So no program is started for which there is no descriptor. */
static int start_program(const awio_program *program, pid_t *out) {
  int kept = awio_child_open(getpid());
  if (kept < 0 && !awio_child_unwatchable(kept))
    return kept;
  int rc = awio_start(program, out);
  if (kept >= 0)
    close(kept);
  return rc;
}

static int watch_fd(awio_process *p, uv_loop_t *loop) {
  int rc = uv_poll_init(loop, &p->poll, p->fd);
  if (rc < 0)
    return rc;
  p->poll.data = p;
  p->watched = true;
  p->refs++;
  return uv_poll_start(&p->poll, UV_READABLE, on_pidfd_readable);
}

/* Watch for the end of the child. ESRCH means that the kernel has reaped it
 * already, since SIGCHLD is ignored. */
static int watch_end(awio_process *p, awio_hub *hub) {
  p->fd = awio_child_open(p->pid);
  if (p->fd >= 0)
    return watch_fd(p, hub->loop);
  if (p->fd == -ESRCH)
    return 0;
  return awio_child_unwatchable(p->fd) ? take_sigchld(hub) : p->fd;
}

/* The child runs, but cannot be watched: kill it. */
static void undo_start(awio_process *p) {
  p->grace_ms = 0;
  p->detached = false;
  awio_process_end(p);
  force(p, ABANDON_MS);
  p->life = AWIO_REAPED;
  if (p->hub)
    settle(p);
}

int awio_process_start(aw_engine *engine, const awio_program *program,
                       uint64_t grace_ms, awio_process **out) {
  awio_hub *hub;
  int rc = hub_of(engine, &hub);
  if (rc < 0)
    return rc;
  awio_process *p = aw_allocate(sizeof *p);
  if (!p)
    return AW_ENOMEM;
  awio_reap_left();
  pid_t pid;
  rc = start_program(program, &pid);
  if (rc < 0) {
    aw_free(p);
    return rc;
  }
  p->pid = pid;
  p->refs = 2; /* the caller's and the timer's */
  p->pause_ms = 1;
  p->grace_ms = grace_ms;
  p->group = program->group;
  p->detached = program->detached;
  p->shares_output = program->shares_output;
  snprintf(p->name, sizeof p->name, "%s", program->command);
  uv_timer_init(hub->loop, &p->timer);
  p->timer.data = p;
  link_in(p, hub);
  rc = watch_end(p, hub);
  if (rc < 0) {
    undo_start(p);
    awio_process_release(p);
    return rc;
  }
  if (p->fd < 0)
    process_go_on(p); /* the child may have ended before SIGCHLD was taken */
  *out = p;
  return 0;
}

/* ---- waiting ---- */

bool awio_process_is_foreign(const awio_process *p, const aw_engine *engine) {
  return p->hub && &p->hub->closer != aw_engine_find_closer(engine, close_hub);
}

static int wait_in(awio_process *p, awio_waiters *waiters, aw_task *task) {
  if (awio_process_is_foreign(p, aw_loop_engine(aw_task_loop(task))))
    return AW_EINVAL;
  return awio_waiters_add(waiters, task);
}

static int exit_arm(aw_task *task, void *data) {
  awio_process *p = data;
  return p->life != AWIO_RUNS ? 1 : wait_in(p, &p->waiters, task);
}

static int reaped_arm(aw_task *task, void *data) {
  awio_process *p = data;
  return p->life == AWIO_REAPED ? 1 : wait_in(p, &p->closers, task);
}

static void exit_disarm(aw_task *task, void *data) {
  awio_process *p = data;
  awio_waiters_remove(&p->waiters, task);
}

/* Kill the child and reap it, which blocks for a moment. A `disarm` may wake no
 * task, so the timer does that soon. */
static void reaped_disarm(aw_task *task, void *data) {
  awio_process *p = data;
  awio_waiters_remove(&p->closers, task);
  if (p->life == AWIO_REAPED)
    return;
  if (!p->killed)
    p->due_ms = 0;
  if (force(p, ABANDON_MS))
    wake_in(p, 0);
}

static void describe_process(const void *data, char *out, size_t size) {
  const awio_process *p = data;
  snprintf(out, size, "%d '%s'", p->pid, p->name);
}

const aw_operation awio_wait_exit = {.label = "process:wait",
                                     .arm = exit_arm,
                                     .disarm = exit_disarm,
                                     .external = true,
                                     .describe = describe_process};
const aw_operation awio_wait_reaped = {.label = "process:close",
                                       .arm = reaped_arm,
                                       .disarm = reaped_disarm,
                                       .external = true,
                                       .closes = true,
                                       .describe = describe_process};
