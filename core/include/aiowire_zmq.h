/* aiowire_zmq.h - tasks wait for sockets of libzmq [Q4]
 *
 * The library is not linked with libzmq; aw_zmq_open() loads it. The sockets,
 * and all calls with them, are the caller's. What this header has is their
 * readiness: when may a task go on that waits for a message, or for room?
 *
 *     const aw_zmq_calls *zmq;  aw_zmq *ready;
 *     aw_zmq_open(&zmq);
 *     void *socket = zmq->socket(context, 7);      ZMQ_PULL
 *     aw_zmq_new(socket, NULL, &ready);
 *     aw_loop_start(loop, aw_then(aw_zmq_when_ready(ready, AW_READABLE),
 *                                 aw_call(receive, ready)), NULL, NULL);
 *     ...
 *     aw_zmq_close(ready);
 *     zmq->close(socket);
 *
 * `receive` takes a message and calls aw_zmq_touch(). The conventions are those
 * of aiowire.h.
 */
#ifndef AIOWIRE_ZMQ_H
#define AIOWIRE_ZMQ_H

#include "aiowire.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The zmq_msg_t of libzmq. */
typedef union aw_zmq_message {
  unsigned char bytes[64];
  void *align;
} aw_zmq_message;

/* A zmq_poller_event_t, a draft. */
typedef struct aw_zmq_poller_event {
  void *socket;
  int fd;
  void *data;
  short events;
} aw_zmq_poller_event;

/* The functions of libzmq, by their names in its manual without "zmq_". */
typedef struct aw_zmq_calls {
  void *(*ctx_new)(void);
  int (*ctx_term)(void *context);
  int (*ctx_shutdown)(void *context);
  int (*ctx_set)(void *context, int option, int value);
  int (*ctx_get)(void *context, int option);
  void *(*socket)(void *context, int type);
  int (*close)(void *socket);
  int (*setsockopt)(void *socket, int option, const void *value, size_t size);
  int (*getsockopt)(void *socket, int option, void *value, size_t *size);
  int (*bind)(void *socket, const char *address);
  int (*connect)(void *socket, const char *address);
  int (*unbind)(void *socket, const char *address);
  int (*disconnect)(void *socket, const char *address);
  int (*msg_init)(aw_zmq_message *message);
  int (*msg_init_size)(aw_zmq_message *message, size_t size);
  int (*msg_close)(aw_zmq_message *message);
  void *(*msg_data)(aw_zmq_message *message);
  size_t (*msg_size)(const aw_zmq_message *message);
  int (*msg_more)(const aw_zmq_message *message);
  int (*msg_send)(aw_zmq_message *message, void *socket, int flags);
  int (*msg_recv)(aw_zmq_message *message, void *socket, int flags);
  int (*msg_move)(aw_zmq_message *to, aw_zmq_message *from);
  int (*msg_copy)(aw_zmq_message *to, aw_zmq_message *from);
  const char *(*msg_gets)(const aw_zmq_message *message, const char *property);
  int (*socket_monitor)(void *socket, const char *address, int events);
  int (*curve_keypair)(char *public_key, char *secret_key);
  int (*curve_public)(char *public_key, const char *secret_key);
  unsigned char *(*z85_decode)(unsigned char *to, const char *text);
  char *(*z85_encode)(char *to, const unsigned char *data, size_t size);
  int (*send)(void *socket, const void *data, size_t size, int flags);
  int (*has)(const char *capability);
  int (*last_error)(void); /* zmq_errno */
  void (*version)(int *major, int *minor, int *patch);
  /* Drafts: NULL if libzmq has none. All are there, or `has("draft")` is 0. */
  int (*msg_set_routing_id)(aw_zmq_message *message, uint32_t id);
  uint32_t (*msg_routing_id)(aw_zmq_message *message);
  int (*msg_set_group)(aw_zmq_message *message, const char *group);
  const char *(*msg_group)(aw_zmq_message *message);
  int (*join)(void *socket, const char *group);
  int (*leave)(void *socket, const char *group);
  void *(*poller_new)(void);
  int (*poller_destroy)(void **poller);
  int (*poller_add)(void *poller, void *socket, void *data, short events);
  int (*poller_wait)(void *poller, aw_zmq_poller_event *event, long timeout_ms);
  int (*poller_fd)(void *poller, int *fd);
} aw_zmq_calls;

