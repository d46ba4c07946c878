/* error.c - what a task ends with when it fails
 *
 * An error is a code, a value of the host, and the later errors that came
 * second to it [E3]. Reference counted, since a task that failed, those that
 * waited for it and the scopes it went through share one.
 */
#include "base/error.h"

#include "base/memory.h"
#include "run/cut.h"

#include <string.h>

aw_error *aw__error_make(aw_engine *engine, int code, aw_value value) {
  aw_error *error = aw__alloc(engine, sizeof *error);
  if (!error)
    return NULL;
  error->refs = 1;
  error->code = code;
  error->value = value;
  error->fd = -1;
  error->engine = engine;
  aw__engine_keep(engine);
  engine->errors++;
  return error;
}

aw_error *aw_error_new(aw_engine *engine, int code, aw_value value) {
  aw_error *error = aw__error_make(engine, code, value);
  if (error)
    return error;
  aw__drop(engine, value);
  return aw_error_keep(engine->no_memory);
}

int aw_error_code(const aw_error *error) {
  return error->code;
}

aw_value aw_error_value(const aw_error *error) {
  return error->value;
}

void aw_error_set_value(aw_error *error, aw_value value) {
  if (error->value || error == error->engine->no_memory)
    aw__drop(error->engine, value);
  else
    error->value = value;
}

const char *aw_error_call(const aw_error *error) {
  return error->call;
}

int aw_error_fd(const aw_error *error) {
  return error->fd;
}

void aw_error_set_about(aw_error *error, const char *call, int fd) {
  if (error == error->engine->no_memory)
    return;
  error->call = call;
  error->fd = fd;
}

const char *aw_error_subject(const aw_error *error) {
  return error->subject;
}

static void drop_subject(aw_error *error) {
  if (error->subject)
    aw__free(error->engine, error->subject, strlen(error->subject) + 1);
  error->subject = NULL;
}

void aw_error_set_subject(aw_error *error, const char *subject) {
  if (error == error->engine->no_memory)
    return;
  drop_subject(error);
  size_t size = strlen(subject) + 1;
  error->subject = aw__alloc(error->engine, size);
  if (error->subject)
    memcpy(error->subject, subject, size);
}

uint32_t aw_error_attempts(const aw_error *error) {
  return error->attempts;
}

void aw__error_set_attempts(aw_error *error, uint32_t attempts) {
  if (error != error->engine->no_memory)
    error->attempts = attempts;
}

const aw_wire *aw_error_wire(const aw_error *error, const aw_wire **holder,
                             uint64_t *ns) {
  *holder = error->holder;
  *ns = error->ns;
  return error->wire;
}

void aw__error_set_wire(aw_error *error, aw_wire *wire, aw_wire *holder,
                        uint64_t ns) {
  if (error == error->engine->no_memory)
    return;
  error->wire = aw_wire_keep(wire);
  error->holder = holder ? aw_wire_keep(holder) : NULL;
  error->ns = ns;
}

const aw_cut *aw_error_cut(const aw_error *error) {
  return error->cut;
}

void aw__error_set_cut(aw_error *error, aw_cut *cut) {
  if (error == error->engine->no_memory)
    aw_cut_release(cut);
  else
    error->cut = cut;
}

aw_error *aw_error_suppressed(const aw_error *error, size_t index) {
  const void *at = NULL;
  aw_error *suppressed;
  do
    suppressed = aw_error_next_suppressed(error, &at);
  while (suppressed && index-- > 0);
  return suppressed;
}

aw_error *aw_error_next_suppressed(const aw_error *error, const void **at) {
  const aw_second *before = *at, *newest = error->suppressed;
  if (!newest || before == newest)
    return NULL;
  const aw_second *second = before ? before->next : newest->next;
  *at = second;
  return second->error;
}

void aw_error_suppress(aw_error *error, aw_error *later) {
  aw_second *second = NULL;
  if (later != error && error != error->engine->no_memory)
    second = aw__alloc(error->engine, sizeof *second);
  if (!second) {
    aw_error_release(later);
    return;
  }
  second->error = later;
  aw_second *newest = error->suppressed;
  second->next = newest ? newest->next : second;
  if (newest)
    newest->next = second;
  error->suppressed = second;
}

aw_error *aw__error_afresh(aw_error *error) {
  aw_engine *engine = error->engine;
  aw_error *copy = aw__error_make(engine, error->code, 0);
  if (!copy)
    return error;
  copy->value = aw__keep_value(engine, error->value);
  copy->call = error->call;
  copy->fd = error->fd;
  if (error->subject)
    aw_error_set_subject(copy, error->subject);
  copy->attempts = error->attempts;
  if (error->wire)
    aw__error_set_wire(copy, error->wire, error->holder, error->ns);
  copy->cut = aw_cut_keep(error->cut);
  const void *at = NULL;
  aw_error *suppressed;
  while ((suppressed = aw_error_next_suppressed(error, &at)) != NULL)
    aw_error_suppress(copy, aw_error_keep(suppressed));
  aw_error_release(error);
  return copy;
}

aw_error *aw_error_keep(aw_error *error) {
  error->refs++;
  return error;
}

/* Take `error`, whose last reference went, apart; gives its suppressed ones,
 * in front of `rest`. */
static aw_second *take_apart(aw_error *error, aw_second *rest) {
  aw_second *newest = error->suppressed, *list = rest;
  if (newest) {
    list = newest->next;
    newest->next = rest;
  }
  aw_engine *engine = error->engine;
  aw__drop(engine, error->value);
  drop_subject(error);
  aw_wire_release(error->wire);
  aw_wire_release(error->holder);
  aw_cut_release(error->cut);
  aw__free(engine, error, sizeof *error);
  engine->errors--;
  aw__engine_release(engine);
  return list;
}

void aw_error_release(aw_error *error) {
  aw_second *todo = NULL; /* a list, so no depth becomes depth of C stack */
  while (error) {
    aw_engine *engine = error->engine;
    aw__engine_keep(engine);
    if (--error->refs == 0)
      todo = take_apart(error, todo);
    aw_second *next = todo;
    error = next ? next->error : NULL;
    if (next) {
      todo = next->next;
      aw__free(engine, next, sizeof *next);
    }
    aw__engine_release(engine);
  }
}
