/* graph.h - the option --graph: where the picture of a chunk goes; see graph.c
 */
#ifndef HOST_GRAPH_H
#define HOST_GRAPH_H

#include <stdbool.h>

/* The value of --graph: where to write, and how. */
typedef struct host_graph {
  const char *format; /* "mermaid" or "dot"; NULL: there is no --graph */
  const char *path;   /* NULL: standard output */
  bool fenced;        /* as a block of a Markdown file */
} host_graph;

/* Read the value of --graph. False: it says no format. */
bool host_graph_read(host_graph *graph, const char *value);

/* Write a picture. Returns 0, or errno. */
int host_graph_write(const host_graph *graph, const char *picture);

#endif
