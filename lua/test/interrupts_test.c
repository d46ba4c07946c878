/* interrupts_test.c - interrupting busy Lua code on another thread; notices
 *
 * Run it under ThreadSanitizer, too: ./dev tsan. ThreadSanitizer delays a
 * signal until the thread calls something that it intercepts, so busy bodies
 * call let_signals_in() from time to time.
 */
#include "check.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 20 };

/* ---- one worker, with a state of its own ---- */

typedef struct worker {
  pthread_t thread;
  const char *script;
  aw_lua_interrupts *interrupts;
  sem_t begun;  /* posted by tell_begun() */
  sem_t go_on;  /* wait_here() waits for it */
  bool blocked; /* the thread begins with all signals blocked */
  char error[200];
} worker;

static worker *worker_of(lua_State *L) {
  return *(worker **)lua_getextraspace(L);
}

static void wait_for(sem_t *sem) {
  while (sem_wait(sem) < 0)
    CHECK(errno == EINTR);
}

static int tell_begun(lua_State *L) {
  sem_post(&worker_of(L)->begun);
  return 0;
}

static int wait_here(lua_State *L) {
  wait_for(&worker_of(L)->go_on);
  return 0;
}

static int let_signals_in(lua_State *L) {
  static const struct timespec MOMENT = {0, 1000};
  (void)L;
  nanosleep(&MOMENT, NULL);
  return 0;
}

static int send_here(lua_State *L) {
  CHECK(aw_lua_interrupts_send(worker_of(L)->interrupts) == 0);
  return let_signals_in(L);
}

static int clear(lua_State *L) {
  aw_lua_interrupts_clear(worker_of(L)->interrupts);
  return 0;
}

static void set_blocked(bool blocked) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &all, NULL);
}

static int block(lua_State *L) {
  set_blocked(lua_toboolean(L, 1));
  return 0;
}

/* `spin(n)` takes more than n instructions, `busy()` too many. */
static const char PRELUDE[] =
    "local aw = require 'aiowire'\n"
    "local function spin(n)\n"
    "  for i = 1, n, 10000 do for _ = 1, 10000 do end let_signals_in() end\n"
    "end\n"
    "local function busy() spin(1e9) end\n"
    "local function run(f) aw.run(f, { signals = false }) end\n"
    "local function fails(f, ...)\n"
    "  local ok, err = pcall(f, ...)\n"
    "  assert(not ok and tostring(err):find 'interrupted!', err)\n"
    "end\n";

static lua_State *new_state(worker *of) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  *(worker **)lua_getextraspace(L) = of;
  luaL_openlibs(L);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  lua_register(L, "tell_begun", tell_begun);
  lua_register(L, "wait_here", wait_here);
  lua_register(L, "let_signals_in", let_signals_in);
  lua_register(L, "send_here", send_here);
  lua_register(L, "clear", clear);
  lua_register(L, "block", block);
  lua_settop(L, 0);
  return L;
}

static void run_script(lua_State *L, worker *own) {
  lua_pushfstring(L, "%s%s", PRELUDE, own->script);
  own->error[0] = '\0';
  if (luaL_dostring(L, lua_tostring(L, -1)) != LUA_OK)
    snprintf(own->error, sizeof own->error, "%s", luaL_tolstring(L, -1, NULL));
}

static void work_here(worker *own) {
  lua_State *L = new_state(own);
  CHECK(aw_lua_interrupts_open(L, &own->interrupts) == 0);
  run_script(L, own);
  aw_lua_interrupts_close(own->interrupts);
  lua_close(L);
}

static void *work(void *data) {
  worker *own = data;
  if (own->blocked)
    set_blocked(true);
  work_here(own);
  return NULL;
}

static void begin(worker *own, const char *script) {
  own->script = script;
  sem_init(&own->begun, 0, 0);
  sem_init(&own->go_on, 0, 0);
  CHECK(pthread_create(&own->thread, NULL, work, own) == 0);
}

/* Wait for the end of the worker, whose script must end well. */
static void end(worker *own) {
  pthread_join(own->thread, NULL);
  sem_destroy(&own->begun);
  sem_destroy(&own->go_on);
  if (own->error[0])
    fprintf(stderr, "%s\n", own->error);
  CHECK(own->error[0] == '\0');
}

