/* main_test.c - aw_lua_main_with(): runs with limits, and how they end */
#include "check.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>

/* The end of a limit, as the timer of a host would tell it. */
static int time_is_over(lua_State *L) {
  lua_pushboolean(L, aw_lua_interrupt(0));
  return 1;
}

static int send_signal(lua_State *L) {
  (void)L;
  raise(SIGTERM);
  return 0;
}

/* stopped_by() → the end, the code */
static int stopped_by(lua_State *L) {
  int code = 0;
  lua_pushinteger(L, aw_lua_stopped_by(&code));
  lua_pushinteger(L, code);
  return 2;
}

static lua_State *new_state(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  lua_setglobal(L, "aw");
  lua_register(L, "time_is_over", time_is_over);
  lua_register(L, "send_signal", send_signal);
  lua_register(L, "stopped_by", stopped_by);
  aw_lua_install_host(L);
  lua_settop(L, 0);
  return L;
}

static int run(lua_State *L, const char *text, const aw_lua_main_config *config,
               int *code) {
  lua_settop(L, 0);
  *code = -1;
  CHECK(luaL_loadbuffer(L, text, strlen(text), "=s.lua") == LUA_OK);
  return aw_lua_main_with(L, 0, config, code);
}

static const aw_lua_main_config SHORT = {
    .timeout = AW_SECOND / 100, .grace = AW_SECOND, .size = sizeof SHORT};
static const aw_lua_main_config LONG = {.timeout = 900 * AW_SECOND,
                                        .grace = AW_DEFAULT};

static void ends_without_limits(void) {
  int code;
  lua_State *L = new_state();
  CHECK(run(L, "aw.sleep(0.001) assert(not aw.deadline())", NULL, &code) ==
        AW_LUA_OK);
  CHECK(run(L, "assert(aw.deadline())", &LONG, &code) == AW_LUA_OK);
  CHECK(lua_gettop(L) == 0);
  CHECK(run(L, "error 'x'", &LONG, &code) == AW_LUA_ERROR && code == 1);
  CHECK(lua_gettop(L) == 2);
  CHECK(run(L, "aw.event():wait()", NULL, &code) == AW_LUA_ERROR);
  CHECK(code == 13);
  lua_close(L);
}

static void runs_without_settings(void) {
  int code = -1;
  lua_State *L = new_state();
  CHECK(luaL_loadstring(L, "aw.sleep(0) given = ...") == LUA_OK);
  lua_pushliteral(L, "argument");
  CHECK(aw_lua_main(L, 1, &code) == AW_LUA_OK && lua_gettop(L) == 0);
  CHECK(lua_getglobal(L, "given") == LUA_TSTRING);
  CHECK(strcmp(lua_tostring(L, 1), "argument") == 0);
  CHECK(luaL_loadstring(L, "error 'x'") == LUA_OK);
  CHECK(aw_lua_main(L, 0, &code) == AW_LUA_ERROR && code == 1);
  lua_close(L);
}

static void draws_instead(void) {
  int code = -1;
  aw_lua_main_config config = {.timeout = AW_NEVER,
                               .grace = AW_DEFAULT,
                               .size = sizeof config,
                               .graph = "mermaid"};
  lua_State *L = new_state();
  CHECK(run(L, "return aw.Sleep(1)", &config, &code) == AW_LUA_GRAPH);
  CHECK(lua_gettop(L) == 1);
  CHECK(strcmp(lua_tostring(L, 1), "flowchart LR\n  w1([\"sleep 1 s\"])\n") ==
        0);
  lua_settop(L, 0);
  config.graph = "dot";
  CHECK(run(L, "aw.start(function() ran = true end) aw.sleep(0)", &config,
            &code) == AW_LUA_GRAPH);
  CHECK(strncmp(lua_tostring(L, 1), "digraph {", 9) == 0);
  CHECK(lua_getglobal(L, "ran") == LUA_TNIL);
  lua_settop(L, 0);
  CHECK(run(L, "error 'x'", &config, &code) == AW_LUA_ERROR && code == 1);
  lua_settop(L, 0);
  CHECK(run(L, "aw.sleep(0) ran = true", NULL, &code) == AW_LUA_OK);
  CHECK(lua_getglobal(L, "ran") == LUA_TBOOLEAN); /* awaits again */
  lua_close(L);
}

