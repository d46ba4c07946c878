/* zmq_echo_multipart.c ADDRESS - a ROUTER that sends back messages of CZMQ, on
 * its zloop */
#include <czmq.h>

static int readable(zloop_t *loop, zsock_t *router, void *data) {
  (void)loop;
  (void)data;
  zmsg_t *message = zmsg_recv(router);
  return zmsg_send(&message, router);
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
