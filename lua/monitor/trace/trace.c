/* trace.c - see trace.h
 *
 *   aw.trace(path) ─► recorder … ─► ring ─┬─ aw.trace()
 *                                         ├─ the end of the Lua state
 *                                         └─ exit(), on the state's thread
 *                                               └─► trace_file.c: the file
 *
 * A file is written beside `path` and then renamed, so that nothing
 * half-written gets the name. A folder that cannot be written is an error at
 * once. A program that is killed leaves no file.
 *
 * Traces under way are in a list, for the exit handler. Only the thread that
 * ends the process writes its trace: the states of other threads are running.
 * Neither does a child that fork() has made: the trace is its parent's.
 */
#include "trace/trace.h"

#include "base/classes.h"
#include "base/location.h"
#include "trace/pauses.h"
#include "trace/recorder.h"
#include "trace/trace_file.h"
#include "trace/trace_json.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct awm_trace {
  awl_state *state;
  awm_trace_file file;
  uint64_t since;         /* the first record that belongs to it … */
  uint64_t events_before; /* … and the events before that */
  pthread_t thread;       /* that of the state */
  pid_t process;          /* the one that began it */
  awm_trace *next;        /* in the list */
};

static awm_trace *traces; /* those under way */
static pthread_mutex_t traces_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the end ---- */

static void strike_trace(const awm_trace *trace) {
  pthread_mutex_lock(&traces_lock);
  awm_trace **at = &traces;
  while (*at && *at != trace)
    at = &(*at)->next;
  if (*at)
    *at = trace->next;
  pthread_mutex_unlock(&traces_lock);
}

static void free_trace(awl_state *s) {
  awm_trace_file_forget(&s->trace->file);
  aw_free(s->trace);
  s->trace = NULL;
  awm_recorder_leave(s, AWM_FOR_TRACE);
}

/* In a process that was forked: the trace stays the parent's. */
static void leave_to_parent(awl_state *s) {
  if (!s->trace || s->trace->process == getpid())
    return;
  strike_trace(s->trace);
  free_trace(s);
}

/* Write the tracks to the file; returns 0 or a code. */
static int write_tracks(awm_trace *trace, aw_lua_trace_end *out) {
  awl_state *s = trace->state;
  const awm_recorder *r = s->recorder;
  awm_tracks t;
  int rc = awm_tracks_build(&t, r, trace->since);
  out->events = t.events;
  out->lost = r->ring.events - trace->events_before - t.events;
  const awm_trace_facts facts = {out->lost, r->alive, r->waiting};
  FILE *file = NULL;
  if (rc == 0)
    rc = awm_trace_file_begin(&trace->file, &file);
  if (rc == 0) {
    awm_write_json(file, &t, &facts);
    rc = awm_trace_file_end(&trace->file, file);
  }
  awm_tracks_free(&t);
  return rc;
}

/* End the trace of a state, which has one, and write its file. */
static int end_trace(awl_state *s, aw_lua_trace_end *out) {
  strike_trace(s->trace);
  int rc = write_tracks(s->trace, out);
  free_trace(s);
  return rc;
}

int aw_lua_end_trace(lua_State *L, aw_lua_trace_end *out) {
  awl_state *s = awl_find_state(L);
  *out = (aw_lua_trace_end){0};
  if (s)
    leave_to_parent(s);
  return s && s->trace ? end_trace(s, out) : AW_EENDED;
}

/* End a trace when nobody can get its error any more. */
static void end_late(awl_state *s) {
  aw_lua_trace_end end = {0};
  char path[1024];
  snprintf(path, sizeof path, "%s", s->trace->file.path);
  int rc = end_trace(s, &end);
  if (rc < 0)
    fprintf(stderr, "aiowire: cannot write the trace '%s': %s\n", path,
            aw_strerror(rc));
}

void awm_end_trace(awl_state *s) {
  leave_to_parent(s);
  if (s->trace)
    end_late(s);
  awm_recorder_leave(s, AWM_FOR_TRACE);
  awm_recorder_leave(s, AWM_FOR_RECORD);
}

/* Find a trace that this thread may end, and the process may write. */
static awl_state *own_trace(void) {
  awl_state *found = NULL;
  pthread_mutex_lock(&traces_lock);
  for (const awm_trace *at = traces; at && !found; at = at->next)
    if (pthread_equal(at->thread, pthread_self()) && at->process == getpid())
      found = at->state;
  pthread_mutex_unlock(&traces_lock);
  return found;
}

