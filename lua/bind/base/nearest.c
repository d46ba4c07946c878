/* nearest.c - the name that somebody meant who wrote another one */
#include <aiowire_lua.h>

#include <ctype.h>
#include <string.h>

enum { LONGEST = 40 };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static bool same(char a, char b) {
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* How many letters to change, leave out, put in or swap with the next one,
 * whatever their case. Both are at most LONGEST long. */
static size_t distance(const char *a, const char *b) {
  size_t rows[3][LONGEST + 1], width = strlen(b), height = strlen(a);
  for (size_t j = 0; j <= width; j++)
    rows[0][j] = j;
  for (size_t i = 1; i <= height; i++) {
    const size_t *before = rows[(i + 1) % 3], *above = rows[(i + 2) % 3];
    size_t *row = rows[i % 3];
    row[0] = i;
    for (size_t j = 1; j <= width; j++) {
      row[j] = least(above[j - 1] + !same(a[i - 1], b[j - 1]),
                     least(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
          same(a[i - 2], b[j - 1]))
        row[j] = least(row[j], before[j - 2] + 1);
    }
  }
  return rows[height % 3][width];
}

const char *aw_lua_nearest(const char *name,
                           const char *(*get)(const void *list, size_t index),
                           const void *list) {
  const char *best = NULL, *at;
  size_t length = strlen(name);
  size_t nearest = length / 3 + 2; /* further away is something else */
  for (size_t i = 0; length <= LONGEST && (at = get(list, i)) != NULL; i++) {
    size_t d = strlen(at) <= LONGEST ? distance(name, at) : nearest;
    if (d < nearest) {
      nearest = d;
      best = at;
    }
  }
  return best;
}
