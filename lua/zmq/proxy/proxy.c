/* proxy.c - one direction of a proxy: moves messages from socket to socket
 *
 *   from ──► pass_one ──► to          the frames stay in libzmq's memory
 *                └──────► capture     copies of them
 *
 * A task that runs a pump passes messages until there is none, or until the
 * destination is full. Then it waits in the list of the socket, among all tasks
 * that receive from it or send to it. When its turn comes, the engine calls
 * take_for_pump() or pass_for_pump(), which pass one message in the name of the
 * task.
 *
 * Invariant: a message is received and sent within one call. One that cannot be
 * sent goes back to the front of its source at once, before the task waits. So
 * a task that waits has no message, and a cancel loses none.
 *
 * The exception is the copy for the capture. The message has been sent when its
 * copy turns out not to fit. The pump keeps the copy, and passes no message
 * before the copy is sent.
 *
 * Neighbours: aiowire/zmq_proxy.lua makes a wire of the two directions and the
 * control socket; socket/pass.c sends frames.
 *
 * More than 500 lines: struct pump is known only here.
 */
#include "context/failure.h"
#include "proxy/proxy_guard.h"
#include "zmq.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { BURST = 64, BURST_BYTES = 1 << 20 }; /* then other tasks run */
enum { LONGEST_NAME = 255 };                /* of a peer */
enum { EFSM_OF_ZMQ = 156384712 + 51 };

static const char *const PUMP = "aiowire.zmq.pump";

/* What a pump owns. Not part of the userdata, which is freed even if Lua has
 * not called its finalizer. */
typedef struct unsent {
  awz_message *copy; /* for the capture, not sent yet; or NULL */
  aw_lua_held held;
} unsent;

typedef struct pump {
  awz_way from;          /* its `take` is take_for_pump() */
  awz_parts to, capture; /* their `pass` is one of the functions below */
  awz_part peer;         /* for which a message waits, if `to` is a ROUTER */
  char name[LONGEST_NAME];
  unsent *unsent;           /* NULL: finalized, or not made yet */
  uint64_t messages, bytes; /* passed so far */
  bool dropped;             /* a message that had too many parts */
  const awz_box *failed;    /* the socket that a failure is about */
} pump;

/* What pass_one() returns besides 1, for a message that was passed, and
 * negative codes. */
enum { NO_MESSAGE = 0, NO_ROOM = 2, CAPTURE_FULL = 3 };

/* ---- passing a message ---- */

static int note_failed(pump *p, const awz_box *box, int code) {
  p->failed = box;
  return code;
}

/* Check that the sockets are open, and opened by this process. */
static int check_sockets(pump *p) {
  if (!p->unsent)
    return AW_ECLOSED;
  const awz_box *boxes[] = {p->from.box, p->to.box, p->capture.box};
  for (int i = 0; i < 3; i++) {
    int rc = boxes[i] ? awz_socket_check(awz_socket_in(boxes[i])) : 0;
    if (rc < 0)
      return note_failed(p, boxes[i], rc);
  }
  return 0;
}

/* It is not the turn of a REQ or REP: that is as having no room. */
static bool cannot_now(int code) {
  return code == -EAGAIN || code == -EFSM_OF_ZMQ;
}

/* As awz_message_send(), but EAGAIN may be stale [ZQ8]. */
static int send_or_look(awz_socket *to, awz_message *message) {
  int rc = awz_message_send(to, message);
  if (rc != -EAGAIN)
    return rc;
  int events = aw_zmq_events(to->ready);
  if (events < 0)
    return events;
  return events & AW_WRITABLE ? awz_message_send(to, message) : rc;
}

static int send_copy(pump *p) {
  awz_socket *capture = awz_socket_in(p->capture.box);
  int rc = send_or_look(capture, p->unsent->copy);
  if (rc < 0)
    return cannot_now(rc) ? CAPTURE_FULL : note_failed(p, p->capture.box, rc);
  awz_message_free_copy(p->unsent->copy);
  p->unsent->copy = NULL;
  return 0;
}

static int copy_for_capture(pump *p, const awz_message *message) {
  if (!p->capture.box)
    return 0;
  return awz_message_copy(message, awz_socket_in(p->capture.box),
                          &p->unsent->copy);
}

static void drop_copy(pump *p) {
  if (p->unsent->copy)
    awz_message_free_copy(p->unsent->copy);
  p->unsent->copy = NULL;
}

static bool has_copy(const pump *p) {
  return p->unsent && p->unsent->copy;
}

/* Return the peer of a ROUTER that the message is for. */
static awz_part peer_of(const awz_socket *to, awz_message *message) {
  awz_frame *first = &message->frames[0];
  return (awz_part){awz_raw_data(to, &first->message), first->size};
}

