/* spawn.c - aw.spawn{…}: options, pipes, and the start
 *
 * First come the parts that may raise: options, strings, userdata. Then come
 * descriptors and the child, which must be released on failure. From the first
 * descriptor until the child has started nothing raises.
 *
 * Neighbours: process_object.c has the class Process; redirect.c opens files
 * other than pipes; base/pty.c opens terminals.
 */
#include "process/process_object.h"

#include "base/cstdio.h"
#include "base/pty.h"
#include "base/system.h"
#include "io.h"
#include "process/redirect.h"

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- options ---- */

/* The first OF_EXEC names are options of aw.exec only. */
static const char *const names[] = {
    "check",      "drain",      "cwd",    "env",   "stdin", "stdout",
    "stderr",     "append",     "detach", "group", "grace", "max_line",
    "high_water", "max_output", "pty",    "rows",  "cols",  NULL};
enum { OF_EXEC = 2 };

/* Return the string at `index`. Raise a SystemError if it has a zero byte,
 * where C would end it. */
static char *check_text(lua_State *L, int index, const char *what) {
  size_t size;
  const char *text = lua_tolstring(L, index, &size);
  if (strlen(text) != size) {
    lua_pushfstring(L, "%s (a zero byte in %s)", text, what);
    aw_lua_system_error(L, UV_EINVAL, "spawn", lua_tostring(L, -1));
  }
  return (char *)(uintptr_t)text; /* posix_spawn() does not write there */
}

/* Raise an error about word `number` of the command, which is on top. */
static int bad_word(lua_State *L, int arg, int number) {
  const char *hint = number > 1 && lua_istable(L, -1)
                         ? "; options stand in one table with the words, as "
                           "{ \"ls\", \"-l\", cwd = \"/\" }"
                         : "";
  return aw_lua_arg_error(
      L, arg,
      lua_pushfstring(L, "string expected as word %d of the command, got %s%s",
                      number, aw_lua_type_name(L, -1), hint));
}

/* Return an array of the words in the table at `arg`. Pushes two values that
 * keep the array and its strings. */
static char **push_child_arguments(lua_State *L, int arg) {
  int count = (int)lua_rawlen(L, arg);
  if (count == 0)
    aw_lua_arg_error(L, arg, "a command expected");
  char **list = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof(char *), 0);
  lua_createtable(L, count, 0); /* keeps the strings */
  for (int i = 0; i < count; i++) {
    int type = lua_rawgeti(L, arg, i + 1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
      bad_word(L, arg, i + 1);
    list[i] = check_text(L, -1, "an argument");
    lua_rawseti(L, -2, i + 1);
  }
  list[count] = NULL;
  return list;
}

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Return "key=value", made of a field of `env`, and keep it in the table at
 * `table`. [.., key, value] → [.., key] */
static char *add_variable(lua_State *L, int table, int number) {
  if (lua_type(L, -2) != LUA_TSTRING ||
      (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER))
    aw_lua_error(L, "bad option 'env' (a table of strings by name expected)");
  if (*lua_tostring(L, -2) == '\0' || strchr(lua_tostring(L, -2), '='))
    aw_lua_error(L, "bad option 'env' ('%s' is no name)", lua_tostring(L, -2));
  lua_pushvalue(L, -2);
  lua_pushliteral(L, "=");
  lua_pushvalue(L, -3);
  lua_concat(L, 3);
  char *text = check_text(L, -1, "the environment");
  lua_rawseti(L, table, number);
  lua_pop(L, 1);
  return text;
}

/* Count the fields of `env`. A finalizer may add fields later, which are left
 * out then. */
static int count_fields(lua_State *L, int table) {
  int count = 0;
  lua_pushnil(L);
  for (; lua_next(L, table); count++)
    lua_pop(L, 1);
  return count;
}

/* Return the environment in the option `env`; NULL: ours. Pushes up to three
 * values that keep it. */
