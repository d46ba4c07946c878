/* memory.c - the allocator of the program's Lua state
 *
 *   space   16 GiB of reserved addresses; only touched pages take memory
 *   region  2 MiB of the space, 32 chunks
 *   chunk   64 KiB with a header and blocks of one size; masking the address of
 *           a block gives its chunk
 *
 * A Lua state allocates and frees hundreds of thousands of small blocks of few
 * sizes: coroutines, their stacks and calls, tables. Here each size has chunks
 * of its own. So blocks that are allocated together lie together, the block
 * freed last is used next, and no block has a header. When all chunks of a
 * region are free, the kernel gets its memory back, except for one spare
 * region.
 *
 * Larger blocks, and all blocks for which there is no room here, come from the
 * allocator that the state had before. The address of a block tells its origin.
 * A shrinking block stays where it is if there is no room to move it, so
 * shrinking never fails.
 */
#if defined(__linux__)
#define _DEFAULT_SOURCE /* madvise, MAP_ANONYMOUS */
#endif
#include "state/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A space of 16 GiB needs addresses of 64 bits. */
#if defined(__SANITIZE_ADDRESS__) || !defined(MAP_NORESERVE) || \
    UINTPTR_MAX <= UINT32_MAX

host_memory *host_memory_use(lua_State *L) {
  (void)L; /* a sanitizer must see each block by itself */
  return NULL;
}

void host_memory_free(host_memory *memory) {
  (void)memory;
}

#else

enum {
  STEP = 16,      /* sizes of blocks are multiples of STEP, up to LARGEST */
  LARGEST = 1024, /* bytes */
  SIZES = LARGEST / STEP,
  CHUNK = 64 * 1024,
  CHUNKS = 32, /* in a region */
  REGION = CHUNKS * CHUNK,
  REGIONS = 8192,
  PLAIN_REGIONS = 2 /* first regions, whose pages a small script touches itself;
                       see populate() */
};

typedef struct chunk {
  struct chunk *next, *prev; /* in `room` of its size, unless it is full */
  void *free;                /* list of the freed blocks */
  uint32_t size;             /* of each block */
  uint32_t fresh;            /* offset of the first block never used yet */
  uint32_t used;             /* number of blocks in use */
} chunk;

enum { FIRST_BLOCK = (sizeof(chunk) + STEP - 1) / STEP * STEP };

struct host_memory {
  lua_Alloc otherwise;           /* the state's allocator for other blocks */
  void *context;                 /* of `otherwise` */
  char *space;                   /* inside `reserved`, aligned to a region */
  void *reserved;                /* the addresses, as mmap() returned them */
  chunk *room[SIZES];            /* for each size: chunks that are not full */
  uint32_t free_chunks[REGIONS]; /* for each region: its free chunks, as bits */
  uint32_t regions;              /* number of regions used so far */
  uint32_t lowest;               /* no region below this one has a free chunk */
  uint32_t spare; /* 1 + the region that is all free and keeps its memory; 0:
                      none */
};

static const size_t SPACE = (size_t)REGIONS * REGION;
static const uint32_t ALL_FREE = UINT32_MAX;

static bool is_our_block(const host_memory *m, const void *block) {
  return (uintptr_t)block - (uintptr_t)m->space < SPACE;
}

static chunk *chunk_of(const void *block) {
  return (chunk *)((uintptr_t)block & ~(uintptr_t)(CHUNK - 1));
}

static uint32_t region_of(const host_memory *m, const chunk *c) {
  return (uint32_t)((size_t)((const char *)c - m->space) / REGION);
}

/* ---- regions ---- */

static bool open_region(host_memory *m) {
  if (m->regions == REGIONS)
    return false;
  char *start = m->space + (size_t)m->regions * REGION;
  if (mprotect(start, REGION, PROT_READ | PROT_WRITE) != 0)
    return false;
  m->free_chunks[m->regions++] = ALL_FREE;
  return true;
}

/* Take the lowest free chunk, so that the top regions become free first. */
static chunk *take_chunk(host_memory *m) {
  while (m->lowest < m->regions && m->free_chunks[m->lowest] == 0)
    m->lowest++;
  if (m->lowest == m->regions && !open_region(m))
    return NULL;
  uint32_t *bits = &m->free_chunks[m->lowest];
  if (m->spare == m->lowest + 1)
    m->spare = 0;
  uint32_t index = 0;
  while (!(*bits >> index & 1))
    index++;
  *bits &= ~(UINT32_C(1) << index);
  return (chunk *)(void *)(m->space + (size_t)m->lowest * REGION +
                           (size_t)index * CHUNK);
}

static void put_chunk_back(host_memory *m, chunk *c) {
  uint32_t region = region_of(m, c);
  char *start = m->space + (size_t)region * REGION;
  uint32_t *bits = &m->free_chunks[region];
  *bits |= UINT32_C(1) << (uint32_t)(((char *)c - start) / CHUNK);
  if (region < m->lowest)
    m->lowest = region;
  if (*bits != ALL_FREE)
    return;
  if (m->spare == 0)
    m->spare = region + 1;
  else
    (void)madvise(start, REGION, MADV_DONTNEED);
}

