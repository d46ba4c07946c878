/* match.c - patterns of names; see match.h
 *
 * Not fnmatch(3): it depends on the locale of the program, which a library must
 * not touch, and takes time without a limit for some patterns. Here only the
 * last `*` is ever tried again, so the time is that of the lengths multiplied.
 */
#include "file/match.h"

#include <stdint.h>
#include <string.h>

/* Take a character of UTF-8, or else a byte, which stands for itself beyond the
 * range of characters. */
static uint32_t take_character(const char **at, const char *end) {
  const unsigned char *p = (const unsigned char *)*at;
  uint32_t first = p[0];
  int more = first < 0xC2 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
  uint32_t value = more > 0 ? first & (0x3FU >> more) : first;
  bool valid = first < 0x80 || (more > 0 && first < 0xF5 && end - *at > more);
  for (int i = 1; i <= more && valid; i++) {
    valid = (p[i] & 0xC0) == 0x80;
    value = value << 6 | (p[i] & 0x3FU);
  }
  *at += valid ? more + 1 : 1;
  return valid ? value : 0x110000U + first;
}

/* A character of a class, perhaps behind a backslash. */
static uint32_t take_member(const char **at, const char *end) {
  if (**at == '\\' && end - *at > 1)
    ++*at;
  return take_character(at, end);
}

/* Return the end of the class that begins behind "[", where its "]" is; NULL:
 * there is none. A "]" at the begin is a member. */
static const char *class_end(const char *at, const char *end) {
  if (at < end && (*at == '!' || *at == '^'))
    at++;
  for (const char *from = at; at < end; at++) {
    if (*at == ']' && at > from)
      return at;
    if (*at == '\\' && end - at > 1)
      at++;
  }
  return NULL;
}

/* Is `c` in the class from `at` to `end`? */
static bool in_class(const char *at, const char *end, uint32_t c) {
  bool inverted = *at == '!' || *at == '^';
  bool found = false;
  at += inverted;
  while (at < end) {
    uint32_t low = take_member(&at, end), high = low;
    if (end - at > 1 && *at == '-') {
      at++;
      high = take_member(&at, end);
    }
    found = found || (c >= low && c <= high);
  }
  return found != inverted;
}

/* Match one character of the name with one item of the pattern, which is no
 * `*`, and step behind both. */
static bool match_one(const char **pattern, const char *end, const char **name,
                      const char *name_end) {
  uint32_t c = take_character(name, name_end);
  const char *close;
  switch (**pattern) {
  case '?': ++*pattern; return true;
  case '[':
    close = class_end(*pattern + 1, end);
    if (close) {
      bool is = in_class(*pattern + 1, close, c);
      *pattern = close + 1;
      return is;
    }
    break;
  default: break;
  }
  return take_member(pattern, end) == c;
}

bool awio_match(const char *pattern, size_t size, const char *name) {
  const char *end = pattern + size, *name_end = name + strlen(name);
  const char *star = NULL, *again = NULL; /* behind the last `*` */
  if (*name == '.' && size > 0 && strchr("*?[", *pattern))
    return false;
  while (name < name_end) {
    if (pattern < end && *pattern == '*') {
      star = ++pattern;
      again = name;
    } else if (pattern >= end || !match_one(&pattern, end, &name, name_end)) {
      if (!star)
        return false;
      take_character(&again, name_end);
      pattern = star;
      name = again;
    }
  }
  while (pattern < end && *pattern == '*')
    pattern++;
  return pattern == end;
}

bool awio_match_is_plain(const char *pattern, size_t size) {
  const char *end = pattern + size;
  for (; pattern < end; pattern++) {
    if (*pattern == '*' || *pattern == '?' ||
        (*pattern == '[' && class_end(pattern + 1, end)))
      return false;
    if (*pattern == '\\' && end - pattern > 1)
      pattern++;
  }
  return true;
}

size_t awio_match_plain(const char *pattern, size_t size, char *out) {
  const char *end = pattern + size;
  char *begin = out;
  while (pattern < end) {
    if (*pattern == '\\' && end - pattern > 1)
      pattern++;
    *out++ = *pattern++;
  }
  return (size_t)(out - begin);
}
