/* message.c - a received message, all of its frames, until Lua has it
 *
 * A frame stays in libzmq's memory until a Lua string is made of it. The socket
 * keeps the struct of the last message for the next one, so most messages
 * allocate nothing here.
 *
 * A message is received frame by frame into `coming`. If that is interrupted,
 * the rest is received later [ZQ7]. A message that was read ahead stays there,
 * too. Reading ahead tells whether there is a message without the system calls
 * that libzmq needs to answer that. A message that is the value of a task keeps
 * a reference to its socket. If it is released before Lua took it, it goes back
 * to its socket [H4].
 *
 * While a task waits for subscribers of an XPUB, all messages are received and
 * held, in their order (`returned`), and recv() takes them from there.
 *
 * A socket that conflates is read until it is empty, and the last message is
 * kept (`newest`). libzmq can conflate messages of a single part only: it would
 * abort the program if a peer sent several parts.
 *
 * The file is long because a message passes all of it in a few inlined calls.
 */
#include "known_id.h"
#include "zmq.h"

#include "security/metadata.h"
#include "watch/subscribers.h"

#include <errno.h>
#include <string.h>

enum { FEW = sizeof((awz_message *)0)->few / sizeof(awz_frame) };

static inline int push_form(lua_State *L, awz_message *message, bool as_table,
                            awz_message *const *place);

static int push_message_value(lua_State *L, aw_lua_value *value) {
  awz_message *message = (awz_message *)value;
  int count = push_form(L, message, message->as_table, &message);
  message->delivered = true;
  return count;
}

void awz_message_put_back(awz_socket *s, awz_message *message) {
  awz_message **place = &s->returned;
  if (s->returned && s->last->number < message->number)
    place = &s->last->next;
  while (*place && (*place)->number < message->number)
    place = &(*place)->next;
  message->next = *place;
  *place = message;
  if (!message->next)
    s->last = message;
  aw_zmq_touch(s->ready);
}

static void release_message_value(aw_lua_value *value) {
  awz_message *message = (awz_message *)value;
  awz_socket *s = message->socket;
  if (message->delivered || !s->raw)
    awz_message_done(s, message);
  else
    awz_message_put_back(s, message);
  awz_socket_release(s);
}

/* ---- memory ---- */

static int make_coming(awz_socket *s) {
  if (s->coming)
    return 0;
  if (!s->raw) /* a closed socket would never free it; as libzmq answers */
    return -ENOTSOCK;
  awz_message *message = aw_allocate(sizeof *message);
  if (!message)
    return AW_ENOMEM;
  message->value.push = push_message_value;
  message->value.release = release_message_value;
  message->socket = s;
  message->frames = message->few;
  message->room = FEW;
  s->coming = message;
  return 0;
}

static void drop_frames(awz_message *message) {
  for (size_t i = 0; i < message->made; i++)
    awz_raw_drop(message->socket, &message->frames[i].message);
  message->count = message->made = message->given = message->bytes = 0;
}

/* Forget the frames. Those of a small message stay with libzmq, which drops
 * each of them when it receives into it; that saves calls. Until then, they can
 * be sent: see pass.c. */
static void empty(awz_message *message) {
  enum { SMALL = 1024 };
  message->given = message->count;
  if (message->bytes > SMALL)
    drop_frames(message);
  else
    message->count = message->bytes = 0;
}

void awz_message_free(awz_message *message) {
  drop_frames(message);
  if (message->frames != message->few)
    aw_free(message->frames);
  aw_free(message);
}

AWZ_INLINE void reuse(awz_socket *s, awz_message *message) {
  if (s->coming || !s->raw || message->room > FEW) {
    awz_message_free(message);
    return;
  }
  empty(message);
  message->delivered = false;
  s->coming = message;
  s->context->giver = s;
}

void awz_message_done(awz_socket *s, awz_message *message) {
  reuse(s, message);
}

/* Make room for one more frame. libzmq asks to move messages by its own
 * function only, but nothing points into them, so a copy of the bytes does the
 * same. */
static bool make_frame_room(awz_message *message) {
  if (message->count < message->room)
    return true;
  size_t room = message->room * 2;
  bool inside = message->frames == message->few;
  awz_frame *frames =
      aw_reallocate(inside ? NULL : message->frames, room * sizeof *frames);
  if (!frames)
    return false;
  if (inside)
    memcpy(frames, message->few, sizeof message->few);
  message->frames = frames;
  message->room = room;
  return true;
}

