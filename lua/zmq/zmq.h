/* zmq.h - sockets of libzmq for Lua, built with the public C API only
 *
 *   open.c                      opens all of this; aiowire/zmq.lua builds the
 *                               module
 *   context/raw.c               makes all calls of libzmq …
 *           apart.c             … but for sockets of the attendant
 *           headroom.c          checks for free descriptors and threads
 *           types.c             the table of socket types; "did you mean"
 *           context.c           contexts: their sockets, their end in a thread
 *           shared.c            what contexts of several Lua states share
 *           context_object.c    contexts for Lua
 *           attendant.c         the thread of a context
 *           bell.c              wakes tasks from any thread
 *           failure.c           codes as errors of Lua
 *           classes.c           classes of objects, but for sockets
 *   address/address.c           checks addresses for bind and connect
 *           attach.c            s:bind(), s:connect() and the way back
 *           endpoint.c          addresses that are bound, or were
 *           host_address.c      names of hosts in addresses
 *           host_name.c         connects to such names, when they are known
 *           routing_id.c        `connect_routing_id`
 *   socket/socket.c             creation, defaults, closing
 *          message.c            a received message, until Lua has taken it
 *          known_id.c           routing ids that were received lately
 *          pass.c               sends a received message, without Lua strings
 *          closing.c            tells of the close of a socket
 *          settings.c           the options that a PUB was given
 *          options.c            the table of options; get and set
 *          socket_object.c      sockets for Lua: errors, options, readiness
 *          class.c              how Lua finds methods and options
 *          receive.c            s:recv() and its variants
 *          send.c               s:send() and its variants
 *   watch/watch.c               what happens to a socket: events, peers
 *         tally.c               counts the peers by their events
 *         links.c               counts the peers over inproc
 *         event.c               names and reasons of events
 *         monitor.c             s:monitor()
 *         wait_peers.c          s:wait_peers()
 *         topics.c              a set of topics
 *         subscribers.c         s:wait_subscriber()
 *   security/curve.c            keys of CURVE
 *            key_file.c         … and their files
 *            metadata.c         who has sent a message
 *            zap.c              answers questions about peers, in the thread
 *            zap_frames.c       those questions and answers as frames
 *            rules.c            the rules of an authenticator
 *            mechanism.c        whether a socket is a server, and of what
 *            key_set.c          public keys, and folders of them
 *            guard.c            sockets whose peers need an authenticator
 *            auth_options.c     the rules in the options of zmq.auth{}
 *            auth_object.c      authenticators for Lua
 *   proxy/proxy.c               zmq.Proxy: one direction of it
 *         proxy_guard.c         zmq.Proxy: whether its sockets are open
 *
 * A received message goes from libzmq to an awz_message, then to Lua strings.
 * It is taken from libzmq for a certain task, or its socket holds it for the
 * next task that receives. A message that is not delivered goes back to the
 * front of its socket [H4]. A message to be sent stays in its Lua strings,
 * which the waiting task keeps alive, until all frames can be sent [ZQ7].
 */
#ifndef AWZ_ZMQ_H
#define AWZ_ZMQ_H

#include <aiowire_lua.h>
#include <aiowire_zmq.h>

#include <lauxlib.h>

/* For parts of the path of every message: the compiler would call them, which
 * costs 15 to 25 instructions each. */
#ifdef __GNUC__
#define AWZ_INLINE static inline __attribute__((always_inline))
#else
#define AWZ_INLINE static inline
#endif

typedef struct awz_context awz_context;
typedef struct awz_shared awz_shared;
typedef struct awz_socket awz_socket;
typedef struct awz_endpoint awz_endpoint;
typedef struct awz_message awz_message;
typedef struct awz_parts awz_parts;
typedef struct awz_attendant awz_attendant;
typedef struct awz_named awz_named;
typedef struct awz_subscribers awz_subscribers;
typedef struct awz_setting awz_setting;

/* ---- types.c ---- */

