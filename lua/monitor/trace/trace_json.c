/* trace_json.c - see trace_json.h
 *
 * The object form of the "Trace Event Format":
 *
 *   {"displayTimeUnit":"ms","otherData":{…},"traceEvents":[
 *   {"ph":"M",…}   names of the process and of the tracks
 *   {"ph":"X",…}   slices, with a duration; those of a track nest
 *   {"ph":"i",…}   instants
 *   {"ph":"s"|"f"} flows: from the place of a start to the first step
 *   {"ph":"C",…}   counters
 *   ]}
 *
 * One event is one line, so that the file can be searched by grep. Times are
 * microseconds from the first event on, to the nanosecond. Within a track, and
 * within a counter, they are in order.
 *
 * Any bytes may be in a name, so what is no UTF-8 becomes U+FFFD. Numbers are
 * written as integers, since a locale may have another decimal point.
 */
#include "trace/trace_json.h"

#include "trace/waits.h"

#include <string.h>
#include <unistd.h>

typedef struct json {
  FILE *out;
  const awm_tracks *t;
  int pid;
  bool any; /* an event was written */
} json;

/* Room for a name or a text of an event, and more. */
enum { TEXT_SIZE = AWM_MOST_TEXTS * AWM_TEXT_BYTES + 64 };

/* ---- values ---- */

/* The length of the character of UTF-8 at `at`; 0: there is none. */
static size_t character_size(const unsigned char *at) {
  size_t size = at[0] < 0x80                    ? 1
                : at[0] >= 0xC2 && at[0] < 0xE0 ? 2
                : at[0] >= 0xE0 && at[0] < 0xF0 ? 3
                : at[0] >= 0xF0 && at[0] < 0xF5 ? 4
                                                : 0;
  for (size_t i = 1; i < size; i++)
    if ((at[i] & 0xC0) != 0x80)
      return 0;
  bool overlong =
      (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xF0 && at[1] < 0x90);
  bool unknown = (at[0] == 0xED && at[1] >= 0xA0) || /* a surrogate */
                 (at[0] == 0xF4 && at[1] >= 0x90);
  return overlong || unknown ? 0 : size;
}

static void put_json_string(FILE *out, const char *text) {
  const unsigned char *at = (const unsigned char *)text;
  putc('"', out);
  while (*at) {
    size_t size = character_size(at);
    if (size == 0)
      fputs("\\ufffd", out);
    else if (*at == '"' || *at == '\\')
      fprintf(out, "\\%c", *at);
    else if (*at < 0x20 || *at == 0x7F)
      fprintf(out, "\\u%04x", *at);
    else
      fwrite(at, 1, size, out);
    at += size ? size : 1;
  }
  putc('"', out);
}

static void put_us(const json *j, uint64_t ns) {
  fprintf(j->out, "%llu.%03u", (unsigned long long)(ns / 1000),
          (unsigned)(ns % 1000));
}

/* Begin an event; the caller writes `"args":{…}}`, or `}`. */
static void begin_event(json *j, const char *ph, uint64_t key,
                        const char *name) {
  uint64_t number = key ? awm_track_number(j->t, key) : 0;
  fprintf(j->out, "%s\n{\"ph\":\"%s\",\"pid\":%d,\"tid\":%llu,\"name\":",
          j->any ? "," : "", ph, j->pid, (unsigned long long)number);
  put_json_string(j->out, name);
  j->any = true;
}

static void put_ts(const json *j, uint64_t at) {
  fputs(",\"ts\":", j->out);
  put_us(j, at - j->t->from);
}

/* ---- names ---- */

static void put_name_event(json *j, const char *what, uint64_t track,
                           const char *name) {
  begin_event(j, "M", track, what);
  fputs(",\"args\":{\"name\":", j->out);
  put_json_string(j->out, name);
  fputs("}}", j->out);
}

static const char *track_name(const json *j, const awm_track *track, char *room,
                              size_t size) {
  char id[40];
  if (track->named)
    return track->name;
  awm_write_id(j->t, track->key, id, sizeof id);
  snprintf(room, size, "task %s%s%s", id, track->name[0] ? ", " : "",
           track->name);
  return room;
}

