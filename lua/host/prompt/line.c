/* line.c - see line.h */
#include "prompt/line.h"

#include "prompt/above.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

host_edited *host_edited_current;

void host_line_write(const host_edited *e, const char *text) {
  host_write_all(e->terminal, text, strlen(text));
}

host_place host_line_place(host_edited *e, bool at_end, int columns) {
  const host_line_info *info = e->lib->wline(e->el);
  const wchar_t *until = at_end ? info->end : info->cursor;
  host_place place = {0, 0};
  host_layout_prompt(&place, e->prompt, columns);
  host_layout(&place, info->buffer, (size_t)(until - info->buffer), columns);
  int last = host_size_of(e->terminal).rows - 1;
  if (place.row > last)
    place.row = last;
  return place;
}

void host_line_draw(host_edited *e) {
  e->columns = host_size_of(e->terminal).columns;
  e->lib->resize(e->el);
  e->lib->wset(e->el, HOST_EL_REFRESH);
}

void host_line_redraw(host_edited *e, int row) {
  char up[32];
  snprintf(up, sizeof up, "\033[%dA", row);
  host_line_write(e, "\r");
  if (row > 0)
    host_line_write(e, up);
  host_line_write(e, "\033[J");
  host_line_draw(e);
}

void host_line_leave(host_edited *e, const char *mark) {
  host_place now = host_line_place(e, false, e->columns);
  host_place end = host_line_place(e, true, e->columns);
  char move[64];
  snprintf(move, sizeof move, "\033[%dB", end.row - now.row);
  if (end.row > now.row)
    host_line_write(e, move);
  snprintf(move, sizeof move, "\033[%dG", end.column + 1);
  host_line_write(e, move);
  host_line_write(e, mark);
  host_line_write(e, "\n");
}

void host_line_give_up(host_edited *e) {
  int row = host_line_place(e, false, e->columns).row;
  uselocale(e->outside);
  if (e->above)
    host_above_release(e->above, row);
}

void host_line_take_back(host_edited *e) {
  bool erased = e->above && host_above_take(e->above);
  uselocale(e->locale);
  if (erased)
    host_line_draw(e);
}
