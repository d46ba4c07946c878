/* endpoint.c - addresses that sockets are bound to, and were a moment ago
 *
 *   bind ─► s->endpoints ─► unbind, close ─► home->leaving ─► forgotten
 *
 * libzmq gives an address up in threads of its own, a moment after a socket was
 * closed, and until then another bind would fail. So who binds to an address
 * that this program has just given up waits for that, at most for PATIENCE. It
 * blocks: most times for less than a millisecond, and a bind may be outside of
 * any task. libzmq also takes over the path of a server that is alive; that is
 * refused [Z18].
 *
 * Invariants: an endpoint is in one of those lists; `left` is set in `leaving`.
 */
#include "zmq.h"

#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct awz_endpoint {
  awz_endpoint *next;
  uint64_t left;  /* ns: when it was given up */
  char address[]; /* as libzmq tells it, with a port */
};

static const uint64_t PATIENCE = 1000 * 1000 * 1000; /* ns */

/* ---- addresses ---- */

static bool is_same(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

/* Could one be in the way of the other? Of an internet address only the port
 * is compared: hosts have many names. */
static bool may_clash(const char *a, const char *b) {
  bool is_name =
      awz_starts_with(a, "ipc://") || awz_starts_with(a, "inproc://");
  const char *colon = strchr(a, ':');
  if (is_name || !colon || strncmp(a, b, (size_t)(colon - a)) != 0)
    return is_same(a, b);
  return is_same(strrchr(a, ':'), strrchr(b, ':'));
}

/* The file of an ipc address, or NULL. */
static const char *file_of(const char *address) {
  if (!awz_starts_with(address, "ipc://"))
    return NULL;
  const char *path = address + strlen("ipc://");
  return *path && *path != '@' && strcmp(path, "*") != 0 ? path : NULL;
}

/* Is there a server at this path? If it accepts nobody, a connect would block
 * until it does. */
static bool is_alive(const char *path) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0)
    return false;
  memcpy(name.sun_path, path, strlen(path));
  fcntl(fd, F_SETFL, O_NONBLOCK);
  int rc = connect(fd, (struct sockaddr *)&name, sizeof name);
  bool is_full = rc < 0 && (errno == EAGAIN || errno == EINPROGRESS);
  close(fd);
  return rc == 0 || is_full;
}

/* ---- those that leave ---- */

/* Those that left before `time`, and those in whose place `taken` is. */
static void forget(awz_home *home, uint64_t time, const char *taken) {
  awz_endpoint **place = &home->leaving;
  while (*place) {
    awz_endpoint *e = *place;
    if (e->left >= time && !(taken && may_clash(e->address, taken))) {
      place = &e->next;
    } else {
      *place = e->next;
      aw_free(e);
    }
  }
}

static bool is_leaving(awz_home *home, const char *address) {
  forget(home, uv_hrtime() - PATIENCE, NULL);
  for (const awz_endpoint *e = home->leaving; e; e = e->next)
    if (may_clash(e->address, address))
      return true;
  return false;
}

/* Give up the one at `place`. */
static void leave(awz_socket *s, awz_endpoint **place) {
  awz_endpoint *e = *place;
  *place = e->next;
  e->left = uv_hrtime();
  e->next = s->context->home->leaving;
  s->context->home->leaving = e;
}

void awz_leave_endpoints(awz_socket *s) {
  while (s->endpoints)
    leave(s, &s->endpoints);
}

void awz_forget_leaving(awz_home *home) {
  forget(home, UINT64_MAX, NULL);
}

/* ---- bind and unbind ---- */

bool awz_is_bound(const awz_context *context, const char *address) {
  for (const awz_socket *s = context->sockets; s; s = s->next)
    for (const awz_endpoint *e = s->endpoints; e; e = e->next)
      if (is_same(e->address, address))
        return true;
  return false;
}

static int try_bind(awz_socket *s, const char *address) {
  const char *file = file_of(address);
  if (file && is_alive(file))
    return -EADDRINUSE;
  return awz_raw_attach(s, AWZ_BIND, address);
}

static int bind_in_time(awz_socket *s, const char *address) {
  enum { LONGEST_NAP = 8 /* ms */ };
  unsigned nap = 0;
  int rc;
  while ((rc = try_bind(s, address)) == -EADDRINUSE &&
         is_leaving(s->context->home, address)) {
    uv_sleep(nap);
    nap = nap < LONGEST_NAP ? nap * 2 + 1 : nap;
  }
  return rc;
}

int awz_bind(awz_socket *s, const char *address) {
  enum { LAST_ENDPOINT = 32, RESOLVED = 128 };
  size_t size = strlen(address) + RESOLVED;
  awz_endpoint *e = aw_allocate(sizeof *e + size);
  if (!e)
    return AW_ENOMEM;
  int rc = bind_in_time(s, address);
  if (rc < 0) {
    aw_free(e);
    return rc;
  }
  if (awz_raw_get(s, LAST_ENDPOINT, e->address, &size) < 0)
    snprintf(e->address, size, "%s", address);
  forget(s->context->home, 0, e->address);
  e->next = s->endpoints;
  s->endpoints = e;
  return 0;
}

/* The place of the first one of `s` that is so, or that of NULL at the end. */
static awz_endpoint **find(awz_socket *s,
                           bool (*is_so)(const char *, const char *),
                           const char *address) {
  awz_endpoint **place = &s->endpoints;
  while (*place && !is_so((*place)->address, address))
    place = &(*place)->next;
  return place;
}

int awz_unbind(awz_socket *s, const char *address) {
  int rc = awz_raw_attach(s, AWZ_UNBIND, address);
  if (rc < 0)
    return rc;
  awz_endpoint **place = find(s, is_same, address);
  if (!*place) /* a host has many names */
    place = find(s, may_clash, address);
  if (*place)
    leave(s, place);
  return 0;
}
