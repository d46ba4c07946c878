/* event.c - names of events, and the reasons of failures
 *
 * The value of an event is a number: a descriptor, an error of the system, an
 * error of the protocol, or a code of an authenticator. `error` is the name or
 * the meaning of all but descriptors. */
#include "watch/event.h"

#include <uv.h>

#include <errno.h>
#include <string.h>

/* What the value of an event is. */
typedef enum meaning {
  PLAIN, /* a descriptor or a number of ms */
  ERRNO, /* of libzmq, or a negative code of libuv */
  PROTOCOL,
  STATUS /* of an authenticator */
} meaning;

typedef struct kind {
  unsigned bit;
  meaning value;
  const char *name;
} kind;

static const kind kinds[] = {
    {AWZ_CONNECTED, PLAIN, "connected"},
    {0x0002, ERRNO, "connect_delayed"},
    {0x0004, PLAIN, "connect_retried"},
    {AWZ_LISTENING, PLAIN, "listening"},
    {AWZ_BIND_FAILED, ERRNO, "bind_failed"},
    {AWZ_ACCEPTED, PLAIN, "accepted"},
    {0x0040, ERRNO, "accept_failed"},
    {AWZ_CLOSED, PLAIN, "closed"},
    {0x0100, ERRNO, "close_failed"},
    {AWZ_DISCONNECTED, PLAIN, "disconnected"},
    {AWZ_FAILED_NO_DETAIL, ERRNO, "handshake_failed_no_detail"},
    {AWZ_HANDSHAKEN, PLAIN, "handshake_succeeded"},
    {AWZ_FAILED_PROTOCOL, PROTOCOL, "handshake_failed_protocol"},
    {AWZ_FAILED_AUTH, STATUS, "handshake_failed_auth"},
    {AWZ_RESOLVE_FAILED, ERRNO, "resolve_failed"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct reason {
  int64_t value;
  const char *text;
} reason;

/* ZMQ_PROTOCOL_ERROR_… */
static const reason protocol_errors[] = {
    {0x10000000, "ZMTP_UNSPECIFIED"},
    {0x10000001, "ZMTP_UNEXPECTED_COMMAND"},
    {0x10000002, "ZMTP_INVALID_SEQUENCE"},
    {0x10000003, "ZMTP_KEY_EXCHANGE"},
    {0x10000011, "ZMTP_MALFORMED_COMMAND_UNSPECIFIED"},
    {0x10000012, "ZMTP_MALFORMED_COMMAND_MESSAGE"},
    {0x10000013, "ZMTP_MALFORMED_COMMAND_HELLO"},
    {0x10000014, "ZMTP_MALFORMED_COMMAND_INITIATE"},
    {0x10000015, "ZMTP_MALFORMED_COMMAND_ERROR"},
    {0x10000016, "ZMTP_MALFORMED_COMMAND_READY"},
    {0x10000017, "ZMTP_MALFORMED_COMMAND_WELCOME"},
    {0x10000018, "ZMTP_INVALID_METADATA"},
    {0x11000001, "ZMTP_CRYPTOGRAPHIC"},
    {0x11000002, "ZMTP_MECHANISM_MISMATCH"},
    {0x20000000, "ZAP_UNSPECIFIED"},
    {0x20000001, "ZAP_MALFORMED_REPLY"},
    {0x20000002, "ZAP_BAD_REQUEST_ID"},
    {0x20000003, "ZAP_BAD_VERSION"},
    {0x20000004, "ZAP_INVALID_STATUS_CODE"},
    {0x20000005, "ZAP_INVALID_METADATA"},
    {0, NULL}};

static const reason statuses[] = {{300, "authenticator not available"},
                                  {400, "access denied"},
                                  {500, "error of the authenticator"},
                                  {0, NULL}};

/* Those that libuv does not know. */
static const reason own_errors[] = {
    {EINPROGRESS, "EINPROGRESS"},       {156384712 + 51, "EFSM"},
    {156384712 + 52, "ENOCOMPATPROTO"}, {156384712 + 53, "ETERM"},
    {156384712 + 54, "EMTHREAD"},       {0, NULL}};

/* ---- names ---- */

static const char *event_name_at(const void *list, size_t index) {
  (void)list;
  return index < KINDS ? kinds[index].name : NULL;
}

unsigned awz_event_kind(const char *name) {
  for (size_t i = 0; i < KINDS; i++)
    if (strcmp(kinds[i].name, name) == 0)
      return kinds[i].bit;
  return 0;
}

/* Returns the kind that the value on top names. Raises. */
static unsigned check_event_name(lua_State *L) {
  if (lua_type(L, -1) != LUA_TSTRING)
    awz_error(L, "the name of an event is a string, got %s",
              aw_lua_type_name(L, -1));
  const char *name = lua_tostring(L, -1);
  unsigned bit = awz_event_kind(name);
  if (bit)
    return bit;
  awz_push_nearest(L, name, event_name_at);
  awz_error(L, "there is no event '%s'%s", name, lua_tostring(L, -1));
  return 0;
}

unsigned awz_check_events(lua_State *L, int arg) {
  unsigned events = 0;
  if (lua_isnoneornil(L, arg))
    return AWZ_ALL_EVENTS;
  aw_lua_check_type(L, arg, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, arg)) {
    if (!lua_isinteger(L, -2))
      awz_error(L, "events are a list of names, got a key '%s'",
                luaL_tolstring(L, -2, NULL));
    events |= check_event_name(L);
    lua_pop(L, 1);
  }
  return events ? events : AWZ_ALL_EVENTS;
}

/* ---- events for Lua ---- */

static const kind *kind_of(unsigned bit) {
  for (size_t i = 0; i < KINDS; i++)
    if (kinds[i].bit == bit)
      return &kinds[i];
  return NULL;
}

static const char *find_reason(const reason *list, int64_t value) {
  while (list->text && list->value != value)
    list++;
  return list->text;
}

/* Push the reason that the value means. */
static void push_reason(lua_State *L, const kind *what, int64_t value) {
  char name[64];
  const reason *list = what->value == PROTOCOL ? protocol_errors
                       : what->value == STATUS ? statuses
                                               : own_errors;
  const char *text = find_reason(list, value);
  if (text)
    lua_pushstring(L, text);
  else if (what->value == ERRNO && value != 0)
    lua_pushstring(L, uv_err_name_r(value < 0 ? (int)value : -(int)value, name,
                                    sizeof name));
  else
    lua_pushfstring(L, "error %I", (LUAI_UACINT)value);
}

void awz_push_event(lua_State *L, const awz_event *event) {
  const kind *what = kind_of(event->kind);
  lua_createtable(L, 0, 4);
  lua_pushstring(L, what->name);
  lua_setfield(L, -2, "event");
  lua_pushlstring(L, event->address, event->length);
  lua_setfield(L, -2, "address");
  lua_pushinteger(L, (lua_Integer)event->value);
  lua_setfield(L, -2, "value");
  if (what->value == PLAIN)
    return;
  push_reason(L, what, event->value);
  lua_setfield(L, -2, "error");
}