/* Note the peer that the message is for, so that no other message for that peer
 * overtakes the pump. */
static void note_peer(pump *p, const awz_socket *to, awz_message *message) {
  if (!to->type->addressed)
    return;
  awz_part peer = peer_of(to, message);
  size_t size = peer.size < LONGEST_NAME ? peer.size : LONGEST_NAME;
  memcpy(p->name, peer.data, size);
  p->peer = (awz_part){p->name, size};
  p->to.part = &p->peer;
}

/* Tell whether a task waits that must send first, of those that wait. */
static bool comes_later(const awz_socket *to, awz_message *message) {
  if (!to->type->addressed)
    return true;
  awz_part peer = peer_of(to, message);
  const awz_parts parts = {.part = &peer};
  return aw_zmq_sending(to->ready, awz_same_peer, &parts);
}

/* Send the message, and make its copy. Returns 0 if it is sent, or dropped
 * because its peer is gone. */
static int deliver(pump *p, awz_message *message, bool queues) {
  awz_socket *to = awz_socket_in(p->to.box);
  bool waits = queues && comes_later(to, message);
  int rc = waits ? -EAGAIN : copy_for_capture(p, message);
  if (rc == 0)
    rc = send_or_look(to, message);
  bool gone = rc == -EHOSTUNREACH && to->type->addressed;
  if (rc == 0 || gone)
    return 0;
  drop_copy(p);
  if (!cannot_now(rc))
    return note_failed(p, p->to.box, rc);
  note_peer(p, to, message);
  return NO_ROOM;
}

static uint64_t bytes_of(const awz_message *message) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < message->count; i++)
    bytes += message->frames[i].size;
  return bytes;
}

static int pass_message(pump *p, awz_message *message, bool queues) {
  awz_socket *from = message->socket;
  uint64_t bytes = bytes_of(message);
  int rc = deliver(p, message, queues);
  if (rc != 0) {
    awz_message_put_back(from, message);
    return rc;
  }
  p->messages++;
  p->bytes += bytes;
  awz_message_done(from, message);
  rc = p->unsent->copy ? send_copy(p) : 0;
  return rc == 0 ? 1 : rc;
}

/* Pass the next message on. The sockets are open.
 *
 *   queues  tasks that wait to send come first
 */
static int pass_one(pump *p, bool queues) {
  int rc = p->unsent->copy ? send_copy(p) : 0;
  if (rc != 0)
    return rc;
  awz_message *message;
  rc = awz_message_next(awz_socket_in(p->from.box), &message);
  if (rc > 0)
    return pass_message(p, message, queues);
  if (rc == -EMSGSIZE) {
    p->dropped = true;
    return 1;
  }
  return rc == 0 || cannot_now(rc) ? NO_MESSAGE
                                   : note_failed(p, p->from.box, rc);
}

/* Tell whether tasks wait to send. No task begins to wait while a pump is
 * running, so a pump asks once for a burst. */
static bool others_send(const pump *p) {
  return aw_zmq_sending(awz_socket_in(p->to.box)->ready, NULL, NULL);
}

/* ---- in the engine, for a task that waits ---- */

static pump *pump_of_way(const void *way) {
  return (pump *)((const char *)way - offsetof(pump, from));
}

static pump *pump_of_to(const void *parts) {
  return (pump *)((const char *)parts - offsetof(pump, to));
}

static pump *pump_of_capture(const void *parts) {
  return (pump *)((const char *)parts - offsetof(pump, capture));
}

static int wake_unless(int waits_on, int rc) {
  return rc == waits_on ? 0 : rc < 0 ? rc : 1;
}

static int take_for_pump(const awz_way *way) {
  pump *p = pump_of_way(way);
  int rc = check_sockets(p);
  return rc < 0 ? rc : wake_unless(NO_MESSAGE, pass_one(p, others_send(p)));
}

static int pass_for_pump(const awz_parts *parts) {
  pump *p = pump_of_to(parts);
  int rc = check_sockets(p);
  return rc < 0 ? rc : wake_unless(NO_ROOM, pass_one(p, false));
}

static int pass_copy(const awz_parts *parts) {
  pump *p = pump_of_capture(parts);
  int rc = check_sockets(p);
  return rc < 0 ? rc
                : wake_unless(CAPTURE_FULL, p->unsent->copy ? send_copy(p) : 1);
}

static int arm_receive(aw_task *task, void *data) {
  pump *p = pump_of_way(data);
  int rc = check_sockets(p);
  if (rc < 0)
    return rc;
  rc = aw_zmq_arm_receive(task, awz_socket_in(p->from.box)->ready);
  return rc < 0 ? note_failed(p, p->from.box, rc) : rc;
}

