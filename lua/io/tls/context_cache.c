/* context_cache.c - see context_cache.h
 *
 * The registry has a userdata with the cache, which lives as long as the state.
 * Once that is finalized, at the end of the state, contexts are not kept.
 */
#include "tls/context_cache.h"

#include "tls/fingerprint.h"
#include "tls/settings.h"
#include "tls/tls_error.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <stddef.h>
#include <string.h>

enum { MOST = 16 };

/* The address is the registry key of the cache. */
static const char CACHE_KEY = 'c';

typedef struct cached {
  unsigned char fingerprint[AWIO_TLS_FINGERPRINT];
  awio_tls_context *context; /* referenced */
} cached;

typedef struct cache {
  aw_lua_held held; /* by the userdata */
  size_t count;
  cached all[MOST]; /* the one that was used last is the first */
} cache;

/* ---- the cache ---- */

static void free_cache(cache *c) {
  for (size_t i = 0; i < c->count; i++)
    awio_tls_context_release(c->all[i].context);
  aw_free(c);
}

static void release_lost_cache(aw_lua_held *held) {
  free_cache((cache *)((char *)held - offsetof(cache, held)));
}

static int cache_gc(lua_State *L) {
  cache **box = lua_touserdata(L, 1);
  cache *c = *box;
  *box = NULL;
  if (c) {
    aw_lua_let_go(&c->held);
    free_cache(c);
  }
  return 0;
}

/* Push a userdata with a cache. */
static cache *push_cache(lua_State *L) {
  cache **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, cache_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  cache *c = aw_allocate(sizeof *c);
  if (!c)
    luaL_error(L, "not enough memory");
  c->held.release = release_lost_cache;
  *box = c;
  aw_lua_hold(L, &c->held);
  return c;
}

/* Return the cache of the state; NULL: it is gone. May raise. */
static cache *cache_of(lua_State *L) {
  cache *c;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &CACHE_KEY) == LUA_TUSERDATA) {
    c = *(cache **)lua_touserdata(L, -1);
  } else {
    c = push_cache(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &CACHE_KEY);
  }
  lua_pop(L, 1);
  return c;
}

/* Make the context at `index` the first. */
static awio_tls_context *use_cached(cache *c, size_t index) {
  cached used = c->all[index];
  memmove(&c->all[1], &c->all[0], index * sizeof *c->all);
  c->all[0] = used;
  return awio_tls_context_keep(used.context);
}

static awio_tls_context *find_cached(cache *c, const unsigned char *print) {
  for (size_t i = 0; i < c->count; i++)
    if (memcmp(c->all[i].fingerprint, print, AWIO_TLS_FINGERPRINT) == 0)
      return use_cached(c, i);
  return NULL;
}

static void add_cached(cache *c, const unsigned char *print,
                       awio_tls_context *context) {
  if (c->count == MOST)
    awio_tls_context_release(c->all[--c->count].context);
  memmove(&c->all[1], &c->all[0], c->count * sizeof *c->all);
  memcpy(c->all[0].fingerprint, print, AWIO_TLS_FINGERPRINT);
  c->all[0].context = awio_tls_context_keep(context);
  c->count++;
}

/* ---- contexts ---- */

/* Find or make the context; without a fingerprint, for which there may be no
 * memory, make it. The fingerprint is older than what is read from the files:
 * if one changes meanwhile, the next look finds another fingerprint. */
static awio_tls_context *context_of(cache *c, const awio_tls_settings *s,
                                    awio_fault *fault) {
  unsigned char print[AWIO_TLS_FINGERPRINT];
  if (!c || !awio_tls_open() || !awio_tls_fingerprint(s, print))
    return awio_tls_context_new(s, fault);
  awio_tls_context *context = find_cached(c, print);
  if (context)
    return context;
  context = awio_tls_context_new(s, fault);
  if (context)
    add_cached(c, print, context);
  return context;
}

static awio_tls_context *cached_context(lua_State *L, int arg, bool server,
                                        const char *call) {
  awio_fault fault;
  cache *c = cache_of(L);
  awio_tls_settings *s = awio_tls_settings_new(L, arg, server, NULL);
  awio_tls_context *context = context_of(c, s, &fault);
  awio_tls_settings_free(s);
  if (!context)
    awio_tls_raise(L, &fault, call, NULL);
  return context;
}

awio_tls_context *awio_tls_client_context(lua_State *L, int arg) {
  return cached_context(L, arg, false, "connect");
}

awio_tls_context *awio_tls_starttls_context(lua_State *L, int arg) {
  static const char *const of_client[] = {AWIO_TLS_CLIENT_OPTIONS, "server",
                                          NULL};
  static const char *const of_server[] = {AWIO_TLS_SERVER_OPTIONS, "server",
                                          NULL};
  bool server = lua_istable(L, arg) && aw_lua_opt_flag(L, arg, "server", false);
  if (!lua_isnoneornil(L, arg))
    aw_lua_check_options(L, arg, server ? of_server : of_client, false);
  return cached_context(L, arg, server, "starttls");
}
