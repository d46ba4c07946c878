/* glob.c - aw.fs.glob: the files whose paths match a pattern
 *
 *     pattern ─ braces ─► patterns ─ walk() for each ─► found, sorted, unique
 *
 * walk() has a prefix in `path`, which is empty or ends with "/", and the rest
 * of a pattern. It matches the first name of the rest in the folder of the
 * prefix, and calls itself with what is left. A folder is read as a whole and
 * closed before that, so a deep tree takes one descriptor. The path has at most
 * PATH_MAX bytes, which limits the depth.
 *
 * Folders that are not there, or that we may not read, have no matches. Other
 * failures, such as a lack of descriptors, are errors: a list that lacks some
 * files would be worse.
 */
#include "base/job.h"
#include "file/entries.h"
#include "file/match.h"
#include "io.h"

#include <uv.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct globbing {
  awio_job job;
  awio_entries patterns; /* without braces */
  awio_entries found;
  size_t seen;        /* of `found`, while they are pushed */
  lua_Integer pushed; /* without those that are there twice */
  char path[PATH_MAX];
} globbing;

/* ---- braces ---- */

/* Return the "}" of the "{" at `open`, or NULL. Counts the commas between its
 * alternatives. */
static const char *brace_end(const char *open, size_t *commas) {
  int depth = 0;
  *commas = 0;
  for (const char *at = open; *at; at++) {
    if (*at == '\\' && at[1])
      at++;
    else if (*at == '{')
      depth++;
    else if (*at == ',' && depth == 1)
      ++*commas;
    else if (*at == '}' && --depth == 0)
      return at;
  }
  return NULL;
}

/* Return the first "{" that has alternatives, and its "}"; or NULL. */
static const char *find_brace(const char *pattern, const char **close) {
  for (const char *at = pattern; *at; at++) {
    size_t commas;
    if (*at == '\\' && at[1])
      at++;
    else if (*at == '{' && (*close = brace_end(at, &commas)) && commas > 0)
      return at;
  }
  return NULL;
}

/* Return the end of the alternative that begins at `at`. */
static const char *alternative_end(const char *at) {
  for (int depth = 0;; at++) {
    if (*at == '\\')
      at++;
    else if (*at == '{')
      depth++;
    else if (depth == 0 && (*at == ',' || *at == '}'))
      return at;
    else if (*at == '}')
      depth--;
  }
}

static int expand(globbing *g, const char *pattern);

/* Expand the pattern with one of its alternatives in the place of all. */
static int expand_with(globbing *g, const char *pattern, const char *open,
                       const char *at, const char *end, const char *close) {
  size_t before = (size_t)(open - pattern), size = (size_t)(end - at);
  size_t after = strlen(close + 1) + 1;
  char *one = malloc(before + size + after);
  if (!one)
    return AW_ENOMEM;
  memcpy(one, pattern, before);
  memcpy(one + before, at, size);
  memcpy(one + before + size, close + 1, after);
  int rc = expand(g, one);
  free(one);
  return rc;
}

static int expand(globbing *g, const char *pattern) {
  enum { MOST = 10000 };
  if (awio_job_unwanted(&g->job))
    return AW_ECANCELED;
  const char *close, *open = find_brace(pattern, &close);
  if (!open && g->patterns.count == MOST)
    return UV_E2BIG;
  if (!open)
    return awio_entries_add(&g->patterns, pattern, 0);
  const char *end = open;
  int rc = 0;
  while (rc == 0 && end < close) {
    const char *at = end + 1;
    end = alternative_end(at);
    rc = expand_with(g, pattern, open, at, end, close);
  }
  return rc;
}

/* ---- folders ---- */

/* Append to the path; returns its length, or 0 if it is too long. */
static size_t append_name(globbing *g, size_t length, const char *name,
                          size_t size) {
  if (size >= sizeof g->path - length)
    return 0;
  memcpy(g->path + length, name, size);
  g->path[length + size] = '\0';
  return length + size;
}

static int add_found(globbing *g) {
  return awio_entries_add(&g->found, g->path, 0);
}

/* Read the folder of the first `length` bytes of the path. */
static int read_into(globbing *g, size_t length, awio_entries *out) {
  *out = (awio_entries){0};
  if (awio_job_unwanted(&g->job))
    return AW_ECANCELED;
  g->path[length] = '\0';
  int rc = awio_entries_read(out, length > 0 ? g->path : ".");
  switch (rc) {
  case -ENOENT:
  case -ENOTDIR:
  case -EACCES:
  case -EPERM:
  case -ELOOP:
  case -ENAMETOOLONG: return 0;
  default: return rc;
  }
}

/* The frames of walk() are many, and have no room for a struct stat. */
typedef int (*look)(const char *path, struct stat *info);

static bool looks_like(const globbing *g, look f, mode_t type) {
  struct stat info;
  return f(g->path, &info) == 0 &&
         (type == 0 || (info.st_mode & S_IFMT) == type);
}

static int walk(globbing *g, size_t length, const char *pattern);

/* What to do with each name in a folder. `length` is that of the path with the
 * name. */
typedef int (*visit)(globbing *g, size_t length, const awio_entry *entry,
                     const char *pattern);

