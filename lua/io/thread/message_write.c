/* message_write.c - writes Lua values into a message
 *
 *     values ─► items ─► tables that they refer to, a queue ─► items ─► …
 *
 * The values are written in a protected call, so that an error frees the memory
 * of C. The call first makes its table of tables, which may run finalizers.
 * After that no code of users runs, so no table changes and no address gets
 * another meaning until all is written. There are two exceptions: the text of a
 * field of an error object, and `take` of a transfer. After one of these, an
 * address that was noted before is valid only if AWIO_TABLES keeps its object
 * alive.
 *
 * Values that are all plain, such as numbers and strings, need no such call:
 * their size is known beforehand.
 *
 * More than 500 lines: a function for each kind of value, and few of them mean
 * anything alone.
 *
 * Neighbours: message_way.c says where a value was found; message.c reads.
 */
#include "thread/message_writer.h"

#include "thread/message.h"

#include <lauxlib.h>

#include <limits.h>

/* ---- memory ---- */

static void no_memory(lua_State *L) {
  lua_pushliteral(L, "not enough memory"); /* Lua has that text already */
  lua_error(L);
}

static const size_t MOST = SIZE_MAX / 2;

static void grow_block(awio_writer *w, size_t more) {
  if (more > MOST - w->head.size)
    no_memory(w->L);
  size_t needed = w->head.size + more, room = 2 * w->room;
  if (room < needed) /* a long string, and little after it */
    room = needed + AWIO_SMALL;
  awio_message *block = aw_reallocate(w->block, sizeof *block + room);
  if (!block && room > needed) {
    room = needed;
    block = aw_reallocate(w->block, sizeof *block + room);
  }
  if (!block)
    no_memory(w->L);
  if (!w->block)
    memcpy(awio_message_data(block), w->data, w->head.size);
  w->block = block;
  w->data = awio_message_data(block);
  w->room = room;
}

/* Return room for `size` more bytes of the message. */
static inline unsigned char *room_for_bytes(awio_writer *w, size_t size) {
  if (w->room - w->head.size < size)
    grow_block(w, size);
  unsigned char *at = w->data + w->head.size;
  w->head.size += size;
  return at;
}

static inline void add_item(awio_writer *w, awio_item item) {
  *room_for_bytes(w, 1) = (unsigned char)item;
}

static inline void add_item_of(awio_writer *w, awio_item item, const void *data,
                               size_t size) {
  unsigned char *at = room_for_bytes(w, 1 + size);
  *at = (unsigned char)item;
  memcpy(at + 1, data, size);
}

/* ---- what was seen ---- */

static awio_seen *cell_of(const awio_writer *w, const void *address) {
  size_t hash = (size_t)((uintptr_t)address >> 3) * (size_t)0x9e3779b97f4a7c15u;
  size_t i = (hash ^ hash >> 29) & (w->seen_size - 1);
  while (w->seen[i].address && w->seen[i].address != address)
    i = (i + 1) & (w->seen_size - 1);
  return &w->seen[i];
}

static void grow_seen(awio_writer *w) {
  awio_seen *old = w->seen;
  size_t old_size = w->seen_size;
  awio_seen *larger = aw_allocate(2 * old_size * sizeof *larger);
  if (!larger)
    no_memory(w->L);
  w->seen = larger;
  w->seen_size = 2 * old_size;
  for (size_t i = 0; i < old_size; i++)
    if (old[i].address)
      *cell_of(w, old[i].address) = old[i];
  if (old != w->few_seen)
    aw_free(old);
}

/* Is the thing at `address` in the message? Then write that. */
static bool add_again(awio_writer *w, const void *address) {
  const awio_seen *cell = cell_of(w, address);
  bool is_other = cell->number < 0;
  bool reliable = cell->kept || -cell->number > w->forgotten;
  if (!cell->address || !reliable)
    return false;
  add_item_of(w, AWIO_AGAIN, &cell->number, sizeof cell->number);
  w->head.again = w->head.again || is_other;
  return true;
}

static void note_seen(awio_writer *w, const void *address, int64_t number,
                      bool kept) {
  if (2 * w->seen_count >= w->seen_size)
    grow_seen(w);
  awio_seen *cell = cell_of(w, address);
  w->seen_count += !cell->address;
  *cell = (awio_seen){address, number, kept};
}

/* The next of the others has this address. */
static void note_other(awio_writer *w, const void *address) {
  note_seen(w, address, -(int64_t)++w->head.others, false);
}

/* Keep the value at `index`, which has that number. */
static void keep_seen(awio_writer *w, int index, int64_t number) {
  note_seen(w, lua_topointer(w->L, index), number, true);
  lua_pushvalue(w->L, index);
  lua_rawseti(w->L, AWIO_TABLES, (lua_Integer)number);
}

