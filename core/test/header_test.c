/* header_test.c - the public headers compile alone, as C11 and as C++
 *
 * The compilers are CC and CXX of the environment, or cc and c++. The test
 * passes without a C++ compiler. The headers are found relative to this file.
 */
#include <aiowire.h>

#include "check.h"

static int compile(const char *header, const char *variable,
                   const char *command, const char *options) {
  const char *compiler = getenv(variable);
  char line[2048];
  char folder[1024];
  snprintf(folder, sizeof folder, "%s", __FILE__);
  char *end = strrchr(folder, '/');
  CHECK(end != NULL);
  *end = '\0';
  snprintf(line, sizeof line,
           "command -v %s >/dev/null || exit 77; "
           "echo '#include <%s>' | "
           "%s %s -Wall -Wextra -Wpedantic -Werror -fsyntax-only "
           "-I '%s/../include' -",
           compiler ? compiler : command, header, compiler ? compiler : command,
           options, folder);
  int status = system(line);
  return status < 0 ? status : status >> 8;
}

static void check_header(const char *header) {
  CHECK(compile(header, "CC", "cc", "-std=c11 -x c") == 0);
  int rc = compile(header, "CXX", "c++", "-std=c++11 -x c++");
  CHECK(rc == 0 || rc == 77);
}

int main(void) {
  check_header("aiowire.h");
  check_header("aiowire_zmq.h");
  CHECK(strcmp(aw_version(), AW_VERSION_STRING) == 0);
  return 0;
}
