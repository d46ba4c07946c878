/* channel.c - channels for Lua: aw.channel, aw.Recv, aw.Send [H1]
 *
 * A channel is a userdata with a channel of the core, which carries messages
 * (message.h). A transfer commits when the second of the two tasks arrives, in
 * its turn. The receiver takes the value when its own turn comes.
 *
 * If a coroutine waits to receive, the sender pushes the value on the stack of
 * that coroutine, and sends the token `passed` in place of a message. If nobody
 * can take the value now, the sender waits, and the value stays on its stack.
 *
 * This file is longer than others, since methods, wires and functions for
 * broadcast.lua make messages in the same way.
 *
 * Neighbours: message.c manages messages and their values.
 */
#include "base/classes.h"
#include "base/location.h"
#include "base/resources.h"
#include "base/show_value.h"
#include "base/values.h"
#include "objects/message.h"
#include "open.h"
#include "run/await.h"

#include <math.h>

typedef struct channel {
  /* &CHANNEL until the channel is finalized; see check_channel() */
  const void *mark;
  aw_channel *core;
  awl_messages *messages;
  uint32_t resource; /* number of its entry, see resources.h */
} channel;

static const char CHANNEL = 'c'; /* the address of CHANNEL is the mark */

/* The data of a wire that sends. User values: the channel, the value. The
 * channel may be finalized before such a wire runs, and while it waits. */
typedef struct sending {
  const channel *channel;
  aw_channel *core; /* the wire keeps this channel of the core */
} sending;

enum { CHANNEL_OF = 1, VALUE_OF = 2 };

/* ---- making ---- */

/* Receivers get nil, "closed" after the last message. */
static int push_closed(lua_State *L, aw_lua_value *value) {
  (void)value;
  lua_pushnil(L);
  lua_pushliteral(L, "closed");
  return 2;
}

static void release_constant(aw_lua_value *value) {
  (void)value; /* the token is a part of the state */
}

static channel *refuse_channel(lua_State *L, int arg) {
  if (awl_is(L, awl_open(L), arg, AWL_CHANNEL))
    awl_error(L, "this channel is garbage, and finalized");
  aw_lua_type_error(L, arg, "channel");
  return NULL;
}

/* Return the channel at `arg`. Its userdata has a known size and the mark; the
 * finalizer removes the mark. To check the metatable would take as long as a
 * whole transfer; inline, the check costs a third less. */
static inline channel *check_channel(lua_State *L, int arg) {
  channel *ch = lua_touserdata(L, arg);
  if (!ch || lua_rawlen(L, arg) != sizeof *ch || ch->mark != &CHANNEL)
    return refuse_channel(L, arg);
  return ch;
}

static size_t check_capacity(lua_State *L, int arg) {
  enum { MOST = 0x7fffffff / 2 };
  if (lua_type(L, arg) == LUA_TNUMBER && lua_tonumber(L, arg) == HUGE_VAL)
    return SIZE_MAX;
  lua_Integer n = lua_isnoneornil(L, arg) ? 0 : aw_lua_check_integer(L, arg);
  aw_lua_arg_check(L, n >= 0, arg, "capacity must not be negative");
  aw_lua_arg_check(L, n <= MOST, arg, "capacity is too large");
  return (size_t)n;
}

/* channel([n [, {name=}]]); n may be math.huge */
static int m_channel(lua_State *L) {
  static const char *const known[] = {"name", NULL};
  awl_state *s = awl_of(L);
  aw_channel_config config = {.capacity = check_capacity(L, 1)};
  lua_settop(L, 2);
  config.name = awl_object_name(L, s, 2, known);
  channel *ch = lua_newuserdatauv(L, sizeof *ch, 1);
  *ch = (channel){NULL, NULL, NULL, 0};
  ch->resource = awl_enter_object(L, s, AWL_RESOURCE_CHANNEL);
  awl_push_class(L, s, AWL_CHANNEL);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_setiuservalue(L, -2, AWL_CHANNEL_VALUES);
  ch->messages = awl_messages_new(s);
  if (!ch->messages)
    return awl_error(L, "not enough memory");
  awl_set_resource(s, AWL_RESOURCE_CHANNEL, ch->resource, ch->messages);
  awl_note_object(L, s, ch->messages, -1);
  config.host = s;
  config.drop = awl_drop;
  config.keep = awl_keep;
  config.deliver = awl_message_deliver;
  config.settle = awl_message_settle;
  config.end = awl_keep(s, s->closed_value);
  if (aw_channel_new(&config, &ch->core) < 0)
    return awl_error(L, "not enough memory");
  awl_messages_set_channel(ch->messages, ch->core);
  ch->mark = &CHANNEL;
  return 1;
}

