/* traceback.c - the text of a stack [E2]
 *
 * A traceback is Lua's own text with two differences: levels of the binding are
 * left out, and a function of a loaded library has its full name. Almost every
 * error that is raised in a body gets a traceback, even if the body catches the
 * error. So speed matters. The slowest steps:
 *
 * - To ask Lua for the name that the caller uses for a function. It is left out
 *   if the function's name in a library is known.
 * - To make the text. A program raises most of its errors from few places, so
 *   recent texts are kept, and their errors share them (record.c). A text is
 *   found by its *trace*: for each level the numbers, addresses and names that
 *   the text is made of. A trace holds copies and refers to no function. A new
 *   text takes the place of an older one, so the memory is bounded.
 *
 * Most often all of this is spared, since the stack was seen shortly before
 * (seen_stack.c).
 *
 * Neighbours: frames.c keeps stacks raw, and makes their text later.
 */
#include "errors/traceback.h"

#include "base/location.h"
#include "errors/record.h"
#include "errors/seen_stack.h"

#include <stddef.h>
#include <string.h>

enum { MOST_LEVELS = 22 };

static void add_quoted(luaL_Buffer *b, const char *what, const char *name) {
  luaL_addstring(b, what);
  luaL_addlstring(b, " '", 2);
  luaL_addstring(b, name);
  luaL_addchar(b, '\'');
}

/* Write ":" and the number by hand: snprintf() would take a third of the time
 * of a traceback. */
static void add_line_number(luaL_Buffer *b, int line) {
  char text[16];
  char *at = text + sizeof text;
  do {
    *--at = (char)('0' + line % 10);
    line /= 10;
  } while (line > 0);
  *--at = ':';
  luaL_addlstring(b, at, (size_t)(text + sizeof text - at));
}

static void add_function(luaL_Buffer *b, const lua_Debug *ar,
                         const char *library_name) {
  if (library_name)
    add_quoted(b, "function", library_name);
  else if (*ar->what == 'm')
    luaL_addstring(b, "main chunk");
  else if (*ar->namewhat == 'g') /* a global function: as Lua shows it */
    add_quoted(b, "function", ar->name);
  else if (*ar->namewhat != '\0')
    add_quoted(b, ar->namewhat, ar->name);
  else if (*ar->what == 'C')
    luaL_addchar(b, '?');
  else {
    luaL_addstring(b, "function <");
    luaL_addstring(b, ar->short_src);
    add_line_number(b, ar->linedefined);
    luaL_addchar(b, '>');
  }
}

/* Does a part of the library in Lua call the function at this level? */
static bool called_by_ours(lua_State *co, int level) {
  lua_Debug ar;
  if (!lua_getstack(co, level + 1, &ar))
    return false;
  lua_getinfo(co, "S", &ar);
  return awl_is_ours(&ar);
}

void awl_add_level(luaL_Buffer *b, const lua_Debug *ar,
                   const char *library_name) {
  luaL_addstring(b, ar->short_src);
  if (ar->currentline > 0)
    add_line_number(b, ar->currentline);
  luaL_addstring(b, ": in ");
  add_function(b, ar, library_name);
}

/* Is the level a line of a file? */
static bool is_line_of_file(const lua_Debug *ar) {
  return strcmp(ar->short_src, "[C]") != 0;
}

/* ---- the levels of a stack ---- */

/* A level that the text shows. */
typedef struct shown_level {
  lua_State *L, *co;
  awl_state *s;
  int next;         /* the next level of `co` */
  lua_Debug ar;     /* if the level is not `named_c`: "Slnt" is filled */
  const char *name; /* its name in a library, or NULL */
  bool named_c;     /* a C function with a name */
} shown_level;

/* Is `f` the lowest C function of the binding? No level below is the user's. */
static bool is_bottom(const awl_state *s, lua_CFunction f) {
  const awl_upcalls *ours = &s->upcalls;
  return f && (f == ours->worker || f == ours->turns || f == ours->handler ||
               f == ours->call);
}

/* [.., function] of `from` → [..]: return the name of the function in a
 * library, or NULL. NULL also if the names of libraries have not been read:
 * only a C function makes next_level() read them. Raises nothing. */
static const char *take_library_name(awl_state *s, lua_State *from) {
  lua_State *util = s->util;
  if (!s->named) {
    lua_pop(from, 1);
    return NULL;
  }
  lua_xmove(from, util, 1);
  lua_rawget(util, AWL_NAMES);
  const char *name = lua_tostring(util, -1); /* the table keeps it alive */
  lua_pop(util, 1);
  return name;
}

