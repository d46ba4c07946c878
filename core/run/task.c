/* task.c - a running wire: its frames, its outcome, and how it is woken
 *
 * A task has a stack of frames, one for each composite wire under way, so a
 * deep wire needs no deep C stack. Below the frames is its outermost chain,
 * whose wire is `root`. The outcome of the wire that ended last (`outcome`,
 * `out`) goes down the frames until one takes it. An outcome that no frame
 * takes is that of the task. Waking a task only queues it [I2]; `go` says what
 * it does at its turn.
 *
 * Neighbours: step.c runs tasks, end.c ends them.
 *
 * More than 500 lines: a fifth of it are functions of aiowire.h about tasks.
 */
#include "run/task.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/ready.h"
#include "run/instrument.h"
#include "run/tree.h"
#include "wire/origin.h"
#include "wire/view.h"
#include "wire/wire.h"

#include <assert.h>
#include <string.h>

/* The rarely used state of a task, allocated on the first call; NULL if there
 * is no memory. */
static aw_task_more *more_of(aw_task *task) {
  if (!task->more) {
    task->more = aw__alloc(task->engine, sizeof *task->more);
    if (task->more)
      task->more->grace = AW_DEFAULT;
  }
  return task->more;
}

static void free_more(aw_task *task) {
  aw_task_more *more = task->more;
  aw__name_release(more->kept);
  for (int i = 0; i < AW_CHAIN_LENGTH; i++)
    aw__name_release(more->chain.kept[i]);
  aw__free(task->engine, more, sizeof *more);
}

static bool configure(aw_task *task, const aw_task_config *config) {
  task->where.name = config->where;
  task->background = config->background;
  if (!config->name && !config->handler && !config->grace && !config->locals)
    return true;
  aw_task_more *more = more_of(task);
  if (!more)
    return false;
  if (config->name) {
    more->kept = aw__name_make(config->name);
    if (!more->kept)
      return false;
    more->name = more->kept->text;
  }
  more->handler = config->handler;
  more->locals = config->locals;
  if (config->grace)
    more->grace = config->grace;
  return true;
}

aw_task *aw__task_plain(aw_engine *engine, aw_wire *wire) {
  aw_task *task = aw__task_take(engine);
  if (!task) {
    aw_wire_release(wire);
    return NULL;
  }
  task->engine = engine;
  task->refs = 1;
  task->id = ++engine->ids;
  task->started = engine->now;
  task->state = AW_TASK_READY;
  task->go = AW_GO_DESCEND;
  task->root = task->at = wire;
  engine->refs++;
  engine->tasks++;
  return task;
}

/* Free a task that was never in the tree. */
static void discard(aw_task *task) {
  aw_engine *engine = task->engine;
  if (task->more)
    free_more(task);
  aw_wire_release(task->root);
  aw__task_put_back(engine, task);
  engine->tasks--;
  aw__engine_release(engine);
}

aw_task *aw__task_new(aw_engine *engine, aw_wire *wire,
                      const aw_task_config *config) {
  aw_task *task = wire ? aw__task_plain(engine, wire) : NULL;
  if (task && (!config || configure(task, config)))
    return task;
  if (task)
    discard(task);
  if (config) {
    aw__drop(engine, config->handler);
    aw__drop(engine, config->locals);
  }
  return NULL;
}

aw_task *aw_task_keep(aw_task *task) {
  task->refs++;
  return task;
}

AW_APART static void free_task(aw_task *task) {
  aw_engine *engine = task->engine;
  assert(task->loop == NULL); /* settled: the engine's reference is gone */
  aw__task_drop_outcome(task);
  if (task->more)
    free_more(task);
  aw__task_put_back(engine, task);
  aw__engine_release(engine);
}

void aw_task_release(aw_task *task) {
  if (task && --task->refs == 0)
    free_task(task);
}

/* ---- frames ---- */

static int grow_frames(aw_task *task) {
  enum { SMALLEST = 4 }; /* doubled, it comes to AW_MOST_FRAMES */
  if (task->capacity == AW_MOST_FRAMES)
    return AW_EDEPTH;
  uint16_t capacity =
      task->capacity ? (uint16_t)(task->capacity * 2) : (uint16_t)SMALLEST;
  aw_frame *frames =
      aw__resize(task->engine, task->frames, task->capacity * sizeof *frames,
                 capacity * sizeof *frames);
  if (!frames)
    return AW_ENOMEM;
  task->frames = frames;
  task->capacity = capacity;
  return 0;
}

