/* server.c - the server's thread, and its life [D40]
 *
 *     hold ─► socket, pipe, thread ──► poll ─┬─ bell: an answer, or end
 *     let_go ─► ends = true, bell ──► joined ├─ socket: accept a client
 *                                            └─ clients: go on
 *
 * One thread serves all Lua states of the process. It never touches Lua, blocks
 * all signals, and sleeps in poll() without a limit while nothing is under way.
 *
 * `life` guards the start and the end, and is taken before the lock of
 * registry.c. The server's descriptors are made and closed under `life`, those
 * of clients under the lock. So a forked process, which inherits them, knows
 * and closes all: it has no server. A process that another program replaces
 * closes them by itself (CLOEXEC).
 *
 * Only the same user and root may look: the credentials that the kernel had for
 * the peer when it connected count, besides the modes of the folder and the
 * socket.
 *
 * Neighbours: folder.c makes the socket, client.c has the protocol, registry.c
 * the states.
 */
#define _GNU_SOURCE /* accept4(), struct ucred */
#include "inspect/server.h"

#include "inspect/client.h"

#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CLIENTS = 8, REFUSED = MOST_CLIENTS, PLACES, STACK = 256 * 1024 };
static const uint64_t PAUSE = AW_SECOND;          /* without free descriptors */
static const uint64_t FORGOTTEN = 10 * AW_SECOND; /* a client that rests */

static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER;
static struct {
  unsigned holders;
  bool runs;
  pid_t process;
  pthread_t thread;
  awm_place place;
  int bell[2]; /* a pipe that wakes the thread */
  atomic_bool ends;
  /* For the thread: the last place is for a client that is one too many. */
  awm_client clients[PLACES];
  int arriving;    /* a client that has no place yet, or -1 */
  uint64_t paused; /* until then no client is accepted */
} server;

/* ---- who may look ---- */

static bool is_welcome(int fd) {
#if defined(SO_PEERCRED)
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    return false;
  uid_t user = peer.uid;
#else
  uid_t user;
  gid_t group;
  if (getpeereid(fd, &user, &group) < 0)
    return false;
#endif
  return user == geteuid() || user == 0;
}

/* ---- clients ---- */

static awm_client *free_client(void) {
  for (int i = 0; i < MOST_CLIENTS; i++)
    if (server.clients[i].fd < 0)
      return &server.clients[i];
  return NULL;
}

/* The client that has rested longest, if that is long. */
static awm_client *forgotten_client(void) {
  awm_client *found = NULL;
  for (int i = 0; i < MOST_CLIENTS; i++) {
    awm_client *c = &server.clients[i];
    if (awm_client_rests(c) && uv_hrtime() - c->moved > FORGOTTEN &&
        (!found || c->moved < found->moved))
      found = c;
  }
  return found;
}

/* A place for one more client; the last one is for those that are too many. */
static awm_client *place_for_client(void) {
  awm_client *place = free_client();
  if (place)
    return place;
  place = forgotten_client();
  if (!place)
    place = &server.clients[REFUSED];
  if (place->fd >= 0)
    awm_client_close(place);
  return place;
}

/* A client is in `arriving`: keep it if it may look. */
static void admit(void) {
  awm_client *c = is_welcome(server.arriving) ? place_for_client() : NULL;
  awm_lock();
  if (c)
    awm_client_open(c, server.arriving);
  else
    close(server.arriving);
  server.arriving = -1;
  awm_unlock();
  if (!c)
    return;
  awm_client_greet(c);
  if (c == &server.clients[REFUSED])
    awm_client_refuse(c);
  if (!awm_client_go_on(c, 0))
    awm_client_close(c);
}

