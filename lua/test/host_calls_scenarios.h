/* host_calls_scenarios.h - what the program of host_calls_test.c does
 *
 * `typed` are the texts that are typed at its prompts, one at each.
 */
#ifndef HOST_CALLS_SCENARIOS_H
#define HOST_CALLS_SCENARIOS_H

typedef struct host_scenario {
  const char *name;
  const char *argv[8];  /* the command */
  const char *typed[8]; /* one text at each prompt */
  const char *input;    /* a file to read in the place of the terminal */
  const char *shown;    /* what is on the terminal at the end … */
  int status;           /* … and the exit status, if no call fails */
  int entries;          /* of the history file at the start */
  bool dumb;            /* the terminal cannot move its cursor */
} host_scenario;

static const host_scenario scenarios[] = {
    {.name = "script", .argv = {"aiowire", "s.lua"}, .shown = "42"},
    {.name = "option",
     .argv = {"aiowire", "--unknown"},
     .shown = "'--unknown'",
     .status = 2},
    {.name = "check",
     .argv = {"aiowire", "--check", "bad.lua"},
     .shown = "bad.lua",
     .status = 1},
    {.name = "error",
     .argv = {"aiowire", "-e", "error 'bad'"},
     .shown = "bad",
     .status = 1},
    {.name = "warning",
     .argv = {"aiowire", "-W", "-e", "warn('one', 'two')"},
     .shown = "onetwo"},
    {.name = "limits",
     .argv = {"aiowire", "--stats", "--timeout=90", "s.lua"},
     .shown = "tasks "},
    {.name = "thread",
     .argv = {"aiowire", "-e",
              "print(aw.thread(function() return 6 * 7 end):wait())"},
     .shown = "42"},
    {.name = "prompt",
     .argv = {"aiowire"},
     .typed = {"6 * 7\r", "for i = 1, 2 do\r", "end\r", ".exit\r"},
     .shown = "42"},
    {.name = "completion",
     .argv = {"aiowire"},
     .typed = {"print(aw.n\t)\r", "string.\t\025\r", ".load \t\025\r",
               "\t6 * 7\r", ".exit\r"},
     .shown = "42"},
    {.name = "output",
     .argv = {"aiowire", "-i", "-e", "_PROMPT = '\\27[1mä日\\27[0m> '"},
     .typed = {"aw.start(function() print 'above' out = 'it' end) and nil\r",
               "repeat aw.sleep(0) until out\r", "6 * 7\r", ".exit\r"},
     .shown = "above"},
    {.name = "history",
     .argv = {"aiowire"},
     .typed = {"\020\025'x'\r", "6 * 7\r", ".exit\r"},
     .shown = "42",
     .entries = 2100},
    {.name = "dumb",
     .argv = {"aiowire"},
     .typed = {"6 * 7\r", ".exit\r"},
     .shown = "42",
     .dumb = true},
    {.name = "lines",
     .argv = {"aiowire", "-i"},
     .input = "lines",
     .shown = "42"},
};

#endif
