/* address.c - see address.h */
#include "base/address.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <uv.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_AT = offsetof(struct sockaddr_un, sun_path) };
enum { LONGEST_HOST = 253, LARGEST_PORT = 65535 };

/* ---- reading ---- */

/* The scope of a link-local address: the name of an interface or its number. 0:
 * there is none of that name. */
static unsigned scope_of(const char *name) {
  unsigned index = if_nametoindex(name);
  if (index != 0)
    return index;
  char *end;
  unsigned long number = strtoul(name, &end, 10);
  return *end == '\0' && number <= UINT32_MAX ? (unsigned)number : 0;
}

static bool parse_inet6(const char *host, int port, awio_address *out) {
  char text[INET6_ADDRSTRLEN];
  const char *scope = strchr(host, '%');
  size_t size = scope ? (size_t)(scope - host) : strlen(host);
  if (size >= sizeof text)
    return false;
  memcpy(text, host, size);
  text[size] = '\0';
  if (inet_pton(AF_INET6, text, &out->in6.sin6_addr) != 1)
    return false;
  out->in6.sin6_family = AF_INET6;
  out->in6.sin6_port = htons((uint16_t)port);
  out->in6.sin6_scope_id = scope ? scope_of(scope + 1) : 0;
  out->length = sizeof out->in6;
  return !scope || out->in6.sin6_scope_id != 0;
}

bool awio_address_parse(const char *host, int port, awio_address *out) {
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET, host, &out->in.sin_addr) != 1)
    return parse_inet6(host, port, out);
  out->in.sin_family = AF_INET;
  out->in.sin_port = htons((uint16_t)port);
  out->length = sizeof out->in;
  return true;
}

int awio_address_of_path(const char *path, size_t size, awio_address *out) {
  memset(out, 0, sizeof *out);
  bool is_abstract = size > 1 && path[0] == '\0';
  size_t most = sizeof out->un.sun_path - (is_abstract ? 0 : 1);
  if (size == 0 || (!is_abstract && memchr(path, '\0', size)))
    return UV_EINVAL;
  if (size > most)
    return UV_ENAMETOOLONG;
  out->un.sun_family = AF_UNIX;
  memcpy(out->un.sun_path, path, size);
  out->length = (socklen_t)(PATH_AT + size + (is_abstract ? 0 : 1));
  return 0;
}

/* ---- showing ---- */

static size_t path_length(const awio_address *a) {
  if (a->length <= PATH_AT)
    return 0;
  size_t size = a->length - PATH_AT;
  return a->un.sun_path[0] == '\0' ? size : strnlen(a->un.sun_path, size);
}

static void path_text(const awio_address *a, char out[AWIO_ADDRESS_TEXT]) {
  size_t length = path_length(a);
  if (length == 0) {
    strcpy(out, "unnamed");
    return;
  }
  memcpy(out, a->un.sun_path, length);
  out[length] = '\0';
  for (size_t i = 0; i < length; i++)
    if (out[i] == '\0') /* in an abstract name */
      out[i] = '@';
}

/* Write a number from 0 to 65535; returns the end of the text. */
static char *write_number(char *out, unsigned number) {
  char digits[8];
  size_t count = 0;
  do
    digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  while (count > 0)
    *out++ = digits[--count];
  *out = '\0';
  return out;
}

/* Every connection that is accepted gets a name, so an IPv4 address is written
 * by hand: printf and inet_ntop() took a tenth of the time of a short
 * connection. */
static char *write_inet(char *out, const struct in_addr *host) {
  const unsigned char *bytes = (const unsigned char *)host;
  for (size_t i = 0; i < sizeof *host; i++) {
    out = write_number(out, bytes[i]);
    *out++ = '.';
  }
  *--out = '\0';
  return out;
}

/* The host alone, with the scope of a link-local one. */
static void host_text(const awio_address *a, char out[AWIO_ADDRESS_TEXT]) {
  char scope[IF_NAMESIZE] = "";
  if (a->any.sa_family == AF_INET) {
    write_inet(out, &a->in.sin_addr);
    return;
  }
  inet_ntop(AF_INET6, &a->in6.sin6_addr, out, AWIO_ADDRESS_TEXT);
  unsigned index = a->in6.sin6_scope_id;
  if (index != 0 && !if_indextoname(index, scope))
    snprintf(scope, sizeof scope, "%u", index);
  size_t length = strlen(out);
  if (index != 0)
    snprintf(out + length, AWIO_ADDRESS_TEXT - length, "%%%s", scope);
}

