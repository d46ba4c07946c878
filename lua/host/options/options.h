/* options.h - the command line of aiowire
 *
 * Letters, order and the table `arg` are those of `lua`. getopt() cannot do
 * that, so the words are read one by one. Options with a name take their value
 * after a "=", so that no script is ever taken for a value.
 */

#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include "options/graph.h"
#include "terminal/style.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What is wrong with a word of the command line. */
typedef enum host_usage {
  HOST_USAGE_RIGHT,
  HOST_USAGE_UNKNOWN,     /* no such option */
  HOST_USAGE_NO_ARGUMENT, /* an -e or -l without its text */
  HOST_USAGE_VALUE,       /* the value is missing, or makes no sense */
  HOST_USAGE_NO_VALUE,    /* a value of an option that takes none */
  HOST_USAGE_WITH_PROMPT, /* an option that does not go with -i */
  HOST_USAGE_WITH_CHECK,  /* an option that does not go with --check */
  HOST_USAGE_WITH_TOP,    /* a word that does not go with --top */
  HOST_USAGE_PID,         /* a word of --top that is no process id */
  HOST_USAGE_CHECKS_ONE   /* a word after the script that --check reads */
} host_usage;

/* What stands before the text of an -e, in its first line, so that line numbers
 * stay right. */
#define HOST_STATEMENT_HEAD "local aw = require \"aiowire\"; "

/* An option that acts at its place in the command line. */
typedef struct host_action {
  char letter;       /* 'e', 'l' or 'W' */
  const char *value; /* the argument; NULL for 'W' */
} host_action;

typedef struct host_options {
  int argc;
  char **argv;
  int script;          /* index in argv of the script; argc without one */
  bool chunks;         /* there is an -e */
  bool interactive;    /* -i */
  bool version;        /* -v, or -i, which implies it */
  bool all_parts;      /* --version */
  bool help;           /* -h, --help */
  bool ignore_env;     /* -E */
  bool check;          /* --check */
  bool stats;          /* --stats */
  bool top;            /* --top */
  const char *pid;     /* of --top, decimal digits; NULL: none was given */
  bool record;         /* --record */
  const char *trace;   /* --trace: a path; NULL: none */
  uint64_t timeout_ns; /* --timeout; AW_NEVER: none */
  uint64_t grace_ns;   /* --grace; AW_DEFAULT: that of every loop */
  host_colour colour;  /* --color */
  host_graph graph;    /* --graph */
  host_usage usage;    /* what is wrong with `bad` */
  const char *bad;     /* the word that is wrong, or NULL */
} host_options;

/* Read the options, up to the first word that is no option. Sets `bad` on an
 * error.
 *
 *   argc  may be 0
 *   argv  borrowed as long as `options` is used
 */
void host_options_read(host_options *options, int argc, char **argv);

/* Read the next -e, -l or -W.
 *
 *   at  index in argv where the search begins; 1 at first
 *
 * Returns false if there is none left.
 */
bool host_options_next(const host_options *options, int *at,
                       host_action *action);

/* Return the name of the script's file, or NULL for standard input. There is a
 * script: `script` is less than `argc`. */
const char *host_options_script(const host_options *options);

/* Print on stderr what is wrong with `bad`, and the usage. */
void host_options_complain(const host_options *options);

/* Print the text of --help. */
void host_options_help(FILE *out);

#endif
