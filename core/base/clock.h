/* clock.h - the engine's clock, and how often it is read; see clock.c */
#ifndef AW_CLOCK_H
#define AW_CLOCK_H

#include "state.h"

#define AW_MS    UINT64_C(1000000)   /* ns */
#define AW_SLICE UINT64_C(200000)    /* ns between two looks [F2] */
#define AW_SLOW  UINT64_C(100000000) /* ns: worth a notification [F4] */

/* `from` + `ns`, or AW_NEVER past the end of time. */
uint64_t aw__later(uint64_t from, uint64_t ns);
/* Store the time in `now`, and size `credit`: the number of steps that may run
 * before the next look. */
void aw__clock_look(aw_engine *engine);
/* A turn of a driven engine begins. */
void aw__clock_begin_turn(aw_engine *engine);
/* A round begins: set `look_at`. There is credit left. */
void aw__clock_begin_round(aw_engine *engine);
/* A round has used up the credit of a look. If its steps took AW_SLOW or
 * longer, look again and return true: deadlines must not wait for the end of
 * the round. */
bool aw__clock_look_in_round(aw_engine *engine);
/* Set `woken` if the time of aw_engine_wake_at() has come. */
void aw__clock_wake_host(aw_engine *engine);

#endif