/* Go to the next level that the text shows. False: there is none. Raises only
 * while the names of libraries have not been read: that may collect, and a
 * finalizer change the stack, so the level is looked at again. */
static bool next_level(shown_level *at) {
  for (; lua_getstack(at->co, at->next, &at->ar); at->next++) {
    lua_getinfo(at->co, "f", &at->ar);
    lua_CFunction f = lua_tocfunction(at->co, -1);
    bool bottom = is_bottom(at->s, f), unread = f && !at->s->named;
    if (bottom || unread || (f && called_by_ours(at->co, at->next))) {
      lua_pop(at->co, 1);
      if (bottom)
        return false;
      if (unread)
        awl_name_libraries(at->L, at->s);
      at->next -= unread;
      continue;
    }
    at->name = take_library_name(at->s, at->co);
    at->named_c = f && at->name;
    if (!at->named_c)
      lua_getinfo(at->co, "Slnt", &at->ar);
    if (at->named_c || !awl_is_ours(&at->ar)) {
      at->next++;
      return true;
    }
  }
  return false;
}

/* ---- traces ---- */

enum { LONGEST_TRACE = 1500, TRACES = 32 };

/* A text that is kept is the traceback of an origin (record.c) with the used
 * part of this struct, in AWL_TRACES. */
typedef struct stack_trace {
  awl_origin origin;
  uint64_t hash;
  size_t size; /* of `bytes` */
  bool has_lines;
  unsigned char bytes[LONGEST_TRACE];
} stack_trace;

/* False: the trace is full. */
static bool add_bytes(stack_trace *trace, const void *bytes, size_t size) {
  if (size > LONGEST_TRACE - trace->size)
    return false;
  memcpy(trace->bytes + trace->size, bytes, size);
  trace->size += size;
  return true;
}

/* Texts end with their \0, so that no two traces look the same. */
static bool add_text(stack_trace *trace, const char *text) {
  return add_bytes(trace, text, strlen(text) + 1);
}

static void add_hash(stack_trace *trace, uint64_t number) {
  trace->hash =
      (trace->hash ^ number) * UINT64_C(0x9e3779b97f4a7c15) ^ trace->hash >> 29;
}

static bool add_level_to_trace(stack_trace *trace, const shown_level *at) {
  const lua_Debug *ar = &at->ar;
  struct {
    const char *name, *namewhat;
    int line, defined;
    char kind[8];
  } key = {at->name, NULL, 0, 0, "c"};
  add_hash(trace, (uint64_t)(uintptr_t)at->name);
  if (at->named_c)
    return add_bytes(trace, &key, sizeof key);
  trace->has_lines = trace->has_lines || is_line_of_file(ar);
  key.namewhat = ar->namewhat; /* a literal of Lua's C code */
  key.line = ar->currentline;
  key.defined = ar->linedefined;
  key.kind[0] = *ar->what;
  add_hash(trace, (uint64_t)(unsigned)ar->currentline << 32 |
                      (unsigned)ar->linedefined);
  return add_bytes(trace, &key, sizeof key) && add_text(trace, ar->short_src) &&
         (*ar->namewhat == '\0' || add_text(trace, ar->name));
}

/* Take the trace of the stack. `*named` gets the levels that have names, see
 * awl_remember_seen(). False: it is too long. */
static bool take_trace(stack_trace *trace, shown_level *at, uint32_t *named) {
  int first = at->next;
  trace->hash = trace->size = 0;
  trace->has_lines = false;
  *named = 0;
  for (int i = 0; i < MOST_LEVELS && next_level(at); i++) {
    if (!add_level_to_trace(trace, at))
      return false;
    int level = at->next - 1 - first;
    if (!at->named_c && level < 32)
      *named |= UINT32_C(1) << level;
  }
  return true;
}

static size_t size_of_trace(const stack_trace *trace) {
  return offsetof(stack_trace, bytes) + trace->size;
}

static lua_Integer place_of_trace(const stack_trace *trace) {
  return (lua_Integer)(trace->hash >> 32 & (TRACES - 1)) + 1;
}

static bool is_same_trace(const stack_trace *a, const stack_trace *b) {
  return a == b || (a->hash == b->hash && a->size == b->size &&
                    memcmp(a->bytes, b->bytes, a->size) == 0);
}

