/* ring.c - see ring.h */
#include "trace/ring.h"

#include <aiowire.h>

#include <string.h>

_Static_assert(sizeof(awm_cell) == 32, "a record has 32 bytes");

static uint64_t oldest_record(const awm_ring *ring) {
  uint64_t cells = ring->mask + 1;
  return ring->cells && ring->written > cells ? ring->written - cells : 0;
}

int awm_ring_resize(awm_ring *ring, size_t least) {
  uint64_t cells = AWM_MOST_TEXTS + 1;
  while (cells & (cells - 1)) /* up to a power of two */
    cells++;
  while (cells < least)
    cells *= 2;
  if (cells > SIZE_MAX / sizeof(awm_cell))
    return AW_ENOMEM;
  awm_cell *made = aw_allocate((size_t)cells * sizeof *made);
  if (!made)
    return AW_ENOMEM;
  uint64_t from = oldest_record(ring);
  if (ring->written - from > cells)
    from = ring->written - cells;
  for (uint64_t n = from; ring->cells && n < ring->written; n++)
    made[n & (cells - 1)] = *awm_ring_cell(ring, n);
  aw_free(ring->cells);
  ring->cells = made;
  ring->mask = cells - 1;
  return 0;
}

void awm_ring_free(awm_ring *ring) {
  aw_free(ring->cells);
  memset(ring, 0, sizeof *ring);
}

/* ---- texts ---- */

/* Collects bytes in text records. */
typedef struct text_writer {
  awm_ring *ring;
  awm_record *head;
  awm_text_record *last; /* the record that is being filled, or NULL */
} text_writer;

static void add_text_bytes(text_writer *w, const char *bytes, size_t size) {
  while (size > 0) {
    if (!w->last || w->last->size == AWM_TEXT_BYTES) {
      w->last = &awm_ring_cell(w->ring, w->ring->written++)->text;
      w->last->kind = AWM_TEXT;
      w->last->size = 0;
      w->head->texts++;
    }
    size_t room = (size_t)AWM_TEXT_BYTES - w->last->size;
    size_t part = size < room ? size : room;
    memcpy(w->last->bytes + w->last->size, bytes, part);
    w->last->size = (uint8_t)(w->last->size + part);
    bytes += part;
    size -= part;
  }
}

/* Leave out the first bytes of a character of UTF-8 that does not fit. */
static size_t cut_size(const char *text, size_t most) {
  size_t size = strlen(text);
  if (size <= most)
    return size;
  while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
    most--;
  return most;
}

void awm_ring_add_text(awm_ring *ring, awm_record *head, const char *text) {
  size_t size = strlen(text);
  if (size > AWM_TEXT_BYTES) {
    awm_ring_add_texts(ring, head, text, NULL);
  } else if (size > 0) {
    awm_text_record *only = &awm_ring_cell(ring, ring->written++)->text;
    only->kind = AWM_TEXT;
    only->size = (uint8_t)size;
    memcpy(only->bytes, text, size);
    head->texts = 1;
  }
}

void awm_ring_add_texts(awm_ring *ring, awm_record *head, const char *first,
                        const char *second) {
  enum { ROOM = AWM_MOST_TEXTS * AWM_TEXT_BYTES - 1 };
  text_writer w = {ring, head, NULL};
  first = first ? first : "";
  second = second ? second : "";
  size_t size = cut_size(first, *second ? ROOM / 2 : ROOM);
  add_text_bytes(&w, first, size);
  if (!*second)
    return;
  add_text_bytes(&w, "", 1);
  add_text_bytes(&w, second, cut_size(second, ROOM - size));
}

/* ---- reading ---- */

uint64_t awm_ring_first(const awm_ring *ring, uint64_t since) {
  uint64_t at = oldest_record(ring);
  if (at < since)
    at = since;
  while (at < ring->written && awm_ring_cell(ring, at)->text.kind == AWM_TEXT)
    at++;
  return at;
}

uint64_t awm_ring_skip(const awm_ring *ring, uint64_t at) {
  return at + 1 + awm_ring_cell(ring, at)->record.texts;
}

uint64_t awm_ring_read(const awm_ring *ring, uint64_t at, awm_event *out) {
  size_t size = 0;
  out->record = awm_ring_cell(ring, at)->record;
  for (unsigned i = 1; i <= out->record.texts; i++) {
    const awm_text_record *text = &awm_ring_cell(ring, at + i)->text;
    memcpy(out->text + size, text->bytes, text->size);
    size += text->size;
  }
  out->text[size] = out->text[size + 1] = '\0';
  out->second = out->text + strlen(out->text) + 1;
  return at + 1 + out->record.texts;
}
