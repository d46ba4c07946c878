/* zmq_sub.c ADDRESS - 100 subscribers, which receive all messages
 *
 * Each wants all messages, and then says so by a topic of its own: "i1", "i2",
 * and so on. There are no high-water marks, so no message is dropped.
 */
#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum { SUBSCRIBERS = 100 };

static void *subscribe(void *context, const char *address, int number) {
  int none = 0;
  char topic[16];
  void *s = zmq_socket(context, ZMQ_SUB);
  zmq_setsockopt(s, ZMQ_RCVHWM, &none, sizeof none);
  zmq_connect(s, address);
  zmq_setsockopt(s, ZMQ_SUBSCRIBE, "x", 1);
  snprintf(topic, sizeof topic, "i%d", number);
  zmq_setsockopt(s, ZMQ_SUBSCRIBE, topic, strlen(topic));
  return s;
}

/* Receive all that has come to the subscribers. */
static void take_all(zmq_pollitem_t *items) {
  char body[64];
  for (int i = 0; i < SUBSCRIBERS; i++)
    if (items[i].revents)
      while (zmq_recv(items[i].socket, body, sizeof body, ZMQ_DONTWAIT) > 0) {
      }
}

int main(int argc, char **argv) {
  zmq_pollitem_t items[SUBSCRIBERS];
  if (argc < 2)
    return 2;
  void *context = zmq_ctx_new();
  for (int i = 0; i < SUBSCRIBERS; i++)
    items[i] =
        (zmq_pollitem_t){subscribe(context, argv[1], i + 1), 0, ZMQ_POLLIN, 0};
  for (;;) {
    zmq_poll(items, SUBSCRIBERS, -1);
    take_all(items);
  }
}
