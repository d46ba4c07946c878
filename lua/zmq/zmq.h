/* zmq.h - sockets of libzmq for Lua, built with the public C API only
 *
 *   raw.c       the only file that calls libzmq
 *   headroom.c      are there descriptors and threads left? libzmq aborts if not
 *   context.c   contexts: what they own, their end off the loop   context_object.c
 *   socket.c    sockets: life, state                  class.c      socket_object.c
 *   message.c   a message received, until Lua has taken it
 *   receive.c   recv and its kin          send.c  send and its kin
 *   address.c   what may be bound and connected to
 *   endpoint.c  what is bound, and was a moment ago
 *   routing_id.c      `connect_routing_id`
 *   options.c   the one table of options; get and set
 *   types.c     the table of types; "did you mean"
 *   open.c      opens all of it, see open.h; aiowire/zmq.lua puts the module together
 *
 * One way of a message in: libzmq → message → Lua strings. It is taken from
 * libzmq for a task that gets it, or held by its socket for the next one that
 * receives; one that is not delivered after all goes back to the front of its
 * socket [H4]. One way out: the strings stay where they are, on the stack of
 * the task that waits, until all frames can go [ZQ7].
 */
#ifndef AWZ_ZMQ_H
#define AWZ_ZMQ_H

#include <aiowire_zmq.h>
#include <aiowire_lua.h>

#include <lauxlib.h>

typedef struct awz_context awz_context;
typedef struct awz_socket awz_socket;
typedef struct awz_endpoint awz_endpoint;
typedef struct awz_message awz_message;
typedef struct awz_parts awz_parts;

/* ---- types.c ---- */

typedef struct awz_type {
  const char *name; /* in capitals */
  int number;
  bool receives, sends;
  bool addressed; /* a message begins with the identity of its peer */
  bool balanced;  /* after a failure within a message the rest is swallowed */
  bool conflates; /* may have option `conflate` */
  unsigned peers; /* bits, by number: types that it talks to */
} awz_type;

enum {
  AWZ_DEALER = 5,
  AWZ_REP = 4,
  AWZ_REQ = 3,
  AWZ_ROUTER = 6,
  AWZ_SUB = 2,
  AWZ_STREAM = 11
};

extern const awz_type awz_types[];
extern const size_t awz_type_count;

/* Push ` (did you mean 'x'?)` for the name that aw_lua_nearest() finds; an
 * empty text when none is near. */
void awz_push_nearest(lua_State *L, const char *name,
                      const char *(*get)(const void *list, size_t index));

bool awz_types_match(const awz_type *a, const awz_type *b);

/* The type that the value at `arg` names, by name or number. Raises. */
const awz_type *awz_check_type(lua_State *L, int arg);

/* ---- objects ---- */

/* What is under way for one Lua state: a userdata in the registry. */
typedef struct awz_home {
  awz_context *first;    /* contexts, the newest first */
  awz_context *usual;    /* shared by those who name none; or NULL */
  awz_endpoint *leaving; /* addresses given up a moment ago */
  aw_lua_held held;      /* by the state */
} awz_home;

struct awz_context {
  awz_home *home;
  awz_context *next; /* in the home */
  void *raw;         /* NULL once it is closed */
  const aw_zmq_calls *calls;
  awz_socket *sockets;
  awz_endpoint *ghosts; /* inproc names that closed sockets have connected to */
  struct awz_ending *ending; /* its end, in a thread of its own; or NULL */
  unsigned refs;             /* of the home, the userdata, sockets */
  aw_lua_held held;          /* by the userdata */
  unsigned forks;
  int longest_linger; /* ms, of its sockets; -1: for ever */
  int patience;       /* ms: how long the end of the program waits for it */
  int reserve[2];     /* descriptors, for its end */
};

/* An option that counts for what is bound or connected after it, and was set
 * when the socket had an address. If nothing is, it was a mistake. */
typedef struct awz_late {
  const char *option; /* its name */
  const char *where;  /* "file:line" */
} awz_late;
enum { AWZ_LATE = 4 };