/* Returns false if nobody came. */
static bool accept_client(void) {
  awm_lock();
  server.arriving =
      accept4(server.place.socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  int code = errno;
  awm_unlock();
  if (server.arriving >= 0) {
    admit();
    return true;
  }
  if (code != EAGAIN && code != EINTR && code != ECONNABORTED)
    server.paused = uv_hrtime() + PAUSE; /* as without free descriptors */
  return false;
}

/* ---- the thread ---- */

enum { BELL, SOCKET, CLIENTS };

static void empty_bell(void) {
  char bytes[64];
  while (read(server.bell[0], bytes, sizeof bytes) > 0)
    continue;
}

/* Returns the time at which something is due. */
static uint64_t fill_polls(struct pollfd *polls) {
  bool accepts = server.paused <= uv_hrtime();
  uint64_t due = accepts ? UINT64_MAX : server.paused;
  polls[BELL] = (struct pollfd){.fd = server.bell[0], .events = POLLIN};
  polls[SOCKET] = (struct pollfd){.fd = accepts ? server.place.socket : -1,
                                  .events = POLLIN};
  for (int i = 0; i < PLACES; i++) {
    const awm_client *c = &server.clients[i];
    polls[CLIENTS + i] = (struct pollfd){.fd = c->fd};
    if (c->fd < 0)
      continue;
    polls[CLIENTS + i].events = awm_client_events(c);
    if (awm_client_due(c) < due)
      due = awm_client_due(c);
  }
  return due;
}

/* Milliseconds until then, for poll(): not less. */
static int wait_until(uint64_t due) {
  uint64_t now = uv_hrtime();
  if (due == UINT64_MAX)
    return -1;
  return due <= now ? 0 : (int)((due - now) / 1000000 + 1);
}

static void go_on_with_clients(const struct pollfd *polls) {
  for (int i = 0; i < PLACES; i++) {
    awm_client *c = &server.clients[i];
    if (c->fd >= 0 && !awm_client_go_on(c, polls[CLIENTS + i].revents))
      awm_client_close(c);
  }
}

static void *serve_clients(void *data) {
  struct pollfd polls[CLIENTS + PLACES];
  while (!atomic_load(&server.ends)) {
    uint64_t due = fill_polls(polls);
    int n = poll(polls, CLIENTS + PLACES, wait_until(due));
    if (n < 0)
      memset(polls, 0, sizeof polls);
    if (polls[BELL].revents)
      empty_bell();
    go_on_with_clients(polls);
    if (polls[SOCKET].revents)
      while (accept_client())
        continue;
  }
  for (int i = 0; i < PLACES; i++)
    if (server.clients[i].fd >= 0)
      awm_client_close(&server.clients[i]);
  return data;
}

/* ---- its life, guarded by `life` ---- */

static void close_server_bell(void) {
  for (int i = 0; i < 2; i++)
    if (server.bell[i] >= 0)
      close(server.bell[i]);
  server.bell[0] = server.bell[1] = -1;
}

static bool fail_server(awm_fault *fault, int code, const char *about) {
  fault->code = code;
  snprintf(fault->about, sizeof fault->about, "%s", about);
  return false;
}

static bool open_bell(awm_fault *fault) {
  if (pipe2(server.bell, O_CLOEXEC | O_NONBLOCK) == 0)
    return true;
  server.bell[0] = server.bell[1] = -1;
  return fail_server(fault, -errno, "a pipe");
}

/* The thread gets no signal: all are for the threads of the program. */
static bool make_server_thread(awm_fault *fault) {
  sigset_t all, before;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&server.thread, &attributes, serve_clients, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return rc == 0 || fail_server(fault, -rc, "a thread");
}

/* Undo what start_server() has made, but for the thread. */
static void close_server(void) {
  awm_registry_set_bell(-1);
  awm_place_remove(&server.place);
  awm_place_close(&server.place);
  close_server_bell();
}

static bool start_server(awm_fault *fault) {
  if (!open_bell(fault) || !awm_place_open(&server.place, fault)) {
    close_server_bell();
    return false;
  }
  for (int i = 0; i < PLACES; i++)
    server.clients[i].fd = -1;
  server.arriving = -1;
  server.paused = 0;
  server.process = getpid();
  atomic_store(&server.ends, false);
  awm_registry_set_bell(server.bell[1]);
  server.runs = make_server_thread(fault);
  if (!server.runs)
    close_server();
  return server.runs;
}

static void stop_server(void) {
  atomic_store(&server.ends, true);
  (void)!write(server.bell[1], "", 1);
  pthread_join(server.thread, NULL);
  server.runs = false;
  close_server();
}

/* ---- forks, and the end of the process ---- */

static void lock_life(void) {
  pthread_mutex_lock(&life);
}

static void unlock_life(void) {
  pthread_mutex_unlock(&life);
}

/* The socket stays the parent's. */
static void end_in_child(void) {
  if (server.runs) {
    awm_place_close(&server.place);
    close_server_bell();
    for (int i = 0; i < PLACES; i++)
      if (server.clients[i].fd >= 0)
        close(server.clients[i].fd);
    if (server.arriving >= 0)
      close(server.arriving);
  }
  server.runs = false;
  server.holders = 0;
  unlock_life();
}

/* The process ends without the end of its Lua states, as by os.exit(0, false):
 * the thread is running, and nothing but the file must go. */
static void remove_at_exit(void) {
  if (server.runs && server.process == getpid())
    awm_place_remove(&server.place);
}

/* The registry's handlers are there already: its lock is taken after `life`,
 * and given back before. */
static void watch_server(void) {
  (void)pthread_atfork(lock_life, unlock_life, end_in_child);
  (void)atexit(remove_at_exit);
}

/* ---- for Lua states ---- */

bool awm_server_hold(char *path, size_t size, awm_fault *fault) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_server);
  pthread_mutex_lock(&life);
  bool runs = server.runs || start_server(fault);
  if (runs) {
    server.holders++;
    snprintf(path, size, "%s", server.place.path);
  }
  pthread_mutex_unlock(&life);
  return runs;
}

void awm_server_let_go(void) {
  pthread_mutex_lock(&life);
  if (server.holders > 0 && --server.holders == 0)
    stop_server();
  pthread_mutex_unlock(&life);
}

bool awm_server_runs(void) {
  pthread_mutex_lock(&life);
  bool runs = server.runs;
  pthread_mutex_unlock(&life);
  return runs;
}
