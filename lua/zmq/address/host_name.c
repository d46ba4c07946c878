/* host_name.c - see host_name.h
 *
 *     engine ─ names (one for each engine): an awio_async
 *                └─ first ─► awz_named ─► …        those without a number yet
 *     socket ─ named ──────► awz_named ─► …        all of them
 *                              ├─ lookup: shared with the pool of lookup.h
 *                              └─ pause: a timer of libuv, before another try
 *
 * Addresses with the same name share one look-up, so a dead name takes one
 * thread: one leads, and the others follow.
 *
 * Invariants: a named address without a number is in the list of an engine, and
 * then has a look-up, follows one, or has a pause that runs; or its `names` is
 * NULL, since that engine has ended or has no memory for it. `unresolved` of
 * the socket counts the addresses without a number. While it is not 0, no
 * option may change that takes effect at a connect, since the connect is still
 * to come.
 *
 * The handles of libuv keep no loop alive: whoever waits for the socket does.
 */
#include "address/host_name.h"

#include "address/host_address.h"
#include "base/engine_async.h"
#include "net/lookup.h"
#include "security/guard.h"
#include "watch/watch.h"

#include <uv.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The named addresses whose hosts an engine looks up. */
typedef struct names {
  awio_async came; /* first */
  awio_inbox inbox;
  awz_named *first;
  bool closing;
  bool hosted;    /* in the libuv loop of the host program */
  unsigned forks; /* aw_zmq_forks() when it was made, or was parted from its
                     parent's */
} names;

/* The time before another try. Its memory lives until the close callback. */
typedef struct pause {
  uv_timer_t timer; /* first */
  awz_named *named;
} pause;

struct awz_named {
  awz_named *next; /* in the socket */
  awz_socket *socket;
  bool bound;
  char *number; /* the address that libzmq has; NULL: none yet */

  names *names;               /* of the engine that looks; NULL: none */
  awz_named *after, **before; /* there */
  awio_lookup *lookup;        /* or NULL */
  bool follows;               /* it gets the answer to another's look-up */
  pause *pause;               /* or NULL */
  int family;
  unsigned failures; /* in a row */
  awz_host host;
  char address[]; /* as the user gave it */
};

/* ---- the end of a named address ---- */

/* In a forked child, let go of the descriptors that the parent's loop waits
 * for: the child would take its wake-ups [UV16]. */
static void part_from_parent_loop(names *all) {
  if (all->forks == aw_zmq_forks())
    return;
  all->forks = aw_zmq_forks();
  if (!all->hosted) /* else the host has forked its loop, or does not use it */
    uv_loop_fork(all->came.handle.loop);
}

static void free_pause(uv_handle_t *timer) {
  aw_free(timer);
}

static void look_up(awz_named *n);

/* Return an address that follows the look-up of this host; NULL: none. */
static awz_named *follower(const names *all, const char *host, int family) {
  awz_named *n = all->first;
  while (n && !(n->follows && n->family == family &&
                strcmp(n->host.name, host) == 0))
    n = n->after;
  return n;
}

/* Take it out of its engine. If others follow it, one of them leads from now
 * on. */
static void leave_names(awz_named *n) {
  names *all = n->names;
  if (!all)
    return;
  part_from_parent_loop(all);
  if (n->pause)
    uv_close((uv_handle_t *)&n->pause->timer, free_pause);
  n->pause = NULL;
  n->follows = false;
  *n->before = n->after;
  if (n->after)
    n->after->before = n->before;
  n->names = NULL;
  if (!n->lookup)
    return;
  awio_lookup_forget(n->lookup);
  n->lookup = NULL;
  awz_named *next = follower(all, n->host.name, n->family);
  if (next && !all->closing)
    look_up(next);
}

static void free_named(awz_named *n) {
  leave_names(n);
  if (!n->number)
    n->socket->unresolved--;
  aw_free(n->number);
  aw_free(n);
}

void awz_host_forget(awz_socket *s) {
  awz_named *n;
  while ((n = s->named) != NULL) {
    s->named = n->next;
    free_named(n);
  }
}

/* ---- failures ---- */

static void pause_is_over(uv_timer_t *timer) {
  look_up(((pause *)timer)->named);
}

static int make_pause(awz_named *n) {
  pause *made = aw_allocate(sizeof *made);
  if (!made)
    return AW_ENOMEM;
  uv_timer_init(n->names->came.handle.loop, &made->timer);
  uv_unref((uv_handle_t *)&made->timer);
  made->named = n;
  n->pause = made;
  return 0;
}

/* Try again after 1, 2, 4 and up to 30 s; without memory for a timer, when a
 * task waits next. */
static void try_later(awz_named *n, int code) {
  enum { FIRST = 1000, LONGEST = 30000, DOUBLINGS = 5 };
  unsigned shift = n->failures < DOUBLINGS ? n->failures : DOUBLINGS;
  uint64_t ms = (uint64_t)FIRST << shift;
  n->failures++;
  awz_watch_post(n->socket, "resolve_failed", n->address, code);
  if (!n->pause && make_pause(n) < 0)
    leave_names(n);
  else
    uv_timer_start(&n->pause->timer, pause_is_over, ms < LONGEST ? ms : LONGEST,
                   0);
}

