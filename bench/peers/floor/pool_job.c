/* pool_job.c N M - N jobs of libuv's pool, M at a time */
#include <uv.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct job {
  uv_work_t work;
  long value;
} job;

static long left;

static void run(uv_work_t *work) {
  job *own = work->data;
  own->value++;
}

static void done(uv_work_t *work, int status);

static void begin(job *own) {
  if (left == 0)
    return;
  own->value = --left;
  own->work.data = own;
  if (uv_queue_work(uv_default_loop(), &own->work, run, done) < 0)
    abort();
}

static void done(uv_work_t *work, int status) {
  if (status == 0)
    begin(work->data);
}

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  char threads[16];
  snprintf(threads, sizeof threads, "%u", uv_available_parallelism());
  setenv("UV_THREADPOOL_SIZE", threads, 1);
  left = atol(argv[1]);
  long most = atol(argv[2]);
  job *all = calloc((size_t)most, sizeof *all);
  if (!all)
    return 1;
  for (long i = 0; i < most; i++)
    begin(&all[i]);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  free(all);
  return 0;
}
