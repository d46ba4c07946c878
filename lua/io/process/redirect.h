/* redirect.h - where the standard files of a child lead to
 *
 *     check (Lua, may raise) ─► open ─► start the child ─► done
 *
 * A stream that is given to a child passes to the child. The open file, which
 * both sides share, is made blocking, since programs expect that. The stream is
 * closed here, so that the other side of a pipe sees the end of the file when
 * the child ends. Only aw.stdin, aw.stdout and aw.stderr stay open.
 */
#ifndef AWIO_REDIRECT_H
#define AWIO_REDIRECT_H

#include "stream/stream.h"

#include <lua.h>

typedef enum awio_outlet {
  AWIO_PIPE,
  AWIO_INHERIT,
  AWIO_NOWHERE,   /* /dev/null */
  AWIO_AS_STDOUT, /* stderr only: the same file as stdout */
  AWIO_TERMINAL,  /* the child's own terminal */
  AWIO_PATH,      /* a file, given by its path */
  AWIO_GIVEN      /* a stream, a Lua file or a descriptor */
} awio_outlet;

typedef struct awio_redirect {
  awio_outlet outlet;
  int number;       /* 0 to 2: which of the child's files this is */
  const char *path; /* AWIO_PATH; the caller's stack keeps it alive */
  bool append;      /* AWIO_PATH: write at the end of the file */
  /* AWIO_GIVEN: one of these three. The caller's stack keeps the last two. */
  int fd;               /* -1: not a descriptor */
  void *file;           /* a Lua file, or NULL */
  awio_stream **stream; /* userdata of a Stream, or NULL */
  bool unblocked;       /* O_NONBLOCK of the stream was cleared */
  bool ours;            /* the opened file is our own standard output */
} awio_redirect;

extern const char *const awio_file_names[3]; /* "stdin", … */

/* Read the options stdin, stdout, stderr and append of the table at `arg`.
 * Pushes their values, at most four, which must stay on the stack until
 * awio_redirect_done(). May raise.
 *
 *   usual   for options that are missing
 */
void awio_check_redirects(lua_State *L, int arg, awio_outlet usual,
                          awio_redirect out[3]);

/* Return the stream of a file that is being written or read, so that a task had
 * better wait before the file is opened; NULL: there is none. */
awio_stream *awio_redirect_busy(const awio_redirect *redirect);

/* Open the file of an AWIO_PATH or AWIO_GIVEN. Flushes a Lua file first.
 * Returns a new descriptor, above 2 and closed by exec, or a negative code. */
int awio_redirect_open(awio_redirect *redirect);

/* Close a given stream if the child has `started`; else make the stream
 * non-blocking again.
 *
 *   engine  the running engine
 */
void awio_redirect_done(awio_redirect *redirect, bool started,
                        aw_engine *engine);

/* Raise the error for the `code` that awio_redirect_open() has returned. */
int awio_redirect_raise(lua_State *L, const awio_redirect *redirect, int code);

#endif