static void put_track(json *j, uint64_t key, const char *name) {
  put_name_event(j, "thread_name", key, name);
  begin_event(j, "M", key, "thread_sort_index");
  fprintf(j->out, ",\"args\":{\"sort_index\":%llu}}",
          (unsigned long long)(key ? awm_track_number(j->t, key) : 0));
}

static void put_names(json *j) {
  char room[TEXT_SIZE];
  const awm_tracks *t = j->t;
  put_name_event(j, "process_name", 0, "aiowire");
  for (uint32_t i = 0; i < t->engine_count; i++) {
    const awm_engine_track *engine = &t->engines[i];
    snprintf(room, sizeof room, i == 0 ? "engine%.0llu%s" : "engine %llu%s",
             i == 0 ? 0 : (unsigned long long)engine->serial,
             engine->clock == AW_NEVER ? "" : " (virtual clock)");
    put_track(j, awm_key(engine->serial, 0), room);
  }
  for (uint32_t i = 0; i < t->track_count; i++)
    put_track(j, t->tracks[i].key,
              track_name(j, &t->tracks[i], room, sizeof room));
}

/* ---- slices ---- */

/* Read the event with this number in the trace. False: there is none. */
static bool read_slice_event(const json *j, uint32_t number, awm_event *out) {
  if (number == AWM_NO_RECORD)
    return false;
  awm_ring_read(j->t->ring, j->t->first + number, out);
  return true;
}

/* Begins the arguments, or goes on with them. */
static void put_argument_key(const json *j, const char *key, bool *any) {
  fprintf(j->out, "%s\"%s\":", *any ? "," : ",\"args\":{", key);
  *any = true;
}

static void put_text_argument(const json *j, const char *key, const char *text,
                              bool *any) {
  if (!text[0])
    return;
  put_argument_key(j, key, any);
  put_json_string(j->out, text);
}

static void put_number_argument(const json *j, const char *key, long long value,
                                bool *any) {
  put_argument_key(j, key, any);
  fprintf(j->out, "%lld", value);
}

static void put_life(const json *j, const awm_slice *slice, bool *any) {
  awm_event event;
  if (read_slice_event(j, slice->record, &event)) {
    if (event.record.about.number)
      put_number_argument(j, "started_by", (long long)event.record.about.number,
                          any);
    put_text_argument(j, "started_at", event.second, any);
    if (event.record.flags & AWM_BACKGROUND)
      put_text_argument(j, "background", "yes", any);
  }
  if (slice->record == AWM_NO_RECORD || (event.record.flags & AWM_TOLD))
    put_text_argument(j, "begin", "before this trace", any);
  bool ended = read_slice_event(j, slice->ended, &event);
  put_text_argument(
      j, "end", ended ? awm_end_of_task(event.record.result) : "still alive",
      any);
  if (ended)
    put_text_argument(j, "error", event.text, any);
}

static void put_wait_arguments(const json *j, const awm_slice *slice,
                               bool *any) {
  awm_event event;
  char about[sizeof event.text], result[128] = "";
  if (read_slice_event(j, slice->record, &event)) {
    awm_write_about(&event, about, sizeof about);
    put_text_argument(j, "about", about, any);
  }
  if (read_slice_event(j, slice->ended, &event))
    awm_write_result(event.record.result, result, sizeof result);
  else
    snprintf(result, sizeof result, "still waits");
  put_text_argument(j, "result", result, any);
}

static void put_instant(const json *j, const awm_slice *slice, bool *any) {
  awm_event event;
  if (!read_slice_event(j, slice->record, &event))
    return;
  if (slice->kind == AWM_CANCELLING) {
    put_text_argument(j, "by", awm_cancel_cause(event.record.result), any);
    put_text_argument(j, "reason", event.text, any);
    if (event.record.flags & AWM_HARD)
      put_text_argument(j, "hard", "yes", any);
  } else if (slice->kind == AWM_FAILING) {
    put_text_argument(j, "error", event.text, any);
  } else if (event.record.result >= 0) {
    put_number_argument(j, "KiB", event.record.result, any);
  }
}

static const char *slice_phase(const awm_slice *slice) {
  switch ((awm_slice_kind)slice->kind) {
  case AWM_FLOW_IN: return "f";
  case AWM_FLOW_OUT: return "s";
  case AWM_CANCELLING:
  case AWM_FAILING:
  case AWM_CYCLING: return "i";
  default: return "X";
  }
}

