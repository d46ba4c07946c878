/* openssl.c - see openssl.h */
#include "tls/openssl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

awio_openssl_calls awio_openssl_table;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool found;
static char problem[160];

#define SYMBOL(name) {#name, offsetof(awio_openssl_calls, name)},
static const struct {
  const char *name;
  size_t offset;
} symbols[] = {AWIO_OPENSSL_FUNCTIONS(SYMBOL)};
#undef SYMBOL

/* A handle of libssl finds the functions of libcrypto, too, since libssl needs
 * it. */
static bool find_calls(void *library) {
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *symbol = dlsym(library, symbols[i].name);
    if (!symbol) {
      snprintf(problem, sizeof problem, "libssl lacks the function %s",
               symbols[i].name);
      return false;
    }
    memcpy((char *)&awio_openssl_table + symbols[i].offset, &symbol,
           sizeof symbol);
  }
  return true;
}

static void open_once(void) {
  static const char *const names[] = {"libssl.so.3", "libssl.3.dylib"};
  void *library = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++) {
    library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    const char *why = library ? NULL : dlerror();
    if (why && i == 0) /* most systems know the first name only */
      snprintf(problem, sizeof problem, "%s", why);
  }
  if (!library)
    return;
  if (!find_calls(library)) {
    dlclose(library);
    return;
  }
  /* Its handler at exit would free what other threads may still use. */
  found =
      awio_openssl_table.OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) == 1;
  if (!found)
    snprintf(problem, sizeof problem, "OpenSSL cannot be initialized");
}

const awio_openssl_calls *awio_openssl_open(void) {
  pthread_once(&once, open_once);
  return found ? &awio_openssl_table : NULL;
}

const char *awio_openssl_problem(void) {
  return problem;
}
