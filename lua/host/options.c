/* options.c - reads the command line; see options.h
 *
 * Here -e, -l and -W are only checked. main.c runs these options later, in the
 * order of the command line.
 */

#include "options.h"

#include "aiowire_lua.h"

#include <stddef.h>
#include <string.h>

static const char *long_option_at(const void *list, size_t index) {
  static const char *const names[] = {"--help", "--version", NULL};
  (void)list;
  return names[index];
}

static bool read_long(host_options *options, const char *text) {
  if (strcmp(text, "--help") == 0)
    options->help = true;
  else if (strcmp(text, "--version") == 0)
    options->all_parts = true;
  else
    return false;
  return true;
}

/* Each letter is an option of its own: `-vE` is an error, as for lua. */
static bool read_letter(host_options *options, const char *text) {
  if (text[2] != '\0')
    return false;
  switch (text[1]) {
  case 'E': options->ignore_env = true; return true;
  case 'W': return true;
  case 'h': options->help = true; return true;
  case 'v': options->version = true; return true;
  default: return false;
  }
}

/* Read the option at argv[i]; returns the index of its last word. */
static int read_option(host_options *options, int i) {
  char **argv = options->argv;
  const char *text = argv[i];
  if (text[1] == 'e' || text[1] == 'l') {
    options->chunks = options->chunks || text[1] == 'e';
    if (text[2] != '\0')
      return i;
    if (argv[i + 1] && argv[i + 1][0] != '-')
      return i + 1;
    options->needs_value = true;
    options->bad = text;
  } else if (!(text[1] == '-' ? read_long(options, text)
                              : read_letter(options, text))) {
    options->bad = text;
  }
  return i;
}

void host_options_read(host_options *options, int argc, char **argv) {
  memset(options, 0, sizeof *options);
  options->argc = argc;
  options->argv = argv;
  int i = 1;
  for (; i < argc && !options->bad; i++) {
    const char *text = argv[i];
    if (text[0] != '-' || text[1] == '\0') /* a script, or "-": stdin */
      break;
    if (strcmp(text, "--") == 0) {
      i++;
      break;
    }
    i = read_option(options, i);
  }
  options->script = i < argc ? i : argc;
}

void host_options_complain(const host_options *options) {
  const char *meant = NULL;
  if (options->needs_value)
    fprintf(stderr, "aiowire: '%s' needs an argument\n", options->bad);
  else if (strncmp(options->bad, "--", 2) == 0)
    meant = aw_lua_nearest(options->bad, long_option_at, NULL);
  if (meant)
    fprintf(stderr, "aiowire: unrecognized option '%s' (did you mean %s?)\n",
            options->bad, meant);
  else if (!options->needs_value)
    fprintf(stderr, "aiowire: unrecognized option '%s'\n", options->bad);
  fputs("usage: aiowire [options] [script [args]]; see aiowire --help\n",
        stderr);
}

void host_options_help(FILE *out) {
  fputs("usage: aiowire [options] [script [args]]\n"
        "\n"
        "Runs a Lua script whose main chunk may await (`aw.sleep(1)`), and\n"
        "then all that it has started. A Wire or Poller that it returns is\n"
        "run, too.\n"
        "\n"
        "  -e STAT        run STAT, in which `aw` is the library; repeatable\n"
        "  -l MOD         require MOD into a global of that name\n"
        "  -l G=MOD       require MOD into the global G\n"
        "  -v             print the version\n"
        "  -E             ignore LUA_* in the environment\n"
        "  -W             print all warnings, not only those of mistakes\n"
        "  -              run standard input\n"
        "  --             end of the options\n"
        "  -h, --help     print this\n"
        "  --version      print the versions and paths of all parts\n"
        "\n"
        "Exit status: 0; 1 uncaught error, or the script cannot be read; 2\n"
        "usage; by the signal after Ctrl-C; otherwise that of os.exit.\n",
        out);
}
