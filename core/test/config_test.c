/* config_test.c - structs that a program fills, of any version */
#include "check.h"

#include "base/config.h"

/* ---- the helper, with a struct that has grown ---- */

typedef struct grown {
  int a;
  size_t size;
  uint64_t b; /* of a later version than 0.1 */
} grown;

typedef struct newer {
  grown known;
  uint64_t c;
} newer;

static int fit(const grown *given, grown *room, const grown **out) {
  const void *config = given;
  int rc = aw__config_fit(&config, AW_CONFIG_LAYOUT(grown), room);
  *out = config;
  return rc;
}

static void this_version_is_used_as_it_is(void) {
  grown given = {1, sizeof given, 2}, room;
  const grown *out;
  CHECK(fit(&given, &room, &out) == 0);
  CHECK(out == &given);
}

static void an_older_program_means_zeros(void) {
  const size_t old[] = {0, offsetof(grown, size) + sizeof(size_t)};
  for (size_t i = 0; i < 2; i++) {
    grown given = {1, old[i], 2}, room;
    const grown *out;
    CHECK(fit(&given, &room, &out) == 0);
    CHECK(out == &room && room.a == 1 && room.b == 0);
  }
}

static void a_newer_program_may_leave_the_rest_at_zero(void) {
  newer given;
  memset(&given, 0, sizeof given);
  given.known = (grown){1, sizeof given, 2};
  grown room;
  const grown *out;
  CHECK(fit(&given.known, &room, &out) == 0);
  CHECK(out->a == 1 && out->b == 2);
  given.c = 3;
  CHECK(fit(&given.known, &room, &out) == AW_EINVAL);
}

/* Such as that of a struct which nobody has filled: it is not read so far. */
static void no_version_is_that_large(void) {
  const size_t wrong[] = {4097, SIZE_MAX / 2, SIZE_MAX};
  for (size_t i = 0; i < 3; i++) {
    grown given = {1, wrong[i], 2}, room;
    const grown *out;
    CHECK(fit(&given, &room, &out) == AW_EINVAL);
  }
}

static void no_version_is_that_small(void) {
  const size_t first = offsetof(grown, size) + sizeof(size_t);
  for (size_t size = 1; size < first; size++) {
    grown given = {1, size, 2}, room;
    const grown *out;
    CHECK(fit(&given, &room, &out) == AW_EINVAL);
  }
}

/* ---- the functions that take such structs ---- */

static size_t dropped;

static void drop(void *host, aw_value value) {
  (void)host;
  dropped += (size_t)value;
}

/* A struct of a newer version: `known` in front of a member that nobody here
 * knows. */
#define NEWER(type) \
  struct { \
    type known; \
    uint64_t unknown; \
  }
#define BAD(type, ...) \
  NEWER(type) bad; \
  memset(&bad, 0, sizeof bad); \
  bad.known = (type){__VA_ARGS__}; \
  bad.known.size = sizeof bad; \
  bad.unknown = 1

static void an_engine_refuses_what_it_does_not_know(void) {
  aw_engine *engine = NULL;
  BAD(aw_engine_config, .clock = AW_CLOCK_VIRTUAL);
  CHECK(aw_engine_new(&bad.known, &engine) == AW_EINVAL);
  CHECK(engine == NULL);
  bad.unknown = 0;
  CHECK(aw_engine_new(&bad.known, &engine) == 0);
  CHECK(aw_engine_virtual(engine));
  empty(engine, NULL);
  aw_engine_config config = {.clock = (aw_clock)7};
  CHECK(aw_engine_new(&config, &engine) == AW_EINVAL);
  CHECK(aw_engine_new(NULL, NULL) == AW_EINVAL);
}

static aw_engine *dropping_engine(void) {
  aw_engine_config config = {.clock = AW_CLOCK_VIRTUAL,
                             .drop = drop,
                             .deadlocks = true,
                             .size = sizeof config};
  aw_engine *engine;
  CHECK(aw_engine_new(&config, &engine) == 0);
  dropped = 0;
  return engine;
}

