/* file.c - aw.fs.open: FIFOs, terminals, devices and files as streams
 *
 *   file      also a block device: its stream has threads, see disk.h
 *   FIFO      opened without blocking. The first read waits until the reading
 *             end is ready, which needs a writer: before that, read(2) would
 *             report the end. An open for writing tries again until there is a
 *             reader, since no event tells when one comes
 *   terminal  never becomes the controlling one; does not block
 *
 * Only opening a path tells what it is. So each open begins with a Stream of a
 * file, whose first job opens the path. If it turns out to be something else,
 * the Stream becomes one without threads. While an open waits, the Lua stack is
 *
 *     [path, mode, Stream]
 *
 * An open that is cancelled leaves no descriptor: the thread closes the file.
 * An open that may make or truncate a file is not cut short once its thread has
 * begun it.
 */
#include "stream/disk.h"
#include "stream/stream_object.h"

#include "io.h"

#include <lauxlib.h>
#include <uv.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { AT_PATH = 1, AT_MODE, AT_STREAM };

static const char *const NAME = "fs.open";

/* ---- opening ---- */

/* Return the flags for a mode of io.open, or -1. */
static int flags_of(const char *mode) {
  bool both = mode[0] && mode[1] == '+';
  const char *rest = mode + (both ? 2 : 1);
  if (!mode[0] || !strchr("rwa", mode[0]) || strspn(rest, "b") != strlen(rest))
    return -1;
  int access = both ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
  int made = mode[0] == 'r'   ? 0
             : mode[0] == 'w' ? O_CREAT | O_TRUNC
                              : O_CREAT | O_APPEND;
  return access | made;
}

/* Let a thread open the file. Returns 0 or AW_ENOMEM. */
static int begin_open(aw_engine *engine, awio_stream *s, const char *path,
                      int flags) {
  if (awio_pool_ensure(&awio_files, engine) < 0)
    return AW_ENOMEM;
  awio_file_job *job = awio_file_job_new(s->disk->file, awio_run_open);
  if (!job)
    return AW_ENOMEM;
  job->path = strdup(path);
  job->flags = flags;
  if (!job->path) {
    awio_file_job_free(job);
    return AW_ENOMEM;
  }
  awio_file_begin(job);
  return 0;
}

/* ---- waiting for the thread ---- */

static awio_stream *opening(const void *data) {
  return *(awio_stream *const *)data;
}

static int open_arm(aw_task *task, void *data) {
  return opening(data)->acts->arm(task, opening(data), 0);
}

/* The descriptor, if there is going to be one, is closed by the thread. */
static void open_disarm(aw_task *task, void *data) {
  awio_stream *s = opening(data);
  if (!s)
    return;
  awio_stream_disarm(task, s);
  awio_stream_close(s, NULL);
}

/* An open that makes or truncates a file has an effect, once it has begun. */
static bool open_abortable(aw_task *task, void *data) {
  (void)task;
  const awio_file_job *job = opening(data)->disk->file->job;
  bool changes = job && (job->flags & (O_CREAT | O_TRUNC));
  return !changes || awio_work_stop(&opening(data)->disk->file->job->work);
}

static void describe_opening(const void *data, char *out, size_t size) {
  const awio_stream *s = opening(data);
  snprintf(out, size, "%s", s ? s->name : "");
}

static const aw_operation awaiting_thread = {.label = "fs.open",
                                             .arm = open_arm,
                                             .disarm = open_disarm,
                                             .abandon = open_disarm,
                                             .abortable = open_abortable,
                                             .external = true,
                                             .describe = describe_opening};

/* ---- waiting for the reader of a FIFO ---- */

static int reader_arm(aw_task *task, void *data) {
  enum { PAUSE_MS = 10 };
  (void)data;
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  if (aw_engine_virtual(engine)) /* its alarms do not follow real time */
    return UV_ENXIO;
  return aw_alarm_arm(task,
                      aw_engine_now(engine) + PAUSE_MS * (AW_SECOND / 1000));
}

static void reader_due(aw_task *task, void *data) {
  (void)data;
  aw_wait_complete(task, 0);
}

