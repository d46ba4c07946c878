/* message_test.c - copies of Lua values for other states [J10] [J11] [J12]
 *
 * A script makes random values from a seed. Both states have the script, so the
 * receiver can compare a copy with the value itself, made anew.
 */
#include "check.h"

#include "alloc_failing.h"
#include "state.h"
#include "thread/message.h"

#include <lauxlib.h>
#include <lualib.h>

#include <pthread.h>

/* ---- states ---- */

static const char SCRIPT[] =
    "local random = math.random\n"
    "local specials = { 0, -0.0, 1/0, -1/0, 0/0, math.mininteger,\n"
    "  math.maxinteger, 1, -1, 2^53, 0.1, true, false, '', '\\0', 'a\\0b',\n"
    "  ('x'):rep(39), ('x'):rep(40), ('x'):rep(41), ('\\0y'):rep(3000) }\n"
    "local chunks = { function() return 7 end,\n"
    "  function(x) return x, _ENV.string end,\n"
    "  load('return ...', '=none'), load('return print', '@some/file.lua') }\n"
    "local function text()\n"
    "  local bytes = {}\n"
    "  for i = 1, random(0, 90) do bytes[i] = string.char(random(0, 255)) end\n"
    "  return table.concat(bytes)\n"
    "end\n"
    "local value\n"
    "local function fill(t, pool, budget)\n"
    "  for i = 1, random(0, 9) do\n"
    "    if random(8) > 1 then t[i] = value(pool, budget) end\n"
    "  end\n"
    "  for _ = 1, random(0, 6) do\n"
    "    local k = value(pool, budget)\n"
    "    if k ~= nil and k == k then t[k] = value(pool, budget) end\n"
    "  end\n"
    "  return t\n"
    "end\n"
    "function value(pool, budget)\n"
    "  local kind = random(12)\n"
    "  budget[1] = budget[1] - 1\n"
    "  if kind == 1 then return nil end\n"
    "  if kind == 2 then return random(-5, 5) end\n"
    "  if kind == 3 then return random() end\n"
    "  if kind <= 5 then return specials[random(#specials)] end\n"
    "  if kind <= 7 then return text() end\n"
    "  if kind <= 9 and #pool > 0 then return pool[random(#pool)] end\n"
    "  if kind == 10 then return chunks[random(#chunks)] end\n"
    "  if budget[1] < 0 then return 0 end\n"
    "  local t = { id = #pool + 1000 }\n"
    "  pool[#pool + 1] = t\n"
    "  return fill(t, pool, budget)\n"
    "end\n"
    "function generate(seed)\n"
    "  math.randomseed(seed)\n"
    "  local pool, list = {}, { n = random(0, 12) }\n"
    "  for i = 1, list.n do\n"
    "    list[i] = value(pool, { random(0, 60) })\n"
    "  end\n"
    "  return table.unpack(list, 1, list.n)\n"
    "end\n"
    /* Is b to its parts as a is to its own? `seen` maps one to the other. */
    "local same\n"
    /* Tables have an id, and each function has code of its own. */
    "local function id_of(k)\n"
    "  return type(k) == 'table' and k.id or\n"
    "    type(k) == 'function' and string.dump(k) or nil\n"
    "end\n"
    "local function same_table(a, b, seen)\n"
    "  seen[a], seen[b] = b, a\n"
    "  local count, keys = 0, {}\n"
    "  for k in next, b do\n"
    "    count = count + 1\n"
    "    if id_of(k) then keys[id_of(k)] = k end\n"
    "  end\n"
    "  for k, v in next, a do\n"
    "    count = count - 1\n"
    "    local other = k\n"
    "    if id_of(k) then\n"
    "      other = keys[id_of(k)]\n"
    "      if not same(k, other, seen) then return false end\n"
    "    end\n"
    "    if not same(v, b[other], seen) then return false end\n"
    "  end\n"
    "  return count == 0\n"
    "end\n"
    "function same(a, b, seen)\n"
    "  if type(a) ~= type(b) then return false end\n"
    "  if math.type(a) == 'float' then\n"
    "    return string.pack('n', a) == string.pack('n', b) and\n"
    "      math.type(b) == 'float'\n"
    "  end\n"
    "  if type(a) == 'table' then\n"
    "    if seen[a] or seen[b] then return seen[a] == b end\n"
    "    return same_table(a, b, seen)\n"
    "  end\n"
    "  if type(a) == 'function' then\n"
    "    if seen[a] or seen[b] then return seen[a] == b end\n"
    "    seen[a], seen[b] = b, a\n"
    "    return string.dump(a) == string.dump(b)\n"
    "  end\n"
    "  return rawequal(a, b) and math.type(a) == math.type(b)\n"
    "end\n"
    "function check(seed, ...)\n"
    "  local own, got = table.pack(generate(seed)), table.pack(...)\n"
    "  assert(own.n == got.n)\n"
    "  local seen = {}\n"
    "  for i = 1, own.n do\n"
    "    assert(same(own[i], got[i], seen), 'seed ' .. seed .. ' value ' .. i "
    "..\n"
    "      ' ' .. tostring(own[i]) .. ' ' .. tostring(got[i]))\n"
    "  end\n"
    "end\n";

