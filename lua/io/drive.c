/* drive.c - waits for an event loop of another library, for aiowire/drive.lua
 *
 *     hub (one for each engine): prepare, timer and idle handle of libuv
 *       └─ drive ─► drive ─► …    those whose tasks wait
 *           ├ keeper: the descriptor of the other loop, watched once
 *           ├ until: when its time-out is over
 *           └ seen: the counter of steps when the wait began
 *
 *   fd is ready    the task resumes: step the other loop
 *   until is over  the same; `timer` is set for the earliest one
 *   asked          the engine is about to block, and code of Lua has run since
 *                  the wait began. That may have armed something in the other
 *                  loop, which tells its descriptor only when it is stepped. So
 *                  the task resumes, asks for the time-out, and waits again
 *
 * `prepare` runs right before libuv polls, so nothing wakes for an idle loop:
 * no timer, no poll. An engine that is never out of ready tasks does not block;
 * there the tasks are asked once a millisecond (PATIENCE). A step that has only
 * asked takes itself off the counter; else two drives would ask each other for
 * ever.
 *
 * A busy loop often has more to do right after its step. So drive_hot() looks
 * at the descriptor before anything else is asked: one system call in place of
 * the four of a wait. It leaves that off for a while (COLD steps) after a look
 * in vain, and when other tasks must have their turn [F3]. The steps of our own
 * modules know whether there is more to do; then there is no look.
 *
 * The times are real ones, as of uv_hrtime(), also if the engine's clock is
 * virtual: the other loop lives outside.
 *
 * Invariants: a drive is in the list of its hub while its task waits, and
 * `task` is valid then. The handles are closed before the memory of the hub is
 * freed [I4]; they do not keep the libuv loop alive. A drive is memory of C,
 * because the core refers to its keeper. The finalizer of its userdata frees
 * it; if Lua skips that, the end of the state does.
 *
 * Neighbours: readiness.c keeps descriptors in the same way; luv_calls.c runs
 * luv's loop.
 */
#include "io.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <uv.h>

#include <math.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>

enum { HANDLES = 3, COLD = 15 };
static const uint64_t MS = UINT64_C(1000000);
static const uint64_t PATIENCE = UINT64_C(1000000); /* ns */

typedef struct drive_hub drive_hub;

typedef struct drive {
  struct drive *next, *previous; /* in `hub` */
  drive_hub *hub;                /* in whose list it is, or NULL */
  aw_lua_held held;
  aw_keeper keeper;
  aw_task *task;
  uint64_t *steps; /* aw_lua_steps() */
  uint64_t seen;
  uint64_t until; /* or AW_NEVER */
  uint64_t began; /* when this wait began */
  int fd;         /* or -1: only a time-out */
  int events;
  bool asked; /* why the wait has ended */
  int cold;   /* so many steps are followed by no look at the descriptor */
} drive;

struct drive_hub {
  aw_closer closer; /* first */
  aw_engine *engine;
  uv_prepare_t prepare;
  uv_timer_t timer;
  uv_idle_t idle; /* active: libuv does not block in this turn */
  drive *first;
  int open; /* handles */
};

static const char *const DRIVE = "aiowire.drive";

/* ---- the list ---- */

static void look_at_drives(uv_prepare_t *prepare);

static void enter_list(drive_hub *hub, drive *d) {
  d->hub = hub;
  d->previous = NULL;
  d->next = hub->first;
  if (hub->first)
    hub->first->previous = d;
  hub->first = d;
  uv_prepare_start(&hub->prepare, look_at_drives); /* again is fine */
}

static void leave_list(drive *d) {
  drive_hub *hub = d->hub;
  if (!hub)
    return;
  *(d->previous ? &d->previous->next : &hub->first) = d->next;
  if (d->next)
    d->next->previous = d->previous;
  d->hub = NULL;
  if (hub->first)
    return;
  uv_prepare_stop(&hub->prepare);
  uv_timer_stop(&hub->timer);
}

/* ---- before libuv polls ---- */

/* libuv did not block in its last turn, and may block in this one. */
static void idle_was_seen(uv_idle_t *idle) {
  uv_idle_stop(idle);
}

/* End the wait of a drive. */
static bool wake_drive(drive *d, bool asked) {
  d->asked = asked;
  return aw_wait_interrupt(d->task, 0);
}

/* Wake the drives whose time is up. Returns when the next one is due. */
static uint64_t wake_due_drives(drive_hub *hub, uint64_t now, bool *woken) {
  uint64_t next = AW_NEVER;
  drive *following;
  for (drive *d = hub->first; d; d = following) {
    following = d->next;
    if (d->until <= now)
      *woken |= wake_drive(d, false);
    else if (d->until < next)
      next = d->until;
  }
  return next;
}

