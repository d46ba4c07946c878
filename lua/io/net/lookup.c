/* lookup.c - look-ups in a pool of threads; see lookup.h */
#define _GNU_SOURCE /* EAI_NODATA, EAI_ADDRFAMILY */

#include "net/lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The code of libuv for a failure of the resolver. */
static int code_of(int eai) {
  switch (eai) {
  case 0: return 0;
#ifdef EAI_ADDRFAMILY
  case EAI_ADDRFAMILY: return UV_EAI_ADDRFAMILY;
#endif
  case EAI_AGAIN: return UV_EAI_AGAIN;
  case EAI_BADFLAGS: return UV_EAI_BADFLAGS;
  case EAI_FAIL: return UV_EAI_FAIL;
  case EAI_FAMILY: return UV_EAI_FAMILY;
  case EAI_MEMORY: return UV_EAI_MEMORY;
#ifdef EAI_NODATA
  case EAI_NODATA: return UV_EAI_NODATA;
#endif
  case EAI_NONAME: return UV_EAI_NONAME;
  case EAI_OVERFLOW: return UV_EAI_OVERFLOW;
  case EAI_SERVICE: return UV_EAI_SERVICE;
  case EAI_SOCKTYPE: return UV_EAI_SOCKTYPE;
  case EAI_SYSTEM: return errno > 0 ? -errno : UV_EAI_FAIL;
  default: return UV_EAI_FAIL;
  }
}

/* Not AI_ADDRCONFIG: without a network it hides the names in /etc/hosts, and an
 * address that cannot be reached costs a connect nothing. */
static int ask_addresses(awio_lookup *l) {
  struct addrinfo hints = {.ai_family = l->family, .ai_socktype = SOCK_STREAM};
  return code_of(getaddrinfo(l->host, NULL, &hints, &l->found));
}

static int ask_name(awio_lookup *l) {
  l->name = calloc(1, NI_MAXHOST);
  if (!l->name)
    return UV_ENOMEM;
  return code_of(getnameinfo(&l->address.any, l->address.length, l->name,
                             NI_MAXHOST, NULL, 0, NI_NAMEREQD));
}

static void run_lookup(awio_work *work) {
  awio_lookup *l = (awio_lookup *)work;
  work->result = l->address.length > 0 ? ask_name(l) : ask_addresses(l);
}

static void free_lookup(awio_work *work) {
  awio_lookup *l = (awio_lookup *)work;
  if (l->found)
    freeaddrinfo(l->found);
  free(l->name);
  free(l);
}

awio_lookup *awio_lookup_new(const char *host, int family,
                             const awio_address *address) {
  size_t size = host ? strlen(host) + 1 : 1;
  awio_lookup *l = calloc(1, sizeof *l + size);
  if (!l)
    return NULL;
  awio_work_init(&l->work, run_lookup, free_lookup);
  l->family = family;
  l->host = (char *)(l + 1);
  if (host)
    memcpy(l->host, host, size);
  else
    l->address = *address;
  return l;
}

int awio_lookup_begin(awio_lookup *l, awio_inbox *inbox) {
  return awio_work_send(&awio_names, &l->work, inbox);
}

awio_lookup *awio_lookup_next(awio_inbox *inbox) {
  return (awio_lookup *)awio_inbox_next(&awio_names, inbox);
}

void awio_lookup_forget(awio_lookup *l) {
  awio_work_forget(&l->work);
  awio_lookup_release(l);
}

awio_lookup *awio_lookup_keep(awio_lookup *l) {
  return (awio_lookup *)awio_work_keep(&l->work);
}

void awio_lookup_release(awio_lookup *l) {
  awio_work_release(&l->work);
}
