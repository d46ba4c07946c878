/* preloaded.h - for libraries of specs in LD_PRELOAD: calls of the C library,
 * and threads that cannot be made
 *
 * Define _GNU_SOURCE before this.
 */
#ifndef PRELOADED_H
#define PRELOADED_H

#include <aiowire.h>

#include <lauxlib.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* No thread can be made. */
static atomic_bool refuses;

/* Store the function of the C library in `out`, a pointer to it. */
static void find(const char *name, void *out) {
  void *symbol = dlsym(RTLD_NEXT, name);
  memcpy(out, &symbol, sizeof symbol);
}

AW_API int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *data);

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*run)(void *), void *data) {
  int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  find("pthread_create", &next);
  return atomic_load(&refuses) ? EAGAIN : next(thread, attributes, run, data);
}

/* refuse(on): whether no thread can be made from now on */
static int f_refuse(lua_State *L) {
  atomic_store(&refuses, lua_toboolean(L, 1));
  return 0;
}

/* threads() → the number of threads of this process */
static int f_threads(lua_State *L) {
  DIR *folder = opendir("/proc/self/task");
  lua_Integer count = 0;
  while (folder && readdir(folder))
    count++;
  if (folder)
    closedir(folder);
  lua_pushinteger(L, count - 2); /* without "." and ".." */
  return 1;
}

#endif
