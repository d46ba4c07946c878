/* record.h - the info of an error, as it is kept; see record.c */
#ifndef AWL_RECORD_H
#define AWL_RECORD_H

#include "base/state.h"

/* The facts of an info that are Lua values. */
typedef enum awl_fact {
  AWL_FACT_ERR = 1,
  AWL_FACT_TRACEBACK, /* a text, or frames (frames.c) */
  AWL_FACT_CHAIN,     /* a list of texts; of one text only the text */
  AWL_FACT_NAME,      /* nil: the one text of the chain, cut */
  AWL_FACT_STARTED_AT,
  AWL_FACT_REPLACED, /* the info of the error that this one replaced */
  AWL_FACTS = AWL_FACT_REPLACED
} awl_fact;

typedef struct awl_record {
  const void *mark; /* says that the userdata is a record */
  /* the task: serial of its engine, or 0; its id, or 0 for no task */
  uint64_t engine, id;
} awl_record;

/* Push a new record for the error at `error`. Raises. */
awl_record *awl_push_record(lua_State *L, int error);
/* The record at `index`; NULL: the value is none. */
awl_record *awl_test_record(lua_State *L, int index);
/* Is the value at `index`, which the binding has kept, an info? That is a
 * record, or an Info. */
bool awl_is_info(lua_State *L, int index);
/* Push a fact of the info at `index`, and return its type. Raises. */
int awl_push_fact(lua_State *L, int index, awl_fact fact);
/* The fact of the info at `index` is on top (popped). Raises. */
void awl_set_fact(lua_State *L, int index, awl_fact fact);
/* Does the info at `index` belong to the error at `error`? */
bool awl_is_info_of(lua_State *L, int index, int error);
/* Return the fact whose field of an Info is `key`, or 0. */
awl_fact awl_fact_named(const char *key);

#endif
