/* values.h - conversions, and values that the engine carries; see values.c */
#ifndef AWL_VALUES_H
#define AWL_VALUES_H

#include "base/state.h"

/* Convert the seconds at `arg` to nanoseconds; huge values become AW_NEVER.
 * Raises for NaN and negative values. */
uint64_t awl_check_ns(lua_State *L, int arg);
/* Return why `seconds` is not a valid span of time, or NULL. */
const char *awl_seconds_fault(lua_Number seconds);
/* a point in time; 0 if it is negative. Raises */
uint64_t awl_check_time(lua_State *L, int arg);
double awl_seconds(uint64_t ns);
/* Keep the value on top (popped) for the engine, in the table of `loop`.
 * Raises. */
aw_value awl_hold(lua_State *L, awl_loop *loop);
/* Keep the value on top (popped) for a running loop instead of `value`: takes
 * that reference, and returns the new one. Raises; then `value` is as it
 * was. */
aw_value awl_hold_instead(lua_State *L, awl_loop *loop, aw_value value);
/* Can awl_hold() not raise now? */
bool awl_has_place(const awl_loop *loop);
/* Is the EventLoop garbage that a finalizer has got hold of? */
bool awl_values_gone(const awl_loop *loop);
/* Keep the `count` values on top as one tuple; pops them. Raises. */
aw_value awl_hold_tuple(lua_State *L, awl_loop *loop, int count);
/* Push the value that was kept; nil for 0. L is not `util`. */
void awl_push_value(lua_State *L, awl_state *s, aw_value value);
/* The same onto the stack of `util`, which awl_push_value() uses itself. */
void awl_push_value_on_util(awl_state *s, aw_value value);
/* Push the values of a tuple, and return how many. Raises. */
int awl_push_tuple(lua_State *L, awl_state *s, aw_value value);
/* Push the results of a wait of `task`, and return how many. Raises; then the
 * task still has the results. */
int awl_take_results(lua_State *L, awl_state *s, aw_task *task);
/* Does `value` belong to `loop`? */
bool awl_belongs(const awl_state *s, aw_value value, const awl_loop *loop);
/* The aw_lua_value whose address `value` is, or NULL. */
aw_lua_value *awl_boxed(aw_value value);
void awl_drop(void *state, aw_value value);
aw_value awl_keep(void *state, aw_value value);
/* The loop that `value` belongs to; NULL: the loop is garbage. */
awl_loop *awl_value_loop(const awl_state *s, aw_value value);
/* The binding's function for aw_engine_config.gather: makes of `values` (taken)
 * one value, whose results have the shape `shape`. */
int awl_gather(void *state, aw_shape shape, const aw_value *values,
               size_t count, size_t index, aw_value *out);

/* What carries values of several states, see lua/embed/hub.c. */
typedef struct awl_carrier {
  void (*drop)(void *host, aw_value value);
  /* as awl_push_tuple() */
  int (*push)(lua_State *L, void *host, aw_value value);
} awl_carrier;
/* awl_gather() for the values of a carrier, whose host is `host`. */
int awl_gather_by(const awl_carrier *by, void *host, aw_shape shape,
                  const aw_value *values, size_t count, size_t index,
                  aw_value *out);

#endif
