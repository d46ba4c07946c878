/* ring.h - the last events of an engine, in a block of memory that never grows
 *
 * The ring is an array of records of 32 bytes. An event is one record, its
 * head, and up to AWM_MOST_TEXTS text records that follow it. When the ring is
 * full, each new record takes the place of the oldest one.
 *
 *     ── head ── text ── text ── head ── head ── text ─►
 *        ▲                                         ▲
 *        oldest (after text records whose          written - 1
 *        head is lost)
 *
 * Invariants
 *   - Record n of all that were ever written is at `n & mask`.
 *   - The kind of a record stands in its first byte, in text records too, so
 *     that a reader can skip those whose head is lost.
 *   - A record refers to nothing that can end: texts are copied into it. Only
 *     labels of waits are pointers, to the constants of operations.
 *
 * Writing takes no clock, allocates nothing and cannot fail.
 *
 * Neighbours: recorder.c writes; recorded.c and tracks.c read.
 */
#ifndef AWM_RING_H
#define AWM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum awm_kind {
  AWM_TEXT,          /* text of the head before it */
  AWM_STARTED,       /* number: id of the parent, or 0; texts: name, place */
  AWM_ENDED,         /* result: aw_task_state; text: the error */
  AWM_CANCELLED,     /* result: aw_cancel_kind; text: the reason */
  AWM_STEP,          /* number: when it began */
  AWM_WAIT,          /* label: what is waited for; text: more of that */
  AWM_WAIT_SLEEP,    /* number: ns, or AW_NEVER */
  AWM_WAIT_TASK,     /* number: id of the awaited task */
  AWM_WAIT_CHILDREN, /* number: how many */
  AWM_WAIT_ENDED,    /* result: of the wait */
  AWM_BLOCKED, /* the engine has blocked; number: when that began; result: KiB
                  of Lua, or -1 */
  AWM_PAUSE,   /* of the collector, as AWM_BLOCKED; AWM_FULL: a full one */
  AWM_CYCLE,   /* a cycle of the collector has ended; result: KiB, or -1 */
  AWM_CLOCK    /* number: what the virtual clock of an engine says now */
} awm_kind;

/* A task is unique in its engine: a key is the serial of the engine, and the id
 * of the task in it, or 0 for the engine itself. */
enum { AWM_KEY_SHIFT = 40 };

static inline uint64_t awm_key(uint64_t engine, uint64_t id) {
  return engine << AWM_KEY_SHIFT | (id & ((UINT64_C(1) << AWM_KEY_SHIFT) - 1));
}

static inline uint64_t awm_key_engine(uint64_t key) {
  return key >> AWM_KEY_SHIFT;
}

static inline uint64_t awm_key_id(uint64_t key) {
  return key & ((UINT64_C(1) << AWM_KEY_SHIFT) - 1);
}

enum {
  AWM_TOLD = 1,       /* this is older: the recorder was told of it later */
  AWM_BACKGROUND = 2, /* of AWM_STARTED: a task of the background */
  AWM_FULL = 4,
  AWM_HARD = 8 /* of AWM_CANCELLED: the cancel is hard now */
};

typedef struct awm_record {
  uint8_t kind;  /* an awm_kind */
  uint8_t texts; /* number of text records that follow */
  uint8_t flags;
  uint8_t spare;
  int32_t result;
  uint64_t at;   /* as of uv_hrtime(); of what has a duration: its end */
  uint64_t task; /* a key, or 0: of the state */
  union {
    uint64_t number;
    const char *label;
  } about;
} awm_record;

enum { AWM_TEXT_BYTES = 30, AWM_MOST_TEXTS = 8 };

typedef struct awm_text_record {
  uint8_t kind; /* AWM_TEXT */
  uint8_t size; /* bytes in use */
  char bytes[AWM_TEXT_BYTES];
} awm_text_record;

typedef union awm_cell {
  awm_record record;
  awm_text_record text;
} awm_cell;

typedef struct awm_ring {
  awm_cell *cells;  /* NULL: there is no ring */
  uint64_t mask;    /* number of cells - 1; that number is a power of two */
  uint64_t written; /* records so far */
  uint64_t events;  /* heads among them */
} awm_ring;

/* An event, as it is read: its record, and its texts. */
typedef struct awm_event {
  awm_record record;
  char text[AWM_MOST_TEXTS * AWM_TEXT_BYTES + 2];
  const char *second; /* inside `text`: what follows the first \0 */
} awm_event;

/* Give the ring room for at least `least` records. The newest records of a ring
 * that has been in use stay in it.
 *
 * Returns 0, or AW_ENOMEM with the ring as it was. */
int awm_ring_resize(awm_ring *ring, size_t least);
void awm_ring_free(awm_ring *ring);

static inline awm_cell *awm_ring_cell(const awm_ring *ring, uint64_t n) {
  return &ring->cells[n & ring->mask];
}

/* Return the next head, for the caller to fill; `texts` must be 0. */
static inline awm_record *awm_ring_next(awm_ring *ring) {
  ring->events++;
  return &awm_ring_cell(ring, ring->written++)->record;
}

/* Add up to two texts to the head that was written last; NULL is "". Texts that
 * are too long are cut, the first one to half of the room at most. */
void awm_ring_add_texts(awm_ring *ring, awm_record *head, const char *first,
                        const char *second);
/* The same for one text, sooner if it is short. */
void awm_ring_add_text(awm_ring *ring, awm_record *head, const char *text);

/* Find the first event from record `since` on that is still there: returns its
 * number, or `written` if there is none. */
uint64_t awm_ring_first(const awm_ring *ring, uint64_t since);
/* Read the event at `at`, which is a head; returns where the next one is. */
uint64_t awm_ring_read(const awm_ring *ring, uint64_t at, awm_event *out);
/* Skip the event at `at`. */
uint64_t awm_ring_skip(const awm_ring *ring, uint64_t at);

#endif
