/* plain.c - lines without an editor
 *
 * The line is read through `stdin`, which has no buffer: see
 * host_editor_prepare(). So a byte that the descriptor does not have yet is
 * never waited for in read(), and a line that calls io.read() gets what comes
 * next.
 */
#include "prompt/plain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool put_byte(host_plain *p, size_t length, char c) {
  if (length == p->capacity) {
    size_t capacity = length ? 2 * length : 128;
    char *line = realloc(p->line, capacity);
    if (!line)
      return false;
    p->line = line;
    p->capacity = capacity;
  }
  p->line[length] = c;
  return true;
}

static int end_plain(host_plain *p, size_t count, const char **line,
                     size_t *length) {
  if (!put_byte(p, count, '\0')) {
    fputs("aiowire: not enough memory for the line\n", stderr);
    return HOST_EDITOR_END;
  }
  *line = p->line;
  *length = count;
  return HOST_EDITOR_LINE;
}

/* The terminal itself shows Ctrl-C as ^C, and nothing for Ctrl-D. */
static int leave_plain(int code) {
  fputs("\n", stdout);
  fflush(stdout);
  return code;
}

int host_plain_read(host_plain *p, const host_editor_calls *asker,
                    const char *prompt, const char **line, size_t *length) {
  const int input = STDIN_FILENO;
  size_t count = 0;
  fputs(prompt, stdout);
  fflush(stdout);
  for (;;) {
    int rc = asker->wait(asker->data, &input, 1);
    if (rc < 0) {
      *length = count;
      return leave_plain(rc);
    }
    errno = 0;
    int c = getc(stdin);
    if (c == EOF && (errno == EINTR || errno == EAGAIN)) {
      clearerr(stdin);
      continue;
    }
    if (c == EOF && count == 0)
      return leave_plain(HOST_EDITOR_END);
    if (c == EOF || c == '\n' || !put_byte(p, count, (char)c))
      return end_plain(p, count, line, length);
    count++;
  }
}
