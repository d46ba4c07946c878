/* memory.h - the memory of an engine, and values of its host; see memory.c */
#ifndef AW_MEMORY_H
#define AW_MEMORY_H

#include "state.h"

enum { AW_CACHE_LINE = 64 };

/* Prefetch the cache line at `place`, which will be used soon. */
static inline void aw__prefetch(const void *place) {
#ifdef __GNUC__
  __builtin_prefetch(place, 1);
#else
  (void)place;
#endif
}

void *aw__alloc(aw_engine *engine, size_t size); /* zeroed, or NULL */
void aw__free(aw_engine *engine, void *memory, size_t size);
void *aw__resize(aw_engine *engine, void *memory, size_t old, size_t size);
aw_task *aw__task_take(aw_engine *engine); /* zeroed, or NULL */
void aw__task_put_back(aw_engine *engine, aw_task *task);
void aw__engine_keep(aw_engine *engine);
void aw__engine_release(aw_engine *engine);
void aw__drop(aw_engine *engine, aw_value value);
aw_value aw__keep_value(aw_engine *engine, aw_value value);

#endif
