/* libedit.h - the library libedit, opened at run time
 *
 * The build needs no histedit.h: what the editor uses is declared here, with
 * the values of libedit 3.1-20221030 (histedit.h 2.11). libedit has only ever
 * appended to its numbers. editor_libedit_spec.lua compares them with the
 * histedit.h that is installed.
 *
 * Only functions with wchar_t are used: with these, all versions since 2010
 * call the function of HOST_EL_GETCFN with a wchar_t *.
 */
#ifndef HOST_LIBEDIT_H
#define HOST_LIBEDIT_H

#include <stddef.h>
#include <stdio.h>

/* In histedit.h the prefix is EL_. */
enum {
  HOST_EL_EDITOR = 2,
  HOST_EL_BIND = 4,
  HOST_EL_ADDFN = 9,
  HOST_EL_HIST = 10,
  HOST_EL_EDITMODE = 11,
  HOST_EL_GETCFN = 13,
  HOST_EL_CLIENTDATA = 14,
  HOST_EL_PREP_TERM = 16,
  HOST_EL_GETTC = 17,
  HOST_EL_REFRESH = 20,
  HOST_EL_PROMPT_ESC = 21
};

/* In histedit.h the prefix is CC_. */
enum { HOST_CC_NORM = 0, HOST_CC_REFRESH = 4, HOST_CC_ERROR = 6 };

/* In histedit.h the prefix is H_. */
enum { HOST_H_SETSIZE = 1, HOST_H_ENTER = 10 };

/* LineInfoW */
typedef struct host_line_info {
  const wchar_t *buffer;
  const wchar_t *cursor;
  const wchar_t *end;
} host_line_info;

/* HistEventW */
typedef struct host_history_event {
  int number;
  const wchar_t *text;
} host_history_event;

/* EditLine * is a void * here, as is HistoryW *. */
typedef struct host_libedit {
  void *(*init)(const char *program, FILE *in, FILE *out, FILE *err);
  void (*end)(void *el);
  void (*reset)(void *el);
  void (*resize)(void *el);
  const wchar_t *(*wgets)(void *el, int *count);
  int (*wset)(void *el, int op, ...);
  int (*get)(void *el, int op, ...);
  int (*source)(void *el, const char *path);
  const host_line_info *(*wline)(void *el);
  int (*winsertstr)(void *el, const wchar_t *text);
  void (*deletestr)(void *el, int count);
  void *(*history_winit)(void);
  void (*history_wend)(void *history);
  int (*history_w)(void *history, host_history_event *event, int op, ...);
} host_libedit;

/* The functions, or NULL if there is no libedit. */
const host_libedit *host_libedit_load(void);

#endif
