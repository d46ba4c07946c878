/* zmq_echo.c ADDRESS N CLIENTSxOUTSTANDING - clients of an echo server
 *
 * N messages of 64 bytes, OUTSTANDING under way from each of the CLIENTS, which
 * are DEALERs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { SIZE = 64, MOST_CLIENTS = 64 };

typedef struct load {
  void *clients[MOST_CLIENTS];
  int count;
  long to_send, to_get; /* requests and replies that are left */
} load;

static void ask(load *l, int client) {
  static const char body[SIZE] = "x";
  if (l->to_send-- > 0)
    zmq_send(l->clients[client], body, sizeof body, 0);
}

/* Receive all replies that have arrived. */
static void take_replies(load *l, int client) {
  char body[SIZE];
  while (l->to_get > 0 && zmq_recv(l->clients[client], body, sizeof body,
                                   ZMQ_DONTWAIT) == SIZE) {
    l->to_get--;
    ask(l, client);
  }
}

static void exchange(load *l, long count, int outstanding) {
  zmq_pollitem_t items[MOST_CLIENTS];
  l->to_send = l->to_get = count;
  for (int i = 0; i < l->count; i++)
    items[i] = (zmq_pollitem_t){l->clients[i], 0, ZMQ_POLLIN, 0};
  for (int n = 0; n < outstanding; n++)
    for (int i = 0; i < l->count; i++)
      ask(l, i);
  while (l->to_get > 0) {
    zmq_poll(items, l->count, -1);
    for (int i = 0; i < l->count; i++)
      if (items[i].revents)
        take_replies(l, i);
  }
}

int main(int argc, char **argv) {
  load l = {0};
  int outstanding;
  if (argc != 4 || sscanf(argv[3], "%dx%d", &l.count, &outstanding) != 2 ||
      l.count > MOST_CLIENTS)
    return 2;
  void *context = zmq_ctx_new();
  for (int i = 0; i < l.count; i++) {
    l.clients[i] = zmq_socket(context, ZMQ_DEALER);
    if (zmq_connect(l.clients[i], argv[1]) < 0)
      return 1;
  }
  exchange(&l, l.count, 1); /* all are connected */
  exchange(&l, atol(argv[2]), outstanding);
  for (int i = 0; i < l.count; i++)
    zmq_close(l.clients[i]);
  zmq_ctx_term(context);
  return 0;
}
