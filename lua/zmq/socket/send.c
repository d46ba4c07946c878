/* send.c - s:send(), s:send_multipart(), aw.Send(s, ...)
 *
 * A message is a list of Lua strings (awz_parts). All frames are made before
 * the first one is sent. Then they are sent without a pause, all or none [ZQ7].
 * If it cannot be sent now, the task waits and keeps the list. The stack of the
 * task, or the Wire, keeps the strings alive, and they are not copied before
 * they can be sent.
 *
 * Lua code may close the socket. So each function fetches the socket from its
 * box (see zmq.h) again after each call that may run Lua.
 *
 * For a socket that addresses its peers (ROUTER), a message waits behind those
 * for the same peer only.
 */
#include "watch/subscribers.h"
#include "zmq.h"

#include "address/host_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 8 };

/* Returns NULL if the socket is finalized. */
static awz_socket *socket_of(const awz_parts *parts) {
  return awz_socket_in(parts->box);
}

/* ---- all frames or none; the socket is not finalized ----
 *
 * The first part is copied by the send itself: if that fails, nothing was sent.
 * frames[i] is that of part i. */

/* The part of such a message is its second string; the first is its label. */
static int make_labelled(const awz_parts *parts, aw_zmq_message *frame) {
  const awz_socket *s = socket_of(parts);
  int rc = awz_raw_fill(s, frame, &parts->part[1]);
  if (rc < 0)
    return rc;
  const char *label = parts->part[0].data;
  rc = s->type->label == AWZ_GROUP
           ? awz_raw_set_group(s, frame, label)
           : awz_raw_set_peer_number(s, frame,
                                     (uint32_t)strtoul(label, NULL, 10));
  if (rc < 0)
    awz_raw_drop(s, frame);
  return rc;
}

static int send_labelled(const awz_parts *parts) {
  aw_zmq_message frame;
  int rc = make_labelled(parts, &frame);
  if (rc < 0)
    return rc;
  rc = awz_raw_send(socket_of(parts), &frame, false);
  if (rc < 0)
    awz_raw_drop(socket_of(parts), &frame);
  return rc;
}

/* Drop the frames from part `from` on, which were not sent. If the peer of a
 * balanced socket is lost in the middle of a message, libzmq drops the frames
 * up to the end of that message. So pass them to libzmq, or it would drop the
 * next message instead. */
static void drop_rest(const awz_parts *parts, aw_zmq_message *frames,
                      size_t from) {
  awz_socket *s = socket_of(parts);
  bool swallow = from > 0 && s->type->balanced;
  if (from > 0)
    awz_raw_drop(s, &frames[from]);
  for (size_t i = from + 1; i < parts->count; i++)
    if (!swallow || awz_raw_send(s, &frames[i], i + 1 < parts->count) < 0)
      awz_raw_drop(s, &frames[i]);
}

static int make_room(const awz_parts *parts, aw_zmq_message **frames) {
  if (parts->count > 1 && socket_of(parts)->overwrites)
    return -EINVAL; /* it got `conflate` after the message was made */
  if (parts->count <= FEW)
    return 0;
  *frames = aw_reallocate(NULL, parts->count * sizeof **frames);
  return *frames ? 0 : AW_ENOMEM;
}

static int send_copies(const awz_parts *parts) {
  aw_zmq_message few[FEW], *frames = few;
  awz_socket *s = socket_of(parts);
  int rc = 0;
  if (parts->count > FEW || s->overwrites)
    rc = make_room(parts, &frames);
  if (rc < 0)
    return rc;
  rc = awz_raw_fill_rest(s, frames, parts->part, parts->count);
  if (rc == 0) {
    size_t sent;
    rc = awz_raw_send_parts(s, parts->part, frames, parts->count, &sent);
    if (rc < 0)
      drop_rest(parts, frames, sent);
    else
      awz_subscribers_sent(s);
  }
  if (frames != few)
    aw_free(frames);
  return rc;
}

/* Returns 0; -EAGAIN if the message cannot be sent now; or another code. */
AWZ_INLINE int send_all(const awz_parts *parts) {
  awz_socket *s = socket_of(parts);
  if (s->type->label)
    return send_labelled(parts);
  int rc = awz_message_send_same(s, parts->part, parts->count);
  return rc > 0 ? send_copies(parts) : rc;
}

