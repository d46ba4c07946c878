/* forks.h - how often the process has forked; see aw_forks() */
#ifndef AW_FORKS_H
#define AW_FORKS_H

/* Count from now on. Returns 0 or a negative code. Call from: any thread. */
int aw__forks_count(void);

#endif