static void a_loop_refuses_what_it_does_not_know(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *loop = NULL;
  BAD(aw_loop_config, .grace = 7, .host = 3);
  CHECK(aw_loop_new(engine, &bad.known, &loop) == AW_EINVAL);
  CHECK(loop == NULL && dropped == 3);
  bad.unknown = 0;
  CHECK(aw_loop_new(engine, &bad.known, &loop) == 0);
  CHECK(aw_loop_grace(loop) == 7 && aw_loop_host(loop) == 3);
  CHECK(aw_loop_new(NULL, NULL, &loop) == AW_EINVAL);
  CHECK(aw_loop_new(engine, NULL, NULL) == AW_EINVAL);
  empty(engine, loop);
  CHECK(dropped == 6);
}

static void a_task_refuses_what_it_does_not_know(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = NULL;
  BAD(aw_task_config, .name = "task", .handler = 3, .locals = 4);
  CHECK(aw_loop_start(loop, says("never"), &bad.known, &task) == AW_EINVAL);
  CHECK(task == NULL && dropped == 7);
  CHECK(aw_loop_start(NULL, says("never"), NULL, NULL) == AW_EINVAL);
  CHECK(aw_scope_start(NULL, says("never"), NULL, NULL) == AW_EINVAL);
  bad.unknown = 0;
  CHECK(aw_loop_start(loop, says("now"), &bad.known, &task) == 0);
  CHECK(strcmp(aw_task_name(task), "task") == 0);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("now ");
  aw_task_release(task);
  empty(engine, loop);
}

static aw_turn open_badly(aw_task *task, void *data) {
  aw_scope *scope = NULL;
  BAD(aw_scope_config, .deadline = AW_NEVER, .grace = AW_DEFAULT);
  CHECK(aw_scope_open(task, &bad.known, &scope) == AW_EINVAL);
  CHECK(aw_scope_open(task, NULL, &scope) == AW_EINVAL);
  CHECK(aw_scope_open(NULL, &bad.known, &scope) == AW_EINVAL);
  bad.unknown = 0;
  CHECK(aw_scope_open(task, &bad.known, NULL) == AW_EINVAL);
  CHECK(scope == NULL);
  CHECK(aw_scope_open(task, &bad.known, &scope) == 0);
  CHECK(aw_scope_leave(task, NULL, false) == 0);
  aw_scope_end end;
  aw_scope_close(task, &end);
  return note(task, data);
}

static void a_scope_refuses_what_it_does_not_know(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_call(open_badly, (void *)(uintptr_t) "opened"));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("opened ");
  empty(engine, loop);
}

static void a_channel_refuses_what_it_does_not_know(void) {
  aw_channel *channel = NULL;
  BAD(aw_channel_config, .capacity = 2, .drop = drop, .end = 5);
  dropped = 0;
  CHECK(aw_channel_new(&bad.known, &channel) == AW_EINVAL);
  CHECK(channel == NULL && dropped == 5);
  bad.unknown = 0;
  CHECK(aw_channel_new(&bad.known, NULL) == AW_EINVAL);
  CHECK(dropped == 10);
  CHECK(aw_channel_new(&bad.known, &channel) == 0);
  aw_channel_release(channel);
  CHECK(dropped == 15);
  CHECK(aw_channel_new(NULL, &channel) == 0);
  CHECK(aw_channel_send_waits(channel));
  aw_channel_release(channel);
}

static void a_retry_refuses_what_it_does_not_know(void) {
  BAD(aw_retry_rule, .times = 2);
  CHECK(aw_retry(says("never"), &bad.known, says("never")) == NULL);
  CHECK(aw_retry(says("never"), NULL, says("never")) == NULL);
  bad.unknown = 0;
  aw_wire *wire = aw_retry(says("now"), &bad.known, NULL);
  CHECK(wire != NULL);
  aw_wire_view view;
  aw_wire_look(wire, &view);
  CHECK(view.rule->times == 2 && view.rule->most == AW_NEVER);
  aw_wire_release(wire);
}

int main(void) {
  this_version_is_used_as_it_is();
  an_older_program_means_zeros();
  a_newer_program_may_leave_the_rest_at_zero();
  no_version_is_that_small();
  no_version_is_that_large();
  an_engine_refuses_what_it_does_not_know();
  a_loop_refuses_what_it_does_not_know();
  a_task_refuses_what_it_does_not_know();
  a_scope_refuses_what_it_does_not_know();
  a_channel_refuses_what_it_does_not_know();
  a_retry_refuses_what_it_does_not_know();
  return 0;
}
