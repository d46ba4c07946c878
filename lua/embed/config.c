/* config.c - copies the structs that a program fills: "Sizes" in aiowire.h
 *
 * The core has the same in core/base/config.c, which is private to it.
 * Neighbours: start.c and session.c.
 */
#include "embed/config.h"

#include <string.h>

bool awl_copy_config(const void *from, size_t size, size_t least, void *to,
                     size_t known) {
  enum { MOST = 4096 }; /* larger structs are not filled, but garbage */
  memset(to, 0, known);
  if (!from)
    return true;
  if (size == 0)
    size = least;
  if (size < least || size > MOST)
    return false;
  const char *bytes = from;
  for (size_t i = known; i < size; i++)
    if (bytes[i])
      return false;
  memcpy(to, from, size < known ? size : known);
  return true;
}
