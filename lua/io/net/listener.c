/* listener.c - see listener.h
 *
 * A waiter is in one of two places: among the waiters of the poller (`polled`
 * counts them), or in `paused` with its alarm set. It moves from the first to
 * the second by AW_MOVED, and back in accept_due().
 *
 * If a program closes the descriptor behind our back, the poller ends the
 * waits, and `polled` stays too high. So `engine` is compared with the running
 * engine before it is used.
 */
#include "net/listener.h"

#include "tls/context.h"

#include <uv.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- life ---- */

awio_listener *awio_listener_new(int fd, const awio_socket_options *options) {
  char text[AWIO_ADDRESS_TEXT];
  awio_listener *l = aw_allocate(sizeof *l);
  if (!l) {
    close(fd);
    return NULL;
  }
  l->fd = fd;
  l->options = *options;
  awio_tls_context_keep(options->tls);
  awio_own_address(fd, &l->address);
  awio_address_text(&l->address, text);
  bool is_unix = l->address.any.sa_family == AF_UNIX;
  snprintf(l->name, sizeof l->name, "%s %s",
           options->tls ? "tls"
           : is_unix    ? "unix"
                        : "tcp",
           text);
  return l;
}

void awio_listener_set_tls(awio_listener *l, awio_tls_context *context) {
  awio_tls_context_release(l->options.tls);
  l->options.tls = context;
}

/* The path is made absolute: the program may change its folder. */
int awio_listener_own_file(awio_listener *l, const char *path) {
  char full[PATH_MAX + sizeof(struct sockaddr_un)] = "";
  struct stat file;
  if (lstat(path, &file) < 0)
    return 0; /* gone already */
  if (path[0] != '/' && !getcwd(full, PATH_MAX - 1))
    return 0;
  if (path[0] != '/')
    strcat(full, "/");
  strcat(full, path);
  l->path = aw_allocate(strlen(full) + 1);
  if (!l->path)
    return AW_ENOMEM;
  strcpy(l->path, full);
  l->device = file.st_dev;
  l->inode = file.st_ino;
  l->process = getpid();
  return 0;
}

/* Unlink the file, unless somebody else has replaced it, or this process is a
 * fork of the one that made it. */
static void unlink_own_file(awio_listener *l) {
  struct stat file;
  if (l->path && l->process == getpid() && lstat(l->path, &file) == 0 &&
      file.st_dev == l->device && file.st_ino == l->inode)
    unlink(l->path);
  aw_free(l->path);
  l->path = NULL;
}

static void end_pauses(awio_listener *l) {
  while (l->paused.count > 0) {
    aw_task *task = l->paused.tasks[0];
    awio_waiters_remove(&l->paused, task);
    aw_alarm_disarm(task);
    aw_wait_complete(task, AW_ECLOSED);
  }
}

static void close_listening(awio_listener *l) {
  aw_ready_done(&l->keeper);
  if (l->fd >= 0)
    close(l->fd);
  l->fd = -1;
}

void awio_listener_close(awio_listener *l, aw_engine *engine) {
  if (l->closed)
    return;
  l->closed = true;
  unlink_own_file(l);
  end_pauses(l);
  if (engine)
    aw_poller_forget(engine, l->fd);
  if (engine == l->engine)
    l->polled = 0;
  /* Tasks of another engine may wait: wake them there. The finalizer closes the
   * descriptor. */
  if (engine && (l->polled > 0 || l->shared))
    shutdown(l->fd, SHUT_RDWR);
  else
    close_listening(l);
}

void awio_listener_free(awio_listener *l) {
  if (!l)
    return;
  close_listening(l);
  awio_tls_context_release(l->options.tls);
  awio_waiters_free(&l->paused);
  aw_free(l);
}

/* ---- taking ---- */

bool awio_exhausted(int code) {
  return code == UV_EMFILE || code == UV_ENFILE || code == UV_ENOBUFS ||
         code == UV_ENOMEM;
}

static bool must_wait(int code) {
  return code == UV_EAGAIN || awio_exhausted(code);
}

static bool has_waiters(const awio_listener *l) {
  return l->polled > 0 || l->paused.count > 0;
}

int awio_listener_take(awio_listener *l, awio_address *peer) {
  return has_waiters(l) ? UV_EAGAIN : awio_socket_accept(l->fd, peer);
}

/* Give the next connection to `task`. Returns 1 or a negative code. */
static int take_for(aw_task *task, awio_listener *l) {
  awio_address peer;
  int fd = awio_socket_accept(l->fd, &peer);
  if (fd < 0)
    return fd;
  aw_value value = awio_socket_value(fd, &l->options, &peer);
  if (!value)
    return AW_ENOMEM;
  aw_task_set_value(task, value);
  return 1;
}

/* ---- waiting ---- */

static awio_listener *listener_in(const void *data) {
  return *(awio_listener *const *)data;
}

static aw_engine *engine_of(const aw_task *task) {
  return aw_loop_engine(aw_task_loop(task));
}

