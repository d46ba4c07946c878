/* worker.h - a thread that answers errands, one after the other */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <pthread.h>
#include <stddef.h>

typedef struct errand {
  struct errand *next;
  void *data; /* of the program */
  long left;  /* how often it is still given */
} errand;

/* First in, first out. */
typedef struct errands {
  pthread_mutex_t lock;
  pthread_cond_t filled;
  errand *first, **end;
} errands;

typedef struct worker {
  errands given;
  void (*answer)(errand *given);
  pthread_t thread;
} worker;

static inline void errands_init(errands *queue) {
  pthread_mutex_init(&queue->lock, NULL);
  pthread_cond_init(&queue->filled, NULL);
  queue->first = NULL;
  queue->end = &queue->first;
}

static inline void errands_push(errands *queue, errand *one) {
  pthread_mutex_lock(&queue->lock);
  one->next = NULL;
  *queue->end = one;
  queue->end = &one->next;
  pthread_cond_signal(&queue->filled);
  pthread_mutex_unlock(&queue->lock);
}

/* Take all of them; waits for one if `waits`. */
static inline errand *errands_take(errands *queue, int waits) {
  pthread_mutex_lock(&queue->lock);
  while (waits && !queue->first)
    pthread_cond_wait(&queue->filled, &queue->lock);
  errand *first = queue->first;
  queue->first = NULL;
  queue->end = &queue->first;
  pthread_mutex_unlock(&queue->lock);
  return first;
}

static inline void *worker_run(void *data) {
  worker *own = data;
  for (;;) {
    errand *next = NULL;
    for (errand *one = errands_take(&own->given, 1); one; one = next) {
      next = one->next;
      if (one->left == 0) /* the last one */
        return NULL;
      own->answer(one);
    }
  }
}

static inline int worker_start(worker *own, void (*answer)(errand *given)) {
  errands_init(&own->given);
  own->answer = answer;
  return pthread_create(&own->thread, NULL, worker_run, own);
}

static inline void worker_end(worker *own) {
  static errand last;
  errands_push(&own->given, &last);
  pthread_join(own->thread, NULL);
}

#endif
