/* host.h - hosts that drive an engine, for tests
 *
 * A host is of one of two kinds. A HOSTED engine is in the host's libuv loop; a
 * FOREIGN host polls the descriptor of the engine, for no longer than the
 * engine says, and gives it a turn. A wake-up that is missed keeps the test
 * from ending.
 *
 * `running` counts the loops that were begun and whose end was not told. `act`
 * is called while the engine rests, at the last moment before the host blocks:
 * the host has asked for the time-out already; libuv has run the engine's
 * prepare. It returns true to be called again.
 */
#ifndef HOST_H
#define HOST_H

#include "check.h"

#include <poll.h>
#include <uv.h>

typedef enum host_kind { HOSTED, FOREIGN, HOST_KINDS } host_kind;

typedef struct host {
  host_kind kind;
  uv_loop_t uv;         /* HOSTED */
  uv_prepare_t prepare; /* HOSTED: of the host; runs after that of the engine */
  aw_engine *engine;
  int running, closed;
  size_t turns;
  void *data;
  bool (*act)(struct host *host);
  void (*ended)(struct host *host, aw_loop *loop);
} host;

static inline void host_act(host *h) {
  if (h->act && !h->act(h))
    h->act = NULL;
}

static inline void host_prepared(uv_prepare_t *prepare) {
  host *h = prepare->data;
  if (h->running > 0 && aw_engine_timeout(h->engine) > 0)
    host_act(h);
}

static inline void host_open_uv(host *h) {
  CHECK(uv_loop_init(&h->uv) == 0);
  uv_prepare_init(&h->uv, &h->prepare);
  h->prepare.data = h;
  uv_prepare_start(&h->prepare, host_prepared); /* libuv runs the last first */
  uv_unref((uv_handle_t *)&h->prepare);
}

static inline void host_close_uv(host *h) {
  uv_close((uv_handle_t *)&h->prepare, NULL);
  uv_run(&h->uv, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&h->uv) == 0);
}

static inline void host_loop_ended(void *data, aw_loop *loop) {
  host *h = data;
  h->running--;
  if (h->ended)
    h->ended(h, loop);
  else
    CHECK(aw_loop_free(loop) == 0);
}

/* Open a host with one engine. `config` may be NULL; its host, uv and ended are
 * set here. */
static inline void host_open(host *h, host_kind kind,
                             const aw_engine_config *config) {
  aw_engine_config c = config ? *config : (aw_engine_config){0};
  memset(h, 0, sizeof *h);
  h->kind = kind;
  c.host = h;
  c.ended = host_loop_ended;
  if (kind == HOSTED) {
    host_open_uv(h);
    c.uv = &h->uv;
    c.uv_size = sizeof(uv_loop_t);
  }
  CHECK(aw_engine_new(&c, &h->engine) == 0);
  if (kind == FOREIGN)
    CHECK(aw_engine_fd(h->engine) >= 0);
  CHECK(aw_engine_driven(h->engine));
  log_clear();
}

static inline void host_begin(host *h, aw_loop *loop) {
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  h->running++;
}

/* Make a loop for `wire`, and begin it. `ended` frees the loop, or the test. */
static inline aw_loop *host_start(host *h, aw_wire *wire) {
  aw_loop *loop = new_loop(h->engine);
  start(loop, wire);
  host_begin(h, loop);
  return loop;
}

/* Sleep until the engine wants a turn. */
static inline void host_poll(host *h) {
  uint64_t ns = aw_engine_timeout(h->engine);
  int ms = ns == AW_NEVER ? -1 : (int)((ns + 999999) / 1000000);
  if (ns > 0)
    host_act(h);
  struct pollfd poller = {.fd = aw_engine_fd(h->engine), .events = POLLIN};
  CHECK(poll(&poller, 1, ms) >= 0);
}

/* Run until all loops have ended. */
static inline void host_run(host *h) {
  if (h->kind == HOSTED)
    uv_run(&h->uv, UV_RUN_DEFAULT);
  while (h->kind == FOREIGN && h->running > 0) {
    host_poll(h);
    CHECK(aw_engine_turn(h->engine) >= 0);
    h->turns++;
  }
  CHECK(h->running == 0);
}

static inline void host_engine_closed(void *data) {
  ((host *)data)->closed++;
}

/* Check that nothing is left in the engine, and free it. */
static inline void host_close(host *h) {
  check_stats(h->engine);
  CHECK(aw_engine_close(h->engine, host_engine_closed, h) == 0);
  if (h->kind == HOSTED) {
    CHECK(h->closed == 0); /* the host's loop has to run for it */
    host_close_uv(h);
  }
  CHECK(h->closed == 1);
}

#endif
