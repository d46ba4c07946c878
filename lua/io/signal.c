/* signal.c - aw.signal(name) and aw.Signal(name) [H5]
 *
 *     table (one for each engine, an aw_closer)
 *       └─ taken[number]: uv_signal_t, waiters, `pending`
 *
 *   first wait   what was there is remembered; libuv gets the signal
 *   arrival      all who wait are woken; nobody waits: `pending`, once
 *   loop's end   the handle is closed, what was there is put back
 *
 * From the first wait to the end of that loop the signal is taken over, also
 * between waits: it neither kills nor reaches an earlier handler, that of the
 * run itself for INT and TERM included. libuv leaves SIG_DFL when it stops, so
 * the old action is put back by sigaction, unless libuv still holds the signal
 * for something else, as CHLD for children.
 *
 * The memory of a `taken` is its own and goes in the close callback (I4).
 */
#include "io.h"
#include "names.h"
#include "waiters.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <uv.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { SIGNALS = 65 };

typedef struct taken {
  uv_signal_t handle;
  struct sigaction old;
  aw_loop *loop; /* at whose end it is given back */
  awio_waiters waiters;
  bool pending; /* it came while nobody waited */
} taken;

typedef struct table {
  aw_closer closer;
  taken *taken[SIGNALS];
} table;

/* ---- taking over and giving back ---- */

static void free_taken(uv_handle_t *handle) {
  taken *t = handle->data;
  awio_waiters_free(&t->waiters);
  aw_free(t);
}

static void give_back(taken *t) {
  int number = t->handle.signum;
  struct sigaction now;
  uv_signal_stop(&t->handle);
  if (sigaction(number, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
      now.sa_handler == SIG_DFL)
    sigaction(number, &t->old, NULL);
  uv_close((uv_handle_t *)&t->handle, free_taken);
}

/* Whose loop has ended: the loop of one who still waits takes it on. */
static void loop_ended(aw_closer *closer, aw_loop *loop) {
  table *all = (table *)closer;
  for (int i = 0; i < SIGNALS; i++) {
    taken *t = all->taken[i];
    if (!t || t->loop != loop)
      continue;
    if (t->waiters.count > 0) {
      t->loop = aw_task_loop(t->waiters.tasks[0]);
    } else {
      give_back(t);
      all->taken[i] = NULL;
    }
  }
}

static void close_table(aw_closer *closer) {
  table *all = (table *)closer;
  for (int i = 0; i < SIGNALS; i++)
    if (all->taken[i])
      give_back(all->taken[i]);
  aw_free(closer);
}

static table *table_of(aw_engine *engine) {
  aw_closer *closer = aw_engine_find_closer(engine, close_table);
  if (closer)
    return (table *)closer;
  table *all = aw_allocate(sizeof *all);
  if (!all)
    return NULL;
  all->closer.close = close_table;
  all->closer.ended = loop_ended;
  aw_engine_add_closer(engine, &all->closer);
  return all;
}

static void arrived(uv_signal_t *handle, int number) {
  (void)number;
  taken *t = handle->data;
  t->pending = t->waiters.count == 0;
  awio_waiters_wake(&t->waiters, 0);
}

static int take_over(aw_loop *loop, int number, taken **out) {
  void *uv;
  int rc = aw_engine_uv(aw_loop_engine(loop), &uv);
  if (rc < 0)
    return rc;
  taken *t = aw_allocate(sizeof *t);
  if (!t)
    return AW_ENOMEM;
  rc = uv_signal_init(uv, &t->handle);
  if (rc < 0) {
    aw_free(t);
    return rc;
  }
  t->handle.data = t;
  t->loop = loop;
  rc = sigaction(number, NULL, &t->old) < 0 ? -errno : 0;
  if (rc == 0)
    rc = uv_signal_start(&t->handle, arrived, number);
  if (rc < 0)
    uv_close((uv_handle_t *)&t->handle, free_taken);
  else
    *out = t;
  return rc;
}

/* ---- waiting ---- */

static aw_engine *engine_of(aw_task *task) {
  return aw_loop_engine(aw_task_loop(task));
}

static int signal_arm(aw_task *task, void *data) {
  int number = (int)(intptr_t)data;
  table *all = table_of(engine_of(task));
  if (!all)
    return AW_ENOMEM;
  taken **place = &all->taken[number];
  int rc = *place ? 0 : take_over(aw_task_loop(task), number, place);
  if (rc < 0)
    return rc;
  if ((*place)->pending) {
    (*place)->pending = false;
    return 1;
  }
  return awio_waiters_add(&(*place)->waiters, task);
}

static void signal_disarm(aw_task *task, void *data) {
  table *all = table_of(engine_of(task));
  awio_waiters_remove(&all->taken[(int)(intptr_t)data]->waiters, task);
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
static int check_signal(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg);
  int number = awio_signal_number(name);
  if (!awio_signal_waitable(number))
    luaL_argerror(
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
  int number = check_signal(L, 1);
  return aw_lua_await(L, &operation, (void *)(intptr_t)number, "signal",
                      after_signal);
}

static int m_Signal(lua_State *L) {
  int number = check_signal(L, 1);
  aw_lua_push_wire(L, aw_wait_for(&operation, (void *)(intptr_t)number), 0);
  return 1;
}

void awio_open_signal(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"signal", act_signal}, {"Signal", m_Signal}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
