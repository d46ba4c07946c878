/* settings.h - the options that a PUB was given, for another socket of libzmq
 *
 * A PUB of ours is an XPUB of libzmq, which does not conflate. So when a PUB is
 * told to conflate, a PUB of libzmq replaces it, with the same options. Not all
 * of them can be read back from libzmq, so they are kept until the socket is
 * attached. From then on it cannot be replaced. */
#ifndef AWZ_SETTINGS_H
#define AWZ_SETTINGS_H

#include "zmq.h"

/* Make a copy of an option that will be set; NULL if this socket keeps none.
 * Returns 0 or AW_ENOMEM.
 *
 *   out  gives; pass it to awz_setting_keep()
 */
int awz_setting_new(const awz_socket *socket, int option, const void *value,
                    size_t size, awz_setting **out);
/* Keep the copy if the option was set, else free it. */
void awz_setting_keep(awz_socket *socket, awz_setting *setting, bool is_set);
/* Set all options once more. Returns 0 or a negative code. */
int awz_settings_repeat(awz_socket *socket);
void awz_settings_forget(awz_socket *socket);

#endif
