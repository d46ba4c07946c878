/* tracks.c - see tracks.h
 *
 *   ring ─► first pass: the time of the first event
 *        └► second pass: slices, in the order of their ends ─► sort
 *
 * The oldest events may be overwritten. A task whose start is lost lives from
 * the first moment on, and a wait whose begin is lost has begun there, too: had
 * the task done anything before in the ring, its wait would be there. Names of
 * such tasks are those that they have now, if they are alive.
 *
 * What is under way at the end lasts until the end.
 */
#include "trace/tracks.h"

#include <uv.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

/* Make room for one more element; false: out of memory. */
static bool has_element_room(void **list, uint32_t count, uint32_t *room,
                             size_t size) {
  if (count < *room)
    return true;
  uint32_t larger = *room ? *room * 2 : 256;
  void *grown = aw_reallocate(*list, larger * size);
  if (!grown)
    return false;
  *list = grown;
  *room = larger;
  return true;
}

awm_track *awm_tracks_find(const awm_tracks *t, uint64_t key) {
  uint32_t place = awm_key_index_find(&t->track_places, key);
  return place == AWM_NO_PLACE ? NULL : &t->tracks[place];
}

/* ---- engines ---- */

/* Return an engine, which is added if need be; NULL: out of memory. */
static awm_engine_track *need_engine(awm_tracks *t, uint64_t serial) {
  uint32_t place = awm_key_index_find(&t->engine_places, serial);
  if (place != AWM_NO_PLACE)
    return &t->engines[place];
  if (!has_element_room((void **)&t->engines, t->engine_count, &t->engine_room,
                        sizeof *t->engines) ||
      !awm_key_index_add(&t->engine_places, serial, t->engine_count))
    return NULL;
  awm_engine_track *engine = &t->engines[t->engine_count++];
  *engine = (awm_engine_track){.serial = serial,
                               .worked = t->from,
                               .clock = AW_NEVER,
                               .first_clock = AW_NEVER};
  return engine;
}

const awm_engine_track *awm_tracks_engine(const awm_tracks *t, uint64_t key) {
  return &t->engines[awm_key_index_find(&t->engine_places,
                                        awm_key_engine(key))];
}

/* Let the numbers of each engine begin at a multiple of `round`; returns the
 * end of all numbers. */
static uint64_t number_engines(const awm_tracks *t, uint64_t round) {
  uint64_t base = 0;
  for (uint32_t i = 0; i < t->engine_count; i++) {
    t->engines[i].base = base;
    base += (t->engines[i].most / round + 1) * round;
  }
  return base;
}

/* Programs that show a trace keep the number of a track in 32 bits. */
static void number_tracks(const awm_tracks *t) {
  uint64_t round = 1000000;
  while (number_engines(t, round) > INT32_MAX && round > 1)
    round /= 10;
}

uint64_t awm_track_number(const awm_tracks *t, uint64_t key) {
  return awm_tracks_engine(t, key)->base + awm_key_id(key);
}

void awm_write_id(const awm_tracks *t, uint64_t key, char *out, size_t size) {
  unsigned long long engine = awm_key_engine(key), id = awm_key_id(key);
  if (t->engine_count > 0 && t->engines[0].serial == engine)
    snprintf(out, size, "%llu", id);
  else
    snprintf(out, size, "%llu:%llu", engine, id);
}

/* ---- slices ---- */

typedef struct builder {
  awm_tracks *t;
  const awm_event *event;
  uint32_t record;          /* of the event */
  awm_engine_track *engine; /* of the event */
  uint64_t moved;           /* ns that times of this engine are moved by */
  uint64_t at, began;       /* when the event was, and began if it lasted */
} builder;

/* Add a slice for the event; NULL: out of memory. */
static awm_slice *add_slice(const builder *b, awm_slice_kind kind,
                            uint64_t track, uint64_t at, uint64_t end) {
  awm_tracks *t = b->t;
  if (!has_element_room((void **)&t->slices, t->slice_count, &t->slice_room,
                        sizeof *t->slices))
    return NULL;
  awm_slice *slice = &t->slices[t->slice_count];
  *slice = (awm_slice){.at = at,
                       .end = end,
                       .track = track,
                       .clock = b->engine->clock,
                       .record = b->record,
                       .ended = AWM_NO_RECORD,
                       .order = t->slice_count++,
                       .kind = (uint8_t)kind};
  return slice;
}

