/* recorded.c - see recorded.h
 *
 * The text has the oldest of the events first, each with its time before now:
 *
 *     -0.001203 s  task 3 'worker' ran for 0.000041 s
 *     -0.001203 s  task 3 'worker' waits: recv jobs
 *
 * Reports get the text by awl_upcalls.push_recorded, since their rooms are
 * below this one: that of a Deadlock (run/driver.c), and the dump of all tasks
 * (errors/notice.c).
 */
#include "trace/recorded.h"

#include "base/classes.h"
#include "base/location.h"
#include "trace/pauses.h"
#include "trace/recorder.h"
#include "trace/tracks.h"
#include "trace/waits.h"

#include <stdio.h>
#include <string.h>

/* A pause of the collector is shown from so many nanoseconds on. */
static const uint64_t SHORTEST_PAUSE = 1000000;

/* A text that grows. */
typedef struct text_room {
  char *bytes;
  size_t size, room;
  bool lacks_memory;
} text_room;

static void append_piece(text_room *to, const char *text) {
  size_t length = strlen(text);
  if (to->room - to->size <= length) {
    size_t room = 2 * to->room + length + 1024;
    char *grown = aw_reallocate(to->bytes, room);
    if (!grown) {
      to->lacks_memory = true;
      return;
    }
    to->bytes = grown;
    to->room = room;
  }
  memcpy(to->bytes + to->size, text, length + 1);
  to->size += length;
}

/* ---- lines ---- */

static void write_name(const awm_tracks *t, uint64_t key, char *out,
                       size_t size) {
  char id[40];
  const awm_track *track = awm_tracks_find(t, key);
  const char *name = track ? track->name : "";
  bool named = track && track->named;
  awm_write_id(t, key, id, sizeof id);
  snprintf(out, size, "task %s%s%s%s ", id,
           named     ? " '"
           : name[0] ? " ("
                     : "",
           name,
           named     ? "'"
           : name[0] ? ")"
                     : "");
}

/* Write what has happened in an event of a task. False: nothing to show. */
static bool write_task_event(const awm_event *event, char *out, size_t size) {
  const awm_record *record = &event->record;
  double took = (double)(record->at - record->about.number) / 1e9;
  char text[sizeof event->text];
  switch ((awm_kind)record->kind) {
  case AWM_STARTED:
    snprintf(out, size, "started%s%s", event->second[0] ? " at " : "",
             event->second);
    return true;
  case AWM_ENDED:
    snprintf(out, size, "ended: %s%s%s", awm_end_of_task(record->result),
             event->text[0] ? ", " : "", event->text);
    return true;
  case AWM_CANCELLED:
    snprintf(out, size, "is cancelled by %s%s%s%s",
             awm_cancel_cause(record->result), event->text[0] ? ": " : "",
             event->text, record->flags & AWM_HARD ? " (hard)" : "");
    return true;
  case AWM_STEP: snprintf(out, size, "ran for %.6f s", took); return true;
  case AWM_WAIT_ENDED:
    awm_write_result(record->result, text, sizeof text);
    snprintf(out, size, "woke up%s%s", text[0] ? ": " : "", text);
    return true;
  case AWM_WAIT_CHILDREN: /* as in a dump */
    snprintf(out, size, "waits: join %llu %s",
             (unsigned long long)record->about.number,
             record->about.number == 1 ? "child" : "children");
    return true;
  case AWM_WAIT:
  case AWM_WAIT_SLEEP:
  case AWM_WAIT_TASK:
    awm_write_about(event, text, sizeof text);
    snprintf(out, size, "waits: %s%s%s", awm_wait_label(record),
             text[0] ? " " : "", text);
    return true;
  default: return false;
  }
}

/* Write what the engine or the collector did. */
static void write_engine_event(const awm_record *record, char *out,
                               size_t size) {
  double took = (double)(record->at - record->about.number) / 1e9;
  if (record->kind == AWM_CLOCK)
    snprintf(out, size, "the clock of the tasks says %.6f s",
             (double)record->about.number / 1e9);
  else
    snprintf(out, size, "%s for %.6f s",
             record->kind == AWM_BLOCKED ? "nothing to do"
                                         : "the collector worked",
             took);
}

/* Not shown: what the recorder was told of later, since its time says nothing,
 * and work of the collector that delayed nobody. */
static bool is_recounted(const awm_record *record) {
  if (record->kind == AWM_CYCLE)
    return false;
  if (record->kind == AWM_PAUSE)
    return record->at - record->about.number >= SHORTEST_PAUSE;
  return !(record->flags & AWM_TOLD);
}

/* Does a line about `before` tell of this event, too? Steps of a task that
 * yields again and again would fill a report. */
static bool shares_line(const awm_record *before, const awm_record *record) {
  return before->kind == AWM_STEP && record->kind == AWM_STEP &&
         before->task == record->task;
}

/* Write the line of an event, or of `count` steps that took so many `ns`. */
static void add_event_line(text_room *to, const awm_tracks *t,
                           const awm_event *event, unsigned count,
                           uint64_t ns) {
  char text[512], name[300] = "", time[40];
  const awm_record *record = &event->record;
  if (awm_key_id(record->task)) {
    if (count > 1)
      snprintf(text, sizeof text, "ran %u times, for %.6f s in all", count,
               (double)ns / 1e9);
    else
      (void)write_task_event(event, text, sizeof text);
    write_name(t, record->task, name, sizeof name);
  } else {
    write_engine_event(record, text, sizeof text);
  }
  snprintf(time, sizeof time, "%s%12.6f s  ", to->size ? "\n" : "",
           -(double)(t->now > record->at ? t->now - record->at : 0) / 1e9);
  append_piece(to, time);
  append_piece(to, name);
  append_piece(to, text);
}

