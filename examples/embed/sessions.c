/* sessions.c - a state machine in C, run by many tasks, with a slot for each
 *
 *   cc sessions.c $(pkg-config --cflags --libs aiowire) -o sessions
 *   target_link_libraries(sessions aiowire::aiowire)
 *
 * Shows states, slots, steps that wait, a pool of workers, and a clean end.
 *
 * A server guards a door. Each visitor gets three tries to tell the number:
 *
 *     accept ──► ask ──► check ──► (right)  open
 *                 ▲        │
 *                 └────────┴─────► (three times wrong)  refuse
 *
 * Each state is a C step; it names the next state and returns AW_NEXT. Two
 * workers run the same wire again and again. What one visit needs, such as its
 * descriptor and what it has read, is in the *slot* of that run: zeroed when
 * the run begins, and left exactly once, also when a visitor is too slow, or
 * when the server stops. So no path leaks a descriptor.
 */
#define _POSIX_C_SOURCE 200809L
#include <aiowire.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MS (AW_SECOND / 1000)

enum { WORKERS = 2, VISITORS = 4 };

typedef struct server {
  aw_loop *loop;
  int listener;
  int opened, refused, left; /* visits that have ended */
} server;

/* ---- the slot of a visit ------------------------------------------------- */

typedef struct visit {
  int fd;
  int tries;
  size_t used;
  char line[64]; /* `used` bytes of it have been read */
} visit;

static int visit_enter(aw_task *task, void *slot, void *data) {
  (void)task, (void)data;
  visit *it = slot;
  it->fd = -1; /* the slot is zeroed, and 0 is a descriptor */
  return 0;
}

static void visit_leave(void *slot, void *data) {
  visit *it = slot;
  server *door = data;
  if (it->fd < 0)
    return;
  close(it->fd);
  door->left++;
}

static const aw_slot visit_slot = {
    .size = sizeof(visit), .enter = visit_enter, .leave = visit_leave};

/* ---- the states ---------------------------------------------------------- */

static aw_turn ask(aw_task *task, void *data);

/* Go on with `state`. */
static aw_turn become(aw_task *task, aw_step_fn state, void *data) {
  aw_task_set_next(task, aw_call(state, data)); /* takes */
  return AW_NEXT;
}

