/* source_line.c - a line of a source
 *
 * Lua does not keep the names of functions. For people, aw.graph() takes the
 * name of a function from the line at which the function begins. The source is
 * the text of the chunk, or a regular file. A file that has changed since then
 * may give a wrong name; one that is gone gives none.
 *
 * Neighbours: look.c asks for lines; aiowire/graph_wires.lua finds the names.
 */
#include "wire/source_line.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_LINE = 200, MOST_BYTES = 4 * 1024 * 1024 };

/* Open a regular file to read it; NULL: it is none. A FIFO does not block. */
static FILE *open_source(const char *path) {
  struct stat about;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return NULL;
  bool usable = fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
                about.st_size <= MOST_BYTES;
  FILE *file = usable ? fdopen(fd, "r") : NULL;
  if (!file)
    close(fd);
  return file;
}

/* Read line `line` into `out`, without its end. Returns its length. */
static size_t copy_line(FILE *file, int line, char *out, size_t size) {
  size_t length = 0;
  int at = 1, c;
  while (at <= line && (c = getc(file)) != EOF) {
    if (c == '\n')
      at++;
    else if (at == line && length < size)
      out[length++] = (char)c;
  }
  return length;
}

static void push_line_of_file(lua_State *L, const char *path, int line) {
  char text[LONGEST_LINE];
  FILE *file = open_source(path);
  size_t length = file ? copy_line(file, line, text, sizeof text) : 0;
  if (file)
    fclose(file);
  lua_pushlstring(L, text, length);
}

static void push_line_of_text(lua_State *L, const char *text, int line) {
  while (text && --line > 0) {
    text = strchr(text, '\n');
    text = text ? text + 1 : NULL;
  }
  size_t length = text ? strcspn(text, "\n") : 0;
  lua_pushlstring(L, text ? text : "",
                  length < LONGEST_LINE ? length : LONGEST_LINE);
}

void awl_push_source_line(lua_State *L, const char *source, int line) {
  if (*source == '@')
    push_line_of_file(L, source + 1, line);
  else
    push_line_of_text(L, *source == '=' ? "" : source, line);
}
