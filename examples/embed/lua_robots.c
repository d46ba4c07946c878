/* lua_robots.c - a game whose robots are driven by Lua scripts
 *
 *   cc lua_robots.c $(pkg-config --cflags --libs aiowire-lua) -o lua_robots
 *   target_link_libraries(lua_robots aiowire::aiowire_lua)
 *
 * Shows Lua scripts as tasks in a host with a loop of its own, C functions that
 * await, C functions that make wires, errors of scripts, Ctrl-C, several Lua
 * states on one engine, and the order in which all of it ends.
 *
 * The host has a frame loop, as games have: it moves the robots, lets the
 * engine have a turn, draws, and sleeps until the next frame. Each robot has a
 * script in a Lua state of its own, so scripts cannot disturb each other. A
 * script sees the library, and the functions of its robot:
 *
 *     robot.move(to)   drives there, and returns when the robot has arrived
 *     robot.Move(to)   the wire of that: robot.Move(9):timeout(0.5)
 *     robot.at()       where it is
 *
 * A script never blocks the game, however long it drives: while it awaits, the
 * host draws. Ctrl-C is the host's, too: the library takes no signals. The
 * handler only sets a flag; the frame loop then stops the loops of all scripts,
 * which clean up as after any cancel.
 */
#define _POSIX_C_SOURCE 200809L
#include <aiowire_lua.h>

#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS (AW_SECOND / 1000)

enum { ROBOTS = 3, FRAMES = 60 /* at most */ };

typedef struct robot {
  const char *name, *script;
  lua_State *L;
  double at, to;
  aw_task *driver; /* waits until the robot is at `to`; or NULL */
  int drives;      /* that have ended at their aim */
  int status;      /* how the script ended */
  bool running;
  char last[80]; /* words of the script */
} robot;

static volatile sig_atomic_t interrupted;

/* ---- robot.move: an operation of the host -------------------------------- */

/* One drive: the data of its operation. */
typedef struct drive {
  robot *robot;
  double to;
} drive;

static int drive_arm(aw_task *task, void *data) {
  drive *it = data;
  if (it->robot->driver)
    return AW_EBUSY; /* two tasks of a script cannot drive at once */
  it->robot->driver = task;
  it->robot->to = it->to;
  return 0;
}

/* Cancelled, or another operand of a race has won: the robot stops. */
static void drive_disarm(aw_task *task, void *data) {
  (void)task;
  drive *it = data;
  it->robot->driver = NULL;
}

static const aw_operation drive_operation = {.label = "drive",
                                             .arm = drive_arm,
                                             .disarm = drive_disarm,
                                             .external = true};

/* Called by the frame loop. Nothing runs here: the script goes on in the next
 * turn of the engine. */
static void move_robot(robot *it) {
  if (!it->driver)
    return;
  double left = it->to - it->at;
  if (left > 1 || left < -1) {
    it->at += left > 0 ? 1 : -1;
    return;
  }
  it->at = it->to;
  it->drives++;
  aw_task *driver = it->driver;
  it->driver = NULL;
  aw_wait_complete(driver, 0);
}

/* ---- what scripts call --------------------------------------------------- */

static robot *robot_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static int arrived(lua_State *L, int result, void *data) {
  drive *it = data;
  if (result < 0)
    return aw_lua_system_error(L, result, "move", it->robot->name);
  lua_pushnumber(L, it->robot->at);
  return 1;
}

/* robot.move(to): the drive is a userdata on top of the stack, so it lives as
 * long as the wait. */
static int robot_move(lua_State *L) {
  double to = luaL_checknumber(L, 1);
  drive *it = lua_newuserdatauv(L, sizeof *it, 0);
  *it = (drive){robot_of(L), to};
  return aw_lua_await(L, &drive_operation, it, "robot.move", arrived);
}

/* robot.Move(to): the wire owns the drive. */
static int robot_move_wire(lua_State *L) {
  double to = luaL_checknumber(L, 1);
  drive *it = malloc(sizeof *it);
  if (!it)
    return aw_lua_error(L, "not enough memory");
  *it = (drive){robot_of(L), to};
  /* Takes `it`, also on failure. */
  aw_wire *wire = aw_hold(aw_wait_for(&drive_operation, it), it, free);
  aw_lua_push_wire(L, wire, 0);
  return 1;
}

static int robot_at(lua_State *L) {
  lua_pushnumber(L, robot_of(L)->at);
  return 1;
}

static int robot_say(lua_State *L) {
  robot *it = robot_of(L);
  snprintf(it->last, sizeof it->last, "%s", luaL_checkstring(L, 1));
  printf("%-6s at %g: %s\n", it->name, it->at, it->last);
  return 0;
}

static const luaL_Reg functions[] = {{"move", robot_move},
                                     {"Move", robot_move_wire},
                                     {"at", robot_at},
                                     {"say", robot_say},
                                     {NULL, NULL}};

/* ---- scripts ------------------------------------------------------------- */