/* Wake the drives that must ask their loops. While tasks are ready, those only
 * that have waited for a while. */
static bool wake_asking_drives(drive_hub *hub, uint64_t now) {
  bool woken = false, known = false, busy = false;
  drive *following;
  for (drive *d = hub->first; d; d = following) {
    following = d->next;
    if (*d->steps == d->seen)
      continue;
    if (!known)
      busy = aw_engine_timeout(hub->engine) == 0;
    known = true;
    if (!busy || now - d->began >= PATIENCE)
      woken |= wake_drive(d, true);
  }
  return woken;
}

static void drive_timer_due(uv_timer_t *timer) {
  bool woken = false;
  wake_due_drives(timer->data, uv_hrtime(), &woken);
}

/* libuv counts in whole ms since the start of uv_hrtime(), so the time is
 * rounded up. */
static void set_drive_timer(drive_hub *hub, uint64_t next) {
  uint64_t at = next / MS + (next % MS > 0);
  uint64_t now = uv_now(hub->prepare.loop);
  uv_timer_start(&hub->timer, drive_timer_due, at > now ? at - now : 0, 0);
}

static void look_at_drives(uv_prepare_t *prepare) {
  drive_hub *hub = prepare->data;
  bool woken = false;
  uv_timer_stop(&hub->timer);
  uint64_t now = uv_hrtime();
  uint64_t next = wake_due_drives(hub, now, &woken);
  woken |= wake_asking_drives(hub, now);
  if (woken)
    uv_idle_start(&hub->idle, idle_was_seen);
  else if (next != AW_NEVER)
    set_drive_timer(hub, next);
}

/* ---- the hub ---- */

static void hub_handle_closed(uv_handle_t *handle) {
  drive_hub *hub = handle->data;
  if (--hub->open == 0)
    aw_free(hub);
}

static void close_drives(aw_closer *closer) {
  drive_hub *hub = (drive_hub *)closer;
  while (hub->first)
    leave_list(hub->first);
  uv_close((uv_handle_t *)&hub->prepare, hub_handle_closed);
  uv_close((uv_handle_t *)&hub->timer, hub_handle_closed);
  uv_close((uv_handle_t *)&hub->idle, hub_handle_closed);
}

static void open_handles(drive_hub *hub, uv_loop_t *uv) {
  uv_prepare_init(uv, &hub->prepare);
  uv_timer_init(uv, &hub->timer);
  uv_idle_init(uv, &hub->idle);
  uv_unref((uv_handle_t *)&hub->prepare);
  uv_unref((uv_handle_t *)&hub->timer);
  uv_unref((uv_handle_t *)&hub->idle);
  hub->prepare.data = hub->timer.data = hub->idle.data = hub;
  hub->open = HANDLES;
}

static int find_hub(aw_engine *engine, drive_hub **out) {
  *out = (drive_hub *)aw_engine_find_closer(engine, close_drives);
  if (*out)
    return 0;
  void *uv;
  int rc = aw_engine_uv(engine, &uv);
  if (rc < 0)
    return rc;
  drive_hub *hub = aw_allocate(sizeof *hub);
  if (!hub)
    return AW_ENOMEM;
  hub->engine = engine;
  hub->closer.close = close_drives;
  open_handles(hub, uv);
  aw_engine_add_closer(engine, &hub->closer);
  *out = hub;
  return 0;
}

/* ---- waiting ---- */

static int drive_arm(aw_task *task, void *data) {
  drive *d = data;
  drive_hub *hub;
  int rc = find_hub(aw_task_engine(task), &hub);
  if (rc == 0 && d->fd >= 0)
    rc = aw_ready_arm_kept(task, d->fd, d->events, &d->keeper);
  if (rc != 0)
    return rc;
  d->task = task;
  enter_list(hub, d);
  return 0;
}

static void drive_disarm(aw_task *task, void *data) {
  drive *d = data;
  leave_list(d);
  if (d->fd >= 0)
    aw_ready_disarm(task, d->fd);
}

static int drive_ready(aw_task *task, void *data) {
  (void)task;
  leave_list(data);
  return 1;
}

static void drive_describe(const void *data, char *out, size_t size) {
  const drive *d = data;
  if (d->fd >= 0)
    snprintf(out, size, "%d", d->fd);
  else
    snprintf(out, size, "time-out");
}

static const aw_operation drive_operation = {.label = "Drive",
                                             .arm = drive_arm,
                                             .disarm = drive_disarm,
                                             .ready = drive_ready,
                                             .external = true,
                                             .describe = drive_describe};

static drive *check_drive(lua_State *L) {
  return *(drive **)luaL_checkudata(L, 1, DRIVE);
}

