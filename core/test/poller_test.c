/* poller_test.c - descriptors: one watcher, many waiters, nothing left
 *
 * Each case makes its own engine. leave() checks that no handle is left when
 * the loop has ended, and that the engine can be freed.
 */
#include "source.h"

#include <aiowire.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

typedef struct world {
  aw_engine *engine;
  aw_loop *loop;
} world;

static world enter(void) {
  world w;
  assert(aw_engine_new(NULL, &w.engine) == 0);
  assert(aw_loop_new(w.engine, NULL, &w.loop) == 0);
  return w;
}

static void leave(world w) {
  aw_stats stats;
  aw_engine_stats(w.engine, &stats);
  assert(stats.handles == 0);
  assert(stats.tasks == 0);
  assert(aw_loop_free(w.loop) == 0);
  assert(aw_engine_free(w.engine) == 0);
}

static void start(world w, aw_wire *wire) {
  assert(aw_loop_start(w.loop, wire, NULL, NULL) == 0);
}

static int run(world w) {
  return aw_loop_run(w.loop, AW_NEVER);
}

/* ---- steps ---- */

typedef struct note {
  char *log;
  char letter;
  int fd;
} note;

/* A step that appends its letter to the log. */
static aw_turn say(aw_task *task, void *data) {
  (void)task;
  note *n = data;
  n->log[strlen(n->log)] = n->letter;
  return AW_DONE;
}

static aw_turn read_one(aw_task *task, void *data) {
  note *n = data;
  char byte;
  assert(read(n->fd, &byte, 1) == 1);
  n->log[strlen(n->log)] = byte;
  return say(task, data);
}

static aw_turn write_one(aw_task *task, void *data) {
  (void)task;
  assert(write(*(int *)data, "x", 1) == 1);
  return AW_DONE;
}

static aw_turn close_it(aw_task *task, void *data) {
  (void)task;
  assert(close(*(int *)data) == 0);
  return AW_DONE;
}

static aw_turn forget_and_close(aw_task *task, void *data) {
  aw_poller_forget(aw_loop_engine(aw_task_loop(task)), *(int *)data);
  return close_it(task, data);
}

/* ---- cases ---- */

static void wakes_all_who_wait(void) {
  world w = enter();
  int ends[2];
  char log[16] = "";
  note a = {log, 'a', 0}, b = {log, 'b', 0};
  assert(pipe(ends) == 0);
  start(w, aw_then(aw_readable(ends[0]), aw_call(say, &a)));
  start(w, aw_then(aw_readable(ends[0]), aw_call(say, &b)));
  start(w, aw_then(aw_sleep(AW_SECOND / 100), aw_call(write_one, &ends[1])));
  assert(run(w) == 0);
  assert(strcmp(log, "ab") == 0);
  close(ends[0]);
  close(ends[1]);
  leave(w);
}

static void keeps_the_flags(void) {
  world w = enter();
  int ends[2];
  char log[16] = "";
  note a = {log, '.', 0};
  assert(pipe(ends) == 0);
  a.fd = ends[0];
  assert(write(ends[1], "1234", 4) == 4);
  start(w, aw_repeat(aw_then(aw_readable(ends[0]), aw_call(read_one, &a)), 4));
  assert(run(w) == 0);
  assert(strcmp(log, "1.2.3.4.") == 0);
  assert(!(fcntl(ends[0], F_GETFL) & O_NONBLOCK));
  close(ends[0]);
  close(ends[1]);
  leave(w);
}

static void serves_both_directions(void) {
  world w = enter();
  int ends[2];
  char log[16] = "";
  note a = {log, 'w', 0}, b = {log, 'e', 0};
  assert(pipe(ends) == 0);
  start(w, aw_then(aw_writable(ends[1]), aw_call(say, &a)));
  start(w, aw_then(aw_when_ready(ends[1], AW_READABLE | AW_WRITABLE),
                   aw_call(say, &b)));
  assert(run(w) == 0);
  assert(strlen(log) == 2 && strchr(log, 'w') && strchr(log, 'e'));
  assert(aw_when_ready(ends[1], 0) == NULL);
  assert(aw_when_ready(ends[1], 4) == NULL);
  close(ends[0]);
  close(ends[1]);
  leave(w);
}