static void run(lua_State *L, const char *text) {
  bool well = luaL_dostring(L, text) == LUA_OK;
  if (!well)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(well);
}

static void prepare(lua_State *L) {
  luaL_openlibs(L);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  lua_setglobal(L, "aw");
  run(L, SCRIPT);
  lua_settop(L, 0);
}

static lua_State *open(void) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  prepare(L);
  return L;
}

/* Copy the values on the stack of L; the stack is empty after that. */
static awio_message *copy_all(lua_State *L) {
  awio_message *m = awio_message_new(L, 1, lua_gettop(L), "argument", 1);
  lua_settop(L, 0);
  return m;
}

/* Run `text` in L, with its results on the stack. */
static void results_of(lua_State *L, const char *text) {
  CHECK(luaL_loadstring(L, text) == LUA_OK);
  CHECK(lua_pcall(L, 0, LUA_MULTRET, 0) == LUA_OK);
}

/* ---- random values ---- */

static void generate(lua_State *L, int seed) {
  lua_getglobal(L, "generate");
  lua_pushinteger(L, seed);
  lua_call(L, 1, LUA_MULTRET);
}

static void check_copy(lua_State *L, int seed, const awio_message *m) {
  lua_getglobal(L, "check");
  lua_pushinteger(L, seed);
  int count = awio_message_push(L, m);
  bool well = lua_pcall(L, 1 + count, 0, 0) == LUA_OK;
  if (!well)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(well);
  CHECK(lua_gettop(L) == 0);
}

static void random_values_survive(void) {
  enum { SEEDS = 3000 };
  lua_State *A = open(), *B = open();
  for (int seed = 1; seed <= SEEDS; seed++) {
    generate(A, seed);
    awio_message *m = copy_all(A);
    check_copy(B, seed, m);
    check_copy(A, seed, m);
    awio_message_push(B, m);
    awio_message_free(m);
    m = copy_all(B);
    check_copy(A, seed, m);
    awio_message_free(m);
  }
  lua_close(A);
  lua_close(B);
}

/* ---- what is kept ---- */

/* Copy the results of `text` to another state, as arguments of `claim`. */
static void claim_copy(const char *text, const char *claim) {
  lua_State *A = open(), *B = open();
  results_of(A, text);
  awio_message *m = copy_all(A);
  lua_close(A);
  CHECK(luaL_loadstring(B, claim) == LUA_OK);
  int count = awio_message_push(B, m);
  awio_message_free(m);
  bool well = lua_pcall(B, count, 1, 0) == LUA_OK && lua_toboolean(B, -1);
  if (!well)
    fprintf(stderr, "%s: %s: %s\n", text, claim, lua_tostring(B, -1));
  CHECK(well);
  lua_close(B);
}

static void keeps_what_values_are(void) {
  claim_copy("return", "return select('#', ...) == 0");
  claim_copy("return nil, 1, nil",
             "return select('#', ...) == 3 and select(2, ...) == 1");
  claim_copy("local t = {} t.t = t return t, t",
             "local a, b = ... return a == b and a.t == a");
  claim_copy("local s = ('x'):rep(1e6) return {s, s, [s] = s}",
             "local t = ... return t[t[1]] == t[2] and #t[2] == 1e6");
  claim_copy("return {1, nil, 3}, {nil, nil, nil, 4}",
             "local a, b = ... return #a == 3 and #b == 4 and not b[1]");
  claim_copy("local t = {} for i = 1, 1e5 do t[i] = i end return t",
             "local t = ... return #t == 1e5 and t[77777] == 77777");
  claim_copy("local function f() return f2 end return f, {f}, {[f] = f}",
             "local f, t, u = ... return f == t[1] and u[f] == f");
}

