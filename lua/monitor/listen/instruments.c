/* instruments.c - several instruments on the engines of a Lua state
 *
 * An engine has one instrument. Here it is a *fan*, which passes each event on
 * to its *ears*. A *listener*, what aw_lua_instrument_add() gives, has an ear
 * at each engine of its state.
 *
 *     state ──► listener ────────┬──────────────────┐ siblings
 *           └─► listener ────────┼──────┐           │
 *                                ▼      ▼           ▼
 *     engine ─ instrument ─ fan: ear ─► ear    fan: ear ─ engine of a virtual
 *                                                         EventLoop
 *
 * Invariants
 *   - A fan is found by its closer, and lives as long as its engine: it is the
 *     `data` of the instrument, and only the same data may be set again while
 *     tasks are alive that were told of. Without ears, the engine has no
 *     instrument, and takes its short ways.
 *   - An ear hears of a task from its start. One that comes later is told of
 *     all tasks of its state, parents first, and then of the step that is under
 *     way, see introduce().
 *   - Ears come and go outside of events, so the list needs no care while an
 *     event is passed on.
 *
 * An engine of a host program may have several states. They share its fan, and
 * each listener hears the tasks of all. A late one is told of those of its own
 * state only.
 *
 * Neighbours: accounts.c listens, and so do the files of lua/monitor/trace and
 * programs.
 */
#include "listen/instruments.h"

#include <stddef.h>

typedef struct ear ear;

/* The instrument of an engine. */
typedef struct fan {
  aw_closer closer; /* the first member: the engine finds it */
  aw_engine *core;
  ear *first;              /* in the order of listening */
  const aw_task *stepping; /* whose step was told of, and is under way */
  bool set;                /* the engine has this instrument */
} fan;

/* A listener at one engine. */
struct ear {
  aw_instrument to; /* `data` is for this engine */
  fan *at;
  ear *next;             /* of the fan */
  ear *sibling, **place; /* of the listener, at another engine */
  aw_lua_instrument *own;
};

struct aw_lua_instrument {
  awl_state *state;
  awm_listener is;
  ear *ears;
  const aw_engine *blocking; /* during the events of blocking */
  aw_lua_instrument *next, **place;
};

/* ---- passing on ---- */

/* Call function `event` of each ear that has it. */
#define PASS_ON(fan_, event, ...) \
  do { \
    const fan *from_ = (fan_); \
    for (const ear *ear_ = from_->first; ear_; ear_ = ear_->next) \
      if (ear_->to.event) \
        ear_->to.event(ear_->to.data, __VA_ARGS__); \
  } while (0)

static void pass_started(void *data, const aw_task *task) {
  PASS_ON(data, task_started, task);
}

static void pass_ended(void *data, const aw_task *task) {
  PASS_ON(data, task_ended, task);
}

static void pass_cancelled(void *data, const aw_task *task) {
  PASS_ON(data, task_cancelled, task);
}

static void pass_step(void *data, const aw_task *task) {
  ((fan *)data)->stepping = task;
  PASS_ON(data, step_begins, task);
}

static void pass_step_end(void *data, const aw_task *task) {
  ((fan *)data)->stepping = NULL;
  PASS_ON(data, step_ends, task);
}

static void pass_wait(void *data, const aw_task *task, const char *label) {
  PASS_ON(data, wait_begins, task, label);
}

static void pass_wait_end(void *data, const aw_task *task, int result) {
  PASS_ON(data, wait_ends, task, result);
}

static void pass_blocking(void *data, uint64_t until) {
  const fan *f = data;
  for (const ear *e = f->first; e; e = e->next) {
    if (!e->to.before_blocking)
      continue;
    e->own->blocking = f->core;
    e->to.before_blocking(e->to.data, until);
    e->own->blocking = NULL;
  }
}