static void sees_the_end(void) {
  world w = enter();
  int ends[2];
  char log[16] = "";
  note a = {log, 'a', 0};
  assert(pipe(ends) == 0);
  start(w, aw_then(aw_readable(ends[0]), aw_call(say, &a)));
  close(ends[1]);
  assert(run(w) == 0);
  assert(strcmp(log, "a") == 0);
  close(ends[0]);
  /* the writing end of a pipe without a reader reports POLLERR */
  assert(pipe(ends) == 0);
  close(ends[0]);
  start(w, aw_then(aw_writable(ends[1]), aw_call(say, &a)));
  assert(run(w) == 0);
  assert(strcmp(log, "aa") == 0);
  close(ends[1]);
  leave(w);
}

static void files_are_always_ready(void) {
  world w = enter();
  char log[16] = "";
  note a = {log, 'a', 0};
  static const char *const paths[] = {"/dev/null", "/proc/self/exe", "/"};
  for (size_t i = 0; i < 3; i++) {
    int fd = open(paths[i], O_RDONLY);
    assert(fd >= 0);
    start(w, aw_then(aw_readable(fd), aw_call(say, &a)));
    assert(run(w) == 0);
    assert(strlen(log) == i + 1);
    close(fd);
  }
  leave(w);
}

static void refuses_what_is_closed(void) {
  world w = enter();
  start(w, aw_readable(999));
  assert(run(w) == -EBADF);
  const aw_error *error = aw_loop_error(w.loop);
  assert(strcmp(aw_error_call(error), "readable") == 0);
  assert(aw_error_fd(error) == 999);
  leave(w);
  w = enter();
  start(w, aw_writable(-1));
  assert(run(w) == -EBADF);
  leave(w);
}

/* A descriptor is closed after its wait began and before libuv polls: libuv
 * must not abort. */
static void survives_a_close_in_the_same_turn(void) {
  world w = enter();
  int ends[2];
  assert(pipe(ends) == 0);
  start(w, aw_readable(ends[0]));
  start(w, aw_call(close_it, &ends[0]));
  assert(run(w) == -EBADF);
  close(ends[1]);
  leave(w);
}

static void forget_ends_the_waits(void) {
  world w = enter();
  int ends[2];
  assert(pipe(ends) == 0);
  start(w, aw_readable(ends[0]));
  start(w, aw_readable(ends[0]));
  start(w, aw_then(aw_sleep(AW_SECOND / 100),
                   aw_call(forget_and_close, &ends[0])));
  assert(run(w) == AW_ECLOSED);
  assert(aw_error_suppressed(aw_loop_error(w.loop), 0) != NULL);
  close(ends[1]);
  aw_poller_forget(w.engine, 12345);
  aw_poller_forget(w.engine, -1);
  leave(w);
}

/* The data of a step that closes a descriptor and opens another file under its
 * number. */
typedef struct swap {
  int ends[2];
  int (*make)(int ends[2]);
  char *log;
} swap;

static int make_pipe(int ends[2]) {
  return pipe(ends);
}

static int make_event(int ends[2]) {
  ends[0] = eventfd(0, 0);
  ends[1] = dup(ends[0]);
  return ends[0] < 0 || ends[1] < 0;
}

static aw_turn swap_files(aw_task *task, void *data) {
  (void)task;
  swap *s = data;
  int old = s->ends[0];
  uint64_t one = 1;
  close(s->ends[0]);
  close(s->ends[1]);
  assert(s->make(s->ends) == 0);
  assert(s->ends[0] == old);
  assert(write(s->ends[1], &one, sizeof one) > 0);
  strcat(s->log, "s");
  return AW_DONE;
}