static void functions_use_the_globals_there(void) {
  claim_copy("mine = 1 return function() return mine end",
             "mine = 2 return (...)() == 2");
  claim_copy("local own = setmetatable({mine = 3}, {__index = _G})\n"
             "return load('return mine', 'own', 't', own)",
             "mine = 2 return (...)() == 2");
  claim_copy("return load('error(\"here\")', '@some/file.lua')",
             "local ok, e = pcall(...) return e == 'some/file.lua:1: here'");
  claim_copy("return load('local a = 1\\n\\nerror(a .. 2)', '=x')",
             "local ok, e = pcall(...) return e == 'x:3: 12'");
  claim_copy("return load(string.dump(function() return mine end, true))",
             "mine = 3 return (...)() == 3");
}

static void deep_tables_need_no_stack(void) {
  claim_copy("local t = {} for i = 1, 1e6 do t = {t} end return t",
             "local t, n = ..., 0 while t[1] do t = t[1] n = n + 1 end "
             "return n == 1e6");
  claim_copy("local t = {} for i = 1, 1e5 do t = {[t] = i} end return t",
             "local t, n = ..., 0 while next(t) do t = next(t) n = n + 1 end "
             "return n == 1e5");
}

static void error_objects_keep_their_class(void) {
  claim_copy("local _, e = pcall(aw.run, function()\n"
             "  aw.fs.open('/no/such/file') end) return e",
             "local e = ... return aw.is_system_error(e) and "
             "e.code == 'ENOENT' and e.about == '/no/such/file'");
  claim_copy("local e\n"
             "aw.run(aw.Sleep(1):timeout(0.001):catch(function(t) e = t end))\n"
             "return e",
             "local e = ... return aw.is_timeout(e) and e.after == 0.001 and "
             "type(e.wire) == 'string' and tostring(e):find('timeout')");
}

/* ---- what cannot be copied ---- */

/* (first, values …): copy the values. */
static int copy(lua_State *L) {
  awio_message_free(
      awio_message_new(L, 2, lua_gettop(L) - 1, lua_tostring(L, 1), 1));
  return 0;
}

static void check_refused(const char *values, const char *text) {
  lua_State *L = open();
  lua_register(L, "copy", copy);
  lua_pushfstring(L, "%s\nlocal ok, e = pcall(copy, 'argument', f())\nreturn e",
                  values);
  bool loads = luaL_loadbuffer(L, lua_tostring(L, -1), lua_rawlen(L, -1),
                               "=test") == LUA_OK;
  if (!loads)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(loads);
  CHECK(lua_pcall(L, 0, 1, 0) == LUA_OK);
  if (strcmp(lua_tostring(L, -1), text) != 0)
    fprintf(stderr, "%s\n%s\n", text, lua_tostring(L, -1));
  CHECK(strcmp(lua_tostring(L, -1), text) == 0);
  lua_close(L);
}

static void says_what_cannot_be_copied_and_where(void) {
  check_refused("function f() return 1, coroutine.create(print) end",
                "test:2: cannot copy a coroutine (argument 2)");
  check_refused("function f() return {x = {1, 2, {y = print}}} end",
                "test:2: cannot copy a C function "
                "(argument 1, field 'x[3].y')");
  check_refused("function f() return 1, {['a b'] = io.stdout} end",
                "test:2: cannot copy an object of type FILE* "
                "(argument 2, field '[\"a b\"]')");
  check_refused("function f() return {[2.5] = setmetatable({}, {})} end",
                "test:2: cannot copy a table with a metatable "
                "(argument 1, field '[2.5]')");
  check_refused("function f() return {{[print] = 1}} end",
                "test:2: cannot copy a C function "
                "(argument 1, field '[1][a key]')");
  check_refused("local n function f() return {g = function() n = 1 end} end",
                "test:2: cannot copy the function at test:1 "
                "(argument 1, field 'g'): it uses the local variable 'n' of "
                "the code around it; pass that as an argument, or require it "
                "inside");
}

/* Its text changes the error while that is copied. */
static void an_odd_error_becomes_another(void) {
  lua_State *A = open(), *B = open();
  results_of(A, "local e = {}\n"
                "for i = 1, 20 do\n"
                "  e[i] = setmetatable({}, {__tostring = function()\n"
                "    for k in pairs(e) do e[k] = nil end\n"
                "    for n = 1, 100 do e[n .. 'x' .. i] = 1 end\n"
                "    return 'text' end})\n"
                "end\n"
                "return e");
  awio_message *m = awio_message_of_error(A, -1);
  CHECK(m && awio_message_push(B, m) == 1);
  CHECK(lua_istable(B, -1) || lua_type(B, -1) == LUA_TSTRING);
  awio_message_free(m);
  lua_close(A);
  lua_close(B);
}

