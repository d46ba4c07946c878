/* watch.c - see watch.h
 *
 * A watch ends with its socket: libzmq stops reporting, the thread reads the
 * reports that are left, and sets `ended`. A watch from which libzmq reports
 * nothing ends at once. */
#include "watch/watch.h"

#include "watch/reader.h"
#include "watch/tally.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct awz_watch {
  awz_reported reported; /* must be first */
  bool listening;        /* of the thread of Lua: libzmq reports */
  unsigned forks;        /* aw_zmq_forks() when it was made */
  pthread_mutex_t lock;
  unsigned refs;
  awz_observer *observers;
  awz_tally tally;
  unsigned linked; /* peers over inproc */
  unsigned losses; /* of connections, so far */
  bool closing, ended;
};

/* ---- life ---- */

static awz_watch *watch_new(const awz_socket *s) {
  awz_watch *w = calloc(1, sizeof *w);
  if (!w)
    return NULL;
  pthread_mutex_init(&w->lock, NULL);
  w->refs = 1;
  w->forks = aw_zmq_forks();
  w->linked = s->linked;
  return w;
}

static void watch_free(awz_watch *w) {
  awz_tally_free(&w->tally);
  pthread_mutex_destroy(&w->lock);
  free(w);
}

/* Unlock the watch, and free it with its last reference. */
static void unlock_and_release(awz_watch *w) {
  bool last = --w->refs == 0;
  pthread_mutex_unlock(&w->lock);
  if (last)
    watch_free(w);
}

awz_watch *awz_watch_of(awz_socket *s) {
  if (!s->watch)
    s->watch = watch_new(s);
  return s->watch;
}

bool awz_watch_forked(const awz_watch *w) {
  return w->forks != aw_zmq_forks();
}

/* ---- observers ---- */

awz_state awz_watch_state(const awz_watch *w) {
  return (awz_state){.peers = w->tally.peers + w->linked,
                     .closing = w->closing,
                     .ended = w->ended};
}

/* Tell all observers. Call it under the lock. */
static void notify_observers(const awz_watch *w, const awz_event *event) {
  awz_state state = awz_watch_state(w);
  for (awz_observer *observer = w->observers; observer;
       observer = observer->next)
    observer->notify(observer, &state, event);
}

void awz_watch_lock(awz_watch *w) {
  pthread_mutex_lock(&w->lock);
}

void awz_watch_unlock(awz_watch *w) {
  pthread_mutex_unlock(&w->lock);
}

void awz_watch_observe(awz_watch *w, awz_observer *observer) {
  pthread_mutex_lock(&w->lock);
  awz_state state = awz_watch_state(w);
  w->refs++;
  observer->next = w->observers;
  w->observers = observer;
  observer->notify(observer, &state, NULL);
  pthread_mutex_unlock(&w->lock);
}

void awz_watch_unobserve(awz_watch *w, awz_observer *observer) {
  if (awz_watch_forked(w))
    return;
  pthread_mutex_lock(&w->lock);
  awz_observer **place = &w->observers;
  while (*place != observer)
    place = &(*place)->next;
  *place = observer->next;
  unlock_and_release(w);
}

/* ---- the thread ---- */

static void read_events(awz_reported *reported, const awz_event *event) {
  awz_watch *w = (awz_watch *)reported;
  pthread_mutex_lock(&w->lock);
  w->losses += event->kind == AWZ_DISCONNECTED || event->kind == AWZ_CLOSED;
  awz_tally_follow(&w->tally, event);
  notify_observers(w, event);
  pthread_mutex_unlock(&w->lock);
}

/* Call it under the lock. */
static void end_watch(awz_watch *w) {
  w->closing = w->ended = true;
  notify_observers(w, NULL);
}

static void reader_closed(awz_reported *reported) {
  awz_watch *w = (awz_watch *)reported;
  pthread_mutex_lock(&w->lock);
  end_watch(w);
  unlock_and_release(w);
}

/* ---- the thread of Lua ---- */

static bool is_local_address(const char *address) {
  return awz_starts_with(address, "inproc://");
}

static int begin(awz_socket *s, awz_watch *w) {
  w->reported.notify = read_events;
  w->reported.gone = reader_closed;
  w->tally.raw = s->type->number == AWZ_STREAM || s->numbers;
  w->refs++; /* nobody else has it yet, or does not look */
  int rc = awz_reader_begin(s, &w->reported);
  w->listening = rc == 0;
  if (rc < 0)
    w->refs--;
  return rc;
}

int awz_watch_begin(awz_socket *s, const char *address) {
  if (s->unwatched || is_local_address(address))
    return 0;
  awz_watch *w = awz_watch_of(s);
  if (!w)
    return AW_ENOMEM;
  return w->listening ? 0 : begin(s, w);
}

int awz_watch_connect(awz_socket *s, const char *address) {
  int rc = awz_watch_begin(s, address);
  if (rc < 0 || s->unwatched || is_local_address(address))
    return rc;
  pthread_mutex_lock(&s->watch->lock);
  awz_tally_connect(&s->watch->tally, address);
  pthread_mutex_unlock(&s->watch->lock);
  return 0;
}

bool awz_watch_listens(const awz_socket *s) {
  return s->watch && s->watch->listening;
}

void awz_watch_leave(const awz_socket *s, const char *address) {
  awz_watch *w = s->watch;
  if (!w || awz_watch_forked(w))
    return;
  pthread_mutex_lock(&w->lock);
  awz_tally_leave(&w->tally, address);
  w->losses++;
  notify_observers(w, NULL);
  pthread_mutex_unlock(&w->lock);
}

unsigned awz_watch_losses(const awz_socket *s) {
  awz_watch *w = s->watch;
  if (!w || awz_watch_forked(w))
    return s->unlinked;
  pthread_mutex_lock(&w->lock);
  unsigned losses = w->losses + s->unlinked;
  pthread_mutex_unlock(&w->lock);
  return losses;
}

void awz_watch_linked(const awz_socket *s) {
  awz_watch *w = s->watch;
  if (!w || awz_watch_forked(w))
    return;
  pthread_mutex_lock(&w->lock);
  w->linked = s->linked;
  notify_observers(w, NULL);
  pthread_mutex_unlock(&w->lock);
}

void awz_watch_post(const awz_socket *s, const char *name, const char *address,
                    int64_t value) {
  awz_watch *w = s->watch;
  if (!w || awz_watch_forked(w))
    return;
  awz_event event = {.kind = awz_event_kind(name),
                     .value = value,
                     .address = address,
                     .length = strlen(address)};
  pthread_mutex_lock(&w->lock);
  notify_observers(w, &event);
  pthread_mutex_unlock(&w->lock);
}

void awz_watch_stop(awz_socket *s) {
  if (s->watch && s->watch->listening)
    awz_raw_unmonitor(s);
}

void awz_watch_end(awz_socket *s) {
  awz_watch *w = s->watch;
  s->watch = NULL;
  if (!w || awz_watch_forked(w))
    return;
  pthread_mutex_lock(&w->lock);
  w->closing = true;
  if (w->listening)
    notify_observers(w, NULL);
  else
    end_watch(w);
  bool listening = w->listening;
  unlock_and_release(w);
  if (listening) /* the thread has a reference until it calls reader_closed() */
    awz_reader_end(s->context, &w->reported);
}