static void sees_another_file_under_the_number(int (*make)(int ends[2])) {
  world w = enter();
  char log[16] = "";
  swap s = {{0, 0}, make, log};
  note a = {log, 'a', 0};
  uint64_t one = 1;
  assert(make(s.ends) == 0);
  assert(write(s.ends[1], &one, sizeof one) > 0);
  start(w, aw_sequence((aw_wire *[]){aw_readable(s.ends[0]),
                                     aw_call(swap_files, &s),
                                     aw_readable(s.ends[0]), aw_call(say, &a)},
                       4));
  assert(aw_loop_run(w.loop, 2 * AW_SECOND) == 0);
  assert(strcmp(log, "sa") == 0);
  close(s.ends[0]);
  close(s.ends[1]);
  leave(w);
}

/* ---- a descriptor that is closed while its file is open elsewhere ---- */

static int set; /* the epoll descriptor of the engine */

/* Calls enter() and sets `set`. */
static world enter_with_set(void) {
  world w = enter();
  void *uv;
  assert(aw_engine_uv(w.engine, &uv) == 0);
  set = uv_backend_fd(uv);
  return w;
}

/* Returns the number of entries for `fd` in the epoll set. */
static int entries(int fd) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", set);
  FILE *file = fopen(path, "r");
  assert(file);
  int count = 0, found;
  while (fgets(line, sizeof line, file))
    count += sscanf(line, "tfd: %d", &found) == 1 && found == fd;
  fclose(file);
  return count;
}

static aw_turn gone(aw_task *task, void *data) {
  assert(entries(*(int *)data) == 0);
  return close_it(task, data);
}

static void a_single_wait_leaves_the_set_before_its_task_goes_on(void) {
  world w = enter_with_set();
  int ends[2];
  assert(pipe(ends) == 0);
  int copy = dup(ends[0]);
  start(w, aw_then(aw_sleep(AW_SECOND / 1000), aw_call(write_one, &ends[1])));
  start(w, aw_then(aw_readable(ends[0]), aw_call(gone, &ends[0])));
  assert(run(w) == 0);
  close(copy);
  close(ends[1]);
  leave(w);
}

static aw_turn expect_kept(aw_task *task, void *data) {
  source *s = data;
  char byte;
  assert(read(s->fd, &byte, 1) == 1);
  (void)task;
  assert(entries(s->fd) == 1);
  aw_ready_done(&s->keeper);
  aw_ready_done(&s->keeper);
  assert(entries(s->fd) == 0);
  return AW_DONE;
}

static void a_keeper_keeps_until_it_is_done(bool owned) {
  world w = enter_with_set();
  int ends[2], others[2];
  assert(pipe(ends) == 0 && pipe(others) == 0);
  source s = {.fd = ends[0], .keeper.owned = owned};
  assert(write(ends[1], "xx", 2) == 2);
  start(w,
        aw_repeat(
            aw_then(aw_wait_for(&operation, &s), aw_call(expect_kept, &s)), 2));
  assert(run(w) == 0);
  aw_ready_done(&s.keeper); /* does nothing: no watcher is kept */
  close(ends[0]);
  close(ends[1]);
  s.fd = others[0];
  start(w, aw_wait_for(&operation, &s));
  assert(aw_loop_run(w.loop, AW_SECOND / 1000) == 0);
  close(others[0]);
  close(others[1]);
  leave(w); /* the engine releases the watcher of the keeper */
  assert(s.keeper.watch == NULL && s.keeper.owned == owned);
  aw_ready_done(&s.keeper);
}

/* A source that stays readable, and what its keeper has kept. */
typedef struct reported {
  source source;
  struct aw_watch *watch;
  int done; /* to write to when the test is over */
} reported;

