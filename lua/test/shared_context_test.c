/* shared_context_test.c - zmq contexts of several Lua states [J14]
 *
 * Two states, A and B, have the same context, which went from one to the other
 * in a message. First both are on one thread, then B has one of its own.
 */
#include "check.h"

#include "thread/message.h"
#include "with_aw.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void run(lua_State *L, const char *text) {
  bool well = luaL_dostring(L, text) == LUA_OK;
  if (!well)
    fprintf(stderr, "%s: %s\n", text, luaL_tolstring(L, -1, NULL));
  CHECK(well);
  lua_settop(L, 0);
}

/* Copy the values of an expression of L. */
static awio_message *copy_of(lua_State *L, const char *expression) {
  lua_pushfstring(L, "return %s", expression);
  CHECK(luaL_dostring(L, lua_tostring(L, -1)) == LUA_OK);
  lua_remove(L, 1);
  awio_message *m = awio_message_new(L, 1, lua_gettop(L), "argument", 1);
  lua_settop(L, 0);
  return m;
}

/* Give the value to L, as a global variable; takes the message. */
static void give(lua_State *L, const char *name, awio_message *m) {
  CHECK(awio_message_push(L, m) == 1);
  lua_setglobal(L, name);
  awio_message_free(m);
}

typedef struct pair {
  lua_State *A, *B;
} pair;

/* Two states with the context `ctx`, and a function that checks an error. */
static pair open_pair(void) {
  pair p = {new_state_with_aw(), new_state_with_aw()};
  run(p.A, "zmq = aw.zmq ctx = zmq.context{patience = 1234}");
  give(p.B, "ctx", copy_of(p.A, "ctx"));
  run(p.B, "zmq = aw.zmq assert(ctx:get('patience') == 1234)");
  static const char *const shared =
      "function refuses(text, f, ...)\n"
      "  local ok, e = pcall(f, ...)\n"
      "  local code = type(e) == 'table' and e.code or ''\n"
      "  assert(not ok and (tostring(e) .. code):find(text, 1, true),\n"
      "    tostring(e))\n"
      "end";
  run(p.A, shared);
  run(p.B, shared);
  return p;
}

static void close_pair(pair p) {
  lua_close(p.A);
  lua_close(p.B);
}

/* ---- on one thread ---- */

static void sockets_meet_over_inproc(void) {
  pair p = open_pair();
  run(p.A, "s = ctx:socket('PULL') s:bind('inproc://here')");
  run(p.B, "s = ctx:socket('PUSH') s:connect('inproc://here')\n"
           "aw.run(function() s:send('one', 'two') end)");
  run(p.A, "aw.run(function()\n"
           "  local a, b = s:recv() assert(a == 'one' and b == 'two')\n"
           "end)");
  close_pair(p);
}

static void a_connect_may_come_before_the_bind(void) {
  pair p = open_pair();
  run(p.A, "s = ctx:socket('PUSH') s:connect('inproc://later')\n"
           "refuses('not bound yet', s.disconnect, s, 'inproc://later')");
  run(p.B, "s = ctx:socket('PULL') s:bind('inproc://later')");
  run(p.A, "aw.run(function() s:send('x') end)\n"
           "s:disconnect('inproc://later')");
  run(p.B, "aw.run(function() assert(s:recv() == 'x') end)");
  close_pair(p);
}

/* libzmq would abort the program, sooner or later. */
static void types_that_do_not_match_are_refused(void) {
  pair p = open_pair();
  run(p.A, "a = ctx:socket('PAIR') a:bind('inproc://pair')\n"
           "b = ctx:socket('ROUTER') b:connect('inproc://early')");
  run(p.B, "a = ctx:socket('ROUTER')\n"
           "refuses('would join', a.connect, a, 'inproc://pair')\n"
           "b = ctx:socket('PAIR')\n"
           "refuses('would join', b.bind, b, 'inproc://early')");
  close_pair(p);
}

