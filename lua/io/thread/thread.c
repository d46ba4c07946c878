/* thread.c - the life of a worker; see thread.h
 *
 *     on the worker's thread                        by any thread
 *     ──────────────────────                        ─────────────
 *     run(): make the state
 *       work(): aiowire/thread.lua: a loop
 *         begin(): the watch of its engine  ◄─────── awio_thread_cancel()
 *         main()
 *       keep the end, close the state
 *       `ended`
 *       over: end the waits          ─────────────►  tickets of the waiters
 *
 * The watch is an async of the worker's engine. It stops the loop that it was
 * made for, on the worker's thread, when the worker is cancelled.
 *
 * `lock` guards what other threads read or call: the watch, the interrupts,
 * the line, and the flags. Once `over` is set, the rest does not change.
 *
 * More than 500 lines: struct awio_thread is known only here.
 */
#include "thread/thread.h"

#include "base/engine_async.h"
#include "base/system.h"
#include "io.h"
#include "thread/line.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The addresses are registry keys: of the worker, and of `inner.part`. */
static const char HERE_KEY = 'h', PART_KEY = 'p';

enum { STACK = 8 * 1024 * 1024 }; /* only what is touched costs memory */

typedef struct watch {
  awio_async async; /* first */
  awio_thread *thread;
  aw_loop *loop; /* NULL: its run has ended */
} watch;

struct awio_thread {
  atomic_uint refs;
  awio_thread_settings *settings;
  awio_thread_plan plan;
  unsigned number;
  unsigned forks; /* aw_forks() when it was made */
  char name[64];
  pthread_t id;
  awio_thread_end end;
  pthread_mutex_t lock;
  pthread_cond_t quiet;          /* it is over */
  watch *watch;                  /* or NULL */
  aw_lua_interrupts *interrupts; /* or NULL */
  awio_line line;
  bool cancelled, pressed, over;
  bool joined; /* or somebody does it */
};

static atomic_uint last_number;
static atomic_size_t running;

size_t awio_thread_count(void) {
  return atomic_load(&running);
}

/* ---- references ---- */

/* Is it a worker of the parent of this process? */
static bool is_lost(const awio_thread *t) {
  return t->forks != aw_forks();
}

awio_thread *awio_thread_keep(awio_thread *t) {
  atomic_fetch_add(&t->refs, 1);
  return t;
}

void awio_thread_release(awio_thread *t) {
  if (!t || atomic_fetch_sub(&t->refs, 1) > 1)
    return;
  if (!is_lost(t)) {
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->quiet);
  }
  awio_settings_release(t->settings);
  awio_message_free(t->end.message);
  aw_free(t->end.traceback);
  aw_free(t);
}

const char *awio_thread_name(const awio_thread *t) {
  return t->name;
}

unsigned awio_thread_number(const awio_thread *t) {
  return t->number;
}

/* ---- cancels ---- */

void awio_thread_calm(awio_thread *t) {
  pthread_mutex_lock(&t->lock);
  if (t->interrupts)
    aw_lua_interrupts_clear(t->interrupts);
  pthread_mutex_unlock(&t->lock);
}

static bool is_pressed(awio_thread *t) {
  pthread_mutex_lock(&t->lock);
  bool pressed = t->pressed;
  pthread_mutex_unlock(&t->lock);
  return pressed;
}

/* The cancel has arrived: clean-up is not disturbed by its interrupt. */
static void on_cancel(uv_async_t *async) {
  watch *w = async->data;
  if (w->loop)
    aw_loop_stop(w->loop, is_pressed(w->thread));
  awio_thread_calm(w->thread);
}

static void watched_loop_ended(aw_closer *closer, aw_loop *loop) {
  watch *w = (watch *)closer;
  if (w->loop == loop)
    w->loop = NULL;
}

static void close_cancel_watch(aw_closer *closer) {
  watch *w = (watch *)closer;
  pthread_mutex_lock(&w->thread->lock);
  w->thread->watch = NULL;
  pthread_mutex_unlock(&w->thread->lock);
  awio_async_close(&w->async);
}

