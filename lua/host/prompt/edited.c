/* edited.c - lines with libedit
 *
 * libedit calls next_char() for each character. That gives the terminal up,
 * lets the caller wait, and takes the terminal back; then it redraws the line
 * if there was output above it, or a stop, or a new size.
 *
 *   host_edited_read ─► el_wgets ─► next_char ─► calls.wait ─► the engine
 *                                       │   (the thread of above.c may write)
 *                                       └─► read(0), one byte
 *
 * Invariants:
 *  - A read() takes one byte, which is there. What comes after the line stays
 *    in the kernel, for the next read or for a line that calls io.read().
 *  - The locale of the terminal is in use only while libedit runs, and only in
 *    this thread: the callbacks run in the program's own.
 *  - The caller's code ends a read by `code`: from then on next_char() fails,
 *    and libedit comes back.
 *
 * Neighbours: line.c, the line on the terminal; above.c, output above it;
 * history.c, the file; tab.c, completion; terminal/terminal.c, modes and
 * signals.
 */
#include "prompt/edited.h"

#include "prompt/history.h"
#include "prompt/line.h"
#include "prompt/tab.h"
#include "terminal/layout.h"
#include "terminal/terminal.h"
#include "terminal/wide.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void abandon_line(host_edited *e);

/* ── input ───────────────────────────────────────────────────────────────── */

static void empty_wake(const host_edited *e) {
  char bytes[64];
  while (read(e->wake[0], bytes, sizeof bytes) > 0)
    continue;
}

/* The process was stopped, or the terminal was resized. What terminals do with
 * the rows of a line differs then; erase the smaller number of rows, and no
 * output. */
static void notice_changes(host_edited *e) {
  int columns = host_size_of(e->terminal).columns;
  if (host_terminal_was_stopped()) {
    e->lib->wset(e->el, HOST_EL_PREP_TERM, 0);
    e->lib->wset(e->el, HOST_EL_PREP_TERM, 1);
    host_line_redraw(e, 0);
  } else if (columns != e->columns) {
    int before = host_line_place(e, false, e->columns).row;
    int after = host_line_place(e, false, columns).row;
    host_line_redraw(e, before < after ? before : after);
  }
}

/* Wait until there is input. Returns false if the read is to end. */
static bool wait_for_input(host_edited *e) {
  int fds[] = {STDIN_FILENO, e->wake[0]};
  int index;
  do {
    host_line_give_up(e);
    index = e->calls.wait(e->calls.data, fds, 2);
    if (index == 1)
      empty_wake(e);
    host_line_take_back(e);
    notice_changes(e);
  } while (index > 0);
  if (index < 0)
    e->code = index;
  return index == 0;
}

/* Add a byte to a character. Returns whether the character is complete; bytes
 * that make none are dropped. */
static bool add_input_byte(host_edited *e, char byte, wchar_t *c) {
  bool first = mbsinit(&e->state);
  size_t n = mbrtowc(c, &byte, 1, &e->state);
  if (n != (size_t)-1)
    return n != (size_t)-2;
  memset(&e->state, 0, sizeof e->state);
  return !first && add_input_byte(e, byte, c); /* it may begin another one */
}

/* The function of EL_GETCFN. Returns 1, or -1 if the read ends. */
static int next_char(void *el, wchar_t *c) {
  host_edited *e = host_edited_current;
  (void)el;
  for (;;) {
    if (e->code != 0 || !wait_for_input(e))
      return -1;
    char byte;
    ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n == 1 && add_input_byte(e, byte, c))
      return 1;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
      e->code = HOST_EDITOR_END; /* EIO: the terminal is gone */
  }
}

/* ── opening ─────────────────────────────────────────────────────────────── */

static wchar_t *prompt(void *el) {
  (void)el;
  return host_edited_current->prompt;
}

static const wchar_t *const bindings[][2] = {
    {L"^I", L"aiowire-complete"},
    {L"^R", L"em-inc-search-prev"},
    {L"^S", L"em-inc-search-next"},
    {L"^W", L"ed-delete-prev-word"},
    /* Home, End and Delete, as various terminals send them */
    {L"\\e[H", L"ed-move-to-beg"},
    {L"\\eOH", L"ed-move-to-beg"},
    {L"\\e[1~", L"ed-move-to-beg"},
    {L"\\e[F", L"ed-move-to-end"},
    {L"\\eOF", L"ed-move-to-end"},
    {L"\\e[4~", L"ed-move-to-end"},
    {L"\\e[3~", L"ed-delete-next-char"},
    /* Control with the arrows */
    {L"\\e[1;5C", L"em-next-word"},
    {L"\\e[1;5D", L"ed-prev-word"},
};