static void send(worker *to) {
  CHECK(aw_lua_interrupts_send(to->interrupts) == 0);
}

/* Run a script in a thread; interrupt it after it has called tell_begun(). */
static void interrupt_in(const char *script) {
  worker own = {.blocked = false};
  begin(&own, script);
  wait_for(&own.begun);
  send(&own);
  sem_post(&own.go_on);
  end(&own);
}

/* Run a script that interrupts itself by send_here(). */
static void run_here(const char *script) {
  worker own = {.script = script};
  work_here(&own);
  if (own.error[0])
    fprintf(stderr, "%s\n", own.error);
  CHECK(own.error[0] == '\0');
}

/* ---- what is interrupted ---- */

static void a_busy_body_is_interrupted(void) {
  interrupt_in("fails(run, function() tell_begun() busy() end)");
}

static void a_body_that_catches_errors_is_interrupted(void) {
  interrupt_in("fails(run, function()\n"
               "  tell_begun()\n"
               "  while true do pcall(busy) end\n"
               "end)");
}

static void a_coroutine_of_the_body_is_interrupted(void) {
  interrupt_in("aw.install()\n"
               "fails(run, function()\n"
               "  local inner = coroutine.wrap(busy)\n"
               "  tell_begun()\n"
               "  inner()\n"
               "end)");
}

static void a_handler_is_interrupted(void) {
  interrupt_in("fails(run, function(ev)\n"
               "  ev:start(function() error 'x' end,\n"
               "    function() tell_begun() busy() end)\n"
               "end)");
}

static void only_that_thread_is_interrupted(void) {
  worker one = {.blocked = false}, other = {.blocked = false};
  begin(&other, "run(function() tell_begun() spin(3e6) wait_here() end)");
  begin(&one, "fails(run, function() tell_begun() busy() end)");
  wait_for(&one.begun);
  wait_for(&other.begun);
  send(&one);
  end(&one);
  sem_post(&other.go_on);
  end(&other);
}

/* ---- when ---- */

static void it_waits_for_the_next_body(void) {
  run_here("send_here()\n"
           "fails(run, busy)");
}

static void each_body_has_its_own_time(void) {
  run_here("send_here()\n"
           "run(function(ev)\n"
           "  aw.await(aw.Call(spin, 1e5) * 30)\n"
           "  for _ = 1, 30 do ev:start(aw.Call(spin, 1e5)) end\n"
           "  for _ = 1, 30 do spin(1e5) aw.yield() end\n"
           "end)\n"
           "fails(run, aw.Call(spin, 1e5) * 30 >> aw.Call(busy))\n"
           "fails(run, function() aw.yield() busy() end)");
}

static void after_a_clear_nothing_is_interrupted(void) {
  run_here("send_here()\n"
           "clear()\n"
           "run(function() spin(3e6) end)");
  run_here("run(function()\n"
           "  send_here()\n"
           "  spin(1e5)\n"
           "  clear()\n"
           "  spin(3e6)\n"
           "  aw.yield()\n"
           "  spin(3e6)\n"
           "end)\n"
           "send_here()\n"
           "fails(run, busy)");
}

static void one_clear_is_enough_for_several(void) {
  run_here("send_here() send_here()\n"
           "run(function()\n"
           "  send_here()\n"
           "  clear()\n"
           "  spin(3e6)\n"
           "end)");
}

static void the_hook_of_the_user_comes_back(void) {
  run_here("local hook = function() end\n"
           "run(function()\n"
           "  debug.sethook(hook, '', 500)\n"
           "  send_here()\n"
           "  assert(debug.gethook() ~= hook)\n"
           "  clear()\n"
           "  local now, mask, count = debug.gethook()\n"
           "  assert(now == hook and mask == '' and count == 500)\n"
           "end)\n"
           "debug.sethook(hook, '', 500)\n"
           "send_here()\n"
           "run(function() aw.yield() end)\n"
           "local now, mask, count = debug.gethook()\n"
           "assert(now == hook and mask == '' and count == 500)");
}

/* ---- signals ---- */

static int number(void) {
  return SIGRTMAX - 4;
}

