/* calendar.h - when is it such a time of day next; see calendar.c */
#ifndef AWIO_CALENDAR_H
#define AWIO_CALENDAR_H

#include <time.h>

enum { AWIO_ANY = -1 };

/* A local time of day. */
typedef struct awio_moment {
  int hour;   /* or AWIO_ANY: each hour … */
  int minute; /* … or AWIO_ANY, as the hour is then: each minute */
  int second;
} awio_moment;

/* The first second after `after` that is such a moment. Local time is that of
 * the process, with its daylight saving. */
time_t awio_calendar_next(const awio_moment *moment, time_t after);

#endif