/* Return the track of a task, with its life; NULL: out of memory. */
static awm_track *need_track(const builder *b, uint64_t key) {
  awm_tracks *t = b->t;
  awm_track *track = awm_tracks_find(t, key);
  if (track)
    return track;
  if (!has_element_room((void **)&t->tracks, t->track_count, &t->track_room,
                        sizeof *t->tracks) ||
      !awm_key_index_add(&t->track_places, key, t->track_count))
    return NULL;
  awm_slice *life = add_slice(b, AWM_LIFE, key, t->from, AW_NEVER);
  if (!life)
    return NULL;
  life->record = AWM_NO_RECORD;
  life->clock = AW_NEVER;
  if (awm_key_id(key) > b->engine->most)
    b->engine->most = awm_key_id(key);
  track = &t->tracks[t->track_count++];
  memset(track, 0, sizeof *track);
  track->key = key;
  track->life = life->order;
  track->wait = AWM_NO_RECORD;
  return track;
}

/* ---- events ---- */

static void name_track(awm_track *track, const char *name, const char *where) {
  track->named = name && name[0];
  const char *text = track->named ? name : where ? where : "";
  size_t size = strlen(text);
  if (size >= sizeof track->name)
    size = sizeof track->name - 1;
  memcpy(track->name, text, size);
  track->name[size] = '\0';
}

static bool take_start(const builder *b, awm_track *track) {
  const awm_record *record = &b->event->record;
  uint64_t by = awm_key(b->engine->serial, record->about.number);
  awm_slice *life = &b->t->slices[track->life];
  life->at = b->at;
  life->record = b->record;
  life->clock = b->engine->clock;
  name_track(track, b->event->text, b->event->second);
  if ((record->flags & AWM_TOLD) || !record->about.number)
    return true;
  track->begun_here = true;
  return need_track(b, by) && add_slice(b, AWM_FLOW_OUT, by, b->at, b->at);
}

static bool take_end(const builder *b, const awm_track *track) {
  const awm_record *record = &b->event->record;
  b->t->slices[track->life].end = b->at;
  b->t->slices[track->life].ended = b->record;
  return record->result != AW_TASK_FAILED ||
         add_slice(b, AWM_FAILING, record->task, b->at, b->at);
}

/* The arrow from the start of a task leads to what it does first. */
static bool end_flow(const builder *b, awm_track *track, uint64_t at) {
  bool first = !track->active && track->begun_here;
  track->active = true;
  return !first || add_slice(b, AWM_FLOW_IN, track->key, at, at);
}

static bool take_step(const builder *b, awm_track *track) {
  return add_slice(b, AWM_STEPPING, track->key, b->began, b->at) &&
         end_flow(b, track, b->began);
}

static bool take_wait(const builder *b, awm_track *track) {
  const awm_slice *wait =
      add_slice(b, AWM_WAITING, track->key, b->at, AW_NEVER);
  if (wait)
    track->wait = wait->order;
  return wait && end_flow(b, track, b->at);
}

static bool take_wait_end(const builder *b, awm_track *track) {
  awm_tracks *t = b->t;
  if (track->wait == AWM_NO_RECORD) {
    awm_slice *lost = add_slice(b, AWM_WAITING, b->event->record.task,
                                t->slices[track->life].at, b->at);
    if (!lost)
      return false;
    lost->record = AWM_NO_RECORD;
    lost->clock = AW_NEVER;
    track->wait = lost->order;
  }
  t->slices[track->wait].end = b->at;
  t->slices[track->wait].ended = b->record;
  track->wait = AWM_NO_RECORD;
  return true;
}

/* What lies before a time of blocking, since the last one, is work. */
static bool take_blocking(const builder *b) {
  uint64_t own = b->event->record.task, worked = b->engine->worked;
  b->engine->worked = b->at;
  return (b->began <= worked ||
          add_slice(b, AWM_WORKING, own, worked, b->began)) &&
         add_slice(b, AWM_BLOCKING, own, b->began, b->at);
}

