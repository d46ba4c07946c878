/* frames.c - keeps the frames of a stack raw, and makes their text later
 *
 * A Timeout is raised far more often than its text is read. The text needs two
 * stacks: the stack of the function that set the limit, and the stack of the
 * wait that was cut short. So the frames are kept raw, at about 30 ns each; the
 * text is made when somebody asks for it. The frames are the upvalues of a C
 * function, since no cheaper object holds many values:
 *
 *     count  { function  line [ name-what  name ] } …
 *
 * Only the innermost NAMED frames have the name that their caller uses for
 * them: Lua finds a name by searching the code of the caller, however long that
 * code is. The C function returns the text when it is called.
 *
 * Neighbours: traceback.c makes the text of a running stack; timeout.c has
 * Timeouts.
 */
#include "errors/frames.h"

#include "base/location.h"
#include "base/loops.h"
#include "base/memory_pressure.h"
#include "base/tasks.h"
#include "base/values.h"
#include "errors/traceback.h"

enum { MOST_FRAMES = 22, NAMED = 6 };
enum { COUNT = 1, FIRST }; /* indices of upvalues */

/* ---- taking them ---- */

static void push_frame_name(lua_State *L, const lua_Debug *ar) {
  if (*ar->namewhat == '\0') {
    lua_pushnil(L);
    lua_pushnil(L);
    return;
  }
  /* a string literal of Lua's C code */
  lua_pushlightuserdata(L, (void *)(uintptr_t)ar->namewhat);
  lua_pushstring(L, ar->name);
}

/* Push the frames of `co` from `level` on, after the `count` frames that are
 * pushed already. Return the new number of frames. */
static int add_stack(lua_State *L, const awl_state *s, lua_State *co, int level,
                     int count) {
  lua_Debug ar;
  if (!lua_checkstack(co, 1))
    return count;
  for (; count < MOST_FRAMES && lua_getstack(co, level, &ar); level++) {
    lua_getinfo(co, count < NAMED ? "fln" : "fl", &ar);
    if (co != L)
      lua_xmove(co, L, 1);
    lua_CFunction f = lua_tocfunction(L, -1);
    if (f && (f == s->upcalls.worker || f == s->upcalls.turns)) {
      lua_pop(L, 1);
      break; /* all frames below are the binding's */
    }
    lua_pushinteger(L, ar.currentline);
    if (count++ < NAMED)
      push_frame_name(L, &ar);
  }
  return count;
}

static int frames_text(lua_State *L);

static void begin_frames(lua_State *L) {
  luaL_checkstack(L, FIRST + 2 * (MOST_FRAMES + NAMED), NULL);
  lua_pushnil(L); /* place of the count, set by end_frames() */
}

/* [nil, the frames …] → the function; `base` is the index below the nil. */
static void end_frames(lua_State *L, int base, int count) {
  lua_pushinteger(L, count);
  lua_replace(L, base + COUNT);
  lua_pushcclosure(L, frames_text, lua_gettop(L) - base);
}

void awl_push_frames(lua_State *L, const awl_state *s, int level) {
  int base = lua_gettop(L);
  begin_frames(L);
  end_frames(L, base, add_stack(L, s, L, level, 0));
}

/* Push the frames of the waiting task, the innermost first: of the coroutine
 * that waits, which may be one of the user's, and of the workers that await
 * it. */
static void push_wait_frames(lua_State *L, const awl_worker *w) {
  lua_State *waiting = w->waiting != w->co ? w->waiting : NULL;
  /* keep it alive: a finalizer may close the coroutine that refers to it */
  if (waiting) {
    lua_pushthread(waiting);
    lua_xmove(waiting, L, 1);
  }
  int base = lua_gettop(L), count = 0;
  begin_frames(L);
  if (waiting)
    count = add_stack(L, w->state, waiting, 0, count);
  const awl_worker *outer = w;
  size_t i = 0;
  while (outer && count < MOST_FRAMES) {
    count = add_stack(L, w->state, outer->co, 0, count);
    outer = awl_parked_at(w->state, w->task, &i);
    if (outer == w)
      outer = awl_parked_at(w->state, w->task, &i);
  }
  end_frames(L, base, count);
}

/* (light worker, light cut): awl_note_cut() under pcall. */
static int note_cut_safely(lua_State *L) {
  awl_worker *w = lua_touserdata(L, 1);
  aw_cut *cut = lua_touserdata(L, 2);
  awl_state *s = w->state;
  push_wait_frames(L, w);
  aw_cut_set_value(cut, awl_hold(L, awl_loop_of(s, aw_task_loop(w->task))));
  return 0;
}