static void put_slice_arguments(const json *j, const awm_slice *slice) {
  bool any = false;
  switch ((awm_slice_kind)slice->kind) {
  case AWM_LIFE: put_life(j, slice, &any); break;
  case AWM_WAITING: put_wait_arguments(j, slice, &any); break;
  case AWM_PAUSING:
  case AWM_CANCELLING:
  case AWM_FAILING:
  case AWM_CYCLING: put_instant(j, slice, &any); break;
  default: break;
  }
  if (slice->clock != AW_NEVER && slice->kind != AWM_FLOW_IN &&
      slice->kind != AWM_FLOW_OUT) {
    put_argument_key(j, "clock", &any);
    fprintf(j->out, "%llu.%09llu",
            (unsigned long long)(slice->clock / AW_SECOND),
            (unsigned long long)(slice->clock % AW_SECOND));
  }
  if (any)
    putc('}', j->out);
}

/* Return the name of a slice, in `room` if it is none of ours. */
static const char *slice_name(const json *j, const awm_slice *slice,
                              awm_event *event, char *room, size_t size) {
  bool read = read_slice_event(j, slice->record, event);
  switch ((awm_slice_kind)slice->kind) {
  case AWM_LIFE:
    return track_name(j, awm_tracks_find(j->t, slice->track), room, size);
  case AWM_WORKING: return "working";
  case AWM_BLOCKING: return "blocked";
  case AWM_STEPPING: return "step";
  case AWM_PAUSING:
    return read && (event->record.flags & AWM_FULL) ? "full collection"
                                                    : "collector";
  case AWM_CANCELLING: return "cancel";
  case AWM_FAILING: return "error";
  case AWM_CYCLING: return "cycle of the collector";
  case AWM_FLOW_IN:
  case AWM_FLOW_OUT: return "start";
  case AWM_WAITING: break;
  }
  return read ? awm_wait_label(&event->record) : "wait";
}

static const char *slice_category(const awm_slice *slice) {
  switch ((awm_slice_kind)slice->kind) {
  case AWM_LIFE: return "task";
  case AWM_STEPPING: return "step";
  case AWM_WAITING: return "wait";
  case AWM_PAUSING:
  case AWM_CYCLING: return "collector";
  case AWM_CANCELLING:
  case AWM_FAILING: return "event";
  case AWM_FLOW_IN:
  case AWM_FLOW_OUT: return "start";
  default: return "engine";
  }
}

/* The id of a flow is the number of the task that starts. */
static uint64_t flow_id(const json *j, const awm_slice *slice) {
  awm_event event;
  bool read = read_slice_event(j, slice->record, &event);
  return awm_track_number(j->t, read ? event.record.task : slice->track);
}

static void put_slice(json *j, const awm_slice *slice) {
  awm_event event;
  char room[TEXT_SIZE];
  const char *phase = slice_phase(slice);
  begin_event(j, phase, slice->track,
              slice_name(j, slice, &event, room, sizeof room));
  fprintf(j->out, ",\"cat\":\"%s\"", slice_category(slice));
  put_ts(j, slice->at);
  if (*phase == 'X') {
    fputs(",\"dur\":", j->out);
    put_us(j, slice->end - slice->at);
  } else if (*phase == 'i') {
    fputs(",\"s\":\"t\"", j->out);
  } else {
    fprintf(j->out, ",\"id\":%llu%s", (unsigned long long)flow_id(j, slice),
            *phase == 'f' ? ",\"bp\":\"e\"" : "");
  }
  put_slice_arguments(j, slice);
  putc('}', j->out);
}

/* ---- counters ---- */

enum { MOST_SAMPLES = 4096 };

/* Numbers of tasks, and memory. Of many changes in a short time only the last
 * is shown. */
typedef struct counters {
  uint64_t alive, waiting;
  uint64_t at, shown_at; /* of the last change, and of the last one shown */
  uint64_t heap_at;      /* when memory was shown last */
  uint64_t least;        /* ns between two that are shown */
  bool pending;          /* the last change has not been shown */
  /* by what the times of an engine with a virtual clock are moved, see
   * tracks.h; only the last such engine is known */
  uint64_t engine, moved;
} counters;

