/* socket_object.c - functions of sockets for Lua: errors, options, readiness
 *
 * Neighbours: class.c has the class, attach.c the addresses, receive.c and
 * send.c the messages.
 */
#include "address/attach.h"
#include "address/host_name.h"
#include "security/guard.h"
#include "watch/subscribers.h"

#include <errno.h>
#include <string.h>

/* ---- errors ---- */

/* Push what the socket is, such as "ROUTER socket tcp://…". */
static const char *push_socket_about(lua_State *L, const awz_socket *s) {
  return lua_pushfstring(L, "%s socket%s%s", s->type->name,
                         *s->address ? " " : "", s->address);
}

/* Push the reason why a REQ or REP cannot send or receive now [ZQ6]. */
static const char *push_state(lua_State *L, const awz_socket *s,
                              const char *verb) {
  bool sending = strcmp(verb, "send") == 0;
  const char *state = s->type->number == AWZ_REQ
                          ? sending ? "it waits for the reply to its request"
                                    : "it has sent no request"
                      : sending ? "it has no request to reply to"
                                : "it has a request that is not replied to";
  return lua_pushfstring(L, "%s socket (%s)", s->type->name, state);
}

int awz_fail(lua_State *L, const awz_socket *s, int code, const char *verb) {
  enum { EFSM_OF_ZMQ = 156384712 + 51 };
  if (!s)
    return aw_lua_system_error(L, code, verb, "zmq socket (finalized)");
  if (code == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  if (code == AW_EBUSY)
    return awz_error(L, "tasks of another engine wait for this %s socket",
                     s->type->name);
  if (code == -EFSM_OF_ZMQ)
    push_state(L, s, verb);
  else if (code == -EMSGSIZE)
    lua_pushfstring(L, "%s socket (a message of more than %I parts)",
                    s->type->name, (LUAI_UACINT)s->max_parts);
  else
    push_socket_about(L, s);
  return aw_lua_system_error(L, code, verb, lua_tostring(L, -1));
}

/* ---- the object ---- */

awz_socket *awz_check_socket_at(lua_State *L, int arg, const char *verb) {
  awz_socket *s = awz_socket_in(&awz_check_handle(L, arg)->box);
  int rc = awz_socket_check(s);
  if (rc < 0)
    awz_fail(L, s, rc, verb);
  return s;
}

awz_socket *awz_check_socket(lua_State *L, const char *verb) {
  return awz_check_socket_at(L, 1, verb);
}

/* ---- options ---- */

static int socket_get(lua_State *L) {
  awz_socket *s = awz_check_socket(L, "get");
  lua_settop(L, 2);
  return awz_get_option(L, s);
}

static int socket_set(lua_State *L) {
  awz_socket *s = awz_check_socket(L, "set");
  aw_lua_check_any(L, 3);
  lua_settop(L, 3);
  return awz_set_option(L, s);
}

static int set_topic(lua_State *L, const char *option) {
  awz_socket *s = awz_check_socket(L, option);
  aw_lua_check_string(L, 2, NULL);
  if (s->type->number != AWZ_SUB)
    return awz_error(L, "a %s socket cannot %s", s->type->name, option);
  lua_settop(L, 2);
  lua_pushstring(L, option);
  lua_insert(L, 2);
  awz_set_option(L, s);
  lua_settop(L, 1);
  return 1;
}

static int socket_subscribe(lua_State *L) {
  return set_topic(L, "subscribe");
}

static int socket_unsubscribe(lua_State *L) {
  return set_topic(L, "unsubscribe");
}

/* s:join(group) → s, s:leave(group) → s */
static int change_group(lua_State *L, bool joins) {
  const char *verb = joins ? "join" : "leave";
  awz_socket *s = awz_check_socket(L, verb);
  size_t size;
  const char *group = aw_lua_check_string(L, 2, &size);
  if (s->type->number != AWZ_DISH)
    return awz_error(L, "a %s socket cannot %s a group", s->type->name, verb);
  aw_lua_arg_check(L, strlen(group) == size, 2,
                   "a group contains no zero byte");
  int rc = awz_raw_join(s, group, joins);
  if (rc < 0)
    return awz_fail(L, s, rc, verb);
  lua_settop(L, 1);
  return 1;
}

static int socket_join(lua_State *L) {
  return change_group(L, true);
}

static int socket_leave_group(lua_State *L) {
  return change_group(L, false);
}

/* ---- the rest ---- */

static int socket_close(lua_State *L) {
  const awz_box *box = &awz_check_handle(L, 1)->box;
  awz_use(L, box);
  awz_socket *s = awz_socket_in(box);
  if (!s)
    return 0;
  if (lua_isinteger(L, 2) && s->raw) { /* close(linger) */
    lua_settop(L, 2);
    lua_pushliteral(L, "linger");
    lua_insert(L, 2);
    awz_set_option(L, s);
  }
  awz_socket_close(s);
  return 0;
}

/* ---- readiness, for aw.readable and Poller ---- */

static int arm_for(aw_task *task, const awz_box *box, int events) {
  awz_socket *s = awz_socket_in(box);
  int rc = awz_socket_check(s);
  if (rc < 0)
    return rc;
  awz_host_attend(s, task);
  awz_subscribers_read(s);
  return aw_zmq_arm(task, s->ready, events);
}

static int arm_readable(aw_task *task, void *data) {
  return arm_for(task, data, AW_READABLE);
}

static int arm_writable(aw_task *task, void *data) {
  return arm_for(task, data, AW_WRITABLE);
}

static int arm_either(aw_task *task, void *data) {
  return arm_for(task, data, AW_READABLE | AW_WRITABLE);
}

static void ready_disarm(aw_task *task, void *data) {
  aw_zmq_disarm(task, awz_socket_in(data)->ready);
}

static void ready_describe(const void *data, char *out, size_t size) {
  awz_describe(data, out, size);
}

#define OPERATION(name, how) \
  { \
    .label = (name), .arm = (how), .disarm = ready_disarm, .external = true, \
    .describe = ready_describe \
  }
static const aw_operation ready_operations[] = {
    [AW_READABLE] = OPERATION("readable", arm_readable),
    [AW_WRITABLE] = OPERATION("writable", arm_writable),
    [AW_READABLE | AW_WRITABLE] = OPERATION("ready", arm_either),
};

static const aw_operation *source_ready(lua_State *L, int index, int events,
                                        void **data) {
  awz_box *box = &awz_check_handle(L, index)->box;
  awz_use(L, box);
  *data = box;
  return &ready_operations[events];
}

static int source_fd(lua_State *L, int index) {
  const awz_socket *s = awz_socket_in(&awz_check_handle(L, index)->box);
  if (!s)
    return awz_fail(L, NULL, AW_ECLOSED, "poll");
  return aw_zmq_fd(s->ready);
}

const aw_lua_source awz_source = {.recv = awz_make_recv,
                                  .send = awz_make_send,
                                  .ready = source_ready,
                                  .fd = source_fd};

/* bound(s, address) → whether a socket of the context of `s` is bound to this
 * inproc name */
static int socket_bound(lua_State *L) {
  const awz_socket *s = awz_socket_in(&awz_check_handle(L, 1)->box);
  const char *address = aw_lua_check_string(L, 2, NULL);
  lua_pushboolean(L, s && awz_is_bound_local(s->context, address));
  return 1;
}

/* without_watch(s), before the first bind or connect: nobody will ask for its
 * events or peers */
static int socket_without_watch(lua_State *L) {
  awz_socket *s = awz_socket_in(&awz_check_handle(L, 1)->box);
  if (s)
    s->unwatched = true;
  return 0;
}

static int fail_poll(lua_State *L, int result, void *data) {
  return awz_fail(L, awz_socket_in(data), result ? result : AW_ECLOSED, "poll");
}

/* events(s) → the events it is ready for now, as bits. Closed is raised as by
 * an await: if the task is cancelled, Cancelled comes first [C2]. */
static int socket_events(lua_State *L) {
  awz_box *box = &awz_check_handle(L, 1)->box;
  awz_use(L, box);
  awz_socket *s = awz_socket_in(box);
  int events = awz_socket_check(s);
  if (events == 0) {
    awz_subscribers_read(s);
    events = aw_zmq_events(s->ready);
  }
  lua_settop(L, 1);
  lua_pushinteger(L, events);
  if (events >= 0)
    return 1;
  bool at_once = !aw_lua_may_await(L) || aw_lua_at_once(L, "socket:poll");
  if (events == AW_ECLOSED && !at_once)
    return aw_lua_await(L, NULL, box, "socket:poll", fail_poll);
  return awz_fail(L, awz_socket_in(box), events, "poll");
}

/* ready(s, events) → a Wire */
static int make_ready(lua_State *L) {
  awz_handle *handle = awz_check_handle(L, 1);
  const aw_operation *operation = &ready_operations[lua_tointeger(L, 2)];
  aw_lua_push_wire(L, aw_wait_for(operation, &handle->box), 1);
  return 1;
}

static int turn_over(lua_State *L, int result, void *data) {
  (void)L;
  (void)result;
  (void)data;
  return 0;
}

/* turn(): let other tasks run if this one has used up its budget [F3] */
static int take_turn(lua_State *L) {
  if (!aw_lua_may_await(L) || aw_lua_at_once(L, "socket:poll"))
    return 0;
  return aw_lua_await(L, NULL, NULL, "socket:poll", turn_over);
}

/* ---- making a socket ---- */

int awz_usual_context(lua_State *L, awz_context **out) {
  awz_home *home = awz_home_of(L);
  if (home->usual && home->usual->forks != aw_zmq_forks()) {
    awz_context_release(home->usual); /* belongs to the parent process */
    home->usual = NULL;
  }
  int rc = 0;
  if (!home->usual)
    rc = awz_context_new(home, 1, &home->usual);
  *out = home->usual;
  return rc;
}

/* (socket, name, value) */
static int apply_option(lua_State *L) {
  return awz_set_option(L, awz_check_socket(L, "set"));
}

/* (socket, options) */
static int apply_options(lua_State *L) {
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    lua_pushcfunction(L, apply_option);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -4);
    lua_pushvalue(L, -4);
    bool is_option = lua_type(L, -2) != LUA_TSTRING ||
                     strcmp(lua_tostring(L, -2), "context") != 0;
    if (is_option)
      lua_call(L, 3, 0);
    lua_settop(L, 3); /* keep the name for lua_next() */
  }
  return 0;
}

