/* host_address.c - see host_address.h */
#define _GNU_SOURCE /* NI_MAXHOST */

#include "address/host_address.h"

#include "base/address.h"

#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SCHEME = sizeof "tcp://" - 1, LARGEST_PORT = 65535 };

/* Tell whether libzmq would take these characters for a host. */
static bool is_name(const char *host) {
  if (!isalnum((unsigned char)*host))
    return false;
  while (isalnum((unsigned char)*host) || (*host && strchr("._-", *host)))
    host++;
  return *host == '\0';
}

/* Tell whether it is a number, which may have brackets. */
static bool is_host_number(const char *host) {
  awio_address number;
  char inside[sizeof((awz_host *)0)->name];
  size_t length = strlen(host);
  if (*host != '[' || host[length - 1] != ']')
    return awio_address_parse(host, 0, &number);
  memcpy(inside, host + 1, length - 2);
  inside[length - 2] = '\0';
  return awio_address_parse(inside, 0, &number);
}

/* Tell whether libzmq takes it for interfaces of this machine, or refuses it:
 * it looks up nothing in a bind. */
static bool is_device(const char *host) {
  return !is_name(host) || if_nametoindex(host) != 0;
}

static bool is_port_text(const char *text, bool binds) {
  size_t digits = strspn(text, "0123456789");
  if (binds && (strcmp(text, "*") == 0 || strcmp(text, "!") == 0))
    return true;
  return digits > 0 && digits <= 5 && text[digits] == '\0' &&
         atol(text) <= LARGEST_PORT && (binds || atol(text) > 0);
}

static bool is_local(const char *name) {
  return strcasecmp(name, "localhost") == 0 ||
         strcasecmp(name, "localhost.") == 0;
}

awz_host_kind awz_host_in(const char *address, bool binds, awz_host *out) {
  const char *source = strchr(address, ';'), *port = strrchr(address, ':');
  const char *host = source ? source + 1 : address + SCHEME;
  if (!awz_starts_with(address, "tcp://") || port < host)
    return AWZ_HOST_PLAIN;
  out->at = (size_t)(host - address);
  out->length = (size_t)(port - host);
  if (out->length >= sizeof out->name)
    return AWZ_HOST_BAD;
  memcpy(out->name, host, out->length);
  out->name[out->length] = '\0';
  if (is_host_number(out->name) || (binds && is_device(out->name)))
    return AWZ_HOST_PLAIN;
  if (!is_name(out->name) || !is_port_text(port + 1, binds))
    return AWZ_HOST_BAD;
  return is_local(out->name) ? AWZ_HOST_LOCAL : AWZ_HOST_NAME;
}

bool awz_host_number(const struct addrinfo *list, char out[AWZ_NUMBER_SIZE]) {
  char text[NI_MAXHOST];
  for (; list; list = list->ai_next) {
    bool is_v4 = list->ai_family == AF_INET;
    if (!is_v4 && list->ai_family != AF_INET6)
      continue;
    if (getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, NULL, 0,
                    NI_NUMERICHOST) != 0)
      continue;
    int size = snprintf(out, AWZ_NUMBER_SIZE, is_v4 ? "%s" : "[%s]", text);
    if (size < AWZ_NUMBER_SIZE)
      return true;
  }
  return false;
}

char *awz_host_replace(const char *address, const awz_host *host,
                       const char *number) {
  size_t size = strlen(address) + strlen(number) + 1;
  char *out = aw_allocate(size);
  if (out)
    snprintf(out, size, "%.*s%s%s", (int)host->at, address, number,
             address + host->at + host->length);
  return out;
}