static void disarm_receive(aw_task *task, void *data) {
  const awz_way *way = data;
  aw_zmq_disarm(task, awz_socket_in(way->box)->ready);
}

static int arm_send(aw_task *task, void *data) {
  const awz_parts *parts = data;
  const awz_socket *s = awz_socket_in(parts->box);
  int rc = awz_socket_check(s);
  return rc < 0 ? rc : aw_zmq_arm_send(task, s->ready);
}

static void disarm_send(aw_task *task, void *data) {
  const awz_parts *parts = data;
  aw_zmq_disarm(task, awz_socket_in(parts->box)->ready);
}

static void describe_source(const void *data, char *out, size_t size) {
  awz_describe(((const awz_way *)data)->box, out, size);
}

static void describe_target(const void *data, char *out, size_t size) {
  awz_describe(((const awz_parts *)data)->box, out, size);
}

static const aw_operation wait_message = {.label = "proxy: recv",
                                          .arm = arm_receive,
                                          .disarm = disarm_receive,
                                          .external = true,
                                          .describe = describe_source};
static const aw_operation wait_room = {.label = "proxy: send",
                                       .arm = arm_send,
                                       .disarm = disarm_send,
                                       .external = true,
                                       .describe = describe_target};

/* ---- for Lua ---- */

static int fail_pump(lua_State *L, const pump *p, const awz_box *box,
                     int code) {
  const awz_box *about = p->failed ? p->failed : box;
  return awz_fail(L, awz_socket_in(about), code, "proxy");
}

/* Pass as many messages as fit into a turn. Returns 1 if there may be more. */
static int pass_burst(pump *p) {
  if (aw_zmq_receiving(awz_socket_in(p->from.box)->ready))
    return NO_MESSAGE; /* other tasks come first */
  bool queues = others_send(p);
  uint64_t limit = p->bytes + BURST_BYTES;
  int rc = 1;
  for (int left = BURST; rc == 1 && left > 0 && p->bytes < limit; left--)
    rc = pass_one(p, queues);
  return rc;
}

static int go_on(lua_State *L, int result, void *data);
static int has_room(lua_State *L, int result, void *data);
static int has_sent_copy(lua_State *L, int result, void *data);

static int keep_passing(lua_State *L, pump *p) {
  p->failed = NULL;
  p->to.part = NULL;
  int rc = check_sockets(p);
  if (rc == 0)
    rc = pass_burst(p);
  if (rc >= 0 && p->dropped)
    return 0;
  switch (rc) {
  case 1: return aw_lua_await(L, NULL, &p->from, "zmq.Proxy", go_on);
  case NO_MESSAGE:
    return aw_lua_await(L, &wait_message, &p->from, "zmq.Proxy", go_on);
  case NO_ROOM:
    return aw_lua_await(L, &wait_room, &p->to, "zmq.Proxy", has_room);
  case CAPTURE_FULL:
    return aw_lua_await(L, &wait_room, &p->capture, "zmq.Proxy", has_sent_copy);
  default: return fail_pump(L, p, p->from.box, rc);
  }
}

static int go_on(lua_State *L, int result, void *data) {
  pump *p = pump_of_way(data);
  return result < 0 ? fail_pump(L, p, p->from.box, result) : keep_passing(L, p);
}

static int has_room(lua_State *L, int result, void *data) {
  pump *p = pump_of_to(data);
  return result < 0 ? fail_pump(L, p, p->to.box, result) : keep_passing(L, p);
}

static int has_sent_copy(lua_State *L, int result, void *data) {
  pump *p = pump_of_capture(data);
  return result < 0 ? fail_pump(L, p, p->capture.box, result)
                    : keep_passing(L, p);
}

/* run(pump): pass messages until one is dropped that has too many parts */
static int pump_run(lua_State *L) {
  pump *p = luaL_checkudata(L, 1, PUMP);
  p->dropped = false;
  lua_settop(L, 1);
  return aw_lua_begin(L, &p->from, "zmq.Proxy", go_on);
}

static int copy_is_out(lua_State *L, int result, void *data) {
  pump *p = pump_of_capture(data);
  return result < 0 ? fail_pump(L, p, p->capture.box, result) : 0;
}

/* finish(pump): send the copy that the capture has no room for */
static int pump_finish(lua_State *L) {
  pump *p = luaL_checkudata(L, 1, PUMP);
  lua_settop(L, 1);
  p->failed = NULL;
  if (!has_copy(p))
    return 0;
  return aw_lua_await(L, &wait_room, &p->capture, "zmq.Proxy", copy_is_out);
}

