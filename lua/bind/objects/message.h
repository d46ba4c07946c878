/* message.h - messages: values of Lua on their way through channels
 *
 * A channel has a store of messages. The table of their values is its user
 * value AWL_CHANNEL_VALUES. AWL_OBJECTS has the channel, by the address of the
 * store. A message is a value of the core (aw_lua_box). See message.c.
 */
#ifndef AWL_MESSAGE_H
#define AWL_MESSAGE_H

#include "base/state.h"

typedef struct awl_messages awl_messages;

enum { AWL_CHANNEL_VALUES = 1 };

/* Return a new store of messages; NULL: out of memory. */
awl_messages *awl_messages_new(awl_state *s);
/* Let the messages belong to `channel` (takes) from now on. */
void awl_messages_set_channel(awl_messages *store, aw_channel *channel);
/* The channel is gone: release its messages and its channel of the core. */
void awl_messages_end(awl_messages *store);
awl_state *awl_messages_state(const awl_messages *store);

/* Make room for one more message; false: out of memory. Raises nothing. */
bool awl_messages_reserve(awl_messages *store);
/* Push the table of values to util; false, and nothing is pushed, when the
 * channel is gone. */
bool awl_messages_push_values(const awl_messages *store);

/* [values, value] → a message of that value, for which there is room; pops
 * both. Gives. Raises nothing. */
aw_value awl_message_make(lua_State *L, awl_messages *store);
/* A message of the value on top of the worker's coroutine, which is about to
 * wait as a sender: the value stays there until the message is taken, or until
 * awl_message_settle(). Otherwise as awl_message_make(). */
aw_value awl_message_lend(awl_worker *w, awl_messages *store);
/* Take the value of the message from its waiting sender. False: somebody has
 * closed the sender's coroutine, and the value is lost. Such a send has not
 * taken place. */
bool awl_message_settle(void *state, aw_value value);
/* A wire in `task` ends with the message `value`: keep alive the Wire that the
 * task runs, and so the channel, as long as the message. */
void awl_message_deliver(void *state, aw_value value, aw_task *task);
/* Push the value of a message of the channel at 1, and free the message. Takes
 * `value`. False: nothing was pushed, the value is lost with its sender; see
 * awl_message_settle(). */
bool awl_message_take(lua_State *L, aw_value value);

#endif