static void reader_disarm(aw_task *task, void *data) {
  awio_stream *s = opening(data);
  aw_alarm_disarm(task);
  if (s)
    awio_stream_close(s, NULL);
}

static const aw_operation awaiting_reader = {.label = "fs.open",
                                             .arm = reader_arm,
                                             .due = reader_due,
                                             .disarm = reader_disarm,
                                             .external = true,
                                             .describe = describe_opening};

static int try_open(lua_State *L, int result, void *data);

/* The open has failed. */
static int open_failed(lua_State *L, awio_stream *s, int code) {
  awio_stream_close(s, NULL);
  if (code == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  return aw_lua_system_error(L, code, "open", lua_tostring(L, AT_PATH));
}

static int open_on(lua_State *L, int result, void *data) {
  awio_stream *s = *(awio_stream **)lua_touserdata(L, AT_STREAM);
  if (!s || s->closed) /* at the end of the state */
    return aw_lua_system_error(L, AW_ECLOSED, "open", lua_tostring(L, AT_PATH));
  awio_file_job *job = result < 0 ? NULL : awio_file_ended(s->disk->file);
  if (!job && result >= 0)
    return aw_lua_await(L, &awaiting_thread, data, NAME, open_on);
  int rc = job ? job->work.result : result;
  struct stat stat = job ? job->stat : (struct stat){0};
  awio_file_job_free(job);
  if (rc == UV_EAGAIN && S_ISFIFO(stat.st_mode))
    return aw_lua_await(L, &awaiting_reader, data, NAME, try_open);
  if (rc < 0)
    return open_failed(L, s, rc);
  awio_disk_opened(s, &stat);
  return 1;
}

static int try_open(lua_State *L, int result, void *data) {
  awio_stream *s = *(awio_stream **)lua_touserdata(L, AT_STREAM);
  if (!s || s->closed)
    return aw_lua_system_error(L, AW_ECLOSED, "open", lua_tostring(L, AT_PATH));
  if (result == 0)
    result = begin_open(aw_lua_engine(L), s, lua_tostring(L, AT_PATH),
                        flags_of(lua_tostring(L, AT_MODE)));
  return result < 0 ? open_failed(L, s, result) : open_on(L, 0, data);
}

/* Make the stream that is not open yet. */
static awio_stream *new_stream(const char *path, int flags) {
  int access = flags & O_ACCMODE;
  awio_stream *s =
      awio_stream_new(-1, access != O_WRONLY, access != O_RDONLY, path);
  if (s && awio_disk_add(s) == 0)
    return s;
  awio_stream_release(s);
  return NULL;
}

/* aw.fs.open(path [, mode]) → Stream */
static int fs_open(lua_State *L) {
  size_t size;
  const char *path = aw_lua_check_string(L, AT_PATH, &size);
  aw_lua_arg_check(L, strlen(path) == size, AT_PATH, "a path has no zero byte");
  lua_settop(L, AT_MODE);
  if (lua_isnil(L, AT_MODE)) {
    lua_pushliteral(L, "r");
    lua_replace(L, AT_MODE);
  }
  const char *mode = aw_lua_check_string(L, AT_MODE, &size);
  if (strlen(mode) != size || flags_of(mode) < 0) {
    lua_pushfstring(L, "invalid mode '%s': r, w, a, r+, w+ or a+ expected",
                    mode);
    return aw_lua_arg_error(L, AT_MODE, lua_tostring(L, -1));
  }
  lua_tostring(L, AT_PATH); /* a number becomes its text */
  aw_lua_task(L, NAME);
  awio_stream **box = awio_push_stream(L, 0);
  awio_fill_stream(
      L, box,
      new_stream(lua_tostring(L, AT_PATH), flags_of(lua_tostring(L, AT_MODE))));
  if (!*box)
    return luaL_error(L, "not enough memory");
  return aw_lua_begin(L, box, NAME, try_open);
}

/* Add fs_open for fs.lua. [inner, module] */
void awio_open_file(lua_State *L) {
  aw_lua_push_function(L, fs_open, 0, "open");
  lua_setfield(L, -3, "fs_open");
}
