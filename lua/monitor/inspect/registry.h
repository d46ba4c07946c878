/* registry.h - the Lua states that are inspected, and what they are asked; see
 * registry.c */
#ifndef AWM_REGISTRY_H
#define AWM_REGISTRY_H

#include "listen/accounts.h"

#include <aiowire.h>
#include <aiowire_lua.h>

#include <stdatomic.h>

typedef enum awm_request {
  AWM_TASKS,
  AWM_DUMP,
  AWM_EVENTS,
  AWM_GRAPH
} awm_request;

/* A text in memory of C that several threads read. */
typedef struct awm_text {
  atomic_uint refs;
  size_t size;
  char bytes[];
} awm_text;

/* In a value of the protocol, the letter that stands for a byte after a
 * backslash; 0: the byte is plain. */
char awm_escape_of(char byte);

typedef struct awm_inspected awm_inspected;
typedef struct awm_question awm_question;

enum { AWM_LONGEST_NAME = 128, AWM_LONGEST_ARGUMENT = 16 };

/* What a client asks one state. */
struct awm_question {
  awm_request request;
  char argument[AWM_LONGEST_ARGUMENT]; /* of the request; "": none */
  /* The rest is guarded by the lock. */
  enum {
    AWM_ASKED,   /* in the queue of its state */
    AWM_TAKEN,   /* the state's thread makes the text, and has the question */
    AWM_ANSWERED /* or the state has left, without a text */
  } state;
  awm_inspected *whom; /* NULL: it has answered, or left */
  awm_question *next, **place;
  awm_step step; /* that was under way when it answered; `task` 0: none */
  bool unwanted; /* the client has gone */
  bool by_hook;  /* answered in the middle of a body */
  bool starved;  /* there was no memory for an answer */
  bool failed;   /* the text is why there is no answer */
  awm_text *text;
};

/* A Lua state that is inspected. */
struct awm_inspected {
  /* Set once, by the state's thread. */
  unsigned number, forks;
  long thread;    /* the system's number of the thread */
  uint64_t since; /* as of uv_hrtime() */

  atomic_bool asked; /* there is something in the queue: a hint */
  /* awl_engine.serial of the state's own engine; 0: not known */
  _Atomic uint64_t own_engine;

  /* Guarded by the lock. */
  char name[AWM_LONGEST_NAME];
  awm_inspected *next, **place;  /* `place` NULL: not in the list */
  aw_engine *engine;             /* that runs and can be woken, or NULL */
  aw_lua_interrupts *interrupts; /* to reach a busy body, or NULL */
  const awm_pulse *pulse;        /* or NULL: there are no accounts */
  awm_question *queue, **end;
  awm_question *taken; /* that is being answered, or NULL */
  awm_text *last;      /* the last answer to AWM_TASKS, or NULL */
};

/* ---- for the threads of Lua states ---- */

/* Enter the state whose thread calls. Gives; NULL: no memory. */
awm_inspected *awm_registry_enter(const char *name);
/* Take it out, and free it. Its questions have no answer. */
void awm_registry_leave(awm_inspected *own);
/* Is it in the list? Not in a forked process. */
bool awm_registry_has(const awm_inspected *own);

void awm_registry_rename(awm_inspected *own, const char *name);
/* Copy the name of the first state, which stands for the program. */
void awm_registry_name(char *out, size_t size);
/* Set the engine that runs; NULL: none. */
void awm_registry_set_engine(awm_inspected *own, aw_engine *engine);
/* Set, or take back before they are closed. */
void awm_registry_set_interrupts(awm_inspected *own,
                                 aw_lua_interrupts *interrupts);
void awm_registry_set_pulse(awm_inspected *own, const awm_pulse *pulse);

/* Take the next question, or NULL. */
awm_question *awm_registry_take(awm_inspected *own);
/* Answer it, with `failed` and `by_hook` filled in. `text` is taken; NULL:
 * there was no memory for one. */
void awm_registry_answer(awm_inspected *own, awm_question *question,
                         awm_text *text);

/* ---- for the server's thread ---- */

typedef enum awm_answer {
  AWM_LIVE,    /* made between two steps */
  AWM_HOOK,    /* made in the middle of a body */
  AWM_OLD,     /* the state is busy in C: what it answered before, or nothing */
  AWM_IDLE,    /* no loop runs in the state */
  AWM_STARVED, /* there was no memory for an answer */
  AWM_FAILED   /* there is no answer; `text` says why */
} awm_answer;

/* What one state says in a round. */
typedef struct awm_entry {
  unsigned number;
  long thread;
  uint64_t since;
  char name[AWM_LONGEST_NAME];
  awm_question *question; /* or NULL */
  awm_answer answer;      /* once the round has ended */
  uint64_t busy_for;      /* ns, of AWM_HOOK and AWM_OLD */
  awm_step step;          /* likewise; `task` 0: not known */
  uint64_t own_engine;    /* as in awm_inspected */
  awm_text *text;         /* kept, or NULL */
} awm_entry;

/* A request, asked of all states. */
typedef struct awm_round {
  awm_request request;
  uint64_t asked_at; /* as of uv_hrtime() */
  size_t count;
  awm_entry entries[];
} awm_round;

/* Ask all states. Gives; NULL: no memory. */
awm_round *awm_round_begin(awm_request request, const char *argument);
/* Have all states answered, but for those that have not begun? With `all`, also
 * those. */
bool awm_round_is_answered(const awm_round *round, bool all);
/* Reach into the busy bodies of those that have not answered. */
void awm_round_press(const awm_round *round);
/* Wait no longer: fill `answer` and `text` of each entry. */
void awm_round_end(awm_round *round);
void awm_round_free(awm_round *round); /* at any point; NULL is fine */

/* A byte is written to `fd` for each answer; -1: to nobody. */
void awm_registry_set_bell(int fd);

/* ---- for both, and for the server's descriptors ---- */

/* The lock is held in a fork, so that a forked process finds what it guards in
 * order. It may be held for a few system calls, but not while a thread waits,
 * nor while it runs Lua. */
void awm_lock(void);
void awm_unlock(void);

#endif