/* Does the code say that `task` should try again a little later? Not on a
 * virtual clock, which stands still while a task waits for a descriptor: there
 * the task stays in the poller, which spins. */
static bool must_pause(const aw_task *task, int code) {
  return awio_exhausted(code) && !aw_engine_virtual(engine_of(task));
}

static int pause_accept(aw_task *task, awio_listener *l) {
  static const uint64_t PAUSE = AW_SECOND / 16;
  aw_engine *engine = engine_of(task);
  int rc = aw_alarm_arm(task, aw_engine_now(engine) + PAUSE);
  if (rc < 0)
    return rc;
  rc = awio_waiters_add(&l->paused, task);
  if (rc < 0)
    aw_alarm_disarm(task);
  return rc;
}

/* Join the waiters of the poller. */
static int poll_accept(aw_task *task, awio_listener *l) {
  int rc = aw_ready_arm_kept(task, l->fd, AW_READABLE, &l->keeper);
  if (rc == 0)
    l->polled++;
  else if (must_pause(task, rc))
    rc = pause_accept(task, l);
  return rc;
}

/* May `task` wait here? */
static int claim(aw_task *task, awio_listener *l) {
  if (!l || l->closed)
    return AW_ECLOSED;
  aw_engine *engine = engine_of(task);
  if (has_waiters(l) && l->engine != engine)
    return AW_EBUSY;
  l->shared = l->shared || (l->engine && l->engine != engine);
  l->engine = engine;
  return 0;
}

/* Line up `task` behind the tasks that wait already. */
static int join_queue(aw_task *task, void *data, bool tries) {
  awio_listener *l = listener_in(data);
  int rc = claim(task, l);
  if (rc < 0)
    return rc;
  if (l->paused.count > 0)
    return pause_accept(task, l);
  rc = tries && l->polled == 0 ? take_for(task, l) : UV_EAGAIN;
  if (must_pause(task, rc))
    return pause_accept(task, l);
  return must_wait(rc) ? poll_accept(task, l) : rc;
}

static int accept_arm(aw_task *task, void *data) {
  return join_queue(task, data, true);
}

static int accept_later_arm(aw_task *task, void *data) {
  return join_queue(task, data, false);
}

static int accept_ready(aw_task *task, void *data) {
  awio_listener *l = listener_in(data);
  int rc = AW_ECLOSED;
  if (!l->closed)
    rc = l->paused.count > 0 ? UV_EMFILE : take_for(task, l);
  bool pauses = must_pause(task, rc);
  if (must_wait(rc) && !pauses)
    return 0;
  l->polled--;
  if (!pauses)
    return rc;
  rc = pause_accept(task, l);
  return rc < 0 ? rc : AW_MOVED;
}

/* The pause of `task` is over. */
static void accept_due(aw_task *task, void *data) {
  awio_listener *l = listener_in(data);
  awio_waiters_remove(&l->paused, task);
  int rc = l->polled > 0 ? UV_EAGAIN : take_for(task, l);
  if (must_pause(task, rc))
    rc = pause_accept(task, l);
  else if (must_wait(rc))
    rc = poll_accept(task, l);
  if (rc != 0)
    aw_wait_complete(task, rc < 0 ? rc : 0);
}

static bool is_paused(const awio_listener *l, const aw_task *task) {
  for (size_t i = 0; i < l->paused.count; i++)
    if (l->paused.tasks[i] == task)
      return true;
  return false;
}

static void accept_disarm(aw_task *task, void *data) {
  awio_listener *l = listener_in(data);
  if (is_paused(l, task)) {
    awio_waiters_remove(&l->paused, task);
    aw_alarm_disarm(task);
  } else {
    l->polled--;
    aw_ready_disarm(task, l->fd);
  }
}

static void describe_listener(const void *data, char *out, size_t size) {
  const awio_listener *l = listener_in(data);
  snprintf(out, size, "%s", l ? l->name : "server (finalized)");
}

#define ACCEPTING(begin) \
  { \
    .label = "accept", .arm = (begin), .disarm = accept_disarm, \
    .external = true, .describe = describe_listener, .due = accept_due, \
    .ready = accept_ready \
  }
const aw_operation awio_accept = ACCEPTING(accept_arm);
const aw_operation awio_accept_later = ACCEPTING(accept_later_arm);

/* ---- readiness ---- */

static int acceptable_arm(aw_task *task, void *data) {
  awio_listener *l = listener_in(data);
  int rc = claim(task, l);
  return rc < 0 ? rc : aw_ready_arm(task, l->fd, AW_READABLE);
}

static void acceptable_disarm(aw_task *task, void *data) {
  aw_ready_disarm(task, listener_in(data)->fd);
}

const aw_operation awio_acceptable = {.label = "readable",
                                      .arm = acceptable_arm,
                                      .disarm = acceptable_disarm,
                                      .external = true,
                                      .describe = describe_listener};