/* Load libzmq. This library is not linked with it, so programs without sockets
 * do not pay for it. Once loaded, it stays.
 *
 *   out  receives its functions, borrowed for ever; NULL on failure
 *
 * Returns 0; AW_ENOZMQ if it is not installed or older than 4.3.3; or another
 * code if it could not be loaded now. Call from: any thread.
 */
AW_API int aw_zmq_open(const aw_zmq_calls **out);

/* The readiness of a socket of libzmq.
 *
 * The descriptor of such a socket (ZMQ_FD) is edge-triggered: it reports a
 * change once, and any call with the socket may consume that report. So call
 * aw_zmq_touch() after each call with the socket. The socket is dirty then, and
 * the engine looks at its ZMQ_EVENTS once more before it blocks. It looks at no
 * other sockets.
 *
 * The readiness belongs to the engine of the task that waited last. It can move
 * to another engine while no task waits. */
typedef struct aw_zmq aw_zmq;

/* Receive a message for a waiting task, or send its message. The engine calls
 * it between steps, for the task that has waited longest first.
 *
 *   data  of the task's operation
 *
 * Returns 1 when done, after aw_task_set_value() if there is a value; 0 if the
 * task must wait on; or a negative code for the task's wait to end with.
 * Besides aw_task_set_value() it may call only aw_zmq_*() functions.
 */
typedef int (*aw_zmq_take)(aw_task *task, void *data);

/* What a binding knows about its socket. Everything is optional. */
typedef struct aw_zmq_config {
  aw_zmq_take receive, send; /* for aw_zmq_arm_receive(), aw_zmq_arm_send() */
  bool many; /* a message that cannot be sent now does not hold up messages to
                other peers, as in a ROUTER */
  /* Tell whether the binding holds a received message itself; then the socket
   * counts as readable. Call aw_zmq_touch() when a message is put back. */
  bool (*holds)(const void *owner);
  /* Receive the next message, if there is one, and hold it. That finds out
   * whether there is one without the system calls that ZMQ_EVENTS costs. The
   * engine calls it where it calls `receive`, and when a task begins to wait
   * for input.
   *
   * Returns 1 if it holds a message; 0 if there is none, after
   * aw_zmq_found_empty(); or a negative code: look at ZMQ_EVENTS instead. */
  int (*read_ahead)(void *owner);
  /* Read ahead whenever the socket is readable, even if no task waits: for a
   * socket that keeps only its newest message. It may change at any time. */
  bool eager;
  /* For aw_zmq_arm_watch(): `observe` reads what has arrived, and the binding
   * holds what tasks may still receive. The engine calls it whenever it looks
   * at the socket while a task watches, and then `watch` for each such task.
   * `observe` is called again if it returns 0 before aw_zmq_found_empty(). A
   * negative code ends the waits that `watch` does not end. */
  int (*observe)(void *owner);
  aw_zmq_take watch;
  bool sends_only; /* the socket never counts as readable */
  void *owner;     /* handed to `holds`, `read_ahead` and `observe` */
  size_t size;     /* see "Sizes" in aiowire.h; it may not change */
} aw_zmq_config;

/* Make the readiness of a socket.
 *
 *   socket  borrowed until aw_zmq_close(); call that before zmq_close()
 *   config  borrowed until aw_zmq_close(); NULL: none of it
 *   out     gives
 *
 * Returns 0, AW_EINVAL, AW_ENOMEM, an error of aw_zmq_open(), or the code with
 * which reading ZMQ_FD failed.
 */