struct awz_socket {
  void *raw; /* NULL once it is closed */
  const aw_zmq_calls *calls;
  aw_zmq *ready;
  aw_lua_here *here;
  awz_context *context;
  awz_socket *next, *previous; /* in the context */
  const awz_type *type;
  unsigned refs;           /* of the userdata, of messages under way */
  aw_lua_held held;        /* by the userdata */
  awz_endpoint *endpoints; /* that it is bound to */
  awz_endpoint *pending;   /* inproc names it has connected to, nobody's yet */
  struct awz_name *names;  /* of peers, by `connect_routing_id`, newest first */
  bool naming;             /* the newest is for the next connect … */
  bool told;               /* … and libzmq has it, or an older one */
  bool exposed;            /* remote peers may give themselves any name */
  bool numbers;            /* option `router_raw`: it numbers its peers */
  char *shown;             /* `last_endpoint`, if not libzmq's; or NULL */
  aw_zmq_config config;    /* of `ready` */
  awz_message *coming;   /* the next one, with the frames that have come … */
  bool whole;            /* … all of them: it was read ahead; or NULL */
  awz_message *newest;   /* read ahead from one that conflates, or NULL */
  awz_message *returned; /* not delivered after all, the oldest first */
  awz_message *delivering; /* Lua makes strings of it, or failed to */
  uint64_t taken;          /* messages, ever */
  size_t max_parts;
  int64_t max_size; /* of a part, bytes; negative: any */
  int linger;       /* ms */
  bool strict;      /* a peer that is gone is an error */
  bool conflated;   /* option `conflate`; see options.c: */
  bool drains;      /* … of what it receives, by message.c */
  bool overwrites;  /* … of what it sends, by libzmq; once and for all */
  bool welcomes;    /* it has `xpub_welcome_msg` */
  bool oversized;   /* the one that is coming has more parts than max_parts */
  bool attached;    /* it was bound or connected, ever */
  bool bound;       /* `address` was bound, else connected to */
  char address[128];
  unsigned late_count; /* used of these; what is too much is not told */
  awz_late late[AWZ_LATE];
};

/* ---- raw.c: all return 0, or a negative code ---- */

int awz_raw_version(int version[3]);
bool awz_raw_has(const char *capability);

int awz_raw_open_context(awz_context *context, int io_threads);
int awz_raw_set_context(const awz_context *context, int option, int value);
int awz_raw_get_context(const awz_context *context, int option, int *value);
/* Wait until all that its sockets had to send is sent, or given up. */
void awz_raw_end_context(void *raw);

int awz_raw_open(awz_socket *socket);
void awz_raw_close(awz_socket *socket);
int awz_raw_set(awz_socket *socket, int option, const void *value, size_t size);
int awz_raw_get(awz_socket *socket, int option, void *value, size_t *size);

typedef enum awz_verb {
  AWZ_BIND,
  AWZ_CONNECT,
  AWZ_UNBIND,
  AWZ_DISCONNECT
} awz_verb;
int awz_raw_attach(awz_socket *socket, awz_verb verb, const char *address);

int awz_raw_receive(awz_socket *socket, aw_zmq_message *frame, size_t *size);
bool awz_raw_may_receive(awz_socket *socket);
/* Drop all that it has received; how many parts? */
int awz_raw_drain(awz_socket *socket);
/* Has a ROUTER a peer of that name? If so, that peer gets an empty message. */
bool awz_raw_has_peer(awz_socket *socket, const char *name, size_t size);
/* Takes the frame when it returns 0. */
int awz_raw_send(awz_socket *socket, aw_zmq_message *frame, bool more);

void awz_raw_init(const awz_socket *socket, aw_zmq_message *frame);
int awz_raw_fill(const awz_socket *socket, aw_zmq_message *frame,
                 const char *data, size_t size);
void awz_raw_drop(const awz_socket *socket, aw_zmq_message *frame);
const char *awz_raw_data(const awz_socket *socket, aw_zmq_message *frame);
bool awz_raw_more(const awz_socket *socket, const aw_zmq_message *frame);

/* ---- headroom.c ---- */

/* 0, or UV_EMFILE, when libzmq would run out of descriptors. */
int awz_room_for_files(void);
/* 0, or UV_EAGAIN: can `count` threads be started? */
int awz_room_for_threads(int count);

/* ---- context.c ---- */

/* A new context of `home`; its first claim is the caller's. */
int awz_context_new(awz_home *home, int io_threads, awz_context **out);
void awz_context_release(awz_context *context);
/* Close its sockets, and end it in a thread. Twice is fine. */
void awz_context_close(awz_context *context);
/* Close all contexts, and wait for them, as long as their patience. */
void awz_home_close(awz_home *home);

/* ---- socket.c ---- */

int awz_socket_new(awz_context *context, const awz_type *type,
                   aw_lua_here *here, awz_socket **out);
