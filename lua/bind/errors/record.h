/* record.h - the info of an error, as it is kept; see record.c */
#ifndef AWL_RECORD_H
#define AWL_RECORD_H

#include "base/state.h"

/* The facts of an info that are Lua values. */
typedef enum awl_fact {
  AWL_FACT_ERR = 1,
  AWL_FACT_REPLACED,  /* the info of the error that this one replaced */
  AWL_FACT_TRACEBACK, /* a text, or frames (frames.c); the first of an origin */
  AWL_FACT_CHAIN,     /* a list of texts; of one text only the text */
  AWL_FACT_NAME,      /* nil: the one text of the chain, cut */
  AWL_FACT_STARTED_AT,
  AWL_FACTS = AWL_FACT_STARTED_AT
} awl_fact;

typedef struct awl_record {
  const void *mark; /* says that the userdata is a record */
  /* the task: serial of its engine, or 0; its id, or 0 for no task */
  uint64_t engine, id;
} awl_record;

/* The head of the userdata of an origin, see record.c. */
typedef struct awl_origin {
  /* the texts of the facts CHAIN and STARTED_AT, or NULL; for origins that
   * awl_share_description() made */
  const char *state, *where;
  bool shared; /* its facts do not change any more */
} awl_origin;

/* How many user values the userdata of an origin has. */
enum { AWL_ORIGIN_VALUES = AWL_FACTS - AWL_FACT_REPLACED + 1 };

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

/* [.., text] → [.., origin]: a shared origin with that traceback. Its userdata
 * has `size` bytes, which begin with the awl_origin. Raises. */
awl_origin *awl_push_origin(lua_State *L, size_t size);
/* [.., origin] → [.., text] */
void awl_take_traceback(lua_State *L);
/* The record at `index` has no origin yet, and gets that on top (popped). */
void awl_set_origin(lua_State *L, int index);
/* These are for a record on top whose task was in the one state `state`, and
 * was started at `where`, or NULL. Has its origin been described so before? Let
 * the record have that description then. Raises nothing. */
bool awl_use_description(lua_State *L, const char *state, const char *where);
/* The record has got the description: let later ones use it, too. `traced` is
 * the index of the origin that the record had before. Raises nothing. */
void awl_share_description(lua_State *L, int traced);
/* Push the origin of the record on top, or nil. */
void awl_push_origin_of(lua_State *L);

#endif
