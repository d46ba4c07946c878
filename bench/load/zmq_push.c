/* zmq_push.c ADDRESS - a PUSH of messages of 64 bytes, without an end */
#include <zmq.h>

int main(int argc, char **argv) {
  static const char body[64] = "x";
  if (argc < 2)
    return 2;
  void *context = zmq_ctx_new();
  void *push = zmq_socket(context, ZMQ_PUSH);
  if (zmq_connect(push, argv[1]) < 0)
    return 1;
  for (;;)
    zmq_send(push, body, sizeof body, 0);
}
