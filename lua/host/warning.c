/* warning.c - prints Lua's warnings for the program [D4]
 *
 *   at first        prints warnings of mistakes only
 *   -W, warn "@on"  prints all warnings
 *   warn "@off"     prints none
 *
 * The library sends the control message "@mistake" before a warning of a
 * mistake. Unknown control messages are ignored, as in Lua.
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

/* Print a part of a warning.
 *
 *   more  another part follows
 */
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
