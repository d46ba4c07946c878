/* message.h - what channels carry: values of Lua, on their way
 *
 * A channel has messages, and a table of their values as its user value
 * AWL_CHANNEL_VALUES; it is in AWL_OBJECTS by the address of its messages.
 * A message is a value of the core (aw_lua_box). See message.c.
 */
#ifndef AWL_MESSAGE_H
#define AWL_MESSAGE_H

#include "base/state.h"

typedef struct awl_messages awl_messages;

enum { AWL_CHANNEL_VALUES = 1 };

/* NULL: out of memory. */
awl_messages *awl_messages_new(awl_state *s);
/* They are those of `channel` (takes) from now on. */
void awl_messages_set_channel(awl_messages *messages, aw_channel *channel);
/* The channel is no more: release them, and what the core has of it. */
void awl_messages_end(awl_messages *messages);
awl_state *awl_messages_state(const awl_messages *messages);

/* Make room for one more; false: out of memory. Raises nothing. */
bool awl_messages_reserve(awl_messages *messages);
/* Push the table of values to util; false, and nothing is pushed, when the
 * channel is no more. */
bool awl_messages_push_values(const awl_messages *messages);

/* [values, value] → a message of that value, for which there is room; pops
 * both. Gives. Raises nothing. */
aw_value awl_message_make(lua_State *L, awl_messages *messages);
/* A wire in `task` ends with the message `value`: what that is made of, the
 * channel as well, shall live as long as the value does. */
void awl_message_deliver(void *state, aw_value value, aw_task *task);
/* Push the value of a message, which is over, of the channel at 1; returns 1.
 * Takes `value`. */
int awl_message_take(lua_State *L, aw_value value);

#endif