static int channel_gc(lua_State *L) {
  awl_state *s = lua_touserdata(L, lua_upvalueindex(1));
  channel *ch = lua_touserdata(L, 1);
  awl_strike_object(s, AWL_RESOURCE_CHANNEL, ch->resource);
  if (ch->messages)
    awl_messages_end(ch->messages);
  *ch = (channel){NULL, NULL, NULL, 0};
  return 0;
}

/* ---- sending and receiving; the channel is at 1 ---- */

static void push_channel_name(lua_State *L, const channel *ch) {
  char name[128];
  aw_channel_describe(ch->core, name, sizeof name);
  lua_pushstring(L, name);
}

/* Raise the error for `code`. */
static int fail_channel(lua_State *L, const channel *ch, int code,
                        const char *call) {
  push_channel_name(L, ch);
  if (code == AW_EINVAL)
    return awl_foreign(L, lua_tostring(L, -1));
  if (code == AW_ENOMEM)
    return awl_error(L, "not enough memory");
  return aw_lua_system_error(L, code, call, lua_tostring(L, -1));
}

static bool is_foreign(const channel *ch, const awl_worker *w) {
  return !aw_channel_open_to(ch->core, w->state->run.engine->core);
}

/* Make room for a message of the channel at 1. Raises when out of memory. */
static void reserve_message(lua_State *L, const channel *ch) {
  if (awl_messages_reserve(ch->messages))
    return;
  /* A finalizer may use a garbage channel. AWL_OBJECTS has lost such a channel:
   * enter it again. */
  awl_note_object(L, awl_messages_state(ch->messages), ch->messages, 1);
  if (!awl_messages_reserve(ch->messages))
    awl_error(L, "not enough memory");
}

/* Make a message of the value at 2. Raises when out of memory. */
static aw_value make_message(lua_State *L, const channel *ch) {
  reserve_message(L, ch);
  lua_getiuservalue(L, 1, AWL_CHANNEL_VALUES);
  lua_pushvalue(L, 2); /* half the cost of moving it */
  return awl_message_make(L, ch->messages);
}

static int after_send(lua_State *L, awl_worker *w) {
  int rc = awl_check_cancel(L, w);
  if (rc < 0)
    return fail_channel(L, check_channel(L, 1), rc, "send");
  return 0;
}

/* If a coroutine waits to receive, hand the value at 2 over without a message.
 * There is room for it: the coroutine rests in receive_message(), which has
 * used none of its LUA_MINSTACK places. True: the value has been popped. */
static bool pass_directly(lua_State *L, const channel *ch) {
  const aw_task *task = aw_channel_receiver(ch->core);
  awl_worker *to = task ? aw_task_host_at(task, 0) : NULL;
  if (!to || to->waiting != to->co || lua_status(to->co) != LUA_YIELD)
    return false; /* the user may have closed the coroutine */
  lua_xmove(L, to->co, 1);
  to->top++;
  return aw_channel_try_send(ch->core, to->state->passed_value) == 0;
}

/* Nobody can take the value at 2 now: wait. The value stays on the stack of the
 * worker until the receiver takes it from there, unless the user may close the
 * coroutine meanwhile. */
static int wait_to_send(lua_State *L, awl_worker *w, const channel *ch) {
  aw_value value;
  awl_anchor_wait(L, w);
  if (w->state->installed && L == w->co) {
    reserve_message(L, ch);
    value = awl_message_lend(w, ch->messages);
  } else {
    value = make_message(L, ch);
  }
  aw_park_send(w->task, ch->core, value);
  return awl_wait(L, w, 0, after_send);
}

