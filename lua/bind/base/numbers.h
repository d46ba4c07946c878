/* numbers.h - numbers of things: free ones, and those of keys; see numbers.c */
#ifndef AWL_NUMBERS_H
#define AWL_NUMBERS_H

#include "base/state.h"

/* ---- free numbers ---- */

/* Double the array of a chain of free numbers; the first array has `least`
 * entries. In the chain, the entry of a free number is the next free number,
 * and the last entry is `*count`. False: out of memory. */
bool awl_grow_chain(uint32_t **chain, uint32_t *count, uint32_t least);

/* ---- numbers by keys ---- */

/* Return the key of a number that is in the table. */
typedef uint64_t awl_key_of(const awl_state *s, uint32_t number);

/* Make room for one more number; false: out of memory. */
bool awl_numbers_reserve(const awl_state *s, awl_numbers *numbers,
                         awl_key_of *key_of);
/* Remove all numbers, and keep the room. */
void awl_numbers_clear(awl_numbers *numbers);

/* The rest is inline: each task and each worker is added, found and removed.
 *
 * The numbers of a key are among those that this loop visits:
 *
 *   for (uint32_t cell = awl_numbers_first(numbers, key);
 *        awl_numbers_at(numbers, cell, &number);
 *        cell = awl_numbers_next(numbers, cell)) */
static inline uint32_t awl_numbers_first(const awl_numbers *numbers,
                                         uint64_t key) {
  uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
  return numbers->cells ? (uint32_t)(hash >> (64 - numbers->bits)) : 0;
}

static inline bool awl_numbers_at(const awl_numbers *numbers, uint32_t cell,
                                  uint32_t *number) {
  if (!numbers->cells || !numbers->cells[cell])
    return false;
  *number = numbers->cells[cell] - 1;
  return true;
}

static inline uint32_t awl_numbers_next(const awl_numbers *numbers,
                                        uint32_t cell) {
  return (cell + 1) & ((UINT32_C(1) << numbers->bits) - 1);
}

/* Add a number; there must be room. Several numbers may have the same key. */
static inline void awl_numbers_add(awl_numbers *numbers, uint64_t key,
                                   uint32_t number) {
  uint32_t cell = awl_numbers_first(numbers, key);
  while (numbers->cells[cell])
    cell = awl_numbers_next(numbers, cell);
  numbers->cells[cell] = number + 1;
  numbers->count++;
}

/* Remove a number, which must be there: free its cell, and move later numbers
 * up into the hole, unless their home cell lies after the hole. */
static inline void awl_numbers_remove(const awl_state *s, awl_numbers *numbers,
                                      uint32_t number, awl_key_of *key_of) {
  uint32_t *cells = numbers->cells;
  uint32_t mask = (UINT32_C(1) << numbers->bits) - 1;
  uint32_t hole = awl_numbers_first(numbers, key_of(s, number));
  while (cells[hole] != number + 1)
    hole = awl_numbers_next(numbers, hole);
  for (uint32_t i = (hole + 1) & mask; cells[i]; i = (i + 1) & mask) {
    uint32_t home = awl_numbers_first(numbers, key_of(s, cells[i] - 1));
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      cells[hole] = cells[i];
      hole = i;
    }
  }
  cells[hole] = 0;
  numbers->count--;
}

#endif
