/* endpoint.c - addresses that sockets are bound to, or were until a moment ago
 *
 *   bind ─► s->endpoints ─► unbind, close ─► home->leaving ─► forgotten
 *
 *   and inproc names, for the sockets of all states (context/shared.h):
 *   bind ─► BOUND ─► unbind, close ─► LEAVING ─► forgotten
 *   connect to an unbound name ─► PENDING ─► removed at its bind
 *                                        └─► close ─► GHOST
 *
 * libzmq gives up an address in a thread of its own, a moment after a socket is
 * closed. Until then another bind fails. So a bind to an address that this
 * program has just given up waits, at most for PATIENCE. It blocks the thread:
 * most times for less than a millisecond, and a bind may be outside of any
 * task. libzmq would also take over the ipc path of a live server; such a bind
 * is refused [ZQ18].
 *
 * A connection to an unbound inproc name waits inside libzmq until the name is
 * bound. If it is ended earlier, or if a socket that conflates overwrites a
 * message in it, libzmq aborts the program at that bind, or at the end of the
 * context. So such a disconnect and such a connect are refused.
 *
 * Over inproc libzmq does not check that the types of the two sockets match, as
 * it does over tcp. A PAIR that turns a second peer away aborts the program if
 * that peer is a ROUTER; so does a STREAM that gets messages of several parts.
 * So a bind or connect that would join such types is refused.
 *
 * A socket that is closed while its connection waits leaves its end of that
 * connection in libzmq, and a socket that welcomes its peers aborts when it
 * finds that end. GHOST has these names, and such a bind is refused.
 *
 * libzmq ignores a second connect of a PUB to an address of tcp or ipc, but not
 * of an XPUB, which ours is inside. So `connected` has these addresses.
 *
 * To look at the names and to attach is one act, under the lock of the shared
 * part: another thread may attach to the same name.
 *
 * Invariants: an endpoint is in one of these lists; `left` is set in `leaving`.
 *
 * More than 500 lines: struct awz_endpoint is known only here.
 */
#include "address/host_name.h"
#include "context/shared.h"
#include "security/guard.h"
#include "security/zap.h"
#include "socket/settings.h"
#include "watch/links.h"
#include "watch/watch.h"

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
  uint64_t left;  /* when it was given up, in ns of uv_hrtime() */
  char address[]; /* in libzmq's form, with a port */
};

static const uint64_t PATIENCE = 1000 * 1000 * 1000; /* ns */

/* ---- addresses ---- */

static bool is_local_name(const char *address) {
  return awz_starts_with(address, "inproc://");
}

