/* foreign_test.c - the descriptor of an engine, in an epoll set of the host
 *
 * The host adds the descriptor once, and waits as long as the engine says.
 * drive_test.c has what is the same for all hosts.
 */
#include "host.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>
#endif

enum { MS = 1000000 }; /* ns */

/* ---- renewing the set of libuv ---- */

#if defined(__linux__)

#include "source.h"

static aw_turn close_it(aw_task *task, void *fd) {
  (void)task;
  close(*(int *)fd);
  return AW_DONE;
}

static aw_turn read_one(aw_task *task, void *fd) {
  char byte;
  (void)task;
  CHECK(read(*(int *)fd, &byte, 1) == 1);
  return AW_DONE;
}

/* Closes a descriptor too early, so that the set of libuv is replaced; then
 * reads five bytes from another one. */
static aw_wire *closes_early(source *s, int *others) {
  return aw_then(
      aw_then(aw_wait_for(&operation, s), aw_call(close_it, &s->fd)),
      aw_repeat(aw_then(aw_readable(others[0]), aw_call(read_one, &others[0])),
                5));
}

typedef struct pipes {
  int ends[2], others[2], copy;
  source source;
} pipes;

static void open_pipes(pipes *p) {
  CHECK(pipe(p->ends) == 0 && pipe(p->others) == 0);
  p->copy = dup(p->ends[0]); /* the file stays open, and readable */
  p->source = (source){.fd = p->ends[0]};
  CHECK(write(p->ends[1], "x", 1) == 1);
}

static void close_pipes(pipes *p) {
  aw_ready_done(&p->source.keeper);
  close(p->copy);
  close(p->ends[1]);
  close(p->others[0]);
  close(p->others[1]);
}

/* Waits in an epoll set that was made once. What is written comes after the
 * engine has said that it waits for nothing else. */
static void run_in_set(host *h, int set, int fd) {
  while (h->running > 0) {
    struct epoll_event event;
    uint64_t ns = aw_engine_timeout(h->engine);
    int ms = ns == AW_NEVER ? -1 : (int)((ns + 999999) / 1000000);
    if (ns == AW_NEVER)
      CHECK(write(fd, "x", 1) == 1);
    CHECK(epoll_wait(set, &event, 1, ms) >= 0);
    CHECK(aw_engine_turn(h->engine) >= 0);
  }
}

