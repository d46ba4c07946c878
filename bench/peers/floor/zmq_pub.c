/* zmq_pub.c N ADDRESS - publishes N messages to 100 subscribers
 *
 * An XPUB sees the subscribers come, and sends as a PUB does. Each subscribes
 * to "x", which arrives once, and to a topic of its own.
 */
#include <stdlib.h>
#include <zmq.h>

enum { SUBSCRIBERS = 100 };

int main(int argc, char **argv) {
  static const char body[64] = "x";
  if (argc < 3)
    return 2;
  int none = 0, linger = 30000;
  char topic[64];
  void *context = zmq_ctx_new();
  void *pub = zmq_socket(context, ZMQ_XPUB);
  zmq_setsockopt(pub, ZMQ_SNDHWM, &none, sizeof none);
  zmq_setsockopt(pub, ZMQ_LINGER, &linger, sizeof linger);
  if (zmq_bind(pub, argv[2]) < 0)
    return 1;
  for (int i = 0; i < SUBSCRIBERS + 1; i++)
    zmq_recv(pub, topic, sizeof topic, 0);
  for (long left = atol(argv[1]); left > 0; left--)
    zmq_send(pub, body, sizeof body, 0);
  zmq_close(pub);
  return zmq_ctx_term(context);
}