/* Push the parts of the copy as a list. A finalizer cannot touch the copy. */
static void push_parts_of(lua_State *L, awz_message *copy) {
  lua_createtable(L, (int)copy->count, 0);
  for (size_t i = 0; i < copy->count; i++) {
    awz_frame *frame = &copy->frames[i];
    lua_pushlstring(L, awz_raw_data(copy->socket, &frame->message),
                    frame->size);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

/* left(pump): if the copy was not sent, return an error with its parts */
static int pump_left(lua_State *L) {
  pump *p = luaL_checkudata(L, 1, PUMP);
  if (!has_copy(p))
    return 0;
  enum { LONGEST_TEXT = 160 };
  char about[LONGEST_TEXT];
  awz_describe(p->capture.box, about, sizeof about);
  lua_pushfstring(L, "copy of a message for the capture, %s socket", about);
  bool is_open = awz_socket_check(awz_socket_in(p->capture.box)) == 0;
  aw_lua_push_system_error(L, is_open ? -EAGAIN : AW_ECLOSED, "proxy",
                           lua_tostring(L, -1));
  push_parts_of(L, p->unsent->copy);
  lua_setfield(L, -2, "parts");
  lua_pushliteral(L, "capture");
  lua_setfield(L, -2, "direction");
  return 1;
}

/* counts(pump) → messages, bytes */
static int pump_counts(lua_State *L) {
  const pump *p = luaL_checkudata(L, 1, PUMP);
  lua_pushinteger(L, (lua_Integer)p->messages);
  lua_pushinteger(L, (lua_Integer)p->bytes);
  return 2;
}

static void free_unsent(unsent *u) {
  if (u->copy)
    awz_message_free_copy(u->copy);
  aw_free(u);
}

/* Lua has skipped the finalizer of the pump. */
static void release_lost_pump(aw_lua_held *held) {
  free_unsent((unsent *)((char *)held - offsetof(unsent, held)));
}

static int pump_gc(lua_State *L) {
  pump *p = lua_touserdata(L, 1);
  if (p->unsent) {
    aw_lua_let_go(&p->unsent->held);
    free_unsent(p->unsent);
  }
  p->unsent = NULL;
  return 0;
}

/* pump(from, to [, capture]) → a direction of a proxy */
static int new_pump(lua_State *L) {
  lua_settop(L, 3);
  const awz_box *from = &awz_check_handle(L, 1)->box;
  const awz_box *to = &awz_check_handle(L, 2)->box;
  const awz_box *capture =
      lua_isnil(L, 3) ? NULL : &awz_check_handle(L, 3)->box;
  pump *p = lua_newuserdatauv(L, sizeof *p, 3);
  *p = (pump){.from = {.box = from, .take = take_for_pump},
              .to = {.box = to, .pass = pass_for_pump},
              .capture = {.box = capture, .pass = pass_copy}};
  luaL_setmetatable(L, PUMP);
  for (int i = 1; i <= 3; i++) {
    lua_pushvalue(L, i);
    lua_setiuservalue(L, -2, i);
  }
  p->unsent = aw_allocate(sizeof *p->unsent);
  if (!p->unsent)
    return awz_raise(L, AW_ENOMEM, "open", "zmq.Proxy");
  p->unsent->held.release = release_lost_pump;
  aw_lua_hold(L, &p->unsent->held);
  return 1;
}

/* kind(value) → name of its type, receives, sends; nil: it is no socket. Raises
 * if the socket is closed. */
static int socket_kind(lua_State *L) {
  const awz_box *box = awz_box_at(L, 1, AWZ_SOCKET_CLASS);
  if (!box)
    return 0;
  awz_use(L, box);
  const awz_type *type = awz_check_socket_at(L, 1, "proxy")->type;
  lua_pushstring(L, type->name);
  lua_pushboolean(L, type->receives);
  lua_pushboolean(L, type->sends);
  return 3;
}

/* warn(where, kind, text); kind is 0, 1 or 2 */
static int proxy_warn(lua_State *L) {
  static const char *const kinds[] = {"proxy command", "proxy reply",
                                      "proxy parts"};
  lua_settop(L, 3);
  aw_lua_mistake(L, luaL_checkstring(L, 1), kinds[lua_tointeger(L, 2)]);
  return 0;
}

/* [module] → [module], with the table `proxy` */
void awz_open_proxy(lua_State *L) {
  static const luaL_Reg functions[] = {{"pump", new_pump},
                                       {"run", pump_run},
                                       {"finish", pump_finish},
                                       {"left", pump_left},
                                       {"guard", awz_proxy_guard_new},
                                       {"closed", awz_proxy_guard_wait},
                                       {"counts", pump_counts},
                                       {"kind", socket_kind},
                                       {"warn", proxy_warn},
                                       {NULL, NULL}};
  awz_open_proxy_guard(L);
  luaL_newmetatable(L, PUMP);
  lua_pushcfunction(L, pump_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "proxy");
}