static int visit_folder(globbing *g, size_t length, const char *pattern,
                        visit f) {
  awio_entries entries;
  int rc = read_into(g, length, &entries);
  for (size_t i = 0; i < entries.count && rc == 0; i++) {
    const char *name = entries.list[i].name;
    size_t now = append_name(g, length, name, strlen(name));
    if (now > 0)
      rc = f(g, now, &entries.list[i], pattern);
  }
  awio_entries_free(&entries);
  return rc;
}

static int walk_into(globbing *g, size_t length, const char *pattern) {
  length = append_name(g, length, "/", 1);
  return length > 0 ? walk(g, length, pattern) : 0;
}

/* `pattern` begins with the pattern that the name must match. */
static int visit_match(globbing *g, size_t length, const awio_entry *entry,
                       const char *pattern) {
  size_t size = strcspn(pattern, "/");
  if (!awio_match(pattern, size, entry->name))
    return 0;
  if (!pattern[size])
    return add_found(g);
  bool folder =
      entry->type == 0 || S_ISDIR(entry->type) || S_ISLNK(entry->type);
  return folder ? walk_into(g, length, pattern + size) : 0;
}

/* `pattern` begins with `**`. Links to folders are not followed, since they
 * could lead back. */
static int visit_below(globbing *g, size_t length, const awio_entry *entry,
                       const char *pattern) {
  if (entry->name[0] == '.')
    return 0;
  int rc = pattern[2] ? 0 : add_found(g);
  bool folder =
      entry->type != 0 ? S_ISDIR(entry->type) : looks_like(g, lstat, S_IFDIR);
  return rc == 0 && folder ? walk_into(g, length, pattern) : rc;
}

static int walk_below(globbing *g, size_t length, const char *pattern) {
  while (strncmp(pattern, "**/**", 5) == 0 &&
         (pattern[5] == '/' || !pattern[5]))
    pattern += 3;
  int rc = pattern[2] ? walk(g, length, pattern + 2) : 0;
  return rc == 0 ? visit_folder(g, length, pattern, visit_below) : rc;
}

/* The next name of the pattern stands for itself. */
static int walk_plain(globbing *g, size_t length, const char *pattern,
                      size_t size) {
  if (size >= sizeof g->path - length)
    return 0;
  length += awio_match_plain(pattern, size, g->path + length);
  g->path[length] = '\0';
  if (pattern[size])
    return walk_into(g, length, pattern + size);
  return looks_like(g, lstat, 0) ? add_found(g) : 0;
}

/* `pattern` may begin with slashes. */
static int walk(globbing *g, size_t length, const char *pattern) {
  pattern += strspn(pattern, "/");
  size_t size = strcspn(pattern, "/");
  g->path[length] = '\0';
  if (size == 0) /* the pattern ends with a slash */
    return looks_like(g, stat, 0) ? add_found(g) : 0;
  if (size == 2 && pattern[0] == '*' && pattern[1] == '*')
    return walk_below(g, length, pattern);
  if (awio_match_is_plain(pattern, size))
    return walk_plain(g, length, pattern, size);
  return visit_folder(g, length, pattern, visit_match);
}

/* ---- for Lua ---- */

static int glob_all(globbing *g) {
  const char *pattern = g->job.path;
  if (strlen(pattern) >= sizeof g->path)
    return UV_ENAMETOOLONG;
  int rc = expand(g, pattern);
  for (size_t i = 0; i < g->patterns.count && rc == 0; i++) {
    const char *one = g->patterns.list[i].name;
    if (*one)
      rc = walk(g, append_name(g, 0, one, *one == '/'), one);
  }
  return rc;
}

static void run_glob(awio_job *job) {
  globbing *g = (globbing *)job;
  job->work.result = glob_all(g);
  if (job->work.result == 0)
    awio_entries_sort(&g->found);
}

/* Alternatives in braces may find a file twice. */
static bool is_again(const globbing *g, size_t i) {
  const awio_entry *found = g->found.list;
  return i > 0 && strcmp(found[i].name, found[i - 1].name) == 0;
}

static int push_glob(lua_State *L, awio_job *job) {
  globbing *g = (globbing *)job;
  if (g->seen == 0)
    lua_createtable(L, (int)g->found.count, 0);
  for (int i = 0; i < AWIO_JOB_PIECE && g->seen < g->found.count; i++) {
    size_t now = g->seen++;
    if (is_again(g, now))
      continue;
    lua_pushstring(L, g->found.list[now].name);
    lua_rawseti(L, -2, ++g->pushed);
  }
  return g->seen < g->found.count ? AWIO_JOB_MORE : 1;
}

static void dispose_glob(awio_job *job) {
  globbing *g = (globbing *)job;
  awio_entries_free(&g->patterns);
  awio_entries_free(&g->found);
}

static const awio_job_kind glob_kind = {.call = "glob",
                                        .operation = AWIO_JOB_READS("fs.glob"),
                                        .run = run_glob,
                                        .push = push_glob,
                                        .dispose = dispose_glob};

/* aw.fs.glob(pattern) → list of paths */
static int fs_glob(lua_State *L) {
  lua_settop(L, 1);
  awio_job_new(L, &glob_kind, sizeof(globbing), 1);
  return awio_job_await(L);
}

void awio_open_glob(lua_State *L) {
  aw_lua_push_function(L, fs_glob, 0, "glob");
  lua_setfield(L, -3, "fs_glob");
}
