/* zmq_pull.c N ADDRESS - receives N messages, on CZMQ's zloop */
#include <czmq.h>

static int readable(zloop_t *loop, zsock_t *pull, void *data) {
  long *left = data;
  (void)loop;
  zframe_t *frame = zframe_recv(pull);
  zframe_destroy(&frame);
  return --*left > 0 ? 0 : -1;
}

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  long left = atol(argv[1]);
  zsock_t *pull = zsock_new_pull(argv[2]);
  zloop_t *loop = zloop_new();
  zloop_reader(loop, pull, readable, &left);
  if (left > 0)
    zloop_start(loop);
  zloop_destroy(&loop);
  zsock_destroy(&pull);
  return 0;
}
