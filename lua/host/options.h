/* options.h - the command line of aiowire
 *
 * Letters, order and the table `arg` are those of `lua`. getopt() cannot do
 * that, so the words are read one by one.
 */

#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

typedef struct host_options {
  int argc;
  char **argv;
  int script;       /* index in argv of the script; argc without one */
  bool chunks;      /* there is an -e */
  bool version;     /* -v */
  bool all_parts;   /* --version */
  bool help;        /* -h, --help */
  bool ignore_env;  /* -E */
  const char *bad;  /* the word that is wrong, or NULL */
  bool needs_value; /* `bad` is an option whose value is missing */
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
