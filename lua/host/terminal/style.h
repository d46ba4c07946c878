/* style.h - prints reports of the program, colored or not; see style.c */
#ifndef HOST_STYLE_H
#define HOST_STYLE_H

#include <lua.h>
#include <stdbool.h>

/* The option --color. AUTO: colors on a terminal, unless NO_COLOR is set and
 * not empty, or TERM is "dumb" or missing. */
typedef enum host_colour {
  HOST_COLOUR_AUTO,
  HOST_COLOUR_ALWAYS,
  HOST_COLOUR_NEVER
} host_colour;

typedef enum host_style_kind {
  HOST_STYLE_ERROR, /* "aiowire: " and the text of an error or of its info */
  HOST_STYLE_DUMP,  /* lines about tasks, as those of ev:dump() */
  HOST_STYLE_NOTE   /* one line; what stands before its first ": " is a label */
} host_style_kind;

/* Choose when there are colors. The answers for standard output and standard
 * error are those of this moment, whatever the descriptors become later. */
void host_style_use(host_colour when);

/* Are there colors on this descriptor? */
bool host_style_is_on(int fd);

/* Return the code of a state of tasks, such as "38;5;36" for "running"; "": it
 * has none. Static storage. */
const char *host_style_state_code(const char *state);

/* Print a text and a newline in one write. What C's stdout and stderr hold back
 * is written first. Call from: anywhere but a signal handler. */
void host_style_print(int fd, host_style_kind kind, const char *text);

#endif