/* Write a text that surely fits into the socket's buffer. */
static int say(const visit *it, const char *text) {
  return send(it->fd, text, strlen(text), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Wait for `fd` in a step that is called again afterwards. */
static aw_turn wait_readable(aw_task *task, int fd) {
  int rc = aw_await_readable(task, fd);
  return rc < 0 ? aw_task_fail(task, rc) : AW_WAIT;
}

/* Wait for a visitor. */
static aw_turn take_visitor(aw_task *task, void *data) {
  server *door = data;
  visit *it = aw_task_slot(task, &visit_slot);
  if (aw_task_came_back(task) && aw_task_result(task) < 0)
    return aw_task_fail(task, aw_task_result(task));
  it->fd = accept(door->listener, NULL, NULL);
  if (it->fd < 0) /* none yet, or the other worker was faster */
    return errno == EAGAIN ? wait_readable(task, door->listener)
                           : aw_task_fail(task, -errno);
  fcntl(it->fd, F_SETFL, O_NONBLOCK);
  return AW_DONE;
}

static aw_turn check(aw_task *task, void *data) {
  server *door = data;
  visit *it = aw_task_slot(task, &visit_slot);
  if (strcmp(it->line, "4711\n") == 0) {
    door->opened++;
    say(it, "the door is open\n");
    return AW_DONE;
  }
  if (++it->tries == 3) {
    door->refused++;
    say(it, "go away\n");
    return AW_DONE;
  }
  it->used = 0;
  return become(task, ask, data);
}

/* Ask for a line, and read until it has come. */
static aw_turn ask(aw_task *task, void *data) {
  visit *it = aw_task_slot(task, &visit_slot);
  int rc = aw_task_came_back(task) ? aw_task_result(task) : say(it, "number? ");
  if (rc < 0)
    return aw_task_fail(task, rc);
  while (it->used < sizeof it->line - 1) {
    ssize_t got = read(it->fd, it->line + it->used, 1);
    if (got < 0 && errno == EAGAIN)
      return wait_readable(task, it->fd);
    if (got <= 0)
      return aw_task_fail(task, got < 0 ? -errno : AW_ECLOSED);
    it->line[++it->used] = '\0';
    if (it->line[it->used - 1] == '\n')
      break;
  }
  return become(task, check, data);
}

/* What a worker does about a visit that failed: it goes on. */
static aw_turn shrug(aw_task *task, void *data) {
  (void)data;
  aw_error *error = aw_task_take_error(task);
  printf("a visit failed: %s\n", aw_strerror(aw_error_code(error)));
  aw_error_release(error);
  return AW_DONE;
}

/* The wire that all workers run. */
static aw_wire *worker(server *door) {
  aw_wire *talk = aw_timeout(aw_call(ask, door), 100 * MS, AW_DEFAULT);
  aw_wire *once = aw_then(aw_call(take_visitor, door),
                          aw_catch(talk, aw_call(shrug, NULL)));
  return aw_repeat(aw_with_slot(once, &visit_slot, door), AW_FOREVER);
}

/* ---- visitors, to try it ------------------------------------------------- */

typedef struct visitor {
  const char *says;
  const char *expects; /* NULL: hangs up at once */
  int fd;
  size_t used;
  char heard[128];
} visitor;

/* Send everything at once, then read until the server hangs up. */
static aw_turn listen_to_door(aw_task *task, void *data) {
  visitor *it = data;
  if (!aw_task_came_back(task)) {
    if (send(it->fd, it->says, strlen(it->says), MSG_NOSIGNAL) < 0)
      return aw_task_fail(task, -errno);
    if (!it->expects)
      shutdown(it->fd, SHUT_RDWR);
  } else if (aw_task_result(task) < 0) {
    return aw_task_fail(task, aw_task_result(task));
  }
  ssize_t got;
  while ((got = read(it->fd, it->heard + it->used,
                     sizeof it->heard - 1 - it->used)) > 0)
    it->used += (size_t)got;
  return got < 0 && errno == EAGAIN ? wait_readable(task, it->fd) : AW_DONE;
}

/* ---- the program --------------------------------------------------------- */

static int run(aw_engine *engine, server *door, visitor *visitors) {
  int rc = aw_loop_new(engine, NULL, &door->loop);
  if (rc < 0)
    return rc;
  aw_task_config config = {
      .size = sizeof config, .name = "worker", .background = true};
  aw_wire *wire = worker(door);
  for (int i = 0; i < WORKERS && rc == 0; i++)
    rc = aw_loop_start(door->loop, aw_wire_keep(wire), &config, NULL);
  aw_wire_release(wire);
  for (int i = 0; i < VISITORS && rc == 0; i++)
    rc = aw_loop_start(door->loop, aw_call(listen_to_door, &visitors[i]), NULL,
                       NULL);
  if (rc == 0) /* until the last visitor has left */
    rc = aw_loop_run(door->loop, 5 * AW_SECOND);
  aw_loop_free(door->loop);
  return rc;
}

/* Listen at an address that the kernel chooses, which leaves no file. */
static int open_door(struct sockaddr_un *address, socklen_t *size) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  *size = sizeof *address;
  if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)) < 0 ||
      getsockname(fd, (struct sockaddr *)address, size) < 0 ||
      listen(fd, VISITORS) < 0)
    return -1;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

static int connect_to(const struct sockaddr_un *address, socklen_t size) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (const struct sockaddr *)address, size) < 0)
    return -1;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

int main(void) {
  visitor visitors[VISITORS] = {
      {.says = "42\n4711\n", .expects = "number? number? the door is open\n"},
      {.says = "1\n2\n3\n", .expects = "number? number? number? go away\n"},
      {.says = "silence", .expects = "number? "},
      {.says = "47", .expects = NULL},
  };
  struct sockaddr_un address;
  socklen_t size;
  server door = {.listener = open_door(&address, &size)};
  if (door.listener < 0)
    return 1;
  for (int i = 0; i < VISITORS; i++)
    if ((visitors[i].fd = connect_to(&address, size)) < 0)
      return 1;

  aw_engine *engine;
  int rc = aw_engine_new(NULL, &engine);
  if (rc == 0) {
    rc = run(engine, &door, visitors);
    aw_engine_free(engine);
  }
  if (rc < 0)
    fprintf(stderr, "sessions: %s\n", aw_strerror(rc));

  bool right =
      rc == 0 && door.opened == 1 && door.refused == 1 && door.left == VISITORS;
  for (int i = 0; i < VISITORS; i++) {
    close(visitors[i].fd);
    if (visitors[i].expects)
      right &= strcmp(visitors[i].heard, visitors[i].expects) == 0;
  }
  close(door.listener);
  printf("%d opened, %d refused, %d left\n", door.opened, door.refused,
         door.left);
  return right ? 0 : 1;
}