static void a_name_is_free_soon_after_its_socket_is_closed(void) {
  pair p = open_pair();
  for (int i = 0; i < 50; i++) {
    run(p.A, "s = ctx:socket('PULL') s:bind('inproc://name') s:close()");
    run(p.B, "s = ctx:socket('PULL') s:bind('inproc://name') s:close()");
  }
  run(p.A, "s = ctx:socket('PULL') s:bind('inproc://name')");
  run(p.B, "s = ctx:socket('PULL')\n"
           "refuses('EADDRINUSE', s.bind, s, 'inproc://name')");
  close_pair(p);
}

static void the_limit_of_sockets_is_that_of_all_states(void) {
  pair p = open_pair();
  run(p.A, "ctx:set('max_sockets', 3)\n"
           "a, b = ctx:socket('PULL'), ctx:socket('PULL')");
  run(p.B, "a = ctx:socket('PULL')\n"
           "refuses('EMFILE', ctx.socket, ctx, 'PULL')");
  run(p.A, "a:close()");
  run(p.B, "b = ctx:socket('PULL')");
  close_pair(p);
}

static void a_close_is_that_of_one_state(void) {
  pair p = open_pair();
  run(p.A, "s = ctx:socket('PULL') s:bind('inproc://x')");
  run(p.B, "a = ctx:socket('PAIR') a:bind('inproc://y')\n"
           "b = ctx:socket('PAIR') b:connect('inproc://y')");
  run(p.A, "ctx:close() refuses('Closed', ctx.socket, ctx, 'PULL')\n"
           "refuses('Closed', s.bind, s, 'inproc://z')");
  run(p.B, "aw.run(function() a:send('x') assert(b:recv() == 'x') end)\n"
           "c = ctx:socket('PULL') c:bind('inproc://x')");
  lua_close(p.A);
  run(p.B, "aw.run(function() b:send('y') assert(a:recv() == 'y') end)\n"
           "ctx:close() refuses('Closed', ctx.get, ctx, 'ipv6')");
  lua_close(p.B);
}

static void a_context_goes_to_its_own_state_and_back(void) {
  pair p = open_pair();
  give(p.A, "again", copy_of(p.A, "ctx"));
  give(p.A, "back", copy_of(p.B, "ctx"));
  run(p.A, "a = ctx:socket('PAIR') a:bind('inproc://a')\n"
           "b = again:socket('PAIR') b:connect('inproc://a')\n"
           "aw.run(function() a:send('x') assert(b:recv() == 'x') end)\n"
           "again:close() back:close()\n"
           "c = ctx:socket('PAIR')");
  close_pair(p);
}

static void closed_contexts_do_not_travel(void) {
  pair p = open_pair();
  run(p.A, "ctx:close()");
  lua_getglobal(p.A, "ctx");
  awio_message *m = awio_message_of_error(p.A, -1);
  CHECK(awio_message_push(p.B, m) == 1);
  CHECK(strcmp(lua_tostring(p.B, -1), "zmq context (closed)") == 0);
  awio_message_free(m);
  close_pair(p);
}

static int count_descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  int count = 0;
  if (!folder)
    return 0;
  while (readdir(folder))
    count++;
  closedir(folder);
  return count;
}

/* The message is the last that has the context. */
static void a_message_ends_a_context(void) {
  static const struct timespec MOMENT = {0, 1000 * 1000};
  int before = count_descriptors();
  lua_State *A = new_state_with_aw();
  run(A, "ctx = aw.zmq.context() s = ctx:socket('PULL')");
  awio_message *m = copy_of(A, "{ctx, ctx}");
  lua_close(A);
  CHECK(count_descriptors() > before);
  awio_message_free(m);
  for (int i = 0; i < 5000 && count_descriptors() > before; i++)
    nanosleep(&MOMENT, NULL);
  CHECK(count_descriptors() == before);
}

/* An authenticator answers for the sockets of all states. */
static void an_authenticator_is_that_of_the_context(void) {
  pair p = open_pair();
  run(p.A, "auth = zmq.auth{context = ctx, plain = {joe = 'pw'}}");
  run(p.B,
      "local server = ctx:socket('PULL', {plain_server = true})\n"
      "server:bind('tcp://127.0.0.1:*')\n"
      "local c = ctx:socket('PUSH', {plain_username = 'joe',\n"
      "  plain_password = 'pw'})\n"
      "c:connect(server.last_endpoint)\n"
      "aw.run(function() c:send('x') assert(server:recv() == 'x') end)\n"
      "refuses('EADDRINUSE', zmq.auth, {context = ctx, plain = {a = 'b'}})");
  run(p.A, "ctx:close()");
  run(p.B, "aw.run(function()\n"
           "  zmq.auth{context = ctx, plain = {a = 'b'}}:close()\n"
           "end)");
  close_pair(p);
}

