/* turn.h - a turn of an engine that a host drives; see turn.c */
#ifndef AW_TURN_H
#define AW_TURN_H

#include "state.h"

/* Run what is ready, for about 1 ms at most, then tell of the loops that have
 * ended. `*freed` tells whether the host has freed the engine meanwhile; the
 * caller keeps it. Returns 0; or AW_EBUSY, with nothing run, while a host step
 * is neither reported nor parked. */
int aw__turn(aw_engine *engine, bool *freed);
/* The real time at which the next turn is due; 0: at once. */
uint64_t aw__turn_due(aw_engine *engine);

#endif
