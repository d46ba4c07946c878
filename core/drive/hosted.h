/* hosted.h - an engine in the libuv loop of its host; see hosted.c */
#ifndef AW_HOSTED_H
#define AW_HOSTED_H

#include "state.h"

/* Enter the loop `config.uv`. Returns 0 or a negative code. */
int aw__hosted_open(aw_engine *engine);

#endif
