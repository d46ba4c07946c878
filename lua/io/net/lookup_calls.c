/* lookup_calls.c - look-ups of an engine, for the parts in Lua
 *
 *     table (one for each engine): an awio_async
 *       └─ question ─┬ awio_lookup, shared with the pool (lookup.h)
 *                    └ waiters: the tasks that ask it
 *
 *   asking   a task joins the question that is under way, or begins a new one,
 *            so a dead name takes one thread, however many tasks ask for it
 *   over     the pool calls the async; each waiter gets the answer as a value
 *   cancel   when the last waiter goes, the look-up is forgotten
 *
 * Answers are not remembered. A request is the userdata with which one task
 * waits. The async is referenced while there are questions.
 *
 * Neighbours: lookup.c has the threads; names.lua knows the names that need
 * none.
 */
#include "base/address.h"
#include "base/engine_async.h"
#include "base/waiters.h"
#include "io.h"
#include "net/lookup.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <uv.h>

#include <stdio.h>
#include <string.h>

typedef struct question question;

typedef struct table {
  awio_async came; /* first */
  awio_inbox inbox;
  question *first;
} table;

struct question {
  table *table;
  question *next, **place; /* in the table; place NULL: it is over */
  awio_lookup *lookup;
  awio_waiters waiters;
};

typedef struct request {
  question *question;
  awio_address address; /* whose name is asked for; none: ask for `host` */
  int family;
  char host[NI_MAXHOST];
} request;

/* ---- answers ---- */

typedef struct answer {
  aw_lua_value value;
  awio_lookup *lookup;
} answer;

static void release_answer(aw_lua_value *value) {
  answer *a = (answer *)value;
  awio_lookup_release(a->lookup);
  aw_free(a);
}

/* Push {address=, family=}. Returns false, with nothing pushed, for an address
 * that is neither IPv4 nor IPv6. */
static bool push_found(lua_State *L, const struct addrinfo *info) {
  awio_address address;
  if ((info->ai_family != AF_INET && info->ai_family != AF_INET6) ||
      info->ai_addrlen > sizeof(struct sockaddr_un))
    return false;
  memset(&address, 0, sizeof address);
  memcpy(&address.any, info->ai_addr, info->ai_addrlen);
  address.length = info->ai_addrlen;
  lua_createtable(L, 0, 3);
  awio_push_address(L, &address);
  lua_pop(L, 1); /* the port, which is 0 */
  lua_setfield(L, -2, "address");
  lua_pushstring(L, awio_family_name(&address));
  lua_setfield(L, -2, "family");
  return true;
}

static int push_answer(lua_State *L, aw_lua_value *value) {
  const awio_lookup *lookup = ((answer *)value)->lookup;
  if (lookup->name) {
    lua_pushstring(L, lookup->name);
    return 1;
  }
  lua_newtable(L);
  lua_Integer count = 0;
  for (const struct addrinfo *i = lookup->found; i; i = i->ai_next)
    if (push_found(L, i))
      lua_rawseti(L, -2, ++count);
  return 1;
}

/* 0: out of memory. */
static aw_value new_answer(awio_lookup *lookup) {
  answer *a = aw_allocate(sizeof *a);
  if (!a)
    return 0;
  a->value.push = push_answer;
  a->value.release = release_answer;
  a->lookup = awio_lookup_keep(lookup);
  return aw_lua_box(&a->value);
}

/* ---- questions ---- */

static void remove_question(question *q) {
  *q->place = q->next;
  if (q->next)
    q->next->place = q->place;
  q->place = NULL;
  if (!q->table->first)
    awio_async_unref(&q->table->came);
}

static void add_question(table *t, question *q) {
  if (!t->first)
    awio_async_ref(&t->came);
  q->table = t;
  q->next = t->first;
  q->place = &t->first;
  if (q->next)
    q->next->place = &q->next;
  t->first = q;
}

static void free_question(question *q) {
  awio_waiters_free(&q->waiters);
  aw_free(q);
}

/* Nobody asks any more. */
static void drop_question(question *q) {
  remove_question(q);
  awio_lookup_forget(q->lookup);
  free_question(q);
}

