/* message.c - the life of messages, and pushing their values
 *
 * Neighbours: message_format.h has the bytes; message_write.c writes them.
 */
#include "thread/message.h"

#include "thread/message_format.h"

#include <lauxlib.h>

#include <limits.h>

/* ---- reading ---- */

/* Tables and others are found by their numbers in the table at `known`; table 1
 * has the slot `first`, so that most messages need no such table. */
typedef struct reader {
  lua_State *L;
  const awio_message *message;
  const unsigned char *at;
  size_t tables, others; /* made so far */
  int known, first;
} reader;

static inline void take_bytes(reader *r, void *out, size_t size) {
  memcpy(out, r->at, size);
  r->at += size;
}

static int at_most_int(size_t size) {
  return size < INT_MAX ? (int)size : INT_MAX;
}

/* Note the value on top as the next of the others. */
static void keep_other(reader *r) {
  r->others++;
  if (!r->message->again)
    return;
  lua_pushvalue(r->L, -1);
  lua_rawseti(r->L, r->known, -(lua_Integer)r->others);
}

static void keep_table(reader *r) {
  lua_pushvalue(r->L, -1);
  if (++r->tables == 1)
    lua_replace(r->L, r->first);
  else
    lua_rawseti(r->L, r->known, (lua_Integer)r->tables);
}

static void push_known(const reader *r, lua_Integer number) {
  if (number == 1)
    lua_pushvalue(r->L, r->first);
  else
    lua_rawgeti(r->L, r->known, number);
}

static void push_new_table(reader *r, bool is_error) {
  awio_hints hints;
  take_bytes(r, &hints, sizeof hints);
  lua_createtable(r->L, at_most_int(hints.list), at_most_int(hints.hash));
  keep_table(r);
  if (!is_error)
    return;
  const char *class;
  take_bytes(r, (void *)&class, sizeof class);
  aw_lua_set_error_class(r->L, class);
}

static void push_long_string(reader *r) {
  size_t size;
  take_bytes(r, &size, sizeof size);
  lua_pushlstring(r->L, (const char *)r->at, size);
  r->at += size;
  keep_other(r);
}

static void push_short_string(reader *r) {
  size_t size = *r->at++;
  lua_pushlstring(r->L, (const char *)r->at, size);
  r->at += size;
}

typedef struct block {
  const char *data;
  size_t size;
} block;

/* A lua_Reader. */
static const char *read_block(lua_State *L, void *data, size_t *size) {
  block *b = data;
  const char *text = b->data;
  (void)L;
  *size = b->size;
  *b = (block){NULL, 0};
  return text;
}

static void push_loaded(reader *r) {
  lua_State *L = r->L;
  block b;
  take_bytes(r, &b.size, sizeof b.size);
  b.data = (const char *)r->at;
  r->at += b.size;
  if (lua_load(L, read_block, &b, "=message", "b") != LUA_OK)
    lua_error(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  for (int i = 1; lua_setupvalue(L, -2, i); i++)
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pop(L, 1);
  keep_other(r);
}

static void push_object(reader *r) {
  awio_object object;
  take_bytes(r, &object, sizeof object);
  object.transfer->push(r->L, object.reference);
  keep_other(r);
}

static void push_item_of(reader *r, awio_item item) {
  union {
    lua_Integer integer;
    lua_Number number;
    void *address;
    int64_t known;
  } u;
  switch (item) {
  case AWIO_END:
  case AWIO_KEY:
  case AWIO_NIL: lua_pushnil(r->L); break;
  case AWIO_FALSE: lua_pushboolean(r->L, false); break;
  case AWIO_TRUE: lua_pushboolean(r->L, true); break;
  case AWIO_INTEGER:
    take_bytes(r, &u.integer, sizeof u.integer);
    lua_pushinteger(r->L, u.integer);
    break;
  case AWIO_FLOAT:
    take_bytes(r, &u.number, sizeof u.number);
    lua_pushnumber(r->L, u.number);
    break;
  case AWIO_ADDRESS:
    take_bytes(r, (void *)&u.address, sizeof u.address);
    lua_pushlightuserdata(r->L, u.address);
    break;
  case AWIO_TEXT: push_short_string(r); break;
  case AWIO_STRING: push_long_string(r); break;
  case AWIO_TABLE: push_new_table(r, false); break;
  case AWIO_ERROR: push_new_table(r, true); break;
  case AWIO_FUNCTION: push_loaded(r); break;
  case AWIO_OBJECT: push_object(r); break;
  case AWIO_AGAIN:
    take_bytes(r, &u.known, sizeof u.known);
    push_known(r, u.known);
    break;
  }
}

static inline void push_next(reader *r) {
  awio_item item = (awio_item)*r->at++;
  push_item_of(r, item);
}

static void fill_table(reader *r, lua_Integer number) {
  lua_State *L = r->L;
  lua_Integer index = 0;
  awio_item item;
  push_known(r, number);
  while ((item = (awio_item)*r->at++) != AWIO_END) {
    if (item != AWIO_KEY) {
      push_item_of(r, item);
      lua_rawseti(L, -2, ++index);
      continue;
    }
    push_next(r);
    push_next(r);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
}

int awio_message_push(lua_State *L, const awio_message *m) {
  enum { WORK = 8 };
  luaL_checkstack(L, WORK, NULL);
  luaL_checkstack(L, m->count + WORK, "too many values in a message");
  reader r = {.L = L, .message = m, .at = awio_message_data(m)};
  r.known = lua_gettop(L) + 1;
  r.first = r.known + 1;
  if (m->tables > 1 || m->again)
    lua_createtable(L, at_most_int(m->tables),
                    m->again ? at_most_int(m->others) : 0);
  else
    lua_pushnil(L);
  lua_pushnil(L); /* for the first table */
  for (int i = 0; i < m->count; i++)
    push_next(&r);
  for (size_t i = 1; i <= m->tables; i++)
    fill_table(&r, (lua_Integer)i);
  lua_rotate(L, r.known, -2);
  lua_pop(L, 2);
  return m->count;
}

/* ---- life ---- */

void awio_message_init(awio_message *m) {
  *m = (awio_message){.last_object = AWIO_NOWHERE};
}

void awio_message_release_objects(const awio_message *m,
                                  const unsigned char *data) {
  for (size_t at = m->last_object; at != AWIO_NOWHERE;) {
    awio_object object;
    memcpy((void *)&object, data + at, sizeof object);
    object.transfer->release(object.reference);
    at = object.previous;
  }
}

void awio_message_free(awio_message *m) {
  if (!m)
    return;
  awio_message_release_objects(m, awio_message_data(m));
  aw_free(m);
}
