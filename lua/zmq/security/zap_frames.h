/* zap_frames.h - the frames of a request and of its reply (RFC 27)
 *
 * The socket is a ROUTER, so that replies may come in any order. A request:
 *
 *     route · empty · "1.0" · id · domain · address · identity · mechanism ·
 *     credentials …
 *
 * A reply:
 *
 *     route · empty · "1.0" · id · status · text · user id · metadata
 *
 * libzmq writes requests well. But sockets of the program can reach the address
 * as well, so each request is checked.
 *
 * Call from: the thread of the context. */
#ifndef AWZ_ZAP_FRAMES_H
#define AWZ_ZAP_FRAMES_H

#include "security/request.h"

/* Where a reply goes. */
typedef struct awz_return_address {
  awz_text route, id;
} awz_return_address;

typedef enum awz_reading {
  AWZ_NO_REQUEST, /* no message, or one without a return address */
  AWZ_BAD_REQUEST,
  AWZ_GOOD_REQUEST
} awz_reading;

/* Receive a message, and read it. Returns false if there is none.
 *
 *   from     receives where the reply goes, unless `reading` is AWZ_NO_REQUEST
 *   request  receives the request, if it is good; wipe it
 */
bool awz_zap_receive(void *socket, awz_return_address *from,
                     awz_request *request, awz_reading *reading);

/* Send a reply. A ROUTER drops what it cannot deliver, so that a peer that has
 * left does not matter. */
void awz_zap_deny(void *socket, const awz_return_address *to);
void awz_zap_refuse(void *socket, const awz_return_address *to);
/*   chosen  the user id; NULL or empty: that of the credentials */
void awz_zap_admit(void *socket, const awz_return_address *to,
                   const awz_request *request, const awz_text *chosen);

#endif
