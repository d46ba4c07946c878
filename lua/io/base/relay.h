/* relay.h - warnings of other threads, for the warning function of a Lua state
 *
 *     worker: warn() ─► awio_relay_warn() ─► list ─► async of an engine of the
 *                                            state ─► lua_warning()
 *
 * Only the thread of a state may call its warning function. Warnings that come
 * while no engine of the state runs wait for awio_relay_deliver().
 */
#ifndef AWIO_RELAY_H
#define AWIO_RELAY_H

#include <aiowire_lua.h>

#include <stdbool.h>

typedef struct awio_relay awio_relay;

/* Give the relay of the state of L; the first call makes it. Raises. */
awio_relay *awio_relay_of(lua_State *L);
awio_relay *awio_relay_keep(awio_relay *relay);
void awio_relay_release(awio_relay *relay); /* takes; NULL is fine */

/* Hand the text of a warning over; lost without memory. Call from: any
 * thread.
 *
 *   mistake  the warning is one of a mistake [D4]
 */
void awio_relay_warn(awio_relay *relay, const char *text, bool mistake);

/* Warn of all that has come, in the state of L. Does not raise. */
void awio_relay_deliver(awio_relay *relay, lua_State *L);

#endif
