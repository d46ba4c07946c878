/* zmq_echo.c ADDRESS - a ROUTER that sends back what comes, on CZMQ's zloop */
#include <czmq.h>

static int readable(zloop_t *loop, zsock_t *router, void *data) {
  (void)loop;
  (void)data;
  zmq_msg_t id, body;
  void *socket = zsock_resolve(router);
  zmq_msg_init(&id);
  zmq_msg_init(&body);
  zmq_msg_recv(&id, socket, 0);
  zmq_msg_recv(&body, socket, 0);
  zmq_msg_send(&id, socket, ZMQ_SNDMORE);
  zmq_msg_send(&body, socket, 0);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  zsys_handler_set(NULL); /* SIGTERM ends the program at once */
  zsock_t *router = zsock_new_router(argv[1]);
  zloop_t *loop = zloop_new();
  zloop_reader(loop, router, readable, NULL);
  zloop_start(loop);
  zloop_destroy(&loop);
  zsock_destroy(&router);
  return 0;
}
