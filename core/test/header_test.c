/* header_test.c - each public header compiles alone, in every C and C++
 *
 * The compilers are CC and CXX of the environment or else all of gcc and clang,
 * g++ and clang++ that are installed. aiowire_lua.h is compiled where Lua's
 * headers are found. The headers are found relative to this file.
 */
#include <aiowire.h>

#include "check.h"

static int compiled;

/* Run `format` with the compiler, if it is installed, for `header`. */
static void compile(const char *compiler, const char *language,
                    const char *standard, const char *header) {
  char folder[512], line[8192];
  snprintf(folder, sizeof folder, "%s", __FILE__);
  char *end = strrchr(folder, '/');
  CHECK(end != NULL);
  *end = '\0';
  snprintf(line, sizeof line,
           "command -v %s >/dev/null 2>&1 || exit 77; "
           "lua=; case %s in *_lua.h|*_module.h) "
           "lua=$(pkg-config --cflags lua5.4 2>/dev/null) || exit 77;; esac; "
           "test -f '%s/../include/%s' || test -f '%s/../../lua/include/%s' "
           "|| exit 77; "
           "echo '#include <%s>' | "
           "%s -x %s -std=%s -Wall -Wextra -Wpedantic -Werror -fsyntax-only "
           "-I '%s/../include' -I '%s/../../lua/include' "
           "$(echo \"$lua\" | sed 's/-I/-isystem /g') -",
           compiler, header, folder, header, folder, header, header, compiler,
           language, standard, folder, folder);
  int status = system(line);
  bool absent = status >> 8 == 77;
  if (status != 0 && !absent)
    fprintf(stderr, "%s as %s by %s\n", header, standard, compiler);
  CHECK(status == 0 || absent);
  compiled += status == 0;
}

static void compile_as(const char *const *compilers, const char *language,
                       const char *const *standards) {
  static const char *const headers[] = {
      "aiowire.h", "aiowire_zmq.h", "aiowire_lua.h", "aiowire_module.h", NULL};
  for (; *compilers; compilers++)
    for (const char *const *s = standards; *s; s++)
      for (const char *const *h = headers; *h; h++)
        compile(*compilers, language, *s, *h);
}

int main(void) {
  static const char *const c[] = {"c99", "c11", "c17", NULL};
  static const char *const cxx[] = {"c++11", "c++14", "c++17", "c++20", NULL};
  const char *own[] = {getenv("CC"), NULL}, *own_cxx[] = {getenv("CXX"), NULL};
  static const char *const both[] = {"gcc", "clang", NULL};
  static const char *const both_cxx[] = {"g++", "clang++", NULL};
  compile_as(own[0] ? own : both, "c", c);
  CHECK(compiled > 0);
  compile_as(own_cxx[0] ? own_cxx : both_cxx, "c++", cxx);
  CHECK(strcmp(aw_version(), AW_VERSION_STRING) == 0);
  printf("%d compiled\n", compiled);
  return 0;
}
