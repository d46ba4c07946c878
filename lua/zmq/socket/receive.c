/* receive.c - s:recv(), s:recv_multipart(), aw.Recv(s)
 *
 * A running task takes the next message at once, if its budget lasts and no
 * other task waits for one. Otherwise it waits, and the engine takes a message
 * for it: one message for each waiter, the longest waiting first [H4].
 *
 * Each function reads the box of the socket anew: code that ran since may have
 * closed the socket.
 */
#include "zmq.h"

#include "address/host_name.h"
#include "security/metadata.h"

/* ---- waiting ---- */

int awz_take_in(aw_task *task, void *data) {
  const awz_way *way = data;
  if (way->take)
    return way->take(way);
  awz_message *message;
  int rc = awz_message_next(awz_socket_in(way->box), &message);
  if (rc > 0) {
    message->with_meta = way->with_meta;
    aw_task_set_value(task, awz_message_box(message, way->as_table));
  }
  return rc;
}

static int recv_arm(aw_task *task, void *data) {
  const awz_way *way = data;
  awz_socket *s = awz_socket_in(way->box);
  int rc = awz_socket_check(s);
  if (rc < 0)
    return rc;
  awz_host_attend(s, task);
  return aw_zmq_arm_receive(task, s->ready);
}

/* `arm` of a Wire. A method has already tried to take a message; a Wire has
 * not.
 */
static int recv_try_or_arm(aw_task *task, void *data) {
  const awz_way *way = data;
  awz_socket *s = awz_socket_in(way->box);
  int rc = awz_socket_check(s);
  if (rc == 0)
    awz_host_attend(s, task);
  if (rc == 0 && !aw_zmq_receiving(s->ready))
    rc = awz_take_in(task, data);
  return rc != 0 ? rc : aw_zmq_arm_receive(task, s->ready);
}

static void recv_disarm(aw_task *task, void *data) {
  const awz_way *way = data;
  aw_zmq_disarm(task, awz_socket_in(way->box)->ready);
}

static void recv_describe(const void *data, char *out, size_t size) {
  const awz_way *way = data;
  awz_describe(way->box, out, size);
}

static const aw_operation wait_recv = {.label = "recv",
                                       .arm = recv_arm,
                                       .disarm = recv_disarm,
                                       .external = true,
                                       .describe = recv_describe};
static const aw_operation event_recv = {.label = "recv",
                                        .arm = recv_try_or_arm,
                                        .disarm = recv_disarm,
                                        .external = true,
                                        .describe = recv_describe};

/* ---- receiving ---- */

void awz_spend(lua_State *L, size_t bytes, const char *what) {
  enum { LARGE = 4096, MOST = 64 };
  size_t more = bytes / LARGE;
  for (size_t i = 0; i < more && i < MOST; i++)
    aw_lua_at_once(L, what);
}

/* Push the message. Returns -1 if a finalizer has received it. */
static int recv_deliver(lua_State *L, const awz_way *way, awz_message *message,
                        const char *what) {
  size_t bytes;
  message->with_meta = way->with_meta;
  int count = awz_message_deliver(L, message, way->as_table, &bytes);
  if (count >= 0)
    awz_spend(L, bytes, what);
  return count;
}

static const char *recv_way_name(const awz_way *way) {
  return way->as_table ? "socket:recv_multipart" : "socket:recv";
}

static int received(lua_State *L, int result, void *data) {
  const awz_way *way = data;
  const awz_socket *s = awz_socket_in(way->box);
  if (result < 0)
    return awz_fail(L, s, result, "receive");
  if (s)
    return aw_lua_take_results_here(s->here, L);
  return aw_lua_take_results(L, aw_current(aw_lua_engine(L)));
}

/* Take the next message, unless another task waits for one. Returns 1; 0 if the
 * task must wait; or a negative code. */
static int next_message(const awz_way *way, awz_message **out) {
  awz_socket *s = awz_socket_in(way->box);
  int rc = awz_socket_check(s);
  if (rc < 0)
    return rc;
  return aw_zmq_receiving(s->ready) ? 0 : awz_message_next(s, out);
}

static int recv_message(lua_State *L, awz_way *way) {
  awz_message *message;
  int rc;
  while ((rc = next_message(way, &message)) > 0) {
    int count = recv_deliver(L, way, message, recv_way_name(way));
    if (count >= 0)
      return count;
  }
  if (rc < 0)
    return awz_fail(L, awz_socket_in(way->box), rc, "receive");
  aw_lua_here *here = awz_socket_in(way->box)->here; /* it is open */
  return aw_lua_await_here(here, L, &wait_recv, way, recv_way_name(way),
                           received);
}

static int receive_later(lua_State *L, int result, void *data) {
  awz_way *way = data;
  if (result < 0)
    return awz_fail(L, awz_socket_in(way->box), result, "receive");
  return recv_message(L, way);
}

/* Closed is checked only after the await: if the task is cancelled, Cancelled
 * comes first [C2]. */
static inline int recv_start(lua_State *L, const awz_socket *s, awz_way *way) {
  if ((s && aw_lua_quick(s->here, L)) || aw_lua_at_once(L, recv_way_name(way)))
    return recv_message(L, way);
  return aw_lua_await(L, NULL, way, recv_way_name(way), receive_later);
}

static awz_socket *check_receiver(lua_State *L, awz_socket *s) {
  if (s && !s->type->receives)
    awz_error(L, "a %s socket cannot receive", s->type->name);
  return s;
}

static int socket_recv(lua_State *L) {
  awz_handle *h = awz_check_handle(L, 1);
  awz_use(L, &h->box);
  return recv_start(L, check_receiver(L, awz_socket_in(&h->box)), &h->plain);
}

static int socket_recv_multipart(lua_State *L) {
  awz_handle *h = awz_check_handle(L, 1);
  awz_use(L, &h->box);
  bool plain = lua_isnoneornil(L, 2) || !awz_wants_metadata(L, 2);
  return recv_start(L, check_receiver(L, awz_socket_in(&h->box)),
                    plain ? &h->multipart : &h->described);
}

const luaL_Reg awz_receive_methods[] = {
    {"recv", socket_recv},
    {"recv_multipart", socket_recv_multipart},
    {NULL, NULL}};

int awz_make_recv(lua_State *L) {
  awz_use(L, &awz_check_handle(L, 1)->box);
  check_receiver(L, awz_check_socket_at(L, 1, "receive"));
  awz_handle *h = awz_check_handle(L, 1);
  aw_lua_push_wire(L, aw_wait_for(&event_recv, &h->plain), 1);
  return 1;
}
