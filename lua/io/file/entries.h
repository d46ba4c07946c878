/* entries.h - lists of names, for threads of the pool */
#ifndef AWIO_ENTRIES_H
#define AWIO_ENTRIES_H

#include <stddef.h>
#include <sys/stat.h>

typedef struct awio_entry {
  char *name;
  mode_t type; /* the bits S_IFMT of its mode; 0: unknown */
} awio_entry;

/* A list of zeros is empty. The names lie in large blocks: a folder may have
 * 100,000, which are freed on the thread of a loop. */
typedef struct awio_entries {
  awio_entry *list;
  size_t count, room;
  struct awio_name_block *names; /* the blocks, the newest first */
} awio_entries;

/* Append a copy of a name. Returns 0 or AW_ENOMEM. */
int awio_entries_add(awio_entries *entries, const char *name, mode_t type);

/* Append the names in a folder, without "." and "..". Returns 0 or a negative
 * code. */
int awio_entries_read(awio_entries *entries, const char *folder);

/* Put the names in the order of their bytes. */
void awio_entries_sort(awio_entries *entries);

void awio_entries_free(awio_entries *entries);

/* The type of a file for Lua, such as "file". */
const char *awio_type_name(mode_t mode);

#endif