/* Code of users has run. */
static void forget_others(awio_writer *w) {
  w->forgotten = (int64_t)w->head.others;
}

/* ---- values that cannot be copied ---- */

static void push_odd_table(lua_State *L, int index) {
  int type = luaL_getmetafield(L, index, "__name");
  if (type == LUA_TSTRING)
    lua_pushfstring(L, "a table of type %s", lua_tostring(L, -1));
  else
    lua_pushliteral(L, "a table with a metatable");
}

static void push_odd_userdata(lua_State *L, int index) {
  lua_pushfstring(L, "an object of type %s", aw_lua_type_name(L, index));
}

static bool is_global_table(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  bool same = lua_rawequal(L, -1, index);
  lua_pop(L, 1);
  return same;
}

/* Does the upvalue with that name, whose value is on top, become the table of
 * globals of the other state? An environment that falls back on another table
 * usually has the globals behind it, as those of test runners do. Any other one
 * would be lost. */
static bool stands_for_globals(lua_State *L, const char *name) {
  bool is_env = strcmp(name, "_ENV") == 0;
  if (!is_env && strcmp(name, "(no name)") != 0)
    return false;
  if (is_global_table(L, -1))
    return true;
  bool falls_back = is_env && lua_istable(L, -1) &&
                    luaL_getmetafield(L, -1, "__index") != LUA_TNIL;
  if (falls_back)
    lua_pop(L, 1);
  return falls_back;
}

/* Return the name of the first upvalue that cannot be copied, or NULL. */
static const char *odd_upvalue(lua_State *L, int function) {
  const char *name;
  for (int i = 1; (name = lua_getupvalue(L, function, i)) != NULL; i++) {
    bool fine = stands_for_globals(L, name);
    lua_pop(L, 1);
    if (!fine)
      return name;
  }
  return NULL;
}

static void push_odd_function(lua_State *L, int index) {
  lua_Debug ar;
  if (lua_iscfunction(L, index)) {
    lua_pushliteral(L, "a C function");
    return;
  }
  lua_pushvalue(L, index);
  lua_getinfo(L, ">S", &ar);
  lua_pushfstring(L, "the function at %s:%d", ar.short_src, ar.linedefined);
}

/* Push why the value at `index` cannot be copied, if its kind does not say. */
static void push_odd_reason(lua_State *L, int index) {
  if (!lua_isfunction(L, index) || lua_iscfunction(L, index)) {
    lua_pushliteral(L, "");
    return;
  }
  const char *name = odd_upvalue(L, index);
  if (strcmp(name, "_ENV") == 0)
    lua_pushliteral(L, ": its _ENV is not the table of globals");
  else
    lua_pushfstring(L,
                    ": it uses the local variable '%s' of the code around it; "
                    "pass that as an argument, or require it inside",
                    name);
}

/* Raise that the value at `index` cannot be copied. */
static void refuse_to_copy(awio_writer *w, int index) {
  lua_State *L = w->L;
  switch (lua_type(L, index)) {
  case LUA_TTABLE: push_odd_table(L, index); break;
  case LUA_TFUNCTION: push_odd_function(L, index); break;
  case LUA_TUSERDATA: push_odd_userdata(L, index); break;
  default: lua_pushliteral(L, "a coroutine");
  }
  awio_message_push_way(w);
  push_odd_reason(L, index);
  lua_pushfstring(L, "cannot copy %s (%s)%s", lua_tostring(L, -3),
                  lua_tostring(L, -2), lua_tostring(L, -1));
  w->failed = true;
  lua_error(L);
}

/* (value) → its text. */
static int text_of_odd(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

static void add_string(awio_writer *w, int index);

static void add_odd(awio_writer *w, int index) {
  lua_State *L = w->L;
  if (!w->lenient)
    refuse_to_copy(w, index);
  lua_pushcfunction(L, text_of_odd);
  lua_pushvalue(L, index);
  int status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != LUA_OK)
    lua_pushstring(L, luaL_typename(L, index));
  forget_others(w);
  add_string(w, lua_gettop(L));
  forget_others(w); /* nobody keeps that string */
}

/* ---- values ---- */

static void add_string(awio_writer *w, int index) {
  size_t size;
  const char *text = lua_tolstring(w->L, index, &size);
  if (size <= AWIO_LONGEST_TEXT) {
    unsigned char *at = room_for_bytes(w, 2 + size);
    at[0] = AWIO_TEXT;
    at[1] = (unsigned char)size;
    memcpy(at + 2, text, size);
    return;
  }
  if (add_again(w, text))
    return;
  add_item_of(w, AWIO_STRING, &size, sizeof size);
  memcpy(room_for_bytes(w, size), text, size);
  note_other(w, text);
}

