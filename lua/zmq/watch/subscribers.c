/* subscribers.c - see subscribers.h
 *
 * Tasks wait in the readiness of the socket (aw_zmq_arm_watch()): it calls
 * awz_subscribers_observe() after each use of the socket and whenever something
 * has come, and then awz_subscribers_watch() for each task.
 *
 * A message of a subscriber that begins with a byte 1 or 0 subscribes or
 * unsubscribes, whichever part of a message it is. libzmq passes no other
 * messages on that begin so.
 */
#include "watch/subscribers.h"

#include "watch/topics.h"
#include "watch/watch.h"

#include <errno.h>

struct awz_subscribers {
  awz_topics topics;
  bool known;     /* libzmq reports them: not to a PUB that conflates */
  bool ours;      /* a PUB: nobody else receives */
  bool counts;    /* `xpub_verboser` of an XPUB */
  bool manual;    /* `xpub_manual`: the user decides what a subscriber gets */
  bool inverted;  /* `invert_matching` */
  bool unnoted;   /* `frame` of a PUB is not noted yet */
  unsigned sends; /* since the last read */
  aw_zmq_message frame;
  size_t frame_size;
};

/* ---- life ---- */

static bool is_publisher(const awz_socket *s) {
  return s->type->number == AWZ_PUB || s->type->number == AWZ_XPUB;
}

int awz_subscribers_new(awz_socket *s) {
  if (!is_publisher(s))
    return 0;
  s->subscribers = aw_allocate(sizeof *s->subscribers);
  if (!s->subscribers)
    return AW_ENOMEM;
  s->subscribers->known = true;
  s->subscribers->ours = s->type->number == AWZ_PUB;
  return 0;
}

static void drop_unnoted(awz_socket *s) {
  if (s->subscribers->unnoted)
    awz_raw_drop(s, &s->subscribers->frame);
  s->subscribers->unnoted = false;
}

void awz_subscribers_free(awz_socket *s) {
  if (!s->subscribers)
    return;
  drop_unnoted(s);
  awz_topics_free(&s->subscribers->topics);
  aw_free(s->subscribers);
  s->subscribers = NULL;
}

void awz_subscribers_reset(awz_socket *s, bool known) {
  drop_unnoted(s);
  awz_topics_free(&s->subscribers->topics);
  s->subscribers->known = known;
}

void awz_subscribers_report(awz_socket *s, awz_reporting what, bool value) {
  awz_subscribers *subscribers = s->subscribers;
  if (!subscribers)
    return;
  switch (what) {
  case AWZ_VERBOSE: subscribers->counts = false; break;
  case AWZ_VERBOSER: subscribers->counts = value; break;
  case AWZ_MANUAL: subscribers->manual = value; break;
  case AWZ_INVERTED: subscribers->inverted = value; break;
  }
}

/* ---- reading ---- */

int awz_subscribers_note(awz_subscribers *subscribers, const char *data,
                         size_t size) {
  enum { UNSUBSCRIBE, SUBSCRIBE };
  if (size == 0 || subscribers->manual)
    return 0;
  if (data[0] == SUBSCRIBE)
    return awz_topics_add(&subscribers->topics, data + 1, size - 1);
  if (data[0] == UNSUBSCRIBE)
    awz_topics_remove(&subscribers->topics, data + 1, size - 1,
                      !subscribers->counts);
  return 0;
}

/* Receive one message of a PUB, and note it. Returns 0 or a negative code. */
static int read_one(awz_socket *s) {
  awz_subscribers *subscribers = s->subscribers;
  aw_zmq_message *frame = &subscribers->frame;
  if (!subscribers->unnoted) {
    int rc = awz_raw_fetch(s, frame, &subscribers->frame_size);
    if (rc < 0)
      return rc;
    subscribers->unnoted = true;
  }
  int rc = awz_subscribers_note(subscribers, awz_raw_data(s, frame),
                                subscribers->frame_size);
  if (rc == 0)
    drop_unnoted(s);
  return rc;
}

enum { MOST = 1000 /* messages at a time: 0.2 ms */, PERIOD = 256 /* sends */ };

/* In manual mode a receive would choose the subscriber that the next option
 * `subscribe` is for, as it never does in a PUB of libzmq. */
int awz_subscribers_read(awz_socket *s) {
  awz_subscribers *subscribers = s->subscribers;
  if (!subscribers || !subscribers->ours || !subscribers->known ||
      subscribers->manual)
    return 0;
  int rc = 0;
  for (int left = MOST; rc == 0 && left > 0; left--)
    rc = read_one(s);
  awz_raw_received(s, rc);
  subscribers->sends = rc == 0 ? PERIOD : 0; /* there may be more */
  return rc == -EAGAIN ? 0 : rc;
}

void awz_subscribers_count_send(awz_socket *s) {
  if (++s->subscribers->sends >= PERIOD)
    (void)awz_subscribers_read(s);
}

int awz_subscribers_observe(void *socket) {
  awz_socket *s = socket;
  if (!s->subscribers)
    return 0;
  return s->subscribers->ours ? awz_subscribers_read(s) : awz_message_stock(s);
}

/* ---- the question ---- */

