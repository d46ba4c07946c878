/* options.c - reads the command line; see options.h
 *
 * host_options_read() only checks -e, -l and -W. chunks.c runs them later, in
 * the order of the command line.
 *
 * spec/host/host_options_spec.lua compares the names here with those in the
 * text of --help, in the man page and in docs/program.md.
 */

#include "options/options.h"

#include <aiowire_lua.h>

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- options with a name ------------------------------------------------- */

static bool read_seconds(const char *value, uint64_t *ns) {
  if (value[0] == '\0' || value[strspn(value, "0123456789.eE+-")] != '\0')
    return false; /* strtod() knows more: 0x10, inf, nan, and blanks */
  char *end;
  double seconds = strtod(value, &end);
  if (*end != '\0' || !isfinite(seconds) || signbit(seconds))
    return false;
  double most = (double)AW_NEVER;
  *ns = seconds * 1e9 < most ? (uint64_t)(seconds * 1e9) : AW_NEVER;
  return true;
}

static bool read_timeout(host_options *o, const char *value) {
  return read_seconds(value, &o->timeout_ns);
}

static bool read_grace(host_options *o, const char *value) {
  return read_seconds(value, &o->grace_ns);
}

static bool read_colour(host_options *o, const char *value) {
  static const char *const names[] = {"auto", "always", "never"};
  static const host_colour colours[] = {HOST_COLOUR_AUTO, HOST_COLOUR_ALWAYS,
                                        HOST_COLOUR_NEVER};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(value, names[i]) == 0) {
      o->colour = colours[i];
      return true;
    }
  }
  return false;
}

static bool read_graph(host_options *o, const char *value) {
  return host_graph_read(&o->graph, value);
}

static bool set_check(host_options *o, const char *value) {
  (void)value;
  return o->check = true;
}

static bool set_help(host_options *o, const char *value) {
  (void)value;
  return o->help = true;
}

static bool set_record(host_options *o, const char *value) {
  (void)value;
  return o->record = true;
}

static bool set_trace(host_options *o, const char *value) {
  o->trace = value;
  return value[0] != '\0';
}

static bool set_stats(host_options *o, const char *value) {
  (void)value;
  return o->stats = true;
}

static bool set_top(host_options *o, const char *value) {
  o->pid = value[0] ? value : NULL;
  return o->top = true;
}

static bool set_version(host_options *o, const char *value) {
  (void)value;
  return o->all_parts = true;
}

typedef struct named_option {
  const char *name;
  const char *value;    /* how --help calls the value; NULL: it takes none */
  const char *expected; /* what the value must be, and an example of it */
  const char *example;
  bool (*read)(host_options *options, const char *value); /* false: wrong */
  bool alone; /* it may stand without its value, which is then "" */
} named_option;

static const char SECONDS[] = "a number of seconds from 0 up";
static const char PID[] = "the id of a process";

static const named_option named[] = {
    {"--check", NULL, NULL, NULL, set_check, false},
    {"--color", "WHEN", "auto, always or never", "never", read_colour, false},
    {"--grace", "S", SECONDS, "0.5", read_grace, false},
    {"--graph", "FILE", "dot, mermaid, or a file .mmd, .md, .dot or .gv",
     "out.mmd", read_graph, false},
    {"--help", NULL, NULL, NULL, set_help, false},
    {"--record", NULL, NULL, NULL, set_record, false},
    {"--stats", NULL, NULL, NULL, set_stats, false},
    {"--timeout", "S", SECONDS, "2.5", read_timeout, false},
    {"--top", "PID", PID, "1234", set_top, true},
    {"--trace", "FILE", "the name of a file to write", "out.json", set_trace,
     false},
    {"--version", NULL, NULL, NULL, set_version, false},
    {NULL, NULL, NULL, NULL, NULL, false},
};

/* Return the option whose name stands in `text`, before any "=", or NULL. */
static const named_option *find_named(const char *text) {
  size_t length = strcspn(text, "=");
  for (const named_option *at = named; at->name; at++)
    if (strlen(at->name) == length && strncmp(at->name, text, length) == 0)
      return at;
  return NULL;
}

static host_usage read_named(host_options *options, const char *text) {
  const named_option *option = find_named(text);
  if (!option)
    return HOST_USAGE_UNKNOWN;
  const char *equals = strchr(text, '=');
  if (equals && !option->value)
    return HOST_USAGE_NO_VALUE;
  if (!equals && option->value && !option->alone)
    return HOST_USAGE_VALUE;
  if (equals && option->alone && equals[1] == '\0')
    return HOST_USAGE_VALUE;
  return option->read(options, equals ? equals + 1 : "") ? HOST_USAGE_RIGHT
                                                         : HOST_USAGE_VALUE;
}

/* ---- letters ------------------------------------------------------------- */

