/* match.h - patterns of names */
#ifndef AWIO_MATCH_H
#define AWIO_MATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Does `name` match the first `size` bytes of `pattern`, which has no "/"?
 *
 *   *          any characters, also none
 *   ?          one character of UTF-8, or a byte that is none
 *   [abc]      one of these, ranges as in [a-z]; [!abc], [^abc]: none of these
 *   \x         x itself
 *
 * A "[" without its "]" is itself. A "." at the begin of the name is matched by
 * a "." only. */
bool awio_match(const char *pattern, size_t size, const char *name);

/* Does the pattern match one name only? */
bool awio_match_is_plain(const char *pattern, size_t size);

/* Copy a plain pattern without its backslashes; returns the size. `out` has
 * room for `size` bytes. */
size_t awio_match_plain(const char *pattern, size_t size, char *out);

#endif