static void bind_key(host_edited *e, const wchar_t *key,
                     const wchar_t *command) {
  e->lib->wset(e->el, HOST_EL_BIND, key, command, (wchar_t *)NULL);
}

/* What ~/.editrc says comes last. But `bind -v` there forgets all bindings. */
static void bind_keys(host_edited *e) {
  const char *editor = NULL;
  for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
    bind_key(e, bindings[i][0], bindings[i][1]);
  e->lib->source(e->el, NULL);
  e->lib->get(e->el, HOST_EL_EDITOR, &editor);
  if (editor && strcmp(editor, "vi") == 0)
    bind_key(e, L"^I", L"aiowire-complete");
}

/* Returns false if the terminal lacks what an editor needs, or if ~/.editrc
 * turns editing off. */
static bool set_up_libedit(host_edited *e) {
  const host_libedit *lib = e->lib;
  lib->wset(e->el, HOST_EL_EDITOR, L"emacs");
  lib->wset(e->el, HOST_EL_PROMPT_ESC, prompt, (int)HOST_LITERAL);
  lib->wset(e->el, HOST_EL_GETCFN, next_char);
  lib->wset(e->el, HOST_EL_ADDFN, L"aiowire-complete", L"Complete a word",
            host_tab_complete);
  bind_keys(e);
  int edits = 0;
  char *up = NULL, *late = NULL;
  lib->get(e->el, HOST_EL_EDITMODE, &edits);
  lib->get(e->el, HOST_EL_GETTC, "up", &up);
  lib->get(e->el, HOST_EL_GETTC, "xn", &late);
  e->wraps_late = late && strcmp(late, "yes") == 0;
  return edits && up && up[0];
}

static void enter_loaded(void *data, const char *entry) {
  host_edited *e = data;
  host_history_event event;
  wchar_t *wide = host_widen(entry, true);
  char *copy = wide ? strdup(entry) : NULL;
  if (copy) {
    e->lib->history_w(e->history, &event, HOST_H_ENTER, wide);
    free(e->latest);
    e->latest = copy;
  }
  free(wide);
}

static void tell_no_history(host_edited *e, int error) {
  if (error && !e->noted)
    fprintf(stderr, "aiowire: no history in '%s': %s\n", e->path,
            strerror(error));
  e->noted = e->noted || error;
}

static void open_history(host_edited *e, const char *path) {
  host_history_event event;
  e->history = e->lib->history_winit();
  if (!e->history)
    return;
  e->lib->history_w(e->history, &event, HOST_H_SETSIZE, HOST_HISTORY_SIZE);
  e->lib->wset(e->el, HOST_EL_HIST, e->lib->history_w, e->history);
  e->path = path ? strdup(path) : NULL;
  if (e->path)
    tell_no_history(e, host_history_load(e->path, enter_loaded, e));
}

static bool open_wake(host_edited *e) {
  if (pipe(e->wake) < 0)
    return false;
  for (int i = 0; i < 2; i++) {
    fcntl(e->wake[i], F_SETFD, FD_CLOEXEC);
    fcntl(e->wake[i], F_SETFL, O_NONBLOCK);
  }
  return true;
}

static bool open_terminal_files(host_edited *e) {
  e->terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  e->out = e->terminal >= 0 ? fdopen(e->terminal, "w") : NULL;
  return e->out && open_wake(e);
}

/* A program that exits in a read, by os.exit(1, false) for example. */
static void leave_at_exit(void) {
  if (host_edited_current && host_edited_current->reading)
    abandon_line(host_edited_current);
}

host_edited *host_edited_open(const host_editor_calls *calls,
                              const char *history_path) {
  static bool watched;
  const host_libedit *lib =
      host_terminal_is_usable() ? host_libedit_load() : NULL;
  host_edited *e = lib && !host_edited_current ? calloc(1, sizeof *e) : NULL;
  if (!e)
    return NULL;
  e->calls = *calls;
  e->lib = lib;
  e->wake[0] = e->wake[1] = -1;
  e->locale = host_terminal_locale();
  host_edited_current = e;
  if (e->locale && open_terminal_files(e)) {
    locale_t outside = uselocale(e->locale);
    e->el = lib->init("aiowire", stdin, e->out, e->out);
    bool ready = e->el && set_up_libedit(e);
    if (ready)
      open_history(e, history_path);
    uselocale(outside);
    if (ready) {
      e->above = host_above_open(e->terminal, e->wake[1]);
      watched = watched || atexit(leave_at_exit) == 0;
      return e;
    }
  }
  host_edited_close(e);
  return NULL;
}

