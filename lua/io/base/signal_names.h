/* signal_names.h - signals by name */
#ifndef AWIO_SIGNAL_NAMES_H
#define AWIO_SIGNAL_NAMES_H

#include <stdbool.h>

/* The number of "INT" or "SIGINT"; 0: there is none of that name. */
int awio_signal_number(const char *name);
/* The name of a signal, without "SIG"; "?" for one without. */
const char *awio_signal_name(int number);
/* Can a program wait for it? Not for those that cannot be caught, nor for
 * those that an error of the program itself raises. */
bool awio_signal_waitable(int number);

#endif
