/* epoll.c - the kernel's set of descriptors behind libuv
 *
 * epoll watches files, not descriptors. After the close of a descriptor whose
 * file is open elsewhere, in a child or as a duplicate, epoll goes on to report
 * the file under the old number. EPOLL_CTL_DEL takes a descriptor, so nothing
 * can remove the file any more: libuv wakes without end for that file, and
 * reports its events for a later file with the same number. So a watcher must
 * be removed before its descriptor is closed.
 *
 * libuv ignores whether EPOLL_CTL_DEL succeeds. The functions here call the
 * kernel themselves, and notice when a descriptor was closed too early. Then
 * the set is replaced: a new set gets the descriptor of the old one, and all
 * files that still have a descriptor. libuv does not notice. (uv_loop_fork()
 * replaces the set as well, but loses signals and wake-ups of other threads.)
 * After that, a program that watches uv_backend_fd() by an epoll of its own
 * must add that descriptor again.
 *
 * Other systems forget a descriptor when it is closed: there is nothing to do.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* dup3 */
#endif

#include "sources/epoll.h"

#if defined(__linux__)

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

static int control(const aw_engine *engine, int op, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  return epoll_ctl(uv_backend_fd(engine->uv), op, fd, &event);
}

bool aw__epoll_remove(aw_engine *engine, int fd) {
  return control(engine, EPOLL_CTL_DEL, fd, 0) == 0;
}

bool aw__epoll_watches(aw_engine *engine, int fd, int events) {
  return control(engine, EPOLL_CTL_MOD, fd, (uint32_t)events) == 0;
}

bool aw__epoll_watches_once(aw_engine *engine, int fd, int events) {
  return control(engine, EPOLL_CTL_MOD, fd,
                 (uint32_t)events | (uint32_t)EPOLLONESHOT) == 0;
}

/* An entry of the set, as /proc shows it. */
typedef struct entry {
  int fd;
  unsigned events;
  unsigned long long data, inode;
} entry;

static bool parse(const char *line, entry *out) {
  /* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers that fit */
  return sscanf(line, "tfd: %d events: %x data: %llx pos:%*d ino:%llx",
                &out->fd, &out->events, &out->data, &out->inode) == 4;
}

/* Add the entry to `set`, unless its number now belongs to another file. */
static void copy_entry(int set, const entry *from) {
  struct stat file;
  if (fstat(from->fd, &file) < 0 || file.st_ino != from->inode)
    return;
  struct epoll_event event = {.events = from->events, .data.u64 = from->data};
  epoll_ctl(set, EPOLL_CTL_ADD, from->fd, &event);
}

static void copy_entries(int set, FILE *list) {
  char line[256];
  entry found;
  while (fgets(line, sizeof line, list))
    if (parse(line, &found))
      copy_entry(set, &found);
}

/* ---- the set around libuv's set, for a host ---- */

static int control_outer(const aw_engine *engine, int op) {
  int fd = uv_backend_fd(engine->uv);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return epoll_ctl(engine->drive.outer, op, fd, &event);
}

int aw__epoll_outer(aw_engine *engine) {
  int *outer = &engine->drive.outer;
  if (*outer >= 0)
    return *outer;
  *outer = epoll_create1(EPOLL_CLOEXEC);
  if (*outer < 0)
    return -errno;
  if (control_outer(engine, EPOLL_CTL_ADD) < 0) {
    int code = -errno;
    aw__epoll_close_outer(engine);
    return code;
  }
  return *outer;
}

void aw__epoll_close_outer(aw_engine *engine) {
  if (engine->drive.outer >= 0)
    close(engine->drive.outer);
  engine->drive.outer = -1;
}

/* ---- renewing libuv's set ---- */

/* Let libuv's descriptor stand for `set`. The outer set must forget the old one
 * by that descriptor before, and learn of the new one after. */
static bool replace(aw_engine *engine, int set, int old) {
  bool outer = engine->drive.outer >= 0;
  if (outer)
    control_outer(engine, EPOLL_CTL_DEL);
  bool replaced = dup3(set, old, O_CLOEXEC) == old;
  if (outer)
    control_outer(engine, EPOLL_CTL_ADD);
  return replaced;
}

bool aw__epoll_renew(aw_engine *engine) {
  int old = uv_backend_fd(engine->uv);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", old);
  FILE *list = fopen(path, "re");
  if (!list)
    return false;
  int set = epoll_create1(EPOLL_CLOEXEC);
  if (set >= 0)
    copy_entries(set, list);
  bool renewed = set >= 0 && replace(engine, set, old);
  if (set >= 0)
    close(set);
  fclose(list);
  return renewed;
}

#else

bool aw__epoll_remove(aw_engine *engine, int fd) {
  (void)engine;
  (void)fd;
  return true;
}

bool aw__epoll_watches(aw_engine *engine, int fd, int events) {
  (void)engine;
  (void)fd;
  (void)events;
  return true;
}

bool aw__epoll_watches_once(aw_engine *engine, int fd, int events) {
  (void)engine;
  (void)fd;
  (void)events;
  return false;
}

bool aw__epoll_renew(aw_engine *engine) {
  (void)engine;
  return true;
}

int aw__epoll_outer(aw_engine *engine) {
  return uv_backend_fd(engine->uv);
}

void aw__epoll_close_outer(aw_engine *engine) {
  (void)engine;
}

#endif
