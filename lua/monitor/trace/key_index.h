/* key_index.h - finds the place of a key in a list
 *
 * A hash table with open addressing, at most half full. A key is added once and
 * never removed.
 */
#ifndef AWM_KEY_INDEX_H
#define AWM_KEY_INDEX_H

#include <stdbool.h>
#include <stdint.h>

enum { AWM_NO_PLACE = UINT32_MAX };

typedef struct awm_key_index {
  struct awm_key_cell *cells;
  uint32_t count, mask; /* of keys; of numbers of cells */
} awm_key_index;

/* Find the place of a key, or AWM_NO_PLACE. */
uint32_t awm_key_index_find(const awm_key_index *index, uint64_t key);
/* Add a key that is not there. False: out of memory. */
bool awm_key_index_add(awm_key_index *index, uint64_t key, uint32_t place);
void awm_key_index_free(awm_key_index *index);

#endif
