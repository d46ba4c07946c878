/* redirect.c - opens a path, stream, Lua file or descriptor for a child; see
 * redirect.h
 *
 * Finalizers of Lua may change things between the check and the start, for
 * example close a file. So awio_redirect_open() checks the state of a file. It
 * does not raise: it returns one of these codes, and awio_redirect_raise()
 * makes the text.
 *
 *   AW_ECLOSED   the file or stream is closed
 *   UV_EBADF     no such descriptor
 *   UV_EACCES    the descriptor is open for the other direction only
 *   UV_EBUSY     a buffer of ours holds bytes: the child would miss them, or
 *                write before them
 *   UV_ENOTSUP   the stream of a terminal: both directions share one open file
 *   others       the error of open(2) or write(2)
 */
#include "process/redirect.h"

#include "stream/disk.h"

#include "base/cstdio.h"
#include "base/source.h"
#include "base/system.h"
#include "io.h"

#include <lauxlib.h>
#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const awio_file_names[3] = {"stdin", "stdout", "stderr"};

/* ---- options ---- */

static const char *expected(int number) {
  static const char *const lists[] = {
      "\"pipe\", \"inherit\", \"null\", a stream, a Lua file or a descriptor",
      "\"pipe\", \"inherit\", \"null\", a path, a stream, a Lua file or a "
      "descriptor",
      "\"pipe\", \"inherit\", \"null\", \"stdout\", a path, a stream, a Lua "
      "file or a descriptor"};
  return lists[number];
}

static void refuse_redirect(lua_State *L, int number, const char *got) {
  aw_lua_error(L, "bad option '%s' (%s expected, got %s)",
               awio_file_names[number], expected(number), got);
}

/* Read the string on top: a word such as "pipe", else a path. stdin takes no
 * path, since a string there is a text to feed in aw.exec. */
static void check_string(lua_State *L, awio_redirect *r) {
  static const char *const names[] = {"pipe", "inherit", "null", "stdout"};
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  for (int i = 0; i < 4; i++)
    if (strcmp(text, names[i]) == 0)
      r->outlet = (awio_outlet)i;
  if (r->outlet == AWIO_AS_STDOUT && r->number != STDERR_FILENO)
    refuse_redirect(L, r->number,
                    "\"stdout\"; a file of that name is \"./stdout\"");
  if (r->outlet != AWIO_PATH)
    return;
  if (r->number == STDIN_FILENO)
    aw_lua_error(L,
                 "bad option 'stdin' (%s expected, got '%s'; for a file give "
                 "io.open(path))",
                 expected(0), text);
  r->path = text;
  if (strlen(text) != size) {
    lua_pushfstring(L, "%s (a zero byte in a path)", text);
    aw_lua_system_error(L, UV_EINVAL, "open", lua_tostring(L, -1));
  }
}

static void check_fd_number(lua_State *L, awio_redirect *r) {
  int is_integer;
  lua_Integer fd = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || fd < 0 || fd > INT_MAX)
    refuse_redirect(L, r->number,
                    lua_pushfstring(L, "%s", luaL_tolstring(L, -1, NULL)));
  r->fd = (int)fd;
}

static void check_redirect(lua_State *L, int arg, awio_redirect *r) {
  int type = lua_getfield(L, arg, awio_file_names[r->number]);
  if (type == LUA_TNIL)
    return;
  if (type == LUA_TSTRING) {
    r->outlet = AWIO_PATH;
    check_string(L, r);
    return;
  }
  r->outlet = AWIO_GIVEN;
  if (type == LUA_TNUMBER)
    check_fd_number(L, r);
  else if ((r->stream = awio_to_stream(L, -1)) == NULL &&
           (r->file = luaL_testudata(L, -1, LUA_FILEHANDLE)) == NULL)
    refuse_redirect(L, r->number, aw_lua_type_name(L, -1));
}

void awio_check_redirects(lua_State *L, int arg, awio_outlet usual,
                          awio_redirect out[3]) {
  bool append = aw_lua_opt_flag(L, arg, "append", false);
  for (int i = 0; i < 3; i++) {
    out[i] = (awio_redirect){
        .outlet = usual, .number = i, .append = append, .fd = -1};
    check_redirect(L, arg, &out[i]);
  }
  /* Two open files of one path would overwrite each other's output. */
  if (out[1].path && out[2].path && strcmp(out[1].path, out[2].path) == 0)
    out[2].outlet = AWIO_AS_STDOUT;
}

int awio_file_kind(lua_State *L) {
  lua_settop(L, 1);
  if (awio_to_stream(L, 1))
    lua_pushliteral(L, "stream");
  else if (luaL_testudata(L, 1, LUA_FILEHANDLE))
    lua_pushliteral(L, "file");
  else
    return 0;
  return 1;
}

/* ---- opening ---- */

/* Open with O_NONBLOCK, so that a named pipe without a reader is an error.
 * Otherwise open() would block the whole program. */
static int open_path(const awio_redirect *r) {
  int flags = r->append ? O_APPEND : O_TRUNC;
  int fd = awio_open(r->path, O_WRONLY | O_CREAT | O_NONBLOCK | flags, 0666);
  if (fd >= 0)
    fcntl(fd, F_SETFL, r->append ? O_APPEND : 0);
  return fd;
}

