/* guard_test.cpp - steps of C++ that throw */
#include <aiowire.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(claim) \
  do { \
    if (!(claim)) { \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim); \
      std::exit(1); \
    } \
  } while (0)

static int destroyed;

struct counted {
  ~counted() {
    destroyed++;
  }
};

static aw_turn throws_error(aw_task *, void *) {
  counted local;
  throw std::runtime_error("no such thing");
}

static aw_turn throws_number(aw_task *, void *) {
  counted local;
  throw 7;
}

static aw_turn throws_memory(aw_task *, void *) {
  counted local;
  throw std::bad_alloc();
}

static aw_turn throws_while_it_waits(aw_task *task, void *) {
  counted local;
  CHECK(aw_await_sleep(task, AW_SECOND) == 0);
  throw std::runtime_error("late");
}

static aw_turn ends(aw_task *, void *data) {
  counted local;
  ++*static_cast<int *>(data);
  return AW_DONE;
}

static void fails(aw_step_fn step, int code, const char *subject) {
  aw_engine_config config = {};
  config.clock = AW_CLOCK_VIRTUAL;
  config.size = sizeof config;
  aw_engine *engine;
  aw_loop *loop;
  aw_task *task;
  CHECK(aw_engine_new(&config, &engine) == 0);
  CHECK(aw_loop_new(engine, nullptr, &loop) == 0);
  destroyed = 0;
  CHECK(aw_loop_start(loop, aw_call(step, nullptr), nullptr, &task) == 0);
  CHECK(aw_loop_run(loop, AW_NEVER) == code);
  CHECK(destroyed == 1);
  const aw_error *error = aw_task_error(task);
  const char *text = aw_error_subject(error);
  CHECK(subject ? text && std::strcmp(text, subject) == 0 : !text);
  CHECK(aw_engine_now(engine) == 0);
  aw_task_release(task);
  CHECK(aw_loop_free(loop) == 0);
  CHECK(aw_engine_free(engine) == 0);
}

static void ends_as_ever() {
  aw_engine *engine;
  aw_loop *loop;
  int count = 0;
  CHECK(aw_engine_new(nullptr, &engine) == 0);
  CHECK(aw_loop_new(engine, nullptr, &loop) == 0);
  aw_wire *wire = aw_repeat(aw_call(aw_guard<ends>, &count), 3);
  CHECK(aw_loop_start(loop, wire, nullptr, nullptr) == 0);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(count == 3);
  CHECK(aw_loop_free(loop) == 0);
  CHECK(aw_engine_free(engine) == 0);
}

/* Without the guard, a library with asserts says what is wrong, and aborts. */
static void stops_without_a_guard() {
  int ends[2];
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    try {
      fails(throws_number, 0, nullptr);
    } catch (...) {
      std::fputs("it came through", stderr);
    }
    _exit(1);
  }
  close(ends[1]);
  char text[256] = "";
  CHECK(read(ends[0], text, sizeof text - 1) > 0);
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  bool said = std::strstr(text, "an exception has left a C step") != nullptr;
  bool passed = std::strstr(text, "it came through") != nullptr;
  CHECK(said ? WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT : passed);
  close(ends[0]);
}

int main() {
  fails(aw_guard<throws_error>, AW_EHOST, "no such thing");
  fails(aw_guard<throws_number>, AW_EHOST, nullptr);
  fails(aw_guard<throws_memory>, AW_ENOMEM, nullptr);
  fails(aw_guard<throws_while_it_waits>, AW_EHOST, "late");
  ends_as_ever();
  stops_without_a_guard();
  return 0;
}