static char **push_environment(lua_State *L, int arg) {
  int type = lua_getfield(L, arg, "env");
  if (type == LUA_TNIL)
    return NULL;
  if (type != LUA_TTABLE)
    aw_lua_bad_option(L, "env", "table");
  int env = lua_gettop(L);
  int most = count_fields(L, env);
  char **list = lua_newuserdatauv(L, ((size_t)most + 1) * sizeof(char *), 0);
  lua_newtable(L);
  int count = 0;
  lua_pushnil(L);
  while (count < most && lua_next(L, env)) {
    list[count] = add_variable(L, env + 2, count + 1);
    count++;
  }
  qsort(list, (size_t)count, sizeof(char *), by_bytes);
  list[count] = NULL;
  return list;
}

/* ---- a child to start ---- */

typedef struct spawning {
  int at; /* index of the table of options, an argument of the user's call */
  awio_program plan;
  uint64_t grace_ms;
  awio_redirect files[3];
  const awio_redirect *refused; /* the file that could not be opened, or NULL */
  bool terminal;                /* the child gets a terminal of its own */
  int rows, columns;            /* the size of that terminal */
  awio_limits limits;           /* 0: the default */
  awio_stream **streams[3];     /* userdata of our Streams; NULL: none */
  int mine[3], theirs[3]; /* descriptors for us and for the child; -1: none */
} spawning;

/* Return the option `grace` in ms. The default is 2 s, but at most half of the
 * loop's grace. */
static uint64_t check_grace(lua_State *L, int at) {
  enum { USUAL_MS = 2000, MS = 1000000 };
  uint64_t ns = aw_lua_opt_ns(L, at, "grace", AW_DEFAULT);
  if (ns != AW_DEFAULT)
    return ns / MS;
  if (!aw_lua_may_await(L))
    return USUAL_MS;
  aw_task *task = aw_lua_task(L, "spawn");
  uint64_t half = aw_loop_grace(aw_task_loop(task)) / MS / 2;
  return half < USUAL_MS ? half : USUAL_MS;
}

/* Return the option rows or cols of the terminal. */
static int check_size(lua_State *L, const spawning *sp, const char *name,
                      int usual) {
  enum { MOST = 65535 };
  int is_integer = lua_getfield(L, sp->at, name) == LUA_TNIL;
  if (!is_integer && !sp->terminal)
    aw_lua_error(L, "bad option '%s' (without 'pty')", name);
  lua_Integer size = is_integer ? usual : lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || size < 1 || size > MOST)
    aw_lua_error(L, "bad option '%s' (integer from 1 to %d expected)", name,
                 MOST);
  lua_pop(L, 1);
  return (int)size;
}

/* Read the options for standard files. With `pty`, files that are not given
 * lead to the terminal. */
static void check_files(lua_State *L, spawning *sp) {
  enum { ROWS = 24, COLUMNS = 80 };
  sp->terminal = aw_lua_opt_flag(L, sp->at, "pty", false);
  sp->rows = check_size(L, sp, "rows", ROWS);
  sp->columns = check_size(L, sp, "cols", COLUMNS);
  awio_check_redirects(L, sp->at, sp->terminal ? AWIO_TERMINAL : AWIO_PIPE,
                       sp->files);
  bool used = false;
  for (int i = 0; i < 3; i++)
    used = used || sp->files[i].outlet == AWIO_TERMINAL;
  if (sp->terminal && !used)
    aw_lua_error(L, "bad option 'pty' (stdin, stdout and stderr all lead "
                    "elsewhere)");
}

