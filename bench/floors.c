/* floors.c - the same work on Lua's own C API, without aiowire
 *
 * Each figure is a floor: no engine on stock Lua can cost less. bench/run.lua
 * prints it beside the figure of aiowire, measured in the same run.
 *
 *   floors                         prints "name value unit" lines
 *   floors sleepers                prints such lines for waiting coroutines; in
 *                                  a process of its own, as bench.lua does
 *   floors startup N cmd -- cmd…   runs each command N times, in turn, and
 *                                  prints its median CPU time: "startup_1 value
 *                                  ms" for the first
 *
 * Times are CPU time of this process (of the children for `startup`), medians
 * of RUNS. Neighbour: bench.lua does the same work through aiowire.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* wait4 */

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  RUNS = 7,
  STEPS = 1000000,
  SLEEPERS = 100000,
  COMMANDS = 8, /* at most, for startup */
  COMMAND_RUNS = 1000
};

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
  qsort(values, count, sizeof *values, by_value);
  return values[count / 2];
}

static void need(int ok, const char *what) {
  if (ok)
    return;
  fprintf(stderr, "floors: %s\n", what);
  exit(1);
}

/* Run `source`; push its first result. */
static void load(lua_State *L, const char *source) {
  need(luaL_loadstring(L, source) == LUA_OK, "cannot compile");
  need(lua_pcall(L, 0, 1, 0) == LUA_OK, "cannot run");
}

/* A bare lua_pcall of an empty function. */
static double pcall_empty(lua_State *L) {
  load(L, "return function() end");
  double start = cpu_seconds();
  for (int i = 0; i < STEPS; i++) {
    lua_pushvalue(L, -1);
    lua_pcall(L, 0, 0, 0);
  }
  double took = cpu_seconds() - start;
  lua_pop(L, 1);
  return took / STEPS * 1e9;
}

/* One run of a pooled coroutine, which gets a function, calls it and yields. */
static double pooled_run(lua_State *L) {
  load(L, "local yield = coroutine.yield "
          "return function(f) while true do f() f = yield() end end");
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, -2);
  lua_xmove(L, co, 1);
  load(L, "return function() end"); /* [worker, co, f] */
  double start = cpu_seconds();
  for (int i = 0; i < STEPS; i++) {
    int results;
    lua_pushvalue(L, -1);
    lua_xmove(L, co, 1);
    need(lua_resume(co, L, 1, &results) == LUA_YIELD, "pooled run");
    lua_pop(co, results);
  }
  double took = cpu_seconds() - start;
  lua_pop(L, 3);
  return took / STEPS * 1e9;
}

/* A bare resume and yield. */
static double resume_yield(lua_State *L) {
  lua_State *co = lua_newthread(L);
  load(L, "local yield = coroutine.yield "
          "return function() while true do yield() end end");
  lua_xmove(L, co, 1);
  double start = cpu_seconds();
  for (int i = 0; i < STEPS; i++) {
    int results;
    need(lua_resume(co, L, 0, &results) == LUA_YIELD, "resume and yield");
    lua_pop(co, results);
  }
  double took = cpu_seconds() - start;
  lua_pop(L, 1);
  return took / STEPS * 1e9;
}

static double lua_bytes(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT);
  return lua_gc(L, LUA_GCCOUNT) * 1024.0 + lua_gc(L, LUA_GCCOUNTB);
}

/* The order in which bench.lua's sleepers wake: by delay, then by start. Delays
 * are in ms above the shortest one. */
static const int *wake_order(void) {
  enum { SPREAD = 500 };
  static int delay[SLEEPERS], order[SLEEPERS], place[SPREAD + 1];
  uint64_t seed = 1;
  for (int i = 0; i < SLEEPERS; i++) {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    delay[i] = (int)(seed % SPREAD);
    place[delay[i] + 1]++;
  }
  for (int i = 0; i < SPREAD; i++)
    place[i + 1] += place[i];
  for (int i = 0; i < SLEEPERS; i++)
    order[place[delay[i]]++] = i + 1;
  return order;
}

