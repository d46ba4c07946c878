/* topics.c - see topics.h
 *
 * A hash table of chains. The hash of a text is made byte by byte, so to look
 * for all prefixes of a text takes one pass: each byte gives the hash of one
 * more prefix. The hash begins with a random seed, or a subscriber could choose
 * topics that are all in one chain.
 *
 * Linear hashing: a set that grows gets one chain at a time, so that no
 * subscription has to wait until the whole table is arranged anew. Chains at
 * `used` and beyond are not split off yet; their topics are in the chain whose
 * number lacks the top bit.
 *
 *     used = 6:     0   1   2   3   4   5  (6) (7)
 *                           ▲   ▲           │   │
 *                           └───┼───────────┘   │
 *                               └───────────────┘
 *
 * The table does not shrink; it is freed with the last topic.
 */
#include "watch/topics.h"

#include <aiowire.h>

#include <uv.h>

#include <string.h>

struct awz_topic {
  awz_topic *next; /* in its chain */
  uint64_t hash;
  size_t size;
  uint32_t count; /* how often it was added and not removed */
  char bytes[];
};

/* ---- hashing ---- */

static uint64_t add_byte(uint64_t hash, char byte) {
  hash = (hash ^ (unsigned char)byte) * UINT64_C(0x9E3779B97F4A7C15);
  return hash ^ hash >> 32;
}

static uint64_t hash_topic(uint64_t hash, const char *topic, size_t size) {
  for (size_t i = 0; i < size; i++)
    hash = add_byte(hash, topic[i]);
  return hash;
}

/* The chain for a hash, if there are `used` of them. */
static size_t chain_of(const awz_topics *topics, uint64_t hash) {
  size_t chains = topics->room; /* a power of 2 */
  while (chains / 2 >= topics->used)
    chains /= 2;
  size_t chain = (size_t)hash & (chains - 1);
  return chain < topics->used ? chain : chain & (chains / 2 - 1);
}

/* ---- the table ---- */

static bool make_chain_room(awz_topics *topics) {
  enum { FIRST = 8 };
  if (topics->used < topics->room)
    return true;
  size_t room = topics->room ? topics->room * 2 : FIRST;
  awz_topic **chains = aw_reallocate(topics->chains, room * sizeof *chains);
  if (!chains)
    return false;
  memset(chains + topics->room, 0, (room - topics->room) * sizeof *chains);
  topics->chains = chains;
  topics->room = room;
  return true;
}

/* Begin another chain, with the topics of an earlier one that belong there. */
static void split(awz_topics *topics) {
  if (!make_chain_room(topics)) /* then chains get longer */
    return;
  size_t old = chain_of(topics, (uint64_t)topics->used);
  topics->used++;
  awz_topic *topic = topics->chains[old];
  topics->chains[old] = NULL;
  while (topic) {
    awz_topic *next = topic->next;
    awz_topic **chain = &topics->chains[chain_of(topics, topic->hash)];
    topic->next = *chain;
    *chain = topic;
    topic = next;
  }
}

static int begin_table(awz_topics *topics) {
  if (topics->used > 0)
    return 0;
  if (topics->seed == 0 &&
      uv_random(NULL, NULL, &topics->seed, sizeof topics->seed, 0, NULL) < 0)
    topics->seed = uv_hrtime() ^ (uintptr_t)topics;
  if (!make_chain_room(topics))
    return AW_ENOMEM;
  topics->used = 1;
  return 0;
}

static bool is_topic(const awz_topic *topic, uint64_t hash, const char *text,
                     size_t size) {
  return topic->hash == hash && topic->size == size &&
         (size == 0 || memcmp(topic->bytes, text, size) == 0);
}

/* Returns the place of a topic, or of the NULL at the end of its chain. */
static awz_topic **find_topic(const awz_topics *topics, uint64_t hash,
                              const char *topic, size_t size) {
  awz_topic **place = &topics->chains[chain_of(topics, hash)];
  while (*place && !is_topic(*place, hash, topic, size))
    place = &(*place)->next;
  return place;
}

/* ---- the set ---- */

int awz_topics_add(awz_topics *topics, const char *topic, size_t size) {
  int rc = begin_table(topics);
  if (rc < 0)
    return rc;
  uint64_t hash = hash_topic(topics->seed, topic, size);
  awz_topic **place = find_topic(topics, hash, topic, size);
  if (*place) {
    (*place)->count += (*place)->count < UINT32_MAX;
    return 0;
  }
  awz_topic *new = aw_allocate(sizeof *new + size);
  if (!new)
    return AW_ENOMEM;
  new->hash = hash;
  new->size = size;
  new->count = 1;
  if (size > 0)
    memcpy(new->bytes, topic, size);
  *place = new;
  if (++topics->count > topics->used)
    split(topics);
  return 0;
}

void awz_topics_remove(awz_topics *topics, const char *topic, size_t size,
                       bool all) {
  if (topics->count == 0)
    return;
  uint64_t hash = hash_topic(topics->seed, topic, size);
  awz_topic **place = find_topic(topics, hash, topic, size);
  awz_topic *found = *place;
  if (!found || (--found->count > 0 && !all))
    return;
  *place = found->next;
  aw_free(found);
  if (--topics->count == 0)
    awz_topics_free(topics);
}

bool awz_topics_begin(const awz_topics *topics, const char *text, size_t size) {
  uint64_t hash = topics->seed;
  for (size_t length = 0; topics->count > 0; length++) {
    if (*find_topic(topics, hash, text, length))
      return true;
    if (length == size)
      return false;
    hash = add_byte(hash, text[length]);
  }
  return false;
}

void awz_topics_free(awz_topics *topics) {
  for (size_t i = 0; i < topics->used; i++)
    while (topics->chains[i]) {
      awz_topic *topic = topics->chains[i];
      topics->chains[i] = topic->next;
      aw_free(topic);
    }
  aw_free(topics->chains);
  topics->chains = NULL;
  topics->count = topics->used = topics->room = 0;
}