/* What a task waits for; a userdata, whose user value keeps the socket and the
 * string alive. */
typedef struct wanted {
  const awz_box *box;
  const char *prefix; /* NULL: any subscriber will do */
  size_t size;
} wanted;

/* Tells why the subscribers of this socket are not known, or returns NULL. */
static const char *why_unknown(const awz_subscribers *subscribers,
                               bool has_prefix) {
  if (!subscribers->known)
    return "with 'conflate' cannot know its subscribers";
  if (subscribers->manual)
    return "with 'xpub_manual' cannot know what its subscribers get: the "
           "program decides that";
  if (subscribers->inverted && has_prefix)
    return "with 'invert_matching' cannot know who gets a message";
  return NULL;
}

/* Returns 1; 0 if nobody has subscribed; or a negative code. */
static int has_wanted(const wanted *w) {
  const awz_socket *s = awz_socket_in(w->box);
  int rc = awz_socket_check(s);
  if (rc < 0)
    return rc;
  if (why_unknown(s->subscribers, w->prefix != NULL))
    return -EOPNOTSUPP;
  const awz_topics *topics = &s->subscribers->topics;
  return w->prefix ? awz_topics_begin(topics, w->prefix, w->size)
                   : topics->count > 0;
}

int awz_subscribers_watch(aw_task *task, void *data) {
  (void)task;
  return has_wanted(data);
}

/* ---- waiting ---- */

static int subscriber_arm(aw_task *task, void *data) {
  const wanted *w = data;
  awz_socket *s = awz_socket_in(w->box);
  int rc = awz_socket_check(s);
  if (rc < 0)
    return rc;
  int failed = awz_subscribers_observe(s);
  rc = has_wanted(w);
  if (rc == 0)
    rc = failed;
  return rc != 0 ? rc : aw_zmq_arm_watch(task, s->ready);
}

static void subscriber_disarm(aw_task *task, void *data) {
  aw_zmq_disarm(task, awz_socket_in(((const wanted *)data)->box)->ready);
}

static void subscriber_describe(const void *data, char *out, size_t size) {
  awz_describe(((const wanted *)data)->box, out, size);
}

static const aw_operation wait_subscriber = {.label = "wait_subscriber",
                                             .arm = subscriber_arm,
                                             .disarm = subscriber_disarm,
                                             .external = true,
                                             .describe = subscriber_describe};

/* ---- for Lua ---- */

/* Raise if the socket never knows its subscribers. A closed one is left to the
 * await: if the task is cancelled, Cancelled comes first [C2]. */
static void check_publisher(lua_State *L, const awz_socket *s,
                            bool has_prefix) {
  if (!is_publisher(s))
    awz_error(L, "a %s socket has no subscribers", s->type->name);
  const char *why =
      s->subscribers ? why_unknown(s->subscribers, has_prefix) : NULL;
  if (why)
    awz_error(L, "a %s socket %s", s->type->name, why);
}

/* subscriber(s, prefix) → a Wire */
static int make_subscriber(lua_State *L) {
  const awz_box *box = &awz_check_handle(L, 1)->box;
  size_t size = 0;
  lua_settop(L, 2);
  const char *prefix =
      lua_isnil(L, 2) ? NULL : aw_lua_check_string(L, 2, &size);
  awz_use(L, box);
  const awz_socket *s = awz_socket_in(box);
  check_publisher(L, s ? s : awz_check_socket(L, "wait_subscriber"),
                  prefix != NULL);
  wanted *w = lua_newuserdatauv(L, sizeof *w, 1);
  *w = (wanted){box, prefix, size};
  lua_createtable(L, 2, 0);
  for (int i = 1; i <= 2; i++) {
    lua_pushvalue(L, i);
    lua_rawseti(L, -2, i);
  }
  lua_setiuservalue(L, -2, 1);
  aw_lua_push_wire(L, aw_wait_for(&wait_subscriber, w), -1);
  return 1;
}

/* subscribed(s, prefix) → whether somebody has subscribed. Fails as the wait
 * does. */
static int subscribed(lua_State *L) {
  wanted w = {&awz_check_handle(L, 1)->box, NULL, 0};
  awz_socket *s = awz_check_socket(L, "wait_subscriber");
  if (!lua_isnil(L, 2))
    w.prefix = aw_lua_check_string(L, 2, &w.size);
  int failed = awz_subscribers_observe(s);
  int rc = has_wanted(&w);
  if (rc == 0)
    rc = failed;
  if (rc < 0)
    return awz_fail(L, s, rc, "wait_subscriber");
  lua_pushboolean(L, rc);
  return 1;
}

/* losses(s) → number of connections lost so far; nil: the socket is closed */
static int count_losses(lua_State *L) {
  const awz_socket *s = awz_socket_in(&awz_check_handle(L, 1)->box);
  if (awz_socket_check(s) < 0)
    return 0;
  lua_pushinteger(L, (lua_Integer)awz_watch_losses(s));
  return 1;
}

void awz_open_subscribers(lua_State *L) {
  static const luaL_Reg functions[] = {{"subscriber", make_subscriber},
                                       {"subscribed", subscribed},
                                       {"losses", count_losses},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
