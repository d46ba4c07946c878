/* config.h - structs that a program fills, of this version or of another
 *
 * A program hands in a struct as its own header declares it, which may be that
 * of an older or of a newer version. The member `size` says how much of it
 * there is. All members down to `size` are in every version.
 *
 *     older program   a b size            zeros stand for `c`
 *     this version    a b size c
 *     newer program   a b size c d        `d` must be zero
 */
#ifndef AW_CONFIG_H
#define AW_CONFIG_H

#include "state.h"

#include <stddef.h>
#include <string.h>

/* The layout of a struct in this version. */
typedef struct aw_config_layout {
  size_t at;    /* offset of its member `size` */
  size_t known; /* size of the struct */
} aw_config_layout;

#define AW_CONFIG_LAYOUT(type) \
  ((aw_config_layout){offsetof(type, size), sizeof(type)})

/* Copy the members that this version knows from `*config` to `room`, and let
 * `*config` point to `room`. Returns 0 or AW_EINVAL. */
int aw__config_copy(const void **config, aw_config_layout layout, void *room);

/* Let `*config` point to a struct as this version knows it: mostly, to the
 * program's own. Otherwise `room` receives a copy. Returns 0 or AW_EINVAL. */
static inline int aw__config_fit(const void **config, aw_config_layout layout,
                                 void *room) {
  size_t size;
  memcpy(&size, (const char *)*config + layout.at, sizeof size);
  bool plain = size == 0 && layout.known == layout.at + sizeof size;
  if (size == layout.known || plain)
    return 0;
  return aw__config_copy(config, layout, room);
}

#endif