static int copy_of(awio_redirect *r, int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0)
    return -errno;
  int wrong = r->number == STDIN_FILENO ? O_WRONLY : O_RDONLY;
  if ((flags & O_ACCMODE) == wrong)
    return UV_EACCES;
  awio_stdio_hand_over(fd);
  r->ours = fd == STDOUT_FILENO;
  return awio_copy(fd);
}

/* fflush() writes buffered output, and gives back input that was read ahead, if
 * the file can be sought in. */
static int open_redirect_file(awio_redirect *r) {
  const luaL_Stream *file = r->file;
  int fd = awio_file_fd(file);
  if (fd < 0)
    return AW_ECLOSED;
  if (fflush(file->f) != 0)
    return -errno;
  if (r->number == STDIN_FILENO && awio_file_buffered(file))
    return UV_EBUSY;
  return copy_of(r, fd);
}

/* Would the child miss bytes that the stream has read? */
static bool misses_bytes(const awio_redirect *r, const awio_stream *s) {
  return r->number == STDIN_FILENO && awio_buffer_length(&s->in) > 0;
}

/* Has the stream bytes to send before those of the child? A socket is one open
 * file for both directions, which becomes blocking, so its pump must rest. */
static bool has_unsent(const awio_redirect *r, const awio_stream *s) {
  return (r->number != STDIN_FILENO || s->socket) &&
         (s->pumping || s->large || s->broken ||
          awio_buffer_length(&s->out) > 0);
}

awio_stream *awio_redirect_busy(const awio_redirect *r) {
  awio_stream *s = r->stream ? *r->stream : NULL;
  bool busy = s && s->disk && !s->closed && !(awio_disk_rest(s) && !s->large);
  return busy ? s : NULL;
}

/* A file passes to the child at the position of the script: what was read ahead
 * is given back, and all is written. The thread waits for that if no task has
 * waited before. */
static int open_disk(awio_redirect *r, awio_stream *s) {
  if (s->large)
    return UV_EBUSY;
  awio_disk_settle(s);
  if (s->error) {
    s->told = true;
    return s->error;
  }
  int rc = awio_disk_give_back(s);
  return rc < 0 ? rc : copy_of(r, s->fd);
}

static int open_stream(awio_redirect *r) {
  const awio_stream *s = *r->stream;
  if (!s || s->closed || s->fd < 0)
    return AW_ECLOSED;
  if (s->terminal || s->secure)
    return UV_ENOTSUP;
  if (s->disk)
    return open_disk(r, *r->stream);
  if (misses_bytes(r, s) || has_unsent(r, s))
    return UV_EBUSY;
  int fd = copy_of(r, s->fd);
  if (fd < 0 || s->shared)
    return fd;
  int flags = fcntl(fd, F_GETFL);
  r->unblocked = (flags & O_NONBLOCK) != 0;
  if (r->unblocked)
    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  return fd;
}

int awio_redirect_open(awio_redirect *r) {
  if (r->path)
    return open_path(r);
  if (r->file)
    return open_redirect_file(r);
  return r->stream ? open_stream(r) : copy_of(r, r->fd);
}

void awio_redirect_done(awio_redirect *r, bool started, aw_engine *engine) {
  awio_stream *s = r->stream ? *r->stream : NULL;
  if (!s || s->closed || s->shared)
    return;
  if (started)
    awio_stream_close(s, engine);
  else if (r->unblocked)
    fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) | O_NONBLOCK);
}

/* ---- refusals ---- */

static const char *busy_text(const awio_redirect *r) {
  const awio_stream *s = r->stream ? *r->stream : NULL;
  if (r->number != STDIN_FILENO || (s && has_unsent(r, s)))
    return "has not written all yet: flush it first";
  return r->file ? "has read ahead of the script: the child would miss what it "
                   "holds"
                 : "has read ahead of the script: the child would miss what it "
                   "holds; aw.exec feeds it";
}

static const char *redirect_text(const awio_redirect *r, int code) {
  switch (code) {
  case UV_EBUSY: return busy_text(r);
  case UV_EACCES:
    return r->number == STDIN_FILENO ? "is not open for reading"
                                     : "is not open for writing";
  case UV_ENOTSUP:
    return r->stream && *r->stream && (*r->stream)->secure
               ? "is TLS: aw.copy() passes its bytes on"
               : "is a terminal's, and stays here";
  default: return NULL;
  }
}

/* Push a name of the given file, stream or descriptor, for people. */
static const char *push_what(lua_State *L, const awio_redirect *r) {
  if (r->file)
    return lua_pushstring(L, "the file");
  if (!r->stream)
    return lua_pushfstring(L, "descriptor %d", r->fd);
  const awio_stream *s = *r->stream;
  return lua_pushfstring(L, "stream '%s'", s ? s->name : "finalized");
}

int awio_redirect_raise(lua_State *L, const awio_redirect *r, int code) {
  if (r->path)
    return aw_lua_system_error(L, code, "open", r->path);
  const char *name = awio_file_names[r->number];
  const char *what = push_what(L, r);
  const char *text = redirect_text(r, code);
  if (text)
    return aw_lua_error(L, "bad option '%s' (%s %s)", name, what, text);
  lua_pushfstring(L, "%s (%s)", name, what);
  return aw_lua_system_error(L, code, "spawn", lua_tostring(L, -1));
}
