/* host_address.h - the host in a tcp address: a number, or a name?
 *
 *     tcp://eth0:0;example.org:5555     a name, behind the source address
 *     tcp://localhost:5555              known without a look-up
 *     tcp://[::1]:5555                  libzmq's own, as is a `*` in a bind
 *
 * libzmq looks up names in a thread that serves all sockets [ZQ17]. So no name
 * gets to libzmq: host_name.h replaces it by a number.
 */
#ifndef AWZ_HOST_ADDRESS_H
#define AWZ_HOST_ADDRESS_H

#include "zmq.h"

#include <netdb.h>

typedef enum awz_host_kind {
  AWZ_HOST_PLAIN, /* no name, or an address that libzmq refuses at once */
  AWZ_HOST_LOCAL, /* "localhost" */
  AWZ_HOST_NAME,
  AWZ_HOST_BAD /* no port, or a name that is too long */
} awz_host_kind;

typedef struct awz_host {
  size_t at, length; /* the host in the address */
  char name[254];    /* the same */
} awz_host;

/* Find the host of an address.
 *
 *   binds  `*` and names of interfaces are libzmq's, as in a bind
 */
awz_host_kind awz_host_in(const char *address, bool binds, awz_host *out);

enum { AWZ_NUMBER_SIZE = 80 };
/* Write the first address of IPv4 or IPv6 in a list as libzmq takes it, as
 * "[::1]". Returns false if there is none. */
bool awz_host_number(const struct addrinfo *list, char out[AWZ_NUMBER_SIZE]);

/* Return the address with another host. Gives; NULL when out of memory. */
char *awz_host_replace(const char *address, const awz_host *host,
                       const char *number);

#endif
