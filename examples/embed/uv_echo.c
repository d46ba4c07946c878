/* uv_echo.c - a libuv program that lets wires keep its time
 *
 *   cc uv_echo.c $(pkg-config --cflags --libs aiowire libuv) -o uv_echo
 *   target_link_libraries(uv_echo aiowire::aiowire uv)
 *
 * Shows an engine on the host's uv_loop_t: config.uv, `ended`, calls from
 * callbacks of libuv, and the order in which everything is closed.
 *
 * The host is an ordinary TCP server: listen, accept, read and write are its
 * own callbacks. What is tedious in callbacks is what should happen *unless*
 * something else does. Here that is a wire for each connection, its guard:
 *
 *     sleep for ever, for at most 100 ms; then hang up
 *
 * Each line from the peer moves that limit by aw_task_extend(). So a peer that
 * talks stays connected, and a silent one is cut off. When the peer leaves by
 * itself, the guard is cancelled.
 *
 * A connection has two owners: its handle, until the close callback, and its
 * guard, until the wire is freed. The last one frees it.
 */
#define _POSIX_C_SOURCE 200809L
#include <aiowire.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define MS (AW_SECOND / 1000)

#define IDLE (100 * MS)

typedef struct connection connection;

typedef struct server {
  uv_loop_t *uv;
  uv_tcp_t listener;
  aw_engine *engine;
  aw_loop *loop;
  connection *first;   /* of a list */
  int echoed, cut_off; /* lines; connections */
  int clients;         /* of the trial below that are still there */
} server;

/* ---- a connection -------------------------------------------------------- */

struct connection {
  uv_tcp_t handle; /* its `data` is the connection */
  server *server;
  connection *next, **place; /* in the list of the server */
  aw_task *guard;            /* NULL: none */
  int owners;
};

static void disown(void *data) {
  connection *it = data;
  if (--it->owners == 0)
    free(it);
}

/* However the connection came to its end, its guard ends here. */
static void on_closed(uv_handle_t *handle) {
  connection *it = handle->data;
  *it->place = it->next;
  if (it->next)
    it->next->place = it->place;
  if (it->guard) {
    aw_task_cancel(it->guard, 0, AW_DEFAULT); /* nothing, if it has ended */
    aw_task_release(it->guard);
  }
  disown(it);
}

static void hang_up(connection *it) {
  if (!uv_is_closing((uv_handle_t *)&it->handle))
    uv_close((uv_handle_t *)&it->handle, on_closed);
}

/* The peer was silent for too long. This is a step of the guard. */
static aw_turn cut_off(aw_task *task, void *data) {
  (void)task;
  connection *it = data;
  it->server->cut_off++;
  hang_up(it);
  return AW_DONE;
}

static int start_guard(connection *it) {
  aw_wire *idle = aw_timeout(aw_sleep(AW_NEVER), IDLE, AW_DEFAULT);
  aw_wire *wire = aw_or_else(idle, aw_call(cut_off, it));
  it->owners++; /* of the wire: aw_hold() takes it, also on failure */
  return aw_loop_start(it->server->loop, aw_hold(wire, it, disown), NULL,
                       &it->guard);
}

/* ---- callbacks of the server --------------------------------------------- */

static void give_buffer(uv_handle_t *handle, size_t size, uv_buf_t *out) {
  (void)handle;
  out->base = malloc(size); /* NULL: on_read() gets UV_ENOBUFS */
  out->len = size;
}

static void on_written(uv_write_t *request, int status) {
  (void)status;
  free(request->data);
  free(request);
}

/* Write bytes; takes them. */
static void send_bytes(uv_stream_t *stream, char *bytes, size_t size) {
  uv_write_t *request = malloc(sizeof *request);
  if (!request) {
    free(bytes);
    return;
  }
  request->data = bytes;
  uv_buf_t buffer = uv_buf_init(bytes, (unsigned)size);
  if (uv_write(request, stream, &buffer, 1, on_written) < 0)
    on_written(request, 0);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  connection *it = stream->data;
  if (got > 0) {
    it->server->echoed++;
    aw_task_extend(it->guard, IDLE); /* fails if the guard has just ended */
    send_bytes(stream, buffer->base, (size_t)got);
    return;
  }
  free(buffer->base);
  if (got < 0) /* the peer has left */
    hang_up(it);
}

/* End the server; does nothing the second time. */
static void end(server *it) {
  if (!uv_is_closing((uv_handle_t *)&it->listener))
    uv_close((uv_handle_t *)&it->listener, NULL);
  for (connection *each = it->first; each; each = each->next)
    hang_up(each);
  if (it->loop)
    aw_loop_stop(it->loop, false); /* then `ended` is called */
}

static void on_connection(uv_stream_t *listener, int status) {
  server *it = listener->data;
  connection *new = status == 0 ? calloc(1, sizeof *new) : NULL;
  if (!new) {
    end(it);
    return;
  }
  *new = (connection){.server = it,
                      .next = it->first,
                      .place = &it->first,
                      .owners = 1,
                      .handle.data = new};
  if (new->next)
    new->next->place = &new->next;
  it->first = new;
  uv_tcp_init(it->uv, &new->handle);
  if (uv_accept(listener, (uv_stream_t *)&new->handle) < 0 ||
      start_guard(new) < 0 ||
      uv_read_start((uv_stream_t *)&new->handle, give_buffer, on_read) < 0)
    hang_up(new);
}

