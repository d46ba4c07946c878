/* group.h - wires whose parts run as tasks; see group.c
 *
 * The groups share group.c. What distinguishes a kind of group is a set of
 * functions, `aw__run_NAME` in run/groups/NAME.c; its constructors stand in the
 * same file.
 */
#ifndef AW_GROUP_H
#define AW_GROUP_H

#include "wire/kinds.h"

/* The functions of a kind of group. Those marked "or NULL" are optional. */
typedef struct aw_group_kind {
  /* Returns the number of values that a group of `wire` has room for. */
  size_t (*room)(const aw_wire *wire);
  /* Returns the place, in the wire, of the operand that begins next. NULL:
   * operands begin in their order. */
  uint32_t (*next)(aw_group *group);
  /* Returns true if the operand `wire` decides the race by its commit [H3], as
   * events do. NULL: no operand does. */
  bool (*competes)(const aw_wire *wire);
  /* The contender has committed: returns true if that decides the race. NULL:
   * each commit does. */
  bool (*decides)(const aw_task *contender);
  void (*decided)(aw_group *group); /* an operand has won; or NULL */
  void (*ended)(aw_group *group, const aw_task *operand);
  /* Gives the error that the group ends with because of its operands; NULL:
   * there is none. Without this function the error is `group->error`. */
  aw_error *(*take_error)(aw_group *group);
  /* Returns true if the group has ended by itself, without an error. */
  bool (*complete)(const aw_group *group);
  void (*finish)(aw_task *task, aw_group *group); /* takes `values` */
  void (*drop)(aw_group *group); /* drop `values`; NULL: drop the first */
} aw_group_kind;

#define AW_DECLARE(KIND, name, layout, event, transparent) \
  extern const aw_group_kind aw__run_##name;
AW_GROUP_KINDS(AW_DECLARE)
#undef AW_DECLARE

/* ---- for the interpreter ---- */

/* Push the frame of a group of `kind`, without operands yet. The caller sets
 * `wants_value`. */
int aw__group_open(aw_task *task, aw_wire *wire, const aw_group_kind *kind,
                   aw_group **out);
/* Returns true if one more operand may begin now. */
bool aw__group_has_room(const aw_group *group);
/* Make the next operand, but do not schedule it. Returns NULL when out of
 * memory: the group fails. */
aw_task *aw__group_next(aw_group *group);
/* Returns true if `operand` is an event that decides by its commit. */
bool aw__group_competes(const aw_group *group, const aw_task *operand);
void aw__group_commit(aw_task *contender); /* its wait was completed [H3] */
void aw__group_armed(aw_task *contender);  /* its wait has begun */
void aw__group_close(aw_task *task);       /* all operands have ended */

/* ---- for the kinds of groups ---- */

aw_task *aw__group_task(const aw_group *group);
aw_value aw__group_value_of(const aw_task *operand); /* gives */
/* Set the error of a loser's clean-up aside until all operands have ended. */
void aw__group_note_late(aw_group *group, aw_error *error); /* keeps */
/* Returns true if an error of its clean-up has made the operand fail. */
bool aw__group_failed_in_clean_up(const aw_task *operand);
void aw__group_drop(aw_group *group, size_t count); /* the first values */
/* End with the value that `gather` of the host makes of the first `count`
 * values; takes those values. */
void aw__group_gather(aw_task *task, aw_group *group, aw_shape shape,
                      size_t count);

/* The race is decided: `winner` wins, all others lose. */
void aw__group_decide(aw_group *group, const aw_task *winner);

/* Races: the first operand that ends with a value or an error decides. */
void aw__race_ended(aw_group *group, const aw_task *operand);
bool aw__race_won(const aw_group *group);

#endif