/* The collector is shown on the track of the first engine. */
static bool take_collector(const builder *b, bool paused) {
  uint64_t own = awm_key(b->engine->serial, 0);
  b->t->pauses += paused;
  return paused ? add_slice(b, AWM_PAUSING, own, b->began, b->at) != NULL
                : add_slice(b, AWM_CYCLING, own, b->at, b->at) != NULL;
}

static bool take_event(const builder *b) {
  const awm_record *record = &b->event->record;
  bool has_task = awm_key_id(record->task) != 0;
  awm_track *track = has_task ? need_track(b, record->task) : NULL;
  if (has_task && !track)
    return false;
  switch ((awm_kind)record->kind) {
  case AWM_STARTED: return take_start(b, track);
  case AWM_ENDED: return take_end(b, track);
  case AWM_CANCELLED:
    return add_slice(b, AWM_CANCELLING, record->task, b->at, b->at);
  case AWM_STEP: return take_step(b, track);
  case AWM_WAIT:
  case AWM_WAIT_SLEEP:
  case AWM_WAIT_TASK:
  case AWM_WAIT_CHILDREN: return take_wait(b, track);
  case AWM_WAIT_ENDED: return take_wait_end(b, track);
  case AWM_BLOCKED: return take_blocking(b);
  case AWM_PAUSE:
  case AWM_CYCLE: return take_collector(b, record->kind == AWM_PAUSE);
  case AWM_TEXT:
  case AWM_CLOCK: break;
  }
  return true;
}

/* ---- building ---- */

static bool has_begin(const awm_record *record) {
  return record->kind == AWM_STEP || record->kind == AWM_BLOCKED ||
         record->kind == AWM_PAUSE;
}

/* Find when the first event began, and how many there are. */
static void find_begin(awm_tracks *t) {
  for (uint64_t at = t->first; at < t->ring->written;
       at = awm_ring_skip(t->ring, at)) {
    const awm_record *record = &awm_ring_cell(t->ring, at)->record;
    uint64_t began = has_begin(record) ? record->about.number : record->at;
    if (began < t->from)
      t->from = began;
    t->events++;
  }
}

/* Set the builder to an engine; false: out of memory. */
static bool turn_to(builder *b, uint64_t serial) {
  b->engine = need_engine(b->t, awm_key_engine(awm_key(serial, 0)));
  if (!b->engine)
    return false;
  b->moved = b->engine->clock == AW_NEVER
                 ? 0
                 : b->engine->clock - b->engine->first_clock;
  return true;
}

static bool take_record(builder *b) {
  const awm_record *record = &b->event->record;
  awm_tracks *t = b->t;
  uint64_t serial = awm_key_engine(record->task);
  if (!turn_to(b, serial || !t->engine_count ? serial : t->engines[0].serial))
    return false;
  if (record->kind == AWM_CLOCK) {
    b->engine->clock = record->about.number;
    if (b->engine->first_clock == AW_NEVER)
      b->engine->first_clock = record->about.number;
    return true;
  }
  b->at = record->at + b->moved;
  b->began = has_begin(record) ? record->about.number + b->moved : b->at;
  return take_event(b);
}

static bool take_records(builder *b) {
  awm_tracks *t = b->t;
  awm_event event;
  b->event = &event;
  bool taken = true;
  for (uint64_t at = t->first; taken && at < t->ring->written;) {
    b->record = (uint32_t)(at - t->first);
    at = awm_ring_read(t->ring, at, &event);
    taken = take_record(b);
  }
  b->event = NULL;
  b->record = AWM_NO_RECORD;
  return taken;
}

/* What an engine does now: a step that is under way has no record yet, and an
 * engine that has blocked works. */
static bool take_present(builder *b, const awm_heard *heard) {
  if (!turn_to(b, heard->serial))
    return false;
  uint64_t now = b->t->now + b->moved;
  uint64_t own = awm_key(heard->serial, 0);
  if (b->engine->worked > b->t->from && now > b->engine->worked &&
      !add_slice(b, AWM_WORKING, own, b->engine->worked, now))
    return false;
  return !heard->stepping ||
         (need_track(b, heard->stepping) &&
          add_slice(b, AWM_STEPPING, heard->stepping,
                    heard->step_at > b->t->from ? heard->step_at + b->moved
                                                : b->t->from,
                    now));
}