static void add_number(awio_writer *w, int index) {
  if (lua_isinteger(w->L, index)) {
    lua_Integer integer = lua_tointeger(w->L, index);
    add_item_of(w, AWIO_INTEGER, &integer, sizeof integer);
  } else {
    lua_Number number = lua_tonumber(w->L, index);
    add_item_of(w, AWIO_FLOAT, &number, sizeof number);
  }
}

/* A lua_Writer. */
static int add_dumped(lua_State *L, const void *data, size_t size,
                      void *writer) {
  (void)L;
  if (size > 0)
    memcpy(room_for_bytes(writer, size), data, size);
  return 0;
}

static void add_code(awio_writer *w, int index) {
  lua_State *L = w->L;
  const void *address = lua_topointer(L, index);
  if (lua_iscfunction(L, index) || odd_upvalue(L, index)) {
    add_odd(w, index);
    return;
  }
  if (add_again(w, address))
    return;
  size_t size = 0;
  add_item_of(w, AWIO_FUNCTION, &size, sizeof size);
  size_t begin = w->head.size;
  lua_pushvalue(L, index);
  lua_dump(L, add_dumped, w, false);
  lua_pop(L, 1);
  size = w->head.size - begin;
  memcpy(w->data + begin - sizeof size, &size, sizeof size);
  note_other(w, address);
}

static awio_writing *add_writing(awio_writer *w) {
  if (w->head.tables == w->writings_room) {
    size_t room = 2 * w->writings_room;
    awio_writing *old = w->writings == w->few_writings ? NULL : w->writings;
    awio_writing *larger = aw_reallocate(old, room * sizeof *larger);
    if (!larger)
      no_memory(w->L);
    if (!old)
      memcpy(larger, w->few_writings, sizeof w->few_writings);
    w->writings = larger;
    w->writings_room = room;
  }
  return &w->writings[w->head.tables++];
}

static void add_table(awio_writer *w, int index) {
  static const awio_hints later;
  lua_State *L = w->L;
  const void *address = lua_topointer(L, index);
  if (add_again(w, address))
    return;
  const char *class = NULL;
  if (lua_getmetatable(L, index)) {
    lua_pop(L, 1);
    class = aw_lua_error_class(L, index);
    if (!class) {
      add_odd(w, index);
      return;
    }
  }
  add_item_of(w, class ? AWIO_ERROR : AWIO_TABLE, &later, sizeof later);
  awio_writing *writing = add_writing(w);
  *writing = (awio_writing){.parent = w->table,
                            .value = w->value,
                            .hints = w->head.size - sizeof later,
                            .lenient = w->lenient || class};
  if (class)
    memcpy(room_for_bytes(w, sizeof class), (const void *)&class, sizeof class);
  keep_seen(w, index, (int64_t)w->head.tables);
}

/* (value) → light userdata of a reference to its thing. */
static int take_reference(lua_State *L) {
  const aw_lua_transfer *transfer = aw_lua_find_transfer(L, 1);
  lua_pushlightuserdata(L, transfer->take(L, 1));
  return 1;
}

/* Returns false if an object of an error cannot travel now. */
static bool get_reference(awio_writer *w, int index, awio_object *object) {
  lua_State *L = w->L;
  if (!w->lenient) {
    object->reference = object->transfer->take(L, index);
    return true;
  }
  lua_pushcfunction(L, take_reference);
  lua_pushvalue(L, index);
  int status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  object->reference = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return status == LUA_OK;
}

static void add_object(awio_writer *w, int index) {
  lua_State *L = w->L;
  const void *address = lua_topointer(L, index);
  if (add_again(w, address))
    return;
  const aw_lua_transfer *transfer = aw_lua_find_transfer(L, index);
  if (!transfer) {
    add_odd(w, index);
    return;
  }
  awio_object object = {.transfer = transfer, .previous = w->head.last_object};
  add_item_of(w, AWIO_OBJECT, (const void *)&object, sizeof object);
  size_t at = w->head.size - sizeof object;
  if (!get_reference(w, index, &object)) {
    w->head.size = at - 1;
    add_odd(w, index);
    return;
  }
  memcpy(w->data + at, (const void *)&object, sizeof object);
  w->head.last_object = at;
  forget_others(w);
  keep_seen(w, index, -(int64_t)++w->head.others);
}