/* EAGAIN may be stale: libzmq looks for room only now and then [ZQ8]. */
static int send_if_room(const awz_parts *parts) {
  int events = aw_zmq_events(socket_of(parts)->ready);
  if (events < 0)
    return events;
  return events & AW_WRITABLE ? send_all(parts) : -EAGAIN;
}

AWZ_INLINE int send_now(const awz_parts *parts) {
  int rc = send_all(parts);
  return rc == -EAGAIN ? send_if_room(parts) : rc;
}

/* ---- messages that wait ---- */

bool awz_same_peer(const void *waiting, const void *new) {
  const awz_part *a = ((const awz_parts *)waiting)->part;
  const awz_part *b = ((const awz_parts *)new)->part;
  return a && a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* Tells whether another message waits that must be sent earlier. */
static inline bool must_queue(const awz_parts *parts) {
  const awz_socket *s = socket_of(parts);
  return aw_zmq_sending(s->ready, s->type->addressed ? awz_same_peer : NULL,
                        parts);
}

/* Returns 0; -EAGAIN if the message must wait; or another code. */
AWZ_INLINE int send_in_turn(const awz_parts *parts) {
  int rc = awz_socket_check(socket_of(parts));
  if (rc < 0)
    return rc;
  return must_queue(parts) ? -EAGAIN : send_now(parts);
}

/* A peer that is gone is an error only if the user asked for that. */
static bool is_refusal(const awz_socket *s, int code) {
  return s && code == -EHOSTUNREACH && s->type->addressed && !s->strict;
}

static int push_outcome(lua_State *L, bool sent) {
  lua_pushboolean(L, sent);
  if (sent)
    return 1;
  lua_pushliteral(L, "EHOSTUNREACH");
  return 2;
}

typedef struct outcome {
  aw_lua_value value;
  bool sent;
} outcome;

static int push_sent_value(lua_State *L, aw_lua_value *value) {
  return push_outcome(L, ((outcome *)value)->sent);
}

static void release_sent_value(aw_lua_value *value) {
  aw_free(value);
}

/* Set the outcome of a send as the value of `task`. Returns 1 or a negative
 * code, for its wait. */
static int conclude(aw_task *task, const awz_socket *s, int rc) {
  if (rc < 0 && !is_refusal(s, rc))
    return rc;
  outcome *o = aw_allocate(sizeof *o);
  if (!o)
    return rc < 0 ? AW_ENOMEM : 1; /* no value: sent() takes that for success */
  o->value = (aw_lua_value){push_sent_value, release_sent_value, 0};
  o->sent = rc == 0;
  aw_task_set_value(task, aw_lua_box(&o->value));
  return 1;
}

int awz_take_out(aw_task *task, void *data) {
  const awz_parts *parts = data;
  if (parts->pass)
    return parts->pass(parts);
  int rc = send_all(parts);
  if (rc == -EAGAIN)
    return 0;
  return conclude(task, socket_of(parts), rc);
}

static int send_arm(aw_task *task, void *data) {
  awz_socket *s = socket_of(data);
  int rc = awz_socket_check(s);
  if (rc < 0)
    return rc;
  awz_host_attend(s, task);
  return aw_zmq_arm_send(task, s->ready);
}

static int send_try_or_arm(aw_task *task, void *data) {
  const awz_parts *parts = data;
  int rc = send_in_turn(parts);
  return rc == -EAGAIN ? send_arm(task, data)
                       : conclude(task, socket_of(parts), rc);
}

static void send_disarm(aw_task *task, void *data) {
  aw_zmq_disarm(task, socket_of(data)->ready);
}

static void send_describe(const void *data, char *out, size_t size) {
  awz_describe(((const awz_parts *)data)->box, out, size);
}

static const aw_operation wait_send = {.label = "send",
                                       .arm = send_arm,
                                       .disarm = send_disarm,
                                       .external = true,
                                       .describe = send_describe};
static const aw_operation event_send = {.label = "send",
                                        .arm = send_try_or_arm,
                                        .disarm = send_disarm,
                                        .external = true,
                                        .describe = send_describe};

/* ---- from Lua ---- */

/* A label is a string, too, until it is sent: the number of a peer in digits.
 * It is at `index`; in the eyes of the user, it is in argument 2. */
static void check_label(lua_State *L, const awz_socket *s, int index,
                        const awz_part *part) {
  enum { LONGEST = 255, ARG = 2 };
  if (s->type->label == AWZ_GROUP) {
    aw_lua_arg_check(L,
                     part->size <= LONGEST && strlen(part->data) == part->size,
                     ARG, "a group has 255 bytes at most, and no zero byte");
    return;
  }
  int is_integer;
  lua_Integer number = lua_tointegerx(L, index, &is_integer);
  aw_lua_arg_check(L, is_integer && number > 0 && number <= UINT32_MAX, ARG,
                   "the routing id of a peer is a positive 32-bit integer");
}

/* Read the `count` strings at `first` and after. Returns the number of their
 * bytes. Raises. */
AWZ_INLINE size_t check_parts(lua_State *L, const awz_socket *s, int first,
                              int count, awz_part *part) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++) {
    part[i].data = aw_lua_check_string(L, first + i, &part[i].size);
    bytes += part[i].size;
    if (s->max_size >= 0 && (uint64_t)part[i].size > (uint64_t)s->max_size)
      awz_error(L, "a part of %I bytes is over the socket's maxmsgsize (%I)",
                (LUAI_UACINT)part[i].size, (LUAI_UACINT)s->max_size);
  }
  if (s->type->label)
    check_label(L, s, first, &part[0]);
  return bytes;
}

