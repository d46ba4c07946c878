/* readiness.c - aw.readable, aw.writable and their wires; sources of a Poller
 *
 *   aw.readable(src)  a descriptor: a wait of the core
 *                     a file: a wait that looks at the buffer of the file first
 *                     an object: we ask whether its buffer holds data, then
 *                     wait for its descriptor
 *                     an object of an aw_lua_source (zmq): the operation that
 *                     its class returns
 *   aw.Readable(src)  a wire of that wait: an event without a coroutine. For an
 *                     object that only Lua can ask: Call(aw.readable, src)
 *
 * A Poller (aiowire/poller.lua) runs one wire for each source: Forever(watch).
 * `watch` is a C step that waits for the source, then continues with the wire
 * of the callback without a boundary [N4]. So no other task can unregister the
 * source between the check of `wanted` and the callback. When the source is not
 * wanted any more, the step leaves the Forever.
 *
 *     waiting ──ready──► the callback's step ──► waiting …
 *        └── unregister interrupts the wait; a callback that runs is not
 *            interrupted
 *
 * A `watched` is a userdata, anchored by the Wire that runs it. Its user values
 * are the Lua file or object, and the Wire of the callback. The `watched` of a
 * Poller has a keeper, which keeps the watcher of the descriptor between waits
 * [Q3], until unwatch() or the end of the task. The core refers to the keeper,
 * so the keeper is memory of C. The finalizer of the `watched` frees the
 * keeper; if Lua skips that finalizer, the end of the state does it.
 *
 * Neighbours: poller_gate.c wakes the task of a Poller; base/source.c finds the
 * source in a Lua value.
 */
#include "io.h"

#include "base/source.h"
#include "stream/stream.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

/* The keeper of a descriptor of a Poller, which the `watched` holds. */
typedef struct kept {
  aw_keeper keeper;
  aw_lua_held held;
} kept;

typedef struct watched {
  const void *file;        /* a Lua file (user value FILE_VALUE), or NULL */
  bool is_stdin;           /* the source is the number 0: see source.c */
  const aw_operation *own; /* operation of an aw_lua_source, or NULL */
  void *own_data; /* data of `own`; user value FILE_VALUE is the object */
  int fd;         /* negative: the source says that it is closed */
  int events;
  bool buffered;    /* the buffer of an object holds data */
  bool wanted;      /* the Poller still wants the source */
  bool asked;       /* watch_source() has begun a wait */
  bool broken;      /* the source could not be waited for */
  aw_task *waiting; /* the task in a wait that may be interrupted, or NULL */
  /* Only in a `watched` of a Poller, else NULL: */
  aw_wire *body; /* of the callback (user value BODY_VALUE is its Wire) */
  kept *kept;
} watched;

enum { FILE_VALUE = 1, BODY_VALUE = 2 };
enum { EITHER = AW_READABLE | AW_WRITABLE };

static const char *const CLASS = "aiowire.watched";

/* ---- waiting for a source ---- */

static bool has_data(const watched *w) {
  return (w->events & AW_READABLE) &&
         (w->buffered || (w->file && awio_file_buffered(w->file)) ||
          (w->is_stdin && awio_stdin_buffered()));
}

static int watched_arm(aw_task *task, void *data) {
  watched *w = data;
  if (w->own)
    return w->own->arm(task, w->own_data);
  if (w->file)
    w->fd = awio_file_fd(w->file);
  if (w->fd < 0)
    return AW_ECLOSED;
  if (has_data(w))
    return 1;
  return aw_ready_arm_kept(task, w->fd, w->events,
                           w->kept ? &w->kept->keeper : NULL);
}

static void watched_disarm(aw_task *task, void *data) {
  watched *w = data;
  w->waiting = NULL;
  if (w->own)
    w->own->disarm(task, w->own_data);
  else
    aw_ready_disarm(task, w->fd);
}

static void watched_describe(const void *data, char *out, size_t size) {
  const watched *w = data;
  if (w->own)
    w->own->describe(w->own_data, out, size);
  else
    snprintf(out, size, w->file ? "file %d" : "%d", w->fd);
}

#define OPERATION(name) \
  { \
    .label = (name), .arm = watched_arm, .disarm = watched_disarm, \
    .external = true, .describe = watched_describe \
  }
