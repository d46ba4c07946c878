/* top.c - the terminal of --top, as the table `term` of top.lua
 *
 *   main ─► host_top_push ─► a main chunk: top.lua, run(term, pid)
 *                                            │ enter, read, write, leave
 *                                            ▼
 *                     terminal.c: modes and signals; a pipe for news
 *
 * The terminal is opened once more, without blocking: other processes share
 * the open file of descriptor 0, and would see its flags. Writes to it may be
 * cut short, and a slow terminal delays nothing else.
 *
 * While the screen is shown, Ctrl-C and Ctrl-Z are signals as ever. Whatever
 * stops or ends the process gives modes and screen back first; see terminal.c.
 *
 * Invariant: `shown` is true from a successful term.enter() to term.leave();
 * the descriptors are open in that time only. One screen at a time in a
 * process, as it has one terminal.
 */
#define _DEFAULT_SOURCE /* cfmakeraw() */

#include "top/top.h"

#include "state/parts.h"
#include "terminal/layout.h"
#include "terminal/style.h"
#include "terminal/terminal.h"

#include <lauxlib.h>

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* The alternate screen, no cursor, no wrap; and back. */
static const char ENTER[] = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J";
static const char LEAVE[] = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

static struct {
  bool shown;
  int terminal; /* of this process only, without blocking */
  int news[2];  /* a pipe: a byte when the size changes, or after a stop */
  host_size size;
} top;

/* ── modes ───────────────────────────────────────────────────────────────── */

/* Read keys one by one. Signals stay but for Ctrl-\: a dump would go into the
 * picture. */
static bool set_raw_modes(void) {
  struct termios modes;
  int rc;
  if (tcgetattr(STDIN_FILENO, &modes) < 0)
    return false;
  cfmakeraw(&modes);
  modes.c_lflag |= ISIG;
  modes.c_oflag |= OPOST;
  modes.c_cc[VQUIT] = _POSIX_VDISABLE;
  modes.c_cc[VMIN] = 1;
  modes.c_cc[VTIME] = 0;
  do
    rc = tcsetattr(STDIN_FILENO, TCSANOW, &modes);
  while (rc < 0 && errno == EINTR);
  return rc == 0;
}

/* ── opening ─────────────────────────────────────────────────────────────── */

static int open_own_terminal(void) {
  char name[128] = "";
  int fd = -1;
  if (ttyname_r(STDIN_FILENO, name, sizeof name) == 0)
    fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) /* as after su: the path is not ours */
    fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  return fd;
}

static bool open_news(void) {
  if (pipe(top.news) < 0)
    return false;
  for (int i = 0; i < 2; i++)
    if (fcntl(top.news[i], F_SETFL, O_NONBLOCK) < 0 ||
        fcntl(top.news[i], F_SETFD, FD_CLOEXEC) < 0) {
      close(top.news[0]);
      close(top.news[1]);
      return false;
    }
  return true;
}

/* term.enter() */
static int term_enter(lua_State *L) {
  if (top.shown)
    return luaL_error(L, "the terminal is in use");
  top.terminal = open_own_terminal();
  if (top.terminal < 0)
    return luaL_error(L, "cannot open the terminal: %s", strerror(errno));
  if (!open_news()) {
    int saved = errno;
    close(top.terminal);
    return luaL_error(L, "cannot make a pipe: %s", strerror(saved));
  }
  top.shown = true;
  host_terminal_show(top.terminal, LEAVE);
  host_terminal_enter(top.news[1]);
  bool is_raw = set_raw_modes();
  host_write_soon(top.terminal, ENTER);
  top.size = host_size_of(top.terminal);
  if (!is_raw)
    return luaL_error(L, "cannot set the modes of the terminal");
  lua_pushinteger(L, top.terminal);
  lua_pushinteger(L, top.news[0]);
  return 2;
}

/* term.leave() */
static int term_leave(lua_State *L) {
  (void)L;
  if (!top.shown)
    return 0;
  host_terminal_leave();
  close(top.terminal);
  close(top.news[0]);
  close(top.news[1]);
  top.shown = false;
  return 0;
}

