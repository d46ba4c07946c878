/* routing_id.c - option `connect_routing_id`: a name for the next peer
 *
 * If another peer already has the name, libzmq aborts the program at the
 * connect. So libzmq gets the name just before the connect, and a ROUTER is
 * asked first whether the name is free:
 *
 *   send to the name ─► a peer got an empty message: the name is taken
 *   connect over inproc to a DEALER that has the name, send again (the detour)
 *                    ─► nobody got it: a peer that is leaving has the name
 *                    ─► the DEALER got it: it is free once this connection has
 *                       ended, which both ends do here, without other threads
 *
 * The peers of a STREAM or a raw ROUTER have no other names than those given
 * here, and each name is given once. With `immediate` libzmq would keep the
 * name for a later connect. The detour changes libzmq's `last_endpoint`;
 * `shown` keeps the old value for the user until the next bind or connect.
 *
 * Over tcp and ipc a peer may come between the answer and the connect, and
 * libzmq cannot reserve a name. So a ROUTER that remote peers can reach gives
 * no names: neither `router_handover` nor an unbind would keep a name free.
 *
 * Invariant: a ROUTER that is `exposed` and not raw has no name for its next
 * connect.
 */
#include "zmq.h"

#include <uv.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
  ROUTING_ID = 5,
  LAST_ENDPOINT = 32,
  IMMEDIATE = 39,
  CONNECT_ROUTING_ID = 61
};

typedef struct awz_name {
  struct awz_name *next;
  size_t size;
  char name[];
} awz_name;

/* Tells whether the peers have numbers, except those named here. */
static bool has_numbers(const awz_socket *s) {
  return s->type->number == AWZ_STREAM || s->numbers;
}

/* Tells whether the address leads to peers outside of this program. They choose
 * their names themselves, at any time. */
static bool is_remote(const char *address) {
  return !awz_starts_with(address, "inproc://");
}

bool awz_name_is_safe(const awz_socket *s, const char *address) {
  return !is_remote(address) || !s->naming || has_numbers(s);
}

void awz_name_expose(awz_socket *s, const char *address) {
  s->exposed = s->exposed || is_remote(address);
}

/* ---- the list ---- */

static bool is_used(const awz_socket *s, const char *name, size_t size) {
  const awz_name *used = has_numbers(s) ? s->names : NULL;
  while (used && (used->size != size || memcmp(used->name, name, size) != 0))
    used = used->next;
  return used != NULL;
}

/* Free the newest name. */
static void forget_name(awz_socket *s) {
  awz_name *old = s->names;
  s->names = old->next;
  aw_free(old);
}

void awz_forget_names(awz_socket *s) {
  while (s->names)
    forget_name(s);
  awz_show_endpoint(s, NULL);
}

int awz_name_next(awz_socket *s, const char *name, size_t size) {
  enum { LONGEST = 255 };
  if (size == 0 || size > LONGEST)
    return -EINVAL;
  if (s->exposed && !has_numbers(s))
    return -EOPNOTSUPP;
  if (is_used(s, name, size))
    return -EEXIST;
  awz_name *new = aw_allocate(sizeof *new + size);
  if (!new)
    return AW_ENOMEM;
  new->size = size;
  memcpy(new->name, name, size);
  if (s->names && (s->naming || !has_numbers(s)))
    forget_name(s); /* no peer has it, or is_used() does not need it */
  new->next = s->names;
  s->names = new;
  s->naming = true;
  return 0;
}

/* ---- the detour ---- */

void awz_show_endpoint(awz_socket *s, char *address) {
  aw_free(s->shown);
  s->shown = address;
}

int awz_keep_endpoint(awz_socket *s) {
  enum { ROOM = 1024 };
  if (s->shown)
    return 0;
  size_t size = ROOM;
  char *address = aw_allocate(size);
  if (!address)
    return AW_ENOMEM;
  int rc = awz_raw_get(s, LAST_ENDPOINT, address, &size);
  if (rc == 0)
    awz_show_endpoint(s, address);
  else
    aw_free(address);
  return rc;
}

static const awz_type *dealer(void) {
  const awz_type *type = awz_types;
  while (type->number != AWZ_DEALER)
    type++;
  return type;
}

/* Bind `host`, which may have the name, to `address`; connect to it, and end
 * the connection. A name that libzmq had for the next connect is used up then.
 *
 *   was_free  receives whether the name was free
 */
static int visit(awz_socket *s, awz_socket *host, const char *address,
                 bool *was_free) {
  int rc = awz_raw_attach(host, AWZ_BIND, address);
  if (rc == 0)
    rc = awz_raw_attach(s, AWZ_CONNECT, address);
  if (rc < 0)
    return rc;
  awz_raw_drain(host); /* the empty message of `probe_router` */
  awz_raw_has_peer(s, s->names->name, s->names->size);
  rc = awz_raw_attach(s, AWZ_DISCONNECT, address);
  /* Draining also lets the host confirm the end of the connection. If the host
   * got nothing, another peer has the name. */
  *was_free = awz_raw_drain(host) > 0;
  return rc;
}

static int make_detour(awz_socket *s, bool named, bool *was_free) {
  char address[64];
  snprintf(address, sizeof address, "inproc://aiowire-name-%" PRIx64,
           uv_hrtime());
  awz_socket host = {.context = s->context, .type = dealer()};
  int rc = awz_keep_endpoint(s);
  if (rc == 0)
    rc = awz_room_for_files();
  if (rc == 0)
    rc = awz_raw_open(&host, host.type->number);
  if (rc < 0)
    return rc;
  if (named)
    rc = awz_raw_set(&host, ROUTING_ID, s->names->name, s->names->size);
  if (rc == 0)
    rc = visit(s, &host, address, was_free);
  awz_raw_close(&host);
  return rc;
}

/* ---- the connect ---- */

static bool is_immediate(awz_socket *s) {
  int value = 0;
  size_t size = sizeof value;
  return awz_raw_get(s, IMMEDIATE, &value, &size) == 0 && value;
}

static int check_free(awz_socket *s) {
  bool was_free = false;
  if (has_numbers(s))
    return 0;
  if (awz_raw_has_peer(s, s->names->name, s->names->size))
    return -EEXIST;
  int rc = make_detour(s, true, &was_free);
  return rc < 0 ? rc : was_free ? 0 : -EEXIST;
}

/* libzmq still has the name of a connect that failed, and would give it to the
 * host of the detour. By now a peer may have that name. So replace it by a
 * unique one, and use that up by a detour. */
static int withdraw(awz_socket *s) {
  bool was_free;
  char name[] = "?aiowire-0123456789abcdef";
  if (has_numbers(s)) /* no detour follows, and the new name replaces it */
    return 0;
  snprintf(name + 9, sizeof name - 9, "%016" PRIx64, uv_hrtime());
  name[0] = '\0'; /* libzmq reserves such names */
  int rc = awz_raw_set(s, CONNECT_ROUTING_ID, name, sizeof name - 1);
  if (rc == 0)
    rc = make_detour(s, false, &was_free);
  s->told = rc < 0;
  return rc;
}

int awz_name_use(awz_socket *s, const char *address) {
  if (is_remote(address) && is_immediate(s))
    return -EOPNOTSUPP;
  int rc = s->told ? withdraw(s) : 0;
  if (rc == 0)
    rc = check_free(s);
  if (rc == 0)
    rc = awz_raw_set(s, CONNECT_ROUTING_ID, s->names->name, s->names->size);
  s->told = s->told || rc == 0;
  return rc;
}
