/* stats.c - what a program took, printed at its end; see stats.h
 *
 *   the engine ─► instrument: tasks, steps, blocking ─┐
 *   collector  ─► a finalizer in each cycle ──────────┼─► print
 *   the process: clocks, memory ──────────────────────┘
 *
 * An instrument listens only with --stats, so a program without it takes the
 * short ways of the engine. EventLoops with a clock or a seed of their own have
 * other engines than the state: their time is in the step that runs them, and
 * their tasks are not counted. So it is with the tasks of workers, whose
 * processor time is in that of the process.
 *
 * os.exit(code, false) ends the process from inside Lua: an exit handler prints
 * then. What else is to be reported at the end of a program, such as a recorded
 * trace, belongs into print_all().
 */
#include "report/stats.h"

#include "terminal/style.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { NAME_SIZE = 80 };

static struct {
  bool on;                 /* begun, and not printed yet */
  const aw_engine *engine; /* of the state */
  aw_lua_instrument *instrument;
  uint64_t began;
  uint64_t blocked_at, idle; /* ns in libuv, as no task was ready */
  uint64_t started, alive, most_alive, steps;
  uint64_t step_at, longest; /* ns */
  uint64_t longest_id;
  char name[NAME_SIZE], where[NAME_SIZE]; /* of its task; "": none */
  uint64_t cycles;                        /* of the collector */
  double kilobytes;                       /* of Lua; < 0: not known */
} stats;

static uint64_t clock_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (uint64_t)t.tv_sec * AW_SECOND + (uint64_t)t.tv_nsec;
}

/* ---- counting ------------------------------------------------------------ */

static bool is_counted(const aw_task *task) {
  return aw_task_engine(task) == stats.engine;
}

static void count_start(void *data, const aw_task *task) {
  (void)data;
  if (!is_counted(task))
    return;
  stats.started++;
  if (++stats.alive > stats.most_alive)
    stats.most_alive = stats.alive;
}

static void count_end(void *data, const aw_task *task) {
  (void)data;
  stats.alive -= is_counted(task);
}

static void note_step_begin(void *data, const aw_task *task) {
  (void)data;
  if (is_counted(task))
    stats.step_at = clock_ns(CLOCK_MONOTONIC);
}

static void keep_cut_text(char *into, const char *text) {
  snprintf(into, NAME_SIZE, "%s", text ? text : "");
}

static void note_step_end(void *data, const aw_task *task) {
  (void)data;
  if (!is_counted(task))
    return;
  uint64_t took = clock_ns(CLOCK_MONOTONIC) - stats.step_at;
  stats.steps++;
  if (took <= stats.longest)
    return;
  stats.longest = took;
  stats.longest_id = aw_task_id(task);
  keep_cut_text(stats.name, aw_task_name(task));
  keep_cut_text(stats.where, aw_task_where(task));
}

static bool is_counted_block(void) {
  return aw_lua_instrument_engine(stats.instrument) == stats.engine;
}

static void begin_block(void *data, uint64_t until) {
  (void)data;
  (void)until;
  if (is_counted_block())
    stats.blocked_at = clock_ns(CLOCK_MONOTONIC);
}

static void end_block(void *data) {
  (void)data;
  if (is_counted_block())
    stats.idle += clock_ns(CLOCK_MONOTONIC) - stats.blocked_at;
}

/* An object without references: each cycle of the collector calls its
 * finalizer, which makes another one. */
static int count_cycle(lua_State *L) {
  stats.cycles++;
  lua_newuserdatauv(L, 0, 0);
  lua_getmetatable(L, 1);
  lua_setmetatable(L, -2);
  return 0;
}

static void watch_collector(lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, count_cycle);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

/* ---- printing ------------------------------------------------------------ */

/* Describe the end of the program. */
static const char *end_of(int status, int number, char *room, size_t size) {
  const char *name = number == SIGINT    ? "SIGINT"
                     : number == SIGTERM ? "SIGTERM"
                     : number == SIGHUP  ? "SIGHUP"
                     : number == SIGPIPE ? "SIGPIPE"
                                         : "a signal";
  const char *why = status == 13    ? " (deadlock)"
                    : status == 124 ? " (timeout)"
                                    : "";
  if (number)
    snprintf(room, size, "ended by %s", name);
  else
    snprintf(room, size, "ended with status %d%s", status, why);
  return room;
}

/* Describe the longest step. */
static const char *longest_step(char *room, size_t size) {
  double seconds = (double)stats.longest / 1e9;
  if (stats.steps == 0)
    snprintf(room, size, "none");
  else
    snprintf(room, size, "%.6f s, in task %llu%s%s%s%s%s", seconds,
             (unsigned long long)stats.longest_id, stats.name[0] ? " '" : "",
             stats.name, stats.name[0] ? "'" : "",
             stats.where[0] ? ", started at " : "", stats.where);
  return room;
}

static const char *lua_memory(char *room, size_t size) {
  if (stats.kilobytes < 0)
    snprintf(room, size, "%llu cycles of the collector",
             (unsigned long long)stats.cycles);
  else
    snprintf(room, size, "%.1f KiB at the end, %llu cycles of the collector",
             stats.kilobytes, (unsigned long long)stats.cycles);
  return room;
}

static void print_all(const char *end) {
  char text[1024], longest[2 * NAME_SIZE + 100], memory[100];
  struct rusage usage;
  double wall = (double)(clock_ns(CLOCK_MONOTONIC) - stats.began) / 1e9;
  double processor = (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
  double idle = wall > 0 ? 100 * (double)stats.idle / 1e9 / wall : 0;
  getrusage(RUSAGE_SELF, &usage);
  stats.on = false;
  snprintf(text, sizeof text,
           "stats: %s\n"
           "  time      %.3f s, of the processor %.3f s, idle %.1f %%\n"
           "  tasks     %llu started, at most %llu alive, %llu steps\n"
           "  longest   %s\n"
           "  Lua       %s\n"
           "  memory    %.1f MiB at most",
           end, wall, processor, idle, (unsigned long long)stats.started,
           (unsigned long long)stats.most_alive,
           (unsigned long long)stats.steps,
           longest_step(longest, sizeof longest),
           lua_memory(memory, sizeof memory), (double)usage.ru_maxrss / 1024);
  host_style_print(STDERR_FILENO, HOST_STYLE_NOTE, text);
}

/* The process ends in another way than by the end of main(). */
static void print_at_exit(void) {
  if (stats.on)
    print_all("ended at once, by os.exit(code, false)");
}

void host_stats_begin(lua_State *L) {
  static const aw_instrument instrument = {.task_started = count_start,
                                           .task_ended = count_end,
                                           .step_begins = note_step_begin,
                                           .step_ends = note_step_end,
                                           .before_blocking = begin_block,
                                           .after_blocking = end_block};
  stats.engine = aw_lua_engine(L);
  int rc = aw_lua_instrument_add(L, &instrument, &stats.instrument);
  if (rc < 0)
    luaL_error(L, "cannot count for --stats: %s", aw_strerror(rc));
  stats.began = clock_ns(CLOCK_MONOTONIC);
  stats.kilobytes = -1;
  watch_collector(L);
  stats.on = atexit(print_at_exit) == 0;
}

void host_stats_close(lua_State *L) {
  if (stats.on)
    stats.kilobytes = lua_gc(L, LUA_GCCOUNT) + lua_gc(L, LUA_GCCOUNTB) / 1024.0;
}

void host_stats_print(int status, int number) {
  char end[80];
  if (stats.on)
    print_all(end_of(status, number, end, sizeof end));
}
