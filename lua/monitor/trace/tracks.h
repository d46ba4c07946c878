/* tracks.h - the events of a ring as slices of tracks, for a picture
 *
 * A track is a task, or an engine. A slice is a stretch of time on a track;
 * slices of one track nest. An instant is a slice without an end.
 *
 *   task    life ──────────────────────────────────────
 *             step ── wait ──────────── step ─ wait ───
 *   engine  working ──────── blocked ── working ──────
 *             pause ──
 *
 * Times are real. Those of an engine with a virtual clock are moved by what
 * that clock has gone since its first event: so a sleep of a minute is a minute
 * long, and a step as long as it took.
 */
#ifndef AWM_TRACKS_H
#define AWM_TRACKS_H

#include "trace/key_index.h"
#include "trace/recorder.h"

/* In the order of nesting, and for slices of one moment in the order of the
 * picture. */
typedef enum awm_slice_kind {
  AWM_LIFE,
  AWM_WORKING,
  AWM_BLOCKING,
  AWM_STEPPING,
  AWM_WAITING,
  AWM_PAUSING,
  AWM_FLOW_IN,  /* the first step or wait of a task that another one started */
  AWM_FLOW_OUT, /* there it was started */
  AWM_CANCELLING,
  AWM_FAILING,
  AWM_CYCLING
} awm_slice_kind;

enum { AWM_NO_RECORD = UINT32_MAX };

typedef struct awm_slice {
  uint64_t at, end; /* ns */
  uint64_t track;   /* key of a task or an engine */
  uint64_t clock;   /* the virtual clock at its begin; or AW_NEVER */
  /* its event, and the one that ended it: counted from the first record of the
   * trace; or AWM_NO_RECORD */
  uint32_t record, ended;
  uint32_t order; /* as they were found */
  uint8_t kind;   /* an awm_slice_kind */
} awm_slice;

/* What is known of a task. */
typedef struct awm_track {
  uint64_t key;
  uint32_t life, wait; /* slices; AWM_NO_RECORD: none, or none under way */
  bool active;         /* it has had a step or a wait */
  bool begun_here;     /* its start is in the ring, by another task */
  bool named;          /* else `name` is the place of its start, or "" */
  char name[AWM_MOST_TEXTS * AWM_TEXT_BYTES];
} awm_track;

typedef struct awm_engine_track {
  uint64_t serial;
  uint64_t base;   /* number of its own track; those of its tasks follow */
  uint64_t most;   /* largest id of a task */
  uint64_t worked; /* ns: until here its own track is filled */
  uint64_t clock, first_clock; /* of a virtual clock; or AW_NEVER */
} awm_engine_track;

typedef struct awm_tracks {
  const awm_ring *ring;
  uint64_t first;  /* number of the first record that is there */
  uint64_t from;   /* ns: when the first event began */
  uint64_t now;    /* ns: the present, on the real clock */
  uint64_t events; /* that are there */
  uint64_t pauses; /* of the collector among them */

  awm_slice *slices;
  uint32_t slice_count, slice_room;
  awm_track *tracks;
  uint32_t track_count, track_room;
  awm_engine_track *engines; /* the state's own is the first */
  uint32_t engine_count, engine_room;
  awm_key_index track_places, engine_places; /* by key; by serial */
} awm_tracks;

/* Build the tracks of all events from record `since` on, sorted by track and
 * time. Allocates no memory of Lua. Returns 0, or AW_ENOMEM; free them in any
 * case. */
int awm_tracks_build(awm_tracks *t, const awm_recorder *r, uint64_t since);
void awm_tracks_free(awm_tracks *t);

/* Find what is known of a task; NULL: nothing. */
awm_track *awm_tracks_find(const awm_tracks *t, uint64_t key);
/* Find the engine of a key that is in the trace. */
const awm_engine_track *awm_tracks_engine(const awm_tracks *t, uint64_t key);
/* Return a number of a track that is unique in the trace: for tasks of the
 * first engine their id. */
uint64_t awm_track_number(const awm_tracks *t, uint64_t key);
/* Write the id of a task for people: "5", or "2:5" for a task of another engine
 * than the first one. */
void awm_write_id(const awm_tracks *t, uint64_t key, char *out, size_t size);

#endif
