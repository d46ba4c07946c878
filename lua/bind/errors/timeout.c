/* timeout.c - Timeout: the error of a time limit, and what it cut short
 *
 * The core records which wait a time limit cut short (aw_cut). A Timeout has
 * that in fields that are not public:
 *
 *   _waited    what the wait was for, as text
 *   _frames    the frames of the code that waited (frames.c), or nil
 *   _started   where its task was started, for a wait without such code
 *
 * Neighbours: errors.c has the other classes; frames.c notes the frames when
 * the wait is cut short; info.c has the text as info.waited.
 */
#include "errors/timeout.h"

#include "base/values.h"
#include "errors/error_object.h"
#include "errors/frames.h"
#include "wire/convert.h"

#include <string.h>

/* ---- making ---- */

/* Has the running body of `task` awaited the wire whose wait was cut short, so
 * that this stands where the body does? */
static bool stands_here(lua_State *L, const awl_state *s, const aw_cut *cut) {
  const char *where;
  const awl_worker *w = s->run.running;
  return w && L == s->run.co && aw_cut_task(cut, &where) == aw_task_id(w->task);
}

/* What the Timeout on top cut short. */
static void set_cut(lua_State *L, awl_state *s, const aw_cut *cut) {
  const char *started;
  uint64_t task = aw_cut_task(cut, &started);
  const char *text = aw_cut_text(cut);
  if (aw_cut_own(cut))
    lua_pushstring(L, text);
  else
    lua_pushfstring(L, "%s in task %I", text, (LUAI_UACINT)task);
  lua_setfield(L, -2, "_waited");
  awl_push_value(L, s, aw_cut_value(cut));
  if (!awl_is_frames(L, -1) && stands_here(L, s, cut)) {
    lua_pop(L, 1);
    awl_push_frames(L, s, 0);
  }
  lua_setfield(L, -2, "_frames");
  lua_pushstring(L, started);
  lua_setfield(L, -2, "_started");
}

/* Push the message of a Timeout. Programs have few time limits, and to format a
 * number takes longer than most of the rest: the last message is kept. */
static void push_after_text(lua_State *L, awl_state *s, double seconds) {
  awl_timeout_text *last = &s->timeout_text;
  if (*last->text && last->seconds == seconds) {
    lua_pushstring(L, last->text);
    return;
  }
  size_t length;
  lua_pushfstring(L, "timeout after %f s", seconds);
  const char *text = lua_tolstring(L, -1, &length);
  if (length >= sizeof last->text)
    return;
  memcpy(last->text, text, length + 1);
  last->seconds = seconds;
}

void awl_push_timeout(lua_State *L, double seconds, const aw_cut *cut) {
  enum { FIELDS = 6 };
  awl_state *s = awl_open(L);
  push_after_text(L, s, seconds);
  awl_new_error(L, s, AWL_TIMEOUT, FIELDS);
  lua_pushnumber(L, seconds);
  lua_setfield(L, -2, "after");
  if (cut)
    set_cut(L, s, cut);
}

/* Its field `wire` is a Wire that keeps alive what it is of. */
void awl_push_wire_timeout(lua_State *L, const aw_error *error) {
  const aw_wire *holder;
  uint64_t ns;
  const aw_wire *wire = aw_error_wire(error, &holder, &ns);
  awl_push_timeout(L, awl_seconds(ns), aw_error_cut(error));
  if (!wire)
    return;
  if (holder)
    awl_push_owner(L, awl_open(L), holder);
  else
    lua_pushnil(L);
  aw_lua_push_wire(L, aw_wire_keep((aw_wire *)(uintptr_t)wire), -1);
  lua_setfield(L, -3, "wire");
  lua_pop(L, 1);
}

/* Push what a wait that failed was about [E4]: as it was told, a descriptor, or
 * what its wire says; nil if none is known. */
/* ---- texts ---- */

/* The field `key` of the Timeout at `index`; NULL, and nothing is pushed: it is
 * no text. */
static const char *push_text_field(lua_State *L, int index, const char *key) {
  lua_pushstring(L, key);
  if (lua_rawget(L, index) == LUA_TSTRING)
    return lua_tostring(L, -1);
  lua_pop(L, 1);
  return NULL;
}

/* Push the text of the frames of the Timeout at `index`, or "". */
static void push_timeout_frames(lua_State *L, int index, bool only_place) {
  lua_pushliteral(L, "_frames");
  lua_rawget(L, index);
  if (awl_is_frames(L, -1))
    awl_push_frames_text(L, -1, only_place);
  else
    lua_pushliteral(L, "");
  lua_remove(L, -2);
}

bool awl_push_waited(lua_State *L, int index) {
  index = lua_absindex(L, index);
  const char *waited = push_text_field(L, index, "_waited");
  if (!waited)
    return false;
  lua_pushfstring(L, "cut short: %s", waited);
  push_timeout_frames(L, index, false);
  lua_concat(L, 2);
  lua_replace(L, -2);
  push_timeout_frames(L, index, true);
  bool placed = *lua_tostring(L, -1) != '\0';
  lua_pop(L, 1);
  const char *started = placed ? NULL : push_text_field(L, index, "_started");
  if (started) {
    lua_pushfstring(L, "\n\tstarted at %s", started);
    lua_replace(L, -2);
    lua_concat(L, 2);
  }
  return true;
}

/* [Timeout, text] → the same, with the one line of what it cut short. */
static void add_timeout_cut(lua_State *L) {
  const char *waited = push_text_field(L, 1, "_waited");
  if (!waited)
    return;
  push_timeout_frames(L, 1, true);
  const char *place = lua_tostring(L, -1);
  const char *started =
      *place == '\0' ? push_text_field(L, 1, "_started") : NULL;
  lua_pushfstring(L, "%s (cut short: %s%s%s)", lua_tostring(L, 2), waited,
                  *place || started ? ", " : "",
                  *place    ? place
                  : started ? lua_pushfstring(L, "started at %s", started)
                            : "");
  lua_replace(L, 2);
  lua_settop(L, 2);
}

int awl_timeout_tostring(lua_State *L) {
  awl_error_tostring(L);
  lua_replace(L, 2);
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TSTRING)
    add_timeout_cut(L);
  return 1;
}
