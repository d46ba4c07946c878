/* libedit.c - see libedit.h */
#include "prompt/libedit.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#define CALL(member, symbol) \
  { symbol, offsetof(host_libedit, member) }

static const struct {
  const char *name;
  size_t offset;
} symbols[] = {
    CALL(init, "el_init"),
    CALL(end, "el_end"),
    CALL(reset, "el_reset"),
    CALL(resize, "el_resize"),
    CALL(wgets, "el_wgets"),
    CALL(wset, "el_wset"),
    CALL(get, "el_get"),
    CALL(source, "el_source"),
    CALL(wline, "el_wline"),
    CALL(winsertstr, "el_winsertstr"),
    CALL(deletestr, "el_deletestr"),
    CALL(history_winit, "history_winit"),
    CALL(history_wend, "history_wend"),
    CALL(history_w, "history_w"),
};

/* Debian's name, that of most others, and that of macOS. */
static const char *const names[] = {"libedit.so.2", "libedit.so.0",
                                    "libedit.3.dylib"};

static bool find_functions(void *library, host_libedit *calls) {
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *symbol = dlsym(library, symbols[i].name);
    if (!symbol)
      return false;
    memcpy((char *)calls + symbols[i].offset, &symbol, sizeof symbol);
  }
  return true;
}

const host_libedit *host_libedit_load(void) {
  static host_libedit calls;
  static bool found;
  for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++) {
    void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    found = library && find_functions(library, &calls);
    if (library && !found)
      dlclose(library);
  }
  return found ? &calls : NULL;
}