static void pass_unblocked(void *data) {
  const fan *f = data;
  for (const ear *e = f->first; e; e = e->next) {
    if (!e->to.after_blocking)
      continue;
    e->own->blocking = f->core;
    e->to.after_blocking(e->to.data);
    e->own->blocking = NULL;
  }
}

/* Set the instrument of the engine. Returns 0 or AW_EBUSY. */
static int pass_all(fan *f) {
  const aw_instrument all = {.data = f,
                             .task_started = pass_started,
                             .task_ended = pass_ended,
                             .task_cancelled = pass_cancelled,
                             .step_begins = pass_step,
                             .step_ends = pass_step_end,
                             .wait_begins = pass_wait,
                             .wait_ends = pass_wait_end,
                             .before_blocking = pass_blocking,
                             .after_blocking = pass_unblocked};
  return aw_engine_instrument(f->core, &all);
}

/* ---- a new ear ---- */

static void note_stepping(void *data, const aw_task *task) {
  ((fan *)data)->stepping = task;
}

static void tell_known(const ear *to, const aw_task *task) {
  aw_waiting wait;
  if (to->to.task_started)
    to->to.task_started(to->to.data, task);
  if (to->to.wait_begins && aw_task_waiting(task, &wait))
    to->to.wait_begins(to->to.data, task, wait.label);
}

/* Tell the new ear of the tasks of a loop; of those that were told of to no
 * ear, tell every ear. */
static void tell_tasks(const ear *new, aw_loop *loop) {
  const aw_scope *root = aw_loop_scope(loop);
  size_t depth = 0;
  for (const aw_scope *at = root; at; at = aw_scope_walk(root, at, &depth)) {
    aw_task *task = aw_scope_task(at);
    if (task && !aw_task_tell(task))
      tell_known(new, task);
  }
}

/* Tell the new ear of the tasks of its state in an engine. A state may have
 * thousands of EventLoops with engines of their own, most of which are idle. */
static void tell_tasks_of(const ear *new, const awl_engine *engine) {
  const awl_state *s = new->own->state;
  aw_stats stats;
  aw_engine_stats(engine->core, &stats);
  for (uint32_t i = 0; stats.tasks > 0 && i < s->loop_count; i++)
    if (s->loops[i] && s->loops[i]->engine == engine && s->loops[i]->core)
      tell_tasks(new, s->loops[i]->core);
}

static void tell_step_to(const ear *to, const aw_task *task) {
  if (to->to.step_begins)
    to->to.step_begins(to->to.data, task);
}

/* Tell the new ear of all tasks of its state, and last of the step that is
 * under way: the task must be known before. */
static int introduce(const ear *new, const awl_engine *engine) {
  fan *f = new->at;
  const aw_task *before = f->stepping;
  const aw_instrument starts = {.data = f,
                                .task_started = pass_started,
                                .step_begins = note_stepping,
                                .wait_begins = pass_wait};
  int rc = aw_engine_instrument(f->core, &starts);
  if (rc < 0)
    return rc;
  tell_tasks_of(new, engine);
  f->set = pass_all(f) == 0; /* the data is the same */
  if (before)
    tell_step_to(new, before);
  else if (f->stepping)
    PASS_ON(f, step_begins, f->stepping);
  return 0;
}

/* ---- fans and ears ---- */

static void end_ear(ear *e) {
  if (e->own->is.engine_ends)
    e->own->is.engine_ends(e->to.data);
  aw_free(e);
}

static void leave_listener(const ear *e) {
  *e->place = e->sibling;
  if (e->sibling)
    e->sibling->place = e->place;
}

static void leave_fan(const ear *e) {
  fan *f = e->at;
  ear **at = &f->first;
  while (*at != e)
    at = &(*at)->next;
  *at = e->next;
  if (f->first || !f->set)
    return;
  (void)aw_engine_instrument(f->core, NULL);
  f->stepping = NULL;
  f->set = false;
}

/* The engine is freed. */
static void close_fan(aw_closer *closer) {
  fan *f = (fan *)closer;
  while (f->first) {
    ear *e = f->first;
    leave_listener(e);
    leave_fan(e);
    end_ear(e);
  }
  aw_free(f);
}

