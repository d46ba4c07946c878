/* zmq_peers.c - servers to compare with aiowire's sockets, and loads for both
 *
 *   zmq_peers echo ADDRESS            a ROUTER that echoes in a blocking loop
 *   zmq_peers zloop ADDRESS           a ROUTER that echoes on CZMQ's zloop;
 *   only
 *                                     if CZMQ is installed
 *   zmq_peers load ADDRESS CLIENTS OUTSTANDING COUNT
 *                                     DEALERs that ask an echo server, and
 *                                     measure its speed
 *   zmq_peers push ADDRESS COUNT      a PUSH of 64 bytes, COUNT times
 *   zmq_peers pull ADDRESS COUNT      a blocking PULL that measures the speed
 *   zmq_peers sub ADDRESS COUNT       SUBSCRIBERS SUBs that receive COUNT
 *                                     messages each
 *   zmq_peers pub ADDRESS COUNT       publishes COUNT messages of 64 bytes to
 *                                     them, and measures the speed
 *
 * Servers run until an empty message arrives. `load` prints messages per
 * second.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#if defined(HAVE_CZMQ)
#include <czmq.h>
#endif

enum { SIZE = 64, MOST_CLIENTS = 64 };

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *open_socket(void *context, int type, const char *address,
                         bool binds) {
  int linger = 10000;
  void *s = zmq_socket(context, type);
  zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger);
  int rc = binds ? zmq_bind(s, address) : zmq_connect(s, address);
  if (rc < 0) {
    fprintf(stderr, "zmq_peers: %s: %s\n", address, zmq_strerror(zmq_errno()));
    exit(1);
  }
  return s;
}

/* Echo one message of a ROUTER; returns false if it was empty. */
static bool echo_one(void *router) {
  zmq_msg_t id, body;
  zmq_msg_init(&id);
  zmq_msg_init(&body);
  zmq_msg_recv(&id, router, 0);
  zmq_msg_recv(&body, router, 0);
  bool goes_on = zmq_msg_size(&body) > 0;
  zmq_msg_send(&id, router, ZMQ_SNDMORE);
  zmq_msg_send(&body, router, 0);
  return goes_on;
}

static void echo(void *context, const char *address) {
  void *router = open_socket(context, ZMQ_ROUTER, address, true);
  while (echo_one(router)) {
  }
  zmq_close(router);
}

/* ---- a load of echoes ---- */

typedef struct load {
  void *clients[MOST_CLIENTS];
  int count;
  long left, to_send; /* replies to receive, requests to send */
} load;

static void ask(load *l, int client) {
  static const char body[SIZE] = "x";
  if (l->to_send-- > 0)
    zmq_send(l->clients[client], body, sizeof body, 0);
}

/* Receive all replies that have arrived. */
static void take_replies(load *l, int client) {
  char body[SIZE];
  while (l->left > 0 && zmq_recv(l->clients[client], body, sizeof body,
                                 ZMQ_DONTWAIT) == SIZE) {
    l->left--;
    ask(l, client);
  }
}

static void run(load *l) {
  zmq_pollitem_t items[MOST_CLIENTS];
  for (int i = 0; i < l->count; i++)
    items[i] = (zmq_pollitem_t){l->clients[i], 0, ZMQ_POLLIN, 0};
  while (l->left > 0) {
    zmq_poll(items, l->count, -1);
    for (int i = 0; i < l->count; i++)
      if (items[i].revents)
        take_replies(l, i);
  }
}

static void send_load(void *context, char **argv) {
  load l = {.count = atoi(argv[3]), .left = atol(argv[5])};
  int outstanding = atoi(argv[4]);
  l.to_send = l.left;
  for (int i = 0; i < l.count; i++)
    l.clients[i] = open_socket(context, ZMQ_DEALER, argv[2], false);
  long all = l.left;
  double start = seconds();
  for (int n = 0; n < outstanding; n++)
    for (int i = 0; i < l.count; i++)
      ask(&l, i);
  run(&l);
  printf("%.0f\n", (double)all / (seconds() - start));
  zmq_send(l.clients[0], "", 0, 0); /* the server ends */
  for (int i = 0; i < l.count; i++)
    zmq_close(l.clients[i]);
}

/* ---- one way ---- */

