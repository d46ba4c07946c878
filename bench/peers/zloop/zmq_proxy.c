/* zmq_proxy.c ADDRESS KIND - passes messages on, of requests, topics or jobs,
 * by CZMQ's zproxy */
#include <czmq.h>

typedef struct kind {
  const char *name, *front, *back;
} kind;

static const kind kinds[] = {{"requests", "ROUTER", "DEALER"},
                             {"topics", "XSUB", "XPUB"},
                             {"jobs", "PULL", "PUSH"}};

static int serve(const kind *k, const char *address) {
  char behind[256];
  zsys_handler_set(NULL);
  snprintf(behind, sizeof behind, "%s-back", address);
  zsys_set_sndhwm(streq(k->back, "XPUB") ? 0 : 1000); /* it would drop some */
  zactor_t *proxy = zactor_new(zproxy, NULL);
  zstr_sendx(proxy, "FRONTEND", k->front, address, NULL);
  zsock_wait(proxy);
  zstr_sendx(proxy, "BACKEND", k->back, behind, NULL);
  zsock_wait(proxy);
  zsock_wait(proxy); /* until SIGTERM ends the program */
  zactor_destroy(&proxy);
  return 0;
}

int main(int argc, char **argv) {
  for (int i = 0; argc == 3 && i < 3; i++)
    if (streq(argv[2], kinds[i].name))
      return serve(&kinds[i], argv[1]);
  return 2;
}
