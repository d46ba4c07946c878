/* client.c - the protocol `aiowire 1`, for one client [D43]
 *
 *     read ─► a line ─► a round ─────► all answered, or late ─► write ─┐
 *       ▲                 └ PRESS later: signals into busy bodies      │
 *       └──────────────────────────────────────────────────────────────┘
 *
 * A client is in one of these phases, and nothing is read before the answer is
 * written: so a client holds one round and one answer, however much it sends.
 * A client that has sent a part of a line, or that does not take its answer, is
 * closed when it has not moved for STALL. One that rests may rest for ever.
 *
 * docs/inspect.md describes the protocol. Nothing in it changes anything in the
 * program, and that stays so.
 */
#include "inspect/client.h"

#include <uv.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* ns from the request on: when bodies are asked in the middle, when states that
 * have not begun to answer are given up, and when all are */
static const uint64_t PRESS = 100 * 1000000ull, LATE = 600 * 1000000ull;
static const uint64_t END = 10 * AW_SECOND;
static const uint64_t STALL = 10 * AW_SECOND; /* without a byte */

/* ---- writing ---- */

static bool has_room_for(awm_client *c, size_t more) {
  if (c->room - c->size >= more)
    return true;
  size_t room = 2 * c->room > c->size + more ? 2 * c->room : c->size + more;
  char *out = aw_reallocate(c->out, room);
  if (!out) {
    c->starved = true;
    return false;
  }
  c->out = out;
  c->room = room;
  return true;
}

static void put_out(awm_client *c, const char *bytes, size_t size) {
  if (size == 0 || !has_room_for(c, size))
    return;
  memcpy(c->out + c->size, bytes, size);
  c->size += size;
}