static void check_options(lua_State *L, spawning *sp) {
  aw_lua_check_options(L, sp->at, names + OF_EXEC, true);
  check_files(L, sp);
  sp->limits = (awio_limits){0, 0, 0};
  awio_check_limits(L, sp->at, &sp->limits);
  sp->plan.detached = aw_lua_opt_flag(L, sp->at, "detach", false);
  if (sp->plan.detached && sp->terminal)
    aw_lua_error(L, "bad option 'detach' (a terminal ends with its other side: "
                    "not together with 'pty')");
  sp->plan.group = aw_lua_opt_flag(L, sp->at, "group", false);
  sp->grace_ms = check_grace(L, sp->at);
  int type = lua_getfield(L, sp->at, "cwd");
  if (type != LUA_TNIL && type != LUA_TSTRING)
    aw_lua_bad_option(L, "cwd", "string");
  sp->plan.folder = type == LUA_TNIL ? NULL : check_text(L, -1, "cwd");
  sp->plan.arguments = push_child_arguments(L, sp->at);
  sp->plan.command = sp->plan.arguments[0];
  sp->plan.environment = push_environment(L, sp->at);
}

/* Do we have a stream for descriptor `i` of the child? If stdout and stderr
 * both lead to the terminal, one stream reads the output of both. */
static bool has_stream(const spawning *sp, int i) {
  const awio_redirect *files = sp->files;
  if (files[i].outlet == AWIO_TERMINAL)
    return i != 2 || files[1].outlet != AWIO_TERMINAL;
  return files[i].outlet == AWIO_PIPE;
}

/* Push a Process with its Streams, all of them still empty. */
static awio_process **push_process(lua_State *L, spawning *sp) {
  awio_process **box = awio_push_process(L);
  int object = lua_gettop(L);
  lua_createtable(L, 0, 3);
  for (int i = 0; i < 3; i++) {
    sp->streams[i] = NULL;
    if (!has_stream(sp, i))
      continue;
    sp->streams[i] = awio_push_stream(L, object);
    lua_setfield(L, -2, awio_file_names[i]);
  }
  lua_setiuservalue(L, object, 1);
  return box;
}

static void close_ends(int ends[3]) {
  for (int i = 0; i < 3; i++)
    if (ends[i] >= 0)
      close(ends[i]);
}

/* Open a pipe for descriptor `i` of the child. Only our end is non-blocking. */
static int open_pipe(spawning *sp, int i) {
  int ends[2];
  int rc = uv_pipe(ends, i == 0 ? 0 : UV_NONBLOCK_PIPE,
                   i == 0 ? UV_NONBLOCK_PIPE : 0);
  if (rc < 0)
    return rc;
  int reader = awio_above_standard(ends[0]);
  int writer = awio_above_standard(ends[1]);
  sp->mine[i] = i == 0 ? writer : reader;
  sp->theirs[i] = i == 0 ? reader : writer;
  return reader < 0 ? reader : writer < 0 ? writer : 0;
}

/* Open a terminal. Each of our streams gets its own descriptor of the master,
 * so each can be closed alone. The terminal hangs up when the last is closed.
 * */
static int open_terminal(spawning *sp, awio_pty *pty) {
  int rc = awio_pty_open(pty, sp->rows, sp->columns);
  if (rc < 0)
    return rc;
  sp->plan.terminal = pty->path;
  sp->plan.terminal_fd = pty->slave;
  int master = pty->master;
  for (int i = 0; i < 3 && rc == 0; i++) {
    if (!sp->streams[i] || sp->files[i].outlet != AWIO_TERMINAL)
      continue;
    sp->mine[i] = awio_copy(master);
    rc = sp->mine[i] < 0 ? sp->mine[i] : 0;
  }
  close(master);
  return rc;
}

/* Open the file for descriptor `i` of the child, and store its descriptor in
 * `out`; -1 stands for /dev/null. */
