/* message.c - messages: values of Lua on their way through channels; see
 * message.h
 *
 *     channel (userdata) ──► table of values, its user value
 *        │                      ▲ place
 *        └─ messages ──► message┘          each an aw_lua_value
 *
 * A message is the number of a place in the channel's table. So values that
 * wait in a garbage channel are garbage, too, even if such a value refers to
 * the channel. Free places hold `false`, so filling a place sets no new key; a
 * nil is a flag in its message. So sending and receiving allocate nothing in
 * Lua, except more places now and then. They may happen where nothing may
 * raise.
 *
 * While a coroutine waits to send, its message has no value: the value stays on
 * the stack of the coroutine (`lender`). From there it moves to the receiver,
 * or to the place of the message.
 *
 * Messages have memory of their own: a task may have a message when the channel
 * is gone. A message that a wire ends with keeps alive the Wire that its task
 * runs (`pin`), and so the channel, whose table has the value.
 */
#include "objects/message.h"

#include "base/classes.h"
#include "base/values.h"
#include "wire/convert.h"

typedef struct message {
  aw_lua_value base; /* the first field: the core has its address */
  struct awl_messages *store;
  struct message *next; /* the next free message */
  aw_value pin;
  /* the worker whose stack has the value, since it waits to send; or NULL */
  awl_worker *lender;
  int place;
  bool is_nil;
} message;

/* a block is as large as all blocks before it */
enum { BLOCKS = 28, SMALLEST = 4 };

struct awl_messages {
  awl_state *state;
  aw_channel *channel; /* NULL: not made yet, or gone */
  /* number of owners: the channel, and messages under way */
  size_t refs;
  message *blocks[BLOCKS];
  int block_count, places;
  message *free;
};

/* ---- stores ---- */

bool awl_messages_push_values(const awl_messages *store) {
  lua_State *util = store->state->util;
  if (!awl_push_object(store->state, store))
    return false;
  lua_getiuservalue(util, -1, AWL_CHANNEL_VALUES);
  lua_remove(util, -2);
  return true;
}

static int message_push(lua_State *L, aw_lua_value *value);
static void message_release(aw_lua_value *value);

/* (table of values, count before, count to add): add free places. */
static int fill_places(lua_State *L) {
  lua_Integer first = lua_tointeger(L, 2), count = lua_tointeger(L, 3);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_pushboolean(L, 0);
    lua_rawseti(L, 1, first + i);
  }
  return 0;
}

/* Add free places, but raise nothing and do not collect: finalizers might
 * send. */
static bool make_places(const awl_messages *store, int count) {
  lua_State *util = store->state->util;
  lua_pushcfunction(util, fill_places);
  if (!awl_messages_push_values(store)) {
    lua_pop(util, 1);
    return false;
  }
  lua_pushinteger(util, store->places);
  lua_pushinteger(util, count);
  bool collects = lua_gc(util, LUA_GCISRUNNING, 0);
  lua_gc(util, LUA_GCSTOP, 0);
  int status = lua_pcall(util, 3, 0, 0);
  if (collects)
    lua_gc(util, LUA_GCRESTART, 0);
  if (status != LUA_OK)
    lua_pop(util, 1);
  return status == LUA_OK;
}

static bool grow_store(awl_messages *store) {
  int count = store->places ? store->places : SMALLEST;
  if (store->block_count == BLOCKS)
    return false;
  message *block = aw_allocate((size_t)count * sizeof *block);
  if (!block || !make_places(store, count)) {
    aw_free(block);
    return false;
  }
  for (int i = count; i-- > 0;) {
    block[i].base.push = message_push;
    block[i].base.release = message_release;
    block[i].store = store;
    block[i].place = store->places + i + 1;
    block[i].next = store->free;
    store->free = &block[i];
  }
  store->blocks[store->block_count++] = block;
  store->places += count;
  return true;
}

awl_messages *awl_messages_new(awl_state *s) {
  awl_messages *store = aw_allocate(sizeof *store);
  if (!store)
    return NULL;
  store->state = s;
  store->refs = 1;
  return store;
}

awl_state *awl_messages_state(const awl_messages *store) {
  return store->state;
}

bool awl_messages_reserve(awl_messages *store) {
  return store->free || grow_store(store);
}

