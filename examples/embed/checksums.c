/* checksums.c - threads that work for tasks, by tickets
 *
 *   cc -pthread checksums.c $(pkg-config --cflags --libs aiowire) -o checksums
 *   target_link_libraries(checksums aiowire::aiowire Threads::Threads)
 *
 * Shows an operation of your own, tickets, a join with a limit, and a time-out
 * of work that cannot be interrupted.
 *
 * A pool of threads computes checksums of large blocks, so the loop's thread
 * never computes for long. The path of one job:
 *
 *     arm        the task's thread makes a ticket and queues a job with it
 *     work()     a thread of the pool takes the job, computes, and completes
 *                the ticket with the checksum: that wakes the task
 *     disarm     the task was cancelled: there is nothing to do. The thread
 *                completes the ticket later, and its value is dropped
 *
 * A job outlives the wait of its task, so the job belongs to the queue and then
 * to a thread, never to the task. What it points to must live as long as the
 * pool: here the blocks are freed after the threads have been joined.
 */
#define _POSIX_C_SOURCE 200809L
#include <aiowire.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MS (AW_SECOND / 1000)

enum { THREADS = 3, BLOCKS = 8, BLOCK_SIZE = 100000 };

/* ---- the pool ------------------------------------------------------------ */

typedef struct pool pool;

/* What a task wants to know; the data of a wire. */
typedef struct block {
  pool *pool;
  const unsigned char *bytes;
  unsigned slow_ms; /* the thread sleeps first, as if the block were huge */
} block;

typedef struct job {
  struct job *next;
  aw_ticket *ticket;
  const block *block;
} job;

struct pool {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  job *first, **last;
  bool closing;
  pthread_t threads[THREADS];
  int count; /* of threads */
};

static aw_value checksum(const unsigned char *bytes, size_t size) {
  uint32_t a = 1, b = 0; /* Adler-32 */
  for (size_t i = 0; i < size; i++) {
    a = (a + bytes[i]) % 65521;
    b = (b + a) % 65521;
  }
  return (aw_value)b << 16 | a;
}

/* Take the next job; NULL when the pool closes. */
static job *take(pool *it) {
  pthread_mutex_lock(&it->mutex);
  while (!it->first && !it->closing)
    pthread_cond_wait(&it->changed, &it->mutex);
  job *next = it->first;
  if (next) {
    it->first = next->next;
    if (!it->first)
      it->last = &it->first;
  }
  pthread_mutex_unlock(&it->mutex);
  return next;
}

static void *work(void *data) {
  for (job *it; (it = take(data)) != NULL; free(it)) {
    struct timespec pause = {0, (long)(it->block->slow_ms * MS)};
    nanosleep(&pause, NULL);
    aw_value sum = checksum(it->block->bytes, BLOCK_SIZE);
    /* Takes the ticket, whether its task still waits or not. A checksum is no
     * pointer, so there is nothing to free if the engine is gone. */
    aw_ticket_complete(it->ticket, 0, sum);
  }
  return NULL;
}

static int pool_open(pool *it) {
  *it = (pool){.last = &it->first};
  pthread_mutex_init(&it->mutex, NULL);
  pthread_cond_init(&it->changed, NULL);
  while (it->count < THREADS) {
    int code = pthread_create(&it->threads[it->count], NULL, work, it);
    if (code != 0)
      return -code;
    it->count++;
  }
  return 0;
}

/* Finish all jobs, and end the threads. */
static void pool_close(pool *it) {
  pthread_mutex_lock(&it->mutex);
  it->closing = true;
  pthread_cond_broadcast(&it->changed);
  pthread_mutex_unlock(&it->mutex);
  while (it->count > 0)
    pthread_join(it->threads[--it->count], NULL);
  pthread_cond_destroy(&it->changed);
  pthread_mutex_destroy(&it->mutex);
}

/* ---- the operation ------------------------------------------------------- */

