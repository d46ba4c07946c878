/* memory.c - where memory comes from, who counts it, and host values
 *
 * What belongs to an engine is counted in it, so sizes are passed to the
 * free functions. Wires belong to no engine and are not counted.
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

void *aw__malloc(size_t size) {
  return calloc(1, size);
}

void aw__mfree(void *memory) {
  free(memory);
}

void *aw__alloc(aw_engine *engine, size_t size) {
  void *memory = calloc(1, size);
  if (memory)
    engine->bytes += size;
  return memory;
}

void aw__free(aw_engine *engine, void *memory, size_t size) {
  if (!memory)
    return;
  engine->bytes -= size;
  free(memory);
}

void *aw__resize(aw_engine *engine, void *memory, size_t old, size_t size) {
  void *grown = realloc(memory, size);
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
  free(engine);
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