int aw__task_reserve(aw_task *task, int count) {
  int rc = 0;
  while (rc == 0 && task->capacity - task->depth < count)
    rc = grow_frames(task);
  return rc;
}

void aw__task_pop(aw_task *task) {
  assert(task->depth > 0);
  aw_frame *frame = &task->frames[--task->depth];
  if (frame->kind == AW_FRAME_CHAIN || frame->kind == AW_FRAME_STEP)
    aw_wire_release(frame->wire);
}

/* A task is named after the wire it was started with. Keep the name when that
 * wire is released. */
static void keep_name(aw_task *task, aw_task_more *more) {
  more->name = aw_wire_name(task->root);
  more->kept = aw__wire_keep_name(task->root);
}

/* Release the wire of the outermost chain. If the task has failed, its handler
 * may start the same wire again, so that the host need not make it anew: keep
 * it until the task settles. */
static void release_root(aw_task *task) {
  if (task->outcome == AW_OUT_ERROR && aw__task_handled(task))
    task->more->failed = task->root;
  else
    aw_wire_release(task->root);
  task->root = task->at = NULL;
}

void aw__task_end_root(aw_task *task) {
  assert(task->depth == 0);
  if (task->refs > 1 &&
      aw_wire_name(
          task->root)) { /* a reference is left: the name may be asked for */
    aw_task_more *more = more_of(task);
    if (more && !more->name)
      keep_name(task, more);
  }
  release_root(task);
  if (!task->frames)
    return;
  aw__free(task->engine, task->frames, task->capacity * sizeof *task->frames);
  task->frames = NULL;
  task->capacity = 0;
}

/* ---- outcome ---- */

void aw__task_release_outcome(aw_task *task) {
  if (task->outcome == AW_OUT_VALUE)
    aw__drop(task->engine, task->out.value);
  else if (task->outcome == AW_OUT_NEXT)
    aw_wire_release(task->out.next);
  else if (task->outcome == AW_OUT_ERROR)
    aw_error_release(task->out.error);
  task->outcome = AW_OUT_VALUE;
  task->out.value = 0;
}

enum { OWN_SCOPE = 1 };

uint16_t aw__task_cancel_depth(const aw_task *task) {
  if (task->inner->eff == AW_LEVEL_NONE)
    return 0;
  const aw_scope *origin = aw__scope_origin(task->inner);
  return origin->task == task ? origin->depth : OWN_SCOPE;
}

void aw__task_note_cancelled(aw_task *task) {
  uint16_t depth = aw__task_cancel_depth(task);
  if (depth > 0 && (task->given == 0 || depth < task->given))
    task->given = depth;
}

void aw__task_forget_cancelled(aw_task *task) {
  if (task->given == 0 || task->inner->depth >= task->given)
    return;
  task->given = 0;
  task->warned = false;
}

void aw__task_outcome(aw_task *task, aw_outcome outcome) {
  task->outcome = (uint8_t)outcome;
  task->go = AW_GO_ASCEND;
  if (outcome == AW_OUT_CANCEL)
    aw__task_note_cancelled(task);
}

void aw__task_end_value(aw_task *task, aw_value value) {
  aw__task_drop_outcome(task);
  task->out.value = value;
  aw__task_outcome(task, AW_OUT_VALUE);
}

void aw__task_end_error(aw_task *task, aw_error *error) {
  aw__task_drop_outcome(task);
  task->out.error = error;
  aw__task_outcome(task, AW_OUT_ERROR);
}

void aw__task_raise(aw_task *task, aw_error *error) {
  if (error->late && task->given != OWN_SCOPE)
    error = aw__error_afresh(error);
  if (!error->fixed) {
    error->late |= task->given == OWN_SCOPE;
    error->unclean |= task->given > 0;
  }
  aw__task_end_error(task, error);
}

