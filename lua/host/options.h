/* options.h - the command line of aiowire
 *
 * Letters, order and the table `arg` are those of `lua`. getopt() cannot do
 * that, so the words are read one by one. Options with a name take their value
 * after a "=", so that no script is ever taken for a value.
 */

#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include "style.h"

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
  HOST_USAGE_WITH_CHECK   /* an option that does not go with --check */
} host_usage;

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
  uint64_t timeout_ns; /* --timeout; AW_NEVER: none */
  uint64_t grace_ns;   /* --grace; AW_DEFAULT: that of every loop */
  host_colour colour;  /* --color */
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

/* Print on stderr what is wrong with `bad`, and the usage. */
void host_options_complain(const host_options *options);

/* Print the text of --help. */
void host_options_help(FILE *out);

#endif