AW_API int aw_zmq_new(void *socket, const aw_zmq_config *config, aw_zmq **out);

/* End all waits for the socket with AW_ECLOSED, and free its readiness.
 *
 * NULL is fine, here and in the functions below, but for aw_zmq_disarm(): it
 * means a closed socket. No task waits for such a
 * socket, and functions that return codes return AW_ECLOSED for it. */
AW_API void aw_zmq_close(aw_zmq *zmq);

/* Let `engine` watch an eager socket from now on, even before a task waits for
 * it there. Returns the codes of aw_zmq_arm(), but for 1. */
AW_API int aw_zmq_attend(aw_zmq *zmq, aw_engine *engine);

/* Say that the socket was used: it is dirty now. */
AW_API void aw_zmq_touch(aw_zmq *zmq);

/* Say that the latest use was a receive that found no message: no look at the
 * socket is needed. */
AW_API void aw_zmq_found_empty(aw_zmq *zmq);

/* Return its ZMQ_FD, for people: waiting for that descriptor alone loses
 * messages. -1: the socket is closed. */
AW_API int aw_zmq_fd(const aw_zmq *zmq);

/* Return its ZMQ_EVENTS as a sum of AW_READABLE and AW_WRITABLE, or a negative
 * code. */
AW_API int aw_zmq_events(aw_zmq *zmq);

/* Tell whether any task waits for the socket. */
AW_API bool aw_zmq_awaited(const aw_zmq *zmq);

/* Tell whether a task waits in aw_zmq_arm_receive(), or in aw_zmq_arm_send().
 * A task that comes later may not overtake it.
 *
 *   match  tells whether the `data` of a waiting task matches `what`; only such
 *          tasks count. NULL: all count
 */
AW_API bool aw_zmq_receiving(const aw_zmq *zmq);
AW_API bool aw_zmq_sending(const aw_zmq *zmq,
                           bool (*match)(const void *data, const void *what),
                           const void *what);

/* Parts for operations of your own, for their `arm` and `disarm`: wait until
 * the socket is ready for `events`, or until `receive`, `send` or `watch` has
 * succeeded for the task. A message that cannot be sent although the socket is
 * writable, because its peer is full, is tried again after 1, 2, 4 and up to 50
 * ms.
 *
 * Return 0 when the wait has begun; 1 if the socket is readable already;
 * AW_EINVAL for other `events`, or if the config lacks the function;
 * AW_ENOMEM; AW_ECLOSED; AW_EFORKED; AW_EBUSY if tasks of another engine wait
 * for the socket; or a code of libuv. */
AW_API int aw_zmq_arm(aw_task *task, aw_zmq *zmq, int events);
AW_API int aw_zmq_arm_receive(aw_task *task, aw_zmq *zmq);
AW_API int aw_zmq_arm_send(aw_task *task, aw_zmq *zmq);
AW_API int aw_zmq_arm_watch(aw_task *task, aw_zmq *zmq);
AW_API void aw_zmq_disarm(aw_task *task, aw_zmq *zmq);

/* Return the operation that waits until a socket is ready; its data is the
 * `aw_zmq *`.
 *
 *   events  AW_READABLE, AW_WRITABLE or both; other values give NULL
 */
AW_API const aw_operation *aw_zmq_operation(int events);

/* Finish when the socket is ready. Borrows `zmq` while the wire lives; other
 * `events` than above give NULL. */
AW_API aw_wire *aw_zmq_when_ready(aw_zmq *zmq, int events);

/* Return aw_forks(), which counts from the first aw_zmq_open() at the latest. A
 * readiness that was made under another number belongs
 * to a parent process: functions fail with AW_EFORKED for it, or do nothing.
 * Call from: any thread. */
AW_API unsigned aw_zmq_forks(void);

#ifdef __cplusplus
}
#endif
#endif
