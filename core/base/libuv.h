/* libuv.h - the loop of libuv that an engine has; see libuv.c */
#ifndef AW_LIBUV_H
#define AW_LIBUV_H

#include "state.h"

/* Open it, if it is not yet. */
int aw__libuv_open(aw_engine *engine);
/* Close it, with all that is left in it. */
void aw__libuv_close(aw_engine *engine);
/* Handles in it that keep something alive and are not the engine's own. */
size_t aw__libuv_handles(const aw_engine *engine);

#endif
