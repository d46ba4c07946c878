/* message.h - values of Lua on their way to another state [J10]
 *
 * A message is a copy of Lua values in memory of C. It belongs to no state and
 * to no thread: any thread may free it, and any state may push its values, also
 * more than once, but one at a time.
 */
#ifndef AWIO_MESSAGE_H
#define AWIO_MESSAGE_H

#include <aiowire_lua.h>

#include <lua.h>
#include <stddef.h>

typedef struct awio_message awio_message;

/* Copy values of the stack. Raises, at the user's line, "not enough memory", or
 * what cannot be copied, with the way to it: "cannot copy a coroutine (argument
 * 2, field 'x[3].y')". Calls no code of users, but for the texts of fields of
 * error objects.
 *
 *   first   index of the first value
 *   count   may be 0
 *   what    the word for a value in messages, such as "argument"
 *   number  the number of the first value in messages; 0: they have none
 *
 * Gives. */
awio_message *awio_message_new(lua_State *L, int first, int count,
                               const char *what, int number);

/* Copy an error value. Text stands for what cannot be copied; if not even that
 * is possible, the message has the text of another error, such as "not enough
 * memory". Does not raise. Gives, or returns NULL without memory. */
awio_message *awio_message_of_error(lua_State *L, int index);

/* Push the values, and return their number. Raises "not enough memory", and
 * what an aw_lua_transfer raises. */
int awio_message_push(lua_State *L, const awio_message *message);

/* Free a message.
 *
 *   message  takes; NULL is fine
 *
 * Call from: any thread. */
void awio_message_free(awio_message *message);

#endif