static int make_cancel_watch(awio_thread *t, aw_loop *loop) {
  awio_async *async;
  int rc = awio_async_new(aw_loop_engine(loop), sizeof(watch), on_cancel,
                          close_cancel_watch, &async);
  if (rc < 0)
    return rc;
  watch *w = (watch *)async;
  async->closer.ended = watched_loop_ended;
  w->thread = t;
  w->loop = loop;
  pthread_mutex_lock(&t->lock);
  t->watch = w;
  bool cancelled = t->cancelled;
  pthread_mutex_unlock(&t->lock);
  if (cancelled)
    aw_loop_stop(loop, false);
  return 0;
}

/* Call it with the lock. */
static void send_interrupt(awio_thread *t) {
  if (t->interrupts)
    aw_lua_interrupts_send(t->interrupts);
}

void awio_thread_interrupt(awio_thread *t) {
  if (is_lost(t))
    return;
  pthread_mutex_lock(&t->lock);
  send_interrupt(t);
  pthread_mutex_unlock(&t->lock);
}

static void stop_worker(awio_thread *t, bool hard) {
  if (is_lost(t))
    return;
  pthread_mutex_lock(&t->lock);
  t->cancelled = true;
  t->pressed |= hard;
  if (t->watch)
    uv_async_send(&t->watch->async.handle);
  send_interrupt(t);
  pthread_mutex_unlock(&t->lock);
}

void awio_thread_cancel(awio_thread *t) {
  stop_worker(t, false);
}

void awio_thread_press(awio_thread *t) {
  stop_worker(t, true);
}

static bool is_cancelled(awio_thread *t) {
  pthread_mutex_lock(&t->lock);
  bool cancelled = t->cancelled;
  pthread_mutex_unlock(&t->lock);
  return cancelled;
}

/* ---- the worker ---- */

awio_thread *awio_thread_here(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &HERE_KEY);
  awio_thread *t = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return t;
}

/* thread_begin(): let cancels reach the loop of the running task. Returns
 * whether the worker is cancelled already. */
static int inner_thread_begin(lua_State *L) {
  awio_thread *t = awio_thread_here(L);
  aw_loop *loop = aw_task_loop(aw_lua_task(L, "thread"));
  int rc = make_cancel_watch(t, loop);
  if (rc < 0)
    return aw_lua_system_error(L, rc, "thread", t->name);
  lua_pushboolean(L, is_cancelled(t));
  return 1;
}

/* (light end, values …): keep the values as the results. */
static int keep_results(lua_State *L) {
  awio_thread_end *end = lua_touserdata(L, 1);
  end->message = awio_message_new(L, 2, lua_gettop(L) - 1, "result", 1);
  return 0;
}

/* Keep the error at `index` with its traceback, a string, behind it. */
static void keep_error(lua_State *L, awio_thread_end *end, int index) {
  const char *traceback = lua_tostring(L, index + 1);
  end->fate = AWIO_THREAD_FAILED;
  end->message = awio_message_of_error(L, index);
  end->traceback = traceback ? aw_allocate(strlen(traceback) + 1) : NULL;
  if (end->traceback)
    strcpy(end->traceback, traceback);
  if (!end->message)
    end->fate = AWIO_THREAD_STARVED;
}

/* Keep the results at 2 and up. What cannot be copied is the worker's error. */
static void keep_all(lua_State *L, awio_thread *t) {
  t->end.fate = AWIO_THREAD_DONE;
  if (t->plan.no_results)
    return;
  lua_pushcfunction(L, keep_results);
  lua_replace(L, 1);
  lua_pushlightuserdata(L, &t->end);
  lua_insert(L, 2);
  int status = lua_pcall(L, lua_gettop(L) - 1, 0, 0);
  if (status == LUA_OK)
    return;
  if (status == LUA_ERRRUN)
    lua_pushfstring(L, "thread %d '%s': %s", (int)t->number, t->name,
                    lua_tostring(L, -1));
  lua_pushnil(L);
  keep_error(L, &t->end, lua_gettop(L) - 1);
}

/* Is the error at `index` the interrupt of a cancel? */
static bool is_interrupt(lua_State *L, int index) {
  static const char TEXT[] = "interrupted!";
  size_t size, length = sizeof TEXT - 1;
  const char *text = lua_tolstring(L, index, &size);
  return text && size >= length && strcmp(text + size - length, TEXT) == 0;
}