static bool is_same_address(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

/* Tells whether a socket at one address may prevent a bind to the other. Of
 * internet addresses only the ports are compared: a host has many names. */
static bool may_clash(const char *a, const char *b) {
  bool is_name = awz_starts_with(a, "ipc://") || is_local_name(a);
  const char *colon = strchr(a, ':');
  if (is_name || !colon || strncmp(a, b, (size_t)(colon - a)) != 0)
    return is_same_address(a, b);
  return is_same_address(strrchr(a, ':'), strrchr(b, ':'));
}

/* Returns the file of an ipc address, or NULL if it has none. */
static const char *ipc_file_of(const char *address) {
  if (!awz_starts_with(address, "ipc://"))
    return NULL;
  const char *path = address + strlen("ipc://");
  return *path && *path != '@' && strcmp(path, "*") != 0 ? path : NULL;
}

/* Tells whether a server listens at this path. A blocking connect would wait
 * for a server whose backlog is full. */
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

/* ---- addresses that were given up ---- */

/* Forget the addresses given up before `time`, and those that clash with
 * `taken`, which is bound now; NULL: none. */
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

/* Forget the inproc names given up before `time`, under the lock. */
static void forget_local(awz_shared *shared, uint64_t time) {
  awz_local_name **place = &shared->names;
  while (*place) {
    awz_local_name *name = *place;
    if (name->state == AWZ_NAME_LEAVING && name->left < time) {
      *place = name->next;
      aw_free(name);
    } else {
      place = &name->next;
    }
  }
}

static bool is_local_leaving(awz_shared *shared, const char *address) {
  if (!awz_shared_lock(shared))
    return false;
  forget_local(shared, uv_hrtime() - PATIENCE);
  bool leaves =
      awz_local_name_find(shared, AWZ_NAME_LEAVING, address, NULL) != NULL;
  awz_shared_unlock(shared);
  return leaves;
}

static bool is_leaving(awz_home *home, const char *address) {
  forget(home, uv_hrtime() - PATIENCE, NULL);
  for (const awz_endpoint *e = home->leaving; e; e = e->next)
    if (may_clash(e->address, address))
      return true;
  return false;
}

/* The socket gives an inproc name up: change the state of its entries. NULL:
 * all names. */
static void leave_local(const awz_socket *s, const char *address) {
  awz_shared *shared = s->context->shared;
  if (!awz_shared_lock(shared))
    return;
  for (awz_local_name *name = shared->names; name; name = name->next) {
    if (name->socket != s ||
        (address && !is_same_address(name->address, address)))
      continue;
    if (name->state == AWZ_NAME_PENDING)
      name->state = AWZ_NAME_GHOST;
    if (name->state == AWZ_NAME_BOUND) {
      name->state = AWZ_NAME_LEAVING;
      name->left = uv_hrtime();
    }
    name->socket = NULL; /* its memory may become another socket */
  }
  forget_local(shared, uv_hrtime() - PATIENCE);
  awz_shared_unlock(shared);
}

/* Move the endpoint at `place` to the list of addresses given up. */
static void leave_endpoint(awz_socket *s, awz_endpoint **place) {
  awz_endpoint *e = *place;
  *place = e->next;
  if (is_local_name(e->address)) {
    leave_local(s, e->address);
    aw_free(e);
    return;
  }
  e->left = uv_hrtime();
  e->next = s->context->home->leaving;
  s->context->home->leaving = e;
}

/* Free the endpoints of a list that have this address; NULL: all. */
static void free_endpoints(awz_endpoint **place, const char *address) {
  while (*place) {
    awz_endpoint *e = *place;
    if (address && !is_same_address(e->address, address)) {
      place = &e->next;
    } else {
      *place = e->next;
      aw_free(e);
    }
  }
}

void awz_leave_endpoints(awz_socket *s) {
  while (s->endpoints)
    leave_endpoint(s, &s->endpoints);
  leave_local(s, NULL);
  awz_host_forget(s);
  free_endpoints(&s->connected, NULL);
  awz_forget_names(s);
}

void awz_forget_leaving(awz_home *home) {
  forget(home, UINT64_MAX, NULL);
}

/* ---- bind and unbind ---- */

static bool has(const awz_endpoint *list, const char *address) {
  while (list && !is_same_address(list->address, address))
    list = list->next;
  return list != NULL;
}

/* Returns the socket of this state that is bound to `address`, or NULL. */
static awz_socket *binder(const awz_context *context, const char *address) {
  awz_socket *s = context->sockets;
  while (s && !has(s->endpoints, address))
    s = s->next;
  return s;
}

bool awz_is_bound_local(const awz_context *context, const char *address) {
  if (!context->shared || !awz_shared_lock(context->shared))
    return false;
  bool is = awz_local_name_find(context->shared, AWZ_NAME_BOUND, address,
                                NULL) != NULL;
  awz_shared_unlock(context->shared);
  return is;
}

static bool ends_with(const char *address, const char *end) {
  size_t length = strlen(address), size = strlen(end);
  return length >= size && is_same_address(address + length - size, end);
}

const char *awz_bound_like(const awz_socket *s, const char *address) {
  size_t transport = strcspn(address, ":");
  bool any = ends_with(address, ":*") || ends_with(address, "/*");
  for (const awz_endpoint *e = s->endpoints; e; e = e->next)
    if (any ? strncmp(e->address, address, transport + 1) == 0
            : may_clash(e->address, address))
      return e->address;
  return NULL;
}

/* libzmq fails on a socket that is its own peer, too. */
static bool may_join(const awz_socket *a, const awz_local_name *b) {
  return a != b->socket && awz_types_match(a->type, b->type);
}

/* Tells whether `s` may be bound to this address: it suits the sockets that
 * have connected to it already, also those that were closed since. */
static bool suits_pending(const awz_socket *s, const char *address) {
  const awz_local_name *name = s->context->shared->names;
  for (; name; name = name->next) {
    if (!is_same_address(name->address, address))
      continue;
    if (name->state == AWZ_NAME_PENDING && !may_join(s, name))
      return false;
    if (name->state == AWZ_NAME_GHOST && s->welcomes)
      return false;
  }
  return true;
}

/* libzmq asks about peers at this address, and aborts if it finds a socket of
 * another type there. */
static bool suits_zap(const awz_socket *s, const char *address) {
  return !is_same_address(address, AWZ_ZAP_ADDRESS) ||
         s->type->number == AWZ_REP || s->type->number == AWZ_ROUTER;
}

/* Bind an inproc name, if it suits those who wait for it. */
static int bind_local(awz_socket *s, const char *address) {
  awz_shared *shared = s->context->shared;
  awz_local_name *name = awz_local_name_new(s, address);
  if (!name)
    return AW_ENOMEM;
  if (!awz_shared_lock(shared)) {
    aw_free(name);
    return AW_EFORKED;
  }
  int rc = suits_pending(s, address) ? awz_raw_attach(s, AWZ_BIND, address)
                                     : -EPROTOTYPE;
  if (rc == 0) {
    awz_local_name_forget(shared, AWZ_NAME_PENDING, address, NULL);
    awz_local_name_forget(shared, AWZ_NAME_GHOST, address, NULL);
    awz_local_name_forget(shared, AWZ_NAME_LEAVING, address, NULL);
    awz_local_name_add(shared, name, AWZ_NAME_BOUND);
  } else {
    aw_free(name);
  }
  awz_shared_unlock(shared);
  return rc;
}

static int try_bind(awz_socket *s, const char *address) {
  if (is_local_name(address))
    return bind_local(s, address);
  const char *file = ipc_file_of(address);
  if (file && is_alive(file))
    return -EADDRINUSE;
  return awz_raw_attach(s, AWZ_BIND, address);
}

static int bind_in_time(awz_socket *s, const char *address) {
  enum { LONGEST_NAP = 8 /* ms */ };
  unsigned nap = 0;
  int rc;
  while ((rc = try_bind(s, address)) == -EADDRINUSE &&
         (is_local_name(address) ? is_local_leaving(s->context->shared, address)
                                 : is_leaving(s->context->home, address))) {
    uv_sleep(nap);
    nap = nap < LONGEST_NAP ? nap * 2 + 1 : nap;
  }
  return rc;
}

int awz_bind(awz_socket *s, const char *address) {
  enum { LAST_ENDPOINT = 32, RESOLVED = 128 };
  if (!suits_zap(s, address))
    return -EPROTOTYPE;
  if (!awz_name_is_safe(s, address))
    return -EALREADY;
  size_t size = strlen(address) + RESOLVED;
  awz_endpoint *e = aw_allocate(sizeof *e + size);
  if (!e)
    return AW_ENOMEM;
  int rc = awz_guard_settle(s, address);
  if (rc == 0)
    rc = awz_watch_begin(s, address);
  if (rc == 0) {
    rc = bind_in_time(s, address);
    if (rc < 0)
      awz_watch_post(s, "bind_failed", address, -rc);
  }
  if (rc < 0) {
    aw_free(e);
    return rc;
  }
  if (awz_raw_get(s, LAST_ENDPOINT, e->address, &size) < 0)
    snprintf(e->address, size, "%s", address);
  s->attached = true;
  s->late_count = 0;
  awz_settings_forget(s);
  awz_guard_note(s, address);
  awz_name_expose(s, address);
  awz_show_endpoint(s, NULL);
  forget(s->context->home, 0, e->address);
  e->next = s->endpoints;
  s->endpoints = e;
  awz_links_bound(s, e->address);
  return 0;
}

/* Returns the place of the first endpoint of `s` that is_so() accepts, or of
 * the NULL at the end of the list. */
static awz_endpoint **find_endpoint(awz_socket *s,
                                    bool (*is_so)(const char *, const char *),
                                    const char *address) {
  awz_endpoint **place = &s->endpoints;
  while (*place && !is_so((*place)->address, address))
    place = &(*place)->next;
  return place;
}

int awz_unbind(awz_socket *s, const char *address) {
  if (is_local_name(address) && !has(s->endpoints, address))
    return -ENOENT; /* libzmq would disconnect from the name */
  int rc = awz_raw_attach(s, AWZ_UNBIND, address);
  if (rc < 0)
    return rc;
  awz_endpoint **place = find_endpoint(s, is_same_address, address);
  if (!*place) /* a host has many names */
    place = find_endpoint(s, may_clash, address);
  if (*place)
    leave_endpoint(s, place);
  return 0;
}

/* ---- connect and disconnect ---- */

/* Connect, and add the address to `connected`. */
static int connect_listed(awz_socket *s, const char *address) {
  size_t size = strlen(address) + 1;
  awz_endpoint *e = aw_allocate(sizeof *e + size);
  if (!e)
    return AW_ENOMEM;
  int rc = awz_raw_attach(s, AWZ_CONNECT, address);
  if (rc < 0) {
    aw_free(e);
    return rc;
  }
  memcpy(e->address, address, size);
  e->next = s->connected;
  s->connected = e;
  return 0;
}

static int connect_remote(awz_socket *s, const char *address) {
  if (s->type->number != AWZ_PUB)
    return awz_raw_attach(s, AWZ_CONNECT, address);
  if (has(s->connected, address) || has(s->endpoints, address))
    return 0;
  return connect_listed(s, address);
}

/* A type that a ROUTER and a REP talk to. */
static bool asks_zap(const awz_socket *s) {
  return s->type->number == AWZ_REQ || s->type->number == AWZ_DEALER;
}

/* Connect to an inproc name, under the lock. Takes `name`, if it returns 0 and
 * no socket has bound the name yet: then `waits`. */
static int connect_name(awz_socket *s, awz_local_name *name, bool *waits) {
  awz_shared *shared = s->context->shared;
  const char *address = name->address;
  const awz_local_name *peer =
      awz_local_name_find(shared, AWZ_NAME_BOUND, address, NULL);
  bool answers =
      shared->answering > 0 && is_same_address(address, AWZ_ZAP_ADDRESS);
  if (!peer && !answers && s->overwrites)
    return -EBUSY;
  if (peer && !may_join(s, peer))
    return -EPROTOTYPE;
  int rc = awz_raw_attach(s, AWZ_CONNECT, address);
  *waits = rc == 0 && !peer && !answers;
  if (*waits)
    awz_local_name_add(shared, name, AWZ_NAME_PENDING);
  return rc;
}

/* The connection counts as a peer, if both sockets are of this state. */
static int connect_local(awz_socket *s, const char *address) {
  awz_local_name *name = awz_local_name_new(s, address);
  awz_link *link = name ? awz_link_new(address) : NULL;
  bool waits = false;
  int rc = link ? AW_EFORKED : AW_ENOMEM;
  if (link && awz_shared_lock(s->context->shared)) {
    rc = connect_name(s, name, &waits);
    awz_shared_unlock(s->context->shared);
  }
  awz_socket *peer = rc == 0 && !waits ? binder(s->context, address) : NULL;
  if (waits || peer)
    awz_link_add(link, s, peer);
  else
    aw_free(link);
  if (!waits)
    aw_free(name);
  return rc;
}

static int connect_any(awz_socket *s, const char *address) {
  if (!is_local_name(address))
    return connect_remote(s, address);
  if (is_same_address(address, AWZ_ZAP_ADDRESS) && !asks_zap(s))
    return -EPROTOTYPE;
  return connect_local(s, address);
}

static int prepare_connect(awz_socket *s, const char *address) {
  int rc = awz_guard_settle(s, address);
  return rc < 0 ? rc : awz_watch_connect(s, address);
}

int awz_connect_known(awz_socket *s, const char *address) {
  int rc = prepare_connect(s, address);
  if (rc == 0)
    rc = connect_remote(s, address);
  if (rc == 0)
    awz_guard_note(s, address);
  return rc;
}

int awz_connect(awz_socket *s, const char *address) {
  int rc = prepare_connect(s, address);
  if (rc == 0 && s->naming)
    rc = awz_name_use(s, address);
  if (rc == 0)
    rc = connect_any(s, address);
  if (rc < 0)
    return rc;
  if (!s->naming)
    awz_name_expose(s, address);
  s->naming = s->told = false;
  s->late_count = 0;
  s->attached = true;
  awz_settings_forget(s);
  awz_guard_note(s, address);
  awz_show_endpoint(s, NULL);
  return 0;
}

/* libzmq takes other spellings of an address, too. */
static void forget_connected(awz_socket *s, const char *address) {
  bool exact = has(s->connected, address);
  awz_endpoint **place = &s->connected;
  while (*place) {
    awz_endpoint *e = *place;
    if (!(exact ? is_same_address : may_clash)(e->address, address)) {
      place = &e->next;
    } else {
      *place = e->next;
      aw_free(e);
    }
  }
}

/* Does the socket wait for this inproc name to be bound? */
static bool is_pending(const awz_socket *s, const char *address) {
  awz_shared *shared = s->context->shared;
  if (!is_local_name(address) || !awz_shared_lock(shared))
    return false;
  bool is = awz_local_name_find(shared, AWZ_NAME_PENDING, address, s) != NULL;
  awz_shared_unlock(shared);
  return is;
}

int awz_disconnect(awz_socket *s, const char *address) {
  if (is_pending(s, address))
    return -EBUSY;
  if (*find_endpoint(s, is_same_address, address)) /* libzmq would unbind */
    return -ENOENT;
  int rc = awz_message_complete(s);
  if (rc == 0)
    rc = awz_raw_attach(s, AWZ_DISCONNECT, address);
  if (rc < 0)
    return rc;
  awz_links_cut(s, address);
  awz_watch_leave(s, address);
  forget_connected(s, address);
  return 0;
}
