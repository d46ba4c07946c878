/* frame.h - frames that open a chain or a scope; see frame.c */
#ifndef AW_FRAME_H
#define AW_FRAME_H

#include "state.h"

/* Push the frame of a chain: `wire`, kept, is what the task does next. */
int aw__frame_chain(aw_task *task, aw_wire *wire);
/* Open a scope in a frame of its own. */
int aw__frame_scope(aw_task *task, const aw_scope_config *config);
/* Open a scope that gives `wire` at most `ns`. When the limit passes, the frame
 * ends with AW_ETIMEOUT of the first part of `wire`. */
int aw__frame_limit(aw_task *task, aw_wire *wire, uint64_t ns, uint64_t grace);
/* When a shield that is entered now stops hiding; AW_DEFAULT: the loop's. */
uint64_t aw__frame_shield_end(const aw_task *task, uint64_t grace);
/* The same in steps, for scopes that are part of something larger: memory,
 * and, with the frame pushed, the scope itself. */
aw_opened *aw__opened_new(aw_engine *engine, size_t size);
void aw__opened_free(aw_engine *engine, aw_opened *opened, size_t size);
enum { AW_NO_SHIELD = 0 };
void aw__frame_enter(aw_task *task, aw_opened *opened, uint64_t grace,
                     uint64_t shield); /* its end, or AW_NO_SHIELD */
void aw__frame_exit(aw_task *task, aw_scope_end *end);
/* An outcome has reached the top frame, a scope's: join its children next. */
void aw__frame_leave(aw_task *task);
void aw__frame_close(aw_task *task); /* its children have ended */
/* The error that the task ends with came of `wire`, which had `ns`. */
void aw__frame_set_wire(aw_task *task, aw_wire *wire, uint64_t ns);

#endif