/* Push a message of the `count` strings at `first` and after. */
static awz_parts *push_parts(lua_State *L, const awz_box *box, int first,
                             int count) {
  const awz_socket *s = awz_socket_in(box);
  awz_parts *parts =
      lua_newuserdatauv(L, sizeof *parts + (size_t)count * sizeof(awz_part), 1);
  awz_part *part = (awz_part *)(parts + 1);
  *parts = (awz_parts){.box = box, .count = (size_t)count, .part = part};
  check_parts(L, s, first, count, part);
  return parts;
}

/* Raise an error if messages of the socket may not have `count` parts. */
static void check_rare_count(lua_State *L, const awz_socket *s, int count) {
  int most = s->type->label ? 2 : 1;
  if ((s->conflated || s->overwrites) && count > 1)
    awz_error(L, "a socket with 'conflate' sends messages of one part, got %d",
              count);
  if (s->type->single && count != most)
    awz_error(L, "a %s socket sends %s, got %d parts", s->type->name,
              s->type->label == AWZ_GROUP         ? "a group and one part"
              : s->type->label == AWZ_PEER_NUMBER ? "a routing id and one part"
                                                  : "messages of one part",
              count);
  if (s->type->addressed && count < 2)
    awz_error(L,
              "a message of a %s begins with the routing id of its peer; at "
              "least one part follows",
              s->type->name);
}

static inline void check_count(lua_State *L, const awz_socket *s, int count) {
  if ((size_t)count > s->max_parts)
    awz_error(L, "too many parts: %d (the socket's max_parts is %I)", count,
              (LUAI_UACINT)s->max_parts);
  if (s->conflated || s->overwrites || s->type->single ||
      (s->type->addressed && count < 2))
    check_rare_count(L, s, count);
}

static awz_socket *check_sender(lua_State *L, awz_socket *s) {
  if (!s->type->sends)
    awz_error(L, "a %s socket cannot send", s->type->name);
  return s;
}

/* Returns the number of parts at 2 and after. Raises. */
static int count_parts(lua_State *L, const awz_socket *s) {
  int count = lua_gettop(L) - 1;
  if (count == 0)
    aw_lua_check_string(L, 2, NULL);
  check_count(L, s, count);
  return count;
}

static int refuse_in_table(lua_State *L, int part, int type) {
  return aw_lua_arg_error(L, 2,
                          lua_pushfstring(L, "part %d is a %s, string expected",
                                          part, lua_typename(L, type)));
}