static int add_copy_of(awz_message *copy, awz_frame *frame) {
  if (!make_frame_room(copy))
    return AW_ENOMEM;
  awz_frame *added = &copy->frames[copy->count];
  int rc = awz_raw_copy(copy->socket, &added->message, &frame->message);
  added->size = frame->size;
  added->text = NULL;
  if (rc == 0)
    copy->made = ++copy->count;
  return rc;
}

int awz_message_copy(const awz_message *message, awz_socket *to,
                     awz_message **out) {
  awz_message *copy = aw_allocate(sizeof *copy);
  if (!copy)
    return AW_ENOMEM;
  copy->frames = copy->few;
  copy->room = FEW;
  copy->socket = to;
  to->refs++;
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < message->count; i++)
    rc = add_copy_of(copy, &message->frames[i]);
  if (rc < 0)
    awz_message_free_copy(copy);
  else
    *out = copy;
  return rc;
}

void awz_message_free_copy(awz_message *copy) {
  awz_socket *s = copy->socket;
  awz_message_free(copy);
  awz_socket_release(s);
}

/* ---- receiving ---- */

/* Make the next frame one that libzmq can receive into. */
AWZ_INLINE bool make_frame(awz_message *message) {
  if (message->count < message->made)
    return true;
  if (!make_frame_room(message))
    return false;
  awz_raw_init(message->socket, &message->frames[message->made++].message);
  return true;
}

/* A SERVER has a number in place of that frame. */
static inline bool begins_with_id(const awz_socket *s) {
  return s->type->addressed && !s->type->label;
}

/* To ask libzmq whether there is more costs as much as ten lines of C. */
static inline bool has_more(const awz_socket *s, const awz_message *message,
                            const awz_frame *frame) {
  return (message->count == 0 && begins_with_id(s)) ||
         awz_raw_more(s, &frame->message);
}

AWZ_INLINE int receive_frame(awz_message *message, bool *more) {
  if (!make_frame(message))
    return AW_ENOMEM;
  const awz_socket *s = message->socket;
  awz_frame *frame = &message->frames[message->count];
  frame->text = NULL;
  int rc = awz_raw_receive(s, &frame->message, &frame->size);
  if (rc < 0)
    return rc;
  *more = has_more(s, message, frame);
  message->bytes += frame->size;
  message->count++;
  return 0;
}

/* Receive a frame of an XPUB, and note it if it is a subscription. If that ran
 * out of memory, the next call notes it. */
static int receive_noted(awz_message *message, bool *more) {
  awz_socket *s = message->socket;
  int rc = s->unnoted ? 0 : receive_frame(message, more);
  if (rc < 0)
    return rc;
  awz_frame *frame = &message->frames[message->count - 1];
  *more = awz_raw_more(s, &frame->message);
  rc = awz_subscribers_note(s->subscribers, awz_raw_data(s, &frame->message),
                            frame->size);
  s->unnoted = rc < 0;
  return rc;
}

AWZ_INLINE int receive_rest(awz_message *message) {
  awz_socket *s = message->socket;
  int rc = 0;
  bool more = true;
  while (rc == 0 && more) {
    rc = s->subscribers ? receive_noted(message, &more)
                        : receive_frame(message, &more);
    if (message->count > s->max_parts) { /* receive the rest and drop it */
      drop_frames(message);
      s->oversized = true;
    }
  }
  return rc;
}

/* Receive all frames of the next message into s->coming. Returns 1; 0 if frames
 * are missing; or a negative code. */
AWZ_INLINE int receive_message(awz_socket *s) {
  if (s->whole)
    return 1;
  int rc = make_coming(s);
  if (rc < 0)
    return rc;
  awz_message *message = s->coming;
  rc = receive_rest(message);
  awz_raw_received(s, rc);
  s->whole = rc == 0;
  if (s->whole)
    return 1;
  if (message->count == 0) /* a socket that is idle keeps no memory */
    drop_frames(message);
  return rc == -EAGAIN ? 0 : rc;
}

/* The same as a function, for callers outside the path of every message. */
static int receive_whole(awz_socket *s) {
  return receive_message(s);
}