void awl_note_cut(lua_State *L, awl_worker *w) {
  aw_cut *cut = aw_task_take_cut(w->task);
  if (!cut || w->state->starved || lua_status(w->co) != LUA_YIELD)
    return;
  lua_pushcfunction(L, note_cut_safely);
  lua_pushlightuserdata(L, w);
  lua_pushlightuserdata(L, cut);
  if (!awl_succeeded(w->state, lua_pcall(L, 2, 0, 0)))
    lua_pop(L, 1);
}

void awl_note_cut_here(lua_State *L, awl_worker *w, const char *text) {
  awl_push_frames(L, w->state, 0);
  awl_loop *loop = awl_loop_of(w->state, aw_task_loop(w->task));
  aw_value value = awl_hold(L, loop);
  aw_cut *cut = aw_task_cut_outside(w->task, text);
  if (cut)
    aw_cut_set_value(cut, value);
  else
    awl_drop(w->state, value);
}

/* ---- their text ---- */

/* The index of the first upvalue of frame `i`. */
static int upvalue_of(int i) {
  return FIRST + 2 * i + 2 * (i < NAMED ? i : NAMED);
}

/* Push the function of frame `i`, and fill `ar` with its description. */
static void push_frame_function(lua_State *L, int i, lua_Debug *ar) {
  int at = upvalue_of(i);
  lua_pushvalue(L, lua_upvalueindex(at));
  lua_pushvalue(L, -1);
  lua_getinfo(L, ">S", ar);
  ar->currentline = (int)lua_tointeger(L, lua_upvalueindex(at + 1));
  ar->namewhat = "";
  if (i < NAMED && lua_islightuserdata(L, lua_upvalueindex(at + 2))) {
    ar->namewhat = lua_touserdata(L, lua_upvalueindex(at + 2));
    ar->name = lua_tostring(L, lua_upvalueindex(at + 3));
  }
}

/* A function that C calls has no name. Often a Lua function has passed it to
 * the C function (aw.timeout, pcall). If that Lua function has it in an
 * upvalue, use the name of the upvalue. The function of frame `i` is on top. */
static void name_by_upvalue(lua_State *L, int i, int count, lua_Debug *ar) {
  lua_Debug caller;
  caller.what = "C";
  for (; *caller.what == 'C' && ++i < count; lua_pop(L, 1))
    push_frame_function(L, i, &caller);
  if (i == count || *caller.what == 'C' || i == 0)
    return;
  int at = upvalue_of(i);
  const char *name;
  for (int n = 1; (name = lua_getupvalue(L, lua_upvalueindex(at), n)) != NULL;
       n++) {
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    if (same) {
      ar->namewhat = "upvalue";
      ar->name = name;
      return;
    }
  }
}

/* Is the function part of the library in Lua, or a C function that such a part
 * calls? */
static bool is_hidden(lua_State *L, int i, int count, const lua_Debug *ar) {
  if (*ar->what != 'C')
    return awl_is_ours(ar);
  if (i + 1 == count)
    return false;
  lua_Debug caller;
  push_frame_function(L, i + 1, &caller);
  lua_pop(L, 1);
  return awl_is_ours(&caller);
}

/* Pop the function on top; return its name in its library, or NULL. */
static const char *take_name(lua_State *L, awl_state *s) {
  const char *name = awl_library_name(L, s, -1);
  lua_pop(L, 1);
  return name;
}

/* (only_place) → text, see awl_push_frames_text() */
static int frames_text(lua_State *L) {
  awl_state *s = awl_open(L);
  int count = (int)lua_tointeger(L, lua_upvalueindex(COUNT));
  bool only_place = lua_toboolean(L, 1);
  bool done = false;
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int i = 0; i < count && !done; i++) {
    lua_Debug ar;
    push_frame_function(L, i, &ar);
    if (*ar.namewhat == '\0' && *ar.what == 'L')
      name_by_upvalue(L, i, count, &ar);
    const char *name = take_name(L, s);
    done = only_place && ar.currentline > 0 && !awl_is_ours(&ar);
    if (only_place ? !done : is_hidden(L, i, count, &ar))
      continue;
    luaL_addstring(&b, only_place ? "" : "\n\t");
    awl_add_level(&b, &ar, name);
  }
  luaL_pushresult(&b);
  return 1;
}

bool awl_is_frames(lua_State *L, int index) {
  return lua_tocfunction(L, index) == frames_text;
}

void awl_push_frames_text(lua_State *L, int index, bool only_place) {
  lua_pushvalue(L, index);
  lua_pushboolean(L, only_place);
  lua_call(L, 1, 1);
}
