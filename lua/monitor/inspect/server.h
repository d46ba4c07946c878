/* server.h - the thread that answers those who look into this process; see
 * server.c */
#ifndef AWM_SERVER_H
#define AWM_SERVER_H

#include "inspect/folder.h"

#include <stddef.h>

/* Have the server run: start it, if it does not run yet. Each success has its
 * awm_server_let_go().
 *
 *   path  receives the path of the socket
 *
 * Returns false, with `fault` filled, if it cannot run. Call from: any
 * thread. */
bool awm_server_hold(char *path, size_t size, awm_fault *fault);

/* The last one ends the server: when this returns, its thread has ended and the
 * socket is gone. In a forked process it does nothing for what the parent
 * holds: see `forks` of awm_inspected. */
void awm_server_let_go(void);

/* Does the server run? */
bool awm_server_runs(void);

#endif
