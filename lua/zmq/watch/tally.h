/* tally.h - counts the connected peers of a socket by its events
 *
 * Peers over inproc are not among them: see links.h. */
#ifndef AWZ_TALLY_H
#define AWZ_TALLY_H

#include "watch/event.h"

/* Zero at first. The owner guards it with a lock. */
typedef struct awz_tally {
  struct awz_place *places;
  unsigned peers; /* have completed their handshake, and are connected */
  bool raw;       /* connections have no handshake: STREAM, `router_raw` */
} awz_tally;

/* Follow an event of libzmq. Call from: any thread; it uses malloc(3). */
void awz_tally_follow(awz_tally *tally, const awz_event *event);

/* The socket disconnects from this address: libzmq reports no end of the
 * connections. */
void awz_tally_leave(awz_tally *tally, const char *address);
/* The socket connects to this address, perhaps once more. */
void awz_tally_connect(awz_tally *tally, const char *address);

void awz_tally_free(awz_tally *tally);

#endif
