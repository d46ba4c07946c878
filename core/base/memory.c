/* memory.c - the allocator, the memory of an engine, and values of its host
 *
 * The library allocates by these functions only, so that aw_set_allocator() can
 * replace the C library's. An engine counts its memory in `bytes`, so callers
 * pass the size when they free. Wires belong to no engine and are not counted.
 * Since wires have no engine, the allocator is a global variable. The only
 * other global variables are a lock in libuv.c and the state of libzmq.c.
 */
#if defined(__linux__)
#define _DEFAULT_SOURCE /* madvise */
#endif
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct {
  aw_allocator allocate; /* NULL: the C library's */
  void *context;
} own;

void aw_set_allocator(aw_allocator allocate, void *context) {
  own.allocate = allocate;
  own.context = context;
}

void *aw_reallocate(void *memory, size_t size) {
  if (!memory && size == 0)
    return NULL;
  if (own.allocate)
    return own.allocate(own.context, memory, size);
  if (size > 0)
    return realloc(memory, size);
  free(memory);
  return NULL;
}

/* For a small block, calloc() of glibc takes four times as long as malloc():
 * it passes by the blocks that the thread has just freed. For a large one,
 * calloc() knows what the kernel has cleared already. */
void *aw_allocate(size_t size) {
  enum { SMALL = 1024 };
  if (!own.allocate && size > SMALL)
    return calloc(1, size);
  void *memory =
      own.allocate ? own.allocate(own.context, NULL, size) : malloc(size);
  return memory ? memset(memory, 0, size) : NULL;
}

void aw_free(void *memory) {
  if (memory)
    aw_reallocate(memory, 0);
}

/* ---- the memory of an engine ----
 *
 * Scopes, errors and groups come and go with each part of a wire. What an ended
 * task has is freed when its Task is garbage, with that of many others. So the
 * engine keeps free blocks, at most SPARE_MOST bytes of each size: to take one
 * costs a fifth of calloc() and free(). AddressSanitizer sees each block.
 */

enum { SPARE_STEP = 16, SPARE_MOST = 64 * 1024 };

typedef struct aw_spare {
  struct aw_spare *next;
} aw_spare;

#if defined(__SANITIZE_ADDRESS__) || defined(AW_NO_SLABS)

static aw_spares *spares_for(aw_engine *engine, size_t size) {
  (void)engine;
  (void)size;
  return NULL;
}

static size_t block_size(size_t size) {
  return size;
}

#else

/* The free blocks for `size` bytes; NULL: none are kept. */
static aw_spares *spares_for(aw_engine *engine, size_t size) {
  size_t number = (size + SPARE_STEP - 1) / SPARE_STEP;
  return number > 0 && number < AW_SPARES ? &engine->spares[number] : NULL;
}

/* All blocks that share an entry of `spares` have the same size. */
static size_t block_size(size_t size) {
  size_t rounded = (size + SPARE_STEP - 1) / SPARE_STEP * SPARE_STEP;
  return rounded < (size_t)AW_SPARES * SPARE_STEP ? rounded : size;
}

#endif

static void free_spares(aw_engine *engine) {
  for (size_t i = 0; i < AW_SPARES; i++)
    while (engine->spares[i].first) {
      aw_spare *spare = engine->spares[i].first;
      engine->spares[i].first = spare->next;
      aw_free(spare);
    }
}

void *aw__alloc(aw_engine *engine, size_t size) {
  assert(engine);
  aw_spares *spares = spares_for(engine, size);
  void *memory;
  if (spares && spares->first) {
    memory = spares->first;
    spares->first = spares->first->next;
    spares->count--;
    memset(memory, 0, size);
  } else {
    memory = aw_allocate(block_size(size));
  }
  if (memory)
    engine->bytes += size;
  return memory;
}

void aw__free(aw_engine *engine, void *memory, size_t size) {
  if (!memory)
    return;
  engine->bytes -= size;
  aw_spares *spares = spares_for(engine, size);
  if (!spares || spares->count * block_size(size) >= SPARE_MOST) {
    aw_free(memory);
    return;
  }
  aw_spare *spare = memory;
  spare->next = spares->first;
  spares->first = spare;
  spares->count++;
}

