/* warning.c - the sink of Lua's warnings in the program [D4]
 *
 *   at first        the library's warnings of mistakes
 *   -W, warn "@on"  all warnings
 *   warn "@off"     none
 *
 * The library says "@mistake" before a warning of a mistake. Other control
 * messages are ignored, as Lua ignores them.
 */
#include "warning.h"

#include <stdio.h>
#include <string.h>

static void control(host_warnings *w, const char *word) {
  if (strcmp(word, "on") == 0)
    w->shown = HOST_WARN_ALL;
  else if (strcmp(word, "off") == 0)
    w->shown = HOST_WARN_NOTHING;
  else if (strcmp(word, "mistake") == 0)
    w->mistake = true;
}

/* A warning comes in parts; `more` says that another one follows. */
static void print_part(void *data, const char *part, int more) {
  host_warnings *w = data;
  if (!w->continues && !more && *part == '@') {
    control(w, part + 1);
    return;
  }
  if (w->shown == HOST_WARN_ALL ||
      (w->shown == HOST_WARN_MISTAKES && w->mistake)) {
    fprintf(stderr, "%s%s%s", w->continues ? "" : "Lua warning: ", part,
            more ? "" : "\n");
    fflush(stderr);
  }
  w->continues = more != 0;
  w->mistake = w->mistake && more;
}

void host_warnings_use(lua_State *L, host_warnings *warnings) {
  lua_setwarnf(L, print_part, warnings);
}