/* What comes before the part of a message, in Lua; in libzmq it is no part. */
typedef enum awz_label {
  AWZ_NO_LABEL,
  AWZ_PEER_NUMBER, /* the number of a peer, an integer */
  AWZ_GROUP        /* the name of a group */
} awz_label;

typedef struct awz_type {
  const char *name; /* in capitals */
  int number;
  bool receives, sends;
  bool addressed;  /* a message begins with the identity of its peer, and has
                     more parts */
  bool balanced;   /* if a send fails in the middle of a message, libzmq drops
                     the frames that follow */
  bool conflates;  /* may have option `conflate` */
  unsigned peers;  /* types that it can talk to: bits, by number */
  bool draft;      /* only if libzmq was built with drafts */
  awz_label label; /* what a message has besides its single part */
  bool single;     /* messages have one part, not counting the label */
} awz_type;

enum {
  AWZ_DEALER = 5,
  AWZ_REP = 4,
  AWZ_REQ = 3,
  AWZ_PUB = 1,
  AWZ_XPUB = 9,
  AWZ_ROUTER = 6,
  AWZ_SUB = 2,
  AWZ_STREAM = 11,
  AWZ_DISH = 15
};

extern const awz_type awz_types[];
extern const size_t awz_type_count;

/* Push `, did you mean 'x'?` with the name that aw_lua_nearest() finds, or an
 * empty string if no name is near. */
void awz_push_nearest(lua_State *L, const char *name,
                      const char *(*get)(const void *list, size_t index));

/* Push { name =, number = }, of a type or an option. */
void awz_push_entry(lua_State *L, const char *name, int number);

bool awz_types_match(const awz_type *a, const awz_type *b);

/* Return the type whose name or number is at `arg`. Raises. */
const awz_type *awz_check_type(lua_State *L, int arg);

/* ---- objects ---- */

/* A slot of known_id.c: a routing id, and its string in the registry. */
typedef struct awz_known_id {
  int ref;        /* 0: none yet */
  uint8_t size;   /* 0: the slot is empty */
  uint8_t misses; /* since it was found last */
  char bytes[26];
} awz_known_id;
enum { AWZ_KNOWN_IDS = 64 };

/* The contexts and addresses of one Lua state; a userdata in the registry. */
typedef struct awz_home {
  awz_context *first;    /* contexts, the newest first */
  awz_context *usual;    /* used if no context is named; NULL: not made yet */
  awz_endpoint *leaving; /* addresses that were given up a moment ago */
  aw_lua_held held;      /* closes the home at the end of the state */
  awz_known_id ids[AWZ_KNOWN_IDS];
} awz_home;

struct awz_context {
  awz_home *home;
  awz_context *next;  /* in the home */
  awz_shared *shared; /* context/shared.h; NULL once it is closed */
  void *raw;          /* that of `shared` */
  const aw_zmq_calls *calls;
  awz_socket *sockets;
  awz_socket *giver;         /* Lua got its last message: see pass.c */
  struct awz_link *links;    /* connections over inproc; watch/links.h */
  struct awz_ending *ending; /* ends it in a thread; NULL: not begun */
  awz_attendant *attendant;  /* context/attendant.h; NULL: not needed yet */
  struct awz_reader *reader; /* watch/reader.h; NULL: not needed yet */
  struct awz_zap *zap;       /* security/zap.h; NULL: no authenticator */
  unsigned refs;             /* held by the home, the userdata and sockets */
  aw_lua_held held;          /* for a lost finalizer */
  unsigned forks;            /* aw_zmq_forks() when it was made */
  int wait;                  /* ms that the end of the program waits for that of
                                the context; set by its close */
};

/* An option that takes effect at the next bind or connect, and was set when the
 * socket was attached already. It is a mistake if no bind or connect follows.
 * Or a bind or connect of a socket that needs an authenticator, while its
 * context has none; see security/guard.h. */
