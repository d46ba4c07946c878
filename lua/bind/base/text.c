/* text.c - a text of bounded length, written from left to right
 *
 * Users may give names of a megabyte, or wires with a million parts. A text
 * takes what fits, ends with "..." and takes no more. Code that walks a
 * structure stops when `full` is set, so the time is bounded as well. No UTF-8
 * character is cut in two.
 */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char DOTS[] = "...";
enum { DOTS_LENGTH = sizeof DOTS - 1 };

void awl_text_init(awl_text *text, size_t most) {
  text->length = 0;
  text->most = most;
  text->full = false;
}

/* Replace the end of the text by dots: a piece did not fit. */
static void cut(awl_text *text) {
  size_t end = text->most - DOTS_LENGTH;
  if (end > text->length)
    end = text->length;
  while (end > 0 && end < text->length &&
         ((unsigned char)text->data[end] & 0xc0) == 0x80)
    end--;
  memcpy(text->data + end, DOTS, DOTS_LENGTH);
  text->length = end + DOTS_LENGTH;
  text->full = true;
}

void awl_text_add(awl_text *text, const char *piece, size_t size) {
  if (text->full)
    return;
  size_t room = text->most - text->length;
  size_t taken = size < room ? size : room;
  memcpy(text->data + text->length, piece, taken);
  text->length += taken;
  if (taken < size)
    cut(text);
}

void awl_text_put(awl_text *text, const char *piece) {
  awl_text_add(text, piece, strnlen(piece, AWL_LONGEST_TEXT + 1));
}

void awl_text_format(awl_text *text, const char *format, ...) {
  char piece[128];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(piece, sizeof piece, format, arguments);
  va_end(arguments);
  awl_text_put(text, piece);
}

size_t awl_text_begin_name(awl_text *text) {
  size_t begun = text->most;
  if (!text->full && text->length + AWL_LONGEST_NAME < text->most)
    text->most = text->length + AWL_LONGEST_NAME;
  return begun;
}

void awl_text_end_name(awl_text *text, size_t begun) {
  if (text->most < begun)
    text->full = false;
  text->most = begun;
}