/* EMFILE may mean the limit of the context (max_sockets) or that of the process
 * (descriptors). */
static int fail_open(lua_State *L, const awz_context *context,
                     const awz_type *type, int code) {
  if (code == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  if (code == -EMFILE && context && awz_room_for_files() == 0)
    lua_pushfstring(L,
                    "%s socket (its context has %d at most: close some, or "
                    "use zmq.context{ max_sockets = ... })",
                    type->name, awz_socket_limit(context));
  else
    lua_pushfstring(L, "%s socket", type->name);
  return aw_lua_system_error(L, code, "open", lua_tostring(L, -1));
}

/* Set the options at `arg`; the socket is on top. An error closes the socket
 * and is raised again. */
static void set_options(lua_State *L, awz_socket *s, int arg) {
  lua_pushcfunction(L, apply_options);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, arg);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK)
    return;
  awz_socket_close(s);
  lua_error(L);
}

/* Bytes that a socket counts for the garbage collector: two descriptors, the
 * queues of libzmq. It is an estimate, so that sockets that nobody closes are
 * collected before they become many. */
enum { WEIGHT = 64 * 1024 };

/* Push a socket of the context at `at` (0: the default context), with the type
 * and the options at `arg` and after it. The context is read last, since a
 * finalizer may close it. */