typedef struct awz_late {
  const char *option; /* its name; NULL: an authenticator is missing */
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
  unsigned refs;           /* held by the userdata, and by boxed messages */
  aw_lua_held held;        /* for a lost finalizer */
  awz_endpoint *endpoints; /* addresses that it is bound to */
  awz_endpoint *connected; /* of a PUB: addresses, but inproc names, that it
                              has connected to */
  awz_named *named;        /* addresses with names of hosts, that it is
                              connected or bound to; address/host_name.h */
  unsigned unresolved;     /* number of those that libzmq does not have yet */
  struct awz_name *names;  /* names given to peers by `connect_routing_id`, the
                              newest first */
  struct awz_watch *watch; /* watch/watch.h; NULL: not needed yet */
  unsigned linked;         /* number of peers over inproc; watch/links.h */
  unsigned unlinked;       /* number of those that it has lost so far */
  bool naming;             /* the newest name is for the next connect */
  bool told;               /* libzmq has a name that no connect has used */
  bool exposed;            /* remote peers, which choose their own names, can
                              reach it */
  bool numbers;            /* option `router_raw`: it numbers its peers */
  char *shown;             /* value of `last_endpoint`; NULL: ask libzmq */
  aw_zmq_config config;    /* of `ready` */
  struct awz_watcher *watchers; /* of its close; see closing.h */
  awz_message *coming; /* the next message, with the frames received so far;
                           or NULL */
  bool whole;          /* all frames of `coming` are there: it was read ahead */
  awz_message *newest; /* the message kept while `drains`; or NULL */
  awz_message *returned;        /* messages that came back, the oldest first */
  awz_message *last;            /* the newest of them; only if there is one */
  awz_subscribers *subscribers; /* of a PUB or XPUB; watch/subscribers.h */
  awz_setting *settings;        /* of a PUB: socket/settings.h */
  awz_message *delivering; /* its Lua strings are being made, or that failed */
  uint64_t taken;          /* number of messages taken so far */
  size_t max_parts;
  int64_t max_size;  /* bytes of a part; negative: no limit */
  int linger;        /* ms */
  bool strict;       /* sending to a peer that is gone raises an error */
  bool conflated;    /* option `conflate`; see options.c */
  bool drains;       /* message.c conflates what the socket receives */
  bool overwrites;   /* libzmq conflates what it sends; never reset */
  bool welcomes;     /* it has `xpub_welcome_msg` */
  char *domain;      /* option `zap_domain`; NULL: none */
  int serves;        /* the option that makes it a server; 0: none;
                        security/mechanism.h */
  bool knows_server; /* option `curve_serverkey` is set */
  bool shows_key;    /* option `curve_publickey` is set by the user */
  bool guarded;      /* libzmq asks an authenticator about its peers … */
  bool unasked;      /* … but not about all of them */
  bool oversized;    /* `coming` has more parts than max_parts */
  bool unnoted;      /* its last part is not in `subscribers` yet */
  bool unwatched;    /* of this library: nobody asks what happens to it */
  bool attached;     /* it was bound or connected at least once */
  bool bound;        /* `address` was bound, else connected to */
  char address[128];
  unsigned late_count;     /* entries of `late`; further ones are not noted */
  awz_late late[AWZ_LATE]; /* options that were set too late */
};

/* ---- raw.c: functions that return int return 0 or a negative code ---- */

int awz_raw_version(int version[3]);
bool awz_raw_has(const char *capability);

/* Keys of CURVE: as text in Z85 with a final zero, and as bytes. These return
 * -ENOTSUP if libzmq has no CURVE. */
enum { AWZ_KEY_SIZE = 41, AWZ_KEY_BYTES = 32 };
int awz_raw_keypair(char public_key[AWZ_KEY_SIZE], char secret[AWZ_KEY_SIZE]);
int awz_raw_public_key(char public_key[AWZ_KEY_SIZE], const char *secret);
/* -EINVAL: the text is not 40 characters of Z85. Call from: any thread. */
int awz_raw_decode_key(unsigned char out[AWZ_KEY_BYTES], const char *text);
/* The same backwards, once libzmq has made a socket. Call from: any thread. */
void awz_raw_encode_key(char out[AWZ_KEY_SIZE],
                        const unsigned char bytes[AWZ_KEY_BYTES]);

