/* home_test.c - a wire that runs in two threads ends a debug build */
#include "check.h"

#include "state.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void *run(void *wire) {
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_wire_keep(wire));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  empty(engine, loop);
  return NULL;
}

static void run_in_thread(aw_wire *wire) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, run, wire) == 0);
  pthread_join(thread, NULL);
}

static void a_wire_may_be_made_elsewhere(void) {
  aw_wire *wire = aw_then(aw_sleep(0), says("a"));
  run_in_thread(wire);
  aw_wire_release(wire);
}

/* Returns how a process ended that runs `first` here, `second` in a thread. */
static int end_of_process(aw_wire *first, aw_wire *second) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    fclose(stderr); /* the message of the assert */
    run(first);
    run_in_thread(second);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

static void a_shared_part_is_noticed(void) {
  aw_wire *part = aw_sleep(0);
  aw_wire *first = aw_then(aw_wire_keep(part), says("a"));
  aw_wire *second = aw_repeat(aw_wire_keep(part), 1);
  int status = end_of_process(first, second);
  run(part);
  bool asserts = part->home != 0; /* in the library, as this is a test of it */
  if (asserts)
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  else
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  aw_wire_release(first);
  aw_wire_release(second);
  aw_wire_release(part);
}

static void other_wires_are_not(void) {
  aw_wire *first = aw_sleep(0), *second = aw_sleep(0);
  int status = end_of_process(first, second);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  aw_wire_release(first);
  aw_wire_release(second);
}

int main(void) {
  a_wire_may_be_made_elsewhere();
  a_shared_part_is_noticed();
  other_wires_are_not();
  return 0;
}
