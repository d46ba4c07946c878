/* limit.h - the time limit of the program, --timeout; see limit.c */
#ifndef HOST_LIMIT_H
#define HOST_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* Begin the time limit, on the thread that runs Lua. Call it once at most.
 *
 *   timeout  ns from now
 *   grace    ns of the clean-up that follows, or AW_DEFAULT
 *
 * Returns 0, or a number of errno. */
int host_limit_begin(uint64_t timeout, uint64_t grace);

/* Return the time that is left, in ns: AW_NEVER without a limit, 0 if the limit
 * is over. */
uint64_t host_limit_left(void);

/* Say whether a script is being read, on the thread that runs Lua. A read that
 * blocks is interrupted by the limit as often as it begins anew. */
void host_limit_reading(bool reads);

/* From now on only finalizers run, in lua_close(). They cannot be interrupted:
 * the end of the grace ends the process. */
void host_limit_close(void);

/* Forget the limit. Call it before the process ends. */
void host_limit_end(void);

#endif