int awz_raw_open_context(awz_shared *shared, int io_threads);
/* Let the user have `value` sockets at most: libzmq also counts the socket of
 * each monitor, those of the attendant, and closed ones for a while. */
int awz_raw_limit_context(const awz_shared *shared, int value);
int awz_raw_set_context(const awz_shared *shared, int option, int value);
int awz_raw_get_context(const awz_shared *shared, int option, int *value);
/* End the context. Blocks until its sockets have sent or dropped all messages.
 */
void awz_raw_end_context(void *raw);

/* Open a socket of libzmq, whose type may differ from that of `socket`. */
int awz_raw_open(awz_socket *socket, int type);
void awz_raw_close(awz_socket *socket);
int awz_raw_set(awz_socket *socket, int option, const void *value, size_t size);
int awz_raw_get(awz_socket *socket, int option, void *value, size_t *size);

/* Let libzmq report events of the socket, to the socket that will connect to
 * `name`. No other may have that name. Until it has connected, libzmq would
 * wait for it at the first event. AWZ_STOPPED may not be one of the events. */
int awz_raw_monitor(awz_socket *socket, const char *name, int events);
/* Let libzmq report nothing more. Call it before the reader is closed. */
void awz_raw_unmonitor(awz_socket *socket);

typedef enum awz_verb {
  AWZ_BIND,
  AWZ_CONNECT,
  AWZ_UNBIND,
  AWZ_DISCONNECT
} awz_verb;
int awz_raw_attach(awz_socket *socket, awz_verb verb, const char *address);

typedef struct awz_part {
  const char *data; /* of a Lua string that is kept alive */
  size_t size;
} awz_part;

typedef struct awz_frame {
  aw_zmq_message message;
  size_t size;      /* bytes; known from the receive, so nobody asks again */
  const char *text; /* the bytes that Lua got; NULL: it did not get them */
} awz_frame;

/* Receive the next frame. Call awz_raw_received() after the last frame of a
 * message, with the result of the last call. */
int awz_raw_receive(const awz_socket *socket, aw_zmq_message *frame,
                    size_t *size);
void awz_raw_received(const awz_socket *socket, int rc);
/* Receive a message of one frame, which is made for it. */
int awz_raw_fetch(const awz_socket *socket, aw_zmq_message *frame,
                  size_t *size);
bool awz_raw_may_receive(awz_socket *socket);
/* Drop all received messages. Returns the number of their parts. */
int awz_raw_drain(awz_socket *socket);
/* Tell whether a ROUTER has a peer with that name. The peer, if there is one,
 * receives an empty message. */
bool awz_raw_has_peer(awz_socket *socket, const char *name, size_t size);
/* Takes the frame if it returns 0. */
int awz_raw_send(const awz_socket *socket, aw_zmq_message *frame, bool more);
/* Send a whole message. Frames that libzmq has taken are empty then. */
int awz_raw_send_frames(const awz_socket *socket, awz_frame *frames,
                        size_t count);
/* Send a message of `count` parts: a copy of `first`, then frames[1] and
 * so on.
 *
 *   sent  receives the number of parts sent; their frames are taken
 */
int awz_raw_send_parts(const awz_socket *socket, const awz_part *first,
                       aw_zmq_message *frames, size_t count, size_t *sent);
/* Make `to` a copy of `from`, which may share its memory. Returns 0 or
 * AW_ENOMEM. */
int awz_raw_copy(const awz_socket *socket, aw_zmq_message *to,
                 aw_zmq_message *from);