static int new_socket(lua_State *L, int at, int arg) {
  const awz_type *type = awz_check_type(L, arg);
  bool has_options = !lua_isnoneornil(L, arg + 1);
  if (has_options)
    aw_lua_check_type(L, arg + 1, LUA_TTABLE);
  awz_box *box = awz_push_socket(L);
  aw_lua_weigh(L, WEIGHT);
  awz_socket *s = NULL;
  awz_context *context = at ? awz_check_context(L, at, "open") : NULL;
  int rc = context ? 0 : awz_usual_context(L, &context);
  if (rc == 0)
    rc = awz_socket_new(context, type, aw_lua_place(L), &s);
  if (rc < 0)
    return fail_open(L, context, type, rc);
  awz_fill_socket(L, box, s);
  if (has_options)
    set_options(L, s, arg + 1);
  return 1;
}

/* zmq.socket(type [, options]) */
static int m_socket(lua_State *L) {
  enum { CONTEXT = 3 };
  lua_settop(L, 2);
  bool has_one = lua_istable(L, 2) && lua_getfield(L, 2, "context") != LUA_TNIL;
  if (has_one && !awz_box_at(L, CONTEXT, AWZ_CONTEXT_CLASS))
    return awz_error(L, "bad option 'context' (zmq context expected, got %s)",
                     aw_lua_type_name(L, CONTEXT));
  return new_socket(L, has_one ? CONTEXT : 0, 1);
}

/* ctx:socket(type [, options]) */
int awz_context_socket(lua_State *L) {
  awz_check_context(L, 1, "open");
  lua_settop(L, 3);
  return new_socket(L, 1, 2);
}

static const luaL_Reg methods[] = {{"subscribe", socket_subscribe},
                                   {"unsubscribe", socket_unsubscribe},
                                   {"join", socket_join},
                                   {"leave", socket_leave_group},
                                   {"get", socket_get},
                                   {"set", socket_set},
                                   {"close", socket_close},
                                   {NULL, NULL}};

/* For aiowire/zmq_methods.lua, which builds methods from them. They have no
 * names of their own: errors name the method. */
static const luaL_Reg functions[] = {{"events", socket_events},
                                     {"ready", make_ready},
                                     {"turn", take_turn},
                                     {"bound", socket_bound},
                                     {"without_watch", socket_without_watch},
                                     {NULL, NULL}};

/* [module] → [module], with the functions above and the table `methods` */
void awz_open_socket(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  luaL_setfuncs(L, awz_bind_functions, 0);
  aw_lua_push_function(L, m_socket, 0, "socket");
  lua_setfield(L, -2, "socket");
  lua_newtable(L);
  aw_lua_set_functions(L, methods, 0);
  aw_lua_set_functions(L, awz_attach_methods, 0);
  aw_lua_set_functions(L, awz_receive_methods, 0);
  aw_lua_set_functions(L, awz_send_methods, 0);
  awz_open_class(L);
  lua_setfield(L, -2, "methods");
}