/* What has not ended lasts until now. */
static void end_open_slices(builder *b) {
  awm_tracks *t = b->t;
  for (uint32_t i = 0; i < t->slice_count; i++) {
    awm_slice *slice = &t->slices[i];
    if (slice->end != AW_NEVER)
      continue;
    (void)turn_to(b, awm_key_engine(slice->track));
    slice->end = t->now + b->moved;
    if (slice->end < slice->at)
      slice->end = slice->at;
  }
}

static int compare_slices(const void *one, const void *other) {
  const awm_slice *a = one, *b = other;
  if (a->track != b->track)
    return a->track < b->track ? -1 : 1;
  if (a->at != b->at)
    return a->at < b->at ? -1 : 1;
  if (a->kind != b->kind && (a->kind == AWM_LIFE || b->kind == AWM_LIFE))
    return a->kind == AWM_LIFE ? -1 : 1;
  bool ends_a = a->end == a->at, ends_b = b->end == b->at;
  if (ends_a != ends_b) /* what is over at once stands before its neighbour */
    return ends_a ? -1 : 1;
  if (a->end != b->end)
    return a->end > b->end ? -1 : 1;
  return a->order < b->order ? -1 : 1;
}

/* A loop that a finalizer runs blocks inside a pause of the collector: let no
 * slice last longer than the one around it. */
static void nest_slices(awm_tracks *t) {
  enum { DEEPEST = 8 };
  uint64_t ends[DEEPEST];
  uint32_t depth = 0;
  for (uint32_t i = 0; i < t->slice_count; i++) {
    awm_slice *slice = &t->slices[i];
    if (i > 0 && slice->track != t->slices[i - 1].track)
      depth = 0;
    while (depth > 0 && ends[depth - 1] <= slice->at)
      depth--;
    if (depth > 0 && slice->end > ends[depth - 1])
      slice->end = ends[depth - 1];
    if (depth < DEEPEST && slice->end > slice->at)
      ends[depth++] = slice->end;
  }
}

/* ---- names of tasks that live ---- */

static void name_tasks(const awm_tracks *t, const awl_loop *loop) {
  const aw_scope *root = aw_loop_scope(loop->core);
  size_t depth = 0;
  for (const aw_scope *at = root; at; at = aw_scope_walk(root, at, &depth)) {
    const aw_task *task = aw_scope_task(at);
    if (!task)
      continue;
    uint64_t key = awm_key(loop->engine->serial, aw_task_id(task));
    awm_track *track = awm_tracks_find(t, key);
    if (track && !track->name[0])
      name_track(track, aw_task_name(task), aw_task_where(task));
  }
}

static void find_names(const awm_tracks *t, const awl_state *s) {
  for (uint32_t i = 0; i < s->loop_count; i++)
    if (s->loops[i] && s->loops[i]->core)
      name_tasks(t, s->loops[i]);
}

/* ---- all of it ---- */

static bool build_slices(awm_tracks *t, const awm_recorder *r) {
  builder b = {.t = t};
  const awl_engine *own = r->state->engine;
  if (own && !need_engine(t, own->serial))
    return false;
  if (!take_records(&b))
    return false;
  for (const awm_heard *heard = r->engines; heard; heard = heard->next)
    if (!take_present(&b, heard))
      return false;
  end_open_slices(&b);
  return true;
}

int awm_tracks_build(awm_tracks *t, const awm_recorder *r, uint64_t since) {
  memset(t, 0, sizeof *t);
  t->ring = &r->ring;
  t->first = awm_ring_first(t->ring, since);
  t->from = t->now = uv_hrtime();
  find_begin(t);
  if (!build_slices(t, r))
    return AW_ENOMEM;
  number_tracks(t);
  find_names(t, r->state);
  qsort(t->slices, t->slice_count, sizeof *t->slices, compare_slices);
  nest_slices(t);
  return 0;
}

void awm_tracks_free(awm_tracks *t) {
  aw_free(t->slices);
  aw_free(t->tracks);
  aw_free(t->engines);
  awm_key_index_free(&t->track_places);
  awm_key_index_free(&t->engine_places);
  memset(t, 0, sizeof *t);
}