static void monitors_of_both_states_have_names_of_their_own(void) {
  pair p = open_pair();
  static const char text[] =
      "s = ctx:socket('PULL') m = s:monitor()\n"
      "s:bind('tcp://127.0.0.1:*')\n"
      "aw.run(function() assert(m:recv().event == 'listening') end)";
  run(p.A, text);
  run(p.B, text);
  close_pair(p);
}

/* ---- forks ---- */

static void a_forked_child_uses_none_of_it(void) {
  pair p = open_pair();
  awio_message *m = copy_of(p.A, "ctx");
  pid_t child = fork();
  if (child == 0) {
    run(p.B, "local ok, e = pcall(ctx.socket, ctx, 'PULL') assert(not ok)\n"
             "ctx:close()");
    awio_message_free(m);
    close_pair(p);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  give(p.B, "again", m);
  run(p.B, "s = again:socket('PULL')");
  close_pair(p);
}

/* ---- on two threads ---- */

enum { ROUNDS = 300 };

static void *answer_requests(void *data) {
  awio_message *m = data;
  lua_State *B = new_state_with_aw();
  give(B, "ctx", m);
  run(B, "local s = ctx:socket('REP') s:bind('inproc://server')\n"
         "aw.run(function()\n"
         "  repeat\n"
         "    local text = s:recv()\n"
         "    s:send(text .. '!')\n"
         "  until text == 'end'\n"
         "end)");
  lua_close(B);
  return NULL;
}

/* Either thread may be the first to use the name, or the last to close. */
static void threads_meet_over_inproc(void) {
  for (int i = 0; i < 10; i++) {
    lua_State *A = new_state_with_aw();
    run(A, "ctx = aw.zmq.context()");
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, answer_requests, copy_of(A, "ctx")) ==
          0);
    lua_pushinteger(A, ROUNDS);
    lua_setglobal(A, "rounds");
    run(A, "local s = ctx:socket('REQ') s:connect('inproc://server')\n"
           "aw.run(function()\n"
           "  for i = 1, rounds do\n"
           "    s:send('n' .. i) assert(s:recv() == 'n' .. i .. '!')\n"
           "  end\n"
           "  s:send('end') s:recv()\n"
           "end)");
    if (i % 2 == 0)
      CHECK(pthread_join(thread, NULL) == 0);
    lua_close(A);
    if (i % 2 == 1)
      CHECK(pthread_join(thread, NULL) == 0);
  }
}

static void *use_many_names(void *data) {
  lua_State *L = new_state_with_aw();
  give(L, "ctx", data);
  run(L, "for i = 1, 200 do\n"
         "  local a, b = ctx:socket('PAIR'), ctx:socket('DEALER')\n"
         "  local name = 'inproc://n' .. i % 7\n"
         "  pcall(a.bind, a, name) pcall(b.connect, b, name)\n"
         "  a:close() b:close()\n"
         "end");
  lua_close(L);
  return NULL;
}

static void threads_race_for_names(void) {
  enum { THREADS = 3 };
  pthread_t threads[THREADS];
  lua_State *A = new_state_with_aw();
  run(A, "ctx = aw.zmq.context()");
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, use_many_names,
                         copy_of(A, "ctx")) == 0);
  lua_close(A);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void) {
  sockets_meet_over_inproc();
  a_connect_may_come_before_the_bind();
  types_that_do_not_match_are_refused();
  a_name_is_free_soon_after_its_socket_is_closed();
  the_limit_of_sockets_is_that_of_all_states();
  a_close_is_that_of_one_state();
  a_context_goes_to_its_own_state_and_back();
  closed_contexts_do_not_travel();
  a_message_ends_a_context();
  an_authenticator_is_that_of_the_context();
  monitors_of_both_states_have_names_of_their_own();
  a_forked_child_uses_none_of_it();
  threads_meet_over_inproc();
  threads_race_for_names();
  return 0;
}
