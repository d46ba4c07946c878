/* udp.c - system calls and operations of UDP sockets; see udp.h
 *
 * Invariants: `receiving` and `sending` count the tasks whose wait `arm` has
 * begun and neither `ready` nor `disarm` has ended. If the library ends waits
 * in another way, as for a descriptor that was closed behind its back, a count
 * stays too high. The only effect is that a task waits for readiness before it
 * tries.
 *
 * The userdata keeps the number of its descriptor after a close. A close does
 * not end waits in another engine, and their abort needs that number.
 */
#include "net/udp.h"

#include "base/socket.h"
#include "base/waiters.h"

#include <uv.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- life ---- */

awio_udp *awio_udp_new(void) {
  awio_udp *s = aw_allocate(sizeof *s);
  if (!s)
    return NULL;
  s->fd = -1;
  s->closed = true;
  return s;
}

int awio_udp_open(awio_udp *s, int family) {
  int fd = awio_socket_open(family, SOCK_DGRAM);
  if (fd < 0)
    return fd;
  s->fd = fd;
  s->family = family;
  s->closed = false;
  return 0;
}

void awio_udp_note_name(awio_udp *s) {
  awio_address address;
  char text[AWIO_ADDRESS_TEXT] = "";
  s->connected = awio_peer_address(s->fd, &address) == 0;
  if (s->connected || awio_own_address(s->fd, &address) == 0)
    awio_address_text(&address, text);
  snprintf(s->name, sizeof s->name, "%.79s", text);
}

void awio_udp_close(awio_udp *s, aw_engine *engine) {
  if (s->closed)
    return;
  s->closed = true;
  awio_waits_end(&s->keeper, s->engine, engine, s->fd);
  aw_ready_done(&s->keeper);
  close(s->fd);
  s->receiving = s->sending = 0;
}

void awio_udp_free(awio_udp *s) {
  awio_udp_close(s, NULL);
  aw_free(s);
}

bool awio_udp_gone(const awio_udp_box *box) {
  return !box->socket || box->socket->closed;
}

/* ---- system calls ---- */

ssize_t awio_udp_take(const awio_udp *s, char *buffer, size_t max,
                      awio_udp_sender *sender) {
  struct iovec part = {.iov_base = buffer, .iov_len = max};
  struct msghdr message = {.msg_name = &sender->address,
                           .msg_namelen = offsetof(awio_address, length),
                           .msg_iov = &part,
                           .msg_iovlen = 1};
  ssize_t got;
  do
    got = recvmsg(s->fd, &message, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got < 0)
    return -errno;
  sender->address.length = message.msg_namelen;
  sender->truncated = message.msg_flags & MSG_TRUNC;
  return got;
}

