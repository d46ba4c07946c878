/* frame.h - frames that open a chain or a scope; see frame.c */
#ifndef AW_FRAME_H
#define AW_FRAME_H

#include "state.h"

/* Push the frame of a chain, and begin `wire` next; keeps `wire`. */
int aw__frame_chain(aw_task *task, aw_wire *wire);
/* Open a scope in a frame of its own. */
int aw__frame_scope(aw_task *task, const aw_scope_config *config);
/* Open a scope that gives `wire` at most `ns`. When the limit passes, the frame
 * ends with AW_ETIMEOUT of the first part of `wire`. */
int aw__frame_limit(aw_task *task, aw_wire *wire, uint64_t ns, uint64_t grace);
/* The time at which a shield that is entered now stops hiding cancels. A
 * `grace` of AW_DEFAULT means the grace of the loop. */
uint64_t aw__frame_shield_end(const aw_task *task, uint64_t grace);
/* Open a scope that is part of a larger struct, in three steps: allocate `size`
 * bytes, push a frame, enter. */
aw_opened *aw__opened_new(aw_engine *engine, size_t size);
void aw__opened_free(aw_engine *engine, aw_opened *opened, size_t size);
#define AW_NO_SHIELD AW_DEFAULT /* 0 is the start of a virtual clock */
void aw__frame_enter(aw_task *task, aw_opened *opened, uint64_t grace,
                     uint64_t shield); /* end, or AW_NO_SHIELD */
void aw__frame_exit(aw_task *task, aw_scope_end *end);
/* A child is about to be started in the innermost scope of `task`. If a step
 * runs there as a part of `//` that has no scope yet (see kinds/else.c), put
 * the scope of the part, and its chain, below the frames of the step. Returns 0
 * or a negative code. */
int aw__frame_cover(aw_task *task);
/* If nothing has happened to the scope of the top frame and it has no children,
 * close it in place of aw__frame_exit(); the caller pops the frame. */
bool aw__frame_quit(aw_task *task);
/* A value or an error has reached the top frame, which is that of a scope. If
 * nothing has happened to the scope and it has no children, leave it: the
 * outcome stays as it is, and the caller pops the frame. False: leave it by
 * aw__frame_leave(). Most scopes of `//`, catch() and time limits end so. */
bool aw__frame_pass(aw_task *task);
/* An outcome has reached the top frame, which is that of a scope: join the
 * children of the scope next. */
void aw__frame_leave(aw_task *task);
void aw__frame_close(aw_task *task); /* all children have ended */
/* Note in the error of `task` that `wire` has failed, and that `wire` had `ns`
 * of time. */
void aw__frame_set_wire(aw_task *task, aw_wire *wire, uint64_t ns);

#endif
