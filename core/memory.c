/* memory.c - where memory comes from, who counts it, and host values
 *
 * All memory of the library comes from here, so that aw_set_allocator() can
 * stand in for the C library's. What belongs to an engine is counted in it, so
 * sizes are passed to the free functions. Wires belong to no engine and are
 * not counted; for their sake the allocator is the process's, and the one
 * variable that is global.
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

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

void *aw__malloc(size_t size) {
  if (!own.allocate)
    return calloc(1, size);
  void *memory = own.allocate(own.context, NULL, size);
  return memory ? memset(memory, 0, size) : NULL;
}

void aw__mfree(void *memory) {
  if (memory)
    aw_reallocate(memory, 0);
}

void *aw__alloc(aw_engine *engine, size_t size) {
  void *memory = aw__malloc(size);
  if (memory)
    engine->bytes += size;
  return memory;
}

void aw__free(aw_engine *engine, void *memory, size_t size) {
  if (!memory)
    return;
  engine->bytes -= size;
  aw__mfree(memory);
}

void *aw__resize(aw_engine *engine, void *memory, size_t old, size_t size) {
  void *grown = aw_reallocate(memory, size);
  if (grown)
    engine->bytes += size - old;
  return grown;
}

void aw__engine_keep(aw_engine *engine) {
  engine->refs++;
}

void aw__engine_release(aw_engine *engine) {
  if (--engine->refs > 0)
    return;
  aw__mfree(engine);
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