/* Keep what thread.lua returned: how the loop ended, and with what. */
static void keep_end(lua_State *L, awio_thread *t) {
  const char *how = lua_tostring(L, 1);
  if (strcmp(how, "done") == 0) {
    keep_all(L, t);
  } else if (strcmp(how, "exited") == 0) {
    t->end.fate = AWIO_THREAD_EXITED;
    t->end.code = (int)lua_tointeger(L, 2);
  } else if (strcmp(how, "cancelled") == 0 ||
             (is_cancelled(t) && is_interrupt(L, 2))) {
    t->end.fate = AWIO_THREAD_CANCELLED;
  } else {
    keep_error(L, &t->end, 2);
  }
}

/* (light thread): run the worker, in protected mode. */
static int work(lua_State *L) {
  awio_thread *t = lua_touserdata(L, 1);
  lua_pushvalue(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &HERE_KEY);
  lua_settop(L, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &PART_KEY);
  lua_pushliteral(L, "aiowire.thread");
  lua_call(L, 1, 1);
  lua_pushstring(L, t->name);
  lua_pushcfunction(L, t->plan.main);
  lua_pushlightuserdata(L, t->plan.data);
  lua_call(L, 3, LUA_MULTRET);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  keep_end(L, t);
  return 0;
}

static void set_interrupts(awio_thread *t, aw_lua_interrupts *interrupts) {
  pthread_mutex_lock(&t->lock);
  t->interrupts = interrupts;
  pthread_mutex_unlock(&t->lock);
}

static void work_in(lua_State *L, awio_thread *t) {
  aw_lua_interrupts *interrupts = NULL;
  lua_pushcfunction(L, work);
  lua_pushlightuserdata(L, t);
  if (aw_lua_interrupts_open(L, &interrupts) < 0)
    interrupts = NULL; /* then a busy body is waited for */
  set_interrupts(t, interrupts);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    lua_pushnil(L);
    keep_error(L, &t->end, lua_gettop(L) - 1);
  }
  set_interrupts(t, NULL);
  aw_lua_interrupts_close(interrupts);
}

static void end_thread_of(awio_thread *t) {
  if (t->plan.ended)
    t->plan.ended(t, t->plan.data);
  pthread_mutex_lock(&t->lock);
  t->over = true;
  awio_line_end(&t->line, 0);
  pthread_cond_broadcast(&t->quiet);
  pthread_mutex_unlock(&t->lock);
  atomic_fetch_sub(&running, 1);
  awio_thread_release(t);
}

/* Both the worker and who has made it note the thread: either may need it
 * first. */
static void note_thread(awio_thread *t, pthread_t id) {
  pthread_mutex_lock(&t->lock);
  t->id = id;
  pthread_mutex_unlock(&t->lock);
}

static void *run_worker(void *data) {
  awio_thread *t = data;
  void *memo;
  note_thread(t, pthread_self());
  t->end.fate = AWIO_THREAD_STARVED;
  lua_State *L = awio_settings_open_state(t->settings, &memo);
  if (L) {
    work_in(L, t);
    awio_settings_close_state(t->settings, L, memo);
  }
  end_thread_of(t);
  return NULL;
}

/* ---- starting ---- */

static int make_thread_of(awio_thread *t) {
  pthread_attr_t attributes;
  pthread_t id;
  int rc = pthread_attr_init(&attributes);
  if (rc != 0)
    return -rc;
  pthread_attr_setstacksize(&attributes, STACK);
  rc = awio_make_thread(&id, &attributes, run_worker, t);
  pthread_attr_destroy(&attributes);
  if (rc == 0)
    note_thread(t, id);
  return rc;
}

int awio_thread_start(awio_thread_settings *settings,
                      const awio_thread_plan *plan, awio_thread **out) {
  awio_thread *t = aw_allocate(sizeof *t);
  if (!t)
    return AW_ENOMEM;
  atomic_init(&t->refs, 3); /* the caller's, the thread's, and ours */
  t->settings = awio_settings_keep(settings);
  t->plan = *plan;
  t->plan.name = NULL;
  t->number = atomic_fetch_add(&last_number, 1) + 1;
  t->forks = aw_forks();
  snprintf(t->name, sizeof t->name, "%s", plan->name ? plan->name : "?");
  pthread_mutex_init(&t->lock, NULL);
  awio_make_condition(&t->quiet);
  awio_line_init(&t->line);
  awio_thread *before = *out;
  *out = t;
  atomic_fetch_add(&running, 1);
  int rc = make_thread_of(t);
  if (rc < 0) {
    *out = before;
    atomic_fetch_sub(&running, 1);
    awio_thread_release(t);
    awio_thread_release(t);
  }
  awio_thread_release(t);
  return rc;
}