static void add_value(awio_writer *w, int index) {
  lua_State *L = w->L;
  switch (lua_type(L, index)) {
  case LUA_TNIL: add_item(w, AWIO_NIL); break;
  case LUA_TBOOLEAN:
    add_item(w, lua_toboolean(L, index) ? AWIO_TRUE : AWIO_FALSE);
    break;
  case LUA_TNUMBER: add_number(w, index); break;
  case LUA_TSTRING: add_string(w, index); break;
  case LUA_TLIGHTUSERDATA: {
    void *address = lua_touserdata(L, index);
    add_item_of(w, AWIO_ADDRESS, (const void *)&address, sizeof address);
    break;
  }
  case LUA_TTABLE: add_table(w, index); break;
  case LUA_TFUNCTION: add_code(w, index); break;
  case LUA_TUSERDATA: add_object(w, index); break;
  default: add_odd(w, index);
  }
}

/* ---- tables ---- */

/* What a table has: entries at 1, 2, … in that order; others at integers up to
 * its length; all others. */
typedef struct content {
  lua_Unsigned length, in_order, within, others;
} content;

/* How much room to make. A list with a few holes keeps its length: that room is
 * what the constructor has made for it. */
static awio_hints hints_for(const content *c) {
  enum { FEW = 256 };
  bool is_list = c->length / 4 <= c->in_order + c->within + FEW / 4;
  lua_Unsigned list = is_list ? c->length : c->in_order;
  lua_Unsigned hash = c->others + (is_list ? 0 : c->within);
  return (awio_hints){list < UINT32_MAX ? (uint32_t)list : UINT32_MAX,
                      hash < UINT32_MAX ? (uint32_t)hash : UINT32_MAX};
}

static void add_key(awio_writer *w, int key, content *c) {
  add_item(w, AWIO_KEY);
  w->in_key = true;
  add_value(w, key);
  w->in_key = false;
  bool within = lua_isinteger(w->L, key) &&
                (lua_Unsigned)lua_tointeger(w->L, key) - 1 < c->length;
  if (within)
    c->within++;
  else
    c->others++;
}

static void add_entries(awio_writer *w, content *c) {
  lua_State *L = w->L;
  int table = w->base + AWIO_TABLE_AT, key = w->base + AWIO_KEY_AT;
  for (lua_pushnil(L); lua_next(L, table) != 0; lua_settop(L, key)) {
    if (lua_isinteger(L, key) &&
        lua_tointeger(L, key) == (lua_Integer)(c->in_order + 1))
      c->in_order++;
    else
      add_key(w, key, c);
    add_value(w, w->base + AWIO_VALUE_AT);
  }
  add_item(w, AWIO_END);
}

static void add_content(awio_writer *w, size_t number) {
  lua_rawgeti(w->L, AWIO_TABLES, (lua_Integer)number);
  w->table = number;
  w->lenient = w->writings[number - 1].lenient;
  content c = {.length = lua_rawlen(w->L, -1)};
  add_entries(w, &c);
  awio_hints hints = hints_for(&c);
  memcpy(w->data + w->writings[number - 1].hints, &hints, sizeof hints);
  lua_settop(w->L, w->base);
}

/* (light awio_writer, nil, values …): write all of them. */
static int write_values(lua_State *L) {
  enum { WORK = 20 };
  awio_writer *w = lua_touserdata(L, AWIO_WRITER);
  w->L = L;
  w->base = lua_gettop(L);
  luaL_checkstack(L, WORK, NULL);
  lua_newtable(L);
  lua_replace(L, AWIO_TABLES);
  for (int i = AWIO_FIRST; i <= w->base; i++) {
    w->value = i - AWIO_FIRST;
    add_value(w, i);
    lua_settop(L, w->base);
  }
  for (size_t i = 1; i <= w->head.tables; i++)
    add_content(w, i);
  return 0;
}

/* ---- the message ---- */

static void discard_writer(awio_writer *w) {
  if (w->seen != w->few_seen)
    aw_free(w->seen);
  if (w->writings != w->few_writings)
    aw_free(w->writings);
}

/* Give back what is not needed. */
static awio_message *shrink(awio_message *m, size_t size, size_t room) {
  if (room - size <= size / 8)
    return m;
  awio_message *smaller = aw_reallocate(m, sizeof *m + size);
  return smaller ? smaller : m;
}

/* Returns NULL without memory. */
static awio_message *finish_message(awio_writer *w) {
  size_t size = w->head.size;
  awio_message *m = w->block;
  if (m) {
    m = shrink(m, size, w->room);
  } else {
    m = aw_reallocate(NULL, sizeof *m + size);
    if (!m)
      return NULL;
    memcpy(awio_message_data(m), w->data, size);
  }
  *m = w->head;
  return m;
}

