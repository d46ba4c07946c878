/* numbers.c - numbers of things: free ones, and those of keys
 *
 * Things that are made and freed all the time have numbers, which are reused,
 * so that arrays of them stay dense. A chain has the free numbers. A hash table
 * finds the number of a thing by a key, such as an address or an id.
 *
 * A cell of the hash table holds a number plus 1; 0 means free. The key is not
 * kept: the owner of the table reads it from the thing. On a collision the next
 * cells are tried in turn; at least half of the cells are free.
 *
 * Neighbours: tasks.c finds Tasks, and run/coroutine_owner.c workers.
 */
#include "base/numbers.h"

#include <string.h>

/* ---- free numbers ---- */

bool awl_grow_chain(uint32_t **chain, uint32_t *count, uint32_t least) {
  uint32_t grown = *count ? *count * 2 : least;
  uint32_t *numbers = aw_reallocate(*chain, grown * sizeof *numbers);
  if (!numbers)
    return false;
  for (uint32_t i = *count; i < grown; i++)
    numbers[i] = i + 1;
  *chain = numbers;
  *count = grown;
  return true;
}

/* ---- numbers by keys ---- */

bool awl_numbers_reserve(const awl_state *s, awl_numbers *numbers,
                         awl_key_of *key_of) {
  enum { FEWEST_BITS = 5 };
  awl_numbers old = *numbers;
  uint32_t size = old.cells ? UINT32_C(1) << old.bits : 0;
  if (old.count < size / 2)
    return true;
  awl_numbers grown = {.bits = old.cells ? old.bits + 1 : FEWEST_BITS};
  grown.cells = aw_allocate(sizeof *grown.cells << grown.bits);
  if (!grown.cells)
    return false;
  for (uint32_t i = 0; i < size; i++)
    if (old.cells[i])
      awl_numbers_add(&grown, key_of(s, old.cells[i] - 1), old.cells[i] - 1);
  aw_free(old.cells);
  *numbers = grown;
  return true;
}

void awl_numbers_clear(awl_numbers *numbers) {
  memset(numbers->cells, 0, sizeof *numbers->cells << numbers->bits);
  numbers->count = 0;
}
