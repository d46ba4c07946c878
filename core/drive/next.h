/* next.h - what runs next; see next.c */
#ifndef AW_NEXT_H
#define AW_NEXT_H

#include "state.h"

/* Is the last host step neither reported nor parked? */
bool aw__with_host(const aw_engine *engine);
/* Is there something for the host, or for the engine to do at once? */
bool aw__has_work(const aw_engine *engine);
/* The engine goes: release what the host was told last. */
void aw__forget_notices(aw_engine *engine);

#endif
