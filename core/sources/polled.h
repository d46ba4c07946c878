/* polled.h - sources that the engine looks after; see polled.c */
#ifndef AW_POLLED_H
#define AW_POLLED_H

#include "state.h"

/* Register `polled` with the engine. Borrowed until it is removed. */
void aw__polled_add(aw_engine *engine, aw_polled *polled);
void aw__polled_remove(aw_engine *engine, aw_polled *polled);
/* Call these functions of all polled sources; aw__polled_is_dirty() tells
 * whether one of them is dirty. */
void aw__polled_look(aw_engine *engine);
void aw__polled_settle(aw_engine *engine);
bool aw__polled_is_dirty(const aw_engine *engine);

#endif