/* ch:send(v) */
static int channel_send(lua_State *L) {
  const channel *ch = check_channel(L, 1);
  if (lua_gettop(L) != 2) {
    aw_lua_check_any(L, 2);
    lua_settop(L, 2);
  }
  awl_worker *w =
      awl_awaiter(L, awl_messages_state(ch->messages), "channel:send");
  if (is_foreign(ch, w))
    return awl_wait(L, w, AW_EINVAL, after_send);
  bool at_once = awl_at_once(w);
  if (at_once && pass_directly(L, ch))
    return 0;
  if (at_once && aw_channel_send_waits(ch->core))
    return wait_to_send(L, w, ch);
  awl_anchor_wait(L, w);
  aw_value value = make_message(L, ch);
  int rc = AW_EAGAIN;
  if (at_once)
    rc = aw_channel_try_send(ch->core, value);
  if (rc == 0) {
    awl_release_wait(w);
    return 0;
  }
  if (rc == AW_EAGAIN)
    rc = aw_await_send(w->task, ch->core, value);
  else
    awl_drop(w->state, value);
  return awl_wait(L, w, rc, after_send);
}

/* ch:try_send(v) → true; or false, "full" */
static int channel_try_send(lua_State *L) {
  const channel *ch = check_channel(L, 1);
  aw_lua_check_any(L, 2);
  lua_settop(L, 2);
  aw_value value = make_message(L, ch);
  int rc = aw_channel_try_send(ch->core, value);
  lua_pushboolean(L, rc == 0);
  if (rc == 0)
    return 1;
  awl_drop(awl_messages_state(ch->messages), value);
  if (rc != AW_EAGAIN)
    return fail_channel(L, ch, rc, "send");
  lua_pushliteral(L, "full");
  return 2;
}

/* Receive without waiting: push the value. Returns 0, or why there is none. */
static int take_message(lua_State *L, const channel *ch) {
  aw_value value = 0;
  int rc;
  while ((rc = aw_channel_try_recv(ch->core, &value)) == 0)
    if (awl_message_take(L, value))
      return 0;
  return rc;
}

static int after_recv(lua_State *L, awl_worker *w) {
  int rc = awl_check_cancel(L, w);
  if (rc < 0)
    return fail_channel(L, check_channel(L, 1), rc, "recv");
  aw_value value = aw_task_take_value(w->task);
  if (value == w->state->passed_value)
    return 1;
  if (value == w->state->closed_value) {
    awl_drop(w->state, value);
    return push_closed(L, NULL);
  }
  awl_message_take(L, value);
  return 1;
}

/* What other arguments there are stays below the message. */
static int receive_message(lua_State *L, awl_after after) {
  const channel *ch = check_channel(L, 1);
  awl_worker *w =
      awl_awaiter(L, awl_messages_state(ch->messages), "channel:recv");
  if (is_foreign(ch, w))
    return awl_wait(L, w, AW_EINVAL, after);
  bool at_once = awl_at_once(w);
  int rc = at_once ? take_message(L, ch) : AW_EAGAIN;
  if (rc == 0)
    return 1;
  if (rc == AW_ECLOSED)
    return push_closed(L, NULL);
  awl_anchor_wait(L, w);
  if (at_once)
    aw_park_recv(w->task, ch->core);
  rc = at_once ? 0 : aw_await_recv(w->task, ch->core);
  return awl_wait(L, w, rc, after);
}

/* ch:recv() → value; or nil, "closed" */
static int channel_recv(lua_State *L) {
  return receive_message(L, after_recv);
}

/* ch:try_recv() → value; or nil, "empty"; or nil, "closed" */
static int channel_try_recv(lua_State *L) {
  const channel *ch = check_channel(L, 1);
  lua_settop(L, 1);
  int rc = take_message(L, ch);
  if (rc == 0)
    return 1;
  if (rc == AW_ECLOSED)
    return push_closed(L, NULL);
  lua_pushnil(L);
  lua_pushliteral(L, "empty");
  return 2;
}

/* A nil ends a `for`, so a nil that was sent raises an error: it must not look
 * like the end of the channel. */
static int check_next(lua_State *L, int results) {
  if (results == 1 && lua_isnil(L, -1)) {
    push_channel_name(L, lua_touserdata(L, 1));
    return awl_error(L, "%s: a nil was sent, which ends a 'for'; use recv()",
                     lua_tostring(L, -1));
  }
  return results == 1;
}

static int after_next(lua_State *L, awl_worker *w) {
  return check_next(L, after_recv(L, w));
}