static aw_turn note_watch(aw_task *task, void *data) {
  reported *r = data;
  (void)task;
  r->watch = r->source.keeper.watch;
  assert(r->watch != NULL);
  return AW_DONE;
}

static aw_turn expect_watch(aw_task *task, void *data) {
  reported *r = data;
  (void)task;
  assert(r->source.keeper.watch == r->watch);
  assert(entries(r->source.fd) == 1);
  return write_one(task, &r->done);
}

/* The engine polls at each of the sleeps, since another task waits, too. */
static void a_report_between_waits_closes_nothing(bool owned, unsigned polls) {
  world w = enter_with_set();
  int ends[2], others[2];
  assert(pipe(ends) == 0 && pipe(others) == 0);
  reported r = {.source = {.fd = ends[0], .keeper.owned = owned},
                .done = others[1]};
  assert(write(ends[1], "x", 1) == 1);
  start(w, aw_readable(others[0]));
  start(w, aw_sequence((aw_wire *[]){aw_wait_for(&operation, &r.source),
                                     aw_call(note_watch, &r),
                                     aw_repeat(aw_sleep(0), polls),
                                     aw_wait_for(&operation, &r.source),
                                     aw_call(expect_watch, &r)},
                       5));
  assert(run(w) == 0);
  aw_ready_done(&r.source.keeper);
  assert(entries(ends[0]) == 0);
  close(ends[0]);
  close(ends[1]);
  close(others[0]);
  close(others[1]);
  leave(w);
}

/* Each wait ends by one report, also if so many descriptors are ready that the
 * kernel reports each of them only once. */
static void a_crowd_is_reported_again_and_again(bool owned) {
  enum { CROWD = 300, TIMES = 8 };
  static source sources[CROWD];
  world w = enter_with_set();
  int ends[2];
  assert(pipe(ends) == 0);
  assert(write(ends[1], "x", 1) == 1); /* stays readable */
  for (int i = 0; i < CROWD; i++) {
    sources[i] = (source){.fd = dup(ends[0]), .keeper.owned = owned};
    assert(sources[i].fd >= 0);
    start(w, aw_repeat(aw_wait_for(&operation, &sources[i]), TIMES));
  }
  assert(run(w) == 0);
  for (int i = 0; i < CROWD; i++) {
    aw_ready_done(&sources[i].keeper);
    assert(entries(sources[i].fd) == 0);
    close(sources[i].fd);
  }
  close(ends[0]);
  close(ends[1]);
  leave(w);
}

/* A source, and the descriptor to which it changes. */
typedef struct moving {
  source source;
  int next;
} moving;

static aw_turn move(aw_task *task, void *data) {
  moving *m = data;
  (void)task;
  m->source.fd = m->next;
  return AW_DONE;
}

static void a_keeper_has_one_descriptor(bool owned) {
  world w = enter_with_set();
  int ends[2], others[2];
  assert(pipe(ends) == 0 && pipe(others) == 0);
  moving m = {.source = {.fd = ends[0], .keeper.owned = owned},
              .next = others[0]};
  assert(write(ends[1], "x", 1) == 1 && write(others[1], "x", 1) == 1);
  start(w, aw_sequence((aw_wire *[]){aw_wait_for(&operation, &m.source),
                                     aw_call(move, &m),
                                     aw_wait_for(&operation, &m.source),
                                     aw_call(gone, &ends[0])},
                       4));
  assert(run(w) == 0);
  aw_ready_done(&m.source.keeper);
  assert(entries(others[0]) == 0);
  close(ends[1]);
  close(others[0]);
  close(others[1]);
  leave(w);
}

/* A descriptor is closed before aw_ready_done(). A duplicate keeps its file
 * open and readable, so epoll goes on reporting it. */