static awz_message *take_returned(awz_socket *s) {
  awz_message *message = s->returned;
  s->returned = message->next;
  message->next = NULL;
  return message;
}

/* Take the first message that was held, as the user does: of a message that was
 * too long, nothing is left but the error. */
static int next_returned(awz_socket *s, awz_message **out) {
  awz_message *message = take_returned(s);
  if (message->oversized) {
    awz_message_free(message);
    return -EMSGSIZE;
  }
  *out = message;
  return 1;
}

static inline int take_coming(awz_socket *s, awz_message **out) {
  awz_message *message = s->coming;
  s->whole = false;
  if (s->oversized) {
    drop_frames(message);
    s->oversized = false;
    return -EMSGSIZE;
  }
  message->number = ++s->taken;
  s->coming = NULL;
  *out = message;
  return 1;
}

/* Receive all messages of a socket that conflates. The last one becomes
 * `newest`; NULL if it has too many parts. Returns 0 or a negative code. */
static int drain(awz_socket *s) {
  enum { MOST = 1 << 16 }; /* then other tasks run: some 30 ms */
  int rc = 0, fault = 0;
  for (int left = MOST; left > 0 && (rc = receive_whole(s)) > 0; left--) {
    awz_message *message = NULL;
    int taken = take_coming(s, &message);
    fault = taken < 0 ? taken : 0;
    if (s->newest)
      awz_message_done(s, s->newest);
    s->newest = message;
  }
  return rc < 0 ? rc : fault;
}

void awz_message_drain(awz_socket *s, bool drains) {
  s->drains = s->config.eager = drains;
  if (s->newest)
    awz_message_put_back(s, s->newest);
  s->newest = NULL;
}

/* Take the newest message. Messages that came back are older; drop them. */
static int next_of_newest(awz_socket *s, awz_message **out) {
  int rc = drain(s);
  if (!s->newest)
    return rc;
  while (s->returned)
    awz_message_free(take_returned(s));
  *out = s->newest;
  s->newest = NULL;
  return 1;
}

/* Take a message that the socket holds, or the newest one of a socket that
 * conflates. Returns as awz_message_next(). */
static int next_held(awz_socket *s, awz_message **out) {
  if (s->delivering) { /* its delivery ran out of memory */
    awz_message_put_back(s, s->delivering);
    s->delivering = NULL;
  }
  if (s->drains) {
    int rc = next_of_newest(s, out);
    if (rc != 0)
      return rc;
  }
  return s->returned ? next_returned(s, out) : 0;
}

int awz_message_next(awz_socket *s, awz_message **out) {
  if (s->delivering || s->drains || s->returned)
    return next_held(s, out);
  int rc = receive_message(s);
  return rc > 0 ? take_coming(s, out) : rc;
}

int awz_message_stock(awz_socket *s) {
  enum { MOST = 1000 }; /* then other tasks run: some 0.5 ms */
  int rc = 0;
  for (int left = MOST; left > 0 && (rc = receive_whole(s)) > 0; left--) {
    awz_message *message = s->coming;
    message->oversized = s->oversized;
    s->oversized = false;
    (void)take_coming(s, &message); /* cannot fail now */
    awz_message_put_back(s, message);
  }
  return rc < 0 ? rc : 0;
}

bool awz_message_held(const void *socket) {
  const awz_socket *s = socket;
  return s->whole || s->newest || s->returned || s->delivering;
}

/* Receiving changes the state of a REQ or REP, so only the user may do it. */
static bool may_read_ahead(const awz_socket *s) {
  int type = s->type->number;
  return type != AWZ_REQ && type != AWZ_REP;
}

int awz_message_read_ahead(void *socket) {
  awz_socket *s = socket;
  if (s->drains) {
    int rc = drain(s);
    return awz_message_held(s) ? 1 : rc;
  }
  if (awz_message_held(s))
    return 1;
  return may_read_ahead(s) ? receive_whole(s) : AW_EINVAL;
}

/* A look at `events` makes libzmq read the first frame of the next message.
 * libzmq aborts if the end of a connection then cuts off the rest. */
int awz_message_complete(awz_socket *s) {
  if (s->type->number == AWZ_REP) /* see may_read_ahead() */
    return awz_raw_may_receive(s) ? -EAGAIN : 0;
  if (!s->type->receives || !may_read_ahead(s))
    return 0;
  awz_message *message;
  if (s->whole && take_coming(s, &message) > 0)
    awz_message_put_back(s, message);
  int rc = s->drains ? drain(s) : receive_whole(s);
  return rc < 0 ? rc : 0;
}

