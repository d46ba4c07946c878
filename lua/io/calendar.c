/* calendar.c - the arithmetic of local time
 *
 * A moment with an hour comes once a day, as for cron: at the first second of
 * the day at which clocks show that time or a later one. So a time that the
 * change to summer time skips comes right after the change. Of a time that the
 * change back repeats, only the first one counts.
 *
 * A moment without an hour comes in each hour, or each minute, that really
 * passes.
 */
#include "calendar.h"

#include <stdbool.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 24 * HOUR };

/* ---- each hour, each minute ---- */

static int within(const struct tm *local, int period) {
  return period == HOUR ? local->tm_min * MINUTE + local->tm_sec
                        : local->tm_sec;
}

/* Return the first second from `t` on that is `wanted` seconds after the
 * beginning of a period. The first step misses it if clocks are changed by part
 * of a period on the way; further steps correct that. */
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

/* Compare what clocks show at `t` with `wanted`. Negative: an earlier time; 0:
 * the same; positive: a later one. */
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

/* Clocks show `wanted` at `t`. If they are set back about then, they show it
 * twice: return the first such second. */
static time_t first_of(time_t t, const struct tm *wanted) {
  static const int shifts[] = {2 * HOUR, HOUR, HOUR / 2};
  for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++)
    if (compare(t - shifts[i], wanted) == 0)
      return t - shifts[i];
  return t;
}

/* Clocks never show `wanted`. Return the first second near `t` at which they
 * show a later time. */
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

/* Return the moment on the day that is `days` days after the day of `after`. */
static time_t on_day(const awio_moment *m, time_t after, int days) {
  struct tm wanted;
  if (!localtime_r(&after, &wanted))
    return after;
  wanted.tm_mday += days;
  wanted.tm_hour = 12; /* exists on every day; mktime() corrects the date */
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