static int job_arm(aw_task *task, void *data) {
  block *wanted = data;
  pool *it = wanted->pool;
  job *new = malloc(sizeof *new);
  if (!new)
    return AW_ENOMEM;
  *new = (job){.ticket = aw_ticket_new(task), .block = wanted};
  if (!new->ticket) {
    free(new);
    return AW_ENOMEM;
  }
  pthread_mutex_lock(&it->mutex);
  *it->last = new;
  it->last = &new->next;
  pthread_cond_signal(&it->changed);
  pthread_mutex_unlock(&it->mutex);
  return 0;
}

static void job_disarm(aw_task *task, void *data) {
  (void)task, (void)data; /* the thread keeps the job, see above */
}

static const aw_operation job_operation = {.label = "checksum",
                                           .arm = job_arm,
                                           .disarm = job_disarm,
                                           .external = true};

/* ---- the program --------------------------------------------------------- */

/* Make one value of the values of a join: their exclusive or. */
static int gather(void *host, aw_shape shape, const aw_value *values,
                  size_t count, size_t index, aw_value *out) {
  (void)host, (void)shape, (void)index;
  *out = 0;
  for (size_t i = 0; i < count; i++)
    *out ^= values[i];
  return 0;
}

/* Run `wire` to its end. Returns 0 with its value, or a negative code. */
static int run(aw_engine *engine, aw_wire *wire, aw_value *out) {
  aw_loop *loop;
  aw_task *task;
  int rc = aw_loop_new(engine, NULL, &loop);
  if (rc < 0) {
    aw_wire_release(wire);
    return rc;
  }
  rc = aw_loop_start(loop, wire, NULL, &task);
  if (rc == 0) {
    rc = aw_loop_run(loop, 5 * AW_SECOND);
    *out = aw_task_value(task);
    aw_task_release(task);
  }
  aw_loop_free(loop);
  return rc;
}

static int compute(aw_engine *engine, block *blocks) {
  /* All blocks, at most four of them in the queue at the same time. */
  aw_wire *wires[BLOCKS];
  aw_value expected = 0, got = 0;
  for (int i = 0; i < BLOCKS; i++) {
    wires[i] = aw_wait_for(&job_operation, &blocks[i]);
    expected ^= checksum(blocks[i].bytes, BLOCK_SIZE);
  }
  int rc = run(engine, aw_all(wires, BLOCKS, 4), &got);
  printf("%d blocks: %s, %08llx\n", BLOCKS, rc < 0 ? aw_strerror(rc) : "done",
         (unsigned long long)got);
  if (rc < 0 || got != expected)
    return 1;

  /* A block that takes too long. The task goes on after 5 ms; the thread ends
   * its job for nobody. */
  blocks[0].slow_ms = 200;
  aw_wire *slow = aw_wait_for(&job_operation, &blocks[0]);
  rc = run(engine, aw_timeout(slow, 5 * MS, AW_DEFAULT), &got);
  printf("a slow block: %s\n", aw_strerror(rc));
  return rc == AW_ETIMEOUT ? 0 : 1;
}

int main(void) {
  unsigned char *bytes = calloc(BLOCKS, BLOCK_SIZE);
  if (!bytes)
    return 1;
  for (size_t i = 0; i < (size_t)BLOCKS * BLOCK_SIZE; i++)
    bytes[i] = (unsigned char)(i * i >> 8);

  pool threads;
  block blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++)
    blocks[i] = (block){&threads, bytes + (size_t)i * BLOCK_SIZE, 0};

  int failed = 1;
  aw_engine *engine;
  aw_engine_config config = {.size = sizeof config, .gather = gather};
  if (aw_engine_new(&config, &engine) == 0) {
    if (pool_open(&threads) == 0)
      failed = compute(engine, blocks);
    /* The engine may be freed first: tickets outlive it. */
    aw_engine_free(engine);
    pool_close(&threads);
  }
  free(bytes);
  return failed;
}
