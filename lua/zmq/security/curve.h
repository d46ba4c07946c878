/* curve.h - keys of CURVE for Lua: making, saving, loading, and setting them
 *
 *     zmq.curve_keypair, zmq.curve_public     libzmq's own
 *     zmq.save_keys, zmq.load_keys            key_file.h
 *     s.curve_secretkey = "path"              a file goes to libzmq; its secret
 *                                             is never a Lua string
 *
 * No error shows a value that is, or may be meant to be, a secret.
 */
#ifndef AWZ_CURVE_H
#define AWZ_CURVE_H

#include "zmq.h"

enum {
  AWZ_PLAIN_PASSWORD = 46,
  AWZ_CURVE_PUBLICKEY = 48,
  AWZ_CURVE_SECRETKEY = 49,
  AWZ_CURVE_SERVERKEY = 50
};

/* Tell whether an error may not show the value of this option: it is a secret,
 * or one that was meant for another option. */
bool awz_is_secret(int option);

/* Set an option of CURVE from the value at 3: a key as text or bytes, or the
 * path of a key file. Returns 0 or the code of libzmq. Raises for a bad value
 * and a bad file.
 *
 *   name  of the option
 */
int awz_set_key(lua_State *L, awz_socket *socket, int option, const char *name);

/* Warn of a key that CURVE needs at `address`, where the socket was bound or
 * connected just now: without it, libzmq fails in silence again and again. May
 * run finalizers. */
void awz_tell_missing_key(lua_State *L, awz_socket *socket,
                          const char *address);

/* Push a secret of `size` bytes from a buffer of `whole` bytes, which is wiped
 * even if that raises. */
void awz_push_secret(lua_State *L, char *buffer, size_t size, size_t whole);

/* Add the functions to the table on top. */
void awz_open_curve(lua_State *L);

#endif
