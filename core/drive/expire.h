/* expire.h - what happens when a deadline has come; see expire.c */
#ifndef AW_EXPIRE_H
#define AW_EXPIRE_H

#include "base/deadline.h"

/* Apply the deadlines that are due at engine.now, in their order. Returns true
 * if there was one. */
bool aw__expire(aw_engine *engine);
/* Nothing is ready and no other deadline is due: end the oldest idle wait whose
 * time has come [K6]. */
bool aw__expire_idle(aw_engine *engine);

#endif
