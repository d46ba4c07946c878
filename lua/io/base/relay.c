/* relay.c - see relay.h
 *
 * The relay is memory of C, counted: it may outlive its state. `lock` guards
 * the list and the async, which is gone when its engine is.
 */
#include "base/relay.h"

#include "base/engine_async.h"

#include <lauxlib.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

typedef struct note {
  struct note *next;
  bool mistake;
  char text[];
} note;

typedef struct bell {
  awio_async async; /* first */
  awio_relay *relay;
  lua_State *L; /* the main thread of the state */
} bell;

struct awio_relay {
  atomic_uint refs;
  pid_t owner; /* in a forked process nobody may hold the lock any more */
  pthread_mutex_t lock;
  note *first, **end;
  bell *bell; /* or NULL */
};

/* Its address is the registry key of the box of the relay. */
static const char RELAY_KEY = 'r';
static const char *const BOX = "aiowire.Relay";

/* ---- references ---- */

awio_relay *awio_relay_keep(awio_relay *relay) {
  atomic_fetch_add(&relay->refs, 1);
  return relay;
}

static bool was_made_before_fork(const awio_relay *relay) {
  return relay->owner != getpid();
}

static note *take_notes(awio_relay *relay) {
  if (was_made_before_fork(relay))
    return NULL;
  pthread_mutex_lock(&relay->lock);
  note *first = relay->first;
  relay->first = NULL;
  relay->end = &relay->first;
  pthread_mutex_unlock(&relay->lock);
  return first;
}

void awio_relay_release(awio_relay *relay) {
  if (!relay || atomic_fetch_sub(&relay->refs, 1) > 1)
    return;
  note *next;
  for (note *n = take_notes(relay); n; n = next) {
    next = n->next;
    aw_free(n);
  }
  pthread_mutex_destroy(&relay->lock);
  aw_free(relay);
}

/* ---- warnings ---- */

void awio_relay_warn(awio_relay *relay, const char *text, bool mistake) {
  size_t size = strlen(text) + 1;
  note *n = aw_allocate(sizeof *n + size);
  if (!n)
    return;
  n->mistake = mistake;
  memcpy(n->text, text, size);
  pthread_mutex_lock(&relay->lock);
  *relay->end = n;
  relay->end = &n->next;
  if (relay->bell)
    uv_async_send(&relay->bell->async.handle);
  pthread_mutex_unlock(&relay->lock);
}

void awio_relay_deliver(awio_relay *relay, lua_State *L) {
  note *next;
  for (note *n = take_notes(relay); n; n = next) {
    next = n->next;
    if (n->mistake)
      lua_warning(L, "@mistake", 0);
    lua_warning(L, n->text, 0);
    aw_free(n);
  }
}

/* ---- the bell ---- */

static void on_bell(uv_async_t *async) {
  const bell *b = async->data;
  awio_relay_deliver(b->relay, b->L);
}

static void close_bell(aw_closer *closer) {
  bell *b = (bell *)closer;
  if (!was_made_before_fork(b->relay)) {
    pthread_mutex_lock(&b->relay->lock);
    b->relay->bell = NULL;
    pthread_mutex_unlock(&b->relay->lock);
  }
  awio_relay_release(b->relay);
  awio_async_close(&b->async);
}

/* Let the engine of L deliver from now on, if it can. */
static void hang_bell(awio_relay *relay, lua_State *L) {
  awio_async *async;
  aw_engine *engine = aw_lua_engine(L);
  if (relay->bell || was_made_before_fork(relay) ||
      aw_engine_find_closer(engine, close_bell) ||
      awio_async_new(engine, sizeof(bell), on_bell, close_bell, &async) < 0)
    return;
  bell *b = (bell *)async;
  b->relay = awio_relay_keep(relay);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  b->L = lua_tothread(L, -1);
  lua_pop(L, 1);
  pthread_mutex_lock(&relay->lock);
  relay->bell = b;
  pthread_mutex_unlock(&relay->lock);
}

/* ---- the relay of a state ---- */

static int relay_gc(lua_State *L) {
  awio_relay **box = lua_touserdata(L, 1);
  if (*box) {
    awio_relay_deliver(*box, L);
    awio_relay_release(*box);
  }
  *box = NULL;
  return 0;
}

static awio_relay *make_relay(void) {
  awio_relay *relay = aw_allocate(sizeof *relay);
  if (!relay)
    return NULL;
  atomic_init(&relay->refs, 1);
  relay->owner = getpid();
  pthread_mutex_init(&relay->lock, NULL);
  relay->end = &relay->first;
  return relay;
}

static void push_relay_box(lua_State *L) {
  awio_relay **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  if (luaL_newmetatable(L, BOX)) {
    lua_pushcfunction(L, relay_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  *box = make_relay();
  if (!*box)
    luaL_error(L, "not enough memory");
}

awio_relay *awio_relay_of(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &RELAY_KEY) == LUA_TNIL) {
    lua_pop(L, 1);
    push_relay_box(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &RELAY_KEY);
  }
  awio_relay *relay = *(awio_relay **)lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (!relay)
    luaL_error(L, "the Lua state is closing");
  hang_bell(relay, L);
  return awio_relay_keep(relay);
}
