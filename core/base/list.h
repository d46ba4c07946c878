/* list.h - an intrusive, circular, doubly linked list
 *
 * A head is a link that points to itself when the list is empty. The `next` of
 * a link that is in no list is NULL; aw__link_used() tests that.
 *
 * A ring is a list whose head is one pointer to the newest link, or NULL if it
 * is empty: half as large as a link, but a link is removed with its head.
 */
#ifndef AW_LIST_H
#define AW_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct aw_link {
  struct aw_link *next, *prev;
} aw_link;

/* Keeps a function out of line, and the branch to it out of the way. */
#ifdef __GNUC__
#define AW_SELDOM __attribute__((cold, noinline))
#else
#define AW_SELDOM
#endif

#define AW_CONTAINER(type, member, pointer) \
  ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void aw__list_init(aw_link *head) {
  head->next = head->prev = head;
}

static inline bool aw__list_empty(const aw_link *head) {
  return head->next == head;
}

static inline bool aw__link_used(const aw_link *link) {
  return link->next != NULL;
}

static inline void aw__list_append(aw_link *head, aw_link *link) {
  assert(head->prev); /* it was initialized */
  link->next = head;
  link->prev = head->prev;
  head->prev->next = link;
  head->prev = link;
}

static inline void aw__link_remove(aw_link *link) {
  assert(link->prev && link->next); /* it is in a list */
  link->prev->next = link->next;
  link->next->prev = link->prev;
  link->next = link->prev = NULL;
}

/* Remove and return the oldest link; NULL if the list is empty. */
static inline aw_link *aw__list_shift(aw_link *head) {
  aw_link *first = head->next;
  if (first == head)
    return NULL;
  aw__link_remove(first);
  return first;
}

static inline void aw__ring_append(aw_link **newest, aw_link *link) {
  if (*newest)
    aw__list_append((*newest)->next, link);
  else
    aw__list_init(link);
  *newest = link;
}

static inline void aw__ring_remove(aw_link **newest, aw_link *link) {
  if (*newest == link)
    *newest = link->prev == link ? NULL : link->prev;
  aw__link_remove(link);
}

/* Remove and return the oldest link; NULL if the ring is empty. */
static inline aw_link *aw__ring_shift(aw_link **newest) {
  aw_link *oldest = *newest ? (*newest)->next : NULL;
  if (oldest)
    aw__ring_remove(newest, oldest);
  return oldest;
}

#endif