void awz_socket_close(awz_socket *socket);
void awz_socket_release(awz_socket *socket);
/* 0, AW_ECLOSED or AW_EFORKED; NULL: a finalized one, AW_ECLOSED. */
int awz_socket_check(const awz_socket *socket);
/* What tasks can do with the socket through the engine: see receive.c, send.c.
 */
int awz_take_in(aw_task *task, void *data);
int awz_take_out(aw_task *task, void *data);

/* ---- address.c, which Lua sees more of, below ---- */

bool awz_starts_with(const char *address, const char *start);

/* ---- endpoint.c: all return 0, or a negative code ---- */

/* Blocks for a moment when the address was this program's until just now. Also
 * -EALREADY: a peer could take the name given by `connect_routing_id`. */
int awz_bind(awz_socket *socket, const char *address);
int awz_unbind(awz_socket *socket, const char *address);
/* Also -EBUSY, of an inproc name: it has to be bound first; -EPROTOTYPE: it is
 * that of a socket of another kind; -EEXIST: a peer has the name given by
 * `connect_routing_id`; -EOPNOTSUPP: that, and the socket is `immediate`. */
int awz_connect(awz_socket *socket, const char *address);
int awz_disconnect(awz_socket *socket, const char *address);
/* The socket is closed. */
void awz_leave_endpoints(awz_socket *socket);
void awz_forget_leaving(awz_home *home);
void awz_forget_ghosts(awz_context *context);
/* An address that it is bound to, and the user may mean by `address`: one with
 * the same port, or with any if that is `*`; or NULL. */
const char *awz_bound_like(const awz_socket *socket, const char *address);
bool awz_is_bound(const awz_context *context, const char *address);

/* ---- routing_id.c: return 0, or a negative code ---- */

/* What the next connect is to call its peer. Also -EEXIST, -EINVAL; and
 * -EOPNOTSUPP: a remote peer could take the name first. */
int awz_name_next(awz_socket *socket, const char *name, size_t size);
/* Is the name for the next connect safe from peers that come to this address,
 * or is there none? */
bool awz_name_is_safe(const awz_socket *socket, const char *address);
/* It was bound or connected to this address, without a name for its peers. */
void awz_name_expose(awz_socket *socket, const char *address);
/* Tell libzmq, for a connect to this address; see awz_connect(). */
int awz_name_use(awz_socket *socket, const char *address);
void awz_forget_names(awz_socket *socket);
/* What `last_endpoint` is to be; takes it. NULL: what libzmq says. */
void awz_show_endpoint(awz_socket *socket, char *address);

/* ---- message.c ---- */

typedef struct awz_frame {
  aw_zmq_message message;
  size_t size; /* bytes: libzmq tells it anyway when it gives one */
} awz_frame;

struct awz_message {
  aw_lua_value value;
  awz_socket *socket; /* it came from; a claim, while it is under way */
  awz_message *next;  /* in `returned` */
  uint64_t number;    /* in the order they were taken */
  size_t count, room; /* frames */
  awz_frame *frames;
  awz_frame few[4];
  bool as_table;
  bool delivered; /* Lua has it */
};

/* The next whole message. Returns 1, 0 when there is none, or negative. */
int awz_message_next(awz_socket *socket, awz_message **out);
/* For aw_zmq_config, with an awz_socket: does it hold one; hold the next. */
bool awz_message_held(const void *socket);
int awz_message_read_ahead(void *socket);
/* Before a connection is ended: receive what libzmq has begun to, and hold it.
 * Returns 0, or negative; -EAGAIN: a REP has to be asked for it first. */
int awz_message_complete(awz_socket *socket);
/* Read all there is, and keep the newest; or stop that. */
void awz_message_drain(awz_socket *socket, bool drains);
void awz_message_free(awz_message *message);
/* Lua has it, or nobody wants it: use it again for the next one. */
void awz_message_done(awz_socket *socket, awz_message *message);
/* Push the one that its socket is `delivering`, as several values or one table;
 * returns how many, or -1, and nothing is pushed: a finalizer that ran
 * meanwhile has received it. Adds its bytes to `*bytes`. Raises. */
int awz_message_push(lua_State *L, awz_message *message, bool as_table,
                     size_t *bytes);
/* As a value for a task. */
aw_value awz_message_box(awz_message *message, bool as_table);

/* ---- send.c ---- */

typedef struct awz_part {
  const char *data; /* of a Lua string that is kept alive */
  size_t size;
} awz_part;

