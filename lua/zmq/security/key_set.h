/* key_set.h - sets of public keys, and the keys of a folder
 *
 * A folder has certificates in CZMQ's format: a file for each key, with a line
 * `public-key = "…"`. The folder is read again when its time of modification
 * has changed: a file was created, renamed or removed. A file that is written
 * in place is noticed only at that time.
 *
 * Both are memory of malloc(3). Functions that return int return 0 or a
 * negative code. Call from: any thread. */
#ifndef AWZ_KEY_SET_H
#define AWZ_KEY_SET_H

#include "security/request.h"

#include <time.h>

/* Keys in ascending order. Zeros are an empty set. */
typedef struct awz_key_set {
  unsigned char (*keys)[AWZ_KEY_BYTES];
  size_t count, room;
} awz_key_set;

bool awz_key_set_has(const awz_key_set *set, const unsigned char *key);
int awz_key_set_add(awz_key_set *set, const unsigned char *key);
void awz_key_set_remove(awz_key_set *set, const unsigned char *key);
void awz_key_set_clear(awz_key_set *set);

typedef struct awz_key_folder {
  char *path; /* NULL: no folder */
  awz_key_set keys;
  struct timespec changed; /* time of modification when it was read */
  time_t read_at;          /* second in which it was read last */
} awz_key_folder;

/* Use the folder at `path`, and read it. Returns -errno if it cannot be read.
 */
int awz_key_folder_open(awz_key_folder *folder, const char *path);
/* Tell whether the folder has the key now. A folder that cannot be read any
 * more has none. */
bool awz_key_folder_has(awz_key_folder *folder, const unsigned char *key);
void awz_key_folder_close(awz_key_folder *folder);

#endif