void aw__task_end_code(aw_task *task, int code) {
  if (code != AW_ECANCELED) {
    aw__task_raise(task, aw_error_new(task->engine, code, 0));
    return;
  }
  aw__task_drop_outcome(task);
  aw__task_outcome(task, AW_OUT_CANCEL);
}

/* Is `name` the newest name of the chain, given to another wire by aw_named()?
 * Other names have been compared by their addresses, in aw__task_remember():
 * a machine of two functions would compare two texts in each step. */
static bool is_newest_name(const aw_chain *chain, const char *name) {
  return chain->count > 0 && chain->kept[chain->newest] && name &&
         strcmp(chain->names[chain->newest], name) == 0;
}

/* The chain is only shown to people: without memory, the chain lacks a line. */
void aw__task_remember_name(aw_task *task, const aw_wire *left) {
  const char *name = aw_wire_name(left);
  aw_task_more *more = more_of(task);
  if (!more)
    return;
  aw_chain *chain = &more->chain;
  if (!more->name && chain->count == 0) {
    more->name = name;
    more->kept = aw__wire_keep_name(left);
  }
  if (is_newest_name(chain, name)) {
    chain->times[chain->newest]++;
    return;
  }
  chain->newest = (chain->newest + 1) % AW_CHAIN_LENGTH;
  chain->names[chain->newest] = name;
  aw__name_release(chain->kept[chain->newest]);
  chain->kept[chain->newest] = aw__wire_keep_name(left);
  chain->times[chain->newest] = 1;
  if (chain->count < AW_CHAIN_LENGTH)
    chain->count++;
}

/* ---- waking ---- */

void aw__task_queue(aw_task *task) {
  task->state = AW_TASK_READY;
  aw__ready_push(task->engine, task);
}

static void unpark(aw_task *task, int result) {
  assert(task->wait != NULL); /* parked: no wait ends twice */
  if (task->wait->external || task->wait->closes) {
    task->engine->external -= task->wait->external;
    task->engine->closing -= task->wait->closes;
  }
  task->wait = NULL;
  task->on = NULL;
  task->result = result;
}

static void commit(aw_task *contender) {
  aw__group_of(contender->scope.parent)->hooks->commit(contender);
}

static void wake_rarely(aw_task *task, int result, bool closed);
/* The wait of a task has ended of which an instrument or a group hears. */
static void tell_woken(aw_task *task) {
  if (task->told)
    aw__tell_woken(task, task->result);
  if (task->contender)
    commit(task);
}

void aw__task_wake(aw_task *task, int result) {
  if (result == AW_ECLOSED || task->engine->ready.rouse) {
    wake_rarely(task, result, result == AW_ECLOSED);
    return;
  }
  unpark(task, result);
  aw__task_queue(task);
  if (task->contender || task->told)
    tell_woken(task);
}

/* ---- waits whose object was closed ----
 *
 * A wait that ends because its object was closed has taken nothing [C6]. So if
 * the task is cancelled before its turn, the task is given Cancelled instead
 * [C2]. But if a failure is the reason of that cancel, the task learns of the
 * close: when one close makes several tasks fail, no failure may be lost [E3].
 *
 * Often the main task of a loop closes an object and then ends, and its end
 * cancels the background tasks that waited for the object. The main task may
 * need a few more turns to end, or may wait until the closed object has ended.
 * Therefore background tasks wait in engine.closed. These tasks are queued when
 * no wait for the end of a close is under way, and no other task is ready.
 * Since other tasks may always be ready, PATIENCE looks at the clock also
 * suffice. */

enum { PATIENCE = 16 };

static void queue_later(aw_engine *engine, aw_task *task) {
  if (aw__list_empty(&engine->closed))
    engine->patience = PATIENCE;
  task->state = AW_TASK_READY;
  aw__list_append(&engine->closed, &task->link);
}

/* Wake a task whose object was closed, or one whose engine rests in the turns
 * of a host. */
static void wake_rarely(aw_task *task, int result, bool closed) {
  aw__ready_rouse(task->engine);
  unpark(task, result);
  task->closed = closed;
  if (closed && task->background)
    queue_later(task->engine, task);
  else
    aw__task_queue(task);
  if (task->contender || task->told)
    tell_woken(task);
}