/* Each letter is an option of its own: `-vE` is an error, as for lua. */
static host_usage read_letter(host_options *options, const char *text) {
  if (text[2] != '\0')
    return HOST_USAGE_UNKNOWN;
  switch (text[1]) {
  case 'E': options->ignore_env = true; break;
  case 'W': break;
  case 'h': options->help = true; break;
  case 'i': options->interactive = options->version = true; break;
  case 'v': options->version = true; break;
  default: return HOST_USAGE_UNKNOWN;
  }
  return HOST_USAGE_RIGHT;
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
    options->usage = HOST_USAGE_NO_ARGUMENT;
  } else {
    options->usage =
        text[1] == '-' ? read_named(options, text) : read_letter(options, text);
  }
  if (options->usage != HOST_USAGE_RIGHT)
    options->bad = text;
  return i;
}

/* ---- the command line ---------------------------------------------------- */

/* Is the text the id of a process, without a sign or zeros before it? */
static bool is_pid(const char *text) {
  enum { DIGITS = 10 };
  size_t length = strspn(text, "0123456789");
  return text[length] == '\0' && text[0] != '0' && length > 0 &&
         length <= DIGITS && strtoll(text, NULL, 10) <= INT32_MAX;
}

static void refuse_word(host_options *options, const char *word,
                        host_usage usage) {
  options->bad = word;
  options->usage = usage;
}

/* Return an option that concerns what runs, and was given; NULL: there is none.
 */
static const char *option_of_runs(const host_options *options) {
  const struct {
    bool given;
    const char *name;
  } list[] = {{options->interactive, "-i"},
              {options->stats, "--stats"},
              {options->record, "--record"},
              {options->trace != NULL, "--trace"},
              {options->graph.format != NULL, "--graph"}};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (list[i].given)
      return list[i].name;
  return NULL;
}

/* Return an option that concerns a chunk, likewise. */
static const char *option_of_chunks(const host_options *options) {
  host_action action;
  int at = 1;
  while (host_options_next(options, &at, &action))
    if (action.letter != 'W')
      return action.letter == 'e' ? "-e" : "-l";
  return options->check ? "--check" : option_of_runs(options);
}

/* --top runs no chunk. The word after it, or after a "=", is a process id. */
static void check_top(host_options *options) {
  char **argv = options->argv;
  int word = options->script;
  const char *other = option_of_chunks(options);
  if (!options->pid && word < options->argc)
    options->pid = argv[word++];
  if (other)
    refuse_word(options, other, HOST_USAGE_WITH_TOP);
  else if (options->pid && !is_pid(options->pid))
    refuse_word(options, options->pid, HOST_USAGE_PID);
  else if (word < options->argc)
    refuse_word(options, argv[word], HOST_USAGE_WITH_TOP);
}

/* --check runs nothing, so a script gets no arguments: `--check *.lua` means
 * several scripts. */
static void check_check(host_options *options) {
  const char *other = option_of_runs(options);
  if (other)
    refuse_word(options, other, HOST_USAGE_WITH_CHECK);
  else if (options->script + 1 < options->argc)
    refuse_word(options, options->argv[options->script + 1],
                HOST_USAGE_CHECKS_ONE);
}

/* A prompt has no time limit, and draws by its command .graph. */
static void check_together(host_options *options) {
  if (options->bad || options->help || options->all_parts)
    return;
  if (options->top)
    check_top(options);
  else if (options->check)
    check_check(options);
  else if (options->interactive && options->graph.format)
    refuse_word(options, "--graph", HOST_USAGE_WITH_PROMPT);
  else if (options->interactive && options->timeout_ns != AW_NEVER)
    refuse_word(options, "--timeout", HOST_USAGE_WITH_PROMPT);
}

void host_options_read(host_options *options, int argc, char **argv) {
  *options = (host_options){.argc = argc,
                            .argv = argv,
                            .timeout_ns = AW_NEVER,
                            .grace_ns = AW_DEFAULT};
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
  check_together(options);
}

bool host_options_next(const host_options *options, int *at,
                       host_action *action) {
  char **argv = options->argv;
  while (*at < options->script) {
    const char *text = argv[(*at)++];
    action->letter = text[1];
    action->value = NULL;
    if (text[1] == 'W')
      return true;
    if (text[1] == 'e' || text[1] == 'l') {
      action->value = text[2] ? text + 2 : argv[(*at)++];
      return true;
    }
  }
  return false;
}

const char *host_options_script(const host_options *options) {
  const char *name = options->argv[options->script];
  const char *before = options->argv[options->script - 1];
  return strcmp(name, "-") == 0 && strcmp(before, "--") != 0 ? NULL : name;
}

/* ---- messages ------------------------------------------------------------ */

static const char *named_option_at(const void *list, size_t index) {
  return ((const named_option *)list)[index].name;
}

/* Copy the name in `text`, as it would be with two dashes: "--time" of
 * "-time=3". False: there is no such name. */
static bool copy_long_name(const char *text, char *name, size_t size) {
  const char *dash = text[1] == '-' ? "" : "-";
  int length =
      snprintf(name, size, "%s%.*s", dash, (int)strcspn(text, "="), text);
  return length > 4 && (size_t)length < size;
}