/* ---- look-ups ---- */

static bool has_leader(const awz_named *n) {
  const awz_named *other = n->names->first;
  while (other && !(other->lookup && other->family == n->family &&
                    strcmp(other->host.name, n->host.name) == 0))
    other = other->after;
  return other != NULL;
}

static void look_up(awz_named *n) {
  n->follows = false;
  if (awz_socket_check(n->socket) < 0) { /* a forked child */
    leave_names(n);
    return;
  }
  n->follows = has_leader(n);
  if (n->follows)
    return;
  n->lookup = awio_lookup_new(n->host.name, n->family, NULL);
  if (!n->lookup) {
    try_later(n, AW_ENOMEM);
    return;
  }
  n->lookup->asker = n;
  int rc = awio_lookup_begin(n->lookup, &n->names->inbox);
  if (rc == 0)
    return;
  awio_lookup_release(n->lookup);
  n->lookup = NULL;
  try_later(n, rc);
}

/* Connect to the number. libzmq's `last_endpoint` becomes that of this connect,
 * but the user may have bound the socket meanwhile. */
static int connect_number(awz_named *n, const char *number) {
  awz_socket *s = n->socket;
  if (s->told) /* libzmq would give the new peer the name of another one */
    return -EBUSY;
  char *address = awz_host_replace(n->address, &n->host, number);
  int rc = address ? awz_keep_endpoint(s) : AW_ENOMEM;
  if (rc == 0)
    rc = awz_room_for_files();
  if (rc == 0)
    rc = awz_connect_known(s, address);
  if (rc < 0) {
    aw_free(address);
    return rc;
  }
  n->number = address;
  s->unresolved--;
  return 0;
}

/* `rc` is the result of the look-up. */
static void take_answer(awz_named *n, int rc, const char *number) {
  n->follows = false;
  if (rc == 0 && awz_socket_check(n->socket) == 0)
    rc = connect_number(n, number);
  if (rc == 0)
    leave_names(n);
  else
    try_later(n, rc);
}

static void end_lookup(const names *all, awz_named *n) {
  char number[AWZ_NUMBER_SIZE];
  awio_lookup *lookup = n->lookup;
  int rc = lookup->work.result;
  if (rc == 0 && !awz_host_number(lookup->found, number))
    rc = UV_EAI_NONAME;
  n->lookup = NULL;
  take_answer(n, rc, number);
  while ((n = follower(all, lookup->host, lookup->family)) != NULL)
    take_answer(n, rc, number);
  awio_lookup_release(lookup);
}

static void deliver_names(uv_async_t *came) {
  names *all = came->data;
  awio_lookup *lookup;
  while ((lookup = awio_lookup_next(&all->inbox)) != NULL)
    end_lookup(all, lookup->asker);
}

/* ---- engines ---- */

static void close_names(aw_closer *closer) {
  names *all = (names *)closer;
  part_from_parent_loop(all);
  all->closing = true;
  while (all->first)
    leave_names(all->first);
  awio_pool_leave(&awio_names);
  awio_async_close(&all->came);
}

static int names_of(aw_engine *engine, names **out) {
  *out = (names *)aw_engine_find_closer(engine, close_names);
  if (*out)
    return 0;
  awio_async *made;
  int rc =
      awio_async_new(engine, sizeof **out, deliver_names, close_names, &made);
  if (rc < 0)
    return rc;
  names *all = (names *)made;
  all->inbox.came = &made->handle;
  all->forks = aw_zmq_forks();
  all->hosted = aw_engine_config_of(engine)->uv != NULL;
  awio_pool_join(&awio_names);
  *out = all;
  return 0;
}

static void enter_names(awz_named *n, names *all) {
  leave_names(n);
  n->names = all;
  n->after = all->first;
  n->before = &all->first;
  if (n->after)
    n->after->before = &n->after;
  all->first = n;
  look_up(n);
}

void awz_host_move(awz_socket *s, aw_engine *engine) {
  names *all;
  if (names_of(engine, &all) < 0)
    return; /* the next wait tries again */
  for (awz_named *n = s->named; n; n = n->next)
    if (!n->number && n->names != all)
      enter_names(n, all);
}

/* ---- connect ---- */

/* Make a named address; `number` is taken. NULL: out of memory. */
static awz_named *new_named(awz_socket *s, const char *address, char *number) {
  size_t size = strlen(address) + 1;
  awz_named *n = aw_allocate(sizeof *n + size);
  if (!n) {
    aw_free(number);
    return NULL;
  }
  memcpy(n->address, address, size);
  n->socket = s;
  n->number = number;
  return n;
}

static void add_named(awz_named *n) {
  n->next = n->socket->named;
  n->socket->named = n;
}

static char *text_copy(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = aw_allocate(size);
  if (copy)
    memcpy(copy, text, size);
  return copy;
}

