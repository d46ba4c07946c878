/* engine.c - the life of an engine
 *
 * An engine with a libuv loop of its own closes that at once. One in the loop
 * of its host begins to close its handles, and the rest happens when the host
 * runs that loop; until then libuv.c keeps the memory of the engine.
 *
 * This file assembles the core: no other file includes or calls it.
 */
#include "base/config.h"
#include "base/error.h"
#include "base/libuv.h"
#include "base/memory.h"
#include "base/ready.h"
#include "drive/hosted.h"
#include "drive/next.h"
#include "sources/epoll.h"
#include "sources/poller.h"

#include <string.h>

/* The errors that are made ahead of need; they are not counted. */
enum { MADE_AHEAD = 2 };

static int make_errors(aw_engine *engine) {
  engine->no_memory = aw__error_make(engine, AW_ENOMEM, 0);
  engine->unwanted = aw__error_make(engine, AW_EHOST, 0);
  if (!engine->no_memory || !engine->unwanted) {
    aw_free(engine->no_memory);
    aw_free(engine->unwanted);
    return AW_ENOMEM;
  }
  engine->no_memory->fixed = engine->unwanted->fixed = true;
  engine->errors = 0;
  return 0;
}

static void init_fields(aw_engine *engine) {
  engine->refs = 1;
  engine->random = engine->config.seed;
  engine->choices = ~engine->config.seed; /* unlike those of a shuffle */
  engine->credit = engine->credit_size = 1;
  engine->wake_at = AW_NEVER;
  aw__list_init(&engine->ready.tasks);
  engine->drive.until = AW_NEVER;
  engine->drive.outer = -1;
  aw__list_init(&engine->drive.ended);
  aw__list_init(&engine->closed);
  aw__list_init(&engine->reports);
  aw__list_init(&engine->running);
  aw__list_init(&engine->idle);
  aw__list_init(&engine->poller.changed);
  aw__list_init(&engine->poller.idle);
  if (engine->config.clock == AW_CLOCK_REAL)
    engine->now = engine->looked = uv_hrtime();
  if (engine->config.seed == 0)
    engine->random = engine->now; /* jitter differs in each process [O10] */
}

/* Returns 0 or AW_EINVAL. */
static int read_config(const void *config, aw_engine_config *out) {
  if (!config)
    return 0;
  const aw_config_layout layout = AW_CONFIG_LAYOUT(aw_engine_config);
  int rc = aw__config_copy(&config, layout, out);
  bool clock = out->clock == AW_CLOCK_REAL || out->clock == AW_CLOCK_VIRTUAL;
  return rc == 0 && !clock ? AW_EINVAL : rc;
}

int aw_engine_new(const aw_engine_config *config, aw_engine **out) {
  aw_engine_config own = {0};
  if (!out || read_config(config, &own) < 0)
    return AW_EINVAL;
  aw_engine *engine = aw_allocate(sizeof *engine);
  if (!engine)
    return AW_ENOMEM;
  engine->config = own;
  init_fields(engine);
  int rc = make_errors(engine);
  if (rc < 0)
    goto free_engine;
  if (engine->config.uv)
    rc = aw__hosted_open(engine);
  if (rc < 0)
    goto free_errors;
  *out = engine;
  return 0;

free_errors:
  aw_free(engine->no_memory);
  aw_free(engine->unwanted);
free_engine:
  aw_free(engine);
  return rc;
}

static void close_all(aw_engine *engine, void (*closed)(void *data),
                      void *data) {
  aw__libuv_close_others(engine);
  if (!engine->uv)
    return;
  aw__poller_free(engine);
  aw__epoll_close_outer(engine);
  if (engine->config.uv)
    aw__libuv_leave(engine, closed, data);
  else
    aw__libuv_close(engine);
}

static void free_queues(aw_engine *engine) {
  aw_deadlines *d = &engine->deadlines;
  aw__free(engine, d->heap, d->capacity * sizeof *d->heap);
  aw__free(engine, engine->ready.scratch,
           engine->ready.scratch_size * sizeof *engine->ready.scratch);
}

static bool is_busy(const aw_engine *engine) {
  return engine->loops > 0 || engine->gate & AW_INSIDE || engine->polling;
}

int aw_engine_close(aw_engine *engine, void (*closed)(void *data), void *data) {
  if (!engine)
    return AW_EINVAL;
  if (is_busy(engine))
    return AW_EBUSY;
  bool hosted = engine->config.uv != NULL;
  engine->ready.rouse = NULL;
  close_all(engine, closed, data);
  free_queues(engine);
  aw__forget_notices(engine);
  engine->freed = true;
  engine->config.drop = NULL;
  engine->config.keep = NULL;
  engine->config.gather = NULL;
  engine->errors += MADE_AHEAD;
  aw_error_release(engine->no_memory);
  aw_error_release(engine->unwanted);
  aw__engine_release(engine);
  if (!hosted && closed)
    closed(data);
  return 0;
}

int aw_engine_free(aw_engine *engine) {
  return engine ? aw_engine_close(engine, NULL, NULL) : 0;
}

const aw_engine_config *aw_engine_config_of(const aw_engine *engine) {
  return &engine->config;
}

void aw_engine_set_host(aw_engine *engine, void *host) {
  engine->config.host = host;
}

const char *aw_version(void) {
  return AW_VERSION_STRING;
}

aw_task *aw_current(const aw_engine *engine) {
  return engine->current;
}

void aw_engine_stats(const aw_engine *engine, aw_stats *out) {
  memset(out, 0, sizeof *out);
  out->loops = engine->loops;
  out->tasks = engine->tasks;
  out->scopes = engine->scopes;
  const aw_deadlines *d = &engine->deadlines;
  out->deadlines = d->near + d->end - d->later;
  out->errors = engine->errors;
  out->bytes = engine->bytes;
  out->steps = engine->steps;
  out->handles = engine->config.uv ? aw__poller_watches(engine)
                                   : aw__libuv_handles(engine);
  out->handles -= aw__poller_idle(engine);
}

void aw_engine_wake_at(aw_engine *engine, uint64_t at) {
  engine->wake_at = at;
  aw__ready_rouse(engine);
}

int aw_engine_uv(aw_engine *engine, void **out) {
  if (!engine || !out)
    return AW_EINVAL;
  int rc = aw__libuv_open(engine);
  aw__poller_close_idle(engine);
  if (rc == 0)
    engine->shared_uv = true;
  *out = rc < 0 ? NULL : engine->uv;
  return rc;
}
