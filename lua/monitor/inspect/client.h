/* client.h - one who looks into this process; see client.c */
#ifndef AWM_CLIENT_H
#define AWM_CLIENT_H

#include "inspect/registry.h"

#include <stddef.h>

enum { AWM_LONGEST_REQUEST = 256 };

typedef struct awm_client {
  int fd; /* -1: the place is free */
  char line[AWM_LONGEST_REQUEST];
  size_t filled;    /* bytes in `line` */
  awm_round *round; /* the request that is under way, or NULL */
  enum { AWM_FRESH, AWM_PRESSED, AWM_LATE } phase; /* of the round */
  char *out; /* what is written to the client */
  size_t size, room, written;
  bool starved; /* `out` lacks what there was no memory for */
  bool ends;    /* it is closed when all is written */
  /* as of uv_hrtime(): of the last byte from or to it, or of the answer */
  uint64_t moved;
} awm_client;

/* A client has come. Call it with the lock; takes `fd`. */
void awm_client_open(awm_client *c, int fd);
/* Put the first line, with the name of the program. */
void awm_client_greet(awm_client *c);
/* Tell a client that was just opened that it is one too many. */
void awm_client_refuse(awm_client *c);
void awm_client_close(awm_client *c);

/* The events of poll(2) to wait for. */
short awm_client_events(const awm_client *c);
/* The time at which awm_client_go_on() is to be called at the latest;
 * UINT64_MAX: never. */
uint64_t awm_client_due(const awm_client *c);
/* Nothing is under way for the client. */
bool awm_client_rests(const awm_client *c);
/* Do what can be done now. False: the client is to be closed. */
bool awm_client_go_on(awm_client *c, short events);

#endif
