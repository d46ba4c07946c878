/* zmq_proxy.c - zmq_proxy of libzmq to compare zmq.Proxy with, and a load
 *
 *   zmq_proxy proxy KIND FRONT BACK        runs until it is killed
 *   zmq_proxy load KIND FRONT BACK COUNT   passes COUNT messages of 64 bytes
 *                                          through a proxy; prints messages
 *                                          per second
 *
 * KIND is "requests" (ROUTER and DEALER; counts requests, each with its reply),
 * "topics" (XSUB and XPUB) or "jobs" (PULL and PUSH).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { SIZE = 64, CLIENTS = 8, OUTSTANDING = 32 };

typedef struct kind {
  const char *name;
  int front, back;   /* of the proxy */
  int sender, taker; /* their peers */
} kind;

static const kind kinds[] = {
    {"requests", ZMQ_ROUTER, ZMQ_DEALER, ZMQ_DEALER, ZMQ_DEALER},
    {"topics", ZMQ_XSUB, ZMQ_XPUB, ZMQ_PUB, ZMQ_SUB},
    {"jobs", ZMQ_PULL, ZMQ_PUSH, ZMQ_PUSH, ZMQ_PULL}};

static void *context;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *open_socket(int type, const char *address, int binds) {
  int zero = 0;
  void *s = zmq_socket(context, type);
  zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero);
  if (type == ZMQ_PUB || type == ZMQ_XPUB) /* they would drop messages */
    zmq_setsockopt(s, ZMQ_SNDHWM, &zero, sizeof zero);
  if (type == ZMQ_SUB)
    zmq_setsockopt(s, ZMQ_SUBSCRIBE, "", 0);
  if ((binds ? zmq_bind(s, address) : zmq_connect(s, address)) < 0) {
    fprintf(stderr, "zmq_proxy: %s: %s\n", address, zmq_strerror(zmq_errno()));
    exit(1);
  }
  return s;
}

/* ---- loads ---- */

typedef struct load {
  const kind *kind;
  const char *front, *back;
  long count;
} load;

/* Send back whatever comes, in all its parts. */
static void *work(void *data) {
  const load *l = data;
  void *s = open_socket(l->kind->taker, l->back, 0);
  zmq_msg_t part;
  zmq_msg_init(&part);
  while (zmq_msg_recv(&part, s, 0) >= 0) {
    int more = zmq_msg_more(&part);
    zmq_msg_send(&part, s, more ? ZMQ_SNDMORE : 0);
  }
  return NULL;
}

static void *send_all(void *data) {
  static const char body[SIZE] = "x";
  const load *l = data;
  void *s = open_socket(l->kind->sender, l->front, 0);
  nanosleep(&(struct timespec){0, 300000000}, NULL); /* for subscriptions */
  for (long i = 0; i < l->count; i++)
    zmq_send(s, body, SIZE, 0);
  pause(); /* the process ends with its main thread */
  return NULL;
}

static double one_way(const load *l) {
  char body[SIZE];
  void *s = open_socket(l->kind->taker, l->back, 0);
  zmq_recv(s, body, SIZE, 0);
  double start = seconds();
  for (long i = 1; i < l->count; i++)
    zmq_recv(s, body, SIZE, 0);
  return seconds() - start;
}

static double both_ways(const load *l) {
  static char body[SIZE] = "x";
  zmq_pollitem_t items[CLIENTS];
  for (int i = 0; i < CLIENTS; i++)
    items[i] = (zmq_pollitem_t){open_socket(l->kind->sender, l->front, 0), 0,
                                ZMQ_POLLIN, 0};
  long to_send = l->count, left = l->count;
  double start = seconds();
  for (int i = 0; i < CLIENTS * OUTSTANDING && to_send > 0; i++, to_send--)
    zmq_send(items[i % CLIENTS].socket, body, SIZE, 0);
  while (left > 0) {
    zmq_poll(items, CLIENTS, -1);
    for (int i = 0; i < CLIENTS; i++)
      while (left > 0 &&
             zmq_recv(items[i].socket, body, SIZE, ZMQ_DONTWAIT) >= 0) {
        left--;
        if (to_send-- > 0)
          zmq_send(items[i].socket, body, SIZE, 0);
      }
  }
  return seconds() - start;
}

int main(int argc, char **argv) {
  const kind *k = NULL;
  for (int i = 0; argc > 4 && i < 3; i++)
    if (strcmp(argv[2], kinds[i].name) == 0)
      k = &kinds[i];
  if (!k)
    return 2;
  context = zmq_ctx_new();
  if (strcmp(argv[1], "proxy") == 0) {
    void *front = open_socket(k->front, argv[3], 1);
    return zmq_proxy(front, open_socket(k->back, argv[4], 1), NULL);
  }
  load l = {k, argv[3], argv[4], argc > 5 ? atol(argv[5]) : 1};
  int replies = k->front == ZMQ_ROUTER;
  pthread_t other;
  pthread_create(&other, NULL, replies ? work : send_all, &l);
  double time = replies ? both_ways(&l) : one_way(&l);
  printf("%.0f\n", (double)l.count / time);
  fflush(stdout);
  _exit(0); /* with unsent replies, and a thread that waits */
}
