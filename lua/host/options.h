/* options.h - the command line of aiowire
 *
 * It has the letters, the order and the `arg` table of `lua`. It is read by
 * hand, since getopt keeps none of these.
 */

#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

typedef struct host_options {
  int argc;
  char **argv;
  int script;       /* index in argv of the script; argc without one */
  bool chunks;      /* there is a -e */
  bool version;     /* -v */
  bool all_parts;   /* --version */
  bool help;        /* -h, --help */
  bool ignore_env;  /* -E */
  const char *bad;  /* the argument that is wrong, or NULL */
  bool needs_value; /* … in that its value is missing */
} host_options;

/* Read the options; stops at the first argument that is none. `bad` is set
 * where that failed. Keeps `argv`, which may hold nothing at all.
 */
void host_options_read(host_options *options, int argc, char **argv);

/* Print to stderr what is wrong with `bad`, and the usage. */
void host_options_complain(const host_options *options);

/* Write the text of --help. */
void host_options_help(FILE *out);

#endif
