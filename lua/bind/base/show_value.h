/* show_value.h - how values look to people; see show_value.c */
#ifndef AWL_SHOW_VALUE_H
#define AWL_SHOW_VALUE_H

#include "base/state.h"

/* ---- values ---- */

/* push a short text */
void awl_show_value(lua_State *L, awl_state *s, int index);
/* Keys and names for messages: cut, but otherwise unchanged. */
void awl_show_key(lua_State *L, awl_state *s, int index);
void awl_push_cut(lua_State *L, const char *text, size_t size);
void awl_push_cut_name(lua_State *L, const char *name);
void awl_cut_name(lua_State *L); /* cut the text on top */
/* Push the name that `task` was given, or else the place where it was
 * started. */
void awl_push_given_name(lua_State *L, const aw_task *task);
/* Set the function by which awl_show_value() shows objects of `class`. */
void awl_set_show(awl_state *s, awl_class class, awl_show show);

/* ---- operations ---- */

enum { AWL_LONGEST_WAIT = 64 };
/* Write to `out` what an operation waits for, as "5", or "" if that is
 * unknown. */
void awl_describe(const aw_operation *operation, const void *data, char *out,
                  size_t size);
/* Let the text of a wire of `operation` have one more argument, as "x" in
 * Send(jobs, "x"); `push` pushes that argument. At most AWL_MOST_ARGUMENTS
 * operations. */
void awl_add_argument(awl_state *s, const aw_operation *operation,
                      awl_push_argument push);
/* Push the extra argument of `operation`. False, and nothing is pushed: there
 * is none. */
bool awl_push_operation_argument(lua_State *L, awl_state *s,
                                 const aw_wire_view *view);

#endif