static void put_counts(json *j, counters *c) {
  begin_event(j, "C", 0, "tasks");
  put_ts(j, c->at);
  fprintf(j->out, ",\"args\":{\"waiting\":%llu,\"ready\":%llu}}",
          (unsigned long long)c->waiting,
          (unsigned long long)(c->alive - c->waiting));
  c->shown_at = c->at;
  c->pending = false;
}

static void put_heap(json *j, counters *c, int kilobytes, uint64_t at) {
  if (at < c->heap_at + c->least)
    return;
  c->heap_at = at;
  begin_event(j, "C", 0, "Lua");
  put_ts(j, at);
  fprintf(j->out, ",\"args\":{\"KiB\":%d}}", kilobytes);
}

/* What an event changes; false: nothing. */
static bool count_event(counters *c, const awm_record *record) {
  switch ((awm_kind)record->kind) {
  case AWM_STARTED: c->alive++; return true;
  case AWM_ENDED: c->alive--; return true;
  case AWM_WAIT:
  case AWM_WAIT_SLEEP:
  case AWM_WAIT_TASK:
  case AWM_WAIT_CHILDREN: c->waiting++; return true;
  case AWM_WAIT_ENDED: c->waiting--; return true;
  default: return false;
  }
}

/* The counts before the first event that is there. */
static void count_back(const json *j, const awm_trace_facts *facts,
                       counters *c) {
  const awm_ring *ring = j->t->ring;
  counters change = {0};
  for (uint64_t at = j->t->first; at < ring->written;
       at = awm_ring_skip(ring, at))
    (void)count_event(&change, &awm_ring_cell(ring, at)->record);
  c->alive = facts->alive - change.alive;
  c->waiting = facts->waiting - change.waiting;
}

static void put_change(json *j, counters *c, const awm_record *record,
                       uint64_t at) {
  if (c->pending && at - c->at >= c->least)
    put_counts(j, c);
  if (!count_event(c, record))
    return;
  c->at = at;
  c->pending = true;
  if (at - c->shown_at >= c->least)
    put_counts(j, c);
}

/* When the record was made, in the time of its track, but not before `least`.
 */
static uint64_t counted_at(const json *j, counters *c, const awm_record *record,
                           uint64_t least) {
  uint64_t engine = awm_key_engine(record->task);
  if (record->kind == AWM_CLOCK) {
    c->engine = engine;
    c->moved = record->about.number -
               awm_tracks_engine(j->t, record->task)->first_clock;
  }
  uint64_t at = record->at + (engine && engine == c->engine ? c->moved : 0);
  return at > least ? at : least;
}

static void put_counters(json *j, const awm_trace_facts *facts) {
  const awm_ring *ring = j->t->ring;
  counters c = {.least = (j->t->now - j->t->from) / MOST_SAMPLES};
  uint64_t time = j->t->from;
  count_back(j, facts, &c);
  for (uint64_t at = j->t->first; at < ring->written;
       at = awm_ring_skip(ring, at)) {
    const awm_record *record = &awm_ring_cell(ring, at)->record;
    time = counted_at(j, &c, record, time);
    if ((record->kind == AWM_BLOCKED || record->kind == AWM_PAUSE ||
         record->kind == AWM_CYCLE) &&
        record->result >= 0)
      put_heap(j, &c, record->result, time);
    put_change(j, &c, record, time);
  }
  if (c.pending)
    put_counts(j, &c);
}

/* ---- the file ---- */

void awm_write_json(FILE *out, const awm_tracks *t,
                    const awm_trace_facts *facts) {
  json j = {.out = out, .t = t, .pid = (int)getpid()};
  fprintf(out,
          "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"aiowire\":\"%s\","
          "\"events\":%llu,\"overwritten\":%llu,\"pauses\":%llu},"
          "\"traceEvents\":[",
          aw_version(), (unsigned long long)t->events,
          (unsigned long long)facts->lost, (unsigned long long)t->pauses);
  put_names(&j);
  for (uint32_t i = 0; i < t->slice_count; i++)
    put_slice(&j, &t->slices[i]);
  put_counters(&j, facts);
  fputs("\n]}\n", out);
}
