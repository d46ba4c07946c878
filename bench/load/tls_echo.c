/* tls_echo.c [idle] PORT N FOLDER [CONNECTIONS] - clients of an echo server
 *
 * N requests of 64 bytes, one under way on each of CONNECTIONS. With "idle", N
 * connections that have been used once and stay open.
 */
#define _GNU_SOURCE

#include "tls.h"

#include <fcntl.h>
#include <sys/epoll.h>

enum { SIZE = 64, BATCH = 64, MOST = 1000000 };

typedef struct connection {
  SSL *ssl;
  int got; /* bytes of the reply */
} connection;

static char request[SIZE] = "a request";

static void ask(connection *c) {
  c->got = 0;
  check_tls(SSL_write(c->ssl, request, SIZE) == SIZE, "write");
}

/* Take what has come of a reply. Returns true if the reply is whole. */
static bool take_reply(connection *c) {
  char reply[SIZE];
  while (c->got < SIZE) {
    int count = SSL_read(c->ssl, reply, SIZE - c->got);
    if (count <= 0) {
      check_tls(SSL_get_error(c->ssl, count) == SSL_ERROR_WANT_READ, "read");
      return false;
    }
    errno = 0;
    check(memcmp(reply, request + c->got, (size_t)count) == 0,
          "the reply is the request");
    c->got += count;
  }
  return true;
}

static void open_used(connection *c, SSL_CTX *context, int port) {
  char reply[SIZE];
  c->ssl = connect_tls(context, port, NULL);
  ask(c);
  get_all(c->ssl, reply, SIZE);
}

static void watch(int epoll, connection *c) {
  int fd = SSL_get_fd(c->ssl);
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = c}};
  check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll");
}

/* Send `requests`, and await their replies. */
static void exchange(int epoll, connection *all, long count, long requests) {
  long to_send = requests, to_get = requests;
  for (long i = 0; i < count && to_send > 0; i++, to_send--)
    ask(&all[i]);
  while (to_get > 0) {
    struct epoll_event events[BATCH];
    int ready = epoll_wait(epoll, events, BATCH, -1);
    check(ready > 0, "epoll_wait");
    for (int i = 0; i < ready; i++) {
      if (!take_reply(events[i].data.ptr))
        continue;
      to_get--;
      if (to_send-- > 0)
        ask(events[i].data.ptr);
    }
  }
}

int main(int argc, char **argv) {
  bool idle = argc == 5 && strcmp(argv[1], "idle") == 0;
  argv += idle;
  if (argc != 5)
    return 2;
  int port = (int)number(argv[1], 1, 65535);
  long requests = number(argv[2], 0, idle ? MOST : INT32_MAX);
  long count = idle ? requests : number(argv[4], 1, MOST);
  SSL_CTX *context = client_context(argv[3]);
  connection *all = calloc((size_t)count + 1, sizeof *all);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  check(all && epoll >= 0, "epoll");
  for (long i = 0; i < count; i++) {
    open_used(&all[i], context, port);
    watch(epoll, &all[i]);
  }
  if (!idle)
    exchange(epoll, all, count, requests);
  free(all);
  return 0;
}
