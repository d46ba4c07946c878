/* tally.c - see tally.h
 *
 * libzmq reports a connection by `accepted` or `connected`, its handshake by
 * `handshake_succeeded`, and its end by `disconnected`. Only the first and the
 * last name the descriptor. The report of a handshake has an address, which all
 * connections that a socket has accepted there share. So this keeps for each
 * address (a place):
 *
 *     connections  each with its descriptor, and whether its handshake is
 *                  complete
 *     completed    handshakes whose connection is not known yet
 *     failed       handshakes that failed, and whose connection is open
 *
 * If as many connections of a place are in their handshake as handshakes have
 * completed, all of these are complete; most often there is one of each.
 * Otherwise the ends of connections decide. A failed handshake is reported
 * right before the end of its connection, or (by an authenticator) before a
 * later end. So an end uses up one report of a failure, or if there is none, a
 * peer has ended.
 *
 * One case is not told apart. Two connections are in their handshake at the
 * same time; one completes it, and the other sends an oversized frame, whose
 * end libzmq does not report as a failure. Then one peer is not counted.
 *
 * The I/O threads report independently of each other. So an end or a handshake
 * may be reported before its connection.
 *
 * libzmq does not report the end of connections when the user ends them: by an
 * unbind, which it reports as `closed`, or by a disconnect. A place that was
 * `left` so counts nothing until it is used again. A disconnect and a connect
 * may follow each other before the thread has read the events of the former
 * connection. But each connect has one connection at a time: the oldest ones
 * above that number have ended. */
#include "watch/tally.h"

#include <stdlib.h>
#include <string.h>

typedef enum phase {
  IN_HANDSHAKE,
  COMPLETE,
  ENDED_EARLY /* its end was reported before its beginning */
} phase;

typedef struct connection {
  struct connection *next;
  int64_t fd;
  phase stage;
} connection;

typedef struct awz_place {
  struct awz_place *next;
  connection *connections;
  unsigned completed, failed;
  unsigned count[3]; /* of connections, by phase */
  unsigned connects; /* of the user to this address; 0: perhaps by a name */
  bool accepts;      /* connections are accepted here, not made */
  bool left;
  char address[];
} place;

/* ---- places ---- */

static bool is_named(const char *address, const awz_event *event) {
  return strlen(address) == event->length &&
         memcmp(address, event->address, event->length) == 0;
}

static place *find_place(const awz_tally *t, const awz_event *event) {
  place *p = t->places;
  while (p && !is_named(p->address, event))
    p = p->next;
  return p;
}

/* Returns NULL without memory. */
static place *obtain_place(awz_tally *t, const awz_event *event) {
  place *p = find_place(t, event);
  if (p || !(p = calloc(1, sizeof *p + event->length + 1)))
    return p;
  memcpy(p->address, event->address, event->length);
  p->next = t->places;
  t->places = p;
  return p;
}

/* ---- connections ---- */

static connection **find_connection(place *p, int64_t fd) {
  connection **link = &p->connections;
  while (*link && (*link)->fd != fd)
    link = &(*link)->next;
  return link;
}

static void forget_connection(place *p, connection **link) {
  connection *gone = *link;
  *link = gone->next;
  p->count[gone->stage]--;
  free(gone);
}

/* Without memory the connection is not counted. */
static void add_connection(place *p, int64_t fd, phase first) {
  connection *c = malloc(sizeof *c);
  if (!c)
    return;
  *c = (connection){p->connections, fd, first};
  p->connections = c;
  p->count[first]++;
}

static void complete_connection(place *p, connection *c) {
  c->stage = COMPLETE;
  p->count[IN_HANDSHAKE]--;
  p->count[COMPLETE]++;
  p->completed--;
}

/* Find out whose handshakes are completed, if that is certain. The newest
 * connections are the first in the list. */
static void assign_handshakes(place *p) {
  if (p->count[IN_HANDSHAKE] != p->completed)
    return;
  for (connection *c = p->connections; c && p->completed > 0; c = c->next)
    if (c->stage == IN_HANDSHAKE)
      complete_connection(p, c);
}

static void forget_connections(awz_tally *t, place *p) {
  t->peers -= p->completed + p->count[COMPLETE];
  while (p->connections)
    forget_connection(p, &p->connections);
  p->completed = p->failed = 0;
}

static void forget_place(awz_tally *t, place *gone) {
  place **link = &t->places;
  while (*link != gone)
    link = &(*link)->next;
  *link = gone->next;
  forget_connections(t, gone);
  free(gone);
}

static void settle_place(awz_tally *t, place *p) {
  if (!p->connections && p->completed == 0 && p->connects == 0 && !p->left)
    forget_place(t, p);
  else
    assign_handshakes(p);
}

static void leave_place(awz_tally *t, place *p) {
  forget_connections(t, p);
  p->connects = 0;
  p->left = true;
}

/* Forget the oldest connection, whose end was not reported. */
static void forget_oldest(awz_tally *t, place *p) {
  connection **link = &p->connections;
  while ((*link)->next)
    link = &(*link)->next;
  if ((*link)->stage == COMPLETE) {
    t->peers--;
  } else if (p->completed > 0) {
    p->completed--;
    t->peers--;
  }
  forget_connection(p, link);
}

static unsigned count_open(const place *p) {
  return p->count[IN_HANDSHAKE] + p->count[COMPLETE];
}

static void forget_former(awz_tally *t, place *p) {
  if (p->connects == 0 || p->count[ENDED_EARLY] > 0)
    return;
  while (count_open(p) >= p->connects)
    forget_oldest(t, p);
}

