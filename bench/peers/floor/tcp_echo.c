/* tcp_echo.c PORT - sends back what comes, by libuv
 *
 * A chunk goes back by uv_try_write(); what the kernel does not take is queued
 * by uv_write().
 */
#include <uv.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reply {
  uv_write_t request;
  char data[];
} reply;

static void check(int rc, const char *what) {
  if (rc >= 0)
    return;
  fprintf(stderr, "tcp_echo: %s: %s\n", what, uv_strerror(rc));
  exit(1);
}

static void closed(uv_handle_t *handle) {
  free(handle);
}

static void end_connection(uv_stream_t *stream) {
  if (!uv_is_closing((uv_handle_t *)stream))
    uv_close((uv_handle_t *)stream, closed);
}

static void written(uv_write_t *request, int status) {
  if (status < 0)
    end_connection(request->handle);
  free(request); /* the first member of a reply */
}

static void write_later(uv_stream_t *stream, const char *data, size_t size) {
  reply *r = malloc(sizeof *r + size);
  if (!r)
    abort();
  memcpy(r->data, data, size);
  uv_buf_t buffer = uv_buf_init(r->data, (unsigned)size);
  check(uv_write(&r->request, stream, &buffer, 1, written), "write");
}

static void make_room(uv_handle_t *handle, size_t size, uv_buf_t *out) {
  static char room[65536];
  (void)handle;
  (void)size;
  *out = uv_buf_init(room, sizeof room);
}

static void got(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  if (count < 0) {
    end_connection(stream);
    return;
  }
  uv_buf_t all = uv_buf_init(buffer->base, (unsigned)count);
  int rc = uv_try_write(stream, &all, 1);
  size_t size = (size_t)count, sent = rc > 0 ? (size_t)rc : 0;
  if (sent < size)
    write_later(stream, buffer->base + sent, size - sent);
}

static void arrived(uv_stream_t *server, int status) {
  check(status, "listen");
  uv_tcp_t *client = malloc(sizeof *client);
  if (!client)
    abort();
  check(uv_tcp_init(server->loop, client), "init");
  check(uv_accept(server, (uv_stream_t *)client), "accept");
  check(uv_tcp_nodelay(client, 1), "nodelay");
  check(uv_read_start((uv_stream_t *)client, make_room, got), "read");
}

int main(int argc, char **argv) {
  uv_loop_t *loop = uv_default_loop();
  uv_tcp_t server;
  struct sockaddr_in address;
  if (argc < 2)
    return 2;
  uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address);
  uv_tcp_init(loop, &server);
  check(uv_tcp_bind(&server, (struct sockaddr *)&address, 0), "bind");
  check(uv_listen((uv_stream_t *)&server, 1024, arrived), "listen");
  return uv_run(loop, UV_RUN_DEFAULT);
}
