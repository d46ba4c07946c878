/* files.c N FOLDER - reads N small files on libuv's pool, 8 at a time; a file
 * is one job of the pool */
#include <uv.h>

#include <stdio.h>
#include <stdlib.h>

#define AT_ONCE 8

typedef struct reader {
  uv_work_t work;
  char path[4096];
  char *text;
  ssize_t size;
} reader;

static const char *folder;
static long left;

static void check(ssize_t rc) {
  if (rc >= 0)
    return;
  fprintf(stderr, "files: %s\n", uv_strerror((int)rc));
  exit(1);
}

static ssize_t file_size(uv_file file) {
  uv_fs_t request;
  check(uv_fs_fstat(NULL, &request, file, NULL));
  ssize_t size = (ssize_t)request.statbuf.st_size;
  uv_fs_req_cleanup(&request);
  return size;
}

static void read_file(uv_work_t *work) {
  reader *own = work->data;
  uv_fs_t request;
  uv_file file = uv_fs_open(NULL, &request, own->path, UV_FS_O_RDONLY, 0, NULL);
  check(file);
  own->size = file_size(file);
  own->text = malloc((size_t)own->size + 1);
  if (!own->text)
    abort();
  uv_buf_t buffer = uv_buf_init(own->text, (unsigned)own->size);
  check(uv_fs_read(NULL, &request, file, &buffer, 1, 0, NULL));
  check(uv_fs_close(NULL, &request, file, NULL));
}

static void done(uv_work_t *work, int status);

static void begin(reader *own) {
  if (left == 0)
    return;
  snprintf(own->path, sizeof own->path, "%s/%ld", folder, --left);
  own->work.data = own;
  check(uv_queue_work(uv_default_loop(), &own->work, read_file, done));
}

static void done(uv_work_t *work, int status) {
  reader *own = work->data;
  check(status);
  free(own->text);
  begin(own);
}

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  static reader readers[AT_ONCE];
  left = atol(argv[1]);
  folder = argv[2];
  for (int i = 0; i < AT_ONCE; i++)
    begin(&readers[i]);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  return 0;
}