/* ---- objects of C [J13] ---- */

static int things; /* references */

static void *take_thing(lua_State *L, int index) {
  if (lua_touserdata(L, index) == NULL)
    luaL_error(L, "no thing");
  if (lua_getiuservalue(L, index, 1) == LUA_TBOOLEAN)
    luaL_error(L, "the thing is closed");
  lua_pop(L, 1);
  things++;
  return &things;
}

static void release_thing(void *reference) {
  CHECK(reference == &things);
  CHECK(things-- > 0);
}

static void push_thing(lua_State *L, void *reference);

static const aw_lua_transfer of_things = {
    .take = take_thing, .push = push_thing, .release = release_thing};

static int thing_gc(lua_State *L) {
  release_thing(*(void **)lua_touserdata(L, 1));
  return 0;
}

/* (closed): a thing. */
static int new_thing(lua_State *L) {
  bool closed = lua_toboolean(L, 1);
  push_thing(L, &things);
  if (closed) {
    lua_pushboolean(L, true);
    lua_setiuservalue(L, -2, 1);
  }
  return 1;
}

static void push_thing(lua_State *L, void *reference) {
  void **object = lua_newuserdatauv(L, sizeof *object, 1);
  *object = reference;
  if (luaL_newmetatable(L, "thing")) {
    aw_lua_add_transfer(L, -1, &of_things);
    lua_pushcfunction(L, thing_gc);
    lua_setfield(L, -2, "__gc");
  }
  things++;
  lua_setmetatable(L, -2);
}

static void objects_travel(void) {
  lua_State *A = open(), *B = open();
  lua_register(A, "thing", new_thing);
  results_of(A, "local t = thing() return {t, x = {[t] = t}}, t, thing()");
  CHECK(things == 2);
  awio_message *m = copy_all(A);
  CHECK(things == 4);
  lua_close(A);
  CHECK(things == 2); /* those of the message */
  for (int i = 0; i < 2; i++) {
    CHECK(luaL_loadstring(B, "local t, a, b = ... return a ~= b and t[1] == a "
                             "and t.x[a] == a") == LUA_OK);
    CHECK(awio_message_push(B, m) == 3);
    CHECK(lua_pcall(B, 3, 1, 0) == LUA_OK && lua_toboolean(B, -1));
    CHECK(things == 4 + 2 * i);
  }
  awio_message_free(m);
  lua_close(B);
  CHECK(things == 0);
}

static int copy(lua_State *L);

static void objects_may_refuse(void) {
  lua_State *A = open();
  lua_register(A, "thing", new_thing);
  lua_register(A, "copy", copy);
  results_of(A, "local ok, e = pcall(copy, 'argument', {thing(), "
                "thing(true)}) return e");
  CHECK(strcmp(lua_tostring(A, -1), "the thing is closed") == 0);
  CHECK(things == 2); /* the first was let go again */
  results_of(A, "return {thing(), thing(true)}");
  awio_message *m = awio_message_of_error(A, -1);
  CHECK(m && things == 5);
  awio_message_push(A, m);
  lua_rawgeti(A, -1, 2);
  CHECK(strncmp(lua_tostring(A, -1), "thing: 0x", 9) == 0);
  lua_close(A);
  awio_message_free(m);
  CHECK(things == 0);
}

/* ---- two threads ---- */

enum { TURNS = 300 };

/* A place for one message: a thread waits until the other has used it. */
static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  awio_message *message;
} letter = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .changed = PTHREAD_COND_INITIALIZER};

static void put_letter(awio_message *m) {
  pthread_mutex_lock(&letter.lock);
  while (letter.message)
    pthread_cond_wait(&letter.changed, &letter.lock);
  letter.message = m;
  pthread_cond_broadcast(&letter.changed);
  pthread_mutex_unlock(&letter.lock);
}

static awio_message *take_letter(void) {
  pthread_mutex_lock(&letter.lock);
  while (!letter.message)
    pthread_cond_wait(&letter.changed, &letter.lock);
  awio_message *m = letter.message;
  letter.message = NULL;
  pthread_cond_broadcast(&letter.changed);
  pthread_mutex_unlock(&letter.lock);
  return m;
}

