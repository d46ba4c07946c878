/* auth_options.h - the rules of an authenticator, as options of zmq.auth{} */
#ifndef AWZ_AUTH_OPTIONS_H
#define AWZ_AUTH_OPTIONS_H

#include "security/rules.h"

/* Read the string at `index` as a public key: 40 characters of Z85, or 32
 * bytes. Returns false if it is neither.
 *
 *   key  receives AWZ_KEY_BYTES bytes
 */
bool awz_read_auth_key(lua_State *L, int index, unsigned char *key);

/* Copy the string at `index`. Returns false if it is none, or too long. */
bool awz_read_auth_text(lua_State *L, int index, awz_text *out);

/* Read `domain`, `allow`, `deny`, `plain` and `curve` of the table at index 1.
 * Raises; what it has read by then is in `rules`. May read a folder. */
void awz_read_auth_rules(lua_State *L, awz_rules *rules);

#endif