static const aw_operation operations[] = {
    [AW_READABLE] = OPERATION("readable"),
    [AW_WRITABLE] = OPERATION("writable"),
    [EITHER] = OPERATION("ready"),
};

static const aw_operation *operation_of(const watched *w) {
  return &operations[w->events];
}

/* ---- a source of a Poller ---- */

/* Stop keeping the watcher of the descriptor. */
static void give_up(const watched *w) {
  if (w->kept)
    aw_ready_done(&w->kept->keeper);
}

static void free_kept(aw_lua_held *held) {
  kept *k = (kept *)((char *)held - offsetof(kept, held));
  aw_ready_done(&k->keeper);
  aw_free(k);
}

static kept *new_kept(lua_State *L) {
  kept *k = aw_allocate(sizeof *k);
  if (!k)
    luaL_error(L, "not enough memory");
  k->held.release = free_kept;
  aw_lua_hold(L, &k->held);
  return k;
}

/* The task of the source ends, or leaves its repetition. */
static aw_turn leave_watch(const watched *w, aw_turn turn) {
  give_up(w);
  return turn;
}

static aw_turn fail_watch(aw_task *task, watched *w, int code) {
  aw_error *error = aw_error_new(aw_loop_engine(aw_task_loop(task)), code, 0);
  aw_error_set_about(error, operation_of(w)->label, w->fd);
  if (w->own) { /* people know the object, not its descriptor */
    char subject[128];
    w->own->describe(w->own_data, subject, sizeof subject);
    aw_error_set_subject(error, subject);
  }
  aw_task_set_error(task, error);
  w->broken = true;
  return leave_watch(w, AW_FAIL);
}

static aw_turn call_back(aw_task *task, const watched *w) {
  aw_task_set_next(task, aw_wire_keep(w->body));
  return AW_INTO;
}

/* Other tasks get their turn after each callback. So a source that is ready
 * already is called back at once. */
static aw_turn ask(aw_task *task, watched *w) {
  if (!w->wanted)
    return leave_watch(w, AW_BREAK);
  int rc = aw_begin_operation(task, operation_of(w), w);
  if (rc < 0)
    return fail_watch(task, w, rc);
  if (rc > 0)
    return call_back(task, w);
  w->asked = true;
  w->waiting = task;
  return AW_WAIT;
}

static aw_turn watch_source(aw_task *task, void *data) {
  watched *w = data;
  if (!w->asked)
    return ask(task, w);
  w->asked = false;
  w->waiting = NULL;
  int rc = aw_task_result(task);
  if (rc == AW_ECANCELED)
    return leave_watch(w, AW_FAIL);
  if (!w->wanted)
    return leave_watch(w, AW_BREAK);
  if (rc < 0)
    return fail_watch(task, w, rc);
  return call_back(task, w);
}

static watched *check_watched(lua_State *L) {
  return luaL_checkudata(L, 1, CLASS);
}

/* Push a new `watched` of the source at `index`, for a single wait. */
static watched *push_watched(lua_State *L, int index, const awio_source *source,
                             int events) {
  watched *w = lua_newuserdatauv(L, sizeof *w, 2);
  *w = (watched){.fd = source->fd, .events = events};
  w->is_stdin = source->is_stdin;
  w->buffered = source->buffered && !source->is_file;
  if (source->class)
    w->own = source->class->ready(L, index, events, &w->own_data);
  if (source->is_file)
    w->file = lua_touserdata(L, index);
  if (source->is_file || source->class) {
    lua_pushvalue(L, index);
    lua_setiuservalue(L, -2, FILE_VALUE);
  }
  return w;
}

/* watch(src, events, w) → watched, Wire. The Wire does what Forever(
 * Readable(src) >> w) does, and unwatch() ends it. */
static int inner_watch(lua_State *L) {
  awio_source source;
  lua_settop(L, 3);
  awio_to_source(L, 1, &source);
  watched *w = push_watched(L, 1, &source, (int)lua_tointeger(L, 2));
  luaL_setmetatable(L, CLASS);
  w->kept = new_kept(L);
  w->wanted = true;
  w->body = aw_lua_part(L, 3);
  lua_pushvalue(L, 3);
  lua_setiuservalue(L, -2, BODY_VALUE);
  aw_lua_push_wire(L, aw_repeat(aw_call(watch_source, w), AW_FOREVER), -1);
  return 2;
}

