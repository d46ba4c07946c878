/* text.h - a text of a bounded length; see text.c */
#ifndef AWL_TEXT_H
#define AWL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The most bytes of the text of a wire, and of a name in that text. */
enum { AWL_LONGEST_TEXT = 4000, AWL_LONGEST_NAME = 60 };

typedef struct awl_text {
  size_t length, most; /* bytes of `data`, which has no \0 at its end */
  bool full;           /* something was left out: the text ends with "..." */
  char data[AWL_LONGEST_TEXT];
} awl_text;

/* Make `text` an empty text of at most `most` bytes, at most
 * AWL_LONGEST_TEXT. */
void awl_text_init(awl_text *text, size_t most);
void awl_text_add(awl_text *text, const char *piece, size_t size);
void awl_text_put(awl_text *text, const char *piece); /* up to its \0 */
void awl_text_format(awl_text *text, const char *format, ...);
/* Between these two calls the added pieces are a name, which is cut by itself.
 * Pass the result of the first call to the second as `begun`. */
size_t awl_text_begin_name(awl_text *text);
void awl_text_end_name(awl_text *text, size_t begun);

#endif