void awz_raw_init(const awz_socket *socket, aw_zmq_message *frame);
/* Make a frame with the bytes of a part. Returns 0 or AW_ENOMEM. */
int awz_raw_fill(const awz_socket *socket, aw_zmq_message *frame,
                 const awz_part *part);
/* The same for all of `count` parts but the first: frames[i] is that of part i.
 * On failure no frame is left. */
int awz_raw_fill_rest(const awz_socket *socket, aw_zmq_message *frames,
                      const awz_part *parts, size_t count);
void awz_raw_drop(const awz_socket *socket, aw_zmq_message *frame);
const char *awz_raw_data(const awz_socket *socket, aw_zmq_message *frame);
bool awz_raw_more(const awz_socket *socket, const aw_zmq_message *frame);
/* Return a property of the connection that the frame came by, or NULL; borrowed
 * from the frame. */
const char *awz_raw_property(const awz_socket *socket,
                             const aw_zmq_message *frame, const char *name);
/* Read and set what is no part of a message; drafts. */
uint32_t awz_raw_peer_number(const awz_socket *socket, aw_zmq_message *frame);
const char *awz_raw_group(const awz_socket *socket, aw_zmq_message *frame);
int awz_raw_set_peer_number(const awz_socket *socket, aw_zmq_message *frame,
                            uint32_t number);
int awz_raw_set_group(const awz_socket *socket, aw_zmq_message *frame,
                      const char *group);
/* Join a group, or leave it. Returns 0 or a negative code. */
int awz_raw_join(awz_socket *socket, const char *group, bool joins);

/* ---- headroom.c ---- */

/* Return 0 if there are descriptors enough for a call of libzmq, else a
 * negative code such as UV_EMFILE. */
int awz_room_for_files(void);
/* Return 0 if `count` threads can be started, else a negative code such as
 * UV_EAGAIN. */
int awz_room_for_threads(int count);

/* ---- context.c ---- */

/* Make a context of `home`, which keeps a reference. Returns 0 or a negative
 * code.
 *
 *   out  gives
 */
int awz_context_new(awz_home *home, int io_threads, awz_context **out);
/* The same, for a context of libzmq that another state has made; keeps a
 * reference to it. */
int awz_context_join(awz_home *home, awz_shared *shared, awz_context **out);
/* Let the reference of a message go. Call from: any thread. */
void awz_context_drop_shared(awz_shared *shared);
void awz_context_release(awz_context *context);
/* Close its sockets. If no other state has the context, begin to end it in a
 * thread. Closing again does nothing. */
void awz_context_close(awz_context *context);
/* Close all contexts, and wait for the end of each for at most its patience. */
void awz_home_close(awz_home *home);

/* ---- socket.c ---- */

/* The number of sockets that the open context can have. */
int awz_socket_limit(const awz_context *context);
int awz_socket_new(awz_context *context, const awz_type *type,
                   aw_lua_here *here, awz_socket **out);
/* Replace the socket of libzmq by one of another type, with the same options.
 * Returns 0; -EISCONN if it was attached; AW_EBUSY if a task waits for it; or
 * another code, and then nothing has changed. */
int awz_socket_change_type(awz_socket *socket, int type);
void awz_socket_close(awz_socket *socket);
void awz_socket_release(awz_socket *socket);
/* Return 0, AW_ECLOSED or AW_EFORKED. NULL is a finalized socket: AW_ECLOSED.
 */
int awz_socket_check(const awz_socket *socket);
/* The aw_zmq_take functions of a socket; see receive.c and send.c. */
int awz_take_in(aw_task *task, void *data);
int awz_take_out(aw_task *task, void *data);

/* ---- address.c; see awz_check_address() below, too ---- */

bool awz_starts_with(const char *address, const char *start);

/* ---- endpoint.c: functions that return int return 0 or a negative code ----
 */

/* Blocks for a moment if this program gave up the address a moment ago. Besides
 * the codes of libzmq it returns -EPROTOTYPE: a waiting connection comes from a
 * socket that cannot be its peer; -EALREADY: a peer could take the name given
 * by `connect_routing_id`. */