static void begin_message(awio_writer *w, int count) {
  w->data = w->small;
  w->room = sizeof w->small;
  w->block = NULL;
  w->writings = w->few_writings;
  w->writings_room = AWIO_FEW_TABLES;
  w->seen = w->few_seen;
  w->seen_size = AWIO_FEW_SEEN;
  w->seen_count = 0;
  w->forgotten = 0;
  w->table = 0;
  w->value = 0;
  w->lenient = w->in_key = w->failed = false;
  memset(w->few_seen, 0, sizeof w->few_seen);
  awio_message_init(&w->head);
  w->head.count = count;
}

/* Returns NULL, and pushes an error. */
static awio_message *write_protected(lua_State *L, awio_writer *w, int first) {
  enum { OWN = 3 };
  int count = w->head.count;
  if (!lua_checkstack(L, count + OWN)) {
    lua_pushliteral(L, "not enough memory");
    return NULL;
  }
  lua_pushcfunction(L, write_values);
  lua_pushlightuserdata(L, w);
  lua_pushnil(L);
  for (int i = 0; i < count; i++)
    lua_pushvalue(L, first + i);
  int status = lua_pcall(L, count + 2, 0, 0);
  awio_message *m = status == LUA_OK ? finish_message(w) : NULL;
  if (!m) {
    awio_message_release_objects(&w->head, w->data);
    aw_free(w->block);
  }
  if (!m && status == LUA_OK)
    lua_pushliteral(L, "not enough memory");
  discard_writer(w);
  return m;
}

/* ---- plain values ---- */

/* The size of the item of a plain value; 0: it is not plain. */
static size_t plain_size(lua_State *L, int index) {
  size_t size;
  switch (lua_type(L, index)) {
  case LUA_TNIL:
  case LUA_TBOOLEAN: return 1;
  case LUA_TNUMBER:
    return 1 + (sizeof(lua_Integer) > sizeof(lua_Number) ? sizeof(lua_Integer)
                                                         : sizeof(lua_Number));
  case LUA_TLIGHTUSERDATA: return 1 + sizeof(void *);
  case LUA_TSTRING:
    lua_tolstring(L, index, &size);
    return 1 + sizeof size + size;
  default: return 0;
  }
}

enum { MOST_PLAIN = AWIO_FEW_SEEN / 2 }; /* so that `seen` does not grow */

/* Returns the most bytes that the values need; 0: not all are plain. */
static size_t size_of_plain(lua_State *L, int first, int count) {
  size_t sum = 0;
  if (count > MOST_PLAIN)
    return 0;
  for (int i = 0; i < count; i++) {
    size_t size = plain_size(L, first + i);
    if (size == 0 || size > MOST - sum)
      return 0;
    sum += size;
  }
  return sum;
}

/* As write_protected(), for plain values: nothing here raises. */
static awio_message *write_plain_values(lua_State *L, awio_writer *w, int first,
                                        size_t most) {
  w->L = L;
  if (most > w->room) {
    w->block = aw_reallocate(NULL, sizeof *w->block + most);
    if (!w->block)
      return NULL;
    w->data = awio_message_data(w->block);
    w->room = most;
  }
  for (int i = 0; i < w->head.count; i++)
    add_value(w, first + i);
  return finish_message(w);
}

/* ---- for others ---- */

awio_message *awio_message_new(lua_State *L, int first, int count,
                               const char *what, int number) {
  awio_writer w;
  begin_message(&w, count);
  w.what = what;
  w.number = number;
  first = lua_absindex(L, first);
  size_t plain = size_of_plain(L, first, count);
  awio_message *m;
  if (plain > 0 || count == 0) {
    m = write_plain_values(L, &w, first, plain);
    if (!m)
      no_memory(L);
    return m;
  }
  m = write_protected(L, &w, first);
  if (!m && w.failed)
    aw_lua_error(L, "%s", lua_tostring(L, -1));
  if (!m)
    lua_error(L);
  return m;
}

awio_message *awio_message_of_error(lua_State *L, int index) {
  awio_writer w;
  begin_message(&w, 1);
  w.lenient = true;
  int top = lua_gettop(L);
  index = lua_absindex(L, index);
  if (!lua_checkstack(L, 1))
    return NULL;
  awio_message *m = write_protected(L, &w, index);
  if (!m && lua_type(L, -1) == LUA_TSTRING) { /* why there is none */
    begin_message(&w, 1);
    m = write_plain_values(L, &w, lua_gettop(L), size_of_plain(L, top + 1, 1));
  }
  lua_settop(L, top);
  return m;
}