static int drive_waited(lua_State *L, int result, void *data) {
  drive *d = data;
  leave_list(d); /* the wait for the descriptor may have failed */
  if (result < 0) {
    const char *about =
        d->fd < 0 ? NULL : lua_pushfstring(L, "descriptor %d", d->fd);
    return aw_lua_system_error(L, result, "Drive", about);
  }
  lua_pushboolean(L, !d->asked);
  return 1;
}

/* seconds from now, as a time of uv_hrtime() */
static uint64_t time_in(uint64_t now, lua_Number seconds) {
  static const lua_Number LONG = 1e9;
  if (!(seconds < LONG))
    return AW_NEVER;
  return now + (uint64_t)ceil(seconds * 1e9);
}

static bool is_ready_now(int fd, int events) {
  short wanted = (short)((events & AW_READABLE ? POLLIN : 0) |
                         (events & AW_WRITABLE ? POLLOUT : 0));
  struct pollfd look = {.fd = fd, .events = wanted};
  return poll(&look, 1, 0) > 0 && !(look.revents & POLLNVAL);
}

/* is_readable_now(fd) */
static int inner_is_readable_now(lua_State *L) {
  lua_pushboolean(L, is_ready_now((int)lua_tointeger(L, 1), AW_READABLE));
  return 1;
}

/* real_ns() → the time of uv_hrtime() */
static int inner_real_ns(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)uv_hrtime());
  return 1;
}

/* Is the descriptor of the last wait ready again? */
static bool look_again(drive *d) {
  if (d->fd < 0 || d->cold-- > 0)
    return false;
  bool hot = is_ready_now(d->fd, d->events);
  d->cold = hot ? 0 : COLD;
  return hot;
}

/* drive_hot(drive) → is the loop to be stepped at once? */
static int inner_drive_hot(lua_State *L) {
  bool hot = look_again(check_drive(L));
  lua_pushboolean(L, hot && aw_lua_at_once(L, "Drive"));
  return 1;
}

/* drive_wait(drive, fd or nil, events, seconds or nil, only_asked, owned) → is
 * the loop to be stepped? Else it is to be asked. With `only_asked`, this step
 * of the task has done nothing but ask. `owned`: the descriptor is sure to be
 * the one of the last wait, if it has the same number. */
static int inner_drive_wait(lua_State *L) {
  drive *d = check_drive(L);
  int fd = (int)luaL_optinteger(L, 2, -1);
  if (fd != d->fd)
    aw_ready_done(&d->keeper);
  d->fd = fd;
  d->keeper.owned = lua_toboolean(L, 6);
  d->events = (int)lua_tointeger(L, 3);
  d->began = uv_hrtime();
  d->until = lua_isnil(L, 4) ? AW_NEVER : time_in(d->began, lua_tonumber(L, 4));
  d->steps = aw_lua_steps(L);
  if (lua_toboolean(L, 5))
    --*d->steps;
  d->seen = *d->steps;
  d->asked = false;
  return aw_lua_await(L, &drive_operation, d, "Drive", drive_waited);
}

/* ---- the object ---- */

static void free_drive(aw_lua_held *held) {
  drive *d = (drive *)((char *)held - offsetof(drive, held));
  leave_list(d);
  aw_ready_done(&d->keeper);
  aw_free(d);
}

/* drive() → a drive, to be closed */
static int inner_drive(lua_State *L) {
  drive **place = lua_newuserdatauv(L, sizeof(drive *), 0);
  *place = NULL;
  luaL_setmetatable(L, DRIVE);
  drive *d = aw_allocate(sizeof *d);
  if (!d)
    return luaL_error(L, "not enough memory");
  d->held.release = free_drive;
  d->fd = -1;
  *place = d;
  aw_lua_hold(L, &d->held);
  return 1;
}

/* __gc, __close */
static int close_drive(lua_State *L) {
  drive **place = luaL_checkudata(L, 1, DRIVE);
  drive *d = *place;
  *place = NULL;
  if (d) {
    aw_lua_let_go(&d->held);
    free_drive(&d->held);
  }
  return 0;
}

/* raise_with(err, traceback): raise an error of another loop */
static int inner_raise_with(lua_State *L) {
  const char *traceback = lua_tostring(L, 2);
  lua_pushvalue(L, 1);
  return aw_lua_raise_with(L, traceback);
}

void awio_open_drive(lua_State *L) {
  static const luaL_Reg inner[] = {{"drive", inner_drive},
                                   {"is_readable_now", inner_is_readable_now},
                                   {"real_ns", inner_real_ns},
                                   {"drive_hot", inner_drive_hot},
                                   {"drive_wait", inner_drive_wait},
                                   {"raise_with", inner_raise_with},
                                   {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"__gc", close_drive}, {"__close", close_drive}, {NULL, NULL}};
  luaL_newmetatable(L, DRIVE);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
  awio_add_inner(L, inner);
}
