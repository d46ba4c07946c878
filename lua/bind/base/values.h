/* values.h - conversions, and values that the engine carries; see values.c */
#ifndef AWL_VALUES_H
#define AWL_VALUES_H

#include "base/state.h"

/* Seconds to nanoseconds: NaN and negative raise; huge is never. Raises. */
uint64_t awl_check_ns(lua_State *L, int arg);
/* Return why that number of seconds is not valid, or NULL. */
const char *awl_seconds_fault(lua_Number seconds);
uint64_t awl_check_time(lua_State *L, int arg); /* a point in time; past is 0 */
double awl_seconds(uint64_t ns);
/* ns in opts[field] of the table at `arg`, or `otherwise`. Raises. */
uint64_t awl_opt_ns(lua_State *L, int arg, const char *field,
                    uint64_t otherwise);
/* Keep the value on top for the engine, in `loop`; pops it. Raises. */
aw_value awl_hold(lua_State *L, awl_loop *loop);
/* Keep the `count` values on top as one tuple; pops them. Raises. */
aw_value awl_hold_tuple(lua_State *L, awl_loop *loop, int count);
/* Push what is kept; nil for 0. */
void awl_push_value(lua_State *L, awl_state *s, aw_value value);
/* Push a tuple, return how many. Raises. */
int awl_push_tuple(lua_State *L, awl_state *s, aw_value value);
/* Push the results that a wait of `task` ended with, return how many. Raises;
 * they are lost only then, when the task drops them. */
int awl_take_results(lua_State *L, awl_state *s, aw_task *task);
/* Is it one of `loop`? */
bool awl_belongs(const awl_state *s, aw_value value, const awl_loop *loop);
/* The aw_lua_value that a value is, or NULL. */
aw_lua_value *awl_boxed(aw_value value);
void awl_drop(void *state, aw_value value);
aw_value awl_keep(void *state, aw_value value);
/* The loop that `value` belongs to; NULL: it is garbage. */
awl_loop *awl_value_loop(const awl_state *s, aw_value value);
/* The aw_engine_config.gather of the binding: `values` (taken) become one
 * value, whose results have that shape. */
int awl_gather(void *state, aw_shape shape, const aw_value *values,
               size_t count, size_t index, aw_value *out);

#endif
