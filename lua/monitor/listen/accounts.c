/* accounts.c - what each living task has cost
 *
 * One listener keeps a *book* for each engine, with a *row* for each living
 * task: an awm_account. The rows are a hash table by the id of the task. The
 * table grows and shrinks with the number of living tasks. Where there is no
 * memory for a row, the task has no account, and is counted as missed.
 *
 *     accounts ── top ──► book ── outer ──► book       steps under way,
 *        │                 │                 │         the innermost first
 *        └─ first ───────► book ── next ───► book ── next ── …
 *                          └─ rows
 *
 * Time. A step with its wait costs about 80 ns more than with an instrument
 * that does nothing; half of that are two readings of the clock. The wait that
 * ends a step begins at the same time, and a wait ends when the clock was read
 * last: after blocking, or at the begin or the end of a step. Only an engine of
 * a host program, which does not tell when it blocks, reads the clock for that.
 *
 * Nesting. An EventLoop with an engine of its own runs inside a step of the
 * engine around it. What it takes, blocked or not, is no busy time of the outer
 * step (`inner`), so the busy and idle times of all engines add up to what has
 * passed.
 *
 * Other threads read only the pulse, which has no pointers. The writer empties
 * `task` before it changes the other members of a step, and sets `task` last.
 *
 * Neighbours: instruments.c calls the events.
 */
#include "listen/accounts.h"

#include "listen/instruments.h"

#include <string.h>
#include <uv.h>

enum { FEWEST_ROWS = 16 };

typedef struct book {
  awm_sums sums;
  awm_accounts *of;
  struct book *next;
  bool hosted;         /* a host program drives the engine */
  uint64_t now;        /* the last reading of the clock */
  uint64_t last;       /* the task whose event came last, or 0 */
  uint64_t stepping;   /* the task whose step is under way, or 0 … */
  uint64_t began;      /* … when it began */
  uint64_t inner;      /* … and what other engines have taken of it */
  struct book *outer;  /* whose step is around that step, or NULL */
  uint64_t blocked_at; /* when the engine blocked last */
  awm_account *rows;   /* `mask` + 1; an `id` of 0: free. NULL: none yet */
  uint64_t mask;
} book;

struct awm_accounts {
  awm_pulse pulse;
  aw_lua_instrument *own;
  book *first;
  book *top;    /* the innermost step that is under way, or NULL */
  book *recent; /* what was looked up last, or NULL */
};

/* ---- rows ---- */

/* Where the row of a task stands, unless that place is taken. Ids count up:
 * rows in the order of ids would have no gaps, and the end of a task would look
 * at all of them. */