int awz_bind(awz_socket *socket, const char *address);
int awz_unbind(awz_socket *socket, const char *address);
/* Besides the codes of libzmq it returns -EBUSY: this inproc name must be bound
 * first; -EPROTOTYPE: the socket there cannot be its peer; -EEXIST: a peer has
 * the name given by `connect_routing_id`; -EOPNOTSUPP: there is such a name,
 * the address is remote, and the socket is `immediate`. */
int awz_connect(awz_socket *socket, const char *address);
/* Connect to the number of a host whose name has been looked up; the rest of
 * awz_connect() was done when the user called it. */
int awz_connect_known(awz_socket *socket, const char *address);
/* Besides the codes of libzmq it returns -EBUSY: nobody has bound the inproc
 * name yet; -EAGAIN: a REP has a request that must be received first. */
int awz_disconnect(awz_socket *socket, const char *address);
/* Give up all addresses and names of a socket that is closed. */
void awz_leave_endpoints(awz_socket *socket);
void awz_forget_leaving(awz_home *home);
/* Return the address of the socket that the user may mean by `address`: one
 * with the same port, or with any port if that is `*`. NULL: none. */
const char *awz_bound_like(const awz_socket *socket, const char *address);
/* Has a socket of the context bound this inproc name, in any state? */
bool awz_is_bound_local(const awz_context *context, const char *address);

/* ---- routing_id.c ----
 *
 * Functions that return int return 0 or a negative code. */

/* Set the name of the peer of the next connect. Returns 0; -EEXIST, -EINVAL or
 * AW_ENOMEM; or -EOPNOTSUPP: a remote peer could take the name first. */
int awz_name_next(awz_socket *socket, const char *name, size_t size);
/* Tell whether peers at this address cannot take the name for the next connect;
 * true if there is no such name. */
bool awz_name_is_safe(const awz_socket *socket, const char *address);
/* Note that the socket was attached to this address without a name for its
 * peer. */
void awz_name_expose(awz_socket *socket, const char *address);
/* Give the name to libzmq, for a connect to this address; see awz_connect(). */
int awz_name_use(awz_socket *socket, const char *address);
void awz_forget_names(awz_socket *socket);
/* Set the value of `last_endpoint`; takes it. NULL: the value is libzmq's. */
void awz_show_endpoint(awz_socket *socket, char *address);
/* Let `last_endpoint` stay what it is. Returns 0 or a negative code. */
int awz_keep_endpoint(awz_socket *socket);

/* ---- message.c ---- */

struct awz_message {
  aw_lua_value value;
  awz_socket *socket; /* received it; referenced while the message is boxed */
  awz_message *next;  /* in `returned` */
  uint64_t number;    /* counts the messages in the order of libzmq */
  size_t count, room; /* frames: received, at most */
  size_t made;        /* frames that libzmq knows: the first ones */
  size_t given;       /* frames of the last message; see pass.c */
  size_t bytes;       /* of all frames received */
  awz_frame *frames;  /* `few`, or memory of its own */
  awz_frame few[4];
  bool oversized; /* had more parts than allowed; it has none now */
  bool as_table;  /* Lua gets one table instead of several strings */
  bool with_meta; /* … and its metadata; see security/metadata.h */
  bool delivered; /* Lua has the strings */
};

/* Take the next whole message. Returns 1; 0 if there is none; or a negative
 * code.
 *
 *   out  gives
 */
int awz_message_next(awz_socket *socket, awz_message **out);
/* Put a message back to its place in the order of messages; takes it. Its
 * socket is open. */
void awz_message_put_back(awz_socket *socket, awz_message *message);
/* Copy the frames of a message, for `socket`, which the copy references: free
 * it by awz_message_free_copy(). Returns 0 or AW_ENOMEM.
 *
 *   out  gives
 */
