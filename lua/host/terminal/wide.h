/* wide.h - texts in the characters of the terminal's locale */
#ifndef HOST_WIDE_H
#define HOST_WIDE_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

/* A locale whose characters are those of the terminal: that of the environment,
 * or UTF-8 if that one has only ASCII or is not installed. Only for
 * uselocale(): the process keeps its own, and Lua sees no other. Gives the
 * locale, or (locale_t)0 when out of memory. */
locale_t host_terminal_locale(void);

/* Gives a text in wide characters, in the locale in use. A byte that is no
 * character becomes "?", or, if `strict`, makes this fail. NULL: failed, or out
 * of memory. */
wchar_t *host_widen(const char *text, bool strict);

/* Gives the bytes of a text, with a 0 behind them; zeros in the text are left
 * out. NULL: out of memory. */
char *host_narrow(const wchar_t *text, size_t count, size_t *length);

#endif