static int open_child_file(spawning *sp, int i, int *out) {
  awio_redirect *file = &sp->files[i];
  int rc = 0;
  switch (file->outlet) {
  case AWIO_PIPE:
    rc = open_pipe(sp, i);
    *out = sp->theirs[i];
    break;
  case AWIO_INHERIT:
    awio_stdio_hand_over(i);
    *out = i;
    break;
  case AWIO_NOWHERE: *out = -1; break;
  case AWIO_AS_STDOUT: *out = sp->plan.files[1]; break;
  case AWIO_TERMINAL: *out = sp->plan.terminal_fd; break;
  case AWIO_PATH:
  case AWIO_GIVEN:
    rc = awio_redirect_open(file);
    sp->refused = rc < 0 ? file : NULL;
    *out = sp->theirs[i] = rc;
  }
  return rc < 0 ? rc : 0;
}

static int open_files(spawning *sp, awio_pty *pty) {
  int rc = sp->terminal ? open_terminal(sp, pty) : 0;
  for (int i = 0; i < 3 && rc == 0; i++)
    rc = open_child_file(sp, i, &sp->plan.files[i]);
  sp->plan.shares_output =
      sp->files[1].ours || sp->files[1].outlet == AWIO_INHERIT;
  return rc;
}

/* Open all files and start the child. Does not raise. */
static int start_child(aw_engine *engine, spawning *sp, awio_process **out) {
  for (int i = 0; i < 3; i++)
    sp->mine[i] = sp->theirs[i] = -1;
  awio_pty pty = {-1, -1, ""};
  int rc = open_files(sp, &pty);
  if (rc == 0) {
    unsigned held = awio_hold_standard_files();
    rc = awio_process_start(engine, &sp->plan, sp->grace_ms, out);
    awio_release_standard_files(held);
  }
  close_ends(sp->theirs);
  if (pty.slave >= 0)
    close(pty.slave);
  if (rc < 0)
    close_ends(sp->mine);
  for (int i = 0; i < 3; i++)
    awio_redirect_done(&sp->files[i], rc == 0, engine);
  return rc;
}

static void set_limits(awio_stream *s, const awio_limits *limits) {
  if (limits->max_line)
    s->limits.max_line = limits->max_line;
  if (limits->high_water)
    s->limits.high_water = limits->high_water;
  if (limits->max_output)
    s->limits.max_output = limits->max_output;
}

/* Make our streams and put them into their userdata; false: out of memory. */
static bool make_streams(lua_State *L, spawning *sp, const awio_process *p) {
  bool made = true;
  for (int i = 0; i < 3; i++) {
    if (!sp->streams[i])
      continue;
    char name[sizeof p->name + 16];
    strcpy(name, awio_file_names[i]);
    strcat(name, " of ");
    strcat(name, p->name);
    awio_stream *s = awio_stream_new(sp->mine[i], i != 0, i == 0, name);
    awio_fill_stream(L, sp->streams[i], s);
    if (s) {
      set_limits(s, &sp->limits);
      s->terminal = sp->files[i].outlet == AWIO_TERMINAL;
      s->types = s->terminal && i == 0;
    }
    made = made && s;
  }
  return made;
}

/* Is the command one string with spaces, as for a shell? */
static bool is_line(const awio_program *plan) {
  return !plan->arguments[1] && strchr(plan->command, ' ');
}

/* Raise the error of a failed start. The kernel does not tell whether the
 * folder or the program was at fault, so look at the folder. */
