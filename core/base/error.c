/* error.c - the error that a failed task ends with
 *
 * An error has a code, a value of the host, and a list of suppressed errors:
 * later errors that were set aside in this one [E3]. A failed task, its waiters
 * and the scopes that an error went through share the error by counted
 * references.
 *
 * The engine makes two errors ahead of need, which nobody changes, and in which
 * no other error is set aside: `no_memory`, and `unwanted`, which stands for
 * any error that nobody will see.
 *
 * Neighbours: wire/origin.c adds the wire that failed; cut.c is the record of
 * a wait that a time-out cut short.
 */
#include "base/error.h"

#include "base/memory.h"

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
  if (code >= 0)
    code = AW_EINVAL;
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
  if (error->value || error->fixed)
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
  if (error->fixed)
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
  if (error->fixed)
    return;
  drop_subject(error);
  if (!subject)
    return;
  size_t size = strlen(subject) + 1;
  error->subject = aw__alloc(error->engine, size);
  if (error->subject)
    memcpy(error->subject, subject, size);
}

uint32_t aw_error_attempts(const aw_error *error) {
  return error->attempts;
}

void aw__error_set_attempts(aw_error *error, uint32_t attempts) {
  if (!error->fixed)
    error->attempts = attempts;
}

const aw_cut *aw_error_cut(const aw_error *error) {
  return error->cut;
}

void aw__error_set_cut(aw_error *error, aw_cut *cut) {
  if (error->fixed)
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
  if (later && later != error && !error->fixed)
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

aw_error *aw_error_keep(aw_error *error) {
  error->refs++;
  return error;
}

/* Free `error`, whose last reference was released. Returns the list of the
 * errors that were suppressed in `error`, followed by `rest`. */
static aw_second *take_apart(aw_error *error, aw_second *rest) {
  aw_second *newest = error->suppressed, *list = rest;
  if (newest) {
    list = newest->next;
    newest->next = rest;
  }
  aw_engine *engine = error->engine;
  aw__drop(engine, error->value);
  drop_subject(error);
  if (error->forget)
    error->forget(error);
  aw_cut_release(error->cut);
  aw__free(engine, error, sizeof *error);
  engine->errors--;
  aw__engine_release(engine);
  return list;
}

void aw_error_release(aw_error *error) {
  aw_second *todo = NULL; /* a list instead of recursion: errors nest deeply */
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
