/* signal_names.h - signals by name */
#ifndef AWIO_SIGNAL_NAMES_H
#define AWIO_SIGNAL_NAMES_H

#include <stdbool.h>

/* Return the number of a signal such as "INT" or "SIGINT"; 0: no signal has
 * that name. */
int awio_signal_number(const char *name);
/* Return the name of a signal, without "SIG"; "?" if it has no name here. */
const char *awio_signal_name(int number);
/* Can a program wait for the signal? False for signals that cannot be caught,
 * and for those that an error of the program raises. */
bool awio_signal_waitable(int number);

#endif