static int raise_spawn_failure(lua_State *L, const spawning *sp, int rc) {
  if (rc == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  if (sp->refused)
    return awio_redirect_raise(L, sp->refused, rc);
  struct stat folder;
  const char *path = sp->plan.folder;
  if (path && (rc == UV_ENOENT || rc == UV_ENOTDIR || rc == UV_EACCES) &&
      (stat(path, &folder) < 0 || !S_ISDIR(folder.st_mode) ||
       access(path, X_OK) < 0))
    return aw_lua_system_error(L, rc, "chdir", path);
  aw_lua_push_system_error(L, rc, "spawn", sp->plan.command);
  if (rc == UV_ENOENT && is_line(&sp->plan)) {
    lua_getfield(L, -1, "message");
    lua_pushliteral(L, "; each argument is a word of its own, no shell reads "
                       "the line");
    lua_concat(L, 2);
    lua_setfield(L, -2, "message");
  }
  return lua_error(L);
}

/* Return a file for the child that is being written or read, with its Stream on
 * top of the stack; NULL: there is none. */
static awio_stream *push_busy_file(lua_State *L, const spawning *sp) {
  for (int i = 0; i < 3; i++) {
    awio_stream *s = awio_redirect_busy(&sp->files[i]);
    if (!s)
      continue;
    lua_getfield(L, sp->at, awio_file_names[i]);
    return awio_to_stream(L, -1) == sp->files[i].stream ? s : NULL;
  }
  return NULL;
}

/* [options] */
static int spawn_on(lua_State *L, int result, void *data) {
  (void)data;
  lua_settop(L, 1);
  luaL_checkstack(L, 32, NULL);
  spawning sp = {.at = 1};
  check_options(L, &sp);
  awio_stream *busy =
      result == 0 && aw_lua_may_await(L) ? push_busy_file(L, &sp) : NULL;
  if (busy)
    return aw_lua_await(
        L, busy->large ? &awio_wait_flushed : &awio_wait_flush_disk, busy,
        "spawn", spawn_on);
  aw_engine *engine = aw_lua_engine(L);
  awio_process **box = push_process(L, &sp);
  awio_process *p;
  int rc = start_child(engine, &sp, &p);
  if (rc != 0)
    return raise_spawn_failure(L, &sp, rc);
  awio_fill_process(L, box, p);
  if (!make_streams(L, &sp, p))
    return luaL_error(L, "not enough memory"); /* __gc ends the child */
  return 1;
}

/* aw.spawn(command, …) or aw.spawn{command, …, options} → Process */
static int m_spawn(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) {
    int count = lua_gettop(L);
    lua_createtable(L, count, 0);
    lua_insert(L, 1);
    for (int i = count; i >= 1; i--)
      lua_rawseti(L, 1, i);
  }
  lua_settop(L, 1);
  return spawn_on(L, 0, NULL);
}

/* For a function with the arguments options and arg: let the options stand at
 * the index `arg`, which is 1 by default. Errors name an argument of the user's
 * call by its index here. Returns the index, which is the top. */
static int place_options(lua_State *L) {
  int at = lua_isnoneornil(L, 2) ? 1 : (int)lua_tointeger(L, 2);
  luaL_checkstack(L, at + 32, NULL);
  lua_settop(L, 1);
  lua_settop(L, at);
  lua_pushvalue(L, 1);
  lua_replace(L, at);
  return at;
}

/* command_of(given [, arg]) → a new table with the words and options of
 * `given`, also inherited options */
static int inner_command_of(lua_State *L) {
  int at = place_options(L);
  aw_lua_check_options(L, at, names, true);
  lua_Integer words = (lua_Integer)lua_rawlen(L, at);
  lua_newtable(L);
  for (lua_Integer i = 1; i <= words; i++) {
    lua_rawgeti(L, at, i);
    lua_rawseti(L, -2, i);
  }
  for (size_t i = 0; names[i]; i++) {
    lua_getfield(L, at, names[i]);
    lua_setfield(L, -2, names[i]);
  }
  return 1;
}

/* check_spawn(options [, arg]): raise the errors that spawn() would raise for
 * its options */
static int inner_check_spawn(lua_State *L) {
  spawning sp = {.at = place_options(L)};
  check_options(L, &sp);
  return 0;
}

void awio_open_spawn(lua_State *L) {
  static const luaL_Reg inner[] = {{"command_of", inner_command_of},
                                   {"check_spawn", inner_check_spawn},
                                   {NULL, NULL}};
  aw_lua_push_function(L, m_spawn, 0, "spawn");
  lua_setfield(L, -2, "spawn");
  awio_add_inner(L, inner);
}
