/* tls_echo.c PORT FOLDER - sends back what comes, by epoll(7) and OpenSSL
 *
 * OpenSSL reads and writes the sockets itself, which do not block. What a
 * socket does not take is kept until it is writable.
 */
#define _GNU_SOURCE

#include "tls.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

enum { BATCH = 64, ROOM = 65536, DESCRIPTORS = 65536 };

typedef struct connection {
  SSL *ssl;
  char *rest; /* to be sent */
  size_t rest_size;
} connection;

static connection connections[DESCRIPTORS]; /* by descriptor */

static int watch(int epoll, int how, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.fd = fd}};
  return epoll_ctl(epoll, how, fd, &event);
}

/* After a result of OpenSSL that is not a success: await what it wants.
 * Returns false if the connection is to end. */
static bool await(int epoll, connection *c, int result, bool *failed) {
  int why = SSL_get_error(c->ssl, result);
  bool writes = why == SSL_ERROR_WANT_WRITE;
  *failed = why != SSL_ERROR_ZERO_RETURN;
  if (!writes && why != SSL_ERROR_WANT_READ)
    return false;
  uint32_t events = writes ? EPOLLOUT : EPOLLIN;
  check(watch(epoll, EPOLL_CTL_MOD, SSL_get_fd(c->ssl), events), "epoll");
  return true;
}

static void keep(connection *c, const char *data, size_t size) {
  c->rest = memcpy(malloc(size), data, size);
  c->rest_size = size;
}

/* Send what was kept, then send back what comes, until the socket has no more
 * of it. Returns the result of OpenSSL that is not a success, or 1. */
static int echo(connection *c) {
  static char room[ROOM];
  int result = 1;
  if (c->rest) {
    result = SSL_write(c->ssl, c->rest, (int)c->rest_size);
    if (result <= 0)
      return result;
    free(c->rest);
    c->rest = NULL;
  }
  do {
    result = SSL_read(c->ssl, room, sizeof room);
    if (result <= 0)
      return result;
    int size = result;
    result = SSL_write(c->ssl, room, size);
    if (result <= 0)
      keep(c, room, (size_t)size);
  } while (result > 0 && SSL_has_pending(c->ssl));
  return result;
}

static void serve_connection(int epoll, connection *c) {
  bool failed;
  ERR_clear_error();
  int result = SSL_is_init_finished(c->ssl) ? 1 : SSL_accept(c->ssl);
  if (result == 1)
    result = echo(c);
  if (result > 0 || await(epoll, c, result, &failed))
    return;
  end_connection(c->ssl, failed);
  free(c->rest);
  c->rest = NULL;
}

static void accept_all(int epoll, int server, SSL_CTX *context) {
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    int fd = accept4(server, (struct sockaddr *)&from, &size,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
      return;
    connections[fd].ssl = new_connection(context, fd);
    SSL_set_accept_state(connections[fd].ssl);
    check(watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN), "epoll");
  }
}

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  SSL_CTX *context = server_context(argv[2]);
  int server = listen_at(argv[1]), epoll = epoll_create1(EPOLL_CLOEXEC);
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  check(listen(server, 1024), "listen");
  check(fcntl(server, F_SETFL, O_NONBLOCK), "fcntl");
  check(watch(epoll, EPOLL_CTL_ADD, server, EPOLLIN), "epoll");
  for (;;) {
    struct epoll_event events[BATCH];
    int ready = check(epoll_wait(epoll, events, BATCH, -1), "epoll_wait");
    for (int i = 0; i < ready; i++) {
      if (events[i].data.fd == server)
        accept_all(epoll, server, context);
      else
        serve_connection(epoll, &connections[events[i].data.fd]);
    }
  }
}