static void *receive_letters(void *data) {
  lua_State *L = open();
  (void)data;
  for (int seed = 1; seed <= TURNS; seed++) {
    awio_message *m = take_letter();
    check_copy(L, seed, m);
    awio_message_free(m);
  }
  lua_close(L);
  return NULL;
}

static void messages_go_between_threads(void) {
  lua_State *L = open();
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, receive_letters, NULL) == 0);
  for (int seed = 1; seed <= TURNS; seed++) {
    generate(L, seed);
    put_letter(copy_all(L));
  }
  lua_close(L);
  CHECK(pthread_join(thread, NULL) == 0);
}

/* ---- out of memory ---- */

typedef struct trip {
  lua_State *to;
  awio_message *message;
} trip;

/* (light trip, values …) */
static int pack(lua_State *L) {
  trip *t = lua_touserdata(L, 1);
  t->message = awio_message_new(L, 2, lua_gettop(L) - 1, "argument", 1);
  return 0;
}

static int unpack(lua_State *L) {
  const trip *t = lua_touserdata(L, 1);
  return awio_message_push(L, t->message);
}

/* Call `f` with the values on the stack, and clear it. Returns false if a
 * request for memory failed. */
static bool try(lua_State *L, lua_CFunction f, trip *t) {
  lua_pushcfunction(L, f);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, t);
  lua_insert(L, 2);
  memory.armed = true;
  int status = lua_pcall(L, lua_gettop(L) - 1, 0, 0);
  memory.armed = false;
  CHECK(status == LUA_OK ||
        strcmp(lua_tostring(L, -1), "not enough memory") == 0);
  CHECK(status == LUA_OK || memory.failures > 0);
  lua_settop(L, 0);
  return status == LUA_OK;
}

/* Of errors, the first request fails that leaves no text of them. */
static void try_error(lua_State *A, trip *t) {
  results_of(A, "return odd()");
  memory.armed = true;
  t->message = awio_message_of_error(A, -1);
  memory.armed = false;
  CHECK(t->message || memory.failures > 0);
  lua_settop(A, 0);
}

static bool make_trip(mode how, size_t at, const char *values) {
  memset(&memory, 0, sizeof memory);
  lua_State *A = new_state(lua_alloc), *B = new_state(lua_alloc);
  prepare(A);
  prepare(B);
  run(A, "function odd() return setmetatable({}, {__tostring = function() "
         "return ('x'):rep(100) end}) end");
  memory.mode = how;
  memory.fail_at = at;
  lua_register(A, "thing", new_thing);
  trip t = {.to = B};
  if (values) {
    results_of(A, values);
    try(A, pack, &t);
  } else {
    try_error(A, &t);
  }
  if (t.message)
    try(B, unpack, &t);
  awio_message_free(t.message);
  lua_close(A);
  lua_close(B);
  CHECK(all_is_freed() && things == 0);
  return memory.failures > 0;
}

static void lack_of_memory_leaks_nothing(void) {
  static const char *const values[] = {
      "return 1, 'x', ('x'):rep(1000)",
      "return {1, {2, x = {}}, ('x'):rep(1000)}, function() return x end",
      "local s = ('x'):rep(99) return {s, s, {s}, {{}, {{}, {}}}}",
      "local t = {} for i = 1, 40 do t[i] = {('x'):rep(60 + i)} end return t",
      ("local _, e = pcall(aw.run, function() aw.fs.open('/no/such') end)"
       " e.odd = {odd()} return e, {e}"),
      "return {thing(), {thing()}}",
      "local ok, ctx = pcall(aw.zmq.context) return ok and {ctx, {ctx}}",
      NULL};
  size_t count = sizeof values / sizeof *values;
  for (size_t i = 0; i < count; i++)
    for (int how = 0; how < MODES; how++)
      for (size_t at = 1; make_trip((mode)how, at, values[i]);)
        at += 1 + at / 30; /* skip some if there are many */
}

int main(void) {
  messages_go_between_threads(); /* the allocator is for one thread */
  random_values_survive();
  keeps_what_values_are();
  functions_use_the_globals_there();
  deep_tables_need_no_stack();
  error_objects_keep_their_class();
  says_what_cannot_be_copied_and_where();
  an_odd_error_becomes_another();
  objects_travel();
  objects_may_refuse();
  aw_set_allocator(own_alloc, NULL); /* nothing is left of the library */
  lack_of_memory_leaks_nothing();
  return 0;
}
