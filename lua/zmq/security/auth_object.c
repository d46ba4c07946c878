/* auth_object.c - zmq.auth{...}, and its methods
 *
 *     the authenticator ─┬─► awz_auth ─► awz_zap ◄─ the thread of the context
 *     its asker ─────────┘
 *
 * With a handler or `on_denied`, aiowire/zmq_auth.lua runs a background task
 * that receives notices by the asker. The asker is a userdata of its own, so
 * the task does not keep the authenticator from being collected. An
 * authenticator that is collected closes.
 *
 * Invariant: `context` is set while the authenticator is open. In a forked
 * child it belongs to the parent, and nothing of `zap` is touched.
 */
#include "security/auth_object.h"

#include "base/waiters.h"
#include "context/classes.h"
#include "context/failure.h"
#include "context/shared.h"
#include "security/auth_options.h"
#include "security/guard.h"
#include "security/zap.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const AUTH_CLASS = "zmq authenticator";
static const char *const ASKER_CLASS = "aiowire.zmq.asker";

typedef struct awz_auth {
  awz_zap *zap;
  awz_context *context; /* referenced; NULL: not open yet, or closed */
  unsigned forks;       /* aw_zmq_forks() when it was made */
  unsigned refs;        /* of the two userdata */
  awio_waiters waiters; /* tasks that wait for notices */
  aw_lua_held held;     /* for a lost finalizer of the authenticator */
  aw_lua_held asker_held;
} awz_auth;

static bool is_of_parent(const awz_auth *auth) {
  return auth->forks != aw_zmq_forks();
}

/* ---- closing ---- */

/* A task whose wait has failed is still in the list, until it runs. */
static void wake_waiters(awz_auth *auth) {
  while (auth->waiters.count > 0) {
    aw_task *task = auth->waiters.tasks[0];
    if (!aw_wait_interrupt(task, 0)) /* its `disarm` takes it out */
      awio_waiters_remove(&auth->waiters, task);
  }
}

static void auth_close(awz_auth *auth) {
  awz_context *context = auth->context;
  auth->context = NULL;
  if (!context)
    return;
  if (context->zap == auth->zap) {
    context->zap = NULL;
    awz_shared_answers(context->shared, -1);
  }
  wake_waiters(auth);
  if (!is_of_parent(auth))
    awz_zap_close(auth->zap, context);
  awz_context_release(context);
}

static void auth_release(awz_auth *auth) {
  if (--auth->refs > 0)
    return;
  if (auth->zap && !is_of_parent(auth))
    awz_zap_release(auth->zap);
  awio_waiters_free(&auth->waiters);
  aw_free(auth);
}

static void release_lost_auth(aw_lua_held *held) {
  awz_auth *auth = (awz_auth *)((char *)held - offsetof(awz_auth, held));
  auth_close(auth);
  auth_release(auth);
}

static void release_lost_asker(aw_lua_held *held) {
  auth_release((awz_auth *)((char *)held - offsetof(awz_auth, asker_held)));
}

/* ---- the objects ---- */

static awz_box *check_auth_box(lua_State *L) {
  awz_box *box = awz_box_at(L, 1, AUTH_CLASS);
  if (!box)
    aw_lua_type_error(L, 1, AUTH_CLASS);
  return box;
}

static awz_auth *check_open_auth(lua_State *L, const char *verb) {
  awz_auth *auth = check_auth_box(L)->object;
  if (auth && is_of_parent(auth))
    aw_lua_system_error(L, AW_EFORKED, verb, AUTH_CLASS);
  if (!auth || !auth->context || awz_zap_is_closed(auth->zap))
    aw_lua_system_error(L, AW_ECLOSED, verb, AUTH_CLASS);
  return auth;
}

static int auth_object_close(lua_State *L) {
  awz_auth *auth = check_auth_box(L)->object;
  if (auth)
    auth_close(auth);
  return 0;
}

static int auth_gc(lua_State *L) {
  awz_box *box = lua_touserdata(L, 1);
  awz_auth *auth = box->object;
  box->object = NULL;
  if (auth) {
    aw_lua_let_go(&auth->held);
    auth_close(auth);
    auth_release(auth);
  }
  return 0;
}