/* The fan of an engine; the first call makes it. NULL: out of memory. */
static fan *fan_of(aw_engine *core) {
  aw_closer *closer = aw_engine_find_closer(core, close_fan);
  if (closer)
    return (fan *)closer;
  fan *f = aw_allocate(sizeof *f);
  if (!f)
    return NULL;
  f->closer.close = close_fan;
  f->core = core;
  aw_engine_add_closer(core, &f->closer);
  return f;
}

static bool hears(const aw_lua_instrument *own, const aw_engine *core) {
  const aw_closer *closer = aw_engine_find_closer(core, close_fan);
  const ear *e = closer ? ((const fan *)closer)->first : NULL;
  while (e && e->own != own)
    e = e->next;
  return e != NULL;
}

/* Give the listener an ear without events yet; NULL: out of memory. */
static ear *make_ear(aw_lua_instrument *own, const awl_engine *engine) {
  fan *f = fan_of(engine->core);
  ear *e = f ? aw_allocate(sizeof *e) : NULL;
  if (!e)
    return NULL;
  e->to = own->is.to;
  if (own->is.engine_begins)
    e->to.data = own->is.engine_begins(own->is.to.data, engine);
  if (own->is.engine_begins && !e->to.data) {
    aw_free(e);
    return NULL;
  }
  e->at = f;
  e->own = own;
  e->sibling = own->ears;
  e->place = &own->ears;
  if (e->sibling)
    e->sibling->place = &e->sibling;
  own->ears = e;
  ear **last = &f->first;
  while (*last)
    last = &(*last)->next;
  *last = e;
  return e;
}

/* Let the listener hear of an engine. Returns 0, AW_EBUSY or AW_ENOMEM. */
static int hear(aw_lua_instrument *own, const awl_engine *engine) {
  if (hears(own, engine->core))
    return 0;
  const ear *e = make_ear(own, engine);
  return e ? introduce(e, engine) : AW_ENOMEM;
}

/* ---- listeners ---- */

/* The state has made one more engine. Returns 0 or AW_ENOMEM. */
static int hear_new_engine(const awl_engine *engine) {
  int rc = 0;
  aw_lua_instrument *own = engine->state->instruments;
  for (; own && rc == 0; own = own->next)
    rc = hear(own, engine);
  return rc;
}

static int hear_engines(aw_lua_instrument *own) {
  const awl_state *s = own->state;
  int rc = s->engine ? hear(own, s->engine) : 0;
  for (uint32_t i = 0; i < s->loop_count && rc == 0; i++)
    if (s->loops[i] && s->loops[i]->engine)
      rc = hear(own, s->loops[i]->engine);
  return rc;
}

int awm_listen(awl_state *s, const awm_listener *is, aw_lua_instrument **out) {
  aw_lua_instrument *own = aw_allocate(sizeof *own);
  if (!own)
    return AW_ENOMEM;
  own->state = s;
  own->is = *is;
  own->place = &s->instruments;
  while (*own->place)
    own->place = &(*own->place)->next;
  *own->place = own;
  s->upcalls.engine_made = hear_new_engine;
  int rc = hear_engines(own);
  if (rc < 0)
    aw_lua_instrument_remove(own);
  else
    *out = own;
  return rc;
}

void aw_lua_instrument_remove(aw_lua_instrument *own) {
  if (!own)
    return;
  while (own->ears) {
    ear *e = own->ears;
    leave_listener(e);
    leave_fan(e);
    end_ear(e);
  }
  *own->place = own->next;
  if (own->next)
    own->next->place = own->place;
  aw_free(own);
}

const aw_engine *aw_lua_instrument_engine(const aw_lua_instrument *own) {
  return own->blocking;
}

void awm_end_instruments(awl_state *s) {
  while (s->instruments)
    aw_lua_instrument_remove(s->instruments);
}
