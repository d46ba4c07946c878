/* connections.c - the connections of a running Serve, for serve.lua
 *
 *     serving (one for each run) ─ open, most
 *       └─ connection: a wire, `body` and then the end of the connection
 *
 * The end is a C step, so a connection needs no Lua function and no coroutine
 * for it. It runs however the body has ended, closes the stream, and lets the
 * task of the Serve accept one more connection.
 *
 * If the body has ended well, its connection counts as open until the kernel
 * has all bytes that were written: so `most` bounds descriptors and queues,
 * also with peers that never read, and these bytes are sent even if the loop is
 * about to end. The stream lingers meanwhile. If the body has failed, or was
 * cancelled, nothing waits for such a peer.
 */
#include "base/buffer.h"
#include "io.h"
#include "stream/stream.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <stdint.h>

typedef struct serving {
  uint64_t open, most; /* connections: now, and the most at a time */
  aw_task *waiting;    /* the task of the Serve, if it waits for room */
  aw_task *holder;     /* the task "connections", if it waits for `stopping` */
  bool held;           /* the task "connections" has its scope */
  bool stopping;       /* no more connections are accepted */
} serving;

/* The userdata of a Stream, and its Serve. */
typedef struct ending {
  serving *run;
  awio_stream **box;
  bool ended_well; /* the body has */
  bool waits;      /* until everything is sent */
} ending;

/* The functions below are called by serve.lua alone, with the right types. */
static serving *serving_at_1(lua_State *L) {
  return lua_touserdata(L, 1);
}

/* serving(most) → the state of a run */
static int inner_serving(lua_State *L) {
  lua_Integer most = luaL_optinteger(L, 1, 0);
  serving *run = lua_newuserdatauv(L, sizeof *run, 0);
  *run = (serving){.most = most > 0 ? (uint64_t)most : UINT64_MAX};
  return 1;
}

/* ---- room ---- */

static bool may_open(const serving *run) {
  return run->held && run->open < run->most;
}

/* Something has changed for the task that waits for room. */
static void look_for_room(serving *run) {
  aw_task *task = run->waiting;
  if (!task || !may_open(run))
    return;
  run->waiting = NULL;
  aw_wait_complete(task, 0);
}

static int serving_arm(aw_task *task, void *data) {
  serving *run = data;
  if (may_open(run))
    return 1;
  run->waiting = task;
  return 0;
}

static void serving_disarm(aw_task *task, void *data) {
  (void)task;
  ((serving *)data)->waiting = NULL;
}

static const aw_operation room_operation = {.label = "room for a connection",
                                            .arm = serving_arm,
                                            .disarm = serving_disarm};

static int return_nothing(lua_State *L, int result, void *data) {
  (void)L;
  (void)result;
  (void)data;
  return 0;
}

/* room(serving): wait until a connection may be started */
static int inner_room(lua_State *L) {
  serving *run = serving_at_1(L);
  if (may_open(run))
    return 0;
  return aw_lua_await(L, &room_operation, run, "Serve", return_nothing);
}

/* ---- the end of the run ---- */

static int holder_arm(aw_task *task, void *data) {
  serving *run = data;
  if (run->stopping)
    return 1;
  run->holder = task;
  run->held = true;
  look_for_room(run);
  return 0;
}

static void holder_disarm(aw_task *task, void *data) {
  (void)task;
  ((serving *)data)->holder = NULL;
}

static const aw_operation holding_operation = {
    .label = "the end of Serve", .arm = holder_arm, .disarm = holder_disarm};

/* hold(serving): wait until no more connections are accepted */
static int inner_hold_serving(lua_State *L) {
  serving *run = serving_at_1(L);
  return aw_lua_await(L, &holding_operation, run, "Serve", return_nothing);
}

/* stopping(serving): no more connections are accepted */
static int inner_stopping(lua_State *L) {
  serving *run = serving_at_1(L);
  aw_task *task = run->holder;
  run->stopping = true;
  run->holder = NULL;
  if (task)
    aw_wait_complete(task, 0);
  return 0;
}

/* ---- a connection ---- */

static void leave_serving(serving *run) {
  run->open--;
  look_for_room(run);
}

/* After a body that has not failed. */
static aw_turn note_end(aw_task *task, void *data) {
  (void)task;
  ((ending *)data)->ended_well = true;
  return AW_DONE;
}

static aw_turn end_connection(aw_task *task, void *data) {
  ending *e = data;
  awio_stream *s = *e->box; /* NULL: finalized, as the state is closed */
  bool cut = e->waits && aw_task_result(task) == AW_ECANCELED;
  e->waits = s && e->ended_well && !cut && awio_stream_finish(s, task);
  if (e->waits && aw_await_operation(task, &awio_wait_flushed, s) == 0)
    return AW_WAIT;
  if (s)
    awio_stream_abort(s, aw_loop_engine(aw_task_loop(task)));
  leave_serving(e->run);
  return AW_DONE;
}

/* connection(serving, body, stream) → a wire that runs the Wire `body`, then
 * closes `stream`; the name of the stream */
static int inner_connection(lua_State *L) {
  enum { RUN = 1, BODY, STREAM, ENDING };
  serving *run = serving_at_1(L);
  awio_stream **box = lua_touserdata(L, STREAM);
  aw_wire *body = aw_lua_part(L, BODY);
  ending *e = lua_newuserdatauv(L, sizeof *e, 3);
  *e = (ending){.run = run, .box = box};
  for (int i = RUN; i <= STREAM; i++) {
    lua_pushvalue(L, i);
    lua_setiuservalue(L, ENDING, i);
  }
  aw_wire *work = aw_bind(aw_wire_keep(body), aw_call(note_end, e));
  aw_wire *end = aw_call(end_connection, e);
  aw_lua_push_wire(L, aw_finally(work, end, AW_DEFAULT), ENDING);
  lua_pushstring(L, (*box)->name);
  run->open++;
  return 2;
}

/* not_started(serving): the task of a connection could not be started */
static int inner_not_started(lua_State *L) {
  leave_serving(serving_at_1(L));
  return 0;
}

/* ---- failures ---- */

/* connection_failed(where, text): warn that a body has failed, and that nobody
 * handles that */
static int inner_connection_failed(lua_State *L) {
  lua_settop(L, 2);
  aw_lua_mistake(L, luaL_checkstring(L, 1), "Serve");
  return 0;
}

void awio_open_connections(lua_State *L) {
  static const luaL_Reg inner[] = {
      {"serving", inner_serving},
      {"room", inner_room},
      {"hold_serving", inner_hold_serving},
      {"stopping", inner_stopping},
      {"connection", inner_connection},
      {"not_started", inner_not_started},
      {"connection_failed", inner_connection_failed},
      {NULL, NULL}};
  awio_add_inner(L, inner);
}
