/* style.c - colors of reports; see style.h
 *
 * The library and the program make plain texts. This file finds in them, line
 * by line, what it knows: the message of an error, headings, places of code,
 * states of tasks. It puts codes around those and changes nothing else, so a
 * text without its codes is the plain one.
 *
 *   text ─► paint ─► paint_line ─► append() ─► the codes and the text, or only
 *                                           their size
 *
 * The colors of states are those of Okabe and Ito, which people with a color
 * vision deficiency can tell apart, too.
 */
#include "terminal/style.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- when ---------------------------------------------------------------- */

/* Set before the first Lua state is made; only read after that. */
static host_colour chosen;
static bool is_on[STDERR_FILENO + 1];
static bool has_true_color;

static bool is_set(const char *name) {
  const char *value = getenv(name);
  return value && value[0];
}

static bool is_wanted(int fd) {
  if (chosen != HOST_COLOUR_AUTO)
    return chosen == HOST_COLOUR_ALWAYS;
  const char *terminal = getenv("TERM");
  return !is_set("NO_COLOR") && terminal && terminal[0] &&
         strcmp(terminal, "dumb") != 0 && isatty(fd);
}

void host_style_use(host_colour when) {
  chosen = when;
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    is_on[fd] = is_wanted(fd);
  const char *depth = getenv("COLORTERM");
  has_true_color =
      depth && (strcmp(depth, "truecolor") == 0 || strcmp(depth, "24bit") == 0);
}

bool host_style_is_on(int fd) {
  return fd >= 0 && fd <= STDERR_FILENO ? is_on[fd] : is_wanted(fd);
}

/* ---- spans --------------------------------------------------------------- */

typedef enum style {
  PLAIN,
  HEADING,
  MESSAGE,
  PLACE,
  LABEL,
  WAITING,
  RUNNING,
  READY,
  FAILED,
  CANCELLED
} style;

static const struct {
  const char *code, *true_color; /* the second one: if the terminal has it */
} looks[] = {
    [PLAIN] = {"", ""},
    [HEADING] = {"1", "1"},
    [MESSAGE] = {"1;31", "1;31"},
    [PLACE] = {"36", "36"},
    [LABEL] = {"1;33", "1;33"},
    [WAITING] = {"38;5;74", "38;2;86;180;233"}, /* 56B4E9 */
    [RUNNING] = {"38;5;36", "38;2;0;158;115"},  /* 009E73 */
    [READY] = {"38;5;227", "38;2;240;228;66"},  /* F0E442 */
    [FAILED] = {"38;5;166", "38;2;213;94;0"},   /* D55E00 */
    [CANCELLED] = {"38;5;247", "38;2;153;153;153"},
};

typedef struct output {
  char *text; /* NULL: only count */
  size_t size;
} output;

static void append(output *out, const char *text, size_t size) {
  if (out->text)
    memcpy(out->text + out->size, text, size);
  out->size += size;
}

static void put_span(output *out, style s, const char *text, size_t size) {
  const char *code = has_true_color ? looks[s].true_color : looks[s].code;
  if (size == 0)
    return;
  if (s != PLAIN) {
    append(out, "\x1b[", 2);
    append(out, code, strlen(code));
    append(out, "m", 1);
  }
  append(out, text, size);
  if (s != PLAIN)
    append(out, "\x1b[0m", 4);
}

/* ---- what stands in a line ----------------------------------------------- */

typedef struct line {
  const char *text;
  size_t size;
} line;

static bool begins(line l, const char *with) {
  size_t size = strlen(with);
  return l.size >= size && memcmp(l.text, with, size) == 0;
}

/* Return the offset of `what` in the line, or its size. */
static size_t find(line l, const char *what) {
  size_t size = strlen(what);
  for (size_t i = 0; i + size <= l.size; i++)
    if (memcmp(l.text + i, what, size) == 0)
      return i;
  return l.size;
}

static line after(line l, size_t offset) {
  return (line){l.text + offset, l.size - offset};
}

/* Return the size of "file:12" at the begin of the line, or 0. A file may have
 * blanks and colons; the first ":12" that ends a word is meant. */
static size_t place_size(line l) {
  for (size_t i = 1; i < l.size; i++) {
    if (l.text[i] != ':')
      continue;
    size_t end = i + 1;
    while (end < l.size && l.text[end] >= '0' && l.text[end] <= '9')
      end++;
    if (end > i + 1 && (end == l.size || l.text[end] == ':' ||
                        l.text[end] == ' ' || l.text[end] == ')'))
      return end;
  }
  return 0;
}

/* The rest of a line, in which a place may follow "at ". */
static void paint_places(output *out, line l) {
  size_t at = find(l, "at ");
  size_t start = at < l.size ? at + 3 : l.size;
  put_span(out, PLAIN, l.text, start);
  l = after(l, start);
  size_t place = place_size(l);
  put_span(out, PLACE, l.text, place);
  put_span(out, PLAIN, l.text + place, l.size - place);
}

/* ---- dumps --------------------------------------------------------------- */

static const struct {
  const char *name;
  style look;
} states[] = {{"waiting", WAITING}, {"running", RUNNING},
              {"ready", READY},     {"failed", FAILED},
              {"done", PLAIN},      {"cancelled", CANCELLED}};

const char *host_style_state_code(const char *state) {
  for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
    if (strcmp(states[i].name, state) == 0)
      return has_true_color ? looks[states[i].look].true_color
                            : looks[states[i].look].code;
  return "";
}

/* Find the state of a task in the line: "'name'  state" or "'name' (state)".
 * Returns its offset, or the size of the line. */
