/* registry.c - the Lua states that are inspected [D40]
 *
 *     a Lua state's thread             lock             the server's thread
 *
 *     enter ─► awm_inspected ───────►  list
 *                                      queue  ◄──── round_begin: a question for
 *     take  ◄─────────────────────────  │           each state, and a wake-up
 *     … makes the text …                │           round_press: a signal
 *     answer ──────────────────────►  text  ──────► round_end
 *
 * One lock guards all of it, and is held for moments only: a copy of a pointer,
 * the wake-up of an engine. No thread waits for another one. So a state can
 * leave at any time: its questions end without an answer, and from then on
 * nobody wakes its engine or sends it a signal.
 *
 * A question belongs to the server's thread while it is ASKED or ANSWERED, and
 * to the state's thread while it is TAKEN. A client that goes away drops its
 * questions: one that is TAKEN is `unwanted`, and freed with its answer.
 *
 * A forked process has no server, and none of the other threads. Its list is
 * empty; what the others had is left alone.
 *
 * Neighbours: inspect.c makes the answers; client.c asks.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* syscall() */
#endif
#include "inspect/registry.h"

#include "signals/interrupt.h"

#include <uv.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static awm_inspected *inspected; /* in the order in which they came */
static unsigned last_number;
static int bell = -1;

void awm_lock(void) {
  pthread_mutex_lock(&lock);
}

void awm_unlock(void) {
  pthread_mutex_unlock(&lock);
}

/* ---- forks ---- */

static void empty_in_child(void) {
  for (awm_inspected *i = inspected, *next; i; i = next) {
    next = i->next;
    i->place = NULL;
    i->queue = NULL;
    i->end = &i->queue;
    i->taken = NULL;
    atomic_store(&i->asked, false);
  }
  inspected = NULL;
  bell = -1;
  awm_unlock();
}

static void watch_registry_forks(void) {
  (void)pthread_atfork(awm_lock, awm_unlock, empty_in_child);
}

/* ---- texts ---- */

static awm_text *share_answer(awm_text *text) {
  if (text)
    atomic_fetch_add(&text->refs, 1);
  return text;
}

static void unshare_answer(awm_text *text) {
  if (text && atomic_fetch_sub(&text->refs, 1) == 1)
    aw_free(text);
}

char awm_escape_of(char byte) {
  return byte == '\t'   ? 't'
         : byte == '\n' ? 'n'
         : byte == '\r' ? 'r'
         : byte == '\\' ? '\\'
                        : '\0';
}

/* ---- the list ---- */

static long number_of_thread(void) {
#if defined(__linux__)
  return syscall(SYS_gettid);
#else
  return (long)getpid();
#endif
}

awm_inspected *awm_registry_enter(const char *name) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_registry_forks);
  awm_inspected *own = aw_allocate(sizeof *own);
  if (!own)
    return NULL;
  own->forks = aw_forks();
  own->thread = number_of_thread();
  own->since = uv_hrtime();
  own->end = &own->queue;
  snprintf(own->name, sizeof own->name, "%s", name);
  awm_lock();
  own->number = ++last_number;
  awm_inspected **place = &inspected;
  while (*place)
    place = &(*place)->next;
  own->place = place;
  *place = own;
  awm_unlock();
  return own;
}

/* The question has an answer, or none will come. */
static void answer_question(awm_question *q) {
  q->state = AWM_ANSWERED;
  if (bell >= 0)
    (void)!write(bell, "", 1); /* if it is full, the server wakes anyway */
}

static void unlink_question(awm_inspected *whom, awm_question *q) {
  if (q->next)
    q->next->place = q->place;
  else
    whom->end = q->place;
  *q->place = q->next;
}

static void unlink_inspected(awm_inspected *own) {
  if (own->next)
    own->next->place = own->place;
  *own->place = own->next;
  own->place = NULL;
}

void awm_registry_leave(awm_inspected *own) {
  awm_lock();
  if (own->place)
    unlink_inspected(own);
  while (own->queue) {
    awm_question *q = own->queue;
    unlink_question(own, q);
    q->whom = NULL;
    answer_question(q);
  }
  if (own->taken) /* a finalizer ends the program during an answer */
    own->taken->whom = NULL;
  awm_unlock();
  unshare_answer(own->last);
  aw_free(own);
}

bool awm_registry_has(const awm_inspected *own) {
  return own->forks == aw_forks();
}

void awm_registry_rename(awm_inspected *own, const char *name) {
  awm_lock();
  snprintf(own->name, sizeof own->name, "%s", name);
  awm_unlock();
}

void awm_registry_name(char *out, size_t size) {
  awm_lock();
  snprintf(out, size, "%s", inspected ? inspected->name : "");
  awm_unlock();
}

void awm_registry_set_engine(awm_inspected *own, aw_engine *engine) {
  awm_lock();
  own->engine = engine;
  if (engine && own->queue)
    aw_engine_wake(engine); /* the question came for another engine */
  awm_unlock();
}

void awm_registry_set_interrupts(awm_inspected *own,
                                 aw_lua_interrupts *interrupts) {
  awm_lock();
  own->interrupts = interrupts;
  awm_unlock();
}

void awm_registry_set_pulse(awm_inspected *own, const awm_pulse *pulse) {
  awm_lock();
  own->pulse = pulse;
  awm_unlock();
}

void awm_registry_set_bell(int fd) {
  awm_lock();
  bell = fd;
  awm_unlock();
}

/* ---- answering ---- */

