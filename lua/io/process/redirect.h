/* redirect.h - where the standard files of a child lead to
 *
 *     check (Lua, may raise) ─► open ─► start the child ─► done
 *
 * A stream that is given to a child goes to it: it blocks from then on, since
 * whether it does is a property of the open file, which both would share; and
 * it is closed here, so that the other side of a pipe sees its end when the
 * child ends. Only the program's own three stay open.
 */
#ifndef AWIO_REDIRECT_H
#define AWIO_REDIRECT_H

#include "stream/stream.h"

#include <lua.h>

typedef enum awio_outlet {
  AWIO_PIPE,
  AWIO_INHERIT,
  AWIO_NOWHERE,   /* /dev/null */
  AWIO_AS_STDOUT, /* for stderr: where stdout leads to */
  AWIO_TERMINAL,  /* of the child's own */
  AWIO_PATH,
  AWIO_GIVEN /* a stream, a Lua file or a descriptor */
} awio_outlet;

typedef struct awio_redirect {
  awio_outlet outlet;
  int number;           /* 0 to 2: which of the child's files this is */
  const char *path;     /* AWIO_PATH; the caller's stack keeps it alive */
  bool append;          /* … to be written at its end */
  int fd;               /* AWIO_GIVEN, else of `file` or `stream` … */
  void *file;           /* a Lua file, or NULL */
  awio_stream **stream; /* or the place of a stream; the stack keeps both */
  bool unblocked;       /* the stream's O_NONBLOCK was taken away */
  bool ours;            /* it was opened, and is our own standard output */
} awio_redirect;

extern const char *const awio_file_names[3]; /* "stdin", … */

/* Read the options stdin, stdout, stderr and append of the table at `arg`.
 * Pushes what they hold, at most four values, to be kept until
 * awio_redirect_done(). Raises.
 *
 *   usual   for what is not said
 */
void awio_check_redirects(lua_State *L, int arg, awio_outlet usual,
                          awio_redirect out[3]);

/* Open what AWIO_PATH and AWIO_GIVEN lead to, as a descriptor above 2 that is
 * closed by exec. Flushes a Lua file. Returns it, or a negative code. */
int awio_redirect_open(awio_redirect *redirect);

/* The child has started, or not: let a stream go, or take it back.
 *
 *   engine  the one that runs now
 */
void awio_redirect_done(awio_redirect *redirect, bool started,
                        aw_engine *engine);

/* Raise what awio_redirect_open() has refused with `code`. */
int awio_redirect_raise(lua_State *L, const awio_redirect *redirect, int code);

#endif
