/* check.h - helpers of the C tests
 *
 * CHECK() prints a claim that does not hold and ends the test. log_*() records
 * the order of events. Every test ends with empty(), which checks that nothing
 * is left in the engine and frees it.
 */
#ifndef CHECK_H
#define CHECK_H

#include <aiowire.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(claim) \
  do { \
    if (!(claim)) { \
      fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, \
              #claim); \
      exit(1); \
    } \
  } while (0)

static char logged[1024];

static inline void log_clear(void) {
  logged[0] = '\0';
}

static inline void log_add(const char *format, ...) {
  va_list args;
  va_start(args, format);
  size_t used = strlen(logged);
  vsnprintf(logged + used, sizeof logged - used, format, args);
  va_end(args);
}

#define CHECK_LOG(text) \
  do { \
    if (strcmp(logged, text) != 0) { \
      fprintf(stderr, "%s:%d: %s: logged \"%s\", not \"%s\"\n", __FILE__, \
              __LINE__, __func__, logged, text); \
      exit(1); \
    } \
    log_clear(); \
  } while (0)

/* A step that logs its name. */
static inline aw_turn note(aw_task *task, void *name) {
  (void)task;
  log_add("%s ", (const char *)name);
  return AW_DONE;
}

static inline aw_wire *says(const char *name) {
  return aw_call(note, (void *)(uintptr_t)name);
}

static inline aw_engine *virtual_engine(void) {
  aw_engine *engine;
  aw_engine_config config = {.clock = AW_CLOCK_VIRTUAL, .deadlocks = true};
  CHECK(aw_engine_new(&config, &engine) == 0);
  log_clear();
  return engine;
}

static inline aw_loop *new_loop(aw_engine *engine) {
  aw_loop *loop;
  CHECK(aw_loop_new(engine, NULL, &loop) == 0);
  return loop;
}

static inline void start(aw_loop *loop, aw_wire *wire) {
  CHECK(aw_loop_start(loop, wire, NULL, NULL) == 0);
}

static inline aw_task *start_task(aw_loop *loop, aw_wire *wire) {
  aw_task *task;
  CHECK(aw_loop_start(loop, wire, NULL, &task) == 0);
  return task;
}

static inline void check_stats(const aw_engine *engine) {
  aw_stats stats;
  aw_engine_stats(engine, &stats);
  CHECK(stats.loops == 0);
  CHECK(stats.tasks == 0);
  CHECK(stats.scopes == 0);
  CHECK(stats.deadlines == 0);
  CHECK(stats.errors == 0);
  CHECK(stats.handles == 0);
}

/* End a test: check that nothing is left, free the engine.
 *
 *   loop  freed first; NULL: none
 */
static inline void empty(aw_engine *engine, aw_loop *loop) {
  CHECK(aw_loop_free(loop) == 0);
  check_stats(engine);
  CHECK(aw_engine_free(engine) == 0);
}

#endif
