/* wide.c - texts in the characters of the terminal's locale; see wide.h */
#include "terminal/wide.h"

#include <langinfo.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool has_only_ascii(locale_t locale) {
  const char *name = nl_langinfo_l(CODESET, locale);
  return strcmp(name, "ANSI_X3.4-1968") == 0 || strcmp(name, "US-ASCII") == 0;
}

locale_t host_terminal_locale(void) {
  locale_t own = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
  if (own && !has_only_ascii(own))
    return own;
  locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  if (utf8 && own)
    freelocale(own);
  if (utf8 || own)
    return utf8 ? utf8 : own;
  return newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
}

wchar_t *host_widen(const char *text, bool strict) {
  size_t left = strlen(text), count = 0;
  wchar_t *out = calloc(left + 1, sizeof *out);
  mbstate_t state;
  memset(&state, 0, sizeof state);
  while (out && left > 0) {
    wchar_t c;
    size_t n = mbrtowc(&c, text, left, &state);
    if (n > left) { /* invalid or incomplete */
      if (strict) {
        free(out);
        return NULL;
      }
      memset(&state, 0, sizeof state);
      c = L'?';
      n = 1;
    }
    out[count++] = c;
    text += n;
    left -= n;
  }
  return out;
}

char *host_narrow(const wchar_t *text, size_t count, size_t *length) {
  char *out = malloc(count * MB_LEN_MAX + 1);
  if (!out)
    return NULL;
  mbstate_t state;
  memset(&state, 0, sizeof state);
  char *to = out;
  for (size_t i = 0; i < count; i++) {
    size_t n = text[i] ? wcrtomb(to, text[i], &state) : 0;
    if (n == (size_t)-1) {
      memset(&state, 0, sizeof state);
      *to = '?';
      n = 1;
    }
    to += n;
  }
  *to = '\0';
  *length = (size_t)(to - out);
  return out;
}
