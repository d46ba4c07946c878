/* guard.c - see guard.h */
#include "security/guard.h"

#include "security/zap.h"

#include <errno.h>
#include <string.h>

enum {
  MECHANISM = 43,
  PLAIN_SERVER = 44,
  CURVE_SERVER = 47,
  DOMAIN_OPTION = 55,
  GSSAPI_SERVER = 62,
  ZAP_ENFORCE_DOMAIN = 93
};

static bool has_flag(awz_socket *s, int option) {
  int value = 0;
  size_t size = sizeof value;
  return awz_raw_get(s, option, &value, &size) == 0 && value;
}

static bool is_server(awz_socket *s) {
  return has_flag(s, PLAIN_SERVER) || has_flag(s, CURVE_SERVER) ||
         has_flag(s, GSSAPI_SERVER);
}

static int enforce(awz_socket *s, int value) {
  return awz_raw_set(s, ZAP_ENFORCE_DOMAIN, &value, sizeof value);
}

static int guard_with(awz_socket *s, const char *domain) {
  int rc = awz_raw_set(s, DOMAIN_OPTION, domain, strlen(domain));
  return rc == 0 ? enforce(s, 1) : rc;
}

int awz_guard_settle(awz_socket *s) {
  const char *domain = s->domain ? s->domain : is_server(s) ? "global" : NULL;
  int rc = 0;
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
  return context->zap || awz_is_bound(context, AWZ_ZAP_ADDRESS);
}

/* libzmq asks nobody about peers over inproc, nor about the server of a client
 * with a mechanism. */
void awz_guard_attached(awz_socket *s, const char *address, const char *where) {
  bool asks = s->guarded && !awz_starts_with(address, "inproc://") &&
              (is_server(s) || !has_flag(s, MECHANISM));
  if (asks && !is_answered(s->context))
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
