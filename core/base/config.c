/* config.c - structs of other versions; see config.h
 *
 * The rules are those of copy_struct_from_user() in Linux. Members that an
 * older program does not have are zero here. A newer program may have members
 * that this version does not know, if it leaves them at zero.
 *
 * Neighbours: every function that takes such a struct.
 */
#include "base/config.h"

enum { MOST = 4096 }; /* larger structs are not filled, but garbage */

static bool is_zero(const char *bytes, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (bytes[i] != 0)
      return false;
  return true;
}

int aw__config_copy(const void **config, aw_config_layout layout, void *room) {
  const char *given = *config;
  const size_t first = layout.at + sizeof(size_t); /* of version 0.1 */
  size_t size;
  memcpy(&size, given + layout.at, sizeof size);
  if (size == 0)
    size = first;
  if (size < first || size > MOST)
    return AW_EINVAL;
  size_t used = size < layout.known ? size : layout.known;
  if (!is_zero(given + used, size - used))
    return AW_EINVAL;
  memset(room, 0, layout.known);
  memcpy(room, given, used);
  *config = room;
  return 0;
}