/* ---- the engine on the host's loop --------------------------------------- */

/* Called in uv_run(), outside any step, when the loop of tasks has ended: after
 * end(), or because a guard has failed for lack of memory. */
static void ended(void *data, aw_loop *loop) {
  server *it = data;
  aw_loop_free(loop);
  it->loop = NULL;
  end(it);
  aw_engine_close(it->engine, NULL, NULL); /* its handles close in uv_run() */
}

static int begin(server *it) {
  aw_engine_config config = {
      .size = sizeof config, .uv = it->uv, .host = it, .ended = ended};
  int rc = aw_engine_new(&config, &it->engine);
  if (rc < 0)
    return rc;
  rc = aw_loop_new(it->engine, NULL, &it->loop);
  /* A loop ends with its last task. This task keeps it for the guards. */
  if (rc == 0)
    rc = aw_loop_start(it->loop, aw_sleep(AW_NEVER), NULL, NULL);
  if (rc == 0) /* begins, and is run by uv_run() */
    rc = aw_loop_begin(it->loop, AW_NEVER);
  if (rc < 0) {
    aw_loop_free(it->loop);
    aw_engine_close(it->engine, NULL, NULL);
  }
  return rc;
}

static int listen_anywhere(server *it, struct sockaddr_in *address) {
  int size = sizeof *address;
  uv_ip4_addr("127.0.0.1", 0, address);
  uv_tcp_init(it->uv, &it->listener);
  it->listener.data = it;
  int rc = uv_tcp_bind(&it->listener, (const struct sockaddr *)address, 0);
  if (rc == 0)
    rc = uv_listen((uv_stream_t *)&it->listener, 16, on_connection);
  if (rc == 0)
    rc = uv_tcp_getsockname(&it->listener, (struct sockaddr *)address, &size);
  return rc;
}

/* ---- two clients, to try it ---------------------------------------------- */

typedef struct client {
  uv_tcp_t handle; /* its `data` is the client, as that of the timer */
  uv_timer_t timer;
  uv_connect_t request;
  server *server;
  int lines; /* that it still says, one by one; 0: waits for the end */
} client;

static void on_client_gone(uv_handle_t *handle) {
  client *it = handle->data;
  if (--it->server->clients == 0)
    end(it->server);
}

static void leave(client *it) {
  uv_close((uv_handle_t *)&it->timer, NULL);
  uv_close((uv_handle_t *)&it->handle, on_client_gone);
}

static void say(uv_timer_t *timer) {
  client *it = timer->data;
  char *line = malloc(6);
  if (line)
    send_bytes((uv_stream_t *)&it->handle, memcpy(line, "hello\n", 6), 6);
}

static void on_echo(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  client *it = stream->data;
  free(buffer->base);
  if (got < 0 || (got > 0 && --it->lines == 0))
    leave(it);
  else if (got > 0)
    uv_timer_start(&it->timer, say, IDLE / MS / 2, 0);
}

static void on_connected(uv_connect_t *request, int status) {
  client *it = request->data;
  if (status < 0 ||
      uv_read_start((uv_stream_t *)&it->handle, give_buffer, on_echo) < 0)
    leave(it);
  else if (it->lines > 0)
    say(&it->timer);
}

static void connect_client(client *it, const struct sockaddr_in *address) {
  uv_tcp_init(it->server->uv, &it->handle);
  uv_timer_init(it->server->uv, &it->timer);
  it->handle.data = it->timer.data = it->request.data = it;
  it->server->clients++;
  if (uv_tcp_connect(&it->request, &it->handle,
                     (const struct sockaddr *)address, on_connected) < 0)
    leave(it);
}

/* ---- the program --------------------------------------------------------- */

int main(void) {
  signal(SIGPIPE, SIG_IGN); /* libuv leaves that to the program, as aiowire */
  uv_loop_t uv;
  server it = {.uv = &uv};
  struct sockaddr_in address;
  int rc = uv_loop_init(&uv);
  if (rc == 0)
    rc = listen_anywhere(&it, &address);
  if (rc == 0)
    rc = begin(&it);
  if (rc < 0) {
    fprintf(stderr, "uv_echo: %s\n", aw_strerror(rc));
    return 1;
  }

  client talker = {.server = &it, .lines = 4}, silent = {.server = &it};
  connect_client(&talker, &address);
  connect_client(&silent, &address);
  uv_run(&uv, UV_RUN_DEFAULT); /* until nothing is open */

  printf("%d lines echoed; %d cut off\n", it.echoed, it.cut_off);
  rc = uv_loop_close(&uv); /* refuses if a handle is left */
  return rc == 0 && !it.first && it.echoed > 0 && it.cut_off > 0 ? 0 : 1;
}
