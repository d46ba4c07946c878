/* zmq_proxy.c ADDRESS KIND - passes messages on, of requests, topics or jobs */
#include <stdio.h>
#include <string.h>
#include <zmq.h>

typedef struct kind {
  const char *name;
  int front, back;
} kind;

static const kind kinds[] = {{"requests", ZMQ_ROUTER, ZMQ_DEALER},
                             {"topics", ZMQ_XSUB, ZMQ_XPUB},
                             {"jobs", ZMQ_PULL, ZMQ_PUSH}};

static void *bind_socket(void *context, int type, const char *address) {
  int none = 0;
  void *s = zmq_socket(context, type);
  if (type == ZMQ_XPUB) /* it would drop messages */
    zmq_setsockopt(s, ZMQ_SNDHWM, &none, sizeof none);
  return zmq_bind(s, address) < 0 ? NULL : s;
}

static int serve(const kind *k, const char *address) {
  char behind[256];
  snprintf(behind, sizeof behind, "%s-back", address);
  void *context = zmq_ctx_new();
  void *front = bind_socket(context, k->front, address);
  void *back = bind_socket(context, k->back, behind);
  return front && back ? zmq_proxy(front, back, NULL) : 1;
}

int main(int argc, char **argv) {
  for (int i = 0; argc == 3 && i < 3; i++)
    if (strcmp(argv[2], kinds[i].name) == 0)
      return serve(&kinds[i], argv[1]);
  return 2;
}