static void blocked_signals_wait(void) {
  interrupt_in("run(function()\n"
               "  block(true)\n"
               "  tell_begun()\n"
               "  wait_here()\n"
               "  spin(3e6)\n"
               "  block(false)\n"
               "  fails(busy)\n"
               "end)");
}

/* The signal mask of the thread, before and after. */
static void *with_mask(void *data) {
  sigset_t now;
  worker own = {.script = "send_here() fails(run, busy)"};
  set_blocked(data != NULL);
  work_here(&own);
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  CHECK(sigismember(&now, number()) == (data != NULL));
  CHECK(own.error[0] == '\0');
  return NULL;
}

static void the_mask_comes_back(void) {
  for (int i = 0; i < 2; i++) {
    pthread_t thread;
    static int yes;
    CHECK(pthread_create(&thread, NULL, with_mask, i ? &yes : NULL) == 0);
    pthread_join(thread, NULL);
  }
}

/* By default the signal kills the process. */
static void a_late_signal_is_discarded(void) {
  interrupt_in("block(true)\n"
               "tell_begun()\n"
               "wait_here()");
}

static int strays;

static void count_stray(int got) {
  CHECK(got == number());
  strays++;
}

static void act(void (*handler)(int), struct sigaction *before) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  CHECK(sigaction(number(), &action, before) == 0);
}

static int raise_ours(lua_State *L) {
  raise(number());
  return let_signals_in(L);
}

static void the_action_from_before_comes_back(void) {
  struct sigaction now;
  CHECK(sigaction(number(), NULL, &now) == 0 && now.sa_handler == SIG_DFL);
  act(count_stray, NULL);
  run_here("send_here() fails(run, busy)");
  CHECK(strays == 0);
  CHECK(raise(number()) == 0 && let_signals_in(NULL) == 0);
  CHECK(strays == 1);
  act(SIG_DFL, &now);
  CHECK(now.sa_handler == count_stray);
}

/* Somebody else has replaced our action meanwhile: it stays. */
static void the_action_of_others_stays(void) {
  worker own = {.script = ""};
  lua_State *L = new_state(&own);
  struct sigaction now;
  CHECK(aw_lua_interrupts_open(L, &own.interrupts) == 0);
  act(count_stray, NULL);
  aw_lua_interrupts_close(own.interrupts);
  lua_close(L);
  act(SIG_DFL, &now);
  CHECK(now.sa_handler == count_stray);
}

static void a_stray_signal_interrupts_nobody(void) {
  worker own = {.script = "run(function()\n"
                          "  raise_ours()\n"
                          "  spin(3e6)\n"
                          "end)"};
  lua_State *L = new_state(&own);
  lua_register(L, "raise_ours", raise_ours);
  CHECK(aw_lua_interrupts_open(L, &own.interrupts) == 0);
  run_script(L, &own);
  CHECK(own.error[0] == '\0');
  aw_lua_interrupts_close(own.interrupts);
  lua_close(L);
}

