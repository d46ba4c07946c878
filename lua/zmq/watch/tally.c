/* tally.c - see tally.h
 *
 * libzmq reports a connection by `accepted` or `connected`, its handshake by
 * `handshake_succeeded`, and its end by `disconnected`. Only the first and the
 * last name the descriptor. All connections that a socket has accepted at an
 * address share the name of that address, which is all that the report of a
 * handshake has. So this counts for each address (a place):
 *
 *     open         connections, reported so far
 *     handshaken   those that have completed their handshake
 *     failed       handshakes that have failed, and whose connection is open
 *
 * At the end of a connection the question is whether it was one of those
 * handshaken. A failed handshake is reported right before the end of its
 * connection, or (by an authenticator) before a later end. So an end uses up a
 * report of a failure, if there is one and there is a connection that is not
 * handshaken; else it is the end of a peer. One case is not told apart: a
 * connection that sends an oversized frame in the place of a handshake ends
 * without a report of its failure. If peers are connected at that address then,
 * one of them is no longer counted.
 *
 * The I/O threads report independently of each other, so the numbers may be
 * negative for a moment.
 *
 * libzmq does not report the end of connections when the user ends them: by an
 * unbind, which it reports as `closed`, or by a disconnect. A place that was
 * `left` so counts nothing until it is used again. */
#include "watch/tally.h"

#include <stdlib.h>
#include <string.h>

typedef struct awz_place {
  struct awz_place *next;
  int open, handshaken, failed;
  bool accepts; /* connections are accepted here, not made */
  bool left;
  char address[];
} place;

/* ---- places ---- */

static bool is_named(const char *address, const awz_news *news) {
  return strlen(address) == news->length &&
         memcmp(address, news->address, news->length) == 0;
}

static place *find_place(const awz_tally *t, const awz_news *news) {
  place *p = t->places;
  while (p && !is_named(p->address, news))
    p = p->next;
  return p;
}

/* Returns NULL without memory. */
static place *place_of(awz_tally *t, const awz_news *news) {
  place *p = find_place(t, news);
  if (p || !(p = calloc(1, sizeof *p + news->length + 1)))
    return p;
  memcpy(p->address, news->address, news->length);
  p->next = t->places;
  t->places = p;
  return p;
}

static void forget_place(awz_tally *t, const place *gone) {
  place **link = &t->places;
  while (*link != gone)
    link = &(*link)->next;
  *link = gone->next;
  free((void *)(uintptr_t)gone);
}

static void settle_place(awz_tally *t, place *p) {
  if (p->open == 0 && p->handshaken == 0)
    p->failed = 0;
  if (p->open == 0 && p->handshaken == 0 && !p->left)
    forget_place(t, p);
}

static void leave_place(awz_tally *t, place *p) {
  t->peers -= p->handshaken > 0 ? (unsigned)p->handshaken : 0;
  p->open = p->handshaken = p->failed = 0;
  p->left = true;
}

/* ---- events ---- */

static void begin_connection(awz_tally *t, const awz_news *news) {
  place *p = place_of(t, news);
  if (!p || p->left)
    return;
  p->accepts = news->kind == AWZ_ACCEPTED;
  p->open++;
  if (t->raw) {
    p->handshaken++;
    t->peers++;
  }
  settle_place(t, p);
}

static void complete_handshake(awz_tally *t, const awz_news *news) {
  place *p = place_of(t, news);
  if (!p || p->left)
    return;
  p->handshaken++;
  t->peers++;
}

static void fail_handshake(const awz_tally *t, const awz_news *news) {
  place *p = find_place(t, news);
  if (p && !p->left && !t->raw)
    p->failed++;
}

static void end_connection(awz_tally *t, const awz_news *news) {
  place *p = find_place(t, news);
  if (!p || p->left)
    return;
  bool was_pending = p->failed > 0 && p->open > p->handshaken;
  p->open--;
  if (was_pending) {
    p->failed--;
  } else if (p->handshaken > 0) {
    p->handshaken--;
    t->peers--;
  }
  settle_place(t, p);
}

static const char *port_of(const char *address) {
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
  return any && strcmp(port_of(bound), port_of(address)) == 0;
}

/* Call `change` for the places where this listener accepts. */
static void for_listener(awz_tally *t, const awz_news *news,
                         void (*change)(awz_tally *, place *)) {
  char bound[256];
  if (news->length >= sizeof bound)
    return;
  memcpy(bound, news->address, news->length);
  bound[news->length] = '\0';
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

void awz_tally_follow(awz_tally *t, const awz_news *news) {
  switch (news->kind) {
  case AWZ_LISTENING: for_listener(t, news, use_again); break;
  case AWZ_CLOSED: for_listener(t, news, leave_place); break;
  case AWZ_ACCEPTED:
  case AWZ_CONNECTED: begin_connection(t, news); break;
  case AWZ_HANDSHAKEN: complete_handshake(t, news); break;
  case AWZ_FAILED_NO_DETAIL:
  case AWZ_FAILED_PROTOCOL:
  case AWZ_FAILED_AUTH: fail_handshake(t, news); break;
  case AWZ_DISCONNECTED: end_connection(t, news); break;
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
                 : strcmp(port_of(p->address), port_of(address)) == 0;
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
  const awz_news news = {.address = address, .length = strlen(address)};
  place_of(t, &news);
  for (place *p = t->places; p; p = p->next)
    if (is_address_of(p, address))
      leave_place(t, p);
  forget_old_places(t);
}

void awz_tally_return(awz_tally *t, const char *address) {
  for (place *p = t->places, *next; p; p = next) {
    next = p->next;
    if (is_address_of(p, address))
      use_again(t, p);
  }
}

void awz_tally_free(awz_tally *t) {
  while (t->places) {
    place *p = t->places;
    t->places = p->next;
    free(p);
  }
}