/* Push the parts in the table at 2, above it. Returns their number. */
static int spread_table(lua_State *L, const awz_socket *s) {
  aw_lua_check_type(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  bool is_plain = !lua_getmetatable(L, 2);
  if (!is_plain)
    lua_settop(L, 2);
  lua_Integer count = is_plain ? (lua_Integer)lua_rawlen(L, 2) : luaL_len(L, 2);
  aw_lua_arg_check(L, count > 0, 2, "a message has at least one part");
  check_count(L, s, count > INT32_MAX ? INT32_MAX : (int)count);
  if (count > FEW) /* every C function has room for a few */
    luaL_checkstack(L, (int)count + 8, "too many parts");
  for (lua_Integer i = 1; i <= count; i++) {
    int type = is_plain ? lua_rawgeti(L, 2, i) : lua_geti(L, 2, i);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
      return refuse_in_table(L, (int)i, type);
  }
  return (int)count;
}

static int fail_or_refuse(lua_State *L, const awz_socket *s, int code) {
  if (is_refusal(s, code))
    return push_outcome(L, false);
  return awz_fail(L, s, code, "send");
}

static int sent(lua_State *L, int result, void *data) {
  if (result < 0)
    return awz_fail(L, socket_of(data), result, "send");
  int count = aw_lua_take_results(L, aw_current(aw_lua_engine(L)));
  return count > 0 ? count : push_outcome(L, true);
}

/* The userdata of the message is on top of the stack, which keeps it alive. */
static int send_parts(lua_State *L, int result, void *data) {
  awz_parts *parts = data;
  if (result == 0)
    result = send_in_turn(parts);
  if (result == -EAGAIN)
    return aw_lua_await(L, &wait_send, parts, "socket:send", sent);
  if (result < 0)
    return fail_or_refuse(L, socket_of(parts), result);
  return push_outcome(L, true);
}

/* Send the `count` parts at `first` and after. Most often they can be sent at
 * once, without an allocation. Closed is checked only after the await: if the
 * task is cancelled, Cancelled comes first [C2]. */
AWZ_INLINE int send_strings(lua_State *L, const awz_box *box, int first,
                            int count) {
  const awz_socket *s = awz_socket_in(box);
  if (count > FEW ||
      !(aw_lua_quick(s->here, L) || aw_lua_at_once(L, "socket:send"))) {
    awz_parts *parts = push_parts(L, box, first, count);
    return aw_lua_await(L, NULL, parts, "socket:send", send_parts);
  }
  awz_part part[FEW];
  size_t bytes = check_parts(L, s, first, count, part);
  const awz_parts parts = {.box = box, .count = (size_t)count, .part = part};
  int rc = send_in_turn(&parts);
  if (rc == 0) {
    awz_spend(L, bytes, "socket:send");
    return push_outcome(L, true);
  }
  if (rc != -EAGAIN)
    return fail_or_refuse(L, s, rc);
  return aw_lua_await(L, &wait_send, push_parts(L, box, first, count),
                      "socket:send", sent);
}

/* Returns the box at 1, of a socket that may send, and may be closed. Raises if
 * it is finalized. */
static inline const awz_box *check_any_socket(lua_State *L) {
  const awz_box *box = &awz_check_handle(L, 1)->box;
  awz_use(L, box);
  awz_socket *s = awz_socket_in(box);
  check_sender(L, s ? s : awz_check_socket(L, "send"));
  return box;
}

static int socket_send(lua_State *L) {
  const awz_box *box = check_any_socket(L);
  return send_strings(L, box, 2, count_parts(L, awz_socket_in(box)));
}

static int socket_send_multipart(lua_State *L) {
  const awz_box *box = check_any_socket(L);
  return send_strings(L, box, 3, spread_table(L, awz_socket_in(box)));
}

const luaL_Reg awz_send_methods[] = {{"send", socket_send},
                                     {"send_multipart", socket_send_multipart},
                                     {NULL, NULL}};

/* The Wire keeps the userdata of the message alive, and that a table with the
 * socket and the strings. */
int awz_make_send(lua_State *L) {
  awz_use(L, &awz_check_handle(L, 1)->box);
  awz_socket *s = check_sender(L, awz_check_socket_at(L, 1, "send"));
  int count = count_parts(L, s);
  awz_parts *parts = push_parts(L, &awz_check_handle(L, 1)->box, 2, count);
  lua_createtable(L, count + 1, 0);
  for (int i = 1; i <= count + 1; i++) {
    lua_pushvalue(L, i);
    lua_rawseti(L, -2, i);
  }
  lua_setiuservalue(L, -2, 1);
  aw_lua_push_wire(L, aw_wait_for(&event_send, parts), -1);
  return 1;
}