void *aw__resize(aw_engine *engine, void *memory, size_t old, size_t size) {
  if (!memory) /* a free block may do */
    return aw__alloc(engine, size);
  void *grown = aw_reallocate(memory, block_size(size));
  if (grown)
    engine->bytes += size - old;
  return grown;
}

/* ---- tasks ----
 *
 * Programs start tasks by the hundred thousand, so tasks are allocated from
 * slabs, each twice as large as the one before. Free tasks form a list by their
 * `root`. Slabs are freed with the engine only. For sanitizers each task is an
 * allocation of its own.
 */

#if defined(__SANITIZE_ADDRESS__) || defined(AW_NO_SLABS)

aw_task *aw__task_take(aw_engine *engine) {
  return aw__alloc(engine, sizeof(aw_task));
}

void aw__task_put_back(aw_engine *engine, aw_task *task) {
  aw__free(engine, task, sizeof *task);
}

static void free_slabs(aw_engine *engine) {
  (void)engine;
}

#else

enum { SLAB_LEAST = 16, SLAB_MOST = 1024, STRETCH = 256 };

/* Populate the pages of some hundred tasks by one call. A page fault for each
 * page costs three to four times as much, most of all on a virtual machine. A
 * kernel without this call populates the pages one by one. */
static void populate(aw_task *tasks, uint32_t count) {
#ifdef MADV_POPULATE_WRITE
  const uintptr_t page = 4096;
  uintptr_t start = ((uintptr_t)tasks + page - 1) & ~(page - 1);
  uintptr_t end = ((uintptr_t)(tasks + count)) & ~(page - 1);
  if (start < end)
    (void)madvise((void *)start, end - start, MADV_POPULATE_WRITE);
#else
  (void)tasks;
  (void)count;
#endif
}

static size_t slab_size(uint32_t count) {
  return sizeof(aw_slab) + AW_CACHE_LINE - 1 + count * sizeof(aw_task);
}

static bool add_slab(aw_engine *engine) {
  uint32_t count = engine->slabs ? engine->slabs->count * 2 : SLAB_LEAST;
  if (count > SLAB_MOST)
    count = SLAB_MOST;
  aw_slab *slab = aw__alloc(engine, slab_size(count));
  if (!slab)
    return false;
  uintptr_t behind = (uintptr_t)(slab + 1) + AW_CACHE_LINE - 1;
  slab->tasks = (aw_task *)(behind & ~(uintptr_t)(AW_CACHE_LINE - 1));
  slab->count = count;
  slab->next = engine->slabs;
  engine->slabs = slab;
  engine->fresh = 0;
  return true;
}

/* The tasks of a slab are taken in order: its last pages are touched last. */
aw_task *aw__task_take(aw_engine *engine) {
  aw_task *task = engine->free_tasks;
  if (task) {
    engine->free_tasks = (aw_task *)(void *)task->root;
    return memset(task, 0, sizeof *task);
  }
  bool full = !engine->slabs || engine->fresh == engine->slabs->count;
  if (full && !add_slab(engine))
    return NULL;
  task = &engine->slabs->tasks[engine->fresh];
  if (engine->slabs->count >= STRETCH && engine->fresh % STRETCH == 0)
    populate(task, STRETCH);
  engine->fresh++;
  return task;
}

void aw__task_put_back(aw_engine *engine, aw_task *task) {
  task->root = (aw_wire *)(void *)engine->free_tasks;
  engine->free_tasks = task;
}

static void free_slabs(aw_engine *engine) {
  while (engine->slabs) {
    aw_slab *slab = engine->slabs;
    engine->slabs = slab->next;
    aw__free(engine, slab, slab_size(slab->count));
  }
}

#endif

void aw__engine_keep(aw_engine *engine) {
  engine->refs++;
}

void aw__engine_release(aw_engine *engine) {
  if (--engine->refs > 0)
    return;
  free_slabs(engine);
  free_spares(engine);
  aw_free(engine);
}

void aw__drop(aw_engine *engine, aw_value value) {
  if (value && engine->config.drop)
    engine->config.drop(engine->config.host, value);
}

aw_value aw__keep_value(aw_engine *engine, aw_value value) {
  if (value && engine->config.keep)
    return engine->config.keep(engine->config.host, value);
  return value;
}