int awz_message_copy(const awz_message *message, awz_socket *socket,
                     awz_message **out);
void awz_message_free_copy(awz_message *copy);
/* Send a received message, as its frames are, all or none. Returns 0; -EAGAIN
 * if it cannot be sent now; or another code. The message stays the caller's,
 * but after 0 its frames are empty or gone.
 */
int awz_message_send(awz_socket *to, awz_message *message);
/* Send the frames of the message that Lua got last, if they are still there and
 * have just the bytes of these parts: so programs that pass messages on make no
 * frames. Returns 1 if they do not, else as awz_message_send(). */
int awz_message_send_same(awz_socket *to, const awz_part *parts, size_t count);
/* `holds` and `read_ahead` of aw_zmq_config, for an awz_socket. */
bool awz_message_held(const void *socket);
int awz_message_read_ahead(void *socket);
/* Receive the message that libzmq has begun to receive, and hold it; for the
 * end of a connection. Returns 0 or a negative code; -EAGAIN: the user must
 * first receive the request of a REP. */
int awz_message_complete(awz_socket *socket);
/* Receive messages, and hold them all, until there is none, or for a while.
 * Returns 0 or a negative code. */
int awz_message_stock(awz_socket *socket);
/* Begin to conflate received messages, or stop it. */
void awz_message_drain(awz_socket *socket, bool drains);
void awz_message_free(awz_message *message);
/* Use the memory of a message again for the next one; takes it. */
void awz_message_done(awz_socket *socket, awz_message *message);
/* Push the message, as several strings or one table, and use its memory again;
 * takes it. Returns the number of values. To make strings may raise, and then
 * the socket still has the message (`delivering`). It may run finalizers, which
 * may close the socket, or receive from it in a loop of their own. Returns -1,
 * and pushes nothing, if one has received this message.
 *
 *   bytes  receives the size of the message
 */
int awz_message_deliver(lua_State *L, awz_message *message, bool as_table,
                        size_t *bytes);
/* Make it the value of a task; takes the message. */
aw_value awz_message_box(awz_message *message, bool as_table);

/* ---- send.c ---- */

/* A message to be sent. Several tasks may send that of a Wire. */
struct awz_parts {
  const struct awz_box *box; /* of the socket */
  size_t count;
  const awz_part *part;
  /* Sends a message that is no list of strings; as awz_take_out(). A proxy has
   * it. Then `part` is at most the routing id of the peer. NULL: send the parts
   */
  int (*pass)(const awz_parts *parts);
};

/* Tell whether two awz_parts are for the same peer of a ROUTER. One that waits
 * and has no `part` yet is for no peer. */
bool awz_same_peer(const void *waiting, const void *parts);

/* ---- for Lua ---- */

/* The userdata of a socket or context. To compare `class` is faster than to
 * compare metatables.
 *
 * Lua code and the engine hold the box, never the object: a finalizer may pass
 * on a box whose object is gone, and a wire or a message that keeps the box
 * alive may find it empty. Any call of Lua may close the object, or finalize it
 * while the state closes. So code that has a pointer to the object reads the
 * box again after each such call. */
typedef struct awz_box {
  const char *class; /* AWZ_SOCKET_CLASS or AWZ_CONTEXT_CLASS */
  void *object;      /* NULL: not opened yet, or finalized */
} awz_box;

/* Return the box at `index`; NULL: no object of this class. */
static inline awz_box *awz_box_at(lua_State *L, int index, const char *class) {
  awz_box *box = lua_touserdata(L, index);
  bool is = box && lua_rawlen(L, index) >= sizeof *box && box->class == class;
  return is ? box : NULL;
}

/* The data of a receive: the socket, and the form of the results. */
typedef struct awz_way {
  const awz_box *box;
  bool as_table;
  bool with_meta;
  /* Takes a message that does not become the value of a task; as awz_take_in().
   * A proxy has it. NULL: the message becomes the value. */
  int (*take)(const struct awz_way *way);
} awz_way;

