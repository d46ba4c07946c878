/* cut.c - the record of a wait that a time-out cut short [E2]
 *
 * A record is for error messages. It has the text of the wait, the id of the
 * task, the place where that task was started, and a value that the host may
 * add. The scope, the error and the host share a record by counted references.
 *
 * Neighbours: run/cut_record.c makes records; error.c keeps one for a time-out.
 */
#include "base/cut.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

struct aw_cut {
  aw_engine *engine; /* kept */
  uint32_t refs;
  uint64_t task;     /* id of the task that waited */
  const char *where; /* where that task was started, or NULL */
  aw_value value;    /* of the host */
  size_t size;       /* of the struct with its text */
  bool own;          /* the task that waited reports the time-out */
  /* The text is still to be made, of `data`; else NULL */
  const aw_operation *operation;
  const void *data;
  char text[]; /* what the task waited for */
};

/* A record with room for a text of `length`. */
static aw_cut *make(aw_engine *engine, uint64_t task, const char *where,
                    size_t length) {
  size_t size = sizeof(aw_cut) + length + 1;
  aw_cut *cut = aw__alloc(engine, size);
  if (!cut)
    return NULL;
  cut->engine = engine;
  aw__engine_keep(engine);
  cut->refs = 1;
  cut->task = task;
  cut->where = where;
  cut->size = size;
  return cut;
}

aw_cut *aw__cut_new(aw_engine *engine, uint64_t task, const char *where,
                    const char *text) {
  size_t length = strlen(text);
  aw_cut *cut = make(engine, task, where, length);
  if (cut)
    memcpy(cut->text, text, length + 1);
  return cut;
}

aw_cut *aw__cut_later(aw_engine *engine, uint64_t task, const char *where,
                      const aw_operation *operation, const void *data) {
  aw_cut *cut = make(engine, task, where, AW_CUT_SHORT - 1);
  if (!cut)
    return NULL;
  cut->operation = operation;
  cut->data = data;
  return cut;
}

void aw__cut_describe(const aw_operation *operation, const void *data,
                      char out[AW_CUT_LONGEST]) {
  enum { LONGEST = AW_CUT_LONGEST / 2 };
  char about[LONGEST] = "";
  if (operation->describe)
    operation->describe(data, about, sizeof about);
  snprintf(out, AW_CUT_LONGEST, *about ? "%s %s" : "%s", operation->label,
           about);
}

void aw__cut_reported_by(aw_cut *cut, uint64_t task) {
  cut->own = cut->task == task;
}

aw_cut *aw_cut_keep(aw_cut *cut) {
  if (cut)
    cut->refs++;
  return cut;
}

void aw_cut_release(aw_cut *cut) {
  if (!cut || --cut->refs > 0)
    return;
  aw_engine *engine = cut->engine;
  aw__drop(engine, cut->value);
  aw__free(engine, cut, cut->size);
  aw__engine_release(engine);
}

/* Formatting a number takes longer than all else that a time-out does, and many
 * programs never read the text. Those that do have few such numbers: the engine
 * has the last text. */
static void make_text(aw_cut *cut) {
  aw_cut_number *last = &cut->engine->last_cut;
  if (last->operation != cut->operation || last->data != cut->data) {
    char text[AW_CUT_LONGEST];
    aw__cut_describe(cut->operation, cut->data, text);
    snprintf(last->text, sizeof last->text, "%.*s", AW_CUT_SHORT - 1, text);
    last->operation = cut->operation;
    last->data = cut->data;
  }
  memcpy(cut->text, last->text, sizeof last->text);
  cut->operation = NULL;
}

const char *aw_cut_text(const aw_cut *cut) {
  if (cut->operation)
    make_text((aw_cut *)(uintptr_t)cut);
  return cut->text;
}

uint64_t aw_cut_task(const aw_cut *cut, const char **where) {
  if (where)
    *where = cut->where;
  return cut->task;
}

bool aw_cut_own(const aw_cut *cut) {
  return cut->own;
}

aw_value aw_cut_value(const aw_cut *cut) {
  return cut->value;
}

void aw_cut_set_value(aw_cut *cut, aw_value value) {
  aw__drop(cut->engine, cut->value);
  cut->value = value;
}