/* ---- the end ---- */

awio_thread_fate awio_thread_fate_of(awio_thread *t) {
  if (is_lost(t))
    return AWIO_THREAD_LOST;
  pthread_mutex_lock(&t->lock);
  awio_thread_fate fate = t->over ? t->end.fate : AWIO_THREAD_RUNS;
  pthread_mutex_unlock(&t->lock);
  return fate;
}

const awio_thread_end *awio_thread_end_of(awio_thread *t) {
  return &t->end;
}

bool awio_thread_await_end(awio_thread *t, uint64_t most_ms) {
  if (is_lost(t))
    return true;
  struct timespec at = awio_time_in(most_ms);
  int rc = 0;
  pthread_mutex_lock(&t->lock);
  while (!t->over && rc == 0)
    rc = pthread_cond_timedwait(&t->quiet, &t->lock, &at);
  bool over = t->over;
  pthread_mutex_unlock(&t->lock);
  return over;
}

/* Returns true for the first caller, who has the thread then. */
static bool take_thread(awio_thread *t) {
  if (is_lost(t))
    return false;
  pthread_mutex_lock(&t->lock);
  bool first = !t->joined;
  t->joined = true;
  pthread_mutex_unlock(&t->lock);
  return first;
}

void awio_thread_join(awio_thread *t) {
  if (take_thread(t))
    pthread_join(t->id, NULL);
}

void awio_thread_leave(awio_thread *t) {
  if (take_thread(t))
    pthread_detach(t->id);
}

/* ---- waiting ---- */

static int end_arm(aw_task *task, void *data) {
  awio_thread *t = data;
  if (is_lost(t))
    return 1;
  pthread_mutex_lock(&t->lock);
  int rc = t->over ? 1 : awio_line_join(&t->line, task);
  pthread_mutex_unlock(&t->lock);
  return rc;
}

static void end_disarm(aw_task *task, void *data) {
  awio_thread *t = data;
  if (is_lost(t))
    return;
  pthread_mutex_lock(&t->lock);
  awio_line_leave(&t->line, task);
  pthread_mutex_unlock(&t->lock);
}

static void describe_thread(const void *data, char *out, size_t size) {
  const awio_thread *t = data;
  snprintf(out, size, "%u '%s'", t->number, t->name);
}

const aw_operation awio_wait_thread = {.label = "thread:wait",
                                       .arm = end_arm,
                                       .disarm = end_disarm,
                                       .external = true,
                                       .describe = describe_thread};

/* Push the traceback of the worker, and how it is connected with ours. */
static void push_worker_traceback(lua_State *L, const awio_thread *t) {
  const char *text = t->end.traceback, *where = aw_lua_where(L);
  lua_pushfstring(L, "%s\n\tin thread %d '%s'",
                  text ? text : "stack traceback:", (int)t->number, t->name);
  if (*where == '?')
    return;
  lua_pushfstring(L, ", awaited at %s", where);
  lua_concat(L, 2);
}

int awio_thread_raise(lua_State *L, awio_thread *t, int maker) {
  switch (awio_thread_fate_of(t)) {
  case AWIO_THREAD_FAILED:
    push_worker_traceback(L, t);
    awio_message_push(L, t->end.message);
    return aw_lua_raise_with(L, lua_tostring(L, -2));
  case AWIO_THREAD_CANCELLED:
    lua_pushvalue(L, maker);
    lua_call(L, 0, 1);
    return lua_error(L);
  case AWIO_THREAD_EXITED:
    return aw_lua_error(L, "thread %d '%s' was ended by os.exit(%d)",
                        (int)t->number, t->name, t->end.code);
  case AWIO_THREAD_LOST:
    return aw_lua_system_error(L, AW_EFORKED, "wait", t->name);
  default:
    return aw_lua_error(L, "not enough memory for thread %d '%s'",
                        (int)t->number, t->name);
  }
}

/* ---- opening ---- */

void awio_open_thread_life(lua_State *L) {
  static const luaL_Reg inner[] = {{"thread_begin", inner_thread_begin},
                                   {NULL, NULL}};
  lua_getfield(L, -2, "part");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &PART_KEY);
  awio_add_inner(L, inner);
}
