/* guard.c - see guard.h */
#include "security/guard.h"

#include "context/shared.h"
#include "security/mechanism.h"
#include "security/zap.h"

#include <errno.h>
#include <string.h>

enum { DOMAIN_OPTION = 55, ZAP_ENFORCE_DOMAIN = 93 };

static int enforce(awz_socket *s, int value) {
  return awz_raw_set(s, ZAP_ENFORCE_DOMAIN, &value, sizeof value);
}

static int guard_with(awz_socket *s, const char *domain) {
  int rc = awz_raw_set(s, DOMAIN_OPTION, domain, strlen(domain));
  return rc == 0 ? enforce(s, 1) : rc;
}

static bool is_inproc(const char *address) {
  return awz_starts_with(address, "inproc://");
}

static bool has_handshake(const awz_socket *s, const char *address) {
  static const char *const without[] = {"pgm://", "epgm://", "norm://",
                                        "udp://"};
  for (size_t i = 0; i < sizeof without / sizeof *without; i++)
    if (awz_starts_with(address, without[i]))
      return false;
  return is_inproc(address) || (s->type->number != AWZ_STREAM && !s->numbers);
}

int awz_guard_settle(awz_socket *s, const char *address) {
  const char *domain = s->domain ? s->domain : s->serves ? "global" : NULL;
  int rc = 0;
  if ((domain || awz_mechanism_given(s)) && !has_handshake(s, address))
    return -ENOPROTOOPT;
  if (domain)
    rc = guard_with(s, domain);
  else if (s->guarded)
    rc = enforce(s, 0); /* the domain stays */
  s->guarded = domain != NULL;
  return rc;
}

int awz_guard_domain(awz_socket *s, const char *domain, size_t size) {
  enum { LONGEST = 255 };
  char *copy = NULL;
  if (size > LONGEST)
    return -EINVAL;
  if (size > 0) {
    copy = aw_allocate(size + 1);
    if (!copy)
      return AW_ENOMEM;
    memcpy(copy, domain, size);
  }
  aw_free(s->domain);
  s->domain = copy;
  return 0;
}

/* ---- servers without an authenticator ---- */

static bool is_answered(const awz_context *context) {
  awz_shared *shared = context->shared;
  if (context->zap || awz_is_bound_local(context, AWZ_ZAP_ADDRESS))
    return true;
  return awz_shared_answers(shared, 0);
}

/* libzmq asks nobody about peers over inproc, nor about the server of a client
 * with a mechanism. */
static bool asks_about_peers(awz_socket *s) {
  return s->guarded && (s->serves || !awz_mechanism_given(s));
}

void awz_guard_note(awz_socket *s, const char *address) {
  s->unasked = s->unasked || (!is_inproc(address) && !asks_about_peers(s));
}

void awz_guard_attached(awz_socket *s, const char *address, const char *where) {
  bool asks = !is_inproc(address) && asks_about_peers(s);
  if (asks && !is_answered(s->context) && s->late_count < AWZ_LATE)
    s->late[s->late_count++] = (awz_late){NULL, where};
}

static void drop_notes(awz_socket *s) {
  unsigned left = 0;
  for (unsigned i = 0; i < s->late_count; i++)
    if (s->late[i].option)
      s->late[left++] = s->late[i];
  s->late_count = left;
}

void awz_guard_answered(awz_context *context) {
  for (awz_socket *s = context->sockets; s; s = s->next)
    drop_notes(s);
}

void awz_guard_tell(lua_State *L, const awz_socket *s, const char *where) {
  if (is_answered(s->context))
    return;
  lua_pushfstring(L,
                  "nobody gets in to this %s socket: its peers must be "
                  "admitted by an authenticator, and its context has none "
                  "(make one by zmq.auth{...})",
                  s->type->name);
  aw_lua_mistake(L, where, "authenticator");
}