static void tell(aw_task *task, awio_lookup *lookup) {
  int result = lookup->work.result;
  if (result == 0) {
    aw_value value = new_answer(lookup);
    if (value)
      aw_task_set_value(task, value);
    else
      result = AW_ENOMEM;
  }
  aw_wait_complete(task, result);
}

/* Waking one waiter may abort the waits of others, which lose a race. */
static void end_question(question *q) {
  remove_question(q);
  while (q->waiters.count > 0) {
    aw_task *task = q->waiters.tasks[0];
    awio_waiters_remove(&q->waiters, task);
    tell(task, q->lookup);
  }
  awio_lookup_release(q->lookup);
  free_question(q);
}

static void deliver_answers(uv_async_t *came) {
  table *t = came->data;
  awio_lookup *lookup;
  while ((lookup = awio_lookup_next(&t->inbox)) != NULL)
    end_question(lookup->asker);
}

/* ---- the table of an engine ---- */

static void close_lookups(aw_closer *closer) {
  table *t = (table *)closer;
  while (t->first)
    drop_question(t->first);
  awio_pool_leave(&awio_names);
  awio_async_close(&t->came);
}

static int lookups_of(aw_engine *engine, table **out) {
  *out = (table *)aw_engine_find_closer(engine, close_lookups);
  if (*out)
    return 0;
  awio_async *made;
  int rc = awio_async_new(engine, sizeof **out, deliver_answers, close_lookups,
                          &made);
  if (rc < 0)
    return rc;
  table *t = (table *)made;
  t->inbox.came = &made->handle;
  awio_pool_join(&awio_names);
  *out = t;
  return 0;
}

/* ---- asking ---- */

static bool equal_addresses(const awio_address *a, const awio_address *b) {
  return a->length == b->length && memcmp(&a->any, &b->any, a->length) == 0;
}

static bool asks(const question *q, const request *r) {
  const awio_lookup *lookup = q->lookup;
  return lookup->family == r->family && strcmp(lookup->host, r->host) == 0 &&
         equal_addresses(&lookup->address, &r->address);
}

static question *find_question(const table *t, const request *r) {
  question *q = t->first;
  while (q && !asks(q, r))
    q = q->next;
  return q;
}

/* Make a question without waiters. */
static int new_question(table *t, const request *r, question **out) {
  bool by_name = r->address.length == 0;
  question *q = aw_allocate(sizeof *q);
  if (!q)
    return AW_ENOMEM;
  q->lookup = awio_lookup_new(by_name ? r->host : NULL, r->family, &r->address);
  if (!q->lookup) {
    aw_free(q);
    return AW_ENOMEM;
  }
  q->lookup->asker = q;
  add_question(t, q);
  int rc = awio_lookup_begin(q->lookup, &t->inbox);
  if (rc < 0) {
    drop_question(q);
    return rc;
  }
  *out = q;
  return 0;
}

static int lookup_arm(aw_task *task, void *data) {
  request *r = data;
  table *t;
  int rc = lookups_of(aw_loop_engine(aw_task_loop(task)), &t);
  if (rc < 0)
    return rc;
  question *q = find_question(t, r);
  if (!q)
    rc = new_question(t, r, &q);
  if (rc < 0)
    return rc;
  rc = awio_waiters_add(&q->waiters, task);
  if (rc == 0)
    r->question = q;
  else if (q->waiters.count == 0)
    drop_question(q);
  return rc;
}

static void lookup_disarm(aw_task *task, void *data) {
  request *r = data;
  question *q = r->question;
  awio_waiters_remove(&q->waiters, task);
  if (q->place && q->waiters.count == 0)
    drop_question(q);
}

static void lookup_describe(const void *data, char *out, size_t size) {
  const request *r = data;
  char text[AWIO_ADDRESS_TEXT];
  if (r->address.length > 0)
    awio_address_text(&r->address, text);
  snprintf(out, size, "%s", r->address.length > 0 ? text : r->host);
}

