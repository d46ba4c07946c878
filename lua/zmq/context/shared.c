/* shared.c - see shared.h */
#include "context/shared.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
  AWZ_RESERVE = sizeof((awz_shared *)0)->reserve / sizeof(int),
  REAPER = 1,
  ATTENDANT = 1
};

/* libzmq needs descriptors to end a context, and aborts if there are none
 * [ZQ12]. */
static void take_reserve(awz_shared *shared) {
  for (int i = 0; i < AWZ_RESERVE; i++)
    shared->reserve[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void give_reserve(awz_shared *shared) {
  for (int i = 0; i < AWZ_RESERVE; i++)
    if (shared->reserve[i] >= 0)
      close(shared->reserve[i]);
}

int awz_shared_new(int io_threads, awz_shared **out) {
  enum { LONGEST_WAIT = 5000, SOCKETS = 1023 };
  int version[3];
  int rc = awz_raw_version(version);
  if (rc == 0)
    rc = awz_room_for_files();
  if (rc == 0)
    rc = awz_room_for_threads(io_threads + REAPER + ATTENDANT);
  if (rc < 0)
    return rc;
  awz_shared *shared = aw_allocate(sizeof *shared);
  if (!shared)
    return AW_ENOMEM;
  rc = awz_raw_open_context(shared, io_threads);
  if (rc < 0) {
    aw_free(shared);
    return rc;
  }
  pthread_mutex_init(&shared->lock, NULL);
  shared->refs = 1;
  shared->patience = LONGEST_WAIT;
  shared->max_sockets = SOCKETS;
  awz_raw_limit_context(shared, SOCKETS);
  take_reserve(shared);
  shared->forks = aw_zmq_forks();
  *out = shared;
  return 0;
}

bool awz_shared_lock(awz_shared *shared) {
  if (shared->forks != aw_zmq_forks())
    return false;
  pthread_mutex_lock(&shared->lock);
  return true;
}

void awz_shared_unlock(awz_shared *shared) {
  pthread_mutex_unlock(&shared->lock);
}

awz_shared *awz_shared_keep(awz_shared *shared) {
  bool ours = awz_shared_lock(shared); /* else as in awz_shared_leave() */
  shared->refs++;
  if (ours)
    awz_shared_unlock(shared);
  return shared;
}

static int time_for(const awz_shared *shared) {
  enum { MARGIN = 500 };
  int linger = shared->longest_linger;
  if (linger < 0 || linger > shared->patience - MARGIN)
    return shared->patience;
  return linger + MARGIN;
}

/* A forked child has one thread, and the lock may be taken for ever there. It
 * frees its copy, but does not end the context, which is the parent's. */
bool awz_shared_leave(awz_shared *shared, int *wait) {
  bool ours = awz_shared_lock(shared);
  bool last = --shared->refs == 0;
  if (ours) {
    *wait = time_for(shared);
    awz_shared_unlock(shared);
  }
  if (!last)
    return false;
  give_reserve(shared);
  while (shared->names) {
    awz_local_name *name = shared->names;
    shared->names = name->next;
    aw_free(name);
  }
  if (ours)
    pthread_mutex_destroy(&shared->lock);
  aw_free(shared);
  return ours;
}

bool awz_shared_answers(awz_shared *shared, int change) {
  if (!awz_shared_lock(shared))
    return false;
  shared->answering += change;
  bool answers = shared->answering > 0;
  awz_shared_unlock(shared);
  return answers;
}

/* ---- names ---- */

awz_local_name *awz_local_name_new(const awz_socket *socket,
                                   const char *address) {
  size_t size = strlen(address) + 1;
  awz_local_name *name = aw_allocate(sizeof *name + size);
  if (!name)
    return NULL;
  name->socket = socket;
  name->type = socket->type;
  memcpy(name->address, address, size);
  return name;
}

void awz_local_name_add(awz_shared *shared, awz_local_name *name,
                        awz_name_state state) {
  name->state = state;
  name->next = shared->names;
  shared->names = name;
}

static bool is_name_of(const awz_local_name *name, awz_name_state state,
                       const char *address, const awz_socket *socket) {
  return name->state == state && (!socket || name->socket == socket) &&
         strcmp(name->address, address) == 0;
}

const awz_local_name *awz_local_name_find(const awz_shared *shared,
                                          awz_name_state state,
                                          const char *address,
                                          const awz_socket *socket) {
  const awz_local_name *name = shared->names;
  while (name && !is_name_of(name, state, address, socket))
    name = name->next;
  return name;
}

void awz_local_name_forget(awz_shared *shared, awz_name_state state,
                           const char *address, const awz_socket *socket) {
  awz_local_name **place = &shared->names;
  while (*place) {
    awz_local_name *name = *place;
    if (is_name_of(name, state, address, socket)) {
      *place = name->next;
      aw_free(name);
    } else {
      place = &name->next;
    }
  }
}
