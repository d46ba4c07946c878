/* show_value.h - how values look to people; see show_value.c */
#ifndef AWL_SHOW_VALUE_H
#define AWL_SHOW_VALUE_H

#include "base/state.h"

/* ---- values ---- */

void awl_show_value(lua_State *L, awl_state *s, int index); /* short */
/* Keys and names that people read in messages: as they are, but cut. */
void awl_show_key(lua_State *L, awl_state *s, int index);
void awl_push_cut(lua_State *L, const char *text, size_t size);
void awl_push_cut_name(lua_State *L, const char *name);
void awl_cut_name(lua_State *L); /* the text on top */
/* Push the name that `task` was given, or else the place where it was started.
 */
void awl_push_given_name(lua_State *L, const aw_task *task);
/* How awl_show_value() shows the objects of a class. */
void awl_set_show(awl_state *s, awl_class class, awl_show show);

/* ---- operations ---- */

enum { AWL_LONGEST_WAIT = 64 };
/* What an operation waits for, as "5"; "" if it does not say. */
void awl_describe(const aw_operation *operation, const void *data, char *out,
                  size_t size);
/* The text of a wire of this operation has one more argument, as Send(jobs,
 * "x"), which `push` pushes. At most AWL_MOST_ARGUMENTS operations. */
void awl_add_argument(awl_state *s, const aw_operation *operation,
                      awl_push_argument push);
/* Push that argument; false, and nothing is pushed, if there is none. */
bool awl_push_operation_argument(lua_State *L, awl_state *s,
                                 const aw_wire_view *view);

#endif
