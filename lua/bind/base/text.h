/* text.h - a text of a bounded length; see text.c */
#ifndef AWL_TEXT_H
#define AWL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* How long the text of a wire is at most, and what stands in it by name. */
enum { AWL_LONGEST_TEXT = 4000, AWL_LONGEST_NAME = 60 };

typedef struct awl_text {
  size_t length, most; /* of `data`, which is no C string */
  bool full;           /* something was left out: ends with "..." */
  char data[AWL_LONGEST_TEXT];
} awl_text;

/* An empty text of at most `most` bytes; AWL_LONGEST_TEXT is the most. */
void awl_text_init(awl_text *text, size_t most);
void awl_text_add(awl_text *text, const char *piece, size_t size);
void awl_text_put(awl_text *text, const char *piece); /* up to its \0 */
void awl_text_format(awl_text *text, const char *format, ...);
/* What is added from now on is a name, cut by itself, until it is ended by what
 * the beginning gave. */
size_t awl_text_begin_name(awl_text *text);
void awl_text_end_name(awl_text *text, size_t begun);

#endif