int awio_udp_put(const awio_udp *s, const awio_udp_send *out) {
  struct iovec part = {.iov_base = (void *)(uintptr_t)out->data,
                       .iov_len = out->size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (out->to.length > 0) {
    message.msg_name = (void *)(uintptr_t)&out->to.any;
    message.msg_namelen = out->to.length;
  }
  ssize_t put;
  do
    put = sendmsg(s->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (put < 0 && errno == EINTR);
  return put < 0 ? -errno : 0;
}

int awio_udp_push(lua_State *L, const char *data, size_t size,
                  const awio_udp_sender *sender) {
  lua_pushlstring(L, data, size);
  awio_push_address(L, &sender->address);
  lua_pushboolean(L, sender->truncated);
  return 4;
}

/* ---- datagrams that tasks have not taken yet ---- */

typedef struct datagram {
  aw_lua_value value;
  awio_udp_sender sender;
  size_t size;
  char data[];
} datagram;

static int push_datagram(lua_State *L, aw_lua_value *value) {
  const datagram *d = (const datagram *)value;
  return awio_udp_push(L, d->data, d->size, &d->sender);
}

static void release_datagram(aw_lua_value *value) {
  aw_free(value);
}

/* Take a datagram as the value of `task`. Returns 1; 0 if there is none; or a
 * negative code. Without memory the datagram is lost. */
static int take_datagram_for(aw_task *task, const awio_udp_recv *in) {
  char buffer[AWIO_LARGEST_DATAGRAM];
  awio_udp_sender sender;
  ssize_t got = awio_udp_take(in->box->socket, buffer, in->max, &sender);
  if (got < 0)
    return got == UV_EAGAIN ? 0 : (int)got;
  datagram *d = aw_allocate(sizeof *d + (size_t)got);
  if (!d)
    return AW_ENOMEM;
  d->value.push = push_datagram;
  d->value.release = release_datagram;
  d->sender = sender;
  d->size = (size_t)got;
  memcpy(d->data, buffer, (size_t)got);
  aw_task_set_value(task, aw_lua_box(&d->value));
  return 1;
}

/* ---- waiting ---- */

static int watch_udp(aw_task *task, const awio_udp_box *box, int events) {
  awio_udp *s = box->socket;
  if (awio_udp_gone(box))
    return AW_ECLOSED;
  s->engine = aw_loop_engine(aw_task_loop(task));
  return aw_ready_arm_kept(task, s->fd, events, &s->keeper);
}

static void count_down(unsigned *count) {
  if (*count > 0) /* a close has set it to 0 */
    (*count)--;
}

/* Use the number in the userdata: another engine may have closed or finalized
 * the socket. */
static void unwatch_udp(aw_task *task, const awio_udp_box *box) {
  aw_ready_disarm(task, box->fd);
}

static void describe_udp(const awio_udp_box *box, char *out, size_t size) {
  snprintf(out, size, "%s",
           box->socket ? box->socket->name : "udp (finalized)");
}

/* ---- receiving ---- */

static int udp_recv_arm(aw_task *task, void *data) {
  const awio_udp_recv *in = data;
  int rc = watch_udp(task, in->box, AW_READABLE);
  if (rc == 0)
    in->box->socket->receiving++;
  return rc;
}

static int udp_recv_try_or_arm(aw_task *task, void *data) {
  const awio_udp_recv *in = data;
  int rc = 0;
  if (!awio_udp_gone(in->box) && in->box->socket->receiving == 0)
    rc = take_datagram_for(task, in);
  return rc != 0 ? rc : udp_recv_arm(task, data);
}

static int udp_recv_ready(aw_task *task, void *data) {
  const awio_udp_recv *in = data;
  if (awio_udp_gone(in->box))
    return AW_ECLOSED;
  int rc = take_datagram_for(task, in);
  if (rc != 0)
    count_down(&in->box->socket->receiving);
  return rc;
}

static void udp_recv_disarm(aw_task *task, void *data) {
  const awio_udp_recv *in = data;
  if (in->box->socket)
    count_down(&in->box->socket->receiving);
  unwatch_udp(task, in->box);
}

static void udp_recv_describe(const void *data, char *out, size_t size) {
  describe_udp(((const awio_udp_recv *)data)->box, out, size);
}

#define RECEIVING(begin) \
  { \
    .label = "recv", .arm = (begin), .disarm = udp_recv_disarm, \
    .external = true, .describe = udp_recv_describe, .ready = udp_recv_ready \
  }
const aw_operation awio_udp_wait_recv = RECEIVING(udp_recv_arm);
const aw_operation awio_udp_event_recv = RECEIVING(udp_recv_try_or_arm);

/* ---- sending ---- */

/* Returns 1; 0 if the kernel has no room; or a negative code. */
static int put_now(const awio_udp_send *out) {
  int rc = awio_udp_put(out->box->socket, out);
  if (rc == UV_EAGAIN)
    return 0;
  return rc < 0 ? rc : 1;
}

static int udp_send_arm(aw_task *task, void *data) {
  const awio_udp_send *out = data;
  int rc = watch_udp(task, out->box, AW_WRITABLE);
  if (rc == 0)
    out->box->socket->sending++;
  return rc;
}

static int udp_send_try_or_arm(aw_task *task, void *data) {
  const awio_udp_send *out = data;
  int rc = 0;
  if (!awio_udp_gone(out->box) && out->box->socket->sending == 0)
    rc = put_now(out);
  return rc != 0 ? rc : udp_send_arm(task, data);
}

static int udp_send_ready(aw_task *task, void *data) {
  const awio_udp_send *out = data;
  (void)task;
  if (awio_udp_gone(out->box))
    return AW_ECLOSED;
  int rc = put_now(out);
  if (rc != 0)
    count_down(&out->box->socket->sending);
  return rc;
}

static void udp_send_disarm(aw_task *task, void *data) {
  const awio_udp_send *out = data;
  if (out->box->socket)
    count_down(&out->box->socket->sending);
  unwatch_udp(task, out->box);
}

static void udp_send_describe(const void *data, char *out, size_t size) {
  const awio_udp_send *send = data;
  char text[AWIO_ADDRESS_TEXT];
  if (send->to.length == 0) {
    describe_udp(send->box, out, size);
    return;
  }
  awio_address_text(&send->to, text);
  snprintf(out, size, "%s", text);
}

#define SENDING(begin) \
  { \
    .label = "send", .arm = (begin), .disarm = udp_send_disarm, \
    .external = true, .describe = udp_send_describe, .ready = udp_send_ready \
  }
const aw_operation awio_udp_wait_send = SENDING(udp_send_arm);
const aw_operation awio_udp_event_send = SENDING(udp_send_try_or_arm);

/* ---- readiness alone ---- */

static int readable_udp_arm(aw_task *task, void *data) {
  return watch_udp(task, data, AW_READABLE);
}

static int writable_udp_arm(aw_task *task, void *data) {
  return watch_udp(task, data, AW_WRITABLE);
}

static void ready_udp_disarm(aw_task *task, void *data) {
  unwatch_udp(task, data);
}

static void ready_udp_describe(const void *data, char *out, size_t size) {
  describe_udp(data, out, size);
}

#define READINESS(what, begin) \
  { \
    .label = (what), .arm = (begin), .disarm = ready_udp_disarm, \
    .external = true, .describe = ready_udp_describe \
  }
const aw_operation awio_udp_readable = READINESS("readable", readable_udp_arm);
const aw_operation awio_udp_writable = READINESS("writable", writable_udp_arm);
