/* attach.h - s:bind(), s:connect(), s:unbind(), s:disconnect()
 *
 *     address.c       is it an address at all?
 *     endpoint.c      the calls of libzmq
 *     here            what the socket remembers of it, and the errors
 */
#ifndef AWZ_ATTACH_H
#define AWZ_ATTACH_H

#include "zmq.h"

extern const luaL_Reg awz_attach_methods[];

#endif