/* ---- events ---- */

static void note_connection(awz_tally *t, const awz_event *event) {
  place *p = obtain_place(t, event);
  if (!p || p->left)
    return;
  p->accepts = event->kind == AWZ_ACCEPTED;
  connection **early =
      p->count[ENDED_EARLY] > 0 ? find_connection(p, event->value) : NULL;
  if (early && *early && (*early)->stage == ENDED_EARLY) {
    forget_connection(p, early);
  } else {
    forget_former(t, p);
    add_connection(p, event->value, t->raw ? COMPLETE : IN_HANDSHAKE);
    t->peers += t->raw;
  }
  settle_place(t, p);
}

static void complete_handshake(awz_tally *t, const awz_event *event) {
  place *p = obtain_place(t, event);
  if (!p || p->left)
    return;
  if (p->connects > 0 && p->count[COMPLETE] + p->completed >= p->connects)
    return; /* of a former connection */
  p->completed++;
  t->peers++;
  assign_handshakes(p);
}

static void fail_handshake(const awz_tally *t, const awz_event *event) {
  place *p = find_place(t, event);
  if (p && !p->left && !t->raw)
    p->failed++;
}

/* A connection ends that may or may not have completed its handshake. */
static void end_undecided(awz_tally *t, place *p) {
  if (p->failed > 0) {
    p->failed--;
  } else if (p->completed > 0) {
    p->completed--;
    t->peers--;
  }
}

static void lose_connection(awz_tally *t, const awz_event *event) {
  place *p = obtain_place(t, event);
  if (!p || p->left)
    return;
  connection **link = find_connection(p, event->value);
  if (*link && (*link)->stage == COMPLETE)
    t->peers--;
  else
    end_undecided(t, p);
  if (*link)
    forget_connection(p, link);
  else
    add_connection(p, event->value, ENDED_EARLY);
  if (p->count[IN_HANDSHAKE] == 0)
    p->failed = 0;
  settle_place(t, p);
}

static const char *port_in(const char *address) {
  const char *colon = strrchr(address, ':');
  return colon ? colon : "";
}

/* Tells whether a listener at `bound` accepts connections at `address`: that
 * is so for another address if the listener is at all addresses. */
static bool covers(const char *bound, const char *address) {
  if (strcmp(bound, address) == 0)
    return true;
  bool any = strncmp(bound, "tcp://0.0.0.0:", 14) == 0 ||
             strncmp(bound, "tcp://[::]:", 11) == 0;
  return any && strcmp(port_in(bound), port_in(address)) == 0;
}

/* Call `change` for the places where this listener accepts. */
static void for_listener(awz_tally *t, const awz_event *event,
                         void (*change)(awz_tally *, place *)) {
  char bound[256];
  if (event->length >= sizeof bound)
    return;
  memcpy(bound, event->address, event->length);
  bound[event->length] = '\0';
  for (place *p = t->places, *next; p; p = next) {
    next = p->next;
    if (p->accepts && covers(bound, p->address))
      change(t, p);
  }
}

static void use_again(awz_tally *t, place *p) {
  if (!p->left)
    return;
  p->left = false;
  settle_place(t, p);
}

void awz_tally_follow(awz_tally *t, const awz_event *event) {
  switch (event->kind) {
  case AWZ_LISTENING: for_listener(t, event, use_again); break;
  case AWZ_CLOSED: for_listener(t, event, leave_place); break;
  case AWZ_ACCEPTED:
  case AWZ_CONNECTED: note_connection(t, event); break;
  case AWZ_HANDSHAKEN: complete_handshake(t, event); break;
  case AWZ_FAILED_NO_DETAIL:
  case AWZ_FAILED_PROTOCOL:
  case AWZ_FAILED_AUTH: fail_handshake(t, event); break;
  case AWZ_DISCONNECTED: lose_connection(t, event); break;
  default: break;
  }
}

/* ---- what libzmq does not report ---- */

/* A host has many names, and events have numbers: compare ports only, unless
 * the address is numeric, too. */
static bool is_address_of(const place *p, const char *address) {
  if (p->accepts)
    return false;
  bool numeric =
      strncmp(address, "tcp://", 6) != 0 ||
      strspn(address + 6, "0123456789.") == strcspn(address + 6, ":");
  return numeric ? strcmp(p->address, address) == 0
                 : strcmp(port_in(p->address), port_in(address)) == 0;
}

/* Forget the places that were left longest ago, but for some: late events of
 * their connections have come by then. */
static void forget_old_places(awz_tally *t) {
  enum { KEPT = 64 };
  int count = 0;
  for (place *p = t->places, *next; p; p = next) {
    next = p->next;
    if (p->left && ++count > KEPT)
      forget_place(t, p);
  }
}

void awz_tally_leave(awz_tally *t, const char *address) {
  /* perhaps its events have not come yet */
  const awz_event event = {.address = address, .length = strlen(address)};
  obtain_place(t, &event);
  for (place *p = t->places; p; p = p->next)
    if (is_address_of(p, address))
      leave_place(t, p);
  forget_old_places(t);
}

void awz_tally_connect(awz_tally *t, const char *address) {
  const awz_event event = {.address = address, .length = strlen(address)};
  obtain_place(t, &event);
  for (place *p = t->places; p; p = p->next) {
    if (!is_address_of(p, address))
      continue;
    p->left = false;
    p->connects += strcmp(p->address, address) == 0;
  }
}

void awz_tally_free(awz_tally *t) {
  while (t->places)
    forget_place(t, t->places);
}