void host_edited_close(host_edited *e) {
  if (e->above)
    host_above_close(e->above);
  if (e->el)
    e->lib->end(e->el);
  if (e->history)
    e->lib->history_wend(e->history);
  if (e->out)
    fclose(e->out); /* closes the descriptor */
  else if (e->terminal > STDERR_FILENO)
    close(e->terminal);
  for (int i = 0; i < 2; i++)
    if (e->wake[i] >= 0)
      close(e->wake[i]);
  if (e->locale)
    freelocale(e->locale);
  free(e->path);
  free(e->latest);
  free(e->line);
  free(e);
  host_edited_current = NULL;
}

/* ── reading ─────────────────────────────────────────────────────────────── */

/* libedit gave no line. It is below the line if `below`, which a key has
 * ended. Returns how the read ends. */
static int finish_editing(host_edited *e, bool below, size_t *length) {
  const host_line_info *info = e->lib->wline(e->el);
  *length = (size_t)(info->end - info->buffer);
  const char *mark = e->code == HOST_EDITOR_INTERRUPTED ? "^C" : "";
  if (below) {
    host_line_write(e, mark);
    host_line_write(e, "\n");
  } else {
    host_line_leave(e, mark);
  }
  e->lib->reset(e->el);
  return e->code ? e->code : HOST_EDITOR_END;
}

static int take_line(host_edited *e, const wchar_t *wide, int count,
                     size_t *length) {
  size_t own = (size_t)count;
  if (own > 0 && wide[own - 1] == L'\n')
    own--;
  e->line = host_narrow(wide, own, length);
  if (e->line)
    return HOST_EDITOR_LINE;
  host_line_write(e, "aiowire: not enough memory for the line\n");
  return HOST_EDITOR_END;
}

/* Move to the start of an empty row: the line before may have written a text
 * without a newline, which stays. As many spaces as a row has lead to the next
 * row, except from the start of a row: a terminal that wraps late is then still
 * in that row. */
static void start_row(host_edited *e) {
  if (e->wraps_late) {
    fprintf(e->out, "%*s\r\033[K", e->columns, "");
    fflush(e->out);
  }
}

static void begin_editing(host_edited *e) {
  e->outside = uselocale(e->locale);
  if (e->above)
    host_above_begin(e->above);
  empty_wake(e);
  host_terminal_enter(e->wake[1]);
  e->code = 0;
  e->columns = host_size_of(e->terminal).columns;
  memset(&e->state, 0, sizeof e->state);
  /* libedit would do so after the prompt, and a fast key would be echoed */
  e->lib->wset(e->el, HOST_EL_PREP_TERM, 1);
  start_row(e);
  e->reading = true;
}

static void end_editing(host_edited *e) {
  e->reading = false;
  host_terminal_leave();
  if (e->above)
    host_above_end(e->above);
  uselocale(e->outside);
}

static void abandon_line(host_edited *e) {
  uselocale(e->locale);
  if (e->above)
    host_above_take(e->above);
  host_line_leave(e, "");
  end_editing(e);
}

int host_edited_read(host_edited *e, const char *prompt_text, const char **line,
                     size_t *length) {
  begin_editing(e);
  free(e->line);
  e->line = NULL;
  e->prompt = host_wide_prompt(prompt_text);
  int count = 0, rc = HOST_EDITOR_END;
  if (e->prompt) {
    const wchar_t *wide = e->lib->wgets(e->el, &count);
    rc = wide ? take_line(e, wide, count, length)
              : finish_editing(e, count == 0, length);
  }
  end_editing(e);
  free(e->prompt);
  e->prompt = NULL;
  *line = e->line;
  return rc;
}

void host_edited_remember(host_edited *e, const char *entry) {
  if (!entry[0] || entry[0] == ' ' || !e->history ||
      (e->latest && strcmp(e->latest, entry) == 0))
    return;
  locale_t outside = uselocale(e->locale);
  enter_loaded(e, entry);
  uselocale(outside);
  if (e->path)
    tell_no_history(e, host_history_append(e->path, entry));
}