static void a_stale_file_is_taken_out_of_the_set(void) {
  world w = enter_with_set();
  int ends[2], others[2];
  assert(pipe(ends) == 0 && pipe(others) == 0);
  int copy = dup(ends[0]);
  source s = {.fd = ends[0]};
  assert(write(ends[1], "x", 1) == 1);
  start(w, aw_then(aw_wait_for(&operation, &s), aw_call(close_it, &ends[0])));
  start(w, aw_sequence((aw_wire *[]){aw_sleep(AW_SECOND / 1000),
                                     aw_call(write_one, &others[1]),
                                     aw_sleep(AW_SECOND / 1000)},
                       3));
  start(w, aw_readable(others[0]));
  assert(run(w) == 0);
  assert(entries(ends[0]) == 0);
  aw_ready_done(&s.keeper);
  close(copy);
  close(ends[1]);
  close(others[0]);
  close(others[1]);
  leave(w);
}

static void a_cancel_takes_the_wait_back(void) {
  world w = enter();
  int ends[2];
  assert(pipe(ends) == 0);
  start(w, aw_readable(ends[0]));
  start(w, aw_repeat(aw_readable(ends[0]), AW_FOREVER));
  assert(aw_loop_run(w.loop, AW_SECOND / 50) == 0);
  assert(aw_loop_state_of(w.loop) == AW_LOOP_TIMEOUT);
  close(ends[0]);
  close(ends[1]);
  leave(w);
}

/* The data of a step that runs `body` as a part of its repetition (AW_INTO),
 * `count` times, and then leaves the repetition. */
typedef struct thrice {
  int count;
  aw_wire *body;
} thrice;

static aw_turn into(aw_task *task, void *data) {
  thrice *t = data;
  if (t->count-- == 0)
    return AW_BREAK;
  aw_task_set_next(task, aw_wire_keep(t->body));
  return AW_INTO;
}

static void steps_go_into_wires_and_break(void) {
  world w = enter();
  char log[16] = "";
  note a = {log, 'a', 0}, b = {log, 'b', 0};
  thrice t = {3, aw_call(say, &a)};
  start(w, aw_then(aw_repeat(aw_call(into, &t), AW_FOREVER), aw_call(say, &b)));
  assert(run(w) == 0);
  assert(strcmp(log, "aaab") == 0);
  aw_wire_release(t.body);
  leave(w);
}

static aw_turn interrupt(aw_task *task, void *data) {
  (void)task;
  assert(aw_wait_interrupt(data, 0));
  assert(!aw_wait_interrupt(data, 0)); /* its wait has ended */
  return AW_DONE;
}

static void a_wait_is_interrupted(void) {
  world w = enter();
  int ends[2];
  aw_task *task;
  assert(pipe(ends) == 0);
  assert(aw_loop_start(w.loop, aw_readable(ends[0]), NULL, &task) == 0);
  start(w, aw_then(aw_sleep(1), aw_call(interrupt, task)));
  assert(run(w) == 0);
  assert(aw_task_state_of(task) == AW_TASK_DONE);
  aw_task_release(task);
  close(ends[0]);
  close(ends[1]);
  leave(w);
}

static void says_when_descriptors_run_out(void) {
  int ends[2];
  assert(pipe(ends) == 0);
  struct rlimit old, low;
  getrlimit(RLIMIT_NOFILE, &old);
  low = old;
  for (rlim_t spare = 0; spare < 12; spare++) {
    world w = enter();
    low.rlim_cur = (rlim_t)ends[1] + 1 + spare;
    setrlimit(RLIMIT_NOFILE, &low);
    start(w, aw_then(aw_call(write_one, &ends[1]), aw_readable(ends[0])));
    int rc = run(w);
    assert(rc == 0 || rc == -EMFILE);
    setrlimit(RLIMIT_NOFILE, &old);
    leave(w);
  }
  close(ends[0]);
  close(ends[1]);
}

/* ---- operations that try for themselves ---- */

/* Takes one byte; `refused` counts the looks that found none. */
typedef struct taker {
  source source;
  int refused;
  bool pauses; /* its first look sets an alarm */
  bool paused;
} taker;

