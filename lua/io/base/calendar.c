/* calendar.c - the arithmetic of local time
 *
 * A moment with an hour comes once a day, as for cron. If the change to summer
 * time skips it, it comes right after the change; if the change back repeats
 * it, only the first one counts. So the moment of a day is the first second at
 * which clocks show that time or a later one.
 *
 * A moment without an hour comes in each hour that really passes, or each
 * minute.
 */
#include "base/calendar.h"

#include <stdbool.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 24 * HOUR };

/* ---- each hour, each minute ---- */

static int within(const struct tm *local, int period) {
  return period == HOUR ? local->tm_min * MINUTE + local->tm_sec
                        : local->tm_sec;
}

/* Where clocks are set by a part of the period, the first step lands beside. */
static time_t next_within(time_t t, int period, int wanted) {
  enum { STEPS = 8 };
  for (int i = 0; i < STEPS; i++) {
    struct tm local;
    if (!localtime_r(&t, &local) || within(&local, period) == wanted)
      break;
    t += (wanted - within(&local, period) + period) % period;
  }
  return t;
}

/* ---- once a day ---- */

/* Below 0: clocks show less than `wanted` at `t`; 0: just that. */
static int compare(time_t t, const struct tm *wanted) {
  struct tm local;
  if (!localtime_r(&t, &local))
    return 0;
  const int differences[] = {
      local.tm_year - wanted->tm_year, local.tm_mon - wanted->tm_mon,
      local.tm_mday - wanted->tm_mday, local.tm_hour - wanted->tm_hour,
      local.tm_min - wanted->tm_min,   local.tm_sec - wanted->tm_sec};
  for (size_t i = 0; i < sizeof differences / sizeof *differences; i++)
    if (differences[i] != 0)
      return differences[i];
  return 0;
}

/* Clocks may show the same time before `t`, when they are set back. */
static time_t first_of(time_t t, const struct tm *wanted) {
  static const int shifts[] = {2 * HOUR, HOUR, HOUR / 2};
  for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++)
    if (compare(t - shifts[i], wanted) == 0)
      return t - shifts[i];
  return t;
}

/* Clocks never show that time: when do they show more? About `t`. */
static time_t after_gap(time_t t, const struct tm *wanted) {
  time_t low = t - DAY - HOUR, high = t + DAY + HOUR;
  while (high - low > 1) {
    time_t middle = low + (high - low) / 2;
    if (compare(middle, wanted) < 0)
      low = middle;
    else
      high = middle;
  }
  return high;
}

/* That moment, so many days after the day of `after`. */
static time_t on_day(const awio_moment *m, time_t after, int days) {
  struct tm wanted;
  if (!localtime_r(&after, &wanted))
    return after;
  wanted.tm_mday += days;
  wanted.tm_hour = 12; /* to get over the end of a month */
  wanted.tm_isdst = -1;
  mktime(&wanted);
  wanted.tm_hour = m->hour;
  wanted.tm_min = m->minute;
  wanted.tm_sec = m->second;
  wanted.tm_isdst = -1;
  struct tm guess = wanted;
  time_t t = mktime(&guess);
  return compare(t, &wanted) == 0 ? first_of(t, &wanted)
                                  : after_gap(t, &wanted);
}

time_t awio_calendar_next(const awio_moment *m, time_t after) {
  enum { DAYS = 4 };
  if (m->minute == AWIO_ANY)
    return next_within(after + 1, MINUTE, m->second);
  if (m->hour == AWIO_ANY)
    return next_within(after + 1, HOUR, m->minute * MINUTE + m->second);
  time_t t = after;
  for (int day = 0; day < DAYS && t <= after; day++)
    t = on_day(m, after, day);
  return t;
}