/* One message to be sent; a wire's may be sent by several tasks. */
struct awz_parts {
  const struct awz_box *box; /* of the socket */
  size_t count;
  const awz_part *part;
};

/* ---- for Lua ---- */

/* A socket or context as a userdata of Lua. It says itself what it is, which is
 * faster to ask than its metatable.
 *
 * What Lua code and the engine hold is the box, never the object: a finalizer
 * may hand a box on whose object is gone, and a wire or a message that keeps
 * the box alive may find it empty. Any call of Lua may close the object, or,
 * while the state is closed, finalize it. So who has a pointer to one looks
 * into the box again after it. */
typedef struct awz_box {
  const char *class; /* AWZ_SOCKET_CLASS or AWZ_CONTEXT_CLASS */
  void *object;      /* NULL: not opened yet, or finalized */
} awz_box;

/* The box at `index`; NULL: it is something else. */
static inline awz_box *awz_box_at(lua_State *L, int index, const char *class) {
  awz_box *box = lua_touserdata(L, index);
  bool is = box && lua_rawlen(L, index) >= sizeof *box && box->class == class;
  return is ? box : NULL;
}

/* Where a task waits for messages: tells the two kinds of receive apart. */
typedef struct awz_way {
  const awz_box *box;
  bool as_table;
} awz_way;

/* The userdata of a socket: the data of its waits are in it. */
typedef struct awz_handle {
  awz_box box; /* first */
  awz_way plain, multipart;
} awz_handle;

/* What is the socket's in `box`; NULL: it is finalized. */
static inline awz_socket *awz_socket_in(const awz_box *box) {
  return (awz_socket *)box->object;
}

/* options.c: warn of options of the socket in `box` that were set too late. May
 * run finalizers. */
void awz_tell_late(lua_State *L, const awz_box *box);

/* The socket is used or closed now, so it has all its addresses. */
static inline void awz_use(lua_State *L, const awz_box *box) {
  const awz_socket *s = awz_socket_in(box);
  if (s && s->late_count > 0)
    awz_tell_late(L, box);
}

/* The same for people, as `describe` of an aw_operation. */
void awz_describe(const awz_box *box, char *out, size_t size);

extern const char *const AWZ_SOCKET_CLASS; /* class.c */
extern const char *const AWZ_CONTEXT_CLASS;

/* Push an empty box for a socket. Raises. */
awz_box *awz_push_socket(lua_State *L);
/* The userdata with `box` holds `socket`: takes. */
void awz_fill_socket(lua_State *L, awz_box *box, awz_socket *socket);
extern const aw_lua_source awz_source;

awz_home *awz_home_of(lua_State *L); /* raises */

#define awz_error aw_lua_error

/* The socket at `arg`, or at 1, open. Raise. */
awz_socket *awz_check_socket_at(lua_State *L, int arg, const char *verb);
awz_socket *awz_check_socket(lua_State *L, const char *verb);
/* The box of the socket at `arg`, open, closed or finalized. Raises. */
awz_handle *awz_check_handle(lua_State *L, int arg);
/* The context at `arg`, which may be closed, but not finalized. Raises. */
awz_context *awz_check_context(lua_State *L, int arg, const char *verb);
/* Raise what `verb` failed with; `socket` is NULL of a finalized one. */
int awz_fail(lua_State *L, const awz_socket *socket, int code,
             const char *verb);

/* address.c: is it one to bind or connect to? Raises. */
const char *awz_check_address(lua_State *L, const awz_socket *socket,
                              awz_verb verb, int arg);

/* options.c: get(socket, name) and set(socket, name, value), with the stack at
 * [socket, name, value]. Raise. */
int awz_get_option(lua_State *L, awz_socket *socket);
int awz_set_option(lua_State *L, awz_socket *socket);
/* Push a list of { name, number }. */
void awz_push_options(lua_State *L);

int awz_context_socket(lua_State *L); /* ctx:socket(type [, options]) */

/* Each adds to the table on top. Raise. */
void awz_open_context(lua_State *L);
void awz_open_socket(lua_State *L);
void awz_open_class(lua_State *L);
extern const luaL_Reg awz_receive_methods[], awz_send_methods[];
/* A message of many bytes counts as several awaits of this turn: copying it
 * takes time [ZQ5]. */
void awz_spend(lua_State *L, size_t bytes, const char *what);
int awz_make_recv(lua_State *L);
int awz_make_send(lua_State *L);

#endif
