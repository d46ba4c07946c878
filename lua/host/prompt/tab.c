/* tab.c - the key Tab: completes the word before the cursor
 *
 * In the indentation of a line, Tab indents by two spaces. Else it inserts what
 * all candidates have in common, or lists them below the line if that is
 * nothing new.
 */
#include "prompt/tab.h"

#include "prompt/candidates.h"
#include "prompt/line.h"
#include "terminal/wide.h"

#include <stdlib.h>
#include <string.h>
#include <wctype.h>

static bool is_blank(const wchar_t *from, const wchar_t *to) {
  while (to > from && to[-1] != L'\n' && iswspace((wint_t)to[-1]))
    to--;
  return to == from || to[-1] == L'\n';
}

/* Ask the caller. Gives a list that is not empty, or NULL. */
static char **ask_for_candidates(host_edited *e, const char *text,
                                 size_t length, size_t *word) {
  *word = 0;
  host_line_give_up(e);
  char **found = e->calls.complete(e->calls.data, text, length, word);
  host_line_take_back(e);
  if (found && found[0] && *word <= length)
    return found;
  host_free_candidates(found);
  return NULL;
}

/* Replace the word before the cursor by what all candidates begin with. Returns
 * false if that is the word itself. */
static bool extend(host_edited *e, char **candidates, const char *word) {
  size_t length = host_common_prefix(candidates);
  if (length <= strlen(word) &&
      (candidates[1] || strcmp(candidates[0], word) == 0))
    return false;
  char *prefix = strndup(candidates[0], length);
  wchar_t *old = host_widen(word, false);
  wchar_t *new = prefix ? host_widen(prefix, false) : NULL;
  if (old && new) {
    e->lib->deletestr(e->el, (int)wcslen(old));
    e->lib->winsertstr(e->el, new);
  }
  free(prefix);
  free(old);
  free(new);
  return true;
}

static void list_candidates(host_edited *e, char **candidates) {
  host_line_leave(e, "");
  host_list_candidates(e->terminal, candidates);
  host_line_draw(e);
}

unsigned char host_tab_complete(void *el, wint_t key) {
  host_edited *e = host_edited_current;
  (void)key;
  const host_line_info *info = e->lib->wline(el);
  if (is_blank(info->buffer, info->cursor)) {
    e->lib->winsertstr(el, L"  ");
    return HOST_CC_REFRESH;
  }
  size_t length, word = 0;
  size_t count = (size_t)(info->cursor - info->buffer);
  char *text = host_narrow(info->buffer, count, &length);
  char **found = NULL;
  if (text && e->calls.complete)
    found = ask_for_candidates(e, text, length, &word);
  unsigned char result = found ? HOST_CC_REFRESH : HOST_CC_ERROR;
  if (found && !extend(e, found, text + length - word)) {
    result = found[1] ? HOST_CC_NORM : HOST_CC_ERROR;
    if (found[1])
      list_candidates(e, found);
  }
  host_free_candidates(found);
  free(text);
  return result;
}