/* Connect to a host that is `known` as this to libzmq. */
static int connect_now(awz_socket *s, const char *address, const awz_host *host,
                       const char *known) {
  char *shown = text_copy(address);
  char *number = awz_host_replace(address, host, known);
  awz_named *n = number ? new_named(s, address, number) : NULL;
  int rc = n && shown ? awz_connect(s, n->number) : AW_ENOMEM;
  if (rc < 0) {
    aw_free(shown);
    aw_free(n ? n->number : NULL);
    aw_free(n);
    return rc;
  }
  add_named(n);
  awz_show_endpoint(s, shown);
  return 1;
}

int awz_host_family(awz_socket *s) {
  enum { IPV6 = 42 };
  int value = 0;
  size_t size = sizeof value;
  bool both = awz_raw_get(s, IPV6, &value, &size) == 0 && value;
  return both ? AF_UNSPEC : AF_INET;
}

/* Do now what awz_connect() does, but for the call of libzmq. */
static int connect_later(awz_socket *s, const char *address,
                         const awz_host *host, aw_engine *engine) {
  names *all;
  if (s->naming)
    return -EDESTADDRREQ;
  int rc = awz_guard_settle(s, address);
  if (rc == 0)
    rc = names_of(engine, &all);
  if (rc != 0)
    return rc;
  char *shown = text_copy(address);
  awz_named *n = shown ? new_named(s, address, NULL) : NULL;
  if (!n) {
    aw_free(shown);
    return AW_ENOMEM;
  }
  n->host = *host;
  n->family = awz_host_family(s);
  s->unresolved++;
  add_named(n);
  awz_name_expose(s, address);
  awz_show_endpoint(s, shown);
  s->attached = true;
  s->late_count = 0;
  enter_names(n, all);
  return 1;
}

/* The proxy looks up the names. */
static bool has_proxy(awz_socket *s) {
  enum { SOCKS_PROXY = 68 };
  char text[1024];
  size_t size = sizeof text;
  return awz_raw_get(s, SOCKS_PROXY, text, &size) == 0 && *text;
}

int awz_host_connect(awz_socket *s, const char *address, aw_engine *engine) {
  awz_host host;
  switch (awz_host_in(address, false, &host)) {
  case AWZ_HOST_LOCAL: return connect_now(s, address, &host, "127.0.0.1");
  case AWZ_HOST_NAME:
    return has_proxy(s) ? connect_now(s, address, &host, host.name)
                        : connect_later(s, address, &host, engine);
  case AWZ_HOST_BAD: return -EINVAL;
  default: return 0;
  }
}

/* ---- bind, and the way back ---- */

/* The socket is bound to `number`, which has a port of libzmq's choice if the
 * address has a `*`: then the user unbinds by `last_endpoint`. */
int awz_host_bind(awz_socket *s, const char *address, const char *number) {
  awz_host host;
  awz_host_kind kind = awz_host_in(address, true, &host);
  if (kind == AWZ_HOST_BAD)
    return -EINVAL;
  if (kind == AWZ_HOST_PLAIN || (kind == AWZ_HOST_NAME && !number))
    return 0;
  char bracketed[AWZ_NUMBER_SIZE];
  snprintf(bracketed, sizeof bracketed,
           number && strchr(number, ':') ? "[%s]" : "%s",
           number ? number : "127.0.0.1");
  char *copy = awz_host_replace(address, &host, bracketed);
  awz_named *n = copy ? new_named(s, address, copy) : NULL;
  int rc = n ? awz_bind(s, n->number) : AW_ENOMEM;
  if (rc < 0) {
    aw_free(n ? copy : NULL);
    aw_free(n);
    return rc;
  }
  n->bound = true;
  add_named(n);
  return 1;
}

/* Take the newest named address out of the socket; NULL: there is none. */
static awz_named *take_named(awz_socket *s, const char *address, bool bound) {
  awz_named **place = &s->named;
  while (*place &&
         ((*place)->bound != bound || strcmp((*place)->address, address) != 0))
    place = &(*place)->next;
  awz_named *n = *place;
  if (n)
    *place = n->next;
  return n;
}

/* Undo all connects, or all binds, that were meant for the address. libzmq
 * undoes all those to one number at a time, so later ones find nothing. */
static int undo(awz_socket *s, const char *address, bool bound) {
  awz_host host;
  awz_host_kind kind = awz_host_in(address, bound, &host);
  if (kind == AWZ_HOST_PLAIN)
    return 0;
  int rc = -ENOENT;
  awz_named *n;
  while (rc == -ENOENT || rc == 0) {
    n = take_named(s, address, bound);
    if (!n)
      return rc == 0 ? 1 : rc;
    int one = !n->number ? 0
              : bound    ? awz_unbind(s, n->number)
                         : awz_disconnect(s, n->number);
    if (one < 0 && one != -ENOENT) { /* such as -EAGAIN */
      add_named(n);
      return one;
    }
    rc = one == 0 ? 0 : rc;
    free_named(n);
  }
  return rc;
}

int awz_host_disconnect(awz_socket *s, const char *address) {
  return undo(s, address, false);
}

int awz_host_unbind(awz_socket *s, const char *address) {
  return undo(s, address, true);
}
