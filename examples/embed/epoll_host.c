/* epoll_host.c - an engine inside a loop of the host's own, here epoll
 *
 *   cc epoll_host.c $(pkg-config --cflags --libs aiowire) -o epoll_host
 *   target_link_libraries(epoll_host aiowire::aiowire)
 *
 * Shows aw_engine_fd(), aw_engine_timeout() and aw_engine_turn(): all that a
 * host needs which has a loop already, be it poll(2), GLib, Qt or libevent.
 *
 *     for (;;) {
 *       wait for the host's descriptors and the engine's, for at most
 *         aw_engine_timeout()          asked right before the wait
 *       handle what is the host's
 *       aw_engine_turn()               never blocks; 1: more is ready
 *     }
 *
 * The host has a timer and signals of its own. The tasks are a small
 * pipeline: a producer sends numbers through a channel to a consumer. The timer
 * of the host sends into the same channel, as any callback of a host may. On
 * SIGTERM the host stops the loop; the producer cleans up, and then `ended`
 * tells the host that the run is over.
 */
#define _POSIX_C_SOURCE 200809L
#include <aiowire.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MS (AW_SECOND / 1000)

enum { BEATS = 5, FROM_HOST = 1000 };

typedef struct host {
  int epoll, timer, signals; /* -1: not open */
  aw_engine *engine;
  aw_loop *loop;
  aw_channel *numbers;
  bool over; /* the run has ended */
  int beats; /* of the host's timer */
  int from_task, from_host, cleaned;
} host;

/* ---- tasks --------------------------------------------------------------- */

static aw_turn produce(aw_task *task, void *data) {
  host *it = data;
  aw_task_set_next(task, aw_send(it->numbers, 1));
  return AW_NEXT;
}

static aw_turn clean_up(aw_task *task, void *data) {
  (void)task;
  host *it = data;
  it->cleaned++;
  return AW_DONE;
}

static aw_turn consume(aw_task *task, void *data) {
  host *it = data;
  if (aw_task_take_value(task) == FROM_HOST)
    it->from_host++;
  else
    it->from_task++;
  return AW_DONE;
}

/* A number every 3 ms; whatever ends it, the clean-up runs. */
static aw_wire *producer(host *it) {
  return aw_finally(aw_every(3 * MS, aw_call(produce, it), AW_MISSED_SKIP),
                    aw_call(clean_up, it), AW_DEFAULT);
}

static aw_wire *consumer(host *it) {
  return aw_repeat(aw_bind(aw_recv(it->numbers), aw_call(consume, it)),
                   AW_FOREVER);
}

/* ---- the engine in the host's loop --------------------------------------- */

/* Called by aw_engine_turn(), outside any step. */
static void ended(void *data, aw_loop *loop) {
  host *it = data;
  printf("the run is over: %s\n",
         aw_loop_state_of(loop) == AW_LOOP_STOPPED ? "stopped" : "not stopped");
  it->over = true;
}

static int begin(host *it) {
  aw_engine_config config = {.size = sizeof config, .host = it, .ended = ended};
  aw_channel_config channel = {.size = sizeof channel, .capacity = 8};
  int rc = aw_engine_new(&config, &it->engine);
  if (rc == 0)
    rc = aw_loop_new(it->engine, NULL, &it->loop);
  if (rc == 0)
    rc = aw_channel_new(&channel, &it->numbers);
  if (rc == 0)
    rc = aw_loop_start(it->loop, producer(it), NULL, NULL);
  if (rc == 0)
    rc = aw_loop_start(it->loop, consumer(it), NULL, NULL);
  if (rc == 0) /* a loop that a host drives begins, but is not run */
    rc = aw_loop_begin(it->loop, AW_NEVER);
  return rc;
}

/* How long epoll may wait, in ms, rounded up; -1: for ever. */
static int patience(aw_engine *engine) {
  uint64_t ns = aw_engine_timeout(engine);
  if (ns == AW_NEVER)
    return -1;
  uint64_t ms = ns / MS + (ns % MS != 0);
  return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* ---- the host's own descriptors ------------------------------------------ */

static bool watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_host(host *it) {
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  sigprocmask(SIG_BLOCK, &terminate, NULL);
  it->epoll = epoll_create1(EPOLL_CLOEXEC);
  it->signals = signalfd(-1, &terminate, SFD_CLOEXEC | SFD_NONBLOCK);
  it->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  struct itimerspec often = {{0, 10 * MS}, {0, 10 * MS}};
  return it->epoll >= 0 && it->timer >= 0 &&
         timerfd_settime(it->timer, 0, &often, NULL) == 0 &&
         watch(it->epoll, it->signals) && watch(it->epoll, it->timer);
}

static void on_timer(host *it) {
  uint64_t times;
  if (read(it->timer, &times, sizeof times) < 0)
    return;
  /* The engine's functions may be called here. The consumer runs in the next
   * turn. */
  aw_channel_try_send(it->numbers, FROM_HOST);
  if (++it->beats == BEATS)
    kill(getpid(), SIGTERM); /* as somebody outside would */
}

static void on_signal(host *it) {
  struct signalfd_siginfo info;
  if (read(it->signals, &info, sizeof info) > 0)
    aw_loop_stop(it->loop, false);
}

static int serve(host *it) {
  int rc = watch(it->epoll, aw_engine_fd(it->engine)) ? 0 : AW_EINVAL;
  while (rc >= 0 && !it->over) {
    struct epoll_event events[8];
    int count = epoll_wait(it->epoll, events, 8, patience(it->engine));
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == it->timer)
        on_timer(it);
      else if (events[i].data.fd == it->signals)
        on_signal(it);
    }
    rc = aw_engine_turn(it->engine);
  }
  return rc < 0 ? rc : 0;
}

int main(void) {
  host it = {.epoll = -1, .timer = -1, .signals = -1};
  int rc = open_host(&it) ? begin(&it) : AW_EINVAL;
  if (rc == 0)
    rc = serve(&it);
  if (rc < 0)
    fprintf(stderr, "epoll_host: %s\n", aw_strerror(rc));

  aw_channel_release(it.numbers);
  aw_loop_free(it.loop);
  aw_engine_free(it.engine);
  close(it.signals);
  close(it.timer);
  close(it.epoll);
  printf("%d beats; %d numbers of the host, %d of the task\n", it.beats,
         it.from_host, it.from_task);
  /* The consumer may have missed the last number. */
  return rc == 0 && it.over && it.beats >= BEATS && it.cleaned == 1 &&
                 it.from_host >= BEATS - 1 && it.from_task > 0
             ? 0
             : 1;
}