static int next_value(lua_State *L) {
  return check_next(L, receive_message(L, after_next));
}

/* for v in ch:iter(). The `for` gets no closing value, since Lua 5.4.4 has a
 * bug with closing values [LU21]. */
static int channel_iter(lua_State *L) {
  check_channel(L, 1);
  lua_settop(L, 1);
  lua_pushcfunction(L, next_value);
  lua_insert(L, 1);
  return 2;
}

static int channel_close(lua_State *L) {
  aw_channel_close(check_channel(L, 1)->core);
  return 0;
}

/* ---- how it looks ---- */

/* __tostring: "channel jobs (2 of 4, 1 waiting)", "channel (2, unbounded)" */
static int channel_tostring(lua_State *L) {
  const channel *ch = check_channel(L, 1);
  aw_channel_view view;
  aw_channel_look(ch->core, &view);
  if (view.closed)
    lua_pushfstring(L, view.count ? "closed, %I left" : "closed",
                    (LUAI_UACINT)view.count);
  else if (view.capacity == 0)
    lua_pushliteral(L, "rendezvous");
  else if (view.capacity == SIZE_MAX)
    lua_pushfstring(L, "%I, unbounded", (LUAI_UACINT)view.count);
  else
    lua_pushfstring(L, "%I of %I", (LUAI_UACINT)view.count,
                    (LUAI_UACINT)view.capacity);
  return awl_show_object(L, "channel", view.name,
                         view.senders + view.receivers);
}

/* ---- wires ---- */

/* Make a message of the value that the wire sends; raises nothing. Returns 0,
 * or AW_ECLOSED if the channel or the wire is finalized, or AW_ENOMEM. */
static int fill_again(const sending *data, aw_value *out) {
  awl_messages *messages = data->channel->messages;
  if (data->channel->mark != &CHANNEL || !awl_messages_push_values(messages))
    return AW_ECLOSED;
  lua_State *util = awl_messages_state(messages)->util;
  if (!awl_push_object(awl_messages_state(messages), data)) {
    lua_pop(util, 1);
    return AW_ECLOSED;
  }
  if (!awl_messages_reserve(messages)) {
    lua_pop(util, 2);
    return AW_ENOMEM;
  }
  lua_getiuservalue(util, -1, VALUE_OF);
  lua_remove(util, -2);
  *out = awl_message_make(util, messages);
  return 0;
}

static int arm_sending(aw_task *task, void *data) {
  const sending *what = data;
  aw_value value = 0;
  int rc = fill_again(what, &value);
  return rc < 0 ? rc : aw_send_arm(task, what->core, value);
}

static void disarm_sending(aw_task *task, void *data) {
  aw_send_disarm(task, ((const sending *)data)->core);
}

static void describe_sending(const void *data, char *out, size_t size) {
  aw_channel_describe(((const sending *)data)->core, out, size);
}

static const aw_operation send_operation = {.label = "send",
                                            .arm = arm_sending,
                                            .disarm = disarm_sending,
                                            .describe = describe_sending};

/* Push the value that the wire with this data sends, for the text of the
 * wire. */
static void push_sent(lua_State *L, awl_state *s, const void *data) {
  if (awl_push_object(s, data)) {
    lua_getiuservalue(s->util, -1, VALUE_OF);
    lua_remove(s->util, -2);
    lua_xmove(s->util, L, 1);
  } else {
    lua_pushnil(L);
  }
}

/* Recv(ch) */
static int make_recv(lua_State *L) {
  const channel *ch = check_channel(L, 1);
  aw_lua_push_wire(L, aw_recv(ch->core), 1);
  return 1;
}

static void release_core(void *core) {
  aw_channel_release(core);
}

/* Send(ch, v) */
static int make_send(lua_State *L) {
  awl_state *s = awl_of(L);
  const channel *ch = check_channel(L, 1);
  aw_lua_check_any(L, 2);
  lua_settop(L, 2);
  sending *data = lua_newuserdatauv(L, sizeof *data, 2);
  *data = (sending){ch, ch->core};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, CHANNEL_OF);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, VALUE_OF);
  awl_note_object(L, s, data, -1);
  aw_wire *wire = aw_wait_for(&send_operation, data);
  aw_lua_push_wire(L, aw_hold(wire, aw_channel_keep(ch->core), release_core),
                   -1);
  return 1;
}

