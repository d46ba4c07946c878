/* tcp_echo.c [idle] PORT N [CONNECTIONS[+IDLE]] - clients of an echo server
 *
 * N requests of 64 bytes, one under way on each of CONNECTIONS; beside them,
 * IDLE connections that have been used once and stay open. With "idle", only N
 * idle connections. All echoed bytes are compared with those sent.
 */
#define _GNU_SOURCE

#include "load.h"

#include <fcntl.h>
#include <sys/epoll.h>

enum {
  SIZE = 64,
  PATTERN = 251, /* a prime: requests begin at different places of it */
  BATCH = 64,    /* connections that are opened at once */
  MOST = 1000000
};

typedef struct connection {
  int fd;
  unsigned turn; /* place in the pattern at which its request begins */
  size_t got;    /* bytes of the reply */
} connection;

typedef struct load {
  int port, epoll;
  long to_send, to_get; /* requests and replies that are left */
  connection *connections;
} load;

static char pattern[PATTERN + SIZE];

static void add_connection(load *l, long index) {
  connection *c = &l->connections[index];
  *c = (connection){.fd = connect_to(l->port),
                    .turn = (unsigned)(index % PATTERN)};
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = c}};
  check(fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
  check(epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0, "epoll");
}

static void ask(load *l, connection *c) {
  if (l->to_send <= 0)
    return;
  l->to_send--;
  c->turn = (c->turn + 1) % PATTERN;
  c->got = 0;
  errno = 0;
  check(send(c->fd, pattern + c->turn, SIZE, MSG_NOSIGNAL) == SIZE, "send");
}

static void take_reply(load *l, connection *c) {
  char reply[SIZE + 1];
  errno = 0;
  ssize_t count = recv(c->fd, reply, SIZE - c->got + 1, 0);
  check(count > 0, "recv");
  check(c->got + (size_t)count <= SIZE &&
            memcmp(reply, pattern + c->turn + c->got, (size_t)count) == 0,
        "the reply is the request");
  c->got += (size_t)count;
  if (c->got < SIZE)
    return;
  l->to_get--;
  ask(l, c);
}

/* Send `requests` on the connections from `first` on; await all replies. */
static void exchange(load *l, long first, long count, long requests) {
  l->to_send = l->to_get = requests;
  for (long i = first; i < first + count; i++)
    ask(l, &l->connections[i]);
  while (l->to_get > 0) {
    struct epoll_event events[BATCH];
    int ready = epoll_wait(l->epoll, events, BATCH, -1);
    check(ready > 0, "epoll_wait");
    for (int i = 0; i < ready; i++)
      take_reply(l, events[i].data.ptr);
  }
}

/* Open `count` connections, and use each of them once. */
static void open_used(load *l, long count) {
  for (long first = 0; first < count; first += BATCH) {
    long batch = count - first < BATCH ? count - first : BATCH;
    for (long i = 0; i < batch; i++)
      add_connection(l, first + i);
    exchange(l, first, batch, batch);
  }
}

int main(int argc, char **argv) {
  long count = 0, idle = 0, requests = 0;
  if (argc == 4 && strcmp(argv[1], "idle") == 0)
    idle = number((++argv)[2], 0, MOST);
  else if (argc == 4 && sscanf(argv[3], "%ld+%ld", &count, &idle) >= 1)
    requests = number(argv[2], 0, INT32_MAX);
  else
    return 2;
  load l = {.port = (int)number(argv[1], 1, 65535),
            .epoll = epoll_create1(EPOLL_CLOEXEC)};
  l.connections = calloc((size_t)(count + idle + 1), sizeof *l.connections);
  check(l.epoll >= 0 && l.connections, "epoll");
  for (size_t i = 0; i < sizeof pattern; i++)
    pattern[i] = (char)(i % PATTERN);
  open_used(&l, count + idle);
  exchange(&l, 0, count, requests);
  return 0;
}