static int check_stop_is_free(lua_State *L) {
  struct sigaction now;
  (void)L;
  CHECK(sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
  return 0;
}

/* The signals of the process are for states that nobody else stops. */
static void runs_leave_other_signals_alone(void) {
  worker own = {.script = "aw.run(function() check_stop_is_free() end)"};
  lua_State *L = new_state(&own);
  lua_register(L, "check_stop_is_free", check_stop_is_free);
  CHECK(aw_lua_interrupts_open(L, &own.interrupts) == 0);
  run_script(L, &own);
  CHECK(own.error[0] == '\0');
  aw_lua_interrupts_close(own.interrupts);
  lua_close(L);
}

static int open_here(lua_State *L) {
  CHECK(aw_lua_interrupts_open(L, &worker_of(L)->interrupts) == 0);
  return 0;
}

static int raise_stop(lua_State *L) {
  raise(SIGINT);
  return let_signals_in(L);
}

/* Both share one hook. The run holds SIGINT before the interrupts are open. */
static void a_stop_of_the_process_works_beside_it(void) {
  worker own = {.script = "fails(aw.run, function()\n"
                          "  open_here()\n"
                          "  send_here()\n"
                          "  raise_stop()\n"
                          "  clear()\n"
                          "  fails(busy)\n"
                          "  clear()\n"
                          "  aw.yield()\n"
                          "end)\n"
                          "run(function() spin(3e6) end)\n"};
  lua_State *L = new_state(&own);
  lua_register(L, "open_here", open_here);
  lua_register(L, "raise_stop", raise_stop);
  run_script(L, &own);
  CHECK(own.error[0] == '\0');
  aw_lua_interrupts_close(own.interrupts);
  own.script = "fails(aw.run, function() raise_stop() busy() end)";
  run_script(L, &own);
  CHECK(own.error[0] == '\0');
  lua_close(L);
}

/* ---- notices ---- */

/* Lua's allocator while there is no memory: the next notice ends that. */
static struct {
  lua_State *L;
  lua_Alloc allocate;
  void *data;
} starved;

static void *refuse(void *data, void *block, size_t before, size_t size) {
  (void)data;
  if (size == 0 || (block && size <= before))
    return starved.allocate(starved.data, block, before, size);
  return NULL;
}

static struct {
  int dumps, interrupts;
  char text[1000];
} noticed;

static void take_notice(void *data, aw_lua_notice kind, const char *text) {
  CHECK(data == &noticed);
  if (starved.L)
    lua_setallocf(starved.L, starved.allocate, starved.data);
  starved.L = NULL;
  if (kind == AW_LUA_NOTICE_DUMP)
    noticed.dumps++;
  else
    noticed.interrupts++;
  snprintf(noticed.text, sizeof noticed.text, "%s", text);
}

static void *request_elsewhere(void *data) {
  (void)data;
  CHECK(!aw_lua_request_dump());
  return NULL;
}

/* request() asks as a handler does; dumps() is the number so far. */
static int request(lua_State *L) {
  pthread_t other;
  CHECK(pthread_create(&other, NULL, request_elsewhere, NULL) == 0);
  pthread_join(other, NULL);
  lua_pushboolean(L, aw_lua_request_dump());
  return 1;
}

static int request_starved(lua_State *L) {
  CHECK(aw_lua_request_dump());
  starved.L = L;
  starved.allocate = lua_getallocf(L, &starved.data);
  lua_setallocf(L, refuse, NULL);
  return 0;
}

static int dumps(lua_State *L) {
  lua_pushinteger(L, noticed.dumps);
  return 1;
}

static void notice_in(const char *script) {
  worker own = {.script = script};
  lua_State *L = new_state(&own);
  lua_register(L, "request", request);
  lua_register(L, "request_starved", request_starved);
  lua_register(L, "dumps", dumps);
  lua_register(L, "raise_stop", raise_stop);
  memset(&noticed, 0, sizeof noticed);
  aw_lua_set_notice(L, take_notice, &noticed);
  CHECK(lua_gettop(L) == 0);
  run_script(L, &own);
  if (own.error[0])
    fprintf(stderr, "%s\n", own.error);
  CHECK(own.error[0] == '\0');
  lua_close(L);
}

static void a_busy_body_tells_the_dump_once(void) {
  CHECK(!aw_lua_request_dump());
  notice_in("assert(not request())\n"
            "aw.run(function()\n"
            "  assert(request() and request())\n"
            "  for _ = 1, 1000 do end\n"
            "  assert(dumps() == 1)\n"
            "  aw.yield()\n"
            "end)\n");
  CHECK(noticed.dumps == 1 && noticed.interrupts == 0);
  CHECK(strstr(noticed.text, "busy at "));
  CHECK(noticed.text[strlen(noticed.text) - 1] != '\n');
}

static void the_driver_tells_the_dump_once(void) {
  notice_in("aw.run(function()\n"
            "  request()\n"
            "  aw.yield()\n"
            "  assert(dumps() == 1)\n"
            "end)\n"
            "aw.run(function() request() end)\n");
  CHECK(noticed.dumps == 2 && !strstr(noticed.text, "busy at "));
}

/* The first dump makes room on the stack for the hook. */
static void without_memory_a_notice_says_so(void) {
  notice_in("pcall(aw.run, function()\n"
            "  request()\n"
            "  for _ = 1, 1000 do end\n"
            "  request_starved()\n"
            "  for _ = 1, 1000 do end\n"
            "end)\n"
            "assert(dumps() == 2)\n");
  CHECK(strstr(noticed.text, "not enough memory"));
}

/* The error of the run names the place, too. */
static void an_interrupt_is_told_once(void) {
  notice_in("local ok, err = pcall(aw.run, function()\n"
            "  raise_stop()\n"
            "  fails(busy) fails(busy)\n"
            "end)\n"
            "assert(err:find 'interrupted! %(busy at .*, in task %d+ .*%)')\n");
  CHECK(noticed.dumps == 0 && noticed.interrupts == 1);
  CHECK(strncmp(noticed.text, "aiowire: interrupted at ", 24) == 0);
}

/* A cancel of another thread is no news for the user. */
static void interrupts_of_threads_are_not_told(void) {
  worker own = {.script = "send_here() fails(run, busy)"};
  lua_State *L = new_state(&own);
  memset(&noticed, 0, sizeof noticed);
  aw_lua_set_notice(L, take_notice, &noticed);
  CHECK(aw_lua_interrupts_open(L, &own.interrupts) == 0);
  run_script(L, &own);
  CHECK(own.error[0] == '\0');
  aw_lua_interrupts_close(own.interrupts);
  lua_close(L);
  CHECK(noticed.dumps == 0 && noticed.interrupts == 0);
}

/* A signal that is ignored as the run begins stays ignored. */
static void an_ignored_signal_stays_ignored(void) {
  worker own = {.script = "aw.run(function() raise_stop() spin(3e6) end)"};
  lua_State *L = new_state(&own);
  lua_register(L, "raise_stop", raise_stop);
  signal(SIGINT, SIG_IGN);
  run_script(L, &own);
  CHECK(signal(SIGINT, SIG_DFL) == SIG_IGN);
  CHECK(own.error[0] == '\0');
  lua_close(L);
}

/* ---- the action that a signal had before ---- */

static volatile sig_atomic_t acted;

static void count_int(int number) {
  acted += number == SIGINT;
}

static void count_int_with_info(int number, siginfo_t *info, void *context) {
  acted += number == SIGINT && info->si_signo == SIGINT && context;
}

/* A program waits for SIGINT, and then gets two that nobody waits for. One is
 * kept, the other one is for the action before. [H5] */
static void what_is_not_kept_goes_to(const struct sigaction *action, int acts) {
  worker own = {.script = "run(function()\n"
                          "  local t = aw.start(aw.Signal 'INT')\n"
                          "  aw.yield() raise_stop() t:wait()\n"
                          "  raise_stop() raise_stop()\n"
                          "end)\n"};
  lua_State *L = new_state(&own);
  lua_register(L, "raise_stop", raise_stop);
  CHECK(sigaction(SIGINT, action, NULL) == 0);
  acted = 0;
  run_script(L, &own);
  CHECK(own.error[0] == '\0' && acted == acts);
  lua_close(L);
  struct sigaction after;
  CHECK(sigaction(SIGINT, NULL, &after) == 0);
  CHECK(after.sa_handler == action->sa_handler);
  signal(SIGINT, SIG_DFL);
}

static void signals_go_to_the_action_before(void) {
  what_is_not_kept_goes_to(&(struct sigaction){.sa_handler = count_int}, 1);
  what_is_not_kept_goes_to(&(struct sigaction){.sa_handler = SIG_IGN}, 0);
  what_is_not_kept_goes_to(
      &(struct sigaction){.sa_sigaction = count_int_with_info,
                          .sa_flags = SA_SIGINFO},
      1);
}

/* ---- forks ---- */

static void in_child(lua_State *L, worker *own) {
  CHECK(aw_lua_interrupts_send(own->interrupts) == 0);
  own->script = "run(function() spin(3e6) end)";
  run_script(L, own);
  CHECK(own->error[0] == '\0');
  aw_lua_interrupts_close(own->interrupts);
  CHECK(aw_lua_interrupts_open(L, &own->interrupts) == 0);
  own->script = "send_here() fails(run, busy)";
  run_script(L, own);
  CHECK(own->error[0] == '\0');
  aw_lua_interrupts_close(own->interrupts);
  _exit(0);
}

/* A child of the thread `beside` sends nothing to it. */
static void a_forked_child_begins_anew(void) {
  worker own = {.script = ""}, beside = {.blocked = false};
  begin(&beside, "run(function() tell_begun() wait_here() spin(3e6) end)");
  wait_for(&beside.begun);
  lua_State *L = new_state(&own);
  CHECK(aw_lua_interrupts_open(L, &own.interrupts) == 0);
  pid_t child = fork();
  if (child == 0)
    in_child(L, &own);
  int status;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  aw_lua_interrupts_close(own.interrupts);
  lua_close(L);
  sem_post(&beside.go_on);
  end(&beside);
}

/* ---- many at once ---- */

/* Threads come and go, and interrupt each other. */
static struct {
  pthread_mutex_t lock;
  aw_lua_interrupts *open[THREADS];
} crowd = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int send_to_all(lua_State *L) {
  (void)L;
  pthread_mutex_lock(&crowd.lock);
  for (int i = 0; i < THREADS; i++)
    if (crowd.open[i])
      CHECK(aw_lua_interrupts_send(crowd.open[i]) == 0);
  pthread_mutex_unlock(&crowd.lock);
  return 0;
}

static void publish(size_t place, aw_lua_interrupts *interrupts) {
  pthread_mutex_lock(&crowd.lock);
  crowd.open[place] = interrupts;
  pthread_mutex_unlock(&crowd.lock);
}

static void *be_in_crowd(void *data) {
  worker own = {.script = "fails(run, function() send_to_all() busy() end)\n"
                          "clear()\n"
                          "send_to_all()\n"
                          "clear()\n"};
  size_t place = (size_t)(uintptr_t)data;
  for (int i = 0; i < ROUNDS; i++) {
    lua_State *L = new_state(&own);
    lua_register(L, "send_to_all", send_to_all);
    CHECK(aw_lua_interrupts_open(L, &own.interrupts) == 0);
    publish(place, own.interrupts);
    run_script(L, &own);
    CHECK(own.error[0] == '\0');
    publish(place, NULL);
    aw_lua_interrupts_close(own.interrupts);
    lua_close(L);
  }
  return NULL;
}

static void a_crowd_interrupts_itself(void) {
  pthread_t threads[THREADS];
  struct sigaction now;
  for (size_t i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, be_in_crowd,
                         (void *)(uintptr_t)i) == 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  CHECK(sigaction(number(), NULL, &now) == 0 && now.sa_handler == SIG_DFL);
}

/* ---- mistakes ---- */

static void wrong_calls_are_refused(void) {
  aw_lua_interrupts *out;
  lua_State *L = luaL_newstate();
  CHECK(aw_lua_interrupts_open(L, &out) == AW_EINVAL); /* no library */
  CHECK(aw_lua_interrupts_open(L, NULL) == AW_EINVAL);
  CHECK(aw_lua_interrupts_open(NULL, &out) == AW_EINVAL);
  CHECK(aw_lua_interrupts_send(NULL) == AW_EINVAL);
  aw_lua_interrupts_close(NULL);
  lua_close(L);
}

int main(void) {
  a_busy_body_is_interrupted();
  a_body_that_catches_errors_is_interrupted();
  a_coroutine_of_the_body_is_interrupted();
  a_handler_is_interrupted();
  only_that_thread_is_interrupted();
  it_waits_for_the_next_body();
  each_body_has_its_own_time();
  after_a_clear_nothing_is_interrupted();
  one_clear_is_enough_for_several();
  the_hook_of_the_user_comes_back();
  blocked_signals_wait();
  the_mask_comes_back();
  a_late_signal_is_discarded();
  the_action_from_before_comes_back();
  the_action_of_others_stays();
  a_stray_signal_interrupts_nobody();
  runs_leave_other_signals_alone();
  a_stop_of_the_process_works_beside_it();
  a_busy_body_tells_the_dump_once();
  the_driver_tells_the_dump_once();
  without_memory_a_notice_says_so();
  an_interrupt_is_told_once();
  interrupts_of_threads_are_not_told();
  an_ignored_signal_stays_ignored();
  signals_go_to_the_action_before();
  a_forked_child_begins_anew();
  a_crowd_interrupts_itself();
  wrong_calls_are_refused();
  return 0;
}