/* Get all pages of a chunk at once, except in the first regions: one page fault
 * for each page costs half as much again. Huge pages would cost less, but only
 * if the kernel has some ready. A virtual machine without ready huge pages
 * takes much longer to get them than to get small pages. */
static void populate(const host_memory *m, chunk *c) {
#ifdef MADV_POPULATE_WRITE
  if (region_of(m, c) >= PLAIN_REGIONS)
    (void)madvise(c, CHUNK, MADV_POPULATE_WRITE);
#else
  (void)m;
  (void)c;
#endif
}

/* ---- chunks ---- */

static chunk **room_for(host_memory *m, size_t size) {
  return &m->room[(size - 1) / STEP];
}

static void link_chunk(chunk **list, chunk *c) {
  c->prev = NULL;
  c->next = *list;
  if (*list)
    (*list)->prev = c;
  *list = c;
}

static void unlink_chunk(chunk **list, chunk *c) {
  if (c->prev)
    c->prev->next = c->next;
  else
    *list = c->next;
  if (c->next)
    c->next->prev = c->prev;
}

static bool is_full(const chunk *c) {
  return !c->free && c->fresh + c->size > CHUNK;
}

static chunk *add_chunk(host_memory *m, chunk **list, size_t size) {
  chunk *c = take_chunk(m);
  if (!c)
    return NULL;
  populate(m, c);
  c->free = NULL;
  c->size = (uint32_t)((size + STEP - 1) / STEP * STEP);
  c->fresh = FIRST_BLOCK;
  c->used = 0;
  link_chunk(list, c);
  return c;
}

/* ---- blocks ---- */

static void *take_block(host_memory *m, size_t size) {
  chunk **list = room_for(m, size);
  chunk *c = *list ? *list : add_chunk(m, list, size);
  if (!c)
    return NULL;
  void *block = c->free;
  if (block) {
    c->free = *(void **)block;
  } else {
    block = (char *)c + c->fresh;
    c->fresh += c->size;
  }
  c->used++;
  if (is_full(c))
    unlink_chunk(list, c);
  return block;
}

/* The last chunk of a size that has room is kept for the next block, even if
 * all its blocks are free. */
static void put_block_back(host_memory *m, void *block) {
  chunk *c = chunk_of(block);
  chunk **list = room_for(m, c->size);
  if (is_full(c))
    link_chunk(list, c);
  *(void **)block = c->free;
  c->free = block;
  if (--c->used > 0 || (*list == c && !c->next))
    return;
  unlink_chunk(list, c);
  put_chunk_back(m, c);
}

static void give_block_back(host_memory *m, void *block, size_t size) {
  if (is_our_block(m, block))
    put_block_back(m, block);
  else
    m->otherwise(m->context, block, size, 0);
}

/* Move a block to a place for its new size. */
static void *move_block(host_memory *m, void *block, size_t old, size_t size) {
  void *moved = size <= LARGEST ? take_block(m, size) : NULL;
  if (!moved)
    moved = m->otherwise(m->context, NULL, 0, size);
  if (!moved)
    return old >= size ? block : NULL;
  memcpy(moved, block, old < size ? old : size);
  give_block_back(m, block, old);
  return moved;
}

static void *allocate(void *context, void *block, size_t old, size_t size) {
  host_memory *m = context;
  if (size == 0) {
    if (block)
      give_block_back(m, block, old);
    return NULL;
  }
  if (!block) { /* then `old` is the type of the object, see lua_Alloc */
    void *fresh = size <= LARGEST ? take_block(m, size) : NULL;
    return fresh ? fresh : m->otherwise(m->context, NULL, old, size);
  }
  if (is_our_block(m, block)) {
    uint32_t has = chunk_of(block)->size;
    return size <= has && size + STEP > has ? block
                                            : move_block(m, block, old, size);
  }
  if (size <= LARGEST)
    return move_block(m, block, old, size);
  return m->otherwise(m->context, block, old, size);
}

/* ---- interface ---- */

host_memory *host_memory_use(lua_State *L) {
  host_memory *m = calloc(1, sizeof *m);
  if (!m)
    return NULL;
  m->reserved = mmap(NULL, SPACE + REGION, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m->reserved == MAP_FAILED) {
    free(m);
    return NULL;
  }
  uintptr_t start = (uintptr_t)m->reserved + REGION - 1;
  m->space = (char *)(start & ~(uintptr_t)(REGION - 1));
  m->otherwise = lua_getallocf(L, &m->context);
  lua_setallocf(L, allocate, m);
  return m;
}

void host_memory_free(host_memory *m) {
  if (!m)
    return;
  munmap(m->reserved, SPACE + REGION);
  free(m);
}

#endif
