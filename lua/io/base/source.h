/* source.h - Lua values whose readiness a task can wait for [Q6] */
#ifndef AWIO_SOURCE_H
#define AWIO_SOURCE_H

#include <aiowire_lua.h>

#include <lua.h>
#include <stdbool.h>

/* A source as it is at this moment. */
typedef struct awio_source {
  int fd;                     /* negative: the object says that it is closed */
  bool is_fd;                 /* the value is a plain number */
  bool is_file;               /* the value is a Lua file */
  bool is_stdin;              /* the value is the number 0 */
  bool buffered;              /* the buffer of the file or object holds data */
  const aw_lua_source *class; /* its own way to wait, or NULL */
} awio_source;

/* Look at the value at `index`. Returns false if the value is no source. Raises
 * what methods of the value raise. */
bool awio_to_source(lua_State *L, int index, awio_source *out);

/* Return the descriptor of a Lua file, or -1 if the file is closed. */
int awio_file_fd(const void *file);
/* Does the buffer of a Lua file, or of io.stdin, hold data for reading? */
bool awio_file_buffered(const void *file);
bool awio_stdin_buffered(void);

#endif