static int port_of(const awio_address *a) {
  return ntohs(a->any.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

void awio_address_text(const awio_address *a, char out[AWIO_ADDRESS_TEXT]) {
  char host[AWIO_ADDRESS_TEXT];
  if (a->any.sa_family == AF_UNIX) {
    path_text(a, out);
    return;
  }
  if (a->any.sa_family == AF_INET) {
    char *end = write_inet(out, &a->in.sin_addr);
    *end++ = ':';
    write_number(end, ntohs(a->in.sin_port));
    return;
  }
  host_text(a, host);
  snprintf(out, AWIO_ADDRESS_TEXT, "[%.80s]:%d", host, port_of(a));
}

int awio_push_address(lua_State *L, const awio_address *a) {
  char host[AWIO_ADDRESS_TEXT];
  if (a->any.sa_family == AF_UNIX) {
    lua_pushlstring(L, a->un.sun_path, path_length(a));
    return 1;
  }
  host_text(a, host);
  lua_pushstring(L, host);
  lua_pushinteger(L, port_of(a));
  return 2;
}

const char *awio_family_name(const awio_address *a) {
  if (a->any.sa_family == AF_UNIX)
    return "unix";
  return a->any.sa_family == AF_INET ? "inet" : "inet6";
}

/* ---- of sockets ---- */

int awio_own_address(int fd, awio_address *out) {
  memset(out, 0, sizeof *out);
  out->length = offsetof(awio_address, length);
  return getsockname(fd, &out->any, &out->length) < 0 ? -errno : 0;
}

int awio_peer_address(int fd, awio_address *out) {
  memset(out, 0, sizeof *out);
  out->length = offsetof(awio_address, length);
  return getpeername(fd, &out->any, &out->length) < 0 ? -errno : 0;
}

/* ---- arguments ---- */

/* Push a path for people: an abstract name as "@name", zero bytes as "@". */
static const char *push_path(lua_State *L, const char *path, size_t size) {
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  for (size_t i = 0; i < size; i++)
    luaL_addchar(&text, path[i] == '\0' ? '@' : path[i]);
  luaL_pushresult(&text);
  return lua_tostring(L, -1);
}

int awio_refuse_path(lua_State *L, int code, const char *call, const char *path,
                     size_t size) {
  enum { SHOWN = 48 };
  bool is_abstract = size > 1 && path[0] == '\0';
  const char *about = push_path(L, path, size < SHOWN ? size : SHOWN);
  if (code == UV_ENAMETOOLONG)
    about = lua_pushfstring(
        L, "%s... (%d bytes; the %s of a socket has %d at most)", about,
        (int)size, is_abstract ? "abstract name" : "path",
        (int)sizeof((struct sockaddr_un *)NULL)->sun_path - !is_abstract);
  else if (!is_abstract && memchr(path, '\0', size))
    about = lua_pushfstring(L, "%s (a zero byte in a path)", about);
  else
    about = push_path(L, path, size);
  return aw_lua_system_error(L, code, call, about);
}

int awio_check_port(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg))
    aw_lua_arg_error(L, arg,
                     "port expected, got nothing; host and port are "
                     "two arguments");
  lua_Integer port = aw_lua_check_integer(L, arg);
  aw_lua_arg_check(L, port >= 0 && port <= LARGEST_PORT, arg,
                   "a port is a number from 0 to 65535");
  return (int)port;
}

const char *awio_check_host(lua_State *L, int arg, const char *call) {
  size_t size;
  const char *host = aw_lua_check_string(L, arg, &size);
  if (size == 0)
    aw_lua_system_error(L, UV_EAI_NONAME, call, "");
  if (strlen(host) != size)
    aw_lua_system_error(
        L, UV_EINVAL, call,
        lua_pushfstring(L, "%s (a zero byte in a host name)", host));
  if (size > LONGEST_HOST)
    aw_lua_system_error(L, UV_ENAMETOOLONG, call,
                        lua_pushfstring(L,
                                        "%s... (%d bytes; a host name has "
                                        "253 at most)",
                                        lua_pushlstring(L, host, 32),
                                        (int)size));
  return host;
}

void awio_push_port_option(lua_State *L, int arg, const char *name) {
  int type = lua_getfield(L, arg, name), is_integer;
  lua_Integer port = lua_tointegerx(L, -1, &is_integer);
  if (type == LUA_TNIL)
    return;
  if (!is_integer)
    aw_lua_bad_option(L, name, "port");
  if (port < 0 || port > LARGEST_PORT)
    aw_lua_error(L,
                 "bad option '%s' (a port is a number from 0 to 65535, got %I)",
                 name, (LUAI_UACINT)port);
  lua_pushinteger(L, port);
  lua_replace(L, -2);
}

int awio_to_family(lua_State *L, int index) {
  const char *name =
      lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  return strcmp(name, "inet") == 0    ? AF_INET
         : strcmp(name, "inet6") == 0 ? AF_INET6
                                      : AF_UNSPEC;
}

void awio_push_family(lua_State *L, int family) {
  if (family == AF_INET || family == AF_INET6)
    lua_pushstring(L, family == AF_INET ? "inet" : "inet6");
  else
    lua_pushnil(L);
}

int awio_opt_family(lua_State *L, int arg) {
  int type = lua_getfield(L, arg, "family");
  int family = awio_to_family(L, -1);
  if (type != LUA_TNIL && type != LUA_TSTRING)
    aw_lua_bad_option(L, "family", "\"inet\" or \"inet6\"");
  if (type == LUA_TSTRING && family == AF_UNSPEC)
    aw_lua_error(
        L, "bad option 'family' (\"inet\" or \"inet6\" expected, got '%s')",
        lua_tostring(L, -1));
  lua_pop(L, 1);
  return family;
}

const char *awio_push_where(lua_State *L, const char *host, int port) {
  return lua_pushfstring(L, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host,
                         port);
}