void awl_messages_set_channel(awl_messages *store, aw_channel *channel) {
  store->channel = channel;
}

static void release_store(awl_messages *store) {
  if (--store->refs > 0)
    return;
  for (int i = 0; i < store->block_count; i++)
    aw_free(store->blocks[i]);
  aw_free(store);
}

void awl_messages_end(awl_messages *store) {
  aw_channel_release(store->channel);
  store->channel = NULL;
  release_store(store);
}

/* ---- messages ---- */

/* Make the message free; its place holds `false` again. */
static void put_message_back(message *m) {
  awl_messages *store = m->store;
  if (m->pin) {
    awl_drop(store->state, m->pin);
    m->pin = 0;
  }
  m->lender = NULL;
  m->next = store->free;
  store->free = m;
  store->state->values--;
  release_store(store);
}

static void message_release(aw_lua_value *value) {
  message *m = (message *)value;
  if (!m->lender && !m->is_nil && awl_messages_push_values(m->store)) {
    lua_State *util = m->store->state->util;
    lua_pushboolean(util, 0);
    lua_rawseti(util, -2, m->place);
    lua_pop(util, 1);
  }
  put_message_back(m);
}

static int message_push(lua_State *L, aw_lua_value *value) {
  const message *m = (const message *)value;
  lua_State *util = m->store->state->util;
  if (m->is_nil || !awl_messages_push_values(m->store)) {
    lua_pushnil(L);
    return 1;
  }
  lua_rawgeti(util, -1, m->place);
  lua_xmove(util, L, 1);
  lua_pop(util, 1);
  return 1;
}

static message *take_free(awl_messages *store) {
  message *m = store->free;
  store->free = m->next;
  store->refs++;
  store->state->values++;
  return m;
}

aw_value awl_message_make(lua_State *L, awl_messages *store) {
  message *m = take_free(store);
  m->is_nil = lua_isnil(L, -1);
  if (m->is_nil)
    lua_pop(L, 1);
  else
    lua_rawseti(L, -2, m->place); /* the key exists: no allocation */
  lua_pop(L, 1);
  return aw_lua_box(&m->base);
}

/* ---- messages on the stack of a waiting sender ---- */

aw_value awl_message_lend(awl_worker *w, awl_messages *store) {
  message *m = take_free(store);
  m->lender = w;
  m->is_nil = false;
  return aw_lua_box(&m->base);
}

/* Move the value from the stack of its sender to L. False: somebody has closed
 * that coroutine, and the value is lost. */
static bool take_lent(lua_State *L, message *m) {
  awl_worker *w = m->lender;
  if (lua_status(w->co) != LUA_YIELD || w->waiting != w->co)
    return false;
  m->lender = NULL;
  lua_xmove(w->co, L, 1);
  w->top--;
  return true;
}

bool awl_message_settle(void *state, aw_value value) {
  (void)state;
  message *m = (message *)awl_boxed(value);
  if (m->base.push != message_push || !m->lender)
    return true; /* another token, or no loan */
  lua_State *util = m->store->state->util;
  if (!awl_messages_push_values(m->store))
    return false; /* the channel is gone */
  bool taken = take_lent(util, m);
  m->is_nil = taken && lua_isnil(util, -1);
  if (m->is_nil)
    lua_pop(util, 1);
  else if (taken)
    lua_rawseti(util, -2, m->place); /* the key exists: no allocation */
  lua_pop(util, 1);
  return taken;
}

void awl_message_deliver(void *state, aw_value value, aw_task *task) {
  message *m = (message *)awl_boxed(value);
  if (m->pin == 0)
    m->pin = awl_keep_running(state, task);
}

bool awl_message_take(lua_State *L, aw_value value) {
  message *m = (message *)awl_boxed(value);
  bool taken = true;
  if (m->lender) {
    taken = take_lent(L, m);
  } else if (m->is_nil) {
    lua_pushnil(L);
  } else {
    lua_getiuservalue(L, 1, AWL_CHANNEL_VALUES);
    lua_rawgeti(L, -1, m->place);
    lua_pushboolean(L, 0);
    lua_rawseti(L, -3, m->place);
  }
  put_message_back(m);
  return taken;
}
