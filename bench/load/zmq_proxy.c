/* zmq_proxy.c ADDRESS N KIND - passes N messages of 64 bytes through a proxy
 *
 * KIND is "requests" (ROUTER and DEALER; counts requests, each with its reply),
 * "topics" (XSUB and XPUB) or "jobs" (PULL and PUSH). The proxy is bound to
 * ADDRESS and to ADDRESS-back; the file of the latter is removed at the end.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { SIZE = 64, CLIENTS = 8, OUTSTANDING = 32 };

typedef struct load {
  const char *name;
  int sender, taker;
  void *to; /* the sender of one way */
  const char *front;
  char back[256];
  long count;
} load;

static const load kinds[] = {
    {.name = "requests", .sender = ZMQ_DEALER, .taker = ZMQ_DEALER},
    {.name = "topics", .sender = ZMQ_PUB, .taker = ZMQ_SUB},
    {.name = "jobs", .sender = ZMQ_PUSH, .taker = ZMQ_PULL}};

static void *context;

static void *open_socket(int type, const char *address) {
  int zero = 0;
  void *s = zmq_socket(context, type);
  zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero);
  if (type == ZMQ_PUB) /* it would drop messages */
    zmq_setsockopt(s, ZMQ_SNDHWM, &zero, sizeof zero);
  if (type == ZMQ_SUB) {
    zmq_setsockopt(s, ZMQ_SUBSCRIBE, "x", 1);
    zmq_setsockopt(s, ZMQ_RCVHWM, &zero, sizeof zero);
  }
  zmq_connect(s, address);
  return s;
}

/* Send back whatever comes, in all its parts. */
static void *work(void *data) {
  const load *l = data;
  void *s = open_socket(l->taker, l->back);
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
  for (long i = 0; i < l->count; i++)
    zmq_send(l->to, body, SIZE, 0);
  return NULL;
}

/* Send a first message until it arrives, so that both sides are there; then
 * send all of them by another thread. */
static void one_way(load *l) {
  char body[SIZE];
  pthread_t sender;
  void *from = open_socket(l->taker, l->back);
  zmq_pollitem_t item = {.socket = from, .events = ZMQ_POLLIN};
  l->to = open_socket(l->sender, l->front);
  do
    zmq_send(l->to, "x", 1, 0);
  while (zmq_poll(&item, 1, 10) == 0);
  pthread_create(&sender, NULL, send_all, l);
  for (long left = l->count; left > 0;)
    left -= zmq_recv(from, body, SIZE, 0) == SIZE;
  pthread_join(sender, NULL);
}

static void both_ways(load *l) {
  char body[SIZE] = "x";
  zmq_pollitem_t items[CLIENTS];
  pthread_t worker;
  pthread_create(&worker, NULL, work, l);
  for (int i = 0; i < CLIENTS; i++)
    items[i] =
        (zmq_pollitem_t){open_socket(l->sender, l->front), 0, ZMQ_POLLIN, 0};
  long to_send = l->count, left = l->count;
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
}

int main(int argc, char **argv) {
  load l = {0};
  for (int i = 0; argc == 4 && i < 3; i++)
    if (strcmp(argv[3], kinds[i].name) == 0)
      l = kinds[i];
  if (!l.name)
    return 2;
  l.front = argv[1];
  l.count = atol(argv[2]);
  snprintf(l.back, sizeof l.back, "%s-back", argv[1]);
  context = zmq_ctx_new();
  if (l.sender == ZMQ_DEALER)
    both_ways(&l);
  else
    one_way(&l);
  unlink(l.back + strlen("ipc://"));
  _exit(0); /* with unsent replies, and a thread that waits */
}
