/* graph.c - the option --graph: where the picture of a chunk goes
 *
 * The value is a format, for standard output; "-", which is Mermaid on standard
 * output; or a file, whose suffix says the format.
 *
 * Neighbours: chunks.c has the picture from aw_lua_main_with().
 */
#include "options/graph.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct suffix_format {
  const char *suffix, *format;
  bool fenced;
} suffix_format;

static const suffix_format suffixes[] = {{".mmd", "mermaid", false},
                                         {".mermaid", "mermaid", false},
                                         {".md", "mermaid", true},
                                         {".dot", "dot", false},
                                         {".gv", "dot", false}};

static bool read_file_name(host_graph *graph, const char *value) {
  size_t length = strlen(value);
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
    const suffix_format *at = &suffixes[i];
    size_t size = strlen(at->suffix);
    if (length > size && strcmp(value + length - size, at->suffix) == 0) {
      *graph = (host_graph){at->format, value, at->fenced};
      return true;
    }
  }
  return false;
}

bool host_graph_read(host_graph *graph, const char *value) {
  *graph = (host_graph){NULL, NULL, false};
  if (strcmp(value, "dot") == 0)
    graph->format = "dot";
  else if (strcmp(value, "mermaid") == 0 || strcmp(value, "-") == 0)
    graph->format = "mermaid";
  else
    return read_file_name(graph, value);
  return true;
}

int host_graph_write(const host_graph *graph, const char *picture) {
  FILE *out = graph->path ? fopen(graph->path, "we") : stdout;
  if (!out)
    return errno;
  errno = 0;
  bool lost =
      fprintf(out, graph->fenced ? "```mermaid\n%s```\n" : "%s", picture) < 0;
  int rc = lost ? errno : 0;
  if (graph->path && fclose(out) != 0 && rc == 0)
    rc = errno;
  return lost && rc == 0 ? EIO : rc;
}