/* Find the first event of a line, from the event at `at` on. `before` is the
 * last event that was shown, and is moved on. */
static uint64_t line_from(const awm_ring *ring, uint64_t at,
                          awm_record *before) {
  for (; at < ring->written; at = awm_ring_skip(ring, at)) {
    const awm_record *record = &awm_ring_cell(ring, at)->record;
    if (!is_recounted(record))
      continue;
    bool begins = !shares_line(before, record);
    *before = *record;
    if (begins)
      break;
  }
  return at;
}

/* Find the first event of the last `most` lines. */
static uint64_t find_last(const awm_ring *ring, size_t most) {
  awm_record before = {.kind = AWM_CYCLE};
  uint64_t first = line_from(ring, awm_ring_first(ring, 0), &before), at;
  size_t count = 0;
  for (at = first; at < ring->written; count++)
    at = line_from(ring, awm_ring_skip(ring, at), &before);
  before = awm_ring_cell(ring, first)->record;
  for (at = first; count > most; count--)
    at = line_from(ring, awm_ring_skip(ring, at), &before);
  return at;
}

/* Steps wait in `steps` for others that share their line. They have no texts,
 * which are in the event that was read last. */
static void add_lines(text_room *to, const awm_tracks *t, const awm_ring *ring,
                      uint64_t at) {
  awm_event event, steps = {.text = ""};
  unsigned count = 0;
  uint64_t ns = 0;
  while (at < ring->written) {
    at = awm_ring_read(ring, at, &event);
    if (!is_recounted(&event.record))
      continue;
    if (count > 0 && !shares_line(&steps.record, &event.record)) {
      add_event_line(to, t, &steps, count, ns);
      count = 0;
      ns = 0;
    }
    if (event.record.kind == AWM_STEP) {
      steps.record = event.record;
      count++;
      ns += event.record.at - event.record.about.number;
    } else {
      add_event_line(to, t, &event, 1, 0);
    }
  }
  if (count > 0)
    add_event_line(to, t, &steps, count, ns);
}

/* Write the text; "" without memory. No memory of Lua is allocated meanwhile,
 * since its collector would add events. */
static void write_recorded(awm_recorder *r, size_t most) {
  text_room to = {0};
  awm_tracks t;
  if (awm_tracks_build(&t, r, 0) == 0)
    add_lines(&to, &t, &r->ring, find_last(&r->ring, most));
  awm_tracks_free(&t);
  aw_free(r->text);
  r->text = to.bytes;
}

/* Push the last `most` events as a text, a line for each; "" if there are none.
 * Raises. */
static void push_last(lua_State *L, awm_recorder *r, size_t most) {
  write_recorded(r, most);
  lua_pushstring(L, r->text ? r->text : "");
}

/* ---- for reports ---- */

/* Push what a report ends with; false, and nothing is pushed: nothing is
 * recorded. */
static bool push_for_report(lua_State *L, awl_state *s) {
  enum { SHOWN = 100 };
  if (!s->recorder)
    return false;
  bool more = s->recorder->ring.events > SHOWN;
  push_last(L, s->recorder, SHOWN);
  lua_pushfstring(L, "%s\n%s",
                  more ? "the last 100 events (aw.recorded() returns more):"
                       : "the events so far:",
                  lua_tostring(L, -1));
  lua_remove(L, -2);
  return true;
}

/* ---- for Lua ---- */

static int raise_refused(lua_State *L, int rc) {
  if (rc == AW_EBUSY)
    return awl_error(L, "the host program has an instrument of its own");
  return awl_error(L, "not enough memory");
}

static void turn_on(lua_State *L, awl_state *s) {
  int rc = awm_recorder_use(s, AWM_FOR_RECORD, AWM_RECORD_CELLS);
  if (rc < 0)
    raise_refused(L, rc);
  awm_watch_cycles(L, s);
}

/* record([on]) */
static int m_record(lua_State *L) {
  awl_state *s = awl_of(L);
  if (!lua_isnoneornil(L, 1))
    aw_lua_check_type(L, 1, LUA_TBOOLEAN);
  if (lua_isnoneornil(L, 1) || lua_toboolean(L, 1))
    turn_on(L, s);
  else
    awm_recorder_leave(s, AWM_FOR_RECORD);
  return 0;
}

/* recorded([n]) → text; or nil: nothing is recorded */
static int m_recorded(lua_State *L) {
  awl_state *s = awl_of(L);
  lua_Integer most = LUA_MAXINTEGER;
  if (!lua_isnoneornil(L, 1))
    most = aw_lua_check_integer(L, 1);
  aw_lua_arg_check(L, most >= 1, 1, "at least 1 expected");
  if (!s->recorder) {
    lua_pushnil(L);
    return 1;
  }
  push_last(L, s->recorder, (size_t)most);
  return 1;
}

void awm_open_recorded(lua_State *L, awl_state *s) {
  static const luaL_Reg functions[] = {
      {"record", m_record}, {"recorded", m_recorded}, {NULL, NULL}};
  awl_register(L, s, functions);
  s->upcalls.push_recorded = push_for_report;
  if (awl_is_switched_on(L, "AIOWIRE_RECORD"))
    turn_on(L, s);
}
