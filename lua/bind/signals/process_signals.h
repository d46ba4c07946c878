/* process_signals.h - which signals of the process the binding handles */
#ifndef AWL_PROCESS_SIGNALS_H
#define AWL_PROCESS_SIGNALS_H

#include <stdbool.h>

/* The action of a signal while a run holds it. The signal handler calls it, on
 * any thread, so it must be async-signal-safe. */
typedef void (*awl_signal_holder)(int number);

/* Hold a signal. The process has one holder for each signal. Returns 0 or
 * -errno. */
int awl_signal_hold(int number, awl_signal_holder holder);
/* After the return the holder is not called any more. */
void awl_signal_release(int number);

/* Was the signal ignored before the binding handled it? */
bool awl_signal_was_ignored(int number);

#endif
