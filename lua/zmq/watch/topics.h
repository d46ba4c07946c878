/* topics.h - a set of topics that answers: does one of them begin this text?
 *
 * Each call takes time in proportion to the length of its text. A topic takes
 * its bytes and some 60 more. */
#ifndef AWZ_TOPICS_H
#define AWZ_TOPICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct awz_topic awz_topic;

/* A set of zeros is empty. */
typedef struct awz_topics {
  awz_topic **chains;
  size_t count; /* topics */
  size_t used;  /* chains; topics.c */
  size_t room;  /* chains that there is memory for */
  uint64_t seed;
} awz_topics;

/* Add a topic, or count it once more. Returns 0 or AW_ENOMEM. */
int awz_topics_add(awz_topics *topics, const char *topic, size_t size);
/* Count a topic once less, and remove it at 0; with `all` at once. Does nothing
 * if there is no such topic. */
void awz_topics_remove(awz_topics *topics, const char *topic, size_t size,
                       bool all);
/* Tell whether a topic is a prefix of the text, or all of it. */
bool awz_topics_begin(const awz_topics *topics, const char *text, size_t size);
void awz_topics_free(awz_topics *topics);

#endif