/* ---- for Lua ---- */

static inline void push_frame(lua_State *L, awz_message *message,
                              size_t index) {
  const awz_socket *s = message->socket;
  awz_frame *frame = &message->frames[index];
  const char *data = frame->text = awz_raw_data(s, &frame->message);
  if (index == 0 && begins_with_id(s))
    awz_push_id(L, s->context->home, data, frame->size);
  else
    lua_pushlstring(L, data, frame->size);
}

/* To make a string may run finalizers. They cannot touch a message that is the
 * value of a task. But they may receive the message that its socket delivers,
 * which frees it, and then run out of memory with a later one in the same
 * struct. So look after each string whether the message with this number is
 * still in its place: in `delivering`, or anywhere if it is the value of a
 * task. */
static inline bool is_there(const awz_message *message, uint64_t number,
                            awz_message *const *place) {
  return *place == message && message->number == number;
}

/* Push what a message of this type has before its part. Returns the number of
 * values. */
static inline int push_label(lua_State *L, awz_message *message) {
  awz_label label = message->socket->type->label;
  if (label == AWZ_NO_LABEL)
    return 0;
  aw_zmq_message *frame = &message->frames[0].message;
  if (label == AWZ_PEER_NUMBER)
    lua_pushinteger(L, awz_raw_peer_number(message->socket, frame));
  else
    lua_pushstring(L, awz_raw_group(message->socket, frame));
  return 1;
}

/* Push the label, if any, and all frames. Returns the number of values; or -1,
 * with nothing pushed, if the message is gone. */
static inline int push_strings(lua_State *L, awz_message *message,
                               awz_message *const *place) {
  uint64_t number = message->number;
  int count = (int)message->count;
  if (count > FEW) /* every C function has room for a few */
    luaL_checkstack(L, count, "too many parts");
  int label = push_label(L, message);
  for (int i = 0; i < count; i++) {
    if (!is_there(message, number, place)) {
      lua_pop(L, label + i);
      return -1;
    }
    push_frame(L, message, (size_t)i);
  }
  if (is_there(message, number, place))
    return label + count;
  lua_pop(L, label + count);
  return -1;
}

/* The same, in one table. Returns 1 or -1. */
static int push_table(lua_State *L, awz_message *message,
                      awz_message *const *place) {
  uint64_t number = message->number;
  int count = (int)message->count;
  lua_createtable(L, count, 0);
  int label = is_there(message, number, place) ? push_label(L, message) : 0;
  if (label > 0)
    lua_rawseti(L, -2, label);
  for (int i = 0; i < count && is_there(message, number, place); i++) {
    push_frame(L, message, (size_t)i);
    lua_rawseti(L, -2, label + i + 1);
  }
  if (is_there(message, number, place))
    return 1;
  lua_pop(L, 1);
  return -1;
}

/* The metadata is copied first: see is_there(). */
static int push_with_meta(lua_State *L, awz_message *message,
                          awz_message *const *place) {
  uint64_t number = message->number;
  awz_metadata metadata;
  awz_metadata_read(&metadata, message);
  int count = push_table(L, message, place);
  if (count < 0)
    return count;
  awz_metadata_push(L, &metadata);
  if (is_there(message, number, place))
    return count + 1;
  lua_pop(L, count + 1);
  return -1;
}

static inline int push_form(lua_State *L, awz_message *message, bool as_table,
                            awz_message *const *place) {
  if (!as_table)
    return push_strings(L, message, place);
  return message->with_meta ? push_with_meta(L, message, place)
                            : push_table(L, message, place);
}

int awz_message_deliver(lua_State *L, awz_message *message, bool as_table,
                        size_t *bytes) {
  awz_socket *s = message->socket;
  s->delivering = message;
  int count = push_form(L, message, as_table, &s->delivering);
  if (count < 0)
    return count;
  s->delivering = NULL;
  *bytes = message->bytes;
  reuse(s, message);
  return count;
}

aw_value awz_message_box(awz_message *message, bool as_table) {
  message->as_table = as_table;
  message->socket->refs++;
  return aw_lua_box(&message->value);
}
