/* text.c - the texts of answers [D43]
 *
 *     tasks     here, in C: a program with 10,000 tasks stops for milliseconds
 *     dump      as SIGQUIT prints it, by errors/notice.c
 *     others    aiowire/inspect.lua
 *
 * A text is made in a protected call, in memory of C, and its strings in Lua
 * are garbage at once. Making them may collect, and a finalizer may end tasks:
 * so the tasks are kept first, and one that has ended meanwhile is left out.
 *
 * Neighbours: inspect.c calls this; client.c puts the texts together.
 */
#include "inspect/text.h"

#include "base/loops.h"
#include "base/parts.h"
#include "base/tasks.h"
#include "errors/notice.h"
#include "wire/task_text.h"

#include <uv.h>

#include <string.h>

enum { MOST_TASKS = 20000, ROW = 256 };

/* A text that grows, and the tasks that it is about. */
typedef struct output {
  const awm_question *question;
  awm_accounts *accounts; /* or NULL */
  awm_text *text;         /* NULL: empty */
  size_t room;
  bool starved;
  aw_task **tasks; /* kept */
  size_t count;
  size_t beyond; /* tasks that are too many */
} output;

/* ---- the text ---- */

static bool make_text_room(output *o, size_t more) {
  size_t size = o->text ? o->text->size : 0;
  if (o->text && o->room - size >= more)
    return true;
  size_t room = 2 * o->room > size + more ? 2 * o->room : size + more;
  awm_text *text = aw_reallocate(o->text, sizeof *text + room);
  if (!text) {
    o->starved = true;
    return false;
  }
  text->size = size;
  o->text = text;
  o->room = room;
  return true;
}

static void put_bytes(output *o, const char *bytes, size_t size) {
  if (!make_text_room(o, size))
    return;
  memcpy(o->text->bytes + o->text->size, bytes, size);
  o->text->size += size;
}

static void put_plain(output *o, const char *key) {
  put_bytes(o, key, strlen(key));
}

/* (Much faster than snprintf: a row has ten numbers.) */
static void put_count(output *o, const char *key, uint64_t number) {
  char text[20];
  char *at = text + sizeof text;
  do
    *--at = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  put_plain(o, key);
  put_bytes(o, at, (size_t)(text + sizeof text - at));
}

/* A value, without tabs, newlines and lone backslashes. */
static void put_string(output *o, const char *key, const char *text) {
  put_plain(o, key);
  for (const char *at = text; *at;) {
    size_t plain = strcspn(at, "\t\n\r\\");
    put_bytes(o, at, plain);
    at += plain;
    if (!*at)
      break;
    const char escaped[2] = {'\\', awm_escape_of(*at)};
    put_bytes(o, escaped, 2);
    at++;
  }
}

/* ---- the tasks ---- */

static size_t count_below(const aw_scope *root) {
  size_t count = 0, depth = 0;
  for (const aw_scope *at = root; at; at = aw_scope_walk(root, at, &depth))
    count += aw_scope_task(at) != NULL;
  return count;
}

static bool is_hidden_task(const aw_scope *scope) {
  const aw_task *task = aw_scope_task(scope);
  return task && aw_task_where(task) == awl_hidden;
}

/* What a session hides stands at the root. */
static void keep_below(output *o, size_t most, const aw_scope *root) {
  const aw_scope *at = root;
  size_t depth = 0;
  bool hidden = false;
  while ((at = aw_scope_walk(root, at, &depth)) != NULL) {
    if (depth == 1)
      hidden = is_hidden_task(at);
    aw_task *task = hidden ? NULL : aw_scope_task(at);
    if (!task)
      continue;
    if (o->count < most)
      o->tasks[o->count++] = aw_task_keep(task);
    else
      o->beyond++;
  }
}

static const aw_scope *root_of(const awl_state *s, uint32_t index) {
  const awl_loop *loop = s->loops[index];
  return loop && loop->core ? aw_loop_scope(loop->core) : NULL;
}

