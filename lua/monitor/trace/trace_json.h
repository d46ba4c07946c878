/* trace_json.h - tracks as a file in the format of Chrome's trace viewer */
#ifndef AWM_TRACE_JSON_H
#define AWM_TRACE_JSON_H

#include "trace/tracks.h"

#include <stdio.h>

/* What else the file says. */
typedef struct awm_trace_facts {
  uint64_t lost;  /* events that were overwritten */
  uint64_t alive; /* tasks at the end */
  uint64_t waiting;
} awm_trace_facts;

/* Write all of it. Errors are those of `out`: see ferror(). */
void awm_write_json(FILE *out, const awm_tracks *t,
                    const awm_trace_facts *facts);

#endif
