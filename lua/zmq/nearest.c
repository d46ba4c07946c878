/* nearest.c - the name that somebody meant who wrote another one */
#include "zmq.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 40 };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* How many letters to change, leave out or put in, whatever their case. Both
 * are at most LONGEST long. */
static size_t distance(const char *a, const char *b) {
  size_t row[LONGEST + 1], length = strlen(b);
  for (size_t i = 0; i <= length; i++)
    row[i] = i;
  for (; *a; a++) {
    size_t diagonal = row[0]++;
    for (size_t i = 1; i <= length; i++) {
      bool other =
          tolower((unsigned char)*a) != tolower((unsigned char)b[i - 1]);
      size_t change = diagonal + other;
      diagonal = row[i];
      row[i] = least(change, least(row[i], row[i - 1]) + 1);
    }
  }
  return row[length];
}

void awz_push_nearest(lua_State *L, const char *name, size_t count,
                      const char *(*get)(size_t index)) {
  const char *best = NULL;
  size_t length = strlen(name);
  size_t nearest = length / 3 + 2; /* further away is something else */
  for (size_t i = 0; length <= LONGEST && i < count; i++) {
    size_t d = distance(name, get(i));
    if (d < nearest) {
      nearest = d;
      best = get(i);
    }
  }
  if (best)
    lua_pushfstring(L, " (did you mean '%s'?)", best);
  else
    lua_pushliteral(L, "");
}
