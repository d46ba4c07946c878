/* recorder.c - see recorder.h
 *
 *   the engine ─► instrument: hooks ─┐
 *   collector.c: cycles, pauses ─────┴─► ring ─► recorded.c: text
 *                                            └─► tracks.c, trace_json.c: file
 *
 * A hook runs in the middle of the engine's work: it allocates nothing, calls
 * no code of users, and uses the stack of `util` alone, which has room. What a
 * text is made of may be gone when somebody reads, so texts are copied at once.
 *
 * What an event costs. A step of a task takes one record and two readings of
 * the clock, a wait two records and one reading, since the end of a step and
 * the begin of the wait behind it are one moment. A yield, whose begin and end
 * are one moment, too, takes none. CPU time in a trace, in ns, where a reading
 * takes 17 ns; listen/states.c has its part in it:
 *
 *                                      off   on
 *     yield in one task                 20  169
 *     yield of two tasks in turn        91  172
 *     step of a machine                 43  162
 *     value through a channel          179  281
 *     TCP echo, 64 connections        3680 3990
 *
 * So an event cannot be had for 5 ns: the clock alone takes more, and an
 * instrument costs each step its short way through the engine (see
 * "instruments" in aiowire.h). Nothing is recorded unless it is asked for.
 *
 * Invariants
 *   - `stepping` of an engine is 0, or the task whose step has begun and not
 *     ended: at most one. The record of a step is written at its end. Steps of
 *     several engines nest.
 *   - `alive` and `waiting` count tasks that were told of, so `alive - waiting`
 *     are ready or run.
 */
#include "trace/recorder.h"

#include "base/show_value.h"
#include "base/values.h"
#include "errors/record.h"
#include "listen/instruments.h"
#include "listen/states.h"

#include <uv.h>

#include <stdio.h>
#include <string.h>

_Thread_local awm_recorder *awm_here;

/* KiB of Lua; -1 if Lua does not tell. */
static int32_t heap_of(const awl_state *s) {
  return lua_gc(s->util, LUA_GCCOUNT);
}

/* ---- records ---- */

/* Note what a virtual clock says, before the event at `at`. */
static void note_clock(awm_heard *h, uint64_t at) {
  uint64_t clock = aw_engine_now(h->core);
  if (clock == h->clock)
    return;
  h->clock = clock;
  *awm_ring_next(&h->recorder->ring) =
      (awm_record){.kind = AWM_CLOCK,
                   .at = at,
                   .task = awm_key(h->serial, 0),
                   .about.number = clock};
}

/* Return a new record for the caller to complete. */
static awm_record *new_record(awm_recorder *r, awm_kind kind, uint64_t key,
                              uint64_t at) {
  awm_record *record = awm_ring_next(&r->ring);
  *record = (awm_record){.kind = (uint8_t)kind,
                         .flags = r->telling ? AWM_TOLD : 0,
                         .at = at,
                         .task = key};
  r->fresh = 0;
  return record;
}

/* Return a new record of `task`. */
static awm_record *new_task_record(awm_heard *h, awm_kind kind,
                                   const aw_task *task, uint64_t at) {
  if (h->is_virtual)
    note_clock(h, at);
  return new_record(h->recorder, kind, awm_key(h->serial, aw_task_id(task)),
                    at);
}

/* ---- texts of values ---- */

/* The name of the class of error objects that is on top of `util`, without
 * "aiowire."; NULL: it is none of ours. */
static const char *error_class_name(const awl_state *s) {
  static const struct {
    awl_class class;
    const char *name;
  } names[] = {
#define NAMED(class, name, ...) {class, name},
      AWL_ERROR_TYPES(NAMED)
#undef NAMED
  };
  if (!lua_getmetatable(s->util, -1))
    return NULL;
  const void *metatable = lua_topointer(s->util, -1);
  lua_pop(s->util, 1);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (s->metatables[names[i].class] == metatable)
      return strchr(names[i].name, '.') + 1;
  return NULL;
}

/* Write what the value on top of `util` (popped) says. */
static void write_value(const awl_state *s, char *out, size_t size) {
  lua_State *util = s->util;
  const char *class = error_class_name(s);
  switch (lua_type(util, -1)) {
  case LUA_TSTRING: snprintf(out, size, "%s", lua_tostring(util, -1)); break;
  case LUA_TNUMBER: snprintf(out, size, "%.14g", lua_tonumber(util, -1)); break;
  case LUA_TNIL: out[0] = '\0'; break;
  default: snprintf(out, size, "%s", class ? class : luaL_typename(util, -1));
  }
  lua_pop(util, 1);
}

/* Write what the kept value says: an info says what its error says. */
static void write_kept(awl_state *s, aw_value value, char *out, size_t size) {
  awl_push_value_on_util(s, value);
  if (awl_test_record(s->util, -1)) {
    awl_push_fact(s->util, -1, AWL_FACT_ERR);
    lua_remove(s->util, -2);
  }
  write_value(s, out, size);
}