static const aw_operation looking_up = {.label = "lookup",
                                        .arm = lookup_arm,
                                        .disarm = lookup_disarm,
                                        .external = true,
                                        .describe = lookup_describe};

/* ---- for the parts in Lua ---- */

static request *push_request(lua_State *L) {
  request *r = lua_newuserdatauv(L, sizeof *r, 0);
  memset(r, 0, sizeof *r);
  return r;
}

/* The Lua stack is [host or address, …, call, request]. */
static int after_lookup(lua_State *L, int result, void *data) {
  (void)data;
  enum { CALL = 3 };
  if (result == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  if (result < 0)
    return aw_lua_system_error(L, result, lua_tostring(L, CALL),
                               lua_tostring(L, 1));
  return aw_lua_take_results(L, aw_lua_task(L, "dns.resolve"));
}

/* lookup(host, family, call) → list of {address=, family=}. Awaits. `call` is
 * the operation of the user, for errors. */
static int inner_lookup(lua_State *L) {
  enum { ARGUMENTS = 3 };
  lua_settop(L, ARGUMENTS);
  size_t size;
  const char *host = luaL_checklstring(L, 1, &size);
  request *r = push_request(L);
  luaL_argcheck(L, size < sizeof r->host, 1, "too long");
  memcpy(r->host, host, size);
  r->family = awio_to_family(L, 2);
  return aw_lua_await(L, &looking_up, r, "dns.resolve", after_lookup);
}

/* lookup_name(address) → name. Awaits. */
static int inner_lookup_name(lua_State *L) {
  lua_settop(L, 1);
  const char *host = aw_lua_check_string(L, 1, NULL);
  lua_pushnil(L);
  lua_pushliteral(L, "reverse");
  request *r = push_request(L);
  if (strlen(host) != lua_rawlen(L, 1) ||
      !awio_address_parse(host, 0, &r->address))
    return aw_lua_arg_error(
        L, 1,
        lua_pushfstring(L, "address, as \"127.0.0.1\", expected, got '%s'",
                        host));
  return aw_lua_await(L, &looking_up, r, "dns.reverse", after_lookup);
}

/* numeric(host) → address, family; nil if the host is no number */
static int inner_numeric(lua_State *L) {
  awio_address address;
  if (!awio_address_parse(luaL_checkstring(L, 1), 0, &address))
    return 0;
  awio_push_address(L, &address);
  lua_pop(L, 1);
  lua_pushstring(L, awio_family_name(&address));
  return 2;
}

/* check_name(host, call) → host as a string; raises unless argument 1 can be a
 * host name */
static int inner_check_name(lua_State *L) {
  awio_check_host(L, 1, luaL_checkstring(L, 2));
  lua_settop(L, 1);
  return 1;
}

/* name_options(host, opts) → family or nil, port or nil: of aw.dns.resolve */
static int inner_name_options(lua_State *L) {
  static const char *const known[] = {"family", "port", NULL};
  enum { OPTS = 2 };
  lua_settop(L, OPTS);
  if (lua_isnil(L, OPTS)) {
    lua_pushnil(L);
    lua_pushnil(L);
    return 2;
  }
  aw_lua_check_options(L, OPTS, known, false);
  awio_push_family(L, awio_opt_family(L, OPTS));
  awio_push_port_option(L, OPTS, "port");
  return 2;
}

/* no_address(call, host, known): raise that the name is not found, or, if it is
 * `known`, that it has no address of the family */
static int inner_no_address(lua_State *L) {
  int code = lua_toboolean(L, 3) ? UV_EAI_ADDRFAMILY : UV_EAI_NONAME;
  return aw_lua_system_error(L, code, luaL_checkstring(L, 1),
                             luaL_checkstring(L, 2));
}

void awio_open_lookup(lua_State *L) {
  static const luaL_Reg inner[] = {{"lookup", inner_lookup},
                                   {"lookup_name", inner_lookup_name},
                                   {"numeric", inner_numeric},
                                   {"check_name", inner_check_name},
                                   {"name_options", inner_name_options},
                                   {"no_address", inner_no_address},
                                   {NULL, NULL}};
  awio_add_inner(L, inner);
}