/* The descriptors that are open. */
static int count_descriptors(void) {
  enum { MOST = 256 };
  int count = 0;
  for (int fd = 0; fd < MOST; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void leaves_nothing_drawn(void) {
  static const char *const texts[] = {
      "return aw.Sleep(1)", "aw.start(print, nil, {name = 'x'}) aw.sleep(1)",
      "local _ <close> = setmetatable({}, {__close = function() ran() end})\n"
      "aw.start(print) aw.scope(function(s) s:start(print) aw.await(aw.Never) "
      "end)",
      "local ev <close> = aw.EventLoop() ev:start(print)",
      "aw.start(print) error 'x'"};
  aw_lua_main_config config = LONG;
  config.size = sizeof config;
  config.graph = "dot";
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    int code, before = count_descriptors();
    lua_State *L = new_state();
    lua_register(L, "ran", send_signal);
    (void)run(L, texts[i], &config, &code);
    CHECK(count_descriptors() > before);
    lua_close(L);
    CHECK(count_descriptors() == before);
  }
}

static void tells_what_was_cut(void) {
  int code;
  lua_State *L = new_state();
  CHECK(run(L, "aw.sleep(60)", &SHORT, &code) == AW_LUA_TIMEOUT);
  CHECK(code == 124 && lua_gettop(L) == 3);
  CHECK(strcmp(lua_tostring(L, 1), "sleep 60 s in task 1, s.lua:1") == 0);
  CHECK(lua_isnil(L, 2) && lua_isnil(L, 3));
  lua_close(L);
}

static void gives_the_error_of_clean_up(void) {
  int code;
  lua_State *L = new_state();
  CHECK(run(L,
            "local _ <close> = setmetatable({}, {__close = function()\n"
            "  error('dirty', 0)\n"
            "end})\n"
            "aw.sleep(60)",
            &SHORT, &code) == AW_LUA_TIMEOUT);
  CHECK(code == 124 && lua_gettop(L) == 3 && lua_isstring(L, 1));
  CHECK(strcmp(luaL_tolstring(L, 2, NULL), "dirty") == 0);
  CHECK(!lua_isnil(L, 3));
  lua_close(L);
}

static void cuts_busy_functions(void) {
  int code;
  lua_State *L = new_state();
  CHECK(run(L,
            "local limit = aw.deadline()\n"
            "while aw.now() < limit do end\n"
            "assert(time_is_over())\n"
            "while true do end",
            &SHORT, &code) == AW_LUA_TIMEOUT);
  CHECK(code == 124);
  CHECK(strcmp(lua_tostring(L, 1),
               "a function that does not wait in task 1, s.lua:4") == 0);
  CHECK(run(L, "time_is_over() while true do end", NULL, &code) ==
        AW_LUA_ERROR);
  CHECK(code == 1); /* there is no limit */
  lua_close(L);
}

/* Whether the host or the loop is first makes no difference: the limit of the
 * loop is far away here. */
static void ends_by_the_word_of_the_host(void) {
  static const char *const BUSY = "a function that does not wait in task ";
  int code;
  lua_State *L = new_state();
  CHECK(run(L, "time_is_over() while true do end", &LONG, &code) ==
        AW_LUA_TIMEOUT);
  CHECK(code == 124);
  CHECK(strncmp(lua_tostring(L, 1), BUSY, strlen(BUSY)) == 0);
  CHECK(run(L, "time_is_over() aw.sleep(60)", &LONG, &code) == AW_LUA_TIMEOUT);
  CHECK(code == 124);
  CHECK(strcmp(lua_tostring(L, 1), "sleep 60 s in task 2, s.lua:1") == 0);
  CHECK(run(L,
            "aw.start(function() aw.yield() time_is_over() end)\n"
            "aw.start(function() aw.yield() while true do end end)",
            &LONG, &code) == AW_LUA_TIMEOUT);
  CHECK(code == 124); /* the busy step is another one of the same round */
  CHECK(run(L, "aw.run(function() time_is_over() while true do end end)", &LONG,
            &code) == AW_LUA_TIMEOUT);
  CHECK(code == 124);
  lua_close(L);
}

static void keeps_its_limit(void) {
  int code;
  lua_State *L = new_state();
  CHECK(run(L,
            "local before = aw.deadline()\n"
            "local ok, message = pcall(aw.extend, 9000)\n"
            "assert(not ok and message:find 'of the program', message)\n"
            "assert(aw.deadline() - before < 1)",
            &LONG, &code) == AW_LUA_OK);
  CHECK(run(L, "aw.timeout(1, function() aw.extend(2) end)", NULL, &code) ==
        AW_LUA_OK);
  lua_close(L);
}

static void ends_by_a_signal_in_clean_up(void) {
  int code;
  lua_State *L = new_state();
  CHECK(run(L,
            "local _ <close> = setmetatable({}, {__close = function()\n"
            "  aw.shield(function() send_signal() aw.sleep(60) end, 60)\n"
            "end})\n"
            "aw.sleep(60)",
            &SHORT, &code) == AW_LUA_SIGNAL);
  CHECK(code == SIGTERM && lua_gettop(L) == 0);
  lua_close(L);
}

static void tells_what_stops_it(void) {
  static const char *const TEXT =
      "local _ <close> = setmetatable({}, {__close = function()\n"
      "  stops, code = stopped_by()\n"
      "end})\n";
  static const struct {
    const char *text;
    const aw_lua_main_config *config;
    int end, code;
  } rows[] = {{"", NULL, AW_LUA_OK, 0},
              {"", &LONG, AW_LUA_OK, 0},
              {"send_signal() aw.sleep(60)", &LONG, AW_LUA_SIGNAL, SIGTERM},
              {"aw.sleep(60)", &SHORT, AW_LUA_TIMEOUT, 124},
              {"time_is_over() aw.sleep(60)", &LONG, AW_LUA_TIMEOUT, 124}};
  int code;
  lua_State *L = new_state();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[512];
    snprintf(text, sizeof text, "%s%s", TEXT, rows[i].text);
    (void)run(L, text, rows[i].config, &code);
    lua_getglobal(L, "stops");
    CHECK(lua_tointeger(L, -1) == rows[i].end);
    lua_getglobal(L, "code");
    CHECK(lua_tointeger(L, -1) == rows[i].code);
    CHECK(aw_lua_stopped_by(&code) == AW_LUA_OK); /* nothing runs */
  }
  CHECK(aw_lua_stopped_by(NULL) == AW_LUA_OK);
  lua_close(L);
}

static int run_with_wrong_size(lua_State *L) {
  int code;
  aw_lua_main_config config = {.timeout = AW_NEVER, .size = 4};
  lua_pushcfunction(L, time_is_over);
  return aw_lua_main_with(L, 0, &config, &code);
}

static void refuses_a_wrong_size(void) {
  lua_State *L = new_state();
  lua_pushcfunction(L, run_with_wrong_size);
  CHECK(lua_pcall(L, 0, 0, 0) == LUA_ERRRUN);
  CHECK(strstr(lua_tostring(L, -1), "aw_lua_main_config"));
  CHECK(!aw_lua_interrupt(0)); /* nothing runs */
  lua_close(L);
}

int main(void) {
  ends_without_limits();
  runs_without_settings();
  draws_instead();
  leaves_nothing_drawn();
  tells_what_was_cut();
  gives_the_error_of_clean_up();
  cuts_busy_functions();
  ends_by_the_word_of_the_host();
  keeps_its_limit();
  ends_by_a_signal_in_clean_up();
  tells_what_stops_it();
  refuses_a_wrong_size();
  return 0;
}