static void write_traces_at_exit(void) {
  awl_state *s;
  while ((s = own_trace()) != NULL)
    end_late(s);
}

static void watch_trace_exit(void) {
  (void)atexit(write_traces_at_exit);
}

/* ---- the begin ---- */

/* Begin a trace; returns 0 or a code. Does not raise. */
static int begin_trace(awl_state *s, const char *path, size_t cells) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  awm_trace *trace = aw_allocate(sizeof *trace);
  if (!trace)
    return AW_ENOMEM;
  int rc = awm_trace_file_open(&trace->file, path);
  if (rc < 0) {
    aw_free(trace);
    return rc;
  }
  uint64_t since = s->recorder ? s->recorder->ring.written : 0;
  uint64_t before = s->recorder ? s->recorder->ring.events : 0;
  rc = awm_recorder_use(s, AWM_FOR_TRACE, cells);
  if (rc < 0) {
    awm_trace_file_forget(&trace->file);
    aw_free(trace);
    return rc;
  }
  trace->state = s;
  trace->since = since;
  trace->events_before = before;
  trace->thread = pthread_self();
  trace->process = getpid();
  s->trace = trace;
  (void)pthread_once(&once, watch_trace_exit);
  pthread_mutex_lock(&traces_lock);
  trace->next = traces;
  traces = trace;
  pthread_mutex_unlock(&traces_lock);
  return 0;
}

/* ---- for Lua ---- */

/* The option `events` of the table at 2. */
static size_t check_events(lua_State *L) {
  static const char *const known[] = {"events", NULL};
  if (lua_isnoneornil(L, 2))
    return AWM_TRACE_CELLS;
  aw_lua_check_options(L, 2, known, false);
  if (lua_getfield(L, 2, "events") == LUA_TNIL)
    return AWM_TRACE_CELLS;
  int is_integer;
  lua_Integer events = lua_tointegerx(L, -1, &is_integer);
  if (lua_type(L, -1) != LUA_TNUMBER || !is_integer || events < 1 ||
      events > INT32_MAX)
    aw_lua_bad_option(L, "events", "an integer from 1 to 2147483647");
  lua_pop(L, 1);
  return (size_t)events;
}

/* trace() → events, overwritten */
static int finish_trace(lua_State *L, awl_state *s) {
  aw_lua_trace_end end = {0};
  lua_pushstring(L, s->trace ? s->trace->file.path : "");
  if (!s->trace) /* also if a finalizer has ended it just now */
    return awl_error(L, "no trace is running; aw.trace(path) begins one");
  int rc = end_trace(s, &end);
  if (rc == AW_ENOMEM)
    return awl_error(L, "not enough memory");
  if (rc < 0)
    return aw_lua_system_error(L, rc, "trace", lua_tostring(L, -1));
  lua_pushinteger(L, (lua_Integer)end.events);
  lua_pushinteger(L, (lua_Integer)end.lost);
  return 2;
}

/* trace(path [, {events=}]); trace() */
static int m_trace(lua_State *L) {
  awl_state *s = awl_of(L);
  leave_to_parent(s);
  if (lua_isnone(L, 1))
    return finish_trace(L, s);
  size_t size;
  const char *path = aw_lua_check_string(L, 1, &size);
  aw_lua_arg_check(L, strlen(path) == size, 1, "a path without \\0 expected");
  size_t cells = check_events(L);
  awm_watch_cycles(L, s); /* raises before anything is under way */
  if (s->trace) {
    lua_pushstring(L, s->trace->file.path); /* a finalizer may end it */
    return awl_error(L, "a trace is running already, for '%s'",
                     lua_tostring(L, -1));
  }
  int rc = begin_trace(s, path, cells);
  if (rc == AW_EBUSY)
    return awl_error(L, "the host program has an instrument of its own");
  if (rc == AW_ENOMEM)
    return awl_error(L, "not enough memory");
  return rc < 0 ? aw_lua_system_error(L, rc, "trace", path) : 0;
}

void awm_open_trace(lua_State *L, awl_state *s) {
  static const luaL_Reg functions[] = {{"trace", m_trace}, {NULL, NULL}};
  awl_register(L, s, functions);
}