static int open_set(const host *h) {
  struct epoll_event event = {.events = EPOLLIN};
  int set = epoll_create1(EPOLL_CLOEXEC);
  int fd = aw_engine_fd(h->engine);
  CHECK(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
  return set;
}

static void a_set_of_the_host_keeps_the_descriptor(void) {
  host h;
  pipes p;
  open_pipes(&p);
  host_open(&h, FOREIGN, NULL);
  int set = open_set(&h);
  host_start(&h, closes_early(&p.source, p.others));
  run_in_set(&h, set, p.others[1]);
  close_pipes(&p);
  close(set);
  host_close(&h);
}

/* ---- the same in the libuv loop of the host ---- */

typedef struct alien {
  uv_poll_t poll;
  uv_timer_t timer;
  uv_signal_t signal;
  int fd; /* for the task to read from */
  int ends[2], polled, ticks, signals;
} alien;

static void alien_polled(uv_poll_t *poll, int status, int events) {
  alien *a = poll->data;
  char byte;
  CHECK(status == 0 && events == UV_READABLE);
  CHECK(read(a->ends[0], &byte, 1) == 1);
  a->polled++;
}

static void alien_signalled(uv_signal_t *signal, int number) {
  (void)number;
  ((alien *)signal->data)->signals++;
}

static void alien_ticked(uv_timer_t *timer) {
  alien *a = timer->data;
  CHECK(write(a->ends[1], "x", 1) == 1);
  CHECK(write(a->fd, "x", 1) == 1);
  raise(SIGUSR1);
  if (++a->ticks == 20) {
    uv_close((uv_handle_t *)&a->timer, NULL);
    uv_close((uv_handle_t *)&a->poll, NULL);
    uv_close((uv_handle_t *)&a->signal, NULL);
  }
}

static void open_alien(alien *a, uv_loop_t *uv) {
  memset(a, 0, sizeof *a);
  CHECK(pipe(a->ends) == 0);
  uv_poll_init(uv, &a->poll, a->ends[0]);
  uv_timer_init(uv, &a->timer);
  uv_signal_init(uv, &a->signal);
  a->poll.data = a->timer.data = a->signal.data = a;
  uv_poll_start(&a->poll, UV_READABLE, alien_polled);
  uv_timer_start(&a->timer, alien_ticked, 1, 1);
  uv_signal_start(&a->signal, alien_signalled, SIGUSR1);
}

static void handles_of_the_host_survive_a_renewal(void) {
  host h;
  pipes p;
  alien a;
  open_pipes(&p);
  host_open(&h, HOSTED, NULL);
  open_alien(&a, &h.uv);
  a.fd = p.others[1];
  host_start(&h, closes_early(&p.source, p.others));
  host_run(&h);
  CHECK(a.ticks == 20 && a.polled >= 15 && a.signals >= 15);
  close_pipes(&p);
  close(a.ends[0]);
  close(a.ends[1]);
  host_close(&h);
}

#endif

/* ---- handles of others in the engine's own libuv loop ---- */

typedef struct rung {
  uv_timer_t timer;
  host *host;
  aw_event *event;
  int times;
} rung;

static void ring(uv_timer_t *timer) {
  rung *r = timer->data;
  CHECK(aw_engine_turn(r->host->engine) == AW_EBUSY);
  CHECK(aw_engine_free(r->host->engine) == AW_EBUSY);
  if (++r->times == 5) {
    aw_event_set(r->event);
    uv_close((uv_handle_t *)timer, NULL);
  }
}

static void handles_in_its_libuv_loop_are_served(void) {
  host h;
  void *uv;
  rung r = {.host = &h};
  host_open(&h, FOREIGN, NULL);
  CHECK(aw_event_new(NULL, &r.event) == 0);
  CHECK(aw_engine_uv(h.engine, &uv) == 0);
  uv_timer_init(uv, &r.timer);
  r.timer.data = &r;
  uv_timer_start(&r.timer, ring, 1, 1);
  host_start(&h, aw_when_set(r.event));
  host_run(&h);
  CHECK(r.times == 5);
  aw_event_release(r.event);
  host_close(&h);
}

/* ---- becoming driven ---- */

static aw_turn too_late(aw_task *task, void *data) {
  (void)task;
  CHECK(aw_engine_fd(data) == AW_EBUSY);
  CHECK(aw_engine_turn(data) == AW_EBUSY);
  return AW_DONE;
}

static void an_engine_becomes_driven(void) {
  aw_engine *engine;
  aw_step step;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  CHECK(!aw_engine_driven(engine));
  CHECK(aw_next(engine, NULL, &step) == AW_EINVAL);
  CHECK(aw_engine_timeout(engine) == AW_NEVER);
  start(loop, aw_call(too_late, engine));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(!aw_engine_driven(engine));
  CHECK(aw_engine_turn(engine) == 0);
  CHECK(aw_engine_driven(engine));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EINVAL);
  CHECK(aw_engine_timeout(engine) == AW_NEVER);
  int fd = aw_engine_fd(engine);
  CHECK(fd >= 0 && aw_engine_fd(engine) == fd);
  CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  empty(engine, loop);
  CHECK(fcntl(fd, F_GETFD) < 0);
}

/* A host may look at the descriptor alone. */
static void the_descriptor_tells_of_the_first_turn(void) {
  host h;
  host_open(&h, FOREIGN, NULL);
  host_start(&h, says("ran"));
  while (h.running > 0) {
    struct pollfd poller = {.fd = aw_engine_fd(h.engine), .events = POLLIN};
    CHECK(poll(&poller, 1, -1) == 1);
    CHECK(aw_engine_turn(h.engine) >= 0);
  }
  CHECK_LOG("ran ");
  host_close(&h);
}

/* Without descriptors the host learns of it, and may try again. */
static void it_says_when_descriptors_are_missing(void) {
  aw_engine *engine;
  struct rlimit old, none;
  CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
  none = old;
  none.rlim_cur = 3;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  start(loop, says("ran"));
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  CHECK(aw_engine_fd(engine) == UV_EMFILE);
  CHECK(aw_engine_turn(engine) == UV_EMFILE);
  CHECK(!aw_engine_driven(engine));
  CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  CHECK(aw_engine_turn(engine) == 0);
  CHECK_LOG("ran ");
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  CHECK(aw_engine_fd(engine) < 0 || aw_engine_fd(engine) >= 3);
  CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
  CHECK(aw_engine_fd(engine) >= 0);
  empty(engine, loop);
}

int main(void) {
#if defined(__linux__)
  a_set_of_the_host_keeps_the_descriptor();
  handles_of_the_host_survive_a_renewal();
#endif
  handles_in_its_libuv_loop_are_served();
  the_descriptor_tells_of_the_first_turn();
  an_engine_becomes_driven();
  log_clear();
  it_says_when_descriptors_are_missing();
  return 0;
}