/* Coroutines that wait, as sleeping bodies do. A coroutine is made, runs to its
 * yield inside a function, and later runs to its end. Returns the microseconds
 * for each coroutine.
 *
 *   bytes   receives the live bytes while all coroutines wait
 *   life    receives the microseconds with their collection included
 */
static double sleepers(lua_State *L, double *bytes, double *life) {
  load(L, "local yield = coroutine.yield return function() yield() end");
  lua_createtable(L, SLEEPERS, 0); /* [body, all] */
  const int *order = wake_order();
  double before = lua_bytes(L);

  int results;
  double start = cpu_seconds();
  for (int i = 1; i <= SLEEPERS; i++) {
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, -3);
    lua_xmove(L, co, 1);
    need(lua_resume(co, L, 0, &results) == LUA_YIELD, "sleeper");
    lua_rawseti(L, -2, i);
  }
  double took = cpu_seconds() - start;
  *bytes = (lua_bytes(L) - before) / SLEEPERS;

  start = cpu_seconds();
  for (int i = 0; i < SLEEPERS; i++) {
    lua_rawgeti(L, -1, order[i]);
    need(lua_resume(lua_tothread(L, -1), L, 0, &results) == LUA_OK, "wake");
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_rawseti(L, -2, order[i]);
  }
  double ended = cpu_seconds();
  lua_gc(L, LUA_GCCOLLECT);
  *life = (took + cpu_seconds() - start) / SLEEPERS * 1e6;
  lua_pop(L, 2);
  return (took + ended - start) / SLEEPERS * 1e6;
}

/* Measure in a fresh state, so that no garbage is carried over. */
static lua_State *new_state(void) {
  lua_State *L = luaL_newstate();
  need(L != NULL, "out of memory");
  luaL_openlibs(L);
  return L;
}

static void measure(const char *name, double (*figure)(lua_State *)) {
  double values[RUNS];
  for (int i = 0; i < RUNS; i++) {
    lua_State *L = new_state();
    values[i] = figure(L);
    lua_close(L);
  }
  printf("%s %.2f ns\n", name, median(values, RUNS));
}

/* Measure once: a second run would find the memory of the first. */
static int measure_sleepers(void) {
  lua_State *L = new_state();
  double bytes, life;
  printf("coroutine %.4f us\n", sleepers(L, &bytes, &life));
  printf("coroutine_life %.4f us\n", life);
  printf("coroutine_bytes %.0f B\n", bytes);
  lua_close(L);
  return 0;
}

/* Return the CPU seconds of one run of `command`. */
static double run_command(char **command) {
  pid_t child = fork();
  need(child >= 0, "cannot fork");
  if (child == 0) {
    execvp(command[0], command);
    _exit(127);
  }
  int status;
  struct rusage used;
  need(wait4(child, &status, 0, &used) == child, "cannot wait");
  need(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a command failed");
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int startup(int runs, char **words) {
  static double took[COMMANDS][COMMAND_RUNS];
  char **commands[COMMANDS] = {words};
  int count = 1;
  for (char **word = words; *word; word++) {
    if (strcmp(*word, "--") != 0)
      continue;
    need(count < COMMANDS, "too many commands");
    *word = NULL;
    commands[count++] = word + 1;
  }
  need(runs > 0 && runs <= COMMAND_RUNS, "1 to 1000 runs");
  for (int i = 0; i < runs; i++)
    for (int k = 0; k < count; k++)
      took[k][i] = run_command(commands[k]);
  for (int k = 0; k < count; k++)
    printf("startup_%d %.4f ms\n", k + 1, median(took[k], (size_t)runs) * 1e3);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 3 && strcmp(argv[1], "startup") == 0)
    return startup(atoi(argv[2]), argv + 3);
  if (argc == 2 && strcmp(argv[1], "sleepers") == 0)
    return measure_sleepers();
  measure("pcall", pcall_empty);
  measure("pooled_run", pooled_run);
  measure("resume_yield", resume_yield);
  return 0;
}
