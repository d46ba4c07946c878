/* hits.c - counts the lines of Lua that run, in a build that counts
 *
 * lua_lines.lua puts a call of aw_hit() before each statement of the library's
 * Lua sources. Counts are in a file that all processes map, so there is nothing
 * to write at the end, and SIGKILL loses none.
 */
#include <lua.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

enum { COUNTS = 1 << 20 };

int aw_hit(lua_State *L);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic unsigned *counts; /* NULL: the file cannot be opened */

static void map(void) {
  size_t size = COUNTS * sizeof *counts;
  int fd = open(HITS, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0)
    return;
  void *at = MAP_FAILED;
  if (ftruncate(fd, (off_t)size) == 0)
    at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at != MAP_FAILED)
    counts = at;
}

/* aw_hit(number) */
int aw_hit(lua_State *L) {
  lua_Integer number = lua_tointeger(L, 1);
  pthread_once(&once, map);
  if (counts && number >= 0 && number < COUNTS)
    atomic_fetch_add_explicit(&counts[number], 1, memory_order_relaxed);
  return 0;
}
