/* endpoint.c - see endpoint.h
 *
 * A send that need not wait makes its message and is done. One that must wait
 * has a box, a userdata with an awio_sending, on its stack.
 */
#include "thread/endpoint.h"

#include "io.h"

const char *const awio_endpoint_classes[AWIO_SIDES] = {"aiowire.Thread",
                                                       "aiowire.Parent"};
static const char *const kinds[AWIO_SIDES] = {"thread", "parent"};

/* The metatable of boxes is in the registry under this name. */
static const char *const BOX = "aiowire.Sending";

/* ---- checking ---- */

static awio_endpoint *check_endpoint_open(lua_State *L, awio_endpoint *e,
                                          const char *call) {
  if (!e->pair)
    aw_lua_system_error(L, AW_ECLOSED, call, "thread (finalized)");
  return e;
}

/* The endpoint at 1, in a function whose upvalue 1 is its metatable. */
static awio_endpoint *check_endpoint(lua_State *L, const char *call) {
  awio_endpoint *e = awio_object(L);
  if (!e)
    aw_lua_type_error(L, 1, "thread");
  return check_endpoint_open(L, e, call);
}

/* The endpoint at 1, in other functions. */
static awio_endpoint *check_either(lua_State *L, const char *call) {
  for (int side = 0; side < AWIO_SIDES; side++) {
    awio_endpoint *e = luaL_testudata(L, 1, awio_endpoint_classes[side]);
    if (e)
      return check_endpoint_open(L, e, call);
  }
  aw_lua_type_error(L, 1, "thread");
  return NULL;
}

static awio_queue *to_receive(const awio_endpoint *e) {
  return awio_pair_queue(e->pair, e->side);
}

static awio_queue *to_send(const awio_endpoint *e) {
  return awio_pair_queue(e->pair, AWIO_SIDES - 1 - e->side);
}

static int fail_endpoint(lua_State *L, const awio_endpoint *e, int code,
                         const char *call) {
  char about[96];
  if (code == AW_ENOMEM)
    return aw_lua_error(L, "not enough memory");
  awio_pair_describe(e->pair, e->side, about, sizeof about);
  return aw_lua_system_error(L, code, call, about);
}

/* ---- sending ---- */

static awio_parcel *make_parcel(lua_State *L) {
  awio_parcel *parcel =
      awio_parcel_new(awio_message_new(L, 2, 1, "message", 0));
  if (!parcel)
    aw_lua_error(L, "not enough memory");
  return parcel;
}

static int box_gc(lua_State *L) {
  awio_sending **box = lua_touserdata(L, 1);
  if (*box)
    awio_sending_release(*box);
  *box = NULL;
  return 0;
}

/* Push a box of the value at 2, and return what is in it. */
static awio_sending *push_sending(lua_State *L, const awio_endpoint *e) {
  awio_sending **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, BOX);
  *box = awio_sending_new(e->pair, to_send(e), make_parcel(L));
  if (!*box)
    aw_lua_error(L, "not enough memory");
  return *box;
}

/* Send the value at 2, if that need not wait. */
static int send_at_once(lua_State *L, const awio_endpoint *e) {
  awio_parcel *parcel = make_parcel(L);
  int rc = awio_queue_try_send(to_send(e), parcel);
  awio_parcel_release(parcel);
  return rc;
}

static bool seems_full(const awio_endpoint *e) {
  awio_queue_view view;
  awio_queue_look(to_send(e), &view);
  return !view.closed && view.count + view.senders >= AWIO_PAIR_MOST;
}

static int after_endpoint_send(lua_State *L, int result, void *data) {
  (void)data;
  return result < 0 ? fail_endpoint(L, lua_touserdata(L, 1), result, "send")
                    : 0;
}

/* t:send(v) */
static int endpoint_send(lua_State *L) {
  static const char *const names[] = {"thread:send", "parent:send"};
  const awio_endpoint *e = check_endpoint(L, "send");
  aw_lua_check_any(L, 2);
  lua_settop(L, 2);
  const char *what = names[e->side];
  if (aw_lua_at_once(L, what) && !seems_full(e)) {
    int rc = send_at_once(L, e);
    if (rc != AW_EAGAIN)
      return after_endpoint_send(L, rc, NULL);
  }
  awio_sending *sending = push_sending(L, e);
  return aw_lua_await(L, &awio_send_message, sending, what,
                      after_endpoint_send);
}

