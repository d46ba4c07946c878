/* alloc_test.c - every allocation of Lua and of the library fails in turn
 *
 * The allocators of the Lua state and of the library share one counter of
 * requests. Each scenario is a script that runs again and again while request
 * number k fails, for k = 1, 2, … until a run has fewer than k requests. There
 * are four modes: the request fails once (Lua collects and tries again, so
 * this tests a collection at each request), twice in a row, all requests from k
 * on fail, or only requests of the library count, so that none of them is
 * skipped among the many of Lua. Each run must succeed or end with "not enough
 * memory". When the state is closed, no block may be left, even if Lua had no
 * memory to call a finalizer.
 *
 *     alloc_test [-v] [--part I/N | scenario [first k]]
 *
 * Part I of N has every Nth scenario, so that parts take about the same time.
 */
#include <aiowire_lua.h>

#include "check.h"

#include <lauxlib.h>
#include <lualib.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc_failing.h"
#include "alloc_scenarios.h"
#include "state.h"

static const char *const mode_names[] = {"once", "twice", "from then on",
                                         "once, but for Lua"};

/* ---- what scripts see ---- */

/* check(claim): raises if the claim is false, unless a request has failed */
static int script_check(lua_State *L) {
  if (!lua_toboolean(L, 1) && memory.failures == 0)
    return luaL_error(L, "check failed");
  return 0;
}

/* session(f, …): calls the functions in a session, and waits after each one.
 * Raises the first error. If it raises earlier, the session ends with the
 * state. */
static int script_session(lua_State *L) {
  static int file = -1; /* for all sessions */
  int count = lua_gettop(L), code, end;
  bool failed = false;
  if (file < 0)
    file = open("/dev/null", O_RDONLY);
  CHECK(file >= 0);
  const int fds[] = {file, file};
  aw_lua_session *session = aw_lua_session_open(L, NULL);
  for (int i = 1; i <= count && !failed; i++) {
    lua_pushvalue(L, i);
    end = aw_lua_session_call(session, L, 0, &code);
    if (end != AW_LUA_ERROR)
      end = aw_lua_session_wait(session, L, fds, 1 + i % 2, &code);
    failed = end == AW_LUA_ERROR;
  }
  lua_settop(L, lua_gettop(L) - failed); /* without its info */
  end = aw_lua_session_close(session, L, &code);
  lua_settop(L, lua_gettop(L) - (end == AW_LUA_ERROR));
  return failed || end == AW_LUA_ERROR ? lua_error(L) : 0;
}

static int open_all(lua_State *L) {
  luaL_openlibs(L);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  lua_setglobal(L, "aw");
  lua_pushcfunction(L, script_check);
  lua_setglobal(L, "check");
  lua_pushcfunction(L, script_session);
  lua_setglobal(L, "session");
  lua_pushboolean(L, memory.fail_at == 0);
  lua_setglobal(L, "calm");
  lua_settop(L, 0);
  return 0;
}

/* (script): prepare it with memory, run it while requests fail */
static int run_script(lua_State *L) {
  const char *script = lua_touserdata(L, 1);
  bool armed = memory.armed; /* requests fail while opening, too */
  lua_pushcfunction(L, open_all);
  lua_call(L, 0, 0);
  if (luaL_dostring(L, alloc_prelude) != LUA_OK ||
      luaL_loadstring(L, script) != LUA_OK)
    return lua_error(L);
  memory.armed = true;
  lua_call(L, 0, 0);
  memory.armed = armed;
  return 0;
}

static int render(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Tells whether the error on top is caused by failed requests. That includes
 * the script's own error, if its handler could not be called.
 *
 *   text  receives the error
 */
static bool of_memory(lua_State *L, char *text, size_t size) {
  lua_pushcfunction(L, render);
  lua_insert(L, -2);
  lua_pcall(L, 1, 1, 0);
  const char *message = lua_tostring(L, -1);
  snprintf(text, size, "%s", message ? message : "(no text)");
  return strstr(text, "not enough memory") || strstr(text, "own error") ||
         strstr(text, "too many results") || strstr(text, "overflow");
}

/* ---- sweeps ---- */

static bool verbose;

static void complain(const char *name, const char *text) {
  fprintf(stderr, "%s: request %zu failing %s: %s (%zu blocks left)\n", name,
          memory.fail_at, mode_names[memory.mode], text, memory.live);
}

/* Run a scenario in a new state. Returns false if it ended badly. */
static bool run(const alloc_scenario *s) {
  memory.armed = s->opening;
  lua_State *L = new_state(lua_alloc);
  if (!L)
    return memory.failures > 0 && all_is_freed();
  char text[400] = "";
  lua_pushcfunction(L, run_script);
  lua_pushlightuserdata(L, (void *)(uintptr_t)s->script);
  int status = lua_pcall(L, 1, 0, 0);
  memory.armed = false;
  bool good = status == LUA_OK ||
              (of_memory(L, text, sizeof text) && memory.failures > 0);
  lua_close(L);
  bool clean = all_is_freed();
  if (!good || !clean)
    complain(s->name, text);
  return good && clean;
}

static size_t first; /* first k, less one; for debugging */

static size_t sweep(const alloc_scenario *s, mode how, size_t *bad) {
  size_t k = first, most = *bad + 5; /* stop after five bad ends */
  do {
    memset(&memory, 0, sizeof memory);
    k += 1 + k / 100; /* skip some if there are many */
    memory.fail_at = k;
    memory.mode = how;
    *bad += !run(s);
  } while (memory.failures > 0 && *bad < most);
  return k - 1;
}

/* Scenarios leave files behind when they fail, so they have a folder of their
 * own, with the folder "folder/a". */
static char folder[] = "/tmp/aiowire-alloc-XXXXXX";

static void enter_folder(void) {
  enum { PRIVATE = 0700 };
  CHECK(mkdtemp(folder) && chdir(folder) == 0);
  CHECK(setenv("TMPDIR", folder, 1) == 0);
  CHECK(mkdir("folder", PRIVATE) == 0 && mkdir("folder/a", PRIVATE) == 0);
}

static void remove_folder(void) {
  char command[sizeof folder + 20];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  CHECK(chdir("/") == 0 && system(command) == 0);
}

int main(int argc, char **argv) {
  const char *only = NULL;
  size_t part = 1, parts = 1, number = 0;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "-v") == 0)
      verbose = true;
    else if (strcmp(argv[i], "--part") == 0 && i + 1 < argc)
      CHECK(sscanf(argv[++i], "%zu/%zu", &part, &parts) == 2 && parts > 0);
    else if (!only)
      only = argv[i];
    else
      first = strtoul(argv[i], NULL, 10) - 1;
  }
  enter_folder();
  aw_set_allocator(own_alloc, NULL);
  size_t total = 0, bad = 0, scenarios = 0;
  for (const alloc_scenario *s = alloc_scenarios; s->name; s++) {
    if (only ? strcmp(only, s->name) != 0 : number++ % parts != part - 1)
      continue;
    memset(&memory, 0, sizeof memory);
    CHECK(run(s)); /* succeeds if no request fails */
    size_t count = 0;
    for (int m = 0; m < MODES; m++)
      count += sweep(s, (mode)m, &bad);
    if (verbose)
      printf("%6zu %s\n", count, s->name);
    fflush(stdout);
    total += count;
    scenarios++;
  }
  remove_folder();
  printf("%zu failures in %zu scenarios, %zu with a bad end\n", total,
         scenarios, bad);
  CHECK(only || scenarios > 0);
  return bad > 0;
}