static int asker_gc(lua_State *L) {
  awz_box *box = lua_touserdata(L, 1);
  awz_auth *auth = box->object;
  if (auth) {
    aw_lua_let_go(&auth->asker_held);
    wake_waiters(auth);
    box->object = NULL;
    auth_release(auth);
  }
  return 0;
}

static int auth_tostring(lua_State *L) {
  const awz_auth *auth = check_auth_box(L)->object;
  bool open = auth && auth->context && !is_of_parent(auth) &&
              !awz_zap_is_closed(auth->zap);
  lua_pushfstring(L, "%s (%s)", AUTH_CLASS, open ? "open" : "closed");
  return 1;
}

/* ---- keys ---- */

static int change_key(lua_State *L, const char *verb,
                      int (*change)(awz_zap *, const unsigned char *)) {
  unsigned char key[AWZ_KEY_BYTES];
  check_auth_box(L);
  if (lua_type(L, 2) != LUA_TSTRING)
    aw_lua_type_error(L, 2, "string");
  if (!awz_read_auth_key(L, 2, key))
    aw_lua_arg_error(L, 2,
                     "a public key has 40 characters of Z85, or 32 bytes");
  const awz_auth *auth = check_open_auth(L, verb);
  awz_check_memory(L, change(auth->zap, key));
  return 0;
}

static int auth_allow_key(lua_State *L) {
  return change_key(L, "allow", awz_zap_allow_key);
}

static int auth_deny_key(lua_State *L) {
  return change_key(L, "deny", awz_zap_deny_key);
}

/* ---- options ---- */

/* Push the function in option `name`, or nil. */
static bool push_callable(lua_State *L, const char *name) {
  int type = lua_getfield(L, 1, name);
  bool callable = type == LUA_TFUNCTION;
  if (!callable && luaL_getmetafield(L, -1, "__call") != LUA_TNIL) {
    lua_pop(L, 1);
    callable = true;
  }
  if (!callable && type != LUA_TNIL)
    aw_lua_bad_option(L, name, "function");
  return callable;
}

static awz_context *read_context(lua_State *L) {
  awz_context *context = NULL;
  if (lua_getfield(L, 1, "context") == LUA_TNIL) {
    int rc = awz_usual_context(L, &context);
    if (rc < 0)
      awz_raise(L, rc, "open", AUTH_CLASS);
  } else {
    const awz_box *box = awz_box_at(L, -1, AWZ_CONTEXT_CLASS);
    if (!box)
      aw_lua_bad_option(L, "context", AWZ_CONTEXT_CLASS);
    context = box->object;
    if (!context)
      aw_lua_system_error(L, AW_ECLOSED, "open", AUTH_CLASS);
  }
  lua_pop(L, 1);
  return context;
}

/* ---- making ---- */

static awz_box *push_box(lua_State *L, const char *class) {
  awz_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (awz_box){class, NULL};
  luaL_setmetatable(L, class);
  return box;
}

/* Push an authenticator without rules. */
static awz_auth *push_auth(lua_State *L) {
  awz_box *box = push_box(L, AUTH_CLASS);
  awz_auth *auth = aw_allocate(sizeof *auth);
  if (!auth)
    awz_raise(L, AW_ENOMEM, "open", AUTH_CLASS);
  auth->refs = 1;
  auth->forks = aw_zmq_forks();
  auth->held.release = release_lost_auth;
  box->object = auth;
  aw_lua_hold(L, &auth->held);
  int rc = awz_zap_new(&auth->zap);
  if (rc < 0)
    awz_raise(L, rc, "open", AUTH_CLASS);
  return auth;
}

static void open_auth(lua_State *L, awz_auth *auth, awz_context *context,
                      bool tells) {
  int rc = awz_zap_open(auth->zap, context, tells);
  if (rc == -EADDRINUSE)
    aw_lua_system_error(L, rc, "open",
                        "zmq authenticator (its context has one)");
  if (rc < 0)
    awz_raise(L, rc, "open", AUTH_CLASS);
  context->refs++;
  context->zap = auth->zap;
  awz_shared_answers(context->shared, 1);
  auth->context = context;
  awz_guard_answered(context);
}

/* [options, auth, handler, on_denied]: let a task serve the notices. */
static void serve_notices(lua_State *L, awz_auth *auth) {
  lua_getfield(L, lua_upvalueindex(1), "serve_auth");
  awz_box *box = push_box(L, ASKER_CLASS);
  auth->refs++;
  box->object = auth;
  auth->asker_held.release = release_lost_asker;
  aw_lua_hold(L, &auth->asker_held);
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 4);
  lua_pushstring(L, aw_lua_where(L));
  lua_call(L, 4, 0);
}