/* Keep the tasks of all loops, those of a loop with parents first. */
static void keep_tasks(output *o, const awl_state *s) {
  size_t count = 0;
  for (uint32_t i = 0; i < s->loop_count; i++)
    count += root_of(s, i) ? count_below(root_of(s, i)) : 0;
  size_t most = count < MOST_TASKS ? count : MOST_TASKS;
  o->tasks = aw_allocate((most + 1) * sizeof *o->tasks);
  o->starved = !o->tasks;
  for (uint32_t i = 0; i < s->loop_count && o->tasks; i++)
    if (root_of(s, i))
      keep_below(o, most, root_of(s, i));
}

/* ---- a row ---- */

/* The worker whose code the task runs in the middle of a step, or NULL. */
static const awl_worker *busy_in(const awl_state *s, const aw_task *task) {
  for (const awl_run *run = &s->run; run; run = run->outer)
    if (run->running && run->running->task == task)
      return run->running;
  return NULL;
}

static const char *state_of(const aw_task *task, bool runs) {
  aw_task_state state = aw_task_state_of(task);
  return runs || state == AW_TASK_RUNNING ? "running"
         : state == AW_TASK_WAITING       ? "waiting"
                                          : "ready";
}

static void put_id(output *o, const char *key, const awl_state *s,
                   const aw_task *task) {
  const awl_loop *loop = awl_loop_of((awl_state *)s, aw_task_loop(task));
  if (loop && loop->engine != s->engine) {
    put_count(o, key, loop->engine->serial);
    key = ":";
  }
  put_count(o, key, aw_task_id(task));
}

/* Push the line at which the code of the task is. False: none is known. */
static bool push_task_place(lua_State *L, awl_state *s, const aw_task *task,
                            const awl_worker *busy) {
  size_t level = 0;
  const awl_worker *w = busy ? busy : awl_parked_at(s, task, &level);
  if (!w)
    return false;
  lua_State *inner = w == s->run.running   ? L
                     : !busy && w->waiting ? w->waiting
                                           : w->co;
  return awl_push_busy_place(L, inner) ||
         (inner != w->co && awl_push_busy_place(L, w->co));
}

static void put_texts(lua_State *L, awl_state *s, output *o, aw_task *task,
                      const awl_worker *busy) {
  awl_push_plain_name(L, s, task);
  put_string(o, "\tname=", lua_tostring(L, -1));
  put_string(o, "\tstate=", state_of(task, busy != NULL));
  awl_push_label(L, s, task);
  if (!busy && lua_isstring(L, -1))
    put_string(o, "\twaits=", lua_tostring(L, -1));
}

static void put_warnings(output *o, const aw_task *task, bool starves) {
  bool swallows = aw_task_swallowed(task);
  if (starves || swallows)
    put_string(o, "\twarn=",
               !swallows  ? "starves"
               : !starves ? "swallows"
                          : "starves,swallows");
}

/* What the accounts tell. A step that is under way counts as far as it has
 * come. */
static void put_account(output *o, const aw_task *task) {
  awm_account is;
  if (!o->accounts || !awm_account_look(o->accounts, task, &is)) {
    put_count(o, "\tsteps=", aw_task_steps(task));
    return;
  }
  uint64_t now = uv_hrtime();
  put_count(o, "\tsteps=", is.steps);
  put_count(o, "\tsince=", now - is.since);
  put_count(o, "\tbusy=", is.busy);
  put_count(o, "\tlongest=", is.longest);
  if (is.cancelled)
    put_count(o, "\tcancelled=", now - is.cancelled);
  put_warnings(o, task, is.starved != 0);
}

static void put_row(lua_State *L, awl_state *s, output *o, unsigned engine,
                    aw_task *task) {
  if (aw_task_state_of(task) >= AW_TASK_DONE || !aw_task_loop(task))
    return;
  const aw_task *parent = aw_task_parent(task);
  const awl_worker *busy = busy_in(s, task);
  uint64_t now = aw_engine_now(aw_task_engine(task));
  put_count(o, "task\tengine=", engine);
  put_id(o, "\tid=", s, task);
  if (parent)
    put_id(o, "\tparent=", s, parent);
  put_texts(L, s, o, task, busy);
  put_count(o, "\tage=", now - aw_task_started(task));
  put_account(o, task);
  if (aw_task_where(task))
    put_string(o, "\tstarted=", aw_task_where(task));
  if (push_task_place(L, s, task, busy))
    put_string(o, "\tat=", lua_tostring(L, -1));
  put_plain(o, "\n");
}

