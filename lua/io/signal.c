/* signal.c - aw.signal(name) and aw.Signal(name) [H5]
 *
 *     table (one for each engine): an awio_async
 *       └─ taken[number]: aw_lua_signal, waiters
 *
 *   first wait   the signal is taken over, and unblocked in this thread
 *   arrival      the async wakes the libuv loop, which wakes all waiters; if
 *                there is none, the arrival is kept for the next waiter
 *   loop's end   the signal is given back, and the mask of the thread restored
 *
 * From the first wait to the end of that loop the signal is taken over, also
 * between waits: it neither kills the process nor reaches an earlier handler.
 * So INT and TERM do not stop the run, unless an earlier arrival is kept
 * already. aw_lua_signal (the binding) has the state that threads share.
 */
#include "base/engine_async.h"
#include "base/signal_names.h"
#include "base/waiters.h"
#include "io.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <uv.h>

#include <string.h>

enum { SIGNALS = 65 };

typedef struct taken {
  aw_lua_signal *signal;
  aw_loop *loop; /* the signal is given back when this loop ends */
  awio_waiters waiters;
} taken;

typedef struct table {
  awio_async came; /* first; referenced while `count` is not 0 */
  size_t count;    /* number of signals that are taken */
  taken *taken[SIGNALS];
} table;

/* ---- taking over and giving back ---- */

static void give_signal_back(table *all, int number) {
  taken *t = all->taken[number];
  aw_lua_signal_give_back(t->signal);
  awio_waiters_free(&t->waiters);
  aw_free(t);
  all->taken[number] = NULL;
  if (--all->count == 0)
    awio_async_unref(&all->came);
}

/* `loop` has ended: give its signals back. A signal that still has waiters
 * passes to the loop of the first waiter. */
static void signal_loop_ended(aw_closer *closer, aw_loop *loop) {
  table *all = (table *)closer;
  for (int i = 0; i < SIGNALS; i++) {
    taken *t = all->taken[i];
    if (!t || t->loop != loop)
      continue;
    if (t->waiters.count > 0)
      t->loop = aw_task_loop(t->waiters.tasks[0]);
    else
      give_signal_back(all, i);
  }
}

static void close_table(aw_closer *closer) {
  table *all = (table *)closer;
  for (int i = 0; i < SIGNALS; i++)
    if (all->taken[i])
      give_signal_back(all, i);
  awio_async_close(&all->came);
}

static void deliver_signals(uv_async_t *came) {
  table *all = came->data;
  for (int i = 0; i < SIGNALS; i++) {
    taken *t = all->taken[i];
    if (!t || t->waiters.count == 0 || !aw_lua_signal_arrived(t->signal))
      continue;
    aw_lua_signal_await(t->signal, false);
    awio_waiters_wake(&t->waiters, 0);
  }
}

static int table_of(aw_engine *engine, table **out) {
  *out = (table *)aw_engine_find_closer(engine, close_table);
  if (*out)
    return 0;
  awio_async *made;
  int rc =
      awio_async_new(engine, sizeof **out, deliver_signals, close_table, &made);
  if (rc < 0)
    return rc;
  made->closer.ended = signal_loop_ended;
  *out = (table *)made;
  return 0;
}

static void notify(void *data) {
  uv_async_send(data);
}

static int take_signal_over(table *all, aw_loop *loop, int number) {
  taken *t = aw_allocate(sizeof *t);
  if (!t)
    return AW_ENOMEM;
  t->loop = loop;
  int rc = aw_lua_signal_take(number, notify, &all->came.handle, &t->signal);
  if (rc < 0) {
    aw_free(t);
    return rc;
  }
  all->taken[number] = t;
  if (all->count++ == 0)
    awio_async_ref(&all->came);
  return 0;
}

/* ---- waiting ---- */

static aw_engine *task_engine(aw_task *task) {
  return aw_loop_engine(aw_task_loop(task));
}

static int wait_for_signal(taken *t, aw_task *task) {
  int rc = awio_waiters_add(&t->waiters, task);
  if (rc == 0)
    aw_lua_signal_await(t->signal, true);
  return rc;
}

static int signal_arm(aw_task *task, void *data) {
  int number = (int)(intptr_t)data;
  table *all;
  int rc = table_of(task_engine(task), &all);
  if (rc == 0 && !all->taken[number])
    rc = take_signal_over(all, aw_task_loop(task), number);
  if (rc < 0)
    return rc;
  taken *t = all->taken[number];
  bool kept = t->waiters.count == 0 && aw_lua_signal_arrived(t->signal);
  return kept ? 1 : wait_for_signal(t, task);
}

static void signal_disarm(aw_task *task, void *data) {
  table *all = (table *)aw_engine_find_closer(task_engine(task), close_table);
  taken *t = all->taken[(int)(intptr_t)data];
  awio_waiters_remove(&t->waiters, task);
  aw_lua_signal_await(t->signal, t->waiters.count > 0);
}

static void signal_describe(const void *data, char *out, size_t size) {
  const char *name = awio_signal_name((int)(intptr_t)data);
  size_t length = strlen(name);
  if (length >= size)
    length = size - 1;
  memcpy(out, name, length);
  out[length] = '\0';
}

static const aw_operation operation = {.label = "signal",
                                       .arm = signal_arm,
                                       .disarm = signal_disarm,
                                       .external = true,
                                       .describe = signal_describe};

/* ---- for Lua ---- */

/* "INT" or "SIGINT" */
static int check_signal_name(lua_State *L, int arg) {
  const char *name = aw_lua_check_string(L, arg, NULL);
  int number = awio_signal_number(name);
  if (!awio_signal_waitable(number))
    aw_lua_arg_error(
        L, arg,
        lua_pushfstring(L, "no signal '%s' that can be waited for", name));
  return number;
}

static int after_signal(lua_State *L, int result, void *data) {
  if (result < 0)
    return aw_lua_system_error(L, result, "signal",
                               awio_signal_name((int)(intptr_t)data));
  return 0;
}

static int act_signal(lua_State *L) {
  int number = check_signal_name(L, 1);
  return aw_lua_await(L, &operation, (void *)(intptr_t)number, "signal",
                      after_signal);
}

static int m_Signal(lua_State *L) {
  int number = check_signal_name(L, 1);
  aw_lua_push_wire(L, aw_wait_for(&operation, (void *)(intptr_t)number), 0);
  return 1;
}

void awio_open_signal(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"signal", act_signal}, {"Signal", m_Signal}, {NULL, NULL}};
  aw_lua_set_functions(L, functions, 0);
}