static const char PATROL[] =
    "local aw = require 'aiowire'\n"
    "local rounds = 0\n"
    "for _ = 1, 2 do\n"
    "  robot.move(5)\n"
    "  robot.move(0)\n"
    "  rounds = rounds + 1\n"
    "  robot.say('round ' .. rounds)\n"
    "end\n"
    "local winner = aw.await(aw.Race { robot.Move(1000), aw.Sleep(0.02) })\n"
    "robot.say(winner == 2 and 'too far' or 'arrived')\n"
    "return rounds\n";

/* A mistake in a script ends that script, and nothing else. */
static const char BROKEN[] = "robot.move(2)\n"
                             "robot.turn(90)\n";

/* Runs until it is cancelled, and cleans up then. */
static const char GUARD[] =
    "local lights <close> = setmetatable({}, { __close = function()\n"
    "  robot.say 'lights out'\n"
    "end })\n"
    "while true do\n"
    "  robot.move(3)\n"
    "  robot.move(-3)\n"
    "end\n";

/* A script has ended. Called in aw_engine_turn(), outside any step, and in a
 * protected call. */
static void script_done(lua_State *L, aw_task *task, int status, int nresults,
                        void *data) {
  (void)task, (void)nresults;
  robot *it = data;
  it->running = false;
  it->status = status;
  aw_error *error = aw_loop_error(aw_lua_loop(L));
  if (status == AW_ECANCELED && error) { /* a task of the script has failed */
    aw_lua_push_error(L, error);
    it->status = AW_EHOST;
  }
  if (it->status == 0)
    printf("%-6s has ended\n", it->name);
  else if (it->status == AW_EHOST) /* the error, and what is known about it */
    printf("%-6s failed: %s\n", it->name, luaL_tolstring(L, -2, NULL));
  else
    printf("%-6s ended: %s\n", it->name, aw_strerror(status));
}

/* Runs in a protected call. */
static int open_state(lua_State *L) {
  robot *it = lua_touserdata(L, 1);
  luaL_openlibs(L);
  lua_newtable(L);
  lua_pushlightuserdata(L, it);
  luaL_setfuncs(L, functions, 1);
  lua_setglobal(L, "robot");
  return 0;
}

static int start_robot(robot *it, aw_engine *engine) {
  it->L = luaL_newstate();
  if (!it->L)
    return AW_ENOMEM;
  lua_pushcfunction(it->L, open_state);
  lua_pushlightuserdata(it->L, it);
  if (lua_pcall(it->L, 1, 0, 0) != LUA_OK)
    return AW_ENOMEM;
  int rc = aw_lua_open(it->L, engine);
  if (rc < 0)
    return rc;
  char chunk[32]; /* as Lua's messages name the script */
  snprintf(chunk, sizeof chunk, "=%s", it->name);
  aw_lua_task_config config = {
      .size = sizeof config, .name = it->name, .done = script_done, .data = it};
  rc = aw_lua_start_buffer(it->L, it->script, strlen(it->script), chunk,
                           &config, NULL);
  it->running = rc == 0;
  return rc;
}

static void stop_robot(robot *it) {
  if (it->running)
    aw_loop_stop(aw_lua_loop(it->L), false);
}

/* ---- the game ------------------------------------------------------------ */

static void on_interrupt(int number) {
  (void)number;
  interrupted = 1;
}

static int running(const robot *robots) {
  int count = 0;
  for (int i = 0; i < ROBOTS; i++)
    count += robots[i].running;
  return count;
}

static int play(aw_engine *engine, robot *robots) {
  for (int frame = 0; running(robots) > 0; frame++) {
    if (frame == FRAMES)
      raise(SIGINT); /* the player presses Ctrl-C */
    for (int i = 0; i < ROBOTS; i++) {
      if (interrupted)
        stop_robot(&robots[i]);
      move_robot(&robots[i]);
    }
    interrupted = 0;
    int rc = aw_engine_turn(engine); /* 1: more is ready, for the next frame */
    if (rc < 0)
      return rc;
    /* A game draws here. */
    nanosleep(&(struct timespec){0, MS}, NULL);
  }
  return 0;
}

int main(void) {
  robot robots[ROBOTS] = {{.name = "patrol", .script = PATROL},
                          {.name = "broken", .script = BROKEN},
                          {.name = "guard", .script = GUARD}};
  struct sigaction action = {.sa_handler = on_interrupt};
  sigaction(SIGINT, &action, NULL);

  aw_engine *engine;
  aw_engine_config config = {.size = sizeof config};
  aw_lua_config(&config);
  int rc = aw_engine_new(&config, &engine);
  if (rc < 0)
    return 1;
  for (int i = 0; i < ROBOTS && rc == 0; i++)
    rc = start_robot(&robots[i], engine);
  if (rc == 0)
    rc = play(engine, robots);
  if (rc < 0)
    fprintf(stderr, "lua_robots: %s\n", aw_strerror(rc));

  /* First the states, which end what still runs in them; then the engine. */
  for (int i = 0; i < ROBOTS; i++)
    if (robots[i].L) {
      aw_lua_close(robots[i].L);
      lua_close(robots[i].L);
    }
  aw_engine_free(engine);

  return rc == 0 && robots[0].status == 0 && robots[0].drives == 4 &&
                 robots[1].status == AW_EHOST &&
                 robots[2].status == AW_ECANCELED &&
                 strcmp(robots[2].last, "lights out") == 0
             ? 0
             : 1;
}
