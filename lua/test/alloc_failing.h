/* alloc_failing.h - allocators of Lua and of the library that fail on demand
 *
 * Both share one counter of requests: once `armed`, request number `fail_at`
 * fails, and in some modes those that follow it. Threads of the library ask,
 * too, and may free a block after the state that it was for has been closed.
 *
 * In a test with TEST_WRAPS the linker puts __wrap_malloc() and its kin in the
 * place of the functions of the C library that the library calls. They fail
 * likewise; their blocks are not counted.
 */
#ifndef ALLOC_FAILING_H
#define ALLOC_FAILING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

typedef enum mode {
  ONCE,
  TWICE,
  STICKY,
  OWN, /* once, and Lua's requests are not counted */
  MODES
} mode;

static struct {
  size_t count, fail_at; /* requests so far; the one that fails, or 0 */
  size_t live, failures; /* blocks; failed requests */
  mode mode;
  bool armed;
} memory;

static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;

static bool must_fail(bool for_lua) {
  if (!memory.armed || (for_lua && memory.mode == OWN))
    return false;
  size_t number = ++memory.count;
  bool fails =
      number == memory.fail_at ||
      (memory.mode == TWICE && number == memory.fail_at + 1) ||
      (memory.mode == STICKY && memory.fail_at && number > memory.fail_at);
  memory.failures += fails;
  return fails;
}

#if defined TEST_WRAPS
#define real_realloc __real_realloc

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);

static bool wrapped_fails(void) {
  pthread_mutex_lock(&memory_lock);
  bool fails = must_fail(false);
  pthread_mutex_unlock(&memory_lock);
  return fails;
}

void *__wrap_malloc(size_t size) {
  return wrapped_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
  return wrapped_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size) {
  return wrapped_fails() ? NULL : __real_realloc(block, size);
}

char *__wrap_strdup(const char *text) {
  return wrapped_fails() ? NULL : __real_strdup(text);
}
#else
#define real_realloc realloc
#endif

static void *own_request(void *block, size_t size) {
  if (size == 0) {
    memory.live--;
    free(block);
    return NULL;
  }
  if (must_fail(false))
    return NULL;
  memory.live += block == NULL;
  return real_realloc(block, size);
}

static bool nothing_lives(void) {
  pthread_mutex_lock(&memory_lock);
  bool none = memory.live == 0;
  pthread_mutex_unlock(&memory_lock);
  return none;
}

/* Are all blocks freed, also those that threads still have? */
static bool all_is_freed(void) {
  enum { TRIES = 10000 };
  const struct timespec pause = {0, 1000000};
  for (int i = 0; i < TRIES && !nothing_lives(); i++)
    nanosleep(&pause, NULL);
  return nothing_lives();
}

/* The allocator of the library. */
static void *own_alloc(void *context, void *block, size_t size) {
  (void)context;
  pthread_mutex_lock(&memory_lock);
  void *out = own_request(block, size);
  pthread_mutex_unlock(&memory_lock);
  return out;
}

static void *lua_request(void *block, size_t old, size_t size) {
  if (size == 0) {
    memory.live -= block != NULL;
    free(block);
    return NULL;
  }
  if ((!block || size > old) && must_fail(true))
    return NULL;
  memory.live += block == NULL;
  return real_realloc(block, size);
}

/* The allocator of Lua, which relies on that shrinking never fails. */
static void *lua_alloc(void *context, void *block, size_t old, size_t size) {
  (void)context;
  pthread_mutex_lock(&memory_lock);
  void *out = lua_request(block, old, size);
  pthread_mutex_unlock(&memory_lock);
  return out;
}

#endif
