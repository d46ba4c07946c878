/* auth_options.c - see auth_options.h
 *
 * Each reader of an option pops the value that it finds.
 */
#include "security/auth_options.h"

#include "context/failure.h"

#include <string.h>

bool awz_read_auth_key(lua_State *L, int index, unsigned char *key) {
  size_t size = 0;
  const char *text =
      lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &size) : NULL;
  if (text && size == AWZ_KEY_BYTES)
    memcpy(key, text, AWZ_KEY_BYTES);
  return text && (size == AWZ_KEY_BYTES ||
                  (strlen(text) == size && awz_raw_decode_key(key, text) == 0));
}

bool awz_read_auth_text(lua_State *L, int index, awz_text *out) {
  size_t size;
  if (lua_type(L, index) != LUA_TSTRING)
    return false;
  const char *text = lua_tolstring(L, index, &size);
  return awz_text_set(out, text, size);
}

/* Return the string at `index`; NULL: it is none, or has a zero byte. */
static const char *plain_text(lua_State *L, int index) {
  size_t size;
  if (lua_type(L, index) != LUA_TSTRING)
    return NULL;
  const char *text = lua_tolstring(L, index, &size);
  return strlen(text) == size ? text : NULL;
}

static void read_domain(lua_State *L, awz_rules *rules) {
  if (lua_getfield(L, 1, "domain") != LUA_TNIL) {
    if (!awz_read_auth_text(L, -1, &rules->domain) || rules->domain.size == 0)
      aw_lua_bad_option(L, "domain", "string of 1 to 255 bytes");
    rules->has_domain = true;
  }
  lua_pop(L, 1);
}

/* [key, value] Raise: the value is not what the list has. */
static int bad_element(lua_State *L, const char *name, const char *expected) {
  return awz_error(L, "bad option '%s' (element %d is no %s)", name,
                   (int)lua_tointeger(L, -2), expected);
}

static void read_addresses(lua_State *L, const char *name, awz_addresses *out) {
  int type = lua_getfield(L, 1, name);
  if (type != LUA_TNIL && type != LUA_TTABLE)
    aw_lua_bad_option(L, name, "list of addresses");
  out->given = type == LUA_TTABLE;
  if (out->given)
    lua_pushnil(L);
  while (out->given && lua_next(L, -2)) {
    const char *text = plain_text(L, -1);
    int rc = text ? awz_rules_address(out, text) : AW_EINVAL;
    awz_check_memory(L, rc);
    if (rc < 0)
      bad_element(L, name, "address of IPv4 or IPv6, as numbers");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* [keys] → [keys] */
static void read_keys(lua_State *L, awz_rules *rules) {
  unsigned char key[AWZ_KEY_BYTES];
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (!awz_read_auth_key(L, -1, key))
      bad_element(L, "curve", "public key: 40 characters of Z85 or 32 bytes");
    awz_check_memory(L, awz_rules_allow_key(rules, key));
    lua_pop(L, 1);
  }
}

static void read_curve(lua_State *L, awz_rules *rules) {
  int type = lua_getfield(L, 1, "curve");
  const char *path = plain_text(L, -1);
  rules->has_curve = type != LUA_TNIL;
  if (type == LUA_TTABLE) {
    read_keys(L, rules);
  } else if (path) {
    rules->any_key = strcmp(path, "any") == 0;
    int rc = rules->any_key ? 0 : awz_key_folder_open(&rules->folder, path);
    if (rc < 0)
      awz_raise(L, rc, "open", path);
  } else if (type != LUA_TNIL) {
    aw_lua_bad_option(L, "curve", "\"any\", list of keys or path of a folder");
  }
  lua_pop(L, 1);
}

static void no_users(lua_State *L) {
  lua_settop(L, 1);
  lua_pushnil(L); /* the message shows no password */
  aw_lua_error(L, "bad option 'plain' (table of user = password expected, both "
                  "strings of at most 255 bytes)");
}

static void read_plain(lua_State *L, awz_rules *rules) {
  int type = lua_getfield(L, 1, "plain");
  rules->has_plain = type != LUA_TNIL;
  if (type != LUA_TNIL && type != LUA_TTABLE)
    no_users(L);
  if (type == LUA_TTABLE)
    lua_pushnil(L);
  while (type == LUA_TTABLE && lua_next(L, -2)) {
    awz_text name, password;
    int rc = AW_EINVAL;
    if (awz_read_auth_text(L, -2, &name) &&
        awz_read_auth_text(L, -1, &password))
      rc = awz_rules_user(rules, &name, &password);
    awio_wipe(&password, sizeof password);
    awz_check_memory(L, rc);
    if (rc < 0)
      no_users(L);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void awz_read_auth_rules(lua_State *L, awz_rules *rules) {
  read_domain(L, rules);
  read_addresses(L, "allow", &rules->allow);
  read_addresses(L, "deny", &rules->deny);
  read_plain(L, rules);
  read_curve(L, rules);
}
