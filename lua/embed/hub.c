/* hub.c - the states on one engine of the host program
 *
 * The engine calls awl_drop() and its siblings with one `host` for all states.
 * That is the hub: a value begins with the number of its state (see values.c),
 * and the hub finds the state by it. The number of a state that has gone is
 * reused only when nobody has a claim on one of its values: `left` counts them.
 *
 * The host program frees the engine after the loops of all states. The hub is
 * freed with the engine; a state that is still bound then gets an engine of its
 * own.
 */
#include "embed/hub.h"

#include "base/engine.h"
#include "base/loops.h"
#include "base/values.h"

/* ---- values ---- */

static awl_hub_entry *entry_of(const awl_hub *hub, aw_value value) {
  uint32_t number = (uint32_t)(value >> AWL_STATE_SHIFT);
  if (!hub || number == 0 || number >= hub->count)
    return NULL;
  return &hub->entries[number];
}

static void drop_value(void *host, aw_value value) {
  if (awl_boxed(value)) {
    awl_drop(NULL, value);
    return;
  }
  awl_hub_entry *entry = entry_of(host, value);
  if (entry && entry->hosted)
    awl_drop(entry->hosted->state, value);
  else if (entry && entry->left > 0)
    entry->left--;
}

static aw_value keep_value(void *host, aw_value value) {
  if (awl_boxed(value))
    return awl_keep(NULL, value);
  awl_hub_entry *entry = entry_of(host, value);
  if (entry && entry->hosted)
    return awl_keep(entry->hosted->state, value);
  if (entry && entry->left > 0)
    entry->left++;
  return value;
}

awl_hosted *awl_hosted_of(lua_State *L) {
  awl_state *s = awl_find_state(L);
  return s ? s->hosted : NULL;
}

static int push_value(lua_State *L, void *host, aw_value value) {
  if (awl_boxed(value))
    return awl_push_tuple(L, NULL, value);
  const awl_hosted *own = awl_hosted_of(L);
  const awl_hub_entry *entry = entry_of(host, value);
  if (!entry || !own || entry->hosted != own)
    return 0;
  return awl_push_tuple(L, own->state, value);
}

static int gather_values(void *host, aw_shape shape, const aw_value *values,
                         size_t count, size_t index, aw_value *out) {
  static const awl_carrier carrier = {drop_value, push_value};
  return awl_gather_by(&carrier, host, shape, values, count, index, out);
}

void awl_hub_config(aw_engine_config *config) {
  config->host = NULL;
  config->drop = drop_value;
  config->keep = keep_value;
  config->gather = gather_values;
}

/* ---- the hub of an engine ---- */

bool awl_hub_fits(const aw_engine *engine) {
  return engine && aw_engine_config_of(engine)->drop == drop_value;
}

awl_hub *awl_hub_of(const aw_engine *engine) {
  return awl_hub_fits(engine) ? aw_engine_config_of(engine)->host : NULL;
}

static void note_hosted_end(aw_closer *closer, aw_loop *loop) {
  const awl_hosted *hosted = awl_hub_find((const awl_hub *)closer, loop);
  if (hosted)
    awl_note_loop_end(hosted->state, loop);
}

/* The engine has no loop any more, so the states have none on it. */
static void end_hub(aw_closer *closer) {
  awl_hub *hub = (awl_hub *)closer;
  awl_job_tell(hub);
  for (uint32_t i = 1; i < hub->count; i++) {
    awl_hosted *hosted = hub->entries[i].hosted;
    if (!hosted)
      continue;
    awl_state *s = hosted->state;
    s->engine = NULL;
    if (s->upcalls.runs)
      s->upcalls.runs(hosted->driver, s);
    awl_free_engine(hosted->engine);
    hosted->engine = NULL;
    hosted->hub = NULL;
    hosted->closed = true;
  }
  aw_engine_set_host(hub->engine, NULL); /* it may still drop values */
  aw_free(hub->entries);
  aw_free(hub);
}

awl_hub *awl_hub_for(aw_engine *engine) {
  awl_hub *hub = awl_hub_of(engine);
  if (hub)
    return hub;
  hub = aw_allocate(sizeof *hub);
  if (!hub)
    return NULL;
  hub->closer = (aw_closer){.close = end_hub, .ended = note_hosted_end};
  hub->engine = engine;
  hub->last = &hub->ended;
  aw_engine_set_host(engine, hub);
  aw_engine_add_closer(engine, &hub->closer);
  return hub;
}

/* ---- its states ---- */

static int grow(awl_hub *hub) {
  enum { FEWEST = 8, MOST = 0x7fff };
  uint32_t count = hub->count ? hub->count * 2 : FEWEST;
  if (hub->count >= MOST)
    return AW_EAGAIN;
  count = count > MOST ? MOST : count;
  awl_hub_entry *entries = aw_reallocate(hub->entries, count * sizeof *entries);
  if (!entries)
    return AW_ENOMEM;
  for (uint32_t i = hub->count; i < count; i++)
    entries[i] = (awl_hub_entry){NULL, 0};
  hub->entries = entries;
  hub->count = count;
  return 0;
}

int awl_hub_enter(awl_hub *hub, awl_hosted *hosted) {
  uint32_t number = 1;
  while (number < hub->count &&
         (hub->entries[number].hosted || hub->entries[number].left > 0))
    number++;
  int rc = number < hub->count ? 0 : grow(hub);
  if (rc < 0)
    return rc;
  hub->entries[number].hosted = hosted;
  hosted->hub = hub;
  hosted->number = number;
  return 0;
}

void awl_hub_leave(awl_hosted *hosted, size_t left) {
  awl_hub *hub = hosted->hub;
  if (!hub)
    return;
  hub->entries[hosted->number] = (awl_hub_entry){NULL, left};
  if (hub->recent == hosted)
    hub->recent = NULL;
}

static const awl_hub_entry *entry_of_loop(const awl_hub *hub,
                                          const aw_loop *loop) {
  aw_value host = loop ? aw_loop_host(loop) : 0; /* the high half of a value */
  if (host > INT32_MAX) /* a value of the host program's own */
    return NULL;
  return entry_of(hub, host << AWL_LOOP_SHIFT);
}

awl_hosted *awl_hub_find(const awl_hub *hub, const aw_loop *loop) {
  const awl_hub_entry *entry = entry_of_loop(hub, loop);
  return entry ? entry->hosted : NULL;
}

bool awl_hub_lost(const awl_hub *hub, const aw_loop *loop) {
  const awl_hub_entry *entry = entry_of_loop(hub, loop);
  return entry && !entry->hosted;
}
