/* deadline.h - the deadlines of an engine; see deadline.c */
#ifndef AW_DEADLINE_H
#define AW_DEADLINE_H

#include "state.h"

int aw__alarm_set(aw_engine *engine, aw_alarm *alarm, uint64_t at);
void aw__alarm_clear(aw_engine *engine, aw_alarm *alarm);
uint64_t aw__alarm_at(const aw_engine *engine, const aw_alarm *alarm);
/* Remove and return the earliest alarm that is due at `now`; NULL: none is. */
aw_alarm *aw__alarm_due(aw_engine *engine, uint64_t now);
uint64_t aw__alarm_next(const aw_engine *engine); /* AW_NEVER: none */

#endif
