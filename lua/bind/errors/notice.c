/* notice.c - what is told about a running program: the dump [D2], and where a
 * signal has interrupted a busy body [L2]
 *
 *     aw_lua_request_dump() ─┬► the hook in a busy body
 *                            └► the driver: do_woken() ──► awl_notice_dump()
 *     SIGINT and others ──────► the hook in a busy body
 *                                         ──► awl_notice_interrupted()
 *
 * A notice is made in the middle of a body, in a debug hook. It changes nothing
 * that the body could see: its text is made in a protected call, and told
 * outside of it. Lua runs no other hook meanwhile.
 *
 * Neighbours: interrupt.c has the hook; signals.c has the handlers;
 * aiowire/dump.lua makes the text of an EventLoop.
 */
#include "errors/notice.h"

#include "base/location.h"
#include "base/loops.h"
#include "base/memory_pressure.h"
#include "base/parts.h"
#include "base/tasks.h"
#include "wire/task_text.h"

#include <stdio.h>
#include <string.h>

void aw_lua_set_notice(lua_State *L,
                       void (*tell)(void *data, aw_lua_notice kind,
                                    const char *text),
                       void *data) {
  lua_pushcfunction(L, luaopen_aiowire);
  lua_call(L, 0, 0);
  awl_state *s = awl_open(L);
  s->notices.tell = tell;
  s->notices.data = data;
}

static void give_notice(const awl_state *s, aw_lua_notice kind,
                        const char *text) {
  if (s->notices.tell)
    s->notices.tell(s->notices.data, kind, text);
  else if (kind == AW_LUA_NOTICE_DUMP)
    fprintf(stderr, "%s\n", text);
}

/* ---- places ---- */

bool awl_push_busy_place(lua_State *L, lua_State *co) {
  lua_Debug ar;
  for (int level = 0; lua_getstack(co, level, &ar); level++) {
    if (!awl_is_users(co, &ar) || ar.currentline <= 0)
      continue;
    lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
    return true;
  }
  return false;
}

/* Push the place of the running body: in L, the innermost coroutine, or else in
 * that of its worker. */
static void push_running_place(lua_State *L, const awl_worker *w) {
  if (awl_push_busy_place(L, L) || (w && awl_push_busy_place(L, w->co)))
    return;
  lua_pushliteral(L, "a function in C");
}

/* ---- the dump ---- */

/* [busy] → [busy]: busy[Task] = "<what> <place>" */
static void note_place(lua_State *L, awl_state *s, const awl_worker *w,
                       const char *what) {
  awl_push_task(L, s, w->task);
  lua_pushstring(L, what);
  lua_State *innermost = w == s->run.running ? L : w->co;
  if (!awl_push_busy_place(L, innermost) && !awl_push_busy_place(L, w->co))
    lua_pushliteral(L, "a function in C");
  lua_concat(L, 2);
  lua_rawset(L, -3);
}

void awl_push_busy(lua_State *L, awl_state *s) {
  lua_newtable(L);
  if (s->run.running && s->run.running->task)
    note_place(L, s, s->run.running, "busy at ");
  for (const awl_run *run = s->run.outer; run; run = run->outer)
    if (run->running && run->running->task)
      note_place(L, s, run->running, "runs a loop at ");
}

/* Add the line about the handler that is busy [E7], which belongs to no task in
 * the tree any more. */
static void add_handler(lua_State *L, awl_state *s, luaL_Buffer *b) {
  lua_pushliteral(L, "the handler of ");
  awl_push_task_name(L, s, s->handler_task);
  lua_pushliteral(L, " is busy at ");
  push_running_place(L, NULL);
  lua_pushliteral(L, "\n");
  lua_concat(L, 5);
  luaL_addvalue(b);
}

/* Add the dump of a loop. [busy, dump.lua, …] → [busy, dump.lua, …] */
static void add_loop(lua_State *L, awl_state *s, awl_loop *loop,
                     luaL_Buffer *b) {
  lua_pushvalue(L, 2);
  awl_push_loop(L, s, loop);
  if (lua_isnil(L, -1)) { /* garbage, about to be finalized */
    lua_pop(L, 2);
    return;
  }
  lua_pushvalue(L, 1);
  lua_call(L, 2, 1);
  luaL_addvalue(b);
  luaL_addchar(b, '\n');
}

/* () → text: the dumps of all loops. */
static int make_dump(lua_State *L) {
  awl_state *s = awl_open(L);
  luaL_Buffer b;
  awl_push_busy(L, s);
  awl_push_embedded(L, "aiowire.dump");
  luaL_buffinit(L, &b);
  for (uint32_t i = 0; i < s->loop_count; i++)
    if (s->loops[i])
      add_loop(L, s, s->loops[i], &b);
  if (s->in_handler && !s->run.running)
    add_handler(L, s, &b);
  if (luaL_bufflen(&b) > 0)
    luaL_buffsub(&b, 1); /* the last newline */
  luaL_pushresult(&b);
  awl_add_recorded(L, s);
  return 1;
}

void awl_push_dump(lua_State *L) {
  lua_pushcfunction(L, make_dump);
  lua_call(L, 0, 1);
}

void awl_add_recorded(lua_State *L, awl_state *s) {
  if (!s->upcalls.push_recorded || !s->upcalls.push_recorded(L, s))
    return;
  lua_pushfstring(L, "%s\n%s", lua_tostring(L, -2), lua_tostring(L, -1));
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* Call `make` in protected mode; it returns a text. False: it has failed, and
 * nothing is pushed. */
static bool push_made_text(lua_State *L, awl_state *s, lua_CFunction make) {
  if (!lua_checkstack(L, 2))
    return false;
  lua_pushcfunction(L, make);
  if (awl_succeeded(s, lua_pcall(L, 0, 1, 0)) && lua_tostring(L, -1))
    return true;
  lua_pop(L, 1);
  return false;
}

bool awl_notice_dump(lua_State *L, awl_state *s) {
  if (!push_made_text(L, s, make_dump))
    return false;
  give_notice(s, AW_LUA_NOTICE_DUMP, lua_tostring(L, -1));
  lua_pop(L, 1);
  return true;
}

void awl_notice_no_dump(const awl_state *s) {
  give_notice(s, AW_LUA_NOTICE_DUMP,
              "aiowire: not enough memory to print the tasks");
}

/* ---- interrupts ---- */

/* () → text: the place, and the task whose body or handler is busy. */
static int make_place(lua_State *L) {
  awl_state *s = awl_open(L);
  const awl_worker *w = s->run.running;
  const aw_task *task = w ? w->task : s->in_handler ? s->handler_task : NULL;
  push_running_place(L, w);
  if (!task)
    return 1;
  lua_pushstring(L, w ? ", in " : ", in the handler of ");
  awl_push_task_name(L, s, task);
  lua_concat(L, 3);
  return 1;
}

void awl_notice_interrupted(lua_State *L, awl_state *s) {
  char text[sizeof s->notices.interrupted + 32];
  if (!push_made_text(L, s, make_place))
    return;
  snprintf(text, sizeof text, "aiowire: interrupted at %s",
           lua_tostring(L, -1));
  if (s->notices.interrupted[0] == '\0')
    snprintf(s->notices.interrupted, sizeof s->notices.interrupted, "%s",
             lua_tostring(L, -1));
  lua_pop(L, 1);
  give_notice(s, AW_LUA_NOTICE_INTERRUPTED, text);
}