/* unwatch(watched): end the wait for the source. A callback under way finishes.
 * From now on the descriptor may be closed. */
static int inner_unwatch(lua_State *L) {
  watched *w = check_watched(L);
  w->wanted = false;
  if (w->waiting)
    aw_wait_interrupt(w->waiting, 0);
  give_up(w);
  return 0;
}

/* __gc(watched): free the keeper */
static int watched_gc(lua_State *L) {
  watched *w = check_watched(L);
  kept *k = w->kept;
  w->kept = NULL;
  if (k) {
    aw_lua_let_go(&k->held);
    free_kept(&k->held);
  }
  return 0;
}

/* renew(watched, src): look at the object `src` again, after its callback */
static int inner_renew(lua_State *L) {
  watched *w = check_watched(L);
  awio_source source;
  if (awio_to_source(L, 2, &source)) {
    w->fd = source.fd;
    w->buffered = source.buffered;
  }
  return 0;
}

/* broken(watched) → whether a wait for the source has failed */
static int inner_broken(lua_State *L) {
  lua_pushboolean(L, check_watched(L)->broken);
  return 1;
}

/* If `source` is the number of a descriptor that belongs to an object with its
 * own way to wait, such as a zmq socket, push why it is refused, and return 1.
 * Else return 0. */
static int push_owner(lua_State *L, const awio_source *source) {
  if (source->class || source->is_file || !aw_lua_push_owner(L, source->fd))
    return 0;
  const char *owner = luaL_tolstring(L, -1, NULL);
  lua_pushfstring(L,
                  "descriptor %d only tells that something has changed: give "
                  "the socket itself, %s",
                  source->fd, owner);
  return 1;
}

/* look(src) → descriptor, whether src is an object that Lua must ask, name for
 * people, reason to refuse src or nil. Returns nothing if src is no source. */
static int inner_look(lua_State *L) {
  awio_source source;
  aw_lua_check_any(L, 1);
  lua_settop(L, 1);
  if (!awio_to_source(L, 1, &source))
    return 0;
  lua_pushinteger(L, source.fd);
  lua_pushboolean(L, !source.is_fd && !source.is_file && !source.class);
  if (source.class) {
    char name[128];
    void *data;
    source.class->ready(L, 1, AW_READABLE, &data)
        ->describe(data, name, sizeof name);
    lua_pushstring(L, name);
  } else {
    lua_pushfstring(L, "%d", source.fd);
  }
  return 3 + push_owner(L, &source);
}

/* ---- aw.readable, aw.writable ---- */

static void check_source(lua_State *L, awio_source *out) {
  aw_lua_check_any(L, 1);
  if (awio_to_source(L, 1, out)) {
    if (push_owner(L, out))
      aw_lua_arg_error(L, 1, lua_tostring(L, -1));
    return;
  }
  if (out->is_fd && lua_isinteger(L, 1))
    aw_lua_arg_error(L, 1, "a descriptor is not negative");
  aw_lua_type_error(L, 1, "source");
}

/* The operation of a stream, or of an object of a class with its own way to
 * wait; NULL for another value at 1, which must be a source. Refuses a
 * finalized object. */
static const aw_operation *own_operation(lua_State *L, int events,
                                         void **data) {
  awio_stream **stream = awio_to_stream(L, 1);
  *data = stream;
  if (stream && !*stream)
    aw_lua_system_error(L, AW_ECLOSED, operations[events].label,
                        "stream (finalized)");
  if (stream)
    return events == AW_READABLE ? &awio_stream_readable
                                 : &awio_stream_writable;
  const aw_lua_source *class = aw_lua_find_source(L, 1);
  if (!class || !class->ready)
    return NULL;
  class->fd(L, 1); /* raises for a finalized one */
  return class->ready(L, 1, events, data);
}

/* Raise an error that names the object at 1, not its descriptor. */
static int raise_own(lua_State *L, const aw_operation *own, const void *data,
                     int code) {
  char name[128];
  own->describe(data, name, sizeof name);
  return aw_lua_system_error(L, code, own->label, name);
}

