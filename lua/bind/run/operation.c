/* operation.c - awaits for users of the public API, aiowire_lua.h
 *
 * Operations outside of the binding, such as those of lua/io and lua/zmq, await
 * through these functions. They work as await.h describes.
 */
#include "run/await.h"

#include "base/values.h"

static int after_operation(lua_State *L, awl_worker *w) {
  return w->then(L, awl_check_cancel(L, w), w->data);
}

int aw_lua_await(lua_State *L, const aw_operation *operation, void *data,
                 const char *what, aw_lua_continue then) {
  return aw_lua_await_here((aw_lua_here *)awl_open(L), L, operation, data, what,
                           then);
}

int aw_lua_await_here(aw_lua_here *here, lua_State *L,
                      const aw_operation *operation, void *data,
                      const char *what, aw_lua_continue then) {
  awl_worker *w = awl_awaiter(L, (awl_state *)here, what);
  w->then = then;
  w->data = data;
  if (!operation)
    return awl_take_turn(L, w, after_operation);
  awl_anchor_wait(L, w);
  int rc = aw_await_operation(w->task, operation, data);
  return awl_wait(L, w, rc, after_operation);
}

int aw_lua_begin(lua_State *L, void *data, const char *what,
                 aw_lua_continue then) {
  awl_worker *w = awl_awaiter(L, awl_open(L), what);
  if (awl_at_once(w))
    return then(L, 0, data);
  w->then = then;
  w->data = data;
  return awl_take_turn(L, w, after_operation);
}

aw_task *aw_lua_task(lua_State *L, const char *what) {
  return awl_awaiter(L, awl_open(L), what)->task;
}

bool aw_lua_may_await(lua_State *L) {
  awl_state *s = awl_open(L);
  return s->run.running && !s->in_handler && lua_isyieldable(L) &&
         L == s->run.co;
}

bool aw_lua_at_once(lua_State *L, const char *what) {
  return awl_at_once(awl_awaiter(L, awl_open(L), what));
}

aw_lua_here *aw_lua_place(lua_State *L) {
  return (aw_lua_here *)awl_open(L);
}

uint64_t *aw_lua_steps(lua_State *L) {
  return &awl_open(L)->steps;
}

bool aw_lua_quick(aw_lua_here *here, lua_State *L) {
  const awl_state *s = (awl_state *)here;
  awl_worker *w = s->run.running;
  return w && L == s->run.co && !s->in_handler && !s->careful && !w->passing &&
         lua_isyieldable(L) && awl_at_once(w);
}

int aw_lua_take_results_here(aw_lua_here *here, lua_State *L) {
  awl_state *s = (awl_state *)here;
  return awl_take_results(L, s, s->run.running->task);
}
