/* zmq_echo.c ADDRESS - a ROUTER that sends back what comes, in a loop that
 * blocks */
#include <zmq.h>

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  void *context = zmq_ctx_new();
  void *router = zmq_socket(context, ZMQ_ROUTER);
  if (zmq_bind(router, argv[1]) < 0)
    return 1;
  for (;;) {
    zmq_msg_t id, body;
    zmq_msg_init(&id);
    zmq_msg_init(&body);
    zmq_msg_recv(&id, router, 0);
    zmq_msg_recv(&body, router, 0);
    zmq_msg_send(&id, router, ZMQ_SNDMORE);
    zmq_msg_send(&body, router, 0);
  }
}
