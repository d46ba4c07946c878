/* config.h - copies the structs that a program fills; see config.c */
#ifndef AWL_CONFIG_H
#define AWL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* Copy the struct `from` of a program, which may know fewer members, or more,
 * to `to` of `known` bytes, as core/base/config.c does it.
 *
 *   from  NULL: all members are zero
 *   size  its member `size`; 0 stands for `least`, the bytes down to `size`
 *
 * Returns false if the size is none, or if a member is set that this version
 * does not know. */
bool awl_copy_config(const void *from, size_t size, size_t least, void *to,
                     size_t known);

#endif