/* zmq.auth{...}. Its upvalue is the table of functions for parts in Lua. */
static int new_auth(lua_State *L) {
  static const char *const known[] = {"curve",   "plain",     "allow",
                                      "deny",    "domain",    "handler",
                                      "context", "on_denied", NULL};
  aw_lua_check_type(L, 1, LUA_TTABLE);
  aw_lua_check_options(L, 1, known, false);
  lua_settop(L, 1);
  (void)read_context(L); /* loads libzmq, which decodes keys */
  awz_auth *auth = push_auth(L);
  awz_rules *rules = awz_zap_rules(auth->zap);
  rules->asks = push_callable(L, "handler");
  bool tells = push_callable(L, "on_denied");
  awz_read_auth_rules(L, rules);
  if (rules->asks || tells)
    serve_notices(L, auth);
  open_auth(L, auth, read_context(L), tells);
  lua_settop(L, 2);
  return 1;
}

/* ---- notices, for aiowire/zmq_auth.lua ---- */

typedef struct boxed_notice {
  aw_lua_value value; /* first */
  awz_zap_notice *notice;
} boxed_notice;

static void set_text_field(lua_State *L, const char *name,
                           const awz_text *text) {
  lua_pushlstring(L, text->data, text->size);
  lua_setfield(L, -2, name);
}

/* Push what a handler, or `on_denied`, gets to see. */
static void push_auth_request(lua_State *L, const awz_zap_notice *notice) {
  enum { FIELDS = 6 };
  const awz_request *r = &notice->request;
  lua_createtable(L, 0, FIELDS);
  set_text_field(L, "mechanism", &r->mechanism);
  set_text_field(L, "address", &r->address);
  set_text_field(L, "domain", &r->domain);
  set_text_field(L, "identity", &r->identity);
  if (r->kind == AWZ_PLAIN)
    set_text_field(L, "username", &r->username);
  if (r->kind == AWZ_PLAIN && !notice->why)
    set_text_field(L, "password", &r->password);
  if (r->kind == AWZ_CURVE) {
    char text[AWZ_KEY_SIZE];
    awz_raw_encode_key(text, r->key);
    lua_pushstring(L, text);
    lua_setfield(L, -2, "key");
  }
}

/* Push the request, and the number of the question or the reason of a denial.
 */
static int push_notice(lua_State *L, aw_lua_value *value) {
  const awz_zap_notice *notice = ((boxed_notice *)value)->notice;
  push_auth_request(L, notice);
  if (notice->why)
    lua_pushstring(L, notice->why);
  else
    lua_pushinteger(L, (lua_Integer)notice->number);
  return 2;
}

static void release_notice(aw_lua_value *value) {
  awz_zap_notice_free(((boxed_notice *)value)->notice);
  aw_free(value);
}

/* End the wait if there is a notice, or if there will be none. Returns 1, 0 or
 * a negative code. */
static int take_notice(aw_task *task, const awz_box *box) {
  const awz_auth *auth = box->object;
  if (!auth || !auth->context || is_of_parent(auth))
    return 1;
  boxed_notice *boxed = aw_allocate(sizeof *boxed);
  if (!boxed)
    return AW_ENOMEM;
  boxed->notice = awz_zap_take(auth->zap);
  if (!boxed->notice) {
    aw_free(boxed);
    return awz_zap_is_closed(auth->zap) ? 1 : 0;
  }
  boxed->value = (aw_lua_value){.push = push_notice, .release = release_notice};
  aw_task_set_value(task, aw_lua_box(&boxed->value));
  return 1;
}

static int notice_arm(aw_task *task, void *data) {
  const awz_box *box = data;
  awz_auth *auth = box->object;
  int rc = take_notice(task, box);
  if (rc != 0)
    return rc;
  rc = awio_waiters_add(&auth->waiters, task);
  if (rc == 0)
    rc = aw_ready_arm(task, awz_zap_fd(auth->zap), AW_READABLE);
  if (rc != 0)
    awio_waiters_remove(&auth->waiters, task);
  return rc;
}