/* ---- for broadcast.lua ---- */

/* Tables of the library, such as subscriptions, have their channel under the
 * address of HELD, a key that no program can make. */
static const char HELD = 'h';

/* Recv(holder): the wire keeps the holder alive. */
static int recv_of_holder(lua_State *L) {
  lua_rawgetp(L, 1, &HELD);
  const channel *ch = check_channel(L, -1);
  aw_lua_push_wire(L, aw_recv(ch->core), 1);
  return 1;
}

/* hold(holder, ch): let Recv(holder) receive from ch. All tables with the
 * metatable of the holder must be holders. */
static int inner_hold(lua_State *L) {
  static const aw_lua_source source = {.recv = recv_of_holder};
  check_channel(L, 2);
  lua_settop(L, 2);
  lua_rawsetp(L, 1, &HELD);
  lua_getmetatable(L, 1);
  aw_lua_add_source(L, -1, &source);
  return 0;
}

/* has_room(ch): raises if ch belongs to another engine than the running task */
static int inner_has_room(lua_State *L) {
  const channel *ch = check_channel(L, 1);
  const awl_worker *w = awl_of(L)->run.running;
  if (w && is_foreign(ch, w))
    return fail_channel(L, ch, AW_EINVAL, "send");
  lua_pushboolean(L, aw_channel_has_room(ch->core));
  return 1;
}

/* await_room(ch): waits until ch has room */
static int inner_await_room(lua_State *L) {
  const channel *ch = check_channel(L, 1);
  lua_settop(L, 1);
  awl_worker *w = awl_awaiter(L, awl_of(L), "broadcast:send");
  awl_anchor_wait(L, w);
  return awl_wait(L, w, aw_await_room(w->task, ch->core), after_send);
}

/* put(ch, v): send without waiting. False: ch is full. A closed channel drops v
 * and returns true. */
static int inner_put(lua_State *L) {
  const channel *ch = check_channel(L, 1);
  lua_settop(L, 2);
  aw_value value = make_message(L, ch);
  int rc = aw_channel_try_send(ch->core, value);
  if (rc < 0)
    awl_drop(awl_messages_state(ch->messages), value);
  if (rc == AW_ENOMEM)
    return fail_channel(L, ch, rc, "send");
  lua_pushboolean(L, rc != AW_EAGAIN);
  return 1;
}

/* ---- opening ---- */

static const luaL_Reg methods[] = {{"send", channel_send},
                                   {"recv", channel_recv},
                                   {"try_send", channel_try_send},
                                   {"try_recv", channel_try_recv},
                                   {"close", channel_close},
                                   {"iter", channel_iter},
                                   {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", channel_close},
                                {"__gc", channel_gc},
                                {"__tostring", channel_tostring},
                                {NULL, NULL}};

static const luaL_Reg inner[] = {{"hold", inner_hold},
                                 {"has_room", inner_has_room},
                                 {"await_room", inner_await_room},
                                 {"put", inner_put},
                                 {NULL, NULL}};

static void release_messages(void *thing) {
  awl_messages_end(thing);
}

/* Register `functions` in the module's table, on top, and `inner` in the table
 * below. */
void awl_open_channel(lua_State *L, awl_state *s) {
  static const luaL_Reg functions[] = {{"channel", m_channel}, {NULL, NULL}};
  static const aw_lua_source source = {.recv = make_recv, .send = make_send};
  awl_new_class(L, s, AWL_CHANNEL, "aiowire.Channel", methods, meta);
  awl_set_release(s, AWL_RESOURCE_CHANNEL, release_messages);
  awl_add_argument(s, &send_operation, push_sent);
  aw_lua_add_source(L, -1, &source);
  lua_pop(L, 1);
  awl_register(L, s, functions);
  lua_pushvalue(L, -2);
  awl_register(L, s, inner);
  lua_pop(L, 1);
  s->closed = (aw_lua_value){push_closed, release_constant, 0};
  s->closed_value = aw_lua_box(&s->closed);
  /* nobody pushes it: the sender has pushed the value already */
  s->passed = (aw_lua_value){NULL, release_constant, 0};
  s->passed_value = aw_lua_box(&s->passed);
}
