/* calendar.h - finds the next moment with a time of day; see calendar.c */
#ifndef AWIO_CALENDAR_H
#define AWIO_CALENDAR_H

#include <time.h>

enum { AWIO_ANY = -1 };

/* A local time of day. */
typedef struct awio_moment {
  int hour;   /* AWIO_ANY: each hour */
  int minute; /* AWIO_ANY: each minute; then the hour is AWIO_ANY, too */
  int second;
} awio_moment;

/* Return the first second after `after` at which clocks show `moment`. They
 * show the local time of the process, with its daylight saving. */
time_t awio_calendar_next(const awio_moment *moment, time_t after);

#endif