/* t:try_send(v) → true; or false, "full" */
static int endpoint_try_send(lua_State *L) {
  const awio_endpoint *e = check_endpoint(L, "send");
  aw_lua_check_any(L, 2);
  lua_settop(L, 2);
  int rc = send_at_once(L, e);
  if (rc < 0 && rc != AW_EAGAIN)
    return fail_endpoint(L, e, rc, "send");
  lua_pushboolean(L, rc == 0);
  if (rc == 0)
    return 1;
  lua_pushliteral(L, "full");
  return 2;
}

static void release_sending(void *sending) {
  awio_sending_release(sending);
}

/* Send(t, v): the value is copied now. */
static int make_endpoint_send(lua_State *L) {
  const awio_endpoint *e = check_either(L, "send");
  aw_lua_check_any(L, 2);
  lua_settop(L, 2);
  awio_sending *sending = push_sending(L, e);
  *(awio_sending **)lua_touserdata(L, 3) = NULL; /* the wire has it now */
  aw_wire *wire = aw_wait_for(&awio_send_message, sending);
  aw_lua_push_wire(L, aw_hold(wire, sending, release_sending), 1);
  return 1;
}

/* ---- receiving ---- */

/* (light parcel) → the value */
static int push_parcel(lua_State *L) {
  return awio_parcel_push(L, lua_touserdata(L, 1));
}

/* Receive what need not be waited for: push the value and return 0, or return
 * why there is none. */
static int receive_at_once(lua_State *L, const awio_endpoint *e) {
  awio_parcel *parcel;
  int rc = awio_queue_try_recv(to_receive(e), &parcel);
  if (rc < 0)
    return rc;
  lua_pushcfunction(L, push_parcel);
  lua_pushlightuserdata(L, parcel);
  int status = lua_pcall(L, 1, 1, 0);
  awio_parcel_release(parcel);
  if (status != LUA_OK)
    lua_error(L);
  return 0;
}

static int push_endpoint_end(lua_State *L) {
  lua_pushnil(L);
  lua_pushliteral(L, "closed");
  return 2;
}

static const char *const recv_names[] = {"thread:recv", "parent:recv"};

static int after_endpoint_recv(lua_State *L, int result, void *data) {
  (void)data;
  const awio_endpoint *e = lua_touserdata(L, 1);
  if (result < 0)
    return fail_endpoint(L, e, result, "recv");
  return aw_lua_take_results(L, aw_lua_task(L, recv_names[e->side]));
}

/* Receive without a wait. Returns the number of results; or -1 if nothing has
 * come, with nothing pushed. */
static int receive_now(lua_State *L, const awio_endpoint *e) {
  int rc = receive_at_once(L, e);
  if (rc == 0)
    return 1;
  if (rc == AW_ECLOSED)
    return push_endpoint_end(L);
  return rc == AW_EAGAIN ? -1 : fail_endpoint(L, e, rc, "recv");
}

/* Receive; `after` gets what a wait has brought. */
static int receive(lua_State *L, aw_lua_continue after) {
  const awio_endpoint *e = check_endpoint(L, "recv");
  lua_settop(L, 1);
  const char *what = recv_names[e->side];
  int results = aw_lua_at_once(L, what) ? receive_now(L, e) : -1;
  if (results >= 0)
    return results;
  return aw_lua_await(L, &awio_recv_message, to_receive(e), what, after);
}

/* t:recv() → value; or nil, "closed" */
static int endpoint_recv(lua_State *L) {
  return receive(L, after_endpoint_recv);
}

/* t:try_recv() → value; or nil, "empty"; or nil, "closed" */
static int endpoint_try_recv(lua_State *L) {
  int results = receive_now(L, check_endpoint(L, "recv"));
  if (results >= 0)
    return results;
  lua_pushnil(L);
  lua_pushliteral(L, "empty");
  return 2;
}

/* A nil ends a `for`, so a nil that was sent is an error there. */
static int check_endpoint_next(lua_State *L, int results) {
  if (results == 1 && lua_isnil(L, -1)) {
    const awio_endpoint *e = lua_touserdata(L, 1);
    return aw_lua_error(L, "%s: a nil was sent, which ends a 'for'; use recv()",
                        kinds[e->side]);
  }
  return results == 1;
}

static int after_endpoint_next(lua_State *L, int result, void *data) {
  return check_endpoint_next(L, after_endpoint_recv(L, result, data));
}

