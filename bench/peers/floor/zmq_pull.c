/* zmq_pull.c N ADDRESS - receives N messages */
#include <stdlib.h>
#include <zmq.h>

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  void *context = zmq_ctx_new();
  void *pull = zmq_socket(context, ZMQ_PULL);
  if (zmq_bind(pull, argv[2]) < 0)
    return 1;
  char body[64];
  for (long left = atol(argv[1]); left > 0; left--)
    zmq_recv(pull, body, sizeof body, 0);
  zmq_close(pull);
  return zmq_ctx_term(context);
}
