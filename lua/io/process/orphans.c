/* orphans.c - see orphans.h
 *
 * All threads of the process share the list. awio_reap_left() takes the whole
 * list, and puts back the children that still run. In a forked process the
 * noted children are not its own, so its first look removes them all.
 */
#include "process/orphans.h"

#include "process/child.h"

#include <stdatomic.h>
#include <stdlib.h>

struct left {
  struct left *next;
  pid_t pid;
};

static struct left *_Atomic first_left;

static void put_orphans_back(struct left *left) {
  left->next = atomic_load(&first_left);
  while (!atomic_compare_exchange_weak(&first_left, &left->next, left))
    ;
}

/* If there is no memory for the entry, the child stays a zombie until this
 * process ends. malloc() rather than aw_allocate(): the entry outlives the
 * engine. */
void awio_leave(pid_t pid) {
  struct left *left = malloc(sizeof *left);
  if (!left)
    return;
  left->pid = pid;
  put_orphans_back(left);
}

void awio_reap_left(void) {
  if (!atomic_load(&first_left))
    return;
  struct left *left = atomic_exchange(&first_left, NULL);
  while (left) {
    struct left *next = left->next;
    awio_ending ending;
    if (!awio_child_look(left->pid, &ending)) {
      put_orphans_back(left);
    } else {
      if (!ending.lost)
        awio_child_reap(left->pid);
      free(left);
    }
    left = next;
  }
}