static int endpoint_next(lua_State *L) {
  return check_endpoint_next(L, receive(L, after_endpoint_next));
}

/* for v in t:iter(). Upvalue 1: the metatable. */
static int endpoint_iter(lua_State *L) {
  check_endpoint(L, "iter");
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushcclosure(L, endpoint_next, 1);
  lua_insert(L, 1);
  return 2;
}

/* Recv(t) */
static int make_endpoint_recv(lua_State *L) {
  const awio_endpoint *e = check_either(L, "recv");
  lua_settop(L, 1);
  aw_lua_push_wire(L, aw_wait_for(&awio_recv_message, to_receive(e)), 1);
  return 1;
}

/* ---- the end ---- */

/* t:shutdown(): send no more. The other side gets what is queued, and then the
 * end. */
static int endpoint_shutdown(lua_State *L) {
  awio_queue_close(to_send(check_endpoint(L, "shutdown")));
  return 0;
}

void awio_endpoint_close(awio_endpoint *e) {
  if (!e->pair)
    return;
  /* in this order: whoever learns that nothing comes any more cannot send */
  awio_queue_drop(to_receive(e));
  awio_queue_close(to_send(e));
}

void awio_push_endpoint_text(lua_State *L, const awio_endpoint *e) {
  awio_queue_view in, out;
  awio_queue_look(to_receive(e), &in);
  awio_queue_look(to_send(e), &out);
  lua_pushfstring(L, "%d to receive, %d sent", (int)in.count, (int)out.count);
}

const luaL_Reg awio_endpoint_methods[] = {{"send", endpoint_send},
                                          {"recv", endpoint_recv},
                                          {"try_send", endpoint_try_send},
                                          {"try_recv", endpoint_try_recv},
                                          {"iter", endpoint_iter},
                                          {"shutdown", endpoint_shutdown},
                                          {NULL, NULL}};

void awio_add_endpoint_source(lua_State *L, int metatable) {
  static const aw_lua_source source = {.recv = make_endpoint_recv,
                                       .send = make_endpoint_send};
  aw_lua_add_source(L, metatable, &source);
}

/* ---- aw.parent ---- */

static int parent_close(lua_State *L) {
  awio_endpoint *e = awio_object(L);
  if (!e)
    return aw_lua_type_error(L, 1, "parent");
  awio_endpoint_close(e);
  return 0;
}

static int parent_gc(lua_State *L) {
  awio_endpoint *e = lua_touserdata(L, 1);
  awio_endpoint_close(e);
  awio_pair_release(e->pair);
  e->pair = NULL;
  return 0;
}

static int parent_tostring(lua_State *L) {
  const awio_endpoint *e = awio_object(L);
  char name[96];
  if (!e)
    return aw_lua_type_error(L, 1, "parent");
  if (!e->pair) {
    lua_pushliteral(L, "parent (finalized)");
    return 1;
  }
  awio_pair_describe(e->pair, AWIO_WORKER, name, sizeof name);
  awio_push_endpoint_text(L, e);
  lua_pushfstring(L, "%s (%s)", name, lua_tostring(L, -1));
  return 1;
}

void awio_make_parent_class(lua_State *L) {
  static const luaL_Reg methods[] = {{"close", parent_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__close", parent_close},
                                  {"__gc", parent_gc},
                                  {"__tostring", parent_tostring},
                                  {NULL, NULL}};
  luaL_newmetatable(L, BOX);
  lua_pushcfunction(L, box_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_newmetatable(L, awio_endpoint_classes[AWIO_WORKER]);
  lua_pushvalue(L, -1);
  aw_lua_set_functions(L, meta, 1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* locked */
  lua_newtable(L);
  lua_pushvalue(L, -2);
  aw_lua_set_functions(L, methods, 1);
  lua_pushvalue(L, -2);
  aw_lua_set_functions(L, awio_endpoint_methods, 1);
  lua_setfield(L, -2, "__index");
  awio_add_endpoint_source(L, -1);
  lua_pop(L, 1);
}

void awio_push_parent(lua_State *L, awio_pair *pair) {
  awio_endpoint *e = lua_newuserdatauv(L, sizeof *e, 0);
  *e = (awio_endpoint){NULL, AWIO_WORKER};
  luaL_setmetatable(L, awio_endpoint_classes[AWIO_WORKER]);
  e->pair = awio_pair_keep(pair);
}
