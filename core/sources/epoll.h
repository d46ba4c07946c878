/* epoll.h - the kernel's set of descriptors behind libuv; see epoll.c */
#ifndef AW_EPOLL_H
#define AW_EPOLL_H

#include "state.h"

/* Take `fd` out of the set, now. Returns false if the file that was watched
 * under this number cannot be named any more: the set may still have that
 * file. */
bool aw__epoll_remove(aw_engine *engine, int fd);

/* Watch the file that is open as `fd` now for `events` of poll(2). Returns
 * false if this file is not in the set. */
bool aw__epoll_watches(aw_engine *engine, int fd, int events);

/* As aw__epoll_watches(), for one report: after that the kernel is silent until
 * the next call. Returns false also where the system cannot do that. */
bool aw__epoll_watches_once(aw_engine *engine, int fd, int events);

/* Remove from the set all files that cannot be named any more. Returns false if
 * that is not possible now, for lack of descriptors or memory. */
bool aw__epoll_renew(aw_engine *engine);

/* Return the descriptor that a host polls for reading in place of libuv's, or a
 * negative code. It stays the same when libuv's set is renewed. */
int aw__epoll_outer(aw_engine *engine);
void aw__epoll_close_outer(aw_engine *engine);

#endif
