/* libzmq.c - loads libzmq at its first use
 *
 * Linking with libzmq would cost every program 20 shared libraries and 2.8 ms.
 * Its headers are not needed: aw_zmq_calls declares the functions in use. The
 * library is loaded once for the process and never unloaded, because its
 * threads go on.
 *
 * Its functions are global: they belong to no engine.
 */
#include <aiowire_zmq.h>

#include "base/forks.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* The place of each function in aw_zmq_calls. */
#define CALL(name) \
  { "zmq_" #name, offsetof(aw_zmq_calls, name) }
static const struct {
  const char *name;
  size_t offset;
} symbols[] = {
    CALL(ctx_new),
    CALL(ctx_term),
    CALL(ctx_shutdown),
    CALL(ctx_set),
    CALL(ctx_get),
    CALL(socket),
    CALL(close),
    CALL(setsockopt),
    CALL(getsockopt),
    CALL(bind),
    CALL(connect),
    CALL(unbind),
    CALL(disconnect),
    CALL(msg_init),
    CALL(msg_init_size),
    CALL(msg_close),
    CALL(msg_data),
    CALL(msg_size),
    CALL(msg_more),
    CALL(msg_send),
    CALL(msg_recv),
    CALL(msg_move),
    CALL(msg_copy),
    CALL(msg_gets),
    CALL(socket_monitor),
    CALL(curve_keypair),
    CALL(curve_public),
    CALL(z85_decode),
    CALL(z85_encode),
    CALL(send),
    CALL(has),
    CALL(version),
    {"zmq_errno", offsetof(aw_zmq_calls, last_error)},
};

/* The drafts, which most builds of libzmq do not have. */
static const struct {
  const char *name;
  size_t offset;
} drafts[] = {
    CALL(msg_set_routing_id), CALL(msg_routing_id), CALL(msg_set_group),
    CALL(msg_group),          CALL(join),           CALL(leave),
    CALL(poller_new),         CALL(poller_destroy), CALL(poller_add),
    CALL(poller_wait),        CALL(poller_fd),
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static aw_zmq_calls calls; /* not changed once `opened` is true */
static bool opened;        /* protected by the lock */

static bool find_all(void *library) {
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *symbol = dlsym(library, symbols[i].name);
    if (!symbol)
      return false;
    memcpy((char *)&calls + symbols[i].offset, &symbol, sizeof symbol);
  }
  return true;
}

/* A build that says it has drafts has them all, or is not used. */
static bool find_drafts(void *library) {
  if (calls.has("draft") != 1)
    return true;
  for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++) {
    void *symbol = dlsym(library, drafts[i].name);
    if (!symbol)
      return false;
    memcpy((char *)&calls + drafts[i].offset, &symbol, sizeof symbol);
  }
  return true;
}

/* In versions before 4.3.3 a peer can overwrite memory. */
static bool is_safe(void) {
  int major, minor, patch;
  calls.version(&major, &minor, &patch);
  return major == 4 && minor * 100 + patch >= 303;
}

/* Without free descriptors dlopen() fails as if the library were missing. */
static int check_descriptors(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  close(fd);
  return 0;
}

static int open_library(void) {
  int rc = check_descriptors();
  if (rc < 0)
    return rc;
  void *library = dlopen("libzmq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    library = dlopen("libzmq.5.dylib", RTLD_NOW | RTLD_LOCAL);
  if (!library || !find_all(library) || !is_safe() || !find_drafts(library))
    return AW_ENOZMQ;
  return aw__forks_count();
}

int aw_zmq_open(const aw_zmq_calls **out) {
  if (!out)
    return AW_EINVAL;
  pthread_mutex_lock(&lock);
  int rc = opened ? 0 : open_library();
  opened = rc == 0;
  pthread_mutex_unlock(&lock);
  *out = rc == 0 ? &calls : NULL;
  return rc;
}

unsigned aw_zmq_forks(void) {
  return aw_forks();
}