static int take(aw_task *task, void *data) {
  taker *t = data;
  char byte;
  if (t->pauses && !t->paused) {
    t->paused = true;
    aw_engine *engine = aw_loop_engine(aw_task_loop(task));
    int rc = aw_alarm_arm(task, aw_engine_now(engine) + AW_SECOND / 1000);
    return rc < 0 ? rc : AW_MOVED;
  }
  if (read(t->source.fd, &byte, 1) == 1)
    return byte == 'e' ? -EIO : 1;
  t->refused++;
  return 0;
}

static void take_now(aw_task *task, void *data) {
  aw_wait_complete(task, take(task, data));
}

static void taker_disarm(aw_task *task, void *data) {
  if (((taker *)data)->paused)
    aw_alarm_disarm(task);
  else
    source_disarm(task, data);
}

static const aw_operation taking = {.label = "take",
                                    .arm = source_arm,
                                    .disarm = taker_disarm,
                                    .external = true,
                                    .due = take_now,
                                    .ready = take};

/* The pause is over: wait for the descriptor again. */
static void wait_again(aw_task *task, void *data) {
  taker *t = data;
  t->pauses = t->paused = false;
  assert(aw_ready_arm(task, t->source.fd, AW_READABLE) == 0);
}

static const aw_operation taking_later = {.label = "take later",
                                          .arm = source_arm,
                                          .disarm = taker_disarm,
                                          .external = true,
                                          .due = wait_again,
                                          .ready = take};

