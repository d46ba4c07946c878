/* poller.c N ACTIVE/ALL - N datagrams, in rounds of ACTIVE, on some of ALL
 * sockets that libuv watches, after a first round of all and one of ACTIVE
 *
 * Each socket is connected to itself.
 */
#include <uv.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct source {
  uv_poll_t watch;
  int fd;
} source;

static source *sources;
static long left, active, awaited;

static void send_each(long count) {
  awaited = count;
  for (long i = 0; i < count; i++)
    if (send(sources[i].fd, "x", 1, 0) != 1)
      abort();
}

static void readable(uv_poll_t *watch, int status, int events) {
  char bytes[16];
  (void)status;
  (void)events;
  if (recv(((source *)watch)->fd, bytes, sizeof bytes, 0) != 1)
    abort();
  if (--awaited > 0)
    return;
  if (left == 0)
    uv_stop(watch->loop);
  long count = left < active ? left : active;
  left -= count;
  send_each(count);
}

static void open_source(source *s) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t size = sizeof at;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  s->fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&at, size) < 0 ||
      getsockname(s->fd, (struct sockaddr *)&at, &size) < 0 ||
      connect(s->fd, (struct sockaddr *)&at, size) < 0)
    abort();
  uv_poll_init(uv_default_loop(), &s->watch, s->fd);
  uv_poll_start(&s->watch, UV_READABLE, readable);
}

int main(int argc, char **argv) {
  long all;
  if (argc != 3 || sscanf(argv[2], "%ld/%ld", &active, &all) != 2)
    return 2;
  left = active + atol(argv[1]);
  sources = calloc((size_t)all, sizeof *sources);
  for (long i = 0; i < all; i++)
    open_source(&sources[i]);
  send_each(all);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  return 0;
}