/* Write the text of an error, as far as it can be had without Lua code. */
static void write_error(awl_state *s, const aw_error *error, char *out,
                        size_t size) {
  out[0] = '\0';
  aw_value value = aw_error_value(error);
  if (value && !s->closing)
    write_kept(s, value, out, size);
  if (out[0])
    return;
  const char *call = aw_error_call(error), *subject = aw_error_subject(error);
  snprintf(out, size, "%s%s%s%s%s", call ? call : "",
           call && subject ? " " : "", subject ? subject : "",
           call || subject ? ": " : "", aw_strerror(aw_error_code(error)));
}

/* ---- hooks ---- */

enum { TEXT_SIZE = AWM_MOST_TEXTS * AWM_TEXT_BYTES };

static void record_start(void *data, const aw_task *task) {
  awm_heard *h = data;
  const aw_task *parent = aw_task_parent(task);
  awm_record *record = new_task_record(h, AWM_STARTED, task, uv_hrtime());
  if (h->stepping && !h->recorder->telling)
    record->about.number = awm_key_id(h->stepping);
  else
    record->about.number = parent ? aw_task_id(parent) : 0;
  if (aw_task_background(task))
    record->flags |= AWM_BACKGROUND;
  awm_ring_add_texts(&h->recorder->ring, record, aw_task_name(task),
                     aw_task_where(task));
  h->recorder->alive++;
}

static void record_end(void *data, const aw_task *task) {
  awm_heard *h = data;
  char text[TEXT_SIZE];
  awm_record *record = new_task_record(h, AWM_ENDED, task, uv_hrtime());
  record->result = (int32_t)aw_task_state_of(task);
  const aw_error *error = aw_task_error(task);
  if (aw_task_state_of(task) == AW_TASK_FAILED && error) {
    write_error(h->recorder->state, error, text, sizeof text);
    awm_ring_add_text(&h->recorder->ring, record, text);
  }
  h->recorder->alive--;
}

static void record_cancel(void *data, const aw_task *task) {
  awm_heard *h = data;
  char text[TEXT_SIZE];
  aw_value reason = 0;
  awm_record *record = new_task_record(h, AWM_CANCELLED, task, uv_hrtime());
  record->result = (int32_t)aw_task_cancelled_by(task, &reason);
  if (aw_task_overdue(task))
    record->flags |= AWM_HARD;
  if (reason && !h->recorder->state->closing) {
    write_kept(h->recorder->state, reason, text, sizeof text);
    awm_ring_add_text(&h->recorder->ring, record, text);
  }
}

static void record_step_begin(void *data, const aw_task *task) {
  awm_heard *h = data;
  h->recorder->fresh = 0;
  h->stepping = awm_key(h->serial, aw_task_id(task));
  h->step_at = uv_hrtime();
}

static void record_step_end(void *data, const aw_task *task) {
  awm_heard *h = data;
  uint64_t now = uv_hrtime();
  (void)task; /* `stepping` */
  if (h->is_virtual)
    note_clock(h, now);
  new_record(h->recorder, AWM_STEP, h->stepping, now)->about.number =
      h->step_at;
  h->stepping = 0;
  h->recorder->fresh = now;
}

/* Most labels differ in their first letters. */
static bool is_label(const char *label, const char *other) {
  return label[0] == other[0] && strcmp(label, other) == 0;
}

/* Complete the record of a wait, by what the engine knows of it. */
static void describe_wait(awm_recorder *r, awm_record *record,
                          const aw_waiting *waiting) {
  char text[AWL_LONGEST_WAIT];
  if (waiting->task) {
    record->kind = AWM_WAIT_TASK;
    record->about.number = aw_task_id(waiting->task);
  } else if (waiting->children) {
    record->kind = AWM_WAIT_CHILDREN;
    record->about.number = waiting->children;
  } else if (is_label(record->about.label, "sleep")) {
    record->kind = AWM_WAIT_SLEEP;
    record->about.number =
        waiting->until == AW_NEVER ? AW_NEVER : waiting->span;
  } else if (waiting->operation) {
    awl_describe(waiting->operation, waiting->data, text, sizeof text);
    awm_ring_add_text(&r->ring, record, text);
  }
}

static void record_wait(void *data, const aw_task *task, const char *label) {
  awm_heard *h = data;
  awm_recorder *r = h->recorder;
  if (is_label(label, "yield")) {
    r->yielding = true;
    return;
  }
  aw_waiting waiting;
  awm_record *record =
      new_task_record(h, AWM_WAIT, task, r->fresh ? r->fresh : uv_hrtime());
  record->about.label = label;
  if (aw_task_waiting(task, &waiting))
    describe_wait(r, record, &waiting);
  r->waiting++;
}

static void record_wait_end(void *data, const aw_task *task, int result) {
  awm_heard *h = data;
  if (h->recorder->yielding) {
    h->recorder->yielding = false;
    return;
  }
  new_task_record(h, AWM_WAIT_ENDED, task, uv_hrtime())->result = result;
  h->recorder->waiting--;
}

