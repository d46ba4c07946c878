/* sweep.h - every allocation of a scenario fails in turn
 *
 * Each scenario runs again and again with an allocator that fails request
 * number k, or all requests from k on, for k = 1, 2, … until a run has fewer
 * than k requests. Each run must succeed or end with AW_ENOMEM, and leave no
 * block.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "check.h"

static struct {
  size_t count, fail_at; /* requests so far; the one that fails, or 0 */
  size_t live, failures; /* blocks; failed requests */
  bool sticky;           /* all requests after it fail, too */
} memory;

static inline void *failing(void *context, void *block, size_t size) {
  CHECK(context == &memory);
  if (size == 0) {
    CHECK(block != NULL);
    memory.live--;
    free(block);
    return NULL;
  }
  memory.count++;
  if (memory.count == memory.fail_at ||
      (memory.sticky && memory.fail_at && memory.count > memory.fail_at)) {
    memory.failures++;
    return NULL;
  }
  memory.live += block == NULL;
  return realloc(block, size);
}

/* Starts something in a loop, and runs it. */
typedef struct scenario {
  const char *name;
  int (*run)(aw_loop *loop);
} scenario;

static inline int once(const scenario *s, uint64_t seed) {
  aw_engine *engine;
  aw_engine_config config = {
      .clock = AW_CLOCK_VIRTUAL, .seed = seed, .deadlocks = true};
  int rc = aw_engine_new(&config, &engine);
  if (rc < 0)
    return rc;
  aw_loop *loop;
  rc = aw_loop_new(engine, NULL, &loop);
  if (rc == 0) {
    rc = s->run(loop);
    CHECK(aw_loop_free(loop) == 0);
  }
  check_stats(engine);
  CHECK(aw_engine_free(engine) == 0);
  return rc;
}

static inline size_t sweep(const scenario *s, bool sticky, uint64_t seed) {
  size_t k = 0;
  do {
    memset(&memory, 0, sizeof memory);
    memory.fail_at = ++k;
    memory.sticky = sticky;
    int rc = once(s, seed);
    if (memory.live > 0 || (rc != 0 && rc != AW_ENOMEM))
      fprintf(stderr, "%s, allocation %zu%s: %s, %zu blocks left\n", s->name, k,
              sticky ? " and all after" : "", aw_strerror(rc), memory.live);
    CHECK(memory.live == 0);
    CHECK(rc == 0 || (rc == AW_ENOMEM && memory.failures > 0));
  } while (memory.failures > 0);
  memset(&memory, 0, sizeof memory);
  return k - 1;
}

/* Sweep all scenarios; each one succeeds if no request fails. */
static inline void sweep_all(const scenario *all, size_t count) {
  aw_set_allocator(failing, &memory);
  size_t total = 0;
  for (size_t i = 0; i < count; i++) {
    int rc = once(&all[i], 0);
    if (rc != 0)
      fprintf(stderr, "%s: %s\n", all[i].name, aw_strerror(rc));
    CHECK(rc == 0);
    total += sweep(&all[i], false, 0);
    total += sweep(&all[i], true, 0);
    total += sweep(&all[i], false, 42);
  }
  aw_set_allocator(NULL, NULL);
  CHECK(once(&all[0], 0) == 0);
  printf("%zu failures in %zu scenarios\n", total, count);
}

#endif
