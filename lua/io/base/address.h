/* address.h - addresses of sockets: IPv4, IPv6, and paths of unix sockets */
#ifndef AWIO_ADDRESS_H
#define AWIO_ADDRESS_H

#include <lua.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct awio_address {
  union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
  };
  socklen_t length; /* 0: there is none */
} awio_address;

/* Room for the text of an address: the longest is a path. */
enum { AWIO_ADDRESS_TEXT = sizeof(struct sockaddr_un) + 8 };

/* Read a numeric host, such as "127.0.0.1", "::1" or "fe80::1%eth0". Returns
 * false if `host` is no number, or has the name of no interface here. */
bool awio_address_parse(const char *host, int port, awio_address *out);

/* Make the address of a unix socket. A path that begins with a zero byte is a
 * name in Linux's abstract namespace. Returns 0; UV_ENAMETOOLONG; or UV_EINVAL
 * for an empty path or a zero byte in it. */
int awio_address_of_path(const char *path, size_t size, awio_address *out);

/* Raise why awio_address_of_path() or the system refuses a path. The text of a
 * long one is cut.
 *
 *   call  the operation of the user
 */
int awio_refuse_path(lua_State *L, int code, const char *call, const char *path,
                     size_t size);

/* Write the address for people: "127.0.0.1:80", "[::1]:80", "/run/x.sock",
 * "@abstract", or "unnamed" for a unix socket without a path. */
void awio_address_text(const awio_address *address,
                       char out[AWIO_ADDRESS_TEXT]);

/* Push the address for programs, and return the number of values: a host and a
 * port; or a path, which is "" for a unix socket without one. May raise. */
int awio_push_address(lua_State *L, const awio_address *address);

/* Return "inet", "inet6" or "unix". */
const char *awio_family_name(const awio_address *address);

/* Look up the own address of a socket, or the address of its peer. Returns 0 or
 * -errno. */
int awio_own_address(int fd, awio_address *out);
int awio_peer_address(int fd, awio_address *out);

/* Return the port at `arg`, 0 to 65535. Raises an argument error. */
int awio_check_port(lua_State *L, int arg);

/* Return the host name at `arg`. Raises an argument error for other types, and
 * a SystemError of `call` for what can be no host name: EINVAL for a zero byte,
 * ENAMETOOLONG over 253 bytes, EAI_NONAME for an empty one. */
const char *awio_check_host(lua_State *L, int arg, const char *call);

/* Return the option `family` of the table at `arg`: AF_INET, AF_INET6, or
 * AF_UNSPEC without one. Raises for other values. */
int awio_opt_family(lua_State *L, int arg);

/* Push the option `name` of the table at `arg`, a port; nil without one. Raises
 * for other values. */
void awio_push_port_option(lua_State *L, int arg, const char *name);

/* Push "inet" or "inet6", or nil for another family. */
void awio_push_family(lua_State *L, int family);
/* Return the family that the string at `index` names; AF_UNSPEC for others. */
int awio_to_family(lua_State *L, int index);

/* Push host and port as a SystemError names them: "example.org:80",
 * "[::1]:80". */
const char *awio_push_where(lua_State *L, const char *host, int port);

#endif
