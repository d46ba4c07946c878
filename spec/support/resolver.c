/* resolver.c - a resolver that specs control
 *
 * A program that is started with this file in LD_PRELOAD looks names up here:
 *
 *   NAME.dead.test   hangs until it is released, and is not found then
 *   NAME.live.test   "127.0.0.1" at once; both.live.test also has "::1"
 *   A,B.list.test    these addresses, in this order; also A_B.list.test
 *   all others       as ever
 *
 *   local resolver = require "spec_resolver"   the same file
 *   resolver.hanging()    → how many look-ups hang now
 *   resolver.calls()      → how many look-ups of these names were begun
 *   resolver.last()       → the name of the last one
 *   resolver.release([n]) let n of the look-ups that hang go on, or all
 *   resolver.threads()    → threads of this process
 *   resolver.refuse(on)   whether no thread can be made from now on
 */
#define _GNU_SOURCE /* RTLD_NEXT */

#include "preloaded.h"

#include <limits.h>
#include <netdb.h>
#include <stdio.h>

typedef int (*resolve)(const char *, const char *, const struct addrinfo *,
                       struct addrinfo **);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static int hanging, calls, tickets;
static char last[NI_MAXHOST];

static bool ends_with(const char *text, const char *end) {
  size_t length = strlen(text), size = strlen(end);
  return length >= size && strcmp(text + length - size, end) == 0;
}

static void hang(void) {
  pthread_mutex_lock(&lock);
  hanging++;
  while (tickets == 0)
    pthread_cond_wait(&released, &lock);
  if (tickets != INT_MAX)
    tickets--;
  hanging--;
  pthread_mutex_unlock(&lock);
}

static void note_call(const char *name) {
  pthread_mutex_lock(&lock);
  calls++;
  snprintf(last, sizeof last, "%s", name);
  pthread_mutex_unlock(&lock);
}

/* The loopback addresses of both families. */
static int both(resolve next, const struct addrinfo *hints,
                struct addrinfo **out) {
  struct addrinfo mine = *hints;
  mine.ai_flags |= AI_NUMERICSERV;
  return next(NULL, "0", &mine, out);
}

/* The addresses that a name lists. freeaddrinfo() takes chains of results. */
static int listed(const char *name, resolve next, const struct addrinfo *hints,
                  struct addrinfo **out) {
  char text[NI_MAXHOST], *rest = NULL;
  snprintf(text, sizeof text, "%.*s",
           (int)(strlen(name) - strlen(".list.test")), name);
  *out = NULL;
  int rc = EAI_NONAME;
  for (char *at = strtok_r(text, ",_", &rest); at;
       at = strtok_r(NULL, ",_", &rest)) {
    int one = next(at, NULL, hints, out);
    rc = one == 0 ? 0 : rc;
    while (*out)
      out = &(*out)->ai_next;
  }
  return rc;
}

AW_API int getaddrinfo(const char *node, const char *service,
                       const struct addrinfo *hints, struct addrinfo **out);

int getaddrinfo(const char *node, const char *service,
                const struct addrinfo *hints, struct addrinfo **out) {
  resolve next;
  find("getaddrinfo", &next);
  if (!node || !ends_with(node, ".test"))
    return next(node, service, hints, out);
  note_call(node);
  if (ends_with(node, ".dead.test")) {
    hang();
    return EAI_NONAME;
  }
  if (ends_with(node, ".list.test"))
    return listed(node, next, hints, out);
  if (strcmp(node, "both.live.test") == 0)
    return both(next, hints, out);
  return next("127.0.0.1", service, hints, out);
}

static int locked(lua_State *L, const int *number) {
  pthread_mutex_lock(&lock);
  lua_pushinteger(L, *number);
  pthread_mutex_unlock(&lock);
  return 1;
}

static int r_hanging(lua_State *L) {
  return locked(L, &hanging);
}

static int r_calls(lua_State *L) {
  return locked(L, &calls);
}

static int r_last(lua_State *L) {
  pthread_mutex_lock(&lock);
  lua_pushstring(L, last);
  pthread_mutex_unlock(&lock);
  return 1;
}

static int r_release(lua_State *L) {
  int count = (int)luaL_optinteger(L, 1, INT_MAX);
  pthread_mutex_lock(&lock);
  tickets = count == INT_MAX ? INT_MAX : tickets + count;
  pthread_cond_broadcast(&released);
  pthread_mutex_unlock(&lock);
  return 0;
}

AW_API int luaopen_spec_resolver(lua_State *L);

int luaopen_spec_resolver(lua_State *L) {
  static const luaL_Reg functions[] = {{"hanging", r_hanging},
                                       {"calls", r_calls},
                                       {"last", r_last},
                                       {"release", r_release},
                                       {"threads", f_threads},
                                       {"refuse", f_refuse},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
