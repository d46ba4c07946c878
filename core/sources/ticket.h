/* ticket.h - the mailbox of an engine, for tests; see ticket.c */
#ifndef AW_TICKET_H
#define AW_TICKET_H

#include "state.h"

/* How often other threads have woken the engine. 0: it has no mailbox. */
uint64_t aw__ticket_wakes(const aw_engine *engine);

#endif