static int raise_wait(lua_State *L, int code, int events, int fd) {
  const char *about = fd < 0 ? NULL : lua_pushfstring(L, "descriptor %d", fd);
  return aw_lua_system_error(L, code, operations[events].label, about);
}

static int after_fd(lua_State *L, int result, int events) {
  if (result >= 0)
    return 0;
  awio_source source;
  void *data;
  const aw_operation *own = own_operation(L, events, &data);
  if (own)
    return raise_own(L, own, data, result);
  awio_to_source(L, 1, &source);
  return raise_wait(L, result, events, source.fd);
}

static int after_readable(lua_State *L, int result, void *data) {
  (void)data;
  return after_fd(L, result, AW_READABLE);
}

static int after_writable(lua_State *L, int result, void *data) {
  (void)data;
  return after_fd(L, result, AW_WRITABLE);
}

static int act(lua_State *L, int events) {
  static const char *const names[] = {"", "readable", "writable"};
  aw_lua_continue then =
      events == AW_READABLE ? after_readable : after_writable;
  awio_source source;
  void *data;
  lua_settop(L, 1);
  const aw_operation *own = own_operation(L, events, &data);
  if (own)
    return aw_lua_await(L, own, data, names[events], then);
  check_source(L, &source);
  if (source.is_file || source.is_stdin) {
    watched *w = push_watched(L, 1, &source, events);
    return aw_lua_await(L, operation_of(w), w, names[events], then);
  }
  aw_lua_task(L, names[events]);
  if (source.fd < 0)
    return raise_wait(L, AW_ECLOSED, events, -1);
  if (source.buffered && events == AW_READABLE)
    return aw_lua_await(L, NULL, NULL, names[events], then);
  return aw_lua_await(L, aw_ready_operation(events),
                      (void *)(intptr_t)source.fd, names[events], then);
}

static int act_readable(lua_State *L) {
  return act(L, AW_READABLE);
}

static int act_writable(lua_State *L) {
  return act(L, AW_WRITABLE);
}

/* ---- aw.Readable, aw.Writable: upvalue 1 is the module ---- */

static int build(lua_State *L, int events) {
  awio_source source;
  void *data;
  lua_settop(L, 1);
  const aw_operation *own = own_operation(L, events, &data);
  if (own) {
    aw_lua_push_wire(L, aw_wait_for(own, data), 1);
    return 1;
  }
  check_source(L, &source);
  if (source.is_fd && !source.is_stdin) {
    aw_lua_push_wire(L, aw_when_ready(source.fd, events), 0);
  } else if (source.is_file || source.is_stdin) {
    watched *w = push_watched(L, 1, &source, events);
    aw_lua_push_wire(L, aw_wait_for(operation_of(w), w), -1);
  } else {
    lua_getfield(L, lua_upvalueindex(1), "Call");
    lua_getfield(L, lua_upvalueindex(1),
                 events == AW_READABLE ? "readable" : "writable");
    lua_pushvalue(L, 1);
    lua_call(L, 2, 1);
  }
  return 1;
}

static int m_Readable(lua_State *L) {
  return build(L, AW_READABLE);
}

static int m_Writable(lua_State *L) {
  return build(L, AW_WRITABLE);
}

/* ---- opening ---- */

/* Add public functions to the module's table, on top of the stack, and those
 * for poller.lua to the table below that. */
void awio_open_readiness(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"readable", act_readable}, {"writable", act_writable}, {NULL, NULL}};
  static const luaL_Reg builders[] = {
      {"Readable", m_Readable}, {"Writable", m_Writable}, {NULL, NULL}};
  static const luaL_Reg inner[] = {
      {"watch", inner_watch}, {"unwatch", inner_unwatch},
      {"renew", inner_renew}, {"broken", inner_broken},
      {"look", inner_look},   {NULL, NULL}};
  luaL_newmetatable(L, CLASS);
  lua_pushcfunction(L, watched_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  aw_lua_set_functions(L, functions, 0);
  lua_pushvalue(L, -1);
  aw_lua_set_functions(L, builders, 1);
  awio_add_inner(L, inner);
}