static void put_format(awm_client *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put_format(awm_client *c, const char *format, ...) {
  char text[512];
  va_list list;
  va_start(list, format);
  int size = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  put_out(c, text,
          size < 0                     ? 0
          : (size_t)size < sizeof text ? (size_t)size
                                       : sizeof text - 1);
}

/* Put a text as a value: without tabs, newlines and lone backslashes. */
static void put_value(awm_client *c, const char *text, size_t size) {
  size_t plain = 0; /* where the plain bytes begin that are not put yet */
  for (size_t i = 0; i < size; i++) {
    char escaped[2] = {'\\', awm_escape_of(text[i])};
    if (!escaped[1])
      continue;
    put_out(c, text + plain, i - plain);
    put_out(c, escaped, 2);
    plain = i + 1;
  }
  put_out(c, text + plain, size - plain);
}

static void put_error(awm_client *c, const char *message) {
  put_format(c, "error\tmessage=%s\n.\n", message);
}

/* ---- answers ---- */

/* by awm_answer */
static const char *const answers[] = {"live", "hook", "old",
                                      "idle", "old",  "live"};

/* The first line of the text belongs to the line of the engine. */
static void put_engine_keys_of(awm_client *c, const awm_text *text) {
  const char *end = text ? memchr(text->bytes, '\n', text->size) : NULL;
  if (end)
    put_out(c, text->bytes, (size_t)(end - text->bytes));
}

static void put_rows(awm_client *c, const awm_text *text) {
  const char *end = text ? memchr(text->bytes, '\n', text->size) : NULL;
  if (end)
    put_out(c, end + 1, text->size - (size_t)(end + 1 - text->bytes));
}

/* Each line of the text becomes a line of its own. */
static void put_lines(awm_client *c, const awm_entry *e) {
  const char *at = e->text->bytes, *end = at + e->text->size;
  while (at < end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    const char *stop = newline ? newline : end;
    put_format(c, "line\tengine=%u\ttext=", e->number);
    put_value(c, at, (size_t)(stop - at));
    put_out(c, "\n", 1);
    at = stop + 1;
  }
}

static void put_engine(awm_client *c, const awm_round *round,
                       const awm_entry *e) {
  put_format(c, "engine\tid=%u\ttid=%ld\tname=", e->number, e->thread);
  put_value(c, e->name, strlen(e->name));
  put_format(c, "\tup=%" PRIu64, uv_hrtime() - e->since);
  if (round->request == AWM_TASKS && e->answer != AWM_FAILED)
    put_engine_keys_of(c, e->text);
  put_format(c, "\tanswer=%s\tbusy_for=%" PRIu64, answers[e->answer],
             e->busy_for);
  if (e->step.task && e->own_engine && e->step.engine != e->own_engine)
    put_format(c, "\tin=%" PRIu64 ":%" PRIu64, e->step.engine, e->step.task);
  else if (e->step.task)
    put_format(c, "\tin=%" PRIu64, e->step.task);
  put_out(c, "\n", 1);
}

static void put_failure_of(awm_client *c, const awm_entry *e) {
  put_format(c, "error\tengine=%u\tmessage=", e->number);
  put_value(c, e->text->bytes, e->text->size);
  put_out(c, "\n", 1);
}

static void put_entry(awm_client *c, const awm_round *round,
                      const awm_entry *e) {
  put_engine(c, round, e);
  if (e->answer == AWM_STARVED)
    put_format(c, "error\tengine=%u\tmessage=not enough memory\n", e->number);
  else if (e->answer == AWM_FAILED)
    put_failure_of(c, e);
  else if (round->request == AWM_TASKS)
    put_rows(c, e->text);
  else if (e->text)
    put_lines(c, e);
}

static void put_round(awm_client *c) {
  awm_round_end(c->round);
  for (size_t i = 0; i < c->round->count; i++)
    put_entry(c, c->round, &c->round->entries[i]);
  put_out(c, ".\n", 2);
  awm_round_free(c->round);
  c->round = NULL;
  c->moved = uv_hrtime();
}

/* ---- requests ---- */

typedef struct request {
  const char *name;
  awm_request request;
  const char *arguments; /* the words that are allowed, or "n", or NULL */
  const char *about;
} request;

static const request requests[] = {
    {"tasks", AWM_TASKS, NULL, "a table of all tasks"},
    {"dump", AWM_DUMP, NULL, "the tasks as a tree, for people"},
    {"events", AWM_EVENTS, "n", "the last n events, as far as they are kept"},
    {"graph", AWM_GRAPH, "mermaid dot", "the tasks as a graph: mermaid or dot"},
    {NULL, AWM_TASKS, NULL, NULL}};

static void put_help(awm_client *c) {
  for (const request *r = requests; r->name; r++)
    put_format(c, "help\trequest=%s%s%s%s\tabout=%s\n", r->name,
               r->arguments ? " [" : "", r->arguments ? r->arguments : "",
               r->arguments ? "]" : "", r->about);
  put_format(c, "help\trequest=help\tabout=this list\n"
                "help\trequest=quit\tabout=the end of the connection\n.\n");
}

static bool is_count(const char *text) {
  return *text && strlen(text) <= 9 &&
         strspn(text, "0123456789") == strlen(text);
}

static bool is_word_of(const char *word, const char *list) {
  size_t size = strlen(word);
  const char *found = strstr(list, word);
  return size > 0 && found && (found == list || found[-1] == ' ') &&
         (found[size] == ' ' || found[size] == '\0');
}

static bool accepts_argument(const request *r, const char *argument) {
  if (!*argument)
    return true;
  if (!r->arguments || strlen(argument) >= AWM_LONGEST_ARGUMENT)
    return false;
  return strcmp(r->arguments, "n") == 0 ? is_count(argument)
                                        : is_word_of(argument, r->arguments);
}

static void begin_round(awm_client *c, const request *r, const char *argument) {
  if (!accepts_argument(r, argument)) {
    put_error(c, "bad argument; ask for help");
    return;
  }
  c->round = awm_round_begin(r->request, argument);
  c->phase = AWM_FRESH;
  if (!c->round)
    put_error(c, "not enough memory");
}

static void do_request(awm_client *c, char *line) {
  char *argument = line + strcspn(line, " ");
  if (*argument)
    *argument++ = '\0';
  if (strcmp(line, "quit") == 0) {
    c->ends = true;
    return;
  }
  if (strcmp(line, "help") == 0) {
    put_help(c);
    return;
  }
  const request *r = requests;
  while (r->name && strcmp(r->name, line) != 0)
    r++;
  if (r->name)
    begin_round(c, r, argument);
  else
    put_error(c, "unknown request; ask for help");
}

/* Take the first line out of what was read. False: there is none. */
static bool next_request(awm_client *c) {
  char *newline = memchr(c->line, '\n', c->filled);
  if (!newline)
    return false;
  char line[AWM_LONGEST_REQUEST];
  size_t size = (size_t)(newline - c->line);
  memcpy(line, c->line, size);
  line[size > 0 && line[size - 1] == '\r' ? size - 1 : size] = '\0';
  c->filled -= size + 1;
  memmove(c->line, newline + 1, c->filled);
  do_request(c, line);
  return true;
}

/* ---- the client ---- */

void awm_client_open(awm_client *c, int fd) {
  *c = (awm_client){.fd = fd, .moved = uv_hrtime()};
}

void awm_client_refuse(awm_client *c) {
  put_error(c, "too many clients");
  c->ends = true;
}

void awm_client_greet(awm_client *c) {
  char name[AWM_LONGEST_NAME];
  awm_registry_name(name, sizeof name);
  put_format(c, "aiowire 1 %ld " AW_VERSION_STRING " ", (long)getpid());
  put_value(c, name, strlen(name));
  put_out(c, "\n", 1);
}

void awm_client_close(awm_client *c) {
  awm_round_free(c->round);
  aw_free(c->out);
  awm_lock();
  close(c->fd);
  *c = (awm_client){.fd = -1};
  awm_unlock();
}

static bool is_writing(const awm_client *c) {
  return c->written < c->size;
}

bool awm_client_rests(const awm_client *c) {
  return !c->round && !is_writing(c) && c->filled == 0;
}

short awm_client_events(const awm_client *c) {
  return is_writing(c) ? POLLOUT : c->round ? 0 : POLLIN;
}

uint64_t awm_client_due(const awm_client *c) {
  if (c->round)
    return c->round->asked_at + (c->phase == AWM_FRESH     ? PRESS
                                 : c->phase == AWM_PRESSED ? LATE
                                                           : END);
  return awm_client_rests(c) ? UINT64_MAX : c->moved + STALL;
}

static bool write_out(awm_client *c) {
  while (is_writing(c)) {
    ssize_t n = send(c->fd, c->out + c->written, c->size - c->written,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
      return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    c->written += (size_t)n;
    c->moved = uv_hrtime();
  }
  aw_free(c->out);
  c->out = NULL;
  c->size = c->room = c->written = 0;
  return !c->ends;
}

/* Returns false at the end of the client's requests. */
static bool read_in(awm_client *c) {
  ssize_t n = recv(c->fd, c->line + c->filled, sizeof c->line - c->filled,
                   MSG_DONTWAIT);
  if (n < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  c->filled += (size_t)n;
  c->moved = uv_hrtime();
  return n > 0;
}

/* A request that is under way: press, or end it, in time. */
static void go_on_with_round(awm_client *c) {
  uint64_t took = uv_hrtime() - c->round->asked_at;
  if (took >= PRESS && c->phase == AWM_FRESH) {
    awm_round_press(c->round);
    c->phase = AWM_PRESSED;
  }
  if (took >= LATE)
    c->phase = AWM_LATE;
  if (took >= END || awm_round_is_answered(c->round, c->phase != AWM_LATE))
    put_round(c);
}

/* Do the requests that were read, as long as their answers can be written. */
static bool go_on_with_lines(awm_client *c) {
  while (!c->round && !is_writing(c) && !c->ends && next_request(c)) {
    if (!c->round && !write_out(c))
      return false;
  }
  if (c->filled == sizeof c->line && !c->round && !is_writing(c)) {
    put_error(c, "a request is at most 255 bytes long");
    c->ends = true;
    return write_out(c);
  }
  return true;
}

bool awm_client_go_on(awm_client *c, short events) {
  if (events & POLLIN && awm_client_events(c) == POLLIN && !read_in(c))
    return false;
  if (events & (POLLERR | POLLNVAL) || (events & POLLHUP && c->round))
    return false;
  if (c->round)
    go_on_with_round(c);
  if (!c->round && !write_out(c))
    return false;
  if (!go_on_with_lines(c) || c->starved)
    return false;
  return c->round || uv_hrtime() < awm_client_due(c);
}