/* Make a pipe that holds `text` and whose reading end does not block. */
static void open_taken(int ends[2], taker *t, const char *text) {
  assert(pipe(ends) == 0);
  assert(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
  assert(write(ends[1], text, strlen(text)) == (ssize_t)strlen(text));
  *t = (taker){.source = {.fd = ends[0]}};
}

static void close_taken(world w, const int ends[2], taker *t) {
  aw_ready_done(&t->source.keeper);
  close(ends[0]);
  close(ends[1]);
  leave(w);
}

static void each_taker_gets_its_own_byte(void) {
  world w = enter();
  int ends[2];
  char log[8] = "";
  taker t;
  open_taken(ends, &t, "x");
  note first = {log, 'a', 0}, second = {log, 'b', 0};
  start(w,
        aw_then(aw_wait_for(&taking, &t),
                aw_then(aw_call(say, &first), aw_call(write_one, &ends[1]))));
  start(w, aw_then(aw_wait_for(&taking, &t), aw_call(say, &second)));
  assert(run(w) == 0);
  assert(strcmp(log, "ab") == 0 && t.refused == 1);
  close_taken(w, ends, &t);
}

static void a_race_is_won_by_what_was_taken(void) {
  world w = enter();
  int ends[2];
  char byte;
  taker t;
  open_taken(ends, &t, "xx");
  aw_wire *takers[] = {aw_wait_for(&taking, &t), aw_wait_for(&taking, &t)};
  start(w, aw_race(takers, 2));
  assert(run(w) == 0);
  assert(read(ends[0], &byte, 1) == 1); /* the loser took nothing */
  close_taken(w, ends, &t);
}

static void a_taker_pauses_and_fails(void) {
  world w = enter();
  int ends[2];
  taker t;
  open_taken(ends, &t, "e");
  t.pauses = true;
  start(w, aw_wait_for(&taking, &t));
  assert(run(w) == -EIO);
  close_taken(w, ends, &t);
}

static void a_paused_taker_waits_again(void) {
  world w = enter();
  int ends[2];
  taker t;
  open_taken(ends, &t, "x");
  t.pauses = true;
  start(w, aw_wait_for(&taking_later, &t));
  assert(run(w) == 0);
  assert(!t.paused && t.refused == 0);
  close_taken(w, ends, &t);
}

static void a_paused_taker_is_cancelled(void) {
  world w = enter();
  int ends[2];
  taker t;
  open_taken(ends, &t, "x");
  t.pauses = true;
  start(w, aw_wait_for(&taking, &t));
  assert(aw_loop_run(w.loop, AW_SECOND / 2000) == 0);
  close_taken(w, ends, &t);
}

/* ---- waits with a limit ---- */

static int limited_arm(aw_task *task, void *data) {
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  int rc = source_arm(task, data);
  return rc == 0 ? aw_alarm_arm(task, aw_engine_now(engine) + AW_SECOND / 1000)
                 : rc;
}

static void limited_disarm(aw_task *task, void *data) {
  aw_alarm_disarm(task);
  source_disarm(task, data);
}

static void limited_due(aw_task *task, void *data) {
  source_disarm(task, data);
  aw_wait_complete(task, -ETIMEDOUT);
}

static const aw_operation limited = {.label = "limited",
                                     .arm = limited_arm,
                                     .disarm = limited_disarm,
                                     .external = true,
                                     .due = limited_due};

static aw_turn forget(aw_task *task, void *data) {
  aw_poller_forget(aw_loop_engine(aw_task_loop(task)), ((source *)data)->fd);
  return AW_DONE;
}

/* Whatever ends the wait, no alarm fires during the sleep after it. */
static void a_limit_ends_with_its_wait(void) {
  world w = enter();
  int ends[2];
  assert(pipe(ends) == 0);
  source s = {.fd = ends[0]};
  aw_wire *(*after[2])(aw_wire *, aw_wire *) = {aw_or_else, aw_then};
  for (int i = 0; i < 2; i++) {
    start(w, after[i](aw_wait_for(&limited, &s), aw_sleep(AW_SECOND / 250)));
    start(w, i == 0 ? aw_call(forget, &s) : aw_call(write_one, &ends[1]));
    assert(run(w) == 0);
  }
  aw_ready_done(&s.keeper);
  close(ends[0]);
  close(ends[1]);
  leave(w);
}

static void a_limit_ends_its_wait(void) {
  world w = enter();
  int ends[2];
  assert(pipe(ends) == 0);
  source s = {.fd = ends[0]};
  start(w, aw_wait_for(&limited, &s));
  assert(run(w) == -ETIMEDOUT);
  aw_ready_done(&s.keeper);
  close(ends[0]);
  close(ends[1]);
  leave(w);
}

int main(void) {
  wakes_all_who_wait();
  keeps_the_flags();
  serves_both_directions();
  sees_the_end();
  files_are_always_ready();
  refuses_what_is_closed();
  survives_a_close_in_the_same_turn();
  forget_ends_the_waits();
  sees_another_file_under_the_number(make_pipe);
  sees_another_file_under_the_number(make_event);
  a_single_wait_leaves_the_set_before_its_task_goes_on();
  a_keeper_keeps_until_it_is_done(false);
  a_keeper_keeps_until_it_is_done(true);
  for (unsigned polls = 1; polls <= 6; polls++) {
    a_report_between_waits_closes_nothing(false, polls);
    a_report_between_waits_closes_nothing(true, polls);
  }
  a_crowd_is_reported_again_and_again(false);
  a_crowd_is_reported_again_and_again(true);
  a_keeper_has_one_descriptor(false);
  a_keeper_has_one_descriptor(true);
  a_stale_file_is_taken_out_of_the_set();
  a_cancel_takes_the_wait_back();
  steps_go_into_wires_and_break();
  a_wait_is_interrupted();
  says_when_descriptors_run_out();
  each_taker_gets_its_own_byte();
  a_race_is_won_by_what_was_taken();
  a_taker_pauses_and_fails();
  a_paused_taker_waits_again();
  a_paused_taker_is_cancelled();
  a_limit_ends_with_its_wait();
  a_limit_ends_its_wait();
  puts("ok");
  return 0;
}