void aw__task_wake_closed(aw_task *task, int result) {
  wake_rarely(task, result, true);
}

bool aw__task_has_closed(const aw_engine *engine) {
  return engine->closing == 0 && !aw__list_empty(&engine->closed);
}

void aw__task_queue_closed(aw_engine *engine) {
  if (engine->ready.count > 0 && engine->patience > 0) {
    engine->patience--;
    return;
  }
  aw_link *link;
  while ((link = aw__list_shift(&engine->closed)) != NULL)
    aw__task_queue(AW_CONTAINER(aw_task, link, link));
}

bool aw_wait_interrupt(aw_task *task, int result) {
  const aw_operation *operation = task->wait;
  if (!operation || !operation->disarm || operation->abortable)
    return false;
  operation->disarm(task, task->on);
  aw__task_wake(task, result);
  return true;
}

void aw_wait_complete(aw_task *task, int result) {
  if (!task->wait) /* it has ended already */
    return;
  aw__task_wake(task, result);
  if (result == AW_ECANCELED) /* seldom */
    task->closed = true;
}

/* ---- for hosts ---- */

void aw_task_mark_waited(aw_task *task) {
  task->waited = true;
}

void aw_task_watch(aw_task *task) {
  task->watched = true;
}

aw_value aw_task_handler(const aw_task *task) {
  return task->more ? task->more->handler : 0;
}

void aw_task_set_handler(aw_task *task, aw_value handler) {
  aw_task_more *more = task->loop ? task->more : NULL;
  if (!more || !more->handler) {
    aw__drop(task->engine, handler);
    return;
  }
  aw__drop(task->engine, more->handler);
  more->handler = handler;
}

aw_value aw_task_locals(const aw_task *task) {
  return task->more ? task->more->locals : 0;
}

int aw_task_set_locals(aw_task *task, aw_value locals) {
  if (!task)
    return AW_EINVAL;
  bool ended = task->loop == NULL;
  aw_task_more *more = ended ? NULL : more_of(task);
  if (!more) {
    aw__drop(task->engine, locals);
    return ended ? AW_EENDED : AW_ENOMEM;
  }
  aw__drop(task->engine, more->locals);
  more->locals = locals;
  return 0;
}

bool aw__task_handled(const aw_task *task) {
  return aw_task_handler(task) != 0;
}

void aw_task_park(aw_task *task, void *host) {
  task->host = host;
}

/* Clear the outcome, whose value, wire or error was given away. */
static void take_out(aw_task *task) {
  task->outcome = AW_OUT_VALUE;
  task->out.value = 0;
  task->input = false;
}

aw_value aw_task_take_value(aw_task *task) {
  aw_value value = task->outcome == AW_OUT_VALUE ? task->out.value : 0;
  if (task->outcome == AW_OUT_VALUE)
    take_out(task);
  return value;
}

aw_wire *aw_task_take_next(aw_task *task) {
  aw_wire *next = task->outcome == AW_OUT_NEXT ? task->out.next : NULL;
  if (next)
    take_out(task);
  return next;
}

aw_error *aw_task_take_error(aw_task *task) {
  aw_error *error = task->outcome == AW_OUT_ERROR ? task->out.error : NULL;
  if (error)
    take_out(task);
  return error;
}

void aw_task_set_value(aw_task *task, aw_value value) {
  aw__task_drop_outcome(task);
  task->out.value = value;
}

void aw_task_set_next(aw_task *task, aw_wire *next) {
  if (!next) {
    aw_task_set_error(task, aw_error_new(task->engine, AW_ENOMEM, 0));
    return;
  }
  aw__task_drop_outcome(task);
  task->outcome = AW_OUT_NEXT;
  task->out.next = next;
}

void aw_task_set_error(aw_task *task, aw_error *error) {
  aw__task_drop_outcome(task);
  task->outcome = AW_OUT_ERROR;
  task->out.error = error;
}

aw_turn aw_task_fail(aw_task *task, int code) {
  aw__task_drop_outcome(task);
  if (code >= 0)
    code = AW_EINVAL;
  if (code != AW_ECANCELED)
    aw_task_set_error(task, aw_error_new(task->engine, code, 0));
  return AW_FAIL;
}
