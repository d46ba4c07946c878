/* epoll.h - the kernel's set of descriptors behind libuv; see epoll.c */
#ifndef AW_EPOLL_H
#define AW_EPOLL_H

#include "state.h"

/* Take `fd` out of the set, now. False: the file that was watched under this
 * number cannot be named any more, and the set may still have it. */
bool aw__epoll_remove(aw_engine *engine, int fd);

/* Is the file that `fd` is now in the set? Then it is watched for `events`,
 * as of poll(2). */
bool aw__epoll_watches(aw_engine *engine, int fd, int events);

/* Empty the set of files that cannot be named any more. False: not possible
 * now, for lack of descriptors or memory. */
bool aw__epoll_renew(aw_engine *engine);

#endif