/* The userdata of a socket, with the data of its receives. */
typedef struct awz_handle {
  awz_box box; /* must be first */
  awz_way plain, multipart, described;
} awz_handle;

/* Return the socket in `box`; NULL: it is finalized. */
static inline awz_socket *awz_socket_in(const awz_box *box) {
  return (awz_socket *)box->object;
}

/* options.c: report the options of the socket in `box` that were set too late.
 * May run finalizers. */
void awz_tell_late(lua_State *L, const awz_box *box);

/* Report late options, for a use of the socket: no bind or connect followed. */
static inline void awz_use(lua_State *L, const awz_box *box) {
  const awz_socket *s = awz_socket_in(box);
  if (s && s->late_count > 0)
    awz_tell_late(L, box);
}

/* Describe the socket for people, as `describe` of an aw_operation. */
void awz_describe(const awz_box *box, char *out, size_t size);

extern const char *const AWZ_SOCKET_CLASS; /* class.c */
extern const char *const AWZ_CONTEXT_CLASS;

/* Push an empty box for a socket. Raises. */
awz_box *awz_push_socket(lua_State *L);
/* Put `socket` into the box; takes it. */
void awz_fill_socket(lua_State *L, awz_box *box, awz_socket *socket);
extern const aw_lua_source awz_source;

awz_home *awz_home_of(lua_State *L); /* raises */

#define awz_error aw_lua_error

/* Return the socket at `arg`, or at 1. Raise if it is not open. */
awz_socket *awz_check_socket_at(lua_State *L, int arg, const char *verb);
awz_socket *awz_check_socket(lua_State *L, const char *verb);
/* Return the userdata of the socket at `arg`, which may be closed or finalized.
 * Raises. */
static inline awz_handle *awz_check_handle(lua_State *L, int arg) {
  awz_box *box = awz_box_at(L, arg, AWZ_SOCKET_CLASS);
  if (!box)
    aw_lua_type_error(L, arg, AWZ_SOCKET_CLASS);
  return (awz_handle *)box;
}
/* Return the context at `arg`, which may be closed. Raises if it is finalized.
 */
awz_context *awz_check_context(lua_State *L, int arg, const char *verb);
/* Raise the error for the code with which `verb` failed.
 *
 *   socket  NULL: it is finalized
 */
int awz_fail(lua_State *L, const awz_socket *socket, int code,
             const char *verb);

/* address.c: return the address at `arg`. Raises if `verb` cannot take it. May
 * run finalizers, which may close the socket. */
const char *awz_check_address(lua_State *L, const awz_socket *socket,
                              awz_verb verb, int arg);

/* options.c: get(socket, name) and set(socket, name, value), with the stack at
 * [socket, name, value]. Raise. */
int awz_get_option(lua_State *L, awz_socket *socket);
int awz_set_option(lua_State *L, awz_socket *socket);
/* Return the option with this name, or the nearest one; NULL: none is near. */
const char *awz_nearest_option(const char *name);
/* Push a list of { name, number }. */
void awz_push_options(lua_State *L);

/* Find the context that is used if none is named, or make it. Returns 0 or a
 * negative code. Raises if the state has ended. */
int awz_usual_context(lua_State *L, awz_context **out);
int awz_context_socket(lua_State *L); /* ctx:socket(type [, options]) */

/* Each adds to the table on top. Raise. */
void awz_open_context(lua_State *L);
void awz_open_socket(lua_State *L);
void awz_open_class(lua_State *L);
void awz_open_proxy(lua_State *L); /* proxy.c */
extern const luaL_Reg awz_receive_methods[], awz_send_methods[];
/* Charge the turn of the task for the copying of `bytes`: a large message
 * counts as several awaits [ZQ5]. */
void awz_spend(lua_State *L, size_t bytes, const char *what);
int awz_make_recv(lua_State *L);
int awz_make_send(lua_State *L);

#endif
