/* inspect_test.c - looking into Lua states of several threads, and into one on
 * an engine of a host program [D40, D41]
 *
 * Run it under ThreadSanitizer, too: ./dev tsan.
 */
#include "check.h"
#include "with_aw.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/aiowire-test-XXXXXX";
static char path[sizeof((struct sockaddr_un *)0)->sun_path];

/* ---- a client, without Lua ---- */

static int connect_to(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, name, strlen(name) + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

/* Read up to the line with a dot, or the end. Returns false at the end. */
static bool read_answer(int fd, char *out, size_t size) {
  size_t filled = 0;
  while (filled + 1 < size) {
    ssize_t n = read(fd, out + filled, size - 1 - filled);
    if (n <= 0)
      return false;
    filled += (size_t)n;
    out[filled] = '\0';
    if (filled >= 3 && strcmp(out + filled - 3, "\n.\n") == 0)
      return true;
  }
  return false;
}

/* Ask once. Returns false if nobody answers. An answer of tasks may also be one
 * in the middle of a body, or an old one, if the machine is very busy. */
static bool ask(const char *request, char *out, size_t size) {
  int fd = connect_to(path);
  if (fd < 0)
    return false;
  size_t length = strlen(request);
  bool answered = send(fd, request, length, MSG_NOSIGNAL) == (ssize_t)length &&
                  read_answer(fd, out, size);
  close(fd);
  return answered;
}

/* ---- states ---- */

static void do_text(lua_State *L, const char *text) {
  if (luaL_dostring(L, text) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    CHECK(false);
  }
}

static void note_path(lua_State *L) {
  do_text(L, "return aw.inspect()");
  snprintf(path, sizeof path, "%s", lua_tostring(L, -1));
  lua_settop(L, 0);
}

/* ---- threads that come and go while others look ---- */

enum { STATES = 3, ROUNDS = 8, CLIENTS = 3 };
static atomic_bool over;
static atomic_int answers;

static void *live(void *data) {
  for (int i = 0; i < ROUNDS; i++) {
    lua_State *L = new_state_with_aw();
    do_text(L, "aw.inspect()\n"
               "aw.run(function(ev)\n"
               "  ev:start(aw.Sleep(60), nil, {background = true})\n"
               "  for i = 1, 20 do aw.sleep(0.0005) end\n"
               "  aw.inspect(false) aw.inspect()\n"
               "end)");
    lua_close(L);
  }
  return data;
}

static void *look(void *data) {
  const char *const requests[] = {"tasks\n", "dump\n", "help\n", "graph\n"};
  char *text = malloc(1 << 16);
  CHECK(text);
  for (int i = 0; !atomic_load(&over); i++)
    if (ask(requests[i % 4], text, 1 << 16))
      atomic_fetch_add(&answers, 1);
  free(text);
  return data;
}

static void look_at_threads(void) {
  pthread_t states[STATES], clients[CLIENTS];
  lua_State *L = new_state_with_aw(); /* the server lives as long as this one */
  note_path(L);
  for (int i = 0; i < CLIENTS; i++)
    CHECK(pthread_create(&clients[i], NULL, look, NULL) == 0);
  for (int i = 0; i < STATES; i++)
    CHECK(pthread_create(&states[i], NULL, live, NULL) == 0);
  for (int i = 0; i < STATES; i++)
    CHECK(pthread_join(states[i], NULL) == 0);
  while (atomic_load(&answers) < CLIENTS)
    sched_yield();
  atomic_store(&over, true);
  for (int i = 0; i < CLIENTS; i++)
    CHECK(pthread_join(clients[i], NULL) == 0);
  lua_close(L);
  CHECK(access(path, F_OK) < 0);
}

/* ---- an engine of a host program ---- */

static char answer[1 << 16];
static atomic_bool answered;

static void *look_until_live(void *data) {
  bool *good = data;
  do
    *good = ask("tasks\n", answer, sizeof answer);
  while (*good &&
         (!strstr(answer, "answer=live") || !strstr(answer, "at=tick:1")));
  atomic_store(&answered, true);
  return NULL;
}

/* The host drives the engine until the client has its answer. */
static void look_at_host(bool own_instrument) {
  static const aw_instrument instrument = {.size = sizeof instrument};
  aw_engine_config config = {.size = sizeof config};
  aw_engine *engine;
  pthread_t client;
  bool good = false;
  aw_lua_config(&config);
  CHECK(aw_engine_new(&config, &engine) == 0);
  if (own_instrument)
    CHECK(aw_engine_instrument(engine, &instrument) == 0);
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  CHECK(aw_lua_open(L, engine) == 0);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 1);
  lua_setglobal(L, "aw");
  note_path(L);
  static const char TICK[] = "while true do require 'aiowire'.sleep(0.01) end";
  const aw_lua_task_config task = {.size = sizeof task, .name = "ticker"};
  CHECK(aw_lua_start_buffer(L, TICK, sizeof TICK - 1, "=tick", &task, NULL) ==
        0);
  atomic_store(&answered, false);
  CHECK(pthread_create(&client, NULL, look_until_live, &good) == 0);
  aw_step step;
  while (!atomic_load(&answered) && aw_next(engine, aw_lua_loop(L), &step) == 1)
    if (!aw_lua_step(engine, &step))
      aw_step_answer(engine, &step);
  CHECK(pthread_join(client, NULL) == 0);
  CHECK(good && strstr(answer, "name=ticker"));
  CHECK((strstr(answer, "\tbusy=") != NULL) != own_instrument);
  CHECK(aw_lua_close(L) == 0);
  lua_close(L);
  if (own_instrument)
    CHECK(aw_engine_instrument(engine, NULL) == 0);
  CHECK(aw_engine_free(engine) == 0);
  CHECK(access(path, F_OK) < 0);
}

/* ---- a forked process ---- */

/* (ThreadSanitizer allows no threads in the forked process.) */
#if defined(__SANITIZE_THREAD__)
enum { FORKS = 0 };
#else
enum { FORKS = 1 };
#endif

static void fork_while_inspected(void) {
  lua_State *L = new_state_with_aw();
  char parents[sizeof path];
  note_path(L);
  memcpy(parents, path, sizeof parents);
  int fd = connect_to(path);
  CHECK(fd >= 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) { /* _exit(): the sanitizers know the parent's threads */
    note_path(L);
    bool differs = strcmp(parents, path) != 0 && access(path, F_OK) == 0;
    lua_close(L);
    _exit(differs && access(path, F_OK) < 0 ? 0 : 1);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(access(parents, F_OK) == 0);
  close(fd);
  CHECK(ask("tasks\n", answer, sizeof answer));
  CHECK(strstr(answer, "answer=idle"));
  lua_close(L);
  CHECK(access(parents, F_OK) < 0);
}

int main(void) {
  CHECK(mkdtemp(folder));
  CHECK(setenv("XDG_RUNTIME_DIR", folder, 1) == 0);
  look_at_threads();
  look_at_host(false);
  look_at_host(true);
  if (FORKS)
    fork_while_inspected();
  char below[sizeof folder + 16];
  snprintf(below, sizeof below, "%s/aiowire", folder);
  CHECK(rmdir(below) == 0 && rmdir(folder) == 0);
  return 0;
}
