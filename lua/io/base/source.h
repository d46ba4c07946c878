/* source.h - what can be waited for, as Lua sees it [Q6] */
#ifndef AWIO_SOURCE_H
#define AWIO_SOURCE_H

#include <aiowire_lua.h>

#include <lua.h>
#include <stdbool.h>

/* What a source is at this moment. */
typedef struct awio_source {
  int fd;        /* negative: closed, and the object knows it */
  bool is_fd;    /* it is a plain number … */
  bool is_file;  /* … or a Lua file, else an object with methods */
  bool is_stdin; /* the number 0 */
  bool buffered; /* its own buffer holds data */
  const aw_lua_source *class; /* of an object that waits in its own way */
} awio_source;

/* Look at the value at `index`. False: it is no source. Raises what its
 * methods raise. */
bool awio_to_source(lua_State *L, int index, awio_source *out);

/* Of a Lua file: its descriptor, -1 when closed; does its buffer hold data? */
int awio_file_fd(const void *file);
bool awio_file_buffered(const void *file);
bool awio_stdin_buffered(void);

#endif