/* Print what the user may have meant by an unknown option, with the value that
 * was given. */
static void suggest(FILE *out, const char *text) {
  static const char letters[] = "EWehilv";
  char name[32];
  char letter = (char)(text[1] ^ ('a' ^ 'A')); /* in the other case */
  if (text[2] == '\0' && letter != '\0' && strchr(letters, letter)) {
    fprintf(out, " (did you mean -%c?)", letter);
    return;
  }
  if (!copy_long_name(text, name, sizeof name))
    return;
  const char *meant = aw_lua_nearest(name, named_option_at, named);
  const char *equals = strchr(text, '=');
  const named_option *option = meant ? find_named(meant) : NULL;
  if (option && !option->value)
    fprintf(out, " (did you mean %s?)", meant);
  else if (option && equals && equals[1])
    fprintf(out, " (did you mean %s%s?)", meant, equals);
  else if (option)
    fprintf(out, " (did you mean %s=%s?)", meant, option->value);
}

static void complain_of_value(FILE *out, const char *text) {
  const named_option *option = find_named(text);
  const char *equals = strchr(text, '=');
  if (equals && equals[1])
    fprintf(out, "bad value in '%s' (%s expected, as %s=%s)", text,
            option->expected, option->name, option->example);
  else
    fprintf(out, "'%s' needs a value, as %s=%s (%s)", text, option->name,
            option->example, option->expected);
}

static void write_complaint(FILE *out, const host_options *options) {
  const char *text = options->bad;
  fputs("aiowire: ", out);
  switch (options->usage) {
  case HOST_USAGE_RIGHT: break;
  case HOST_USAGE_UNKNOWN:
    fprintf(out, "unrecognized option '%s'", text);
    suggest(out, text);
    break;
  case HOST_USAGE_NO_ARGUMENT:
    fprintf(out, "'%s' needs an argument", text);
    break;
  case HOST_USAGE_VALUE: complain_of_value(out, text); break;
  case HOST_USAGE_NO_VALUE:
    fprintf(out, "'%.*s' takes no value, got '%s'", (int)strcspn(text, "="),
            text, text);
    break;
  case HOST_USAGE_WITH_PROMPT:
    fprintf(out, "'%s' cannot be used with a prompt", text);
    break;
  case HOST_USAGE_WITH_CHECK:
    fprintf(out, "'%s' cannot be used with --check, which runs nothing", text);
    break;
  case HOST_USAGE_WITH_TOP:
    fprintf(out, "'%s' cannot be used with --top, which runs nothing", text);
    break;
  case HOST_USAGE_PID:
    fprintf(out, "'%s' is no process id (%s expected, as --top=1234)", text,
            PID);
    break;
  case HOST_USAGE_CHECKS_ONE:
    fprintf(out, "--check takes one script; '%s' would be its argument", text);
    break;
  }
  fputs("\nusage: aiowire [options] [script [args]]; see aiowire --help", out);
}

void host_options_complain(const host_options *options) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (out)
    write_complaint(out, options);
  if (out && fclose(out) == 0) {
    host_style_print(STDERR_FILENO, HOST_STYLE_ERROR, text);
  } else { /* there is no memory */
    write_complaint(stderr, options);
    fputc('\n', stderr);
  }
  free(text);
}

void host_options_help(FILE *out) {
  fputs("usage: aiowire [options] [script [args]]\n"
        "\n"
        "Runs a Lua script whose main chunk may await (`aw.sleep(1)`), and\n"
        "then all that it has started. A Wire or Poller that it returns is\n"
        "run, too.\n"
        "\n"
        "  -e STAT        run STAT, in which `aw` is the library; repeatable\n"
        "  -i             show the prompt after the script\n"
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
        "  --timeout=S    cancel all tasks after S seconds, and exit with 124\n"
        "  --grace=S      give clean-up S seconds (default 5; 0: none)\n"
        "  --check        run nothing; report syntax errors, and globals that\n"
        "                 nobody defines\n"
        "  --graph=FILE   run nothing; draw what the script returns or starts\n"
        "                 (.mmd, .md: Mermaid; .dot, .gv: Graphviz; dot or\n"
        "                 mermaid: to standard output)\n"
        "  --stats        print at the end where the time has gone\n"
        "  --top=PID      show the tasks of a program that runs, also --top "
        "PID;\n"
        "                 without a PID: list the programs that can be shown\n"
        "  --trace=FILE   write to FILE what the tasks did, for Perfetto\n"
        "  --record       keep the last events of tasks, and print them with\n"
        "                 errors and dumps\n"
        "  --color=WHEN   color errors: auto (on a terminal), always, never\n"
        "\n"
        "Exit status: 0; 1 uncaught error, or the script cannot be read; 2\n"
        "usage; 13 deadlock; 124 time-out; by the signal after Ctrl-C;\n"
        "otherwise that of os.exit.\n",
        out);
}
