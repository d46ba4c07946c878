/* process_signals.h - which signals of the process are ours */
#ifndef AWL_PROCESS_SIGNALS_H
#define AWL_PROCESS_SIGNALS_H

#include <stdbool.h>

/* What a signal does while a run holds it, in place of what was there before.
 * Called in the handler, on whichever thread that runs: async-signal-safe. */
typedef void (*awl_signal_holder)(int number);

/* Hold a signal: one holder for each, in the process. Returns 0 or -errno. */
int awl_signal_hold(int number, awl_signal_holder holder);
/* Once it returns, the holder is not called any more. */
void awl_signal_release(int number);

/* Was the signal ignored before anything of ours took it? */
bool awl_signal_was_ignored(int number);

#endif
