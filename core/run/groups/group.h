/* group.h - joins and races; see group.c */
#ifndef AW_GROUP_H
#define AW_GROUP_H

#include "state.h"

/* Push the frame of a join or a race, without operands yet. */
int aw__group_open(aw_task *task, aw_wire *wire, aw_group **out);
/* The next operand that may begin, not scheduled yet; NULL: none for now. */
aw_task *aw__group_next(aw_group *group);
bool aw__group_is_event(const aw_group *group, const aw_task *operand);
void aw__group_commit(aw_task *contender); /* its wait was completed [H3] */
void aw__group_armed(aw_task *contender);  /* its wait has begun */
void aw__group_close(aw_task *task);       /* all operands have ended */

#endif