static void record_block(void *data, uint64_t until) {
  (void)until;
  ((awm_heard *)data)->blocked_at = uv_hrtime();
}

static void record_span(awm_recorder *r, awm_kind kind, uint64_t key,
                        uint64_t began, uint8_t flags) {
  awm_record *record = new_record(r, kind, key, uv_hrtime());
  record->flags |= flags;
  record->about.number = began;
  record->result = heap_of(r->state);
}

static void record_unblock(void *data) {
  awm_heard *h = data;
  if (h->blocked_at)
    record_span(h->recorder, AWM_BLOCKED, awm_key(h->serial, 0), h->blocked_at,
                0);
  h->blocked_at = 0;
}

void awm_record_pause(awm_recorder *r, uint64_t began, bool full) {
  record_span(r, AWM_PAUSE, 0, began, full ? AWM_FULL : 0);
}

void awm_record_cycle(awm_recorder *r) {
  new_record(r, AWM_CYCLE, 0, uv_hrtime())->result = heap_of(r->state);
}

/* ---- life ---- */

static void *begin_hearing(void *data, const awl_engine *engine) {
  awm_recorder *r = data;
  awm_heard *h = aw_allocate(sizeof *h);
  if (!h)
    return NULL;
  *h = (awm_heard){.recorder = r,
                   .core = engine->core,
                   .serial = engine->serial,
                   .is_virtual = engine->is_virtual,
                   .clock = AW_NEVER,
                   .next = r->engines,
                   .place = &r->engines};
  if (h->next)
    h->next->place = &h->next;
  r->engines = h;
  if (h->is_virtual)
    note_clock(h, uv_hrtime());
  return h;
}

static void end_hearing(void *data) {
  awm_heard *h = data;
  *h->place = h->next;
  if (h->next)
    h->next->place = h->place;
  aw_free(h);
}

/* Listen, and be told of what is there already. */
static int listen_to_engines(awm_recorder *r) {
  const awm_listener listener = {.to = {.data = r,
                                        .task_started = record_start,
                                        .task_ended = record_end,
                                        .task_cancelled = record_cancel,
                                        .step_begins = record_step_begin,
                                        .step_ends = record_step_end,
                                        .wait_begins = record_wait,
                                        .wait_ends = record_wait_end,
                                        .before_blocking = record_block,
                                        .after_blocking = record_unblock},
                                 .engine_begins = begin_hearing,
                                 .engine_ends = end_hearing};
  r->alive = r->waiting = 0;
  r->yielding = false;
  r->telling = true;
  int rc = awm_listen(r->state, &listener, &r->own);
  r->telling = false;
  return rc;
}

static void free_recorder(awl_state *s) {
  awm_recorder *r = s->recorder;
  if (awm_here == r)
    awm_here = NULL;
  aw_lua_instrument_remove(r->own);
  awm_ring_free(&r->ring);
  aw_free(r->text);
  aw_free(r);
  s->recorder = NULL;
  awm_states_leave(s);
}

static int make_recorder(awl_state *s, size_t cells) {
  awm_recorder *r = aw_allocate(sizeof *r);
  if (!r)
    return AW_ENOMEM;
  s->recorder = r;
  r->state = s;
  awm_states_use(s);
  r->registry = lua_topointer(s->main, LUA_REGISTRYINDEX);
  int rc = awm_ring_resize(&r->ring, cells);
  if (rc == 0)
    rc = listen_to_engines(r);
  if (rc < 0)
    free_recorder(s);
  else
    awm_here = r;
  return rc;
}

/* Let a recorder that exists hear of all tasks again. */
static int enlarge(awm_recorder *r, size_t cells) {
  int rc = r->ring.mask + 1 < cells ? awm_ring_resize(&r->ring, cells) : 0;
  if (rc < 0)
    return rc;
  aw_lua_instrument_remove(r->own);
  r->own = NULL;
  rc = listen_to_engines(r);
  if (rc < 0) /* a recorder that hears nothing would only seem to record */
    free_recorder(r->state);
  return rc;
}

int awm_recorder_use(awl_state *s, awm_use use, size_t cells) {
  int rc = 0;
  if (!s->recorder)
    rc = make_recorder(s, cells);
  else if (use == AWM_FOR_TRACE)
    rc = enlarge(s->recorder, cells);
  if (rc == 0)
    s->recorder->uses |= use;
  return rc;
}

void awm_recorder_leave(awl_state *s, awm_use use) {
  awm_recorder *r = s->recorder;
  if (!r || !(r->uses & use))
    return;
  r->uses &= ~(unsigned)use;
  if (!r->uses)
    free_recorder(s);
  else if (use == AWM_FOR_TRACE) /* without memory it stays large */
    (void)awm_ring_resize(&r->ring, AWM_RECORD_CELLS);
}