/* ---- answers, in protected calls ---- */

/* Sums of all engines of the state. The pulse also counts those that have
 * ended, but no step that is under way. */
static void put_sums(output *o) {
  const awm_pulse *pulse = awm_accounts_pulse(o->accounts);
  awm_sums sums;
  uint64_t busy = 0;
  for (size_t i = 0; awm_sums_look(o->accounts, i, &sums); i++)
    busy += sums.busy;
  uint64_t ended = atomic_load(&pulse->busy);
  put_count(o, "\tidle=", atomic_load(&pulse->idle));
  put_count(o, "\tbusy=", busy > ended ? busy : ended);
  put_count(o, "\tsteps=", atomic_load(&pulse->steps));
  put_count(o, "\twakeups=", atomic_load(&pulse->wakeups));
}

/* What the state says of itself, for the line `engine`. */
static void put_engine_keys(lua_State *L, output *o) {
  uint64_t heap = (uint64_t)lua_gc(L, LUA_GCCOUNT) * 1024 +
                  (uint64_t)lua_gc(L, LUA_GCCOUNTB);
  if (o->accounts)
    put_sums(o);
  put_count(o, "\theap=", heap);
  put_plain(o, "\n");
}

static void make_tasks(lua_State *L, awl_state *s, output *o) {
  unsigned number = o->question->whom->number;
  keep_tasks(o, s);
  if (o->starved)
    return;
  make_text_room(o, (o->count + 1) * ROW);
  put_engine_keys(L, o);
  int top = lua_gettop(L);
  for (size_t i = 0; i < o->count; i++) {
    put_row(L, s, o, number, o->tasks[i]);
    lua_settop(L, top);
  }
  if (o->beyond > 0) {
    put_count(o, "more\tengine=", number);
    put_count(o, "\ttasks=", o->beyond);
    put_plain(o, "\n");
  }
}

/* Call inspect.lua with the request and its argument. */
static void make_by_part(lua_State *L, output *o) {
  awl_push_embedded(L, "aiowire.inspect");
  lua_pushstring(L, o->question->request == AWM_EVENTS ? "events" : "graph");
  lua_pushstring(L, o->question->argument);
  lua_call(L, 2, 1);
  size_t size;
  const char *text = luaL_tolstring(L, -1, &size);
  put_bytes(o, text, size);
}

/* (light output) */
static int make_answer(lua_State *L) {
  output *o = lua_touserdata(L, 1);
  awl_state *s = awl_open(L);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (o->question->request == AWM_TASKS) {
    make_tasks(L, s, o);
  } else if (o->question->request == AWM_DUMP) {
    size_t size;
    awl_push_dump(L);
    const char *text = lua_tolstring(L, -1, &size);
    put_bytes(o, text, size);
  } else {
    make_by_part(L, o);
  }
  return 0;
}

/* The text of the error on top, which is popped. */
static void put_failure(lua_State *L, output *o) {
  const char *message = lua_tostring(L, -1);
  if (o->text)
    o->text->size = 0;
  if (message)
    put_plain(o, message);
  lua_pop(L, 1);
}

awm_text *awm_answer_make(lua_State *L, const awm_question *question,
                          awm_accounts *accounts, bool *failed) {
  output o = {.question = question, .accounts = accounts};
  int status = LUA_ERRMEM;
  if (lua_checkstack(L, LUA_MINSTACK)) {
    lua_pushcfunction(L, make_answer);
    lua_pushlightuserdata(L, &o);
    status = lua_pcall(L, 1, 0, 0);
    if (status != LUA_OK)
      put_failure(L, &o);
  }
  for (size_t i = 0; i < o.count; i++)
    aw_task_release(o.tasks[i]);
  aw_free(o.tasks);
  *failed = status != LUA_OK;
  if (status != LUA_ERRMEM && !o.starved && make_text_room(&o, 1)) {
    atomic_init(&o.text->refs, 1);
    return o.text;
  }
  aw_free(o.text);
  return NULL;
}