static void push(void *context, const char *address, long count) {
  static const char body[SIZE] = "x";
  void *s = open_socket(context, ZMQ_PUSH, address, false);
  for (long i = 0; i < count; i++)
    zmq_send(s, body, sizeof body, 0);
  /* A PULL whose queue is full has not read its whole connection; libzmq
   * drops the rest when the connection ends. */
  struct timespec a_while = {2, 0};
  nanosleep(&a_while, NULL);
  zmq_close(s);
}

static void pull(void *context, const char *address, long count) {
  char body[SIZE];
  void *s = open_socket(context, ZMQ_PULL, address, true);
  zmq_recv(s, body, sizeof body, 0);
  double start = seconds();
  for (long i = 1; i < count; i++)
    zmq_recv(s, body, sizeof body, 0);
  printf("%.0f\n", (double)count / (seconds() - start));
  zmq_close(s);
}

/* ---- publishing ----
 *
 * Each subscriber wants all messages, and then says so by a topic of its own.
 * There are no high-water marks, so no message is dropped. The publisher is an
 * XPUB, or it could not know when the subscribers are there; it sends as a PUB
 * does. */

enum { SUBSCRIBERS = 100 };

static void *open_limitless(void *context, int type) {
  int none = 0;
  void *s = zmq_socket(context, type);
  zmq_setsockopt(s, ZMQ_SNDHWM, &none, sizeof none);
  zmq_setsockopt(s, ZMQ_RCVHWM, &none, sizeof none);
  return s;
}

static void subscribe(void *context, const char *address, long count) {
  void *subscribers[SUBSCRIBERS];
  char topic[SIZE];
  for (int i = 0; i < SUBSCRIBERS; i++) {
    void *s = subscribers[i] = open_limitless(context, ZMQ_SUB);
    zmq_connect(s, address);
    zmq_setsockopt(s, ZMQ_SUBSCRIBE, "x", 1);
    int size = snprintf(topic, sizeof topic, "i%d", i + 1);
    zmq_setsockopt(s, ZMQ_SUBSCRIBE, topic, (size_t)size);
  }
  for (int i = 0; i < SUBSCRIBERS; i++) {
    for (long left = count; left > 0; left--)
      zmq_recv(subscribers[i], topic, sizeof topic, 0);
    zmq_close(subscribers[i]);
  }
}

static void publish(void *context, const char *address, long count) {
  static const char body[SIZE] = "x";
  char topic[SIZE];
  int linger = 30000;
  void *s = open_limitless(context, ZMQ_XPUB);
  zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger);
  zmq_bind(s, address);
  for (int i = 0; i < SUBSCRIBERS + 1; i++) /* the topics, and "x" */
    zmq_recv(s, topic, sizeof topic, 0);
  double start = seconds();
  for (long i = 0; i < count; i++)
    zmq_send(s, body, sizeof body, 0);
  printf("%.0f\n", (double)count / (seconds() - start));
  zmq_close(s);
}

/* ---- CZMQ ---- */

#if defined(HAVE_CZMQ)

static int on_readable(zloop_t *loop, zsock_t *router, void *data) {
  (void)loop;
  (void)data;
  return echo_one(zsock_resolve(router)) ? 0 : -1;
}

static int loop_of_czmq(const char *address) {
  zsock_t *router = zsock_new_router(address);
  zloop_t *loop = zloop_new();
  zloop_reader(loop, router, on_readable, NULL);
  zloop_start(loop);
  zloop_destroy(&loop);
  zsock_destroy(&router);
  return 0;
}

#else

static int loop_of_czmq(const char *address) {
  (void)address;
  fputs("zmq_peers: built without CZMQ\n", stderr);
  return 77;
}

#endif

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  if (strcmp(argv[1], "zloop") == 0)
    return loop_of_czmq(argv[2]);
  void *context = zmq_ctx_new();
  if (strcmp(argv[1], "echo") == 0)
    echo(context, argv[2]);
  else if (strcmp(argv[1], "load") == 0 && argc == 6)
    send_load(context, argv);
  else if (strcmp(argv[1], "push") == 0 && argc == 4)
    push(context, argv[2], atol(argv[3]));
  else if (strcmp(argv[1], "pull") == 0 && argc == 4)
    pull(context, argv[2], atol(argv[3]));
  else if (strcmp(argv[1], "sub") == 0 && argc == 4)
    subscribe(context, argv[2], atol(argv[3]));
  else if (strcmp(argv[1], "pub") == 0 && argc == 4)
    publish(context, argv[2], atol(argv[3]));
  zmq_ctx_term(context);
  return 0;
}