/* The step that is under way in the state; `task` 0: none, or not known. */
static awm_step step_of(const awm_inspected *whom) {
  awm_step step = {0};
  if (!whom || !whom->pulse || !awm_pulse_look(whom->pulse, &step))
    step.task = 0;
  return step;
}

static void give_up_question(awm_question *q) {
  unshare_answer(q->text);
  aw_free(q);
}

awm_question *awm_registry_take(awm_inspected *own) {
  if (!atomic_exchange(&own->asked, false))
    return NULL;
  awm_lock();
  awm_question *q = own->queue;
  if (q) {
    unlink_question(own, q);
    q->state = AWM_TAKEN;
    own->taken = q;
    atomic_store(&own->asked, own->queue != NULL);
  }
  awm_unlock();
  return q;
}

void awm_registry_answer(awm_inspected *own, awm_question *q, awm_text *text) {
  awm_text *before = NULL;
  awm_lock();
  if (text && !q->failed && q->request == AWM_TASKS) {
    before = own->last;
    own->last = share_answer(text);
  }
  q->text = text;
  q->starved = !text;
  q->step = step_of(own);
  q->whom = NULL;
  own->taken = NULL;
  bool unwanted = q->unwanted;
  if (!unwanted)
    answer_question(q);
  awm_unlock();
  unshare_answer(before);
  if (unwanted)
    give_up_question(q);
}

/* ---- asking ---- */

static awm_question *queue_question(awm_inspected *whom, awm_request request,
                                    const char *argument) {
  awm_question *q = aw_allocate(sizeof *q);
  if (!q)
    return NULL;
  q->request = request;
  snprintf(q->argument, sizeof q->argument, "%s", argument);
  q->whom = whom;
  q->place = whom->end;
  *q->place = q;
  whom->end = &q->next;
  atomic_store(&whom->asked, true);
  aw_engine_wake(whom->engine);
  return q;
}

static void ask_state(awm_entry *e, awm_inspected *whom, awm_request request,
                      const char *argument) {
  e->number = whom->number;
  e->thread = whom->thread;
  e->since = whom->since;
  e->own_engine = atomic_load(&whom->own_engine);
  memcpy(e->name, whom->name, sizeof e->name);
  e->answer = AWM_IDLE;
  if (!whom->engine)
    return;
  e->question = queue_question(whom, request, argument);
  if (!e->question)
    e->answer = AWM_STARVED;
}

awm_round *awm_round_begin(awm_request request, const char *argument) {
  awm_lock();
  size_t count = 0;
  for (const awm_inspected *i = inspected; i; i = i->next)
    count++;
  awm_round *round =
      aw_allocate(sizeof *round + count * sizeof *round->entries);
  if (round) {
    round->request = request;
    round->asked_at = uv_hrtime();
    for (awm_inspected *i = inspected; i; i = i->next)
      ask_state(&round->entries[round->count++], i, request, argument);
  }
  awm_unlock();
  return round;
}

bool awm_round_is_answered(const awm_round *round, bool all) {
  bool answered = true;
  awm_lock();
  for (size_t i = 0; i < round->count; i++) {
    const awm_question *q = round->entries[i].question;
    if (q)
      answered &= q->state == AWM_ANSWERED || (!all && q->state == AWM_ASKED);
  }
  awm_unlock();
  return answered;
}

void awm_round_press(const awm_round *round) {
  awm_lock();
  for (size_t i = 0; i < round->count; i++) {
    const awm_question *q = round->entries[i].question;
    if (q && q->state == AWM_ASKED && q->whom->interrupts)
      (void)awl_interrupts_ask(q->whom->interrupts);
  }
  awm_unlock();
}

/* Note since when the state computes, at least since it was asked, and in which
 * task. */
static void note_step(const awm_round *round, awm_entry *e,
                      const awm_step *is) {
  uint64_t since = round->asked_at;
  if (is->task)
    e->step = *is;
  if (is->task && is->began < since)
    since = is->began;
  e->busy_for = uv_hrtime() - since;
}

/* Let go of the question, with what is known. Returns the question if it is to
 * be freed. */
static awm_question *settle_entry(const awm_round *round, awm_entry *e) {
  awm_question *q = e->question;
  if (!q)
    return NULL;
  e->question = NULL;
  if (q->state == AWM_ANSWERED) {
    e->text = share_answer(q->text);
    e->answer = q->starved   ? AWM_STARVED
                : !q->text   ? AWM_IDLE
                : q->failed  ? AWM_FAILED
                : q->by_hook ? AWM_HOOK
                             : AWM_LIVE;
    if (e->answer == AWM_HOOK)
      note_step(round, e, &q->step);
    return q;
  }
  e->answer = AWM_OLD;
  awm_step step = step_of(q->whom);
  note_step(round, e, &step);
  if (round->request == AWM_TASKS && q->whom)
    e->text = share_answer(q->whom->last);
  if (q->state == AWM_TAKEN) {
    q->unwanted = true;
    return NULL;
  }
  unlink_question(q->whom, q);
  return q;
}

void awm_round_end(awm_round *round) {
  for (size_t i = 0; i < round->count; i++) {
    awm_lock();
    awm_question *done = settle_entry(round, &round->entries[i]);
    awm_unlock();
    if (done)
      give_up_question(done);
  }
}

void awm_round_free(awm_round *round) {
  if (!round)
    return;
  awm_round_end(round);
  for (size_t i = 0; i < round->count; i++)
    unshare_answer(round->entries[i].text);
  aw_free(round);
}
