/* warning.c - prints Lua's warnings for the program [D4]
 *
 *   at first        prints warnings of mistakes only
 *   -W, warn "@on"  prints all warnings
 *   warn "@off"     prints none
 *
 * The library sends the control message "@mistake" before a warning of a
 * mistake. Unknown control messages are ignored, as in Lua.
 *
 * What is shown is the same for all states of the program: workers warn as the
 * main program does. Each warning is one write, so that those of several
 * threads do not mix.
 */
#include "report/warning.h"

#include "terminal/style.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MISTAKES, ALL, NOTHING };

static atomic_int shown = MISTAKES;

static void control(host_warnings *w, const char *word) {
  if (strcmp(word, "on") == 0)
    shown = ALL;
  else if (strcmp(word, "off") == 0)
    shown = NOTHING;
  else if (strcmp(word, "mistake") == 0)
    w->mistake = true;
}

/* Add a part to the text. False: there is no memory. */
static bool add_part(host_warnings *w, const char *part) {
  size_t size = strlen(part);
  char *text = realloc(w->text, w->size + size + 1);
  if (!text)
    return false;
  memcpy(text + w->size, part, size + 1);
  w->text = text;
  w->size += size;
  return true;
}

static bool is_shown(const host_warnings *w) {
  int which = shown;
  return which == ALL || (which == MISTAKES && w->mistake);
}

static void print_warning(const char *text) {
  static const char LABEL[] = "Lua warning: ";
  size_t size = strlen(text);
  char *line = malloc(sizeof LABEL + size);
  if (!line) {
    fprintf(stderr, "%s%s\n", LABEL, text);
    return;
  }
  memcpy(line, LABEL, sizeof LABEL - 1);
  memcpy(line + sizeof LABEL - 1, text, size + 1);
  host_style_print(STDERR_FILENO, HOST_STYLE_NOTE, line);
  free(line);
}

/* Take a part of a warning, and print the whole.
 *
 *   more  another part follows
 */
static void print_part(void *data, const char *part, int more) {
  host_warnings *w = data;
  if (!w->text && !more && *part == '@') {
    control(w, part + 1);
    return;
  }
  if ((more || w->text) && add_part(w, part))
    part = w->text;
  if (more)
    return;
  if (is_shown(w))
    print_warning(part);
  free(w->text);
  *w = (host_warnings){false, NULL, 0};
}

void host_warnings_use(lua_State *L, host_warnings *warnings) {
  lua_setwarnf(L, print_part, warnings);
}

void host_warnings_stop(void) {
  shown = NOTHING;
}