/* Push the origin with an equal trace, and return that trace. NULL, and nothing
 * is pushed: there is none. */
static const stack_trace *push_kept_origin(lua_State *L, awl_state *s,
                                           const stack_trace *trace) {
  awl_get(L, s, AWL_TRACES, place_of_trace(trace));
  const stack_trace *kept = lua_touserdata(L, -1);
  if (kept && is_same_trace(kept, trace))
    return kept;
  lua_pop(L, 1);
  return NULL;
}

/* [.., text] → [.., origin]: keep the text with its trace. */
static const stack_trace *keep_text(lua_State *L, awl_state *s,
                                    const stack_trace *trace) {
  static const size_t HEAD = offsetof(stack_trace, hash);
  stack_trace *kept = (stack_trace *)awl_push_origin(L, size_of_trace(trace));
  memcpy((char *)kept + HEAD, (const char *)trace + HEAD,
         size_of_trace(trace) - HEAD);
  lua_pushvalue(L, -1);
  awl_set(L, s, AWL_TRACES, place_of_trace(trace));
  return kept;
}

/* ---- texts ---- */

/* Push the text of the levels. Returns true if it has a line of a file. */
static bool push_text(lua_State *L, shown_level *at) {
  luaL_Buffer b;
  bool has_lines = false;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, "stack traceback:");
  for (int i = 0; i < MOST_LEVELS && next_level(at); i++) {
    if (at->named_c) {
      luaL_addstring(&b, "\n\t[C]: in ");
      add_function(&b, &at->ar, at->name);
    } else {
      luaL_addlstring(&b, "\n\t", 2);
      awl_add_level(&b, &at->ar, at->name);
      has_lines = has_lines || is_line_of_file(&at->ar);
    }
  }
  luaL_pushresult(&b);
  return has_lines;
}

/* The texts of other coroutines are not kept: while such a text is made, a
 * finalizer may change the stack of the coroutine. */
static bool push_other_text(lua_State *L, awl_state *s, lua_State *co,
                            int level) {
  /* keep `co` alive: a finalizer may end its task */
  lua_pushthread(co);
  lua_xmove(co, L, 1);
  shown_level at = {.L = L, .co = co, .s = s, .next = level};
  bool has_lines = push_text(L, &at);
  lua_remove(L, -2);
  return has_lines;
}

/* Make the text of the stack, or find its origin by the trace, and remember
 * that. Push the origin; or the text, if its trace is too long to be kept. */
static bool push_own_stack(lua_State *L, awl_state *s, int level) {
  stack_trace trace;
  uint32_t named;
  awl_prepare_seen(L, s);
  shown_level at = {.L = L, .co = L, .s = s, .next = level};
  bool whole = take_trace(&trace, &at, &named);
  const stack_trace *kept = whole ? push_kept_origin(L, s, &trace) : NULL;
  bool has_lines = trace.has_lines;
  if (!kept) {
    at.next = level;
    has_lines = push_text(L, &at);
    if (whole)
      kept = keep_text(L, s, &trace);
  }
  if (kept)
    awl_remember_seen(L, s, level, named, kept);
  return has_lines;
}

bool awl_push_stack(lua_State *L, awl_state *s, int level) {
  const stack_trace *seen = awl_find_seen(L, s, level);
  if (seen && push_kept_origin(L, s, seen))
    return seen->has_lines;
  return push_own_stack(L, s, level);
}

bool awl_push_traceback(lua_State *L, awl_state *s, lua_State *co, int level) {
  if (co != L)
    return push_other_text(L, s, co, level);
  bool has_lines = awl_push_stack(L, s, level);
  if (lua_isuserdata(L, -1))
    awl_take_traceback(L);
  return has_lines;
}

bool awl_join_traceback(lua_State *L, awl_state *s, lua_State *co) {
  static const char HEAD[] = "stack traceback:";
  bool has_lines = awl_push_traceback(L, s, co, 0);
  lua_pushstring(L, lua_tostring(L, -1) + sizeof HEAD - 1);
  lua_remove(L, -2);
  lua_concat(L, 2);
  return has_lines;
}

bool awl_has_lines(const char *traceback) {
  static const char C[] = "\n\t[C]:";
  for (const char *at = traceback; (at = strstr(at, "\n\t")) != NULL; at++)
    if (strncmp(at, C, sizeof C - 1) != 0)
      return true;
  return false;
}
