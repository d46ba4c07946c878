/* key_index.c - see key_index.h */
#include "trace/key_index.h"

#include <aiowire.h>

/* `number` is the place + 1; 0: the cell is free. */
typedef struct awm_key_cell {
  uint64_t key;
  uint32_t number;
} awm_key_cell;

/* The cell of the key, or the free cell that it would get. */
static awm_key_cell *key_cell(const awm_key_index *index, uint64_t key) {
  uint32_t at = (uint32_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32);
  awm_key_cell *cell = &index->cells[at & index->mask];
  while (cell->number && cell->key != key)
    cell = &index->cells[++at & index->mask];
  return cell;
}

static bool grow_index(awm_key_index *index) {
  awm_key_index larger = {.count = index->count, .mask = index->mask * 2 + 1};
  if (!index->cells)
    larger.mask = 255;
  larger.cells = aw_allocate(((size_t)larger.mask + 1) * sizeof *larger.cells);
  if (!larger.cells)
    return false;
  for (uint32_t i = 0; index->cells && i <= index->mask; i++)
    if (index->cells[i].number)
      *key_cell(&larger, index->cells[i].key) = index->cells[i];
  aw_free(index->cells);
  *index = larger;
  return true;
}

uint32_t awm_key_index_find(const awm_key_index *index, uint64_t key) {
  const awm_key_cell *cell = index->cells ? key_cell(index, key) : NULL;
  return cell && cell->number ? cell->number - 1 : AWM_NO_PLACE;
}

bool awm_key_index_add(awm_key_index *index, uint64_t key, uint32_t place) {
  if ((!index->cells || index->count >= index->mask / 2) && !grow_index(index))
    return false;
  *key_cell(index, key) = (awm_key_cell){.key = key, .number = place + 1};
  index->count++;
  return true;
}

void awm_key_index_free(awm_key_index *index) {
  aw_free(index->cells);
  *index = (awm_key_index){.cells = NULL};
}