static uint64_t home_of(uint64_t id) {
  return id * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

/* The row of a task, or a free one; NULL: the table is full, or not made. */
static awm_account *row_place(const book *b, uint64_t id) {
  if (!b->rows)
    return NULL;
  for (uint64_t n = 0; n <= b->mask; n++) {
    awm_account *row = &b->rows[(home_of(id) + n) & b->mask];
    if (row->id == id || row->id == 0)
      return row;
  }
  return NULL;
}

static awm_account *row_of(const book *b, const aw_task *task) {
  uint64_t id = aw_task_id(task);
  awm_account *row = b->rows ? &b->rows[home_of(id) & b->mask] : NULL;
  if (row && row->id == id) /* nearly always */
    return row;
  row = row_place(b, id);
  return row && row->id ? row : NULL;
}

/* Give the table `size` rows. Without memory it stays as it is. */
static void resize(book *b, uint64_t size) {
  awm_account *old = b->rows;
  uint64_t old_size = old ? b->mask + 1 : 0;
  awm_account *rows = aw_allocate((size_t)size * sizeof *rows);
  if (!rows)
    return;
  b->rows = rows;
  b->mask = size - 1;
  for (uint64_t i = 0; i < old_size; i++)
    if (old[i].id)
      *row_place(b, old[i].id) = old[i];
  aw_free(old);
}

static awm_account *add_row(book *b, uint64_t id) {
  uint64_t size = b->rows ? b->mask + 1 : 0;
  if ((b->sums.tasks + 1) * 4 > size * 3)
    resize(b, size ? size * 2 : FEWEST_ROWS);
  awm_account *row = row_place(b, id);
  if (!row) {
    b->sums.missed++;
    return NULL;
  }
  b->sums.tasks++;
  row->id = id;
  return row;
}

/* May the row at `at` move to the free place `gap`: is its own place not behind
 * that? */
static bool may_move(const book *b, uint64_t at, uint64_t gap) {
  return ((at - home_of(b->rows[at].id)) & b->mask) >= ((at - gap) & b->mask);
}

/* Free a row, and close the gap: a search ends at a free row. */
static void remove_row(book *b, awm_account *row) {
  uint64_t gap = (uint64_t)(row - b->rows);
  row->id = 0;
  for (uint64_t at = (gap + 1) & b->mask; b->rows[at].id;
       at = (at + 1) & b->mask)
    if (may_move(b, at, gap)) {
      b->rows[gap] = b->rows[at];
      b->rows[at].id = 0;
      gap = at;
    }
  memset(&b->rows[gap], 0, sizeof b->rows[gap]);
  b->sums.tasks--;
  uint64_t size = b->mask + 1;
  if (size > FEWEST_ROWS && b->sums.tasks * 8 < size)
    resize(b, size / 2);
}

/* ---- the pulse ---- */

static void add_to(_Atomic uint64_t *sum, uint64_t ns) { /* its only writer */
  uint64_t before = atomic_load_explicit(sum, memory_order_relaxed);
  atomic_store_explicit(sum, before + ns, memory_order_relaxed);
}

static void show_step(awm_pulse *pulse, const book *b) {
  atomic_store_explicit(&pulse->task, 0, memory_order_release);
  if (!b)
    return;
  atomic_store_explicit(&pulse->began, b->began, memory_order_release);
  atomic_store_explicit(&pulse->engine, b->sums.serial, memory_order_release);
  atomic_store_explicit(&pulse->task, b->stepping, memory_order_release);
}

bool awm_pulse_look(const awm_pulse *pulse, awm_step *out) {
  enum { TRIES = 16 };
  for (int i = 0; i < TRIES; i++) {
    uint64_t task = atomic_load(&pulse->task);
    out->began = atomic_load(&pulse->began);
    out->engine = atomic_load(&pulse->engine);
    out->task = atomic_load(&pulse->task);
    if (task && task == out->task && out->began == atomic_load(&pulse->began))
      return true;
    if (!task && !out->task)
      return false;
  }
  return false; /* steps come and go so fast that none is long */
}

/* ---- events ---- */

static uint64_t look_at_clock(book *b) {
  return b->now = uv_hrtime();
}

static void open_row(void *data, const aw_task *task) {
  book *b = data;
  awm_account *row = add_row(b, aw_task_id(task));
  if (row)
    row->since = look_at_clock(b);
}

static void close_row(void *data, const aw_task *task) {
  book *b = data;
  awm_account *row = row_of(b, task);
  if (row)
    remove_row(b, row);
}

static void note_cancel(void *data, const aw_task *task) {
  book *b = data;
  awm_account *row = row_of(b, task);
  if (row && !row->cancelled)
    row->cancelled = look_at_clock(b);
}

static void book_step(void *data, const aw_task *task) {
  book *b = data;
  awm_accounts *of = b->of;
  awm_account *row = row_of(b, task);
  b->began = look_at_clock(b);
  b->stepping = aw_task_id(task);
  b->inner = 0;
  if (row)
    row->since = b->began;
  if (!of->top)
    atomic_store_explicit(&of->pulse.outermost, b->began, memory_order_relaxed);
  b->outer = of->top;
  of->top = b;
  show_step(&of->pulse, b);
}

/* The step of `b` is over. Another one may be inside it when the listener came
 * in the middle of both. */
static void leave_chain(awm_accounts *of, const book *b) {
  book **at = &of->top;
  while (*at != b)
    at = &(*at)->outer;
  *at = b->outer;
}

/* Has a step of this length made other tasks wait? */
static bool is_long(const book *b, uint64_t took) {
  return took >= AWM_LONG_STEP && b->sums.tasks > 1;
}

static void charge(awm_account *row, uint64_t took, uint64_t busy,
                   const book *b) {
  row->since = b->now;
  row->busy += busy;
  row->steps++;
  if (took > row->longest)
    row->longest = took;
  if (is_long(b, took))
    row->starved = b->now;
}

static void book_step_end(void *data, const aw_task *task) {
  book *b = data;
  awm_accounts *of = b->of;
  awm_account *row = row_of(b, task);
  uint64_t took = look_at_clock(b) - b->began;
  uint64_t busy = took > b->inner ? took - b->inner : 0;
  if (row)
    charge(row, took, busy, b);
  b->sums.busy += busy;
  b->sums.steps++;
  add_to(&of->pulse.busy, busy);
  add_to(&of->pulse.steps, 1);
  b->last = b->stepping;
  b->stepping = 0;
  leave_chain(of, b);
  if (b->outer)
    b->outer->inner += took;
  if (!of->top)
    atomic_store_explicit(&of->pulse.outermost, 0, memory_order_relaxed);
  show_step(&of->pulse, of->top);
}

static void book_wait(void *data, const aw_task *task, const char *label) {
  book *b = data;
  awm_account *row = row_of(b, task);
  (void)label;
  if (b->last != aw_task_id(task)) /* no step of it has just ended */
    look_at_clock(b);
  if (row)
    row->since = b->now;
}

static void book_wait_end(void *data, const aw_task *task, int result) {
  book *b = data;
  awm_account *row = row_of(b, task);
  (void)result;
  b->last = 0;
  if (b->hosted && !b->stepping)
    look_at_clock(b);
  if (row)
    row->since = b->now;
}

static void book_block(void *data, uint64_t until) {
  book *b = data;
  (void)until;
  b->blocked_at = look_at_clock(b);
}

static void book_unblock(void *data) {
  book *b = data;
  awm_accounts *of = b->of;
  uint64_t idle = look_at_clock(b) - b->blocked_at;
  b->sums.idle += idle;
  b->sums.wakeups++;
  add_to(&of->pulse.idle, idle);
  add_to(&of->pulse.wakeups, 1);
  if (of->top) /* a step of an outer engine runs this one */
    of->top->inner += idle;
}

/* ---- books ---- */

static void *open_book(void *data, const awl_engine *engine) {
  awm_accounts *of = data;
  book *b = aw_allocate(sizeof *b);
  if (!b)
    return NULL;
  b->sums.core = engine->core;
  b->sums.serial = engine->serial;
  b->sums.began = look_at_clock(b);
  b->hosted = engine->hosted;
  b->of = of;
  book **last = &of->first;
  while (*last)
    last = &(*last)->next;
  *last = b;
  return b;
}

static void close_book(void *data) {
  book *b = data;
  awm_accounts *of = b->of;
  if (b->stepping)
    leave_chain(of, b);
  book **at = &of->first;
  while (*at != b)
    at = &(*at)->next;
  *at = b->next;
  if (of->recent == b)
    of->recent = NULL;
  aw_free(b->rows);
  aw_free(b);
}

int awm_accounts_open(awl_state *s, awm_accounts **out) {
  awm_accounts *of = aw_allocate(sizeof *of);
  if (!of)
    return AW_ENOMEM;
  const awm_listener is = {.to = {.data = of,
                                  .task_started = open_row,
                                  .task_ended = close_row,
                                  .task_cancelled = note_cancel,
                                  .step_begins = book_step,
                                  .step_ends = book_step_end,
                                  .wait_begins = book_wait,
                                  .wait_ends = book_wait_end,
                                  .before_blocking = book_block,
                                  .after_blocking = book_unblock},
                           .engine_begins = open_book,
                           .engine_ends = close_book};
  int rc = awm_listen(s, &is, &of->own);
  if (rc < 0) {
    aw_free(of);
    return rc;
  }
  *out = of;
  return 0;
}

void awm_accounts_close(awm_accounts *accounts) {
  if (!accounts)
    return;
  aw_lua_instrument_remove(accounts->own);
  aw_free(accounts);
}

const awm_pulse *awm_accounts_pulse(const awm_accounts *accounts) {
  return &accounts->pulse;
}

/* ---- looking ---- */

/* What the step that is under way has cost until `now`, without those inside
 * it. */
static uint64_t busy_so_far(const book *b, uint64_t now) {
  uint64_t inner = b->inner;
  for (const book *at = b->of->top; at && at != b; at = at->outer)
    if (at->outer == b)
      inner += now - at->began;
  uint64_t took = now - b->began;
  return took > inner ? took - inner : 0;
}

static book *book_of(awm_accounts *of, const aw_engine *core) {
  if (of->recent && of->recent->sums.core == core)
    return of->recent;
  book *b = of->first;
  while (b && b->sums.core != core)
    b = b->next;
  return of->recent = b;
}

bool awm_account_look(awm_accounts *accounts, const aw_task *task,
                      awm_account *out) {
  const book *b = book_of(accounts, aw_task_engine(task));
  const awm_account *row = b ? row_of(b, task) : NULL;
  if (!row)
    return false;
  *out = *row;
  if (b->stepping == row->id) {
    uint64_t now = uv_hrtime(), took = now - b->began;
    out->busy += busy_so_far(b, now);
    out->longest = took > out->longest ? took : out->longest;
    out->starved = is_long(b, took) ? now : out->starved;
  }
  return true;
}

bool awm_sums_look(const awm_accounts *accounts, size_t index, awm_sums *out) {
  const book *b = accounts->first;
  while (b && index-- > 0)
    b = b->next;
  if (!b)
    return false;
  *out = b->sums;
  if (b->stepping)
    out->busy += busy_so_far(b, uv_hrtime());
  return true;
}