static int notice_ready(aw_task *task, void *data) {
  const awz_box *box = data;
  awz_auth *auth = box->object;
  int rc = take_notice(task, box);
  if (rc != 0)
    awio_waiters_remove(&auth->waiters, task);
  return rc;
}

static void notice_disarm(aw_task *task, void *data) {
  awz_auth *auth = ((const awz_box *)data)->object;
  aw_ready_disarm(task, awz_zap_fd(auth->zap));
  awio_waiters_remove(&auth->waiters, task);
}

static void notice_describe(const void *data, char *out, size_t size) {
  (void)data;
  snprintf(out, size, "peers");
}

/* On a virtual clock, notices must not hold time back. */
static const aw_operation wait_outside = {.label = "authenticate",
                                          .arm = notice_arm,
                                          .disarm = notice_disarm,
                                          .ready = notice_ready,
                                          .external = true,
                                          .describe = notice_describe};
static const aw_operation wait_on_virtual_clock = {.label = "authenticate",
                                                   .arm = notice_arm,
                                                   .disarm = notice_disarm,
                                                   .ready = notice_ready,
                                                   .describe = notice_describe};

/* An engine that cannot watch the descriptor ends the wait without `disarm`. */
static int after_notice(lua_State *L, int result, void *data) {
  awz_auth *auth = ((const awz_box *)data)->object;
  aw_task *task = aw_current(aw_lua_engine(L));
  if (result >= 0)
    return aw_lua_take_results(L, task);
  if (auth)
    awio_waiters_remove(&auth->waiters, task);
  return aw_lua_system_error(L, result, "wait", AUTH_CLASS);
}

/* auth_next(asker) → request, number of the question or reason of a denial; nil
 * at the end */
static int auth_next(lua_State *L) {
  awz_box *box = luaL_checkudata(L, 1, ASKER_CLASS);
  bool is_virtual = aw_engine_virtual(aw_lua_engine(L));
  return aw_lua_await(L, is_virtual ? &wait_on_virtual_clock : &wait_outside,
                      box, "zmq.auth", after_notice);
}

/* auth_answer(asker, number, admits [, user id]) → whether it was in time; nil:
 * the user id is none. Without `admits` the handler was cancelled. */
static int auth_answer(lua_State *L) {
  const awz_box *box = luaL_checkudata(L, 1, ASKER_CLASS);
  const awz_auth *auth = box->object;
  awz_text id = {0};
  bool has_id = lua_isstring(L, 4);
  if (has_id && (!awz_read_auth_text(L, 4, &id) || strlen(id.data) != id.size))
    return 0;
  bool open = auth && auth->context && !is_of_parent(auth);
  const char *why = lua_isnoneornil(L, 3) ? "the handler was cancelled" : NULL;
  lua_pushboolean(L, open && awz_zap_answer(auth->zap, auth->context,
                                            (uint64_t)lua_tointeger(L, 2),
                                            lua_toboolean(L, 3),
                                            has_id ? &id : NULL, why));
  return 1;
}

/* ---- opening ---- */

static const luaL_Reg methods[] = {{"allow_key", auth_allow_key},
                                   {"deny_key", auth_deny_key},
                                   {"close", auth_object_close},
                                   {NULL, NULL}};
static const luaL_Reg meta[] = {{"__close", auth_object_close},
                                {"__gc", auth_gc},
                                {"__tostring", auth_tostring},
                                {NULL, NULL}};
static const luaL_Reg asker_meta[] = {{"__gc", asker_gc}, {NULL, NULL}};
/* auth_failed(where, text): warn that a function of the user has failed */
static int auth_failed(lua_State *L) {
  lua_settop(L, 2);
  aw_lua_mistake(L, aw_lua_check_string(L, 1, NULL), "authenticator failed");
  return 0;
}

static const luaL_Reg functions[] = {{"auth_next", auth_next},
                                     {"auth_failed", auth_failed},
                                     {"auth_answer", auth_answer},
                                     {NULL, NULL}};

/* [module] → [module] */
void awz_open_auth(lua_State *L) {
  awz_push_class(L, AUTH_CLASS, meta, methods);
  awz_push_class(L, ASKER_CLASS, asker_meta, NULL);
  lua_pop(L, 2);
  luaL_setfuncs(L, functions, 0);
  lua_pushvalue(L, -1);
  aw_lua_push_function(L, new_auth, 1, "auth");
  lua_setfield(L, -2, "auth");
}
