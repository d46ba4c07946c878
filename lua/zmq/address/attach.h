/* attach.h - s:bind(), s:connect(), s:unbind(), s:disconnect()
 *
 *     address.c       is it an address at all?
 *     host_name.c     addresses with names of hosts
 *     endpoint.c      all others, and the calls of libzmq
 *     here            what the socket remembers of it, and the errors
 */
#ifndef AWZ_ATTACH_H
#define AWZ_ATTACH_H

#include "zmq.h"

extern const luaL_Reg awz_attach_methods[];

/* For aiowire/zmq_methods.lua, which builds s:bind() from them: a look-up
 * awaits. They have no names of their own: errors name the method. */
extern const luaL_Reg awz_bind_functions[];

#endif