static size_t find_state(line l, style *look, size_t *size) {
  for (size_t i = 0; i + 3 < l.size; i++) {
    if (memcmp(l.text + i, "'  ", 3) != 0 && memcmp(l.text + i, "' (", 3) != 0)
      continue;
    line rest = after(l, i + 3);
    for (size_t k = 0; k < sizeof states / sizeof states[0]; k++) {
      *size = strlen(states[k].name);
      *look = states[k].look;
      if (begins(rest, states[k].name) &&
          (rest.size == *size || rest.text[*size] == ' ' ||
           rest.text[*size] == ')'))
        return i + 3;
    }
  }
  return l.size;
}

static void paint_task(output *out, line l) {
  static const char MARK[] = "  CANCELLED"; /* at the end of a line */
  enum { MARK_SIZE = sizeof MARK - 1 };
  style state = PLAIN;
  size_t size = 0;
  size_t at = find(l, "task ") < l.size ? find_state(l, &state, &size) : l.size;
  if (at < l.size) {
    put_span(out, PLAIN, l.text, at);
    put_span(out, state, l.text + at, size);
    l = after(l, at + size);
  }
  line end = l.size > MARK_SIZE ? after(l, l.size - MARK_SIZE) : l;
  bool marked = begins(end, MARK);
  if (marked)
    l.size -= MARK_SIZE;
  paint_places(out, l);
  if (marked) {
    put_span(out, PLAIN, MARK, 2);
    put_span(out, CANCELLED, MARK + 2, MARK_SIZE - 2);
  }
}

static void paint_dump_line(output *out, line l) {
  if (begins(l, "EventLoop"))
    put_span(out, HEADING, l.text, l.size);
  else
    paint_task(out, l);
}

/* ---- errors and notes ---------------------------------------------------- */

static bool is_heading(line l) {
  return l.size > 0 && l.text[0] != '\t' && l.text[l.size - 1] == ':';
}

/* Does the message of the error end before this line? */
static bool ends_message(line l) {
  return l.size == 0 || l.text[0] == '\t' || is_heading(l) ||
         begins(l, "(UnhandledException") || begins(l, "EventLoop") ||
         begins(l, "usage: ");
}

/* The first line: "aiowire: ", a place, and the message. */
static void paint_first(output *out, line l) {
  static const char NAME[] = "aiowire: ";
  if (begins(l, NAME)) {
    put_span(out, HEADING, NAME, sizeof NAME - 2);
    put_span(out, PLAIN, " ", 1);
    l = after(l, sizeof NAME - 1);
  }
  size_t place = place_size(l);
  if (place == l.size || l.text[place] != ':')
    place = 0;
  put_span(out, PLACE, l.text, place);
  put_span(out, MESSAGE, l.text + place, l.size - place);
}

static void paint_error_line(output *out, line l, bool first, bool *message) {
  if (first) {
    paint_first(out, l);
    return;
  }
  *message = *message && !ends_message(l);
  if (*message) {
    put_span(out, MESSAGE, l.text, l.size);
  } else if (is_heading(l)) {
    put_span(out, HEADING, l.text, l.size);
  } else if (begins(l, "\t") && !begins(l, "\tstarted at ")) {
    size_t place = place_size(after(l, 1));
    if (place > 0 && !begins(after(l, 1 + place), ": in "))
      place = 0; /* the text of a wire */
    put_span(out, PLAIN, l.text, 1);
    put_span(out, PLACE, l.text + 1, place);
    put_span(out, PLAIN, l.text + 1 + place, l.size - 1 - place);
  } else {
    paint_dump_line(out, l);
  }
}

static void paint_note_line(output *out, line l, bool first) {
  size_t label = first ? find(l, ": ") : l.size;
  if (label == l.size) {
    paint_places(out, l);
    return;
  }
  put_span(out, LABEL, l.text, label + 1);
  paint_places(out, after(l, label + 1));
}

/* ---- texts --------------------------------------------------------------- */

/* Paint the text, into `into` unless that is NULL; returns the size. */
static size_t paint(char *into, host_style_kind kind, const char *text) {
  output out = {into, 0};
  bool first = true, message = true;
  for (const char *at = text;; first = false) {
    line l = {at, strcspn(at, "\n")};
    switch (kind) {
    case HOST_STYLE_ERROR: paint_error_line(&out, l, first, &message); break;
    case HOST_STYLE_DUMP: paint_dump_line(&out, l); break;
    case HOST_STYLE_NOTE: paint_note_line(&out, l, first); break;
    }
    at += l.size;
    if (*at == '\0')
      return out.size;
    append(&out, at++, 1);
  }
}

/* Write all, also to a descriptor that does not block. */
static void write_fully(int fd, const char *text, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, text, size);
    if (n < 0 && errno == EAGAIN) {
      struct pollfd p = {fd, POLLOUT, 0};
      (void)poll(&p, 1, -1);
    } else if (n < 0 && errno != EINTR) {
      return;
    }
    text += n > 0 ? n : 0;
    size -= n > 0 ? (size_t)n : 0;
  }
}

void host_style_print(int fd, host_style_kind kind, const char *text) {
  bool on = host_style_is_on(fd);
  size_t size = on ? paint(NULL, kind, text) : strlen(text);
  char *buffer = malloc(size + 1);
  fflush(stdout); /* keep the order of both outputs */
  fflush(stderr);
  if (!buffer) {
    write_fully(fd, text, strlen(text));
    write_fully(fd, "\n", 1);
    return;
  }
  if (on)
    (void)paint(buffer, kind, text);
  else
    memcpy(buffer, text, size);
  buffer[size] = '\n';
  write_fully(fd, buffer, size + 1);
  free(buffer);
}