/* term.resume() */
static int term_resume(lua_State *L) {
  char bytes[64];
  while (read(top.news[0], bytes, sizeof bytes) > 0)
    continue;
  host_size before = top.size;
  top.size = host_size_of(top.terminal);
  bool stopped = host_terminal_was_stopped();
  if (stopped) {
    set_raw_modes();
    host_write_soon(top.terminal, ENTER);
  }
  lua_pushboolean(L, stopped || before.rows != top.size.rows ||
                         before.columns != top.size.columns);
  return 1;
}

/* ── input and output ────────────────────────────────────────────────────── */

/* term.read() */
static int term_read_keys(lua_State *L) {
  char bytes[1024];
  ssize_t count = read(top.terminal, bytes, sizeof bytes);
  if (count > 0)
    lua_pushlstring(L, bytes, (size_t)count);
  else if (count < 0 && (errno == EAGAIN || errno == EINTR))
    lua_pushliteral(L, "");
  else
    lua_pushnil(L);
  return 1;
}

/* term.write(text, from) */
static int term_write_screen(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  size_t from = (size_t)luaL_checkinteger(L, 2);
  luaL_argcheck(L, from <= size, 2, "behind the text");
  ssize_t count = write(top.terminal, text + from, size - from);
  if (count >= 0)
    lua_pushinteger(L, (lua_Integer)count);
  else if (errno == EAGAIN || errno == EINTR)
    lua_pushinteger(L, 0);
  else
    lua_pushnil(L);
  return 1;
}

/* term.size() */
static int term_size(lua_State *L) {
  host_size size = top.shown ? top.size : host_size_of(STDOUT_FILENO);
  lua_pushinteger(L, size.rows);
  lua_pushinteger(L, size.columns);
  return 2;
}

static int term_fail_line(lua_State *L) {
  host_style_print(STDERR_FILENO, HOST_STYLE_ERROR, luaL_checkstring(L, 1));
  return 0;
}

static int term_note_line(lua_State *L) {
  host_style_print(STDERR_FILENO, HOST_STYLE_NOTE, luaL_checkstring(L, 1));
  return 0;
}

/* ── the table `term` ────────────────────────────────────────────────────── */

/* Does the terminal show ASCII only? */
static bool is_ascii(void) {
  locale_t own = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
  bool is_utf8 = own && strcmp(nl_langinfo_l(CODESET, own), "UTF-8") == 0;
  if (own)
    freelocale(own);
  return !is_utf8;
}

static void set_code(lua_State *L, const char *style, const char *code) {
  if (code[0]) {
    lua_pushstring(L, code);
    lua_setfield(L, -2, style);
  }
}

/* Push the codes of styles. Without colors, only a screen has some: those that
 * show which row is selected. */
static void push_codes(lua_State *L, bool is_screen) {
  static const char *const states[] = {"waiting", "running",   "ready",
                                       "failed",  "cancelled", NULL};
  lua_newtable(L);
  if (is_screen) {
    set_code(L, "title", "7");
    set_code(L, "selected", "7");
  }
  if (!host_style_is_on(STDOUT_FILENO))
    return;
  for (int i = 0; states[i]; i++)
    set_code(L, states[i], host_style_state_code(states[i]));
  set_code(L, "head", "1");
  set_code(L, "warning", host_style_state_code("failed"));
}

static const luaL_Reg top_functions[] = {{"enter", term_enter},
                                         {"leave", term_leave},
                                         {"resume", term_resume},
                                         {"read", term_read_keys},
                                         {"write", term_write_screen},
                                         {"size", term_size},
                                         {"fail", term_fail_line},
                                         {"note", term_note_line},
                                         {NULL, NULL}};

int host_top_push(lua_State *L, const char *pid) {
  bool interactive = pid && host_terminal_is_usable();
  if (interactive)
    host_terminal_prepare();
  host_push_part(L, "host.top.top");
  lua_getfield(L, -1, "run");
  lua_remove(L, -2);
  luaL_newlib(L, top_functions);
  lua_pushboolean(L, interactive);
  lua_setfield(L, -2, "interactive");
  lua_pushboolean(L, is_ascii());
  lua_setfield(L, -2, "ascii");
  push_codes(L, interactive);
  lua_setfield(L, -2, "codes");
  lua_pushstring(L, pid);
  return 2;
}
