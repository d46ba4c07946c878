/* curve.c - see curve.h */
#include "security/curve.h"

#include "security/key_file.h"

#include <errno.h>
#include <string.h>

bool awz_is_secret(int option) {
  return option == AWZ_PLAIN_PASSWORD || option == AWZ_CURVE_PUBLICKEY ||
         option == AWZ_CURVE_SECRETKEY || option == AWZ_CURVE_SERVERKEY;
}

/* ---- pushing secrets ---- */

/* A secret in a buffer of C. */
typedef struct secret {
  char *buffer;
  size_t size, whole; /* bytes of the secret, of the buffer */
} secret;

/* (secret) → a string */
static int make_string(lua_State *L) {
  const secret *it = lua_touserdata(L, 1);
  lua_pushlstring(L, it->buffer, it->size);
  return 1;
}

void awz_push_secret(lua_State *L, char *buffer, size_t size, size_t whole) {
  secret it = {buffer, size, whole};
  lua_pushcfunction(L, make_string);
  lua_pushlightuserdata(L, &it);
  int rc = lua_pcall(L, 1, 1, 0);
  awio_wipe(buffer, whole);
  if (rc != LUA_OK)
    lua_error(L);
}

/* Push the public key, and the secret or nil; wipes the keys. The secret comes
 * first, so that no error leaves it behind. */
static int push_keys(lua_State *L, awz_keys *keys) {
  if (*keys->secret)
    awz_push_secret(L, keys->secret, AWZ_KEY_SIZE - 1, AWZ_KEY_SIZE);
  else
    lua_pushnil(L);
  lua_pushstring(L, keys->public_key);
  lua_insert(L, -2);
  return 2;
}

/* ---- checks ---- */

/* Tell whether a string is a key as text. Raises if libzmq cannot tell. */
static bool is_text_key(lua_State *L, const char *text, size_t size) {
  unsigned char bytes[AWZ_KEY_BYTES];
  if (size != AWZ_KEY_SIZE - 1 || strlen(text) != size)
    return false;
  int rc = awz_raw_decode_key(bytes, text);
  awio_wipe(bytes, sizeof bytes);
  if (rc < 0 && rc != -EINVAL)
    aw_lua_system_error(L, rc, "open", "libzmq.so.5");
  return rc == 0;
}

static bool is_printable(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (text[i] < ' ' || text[i] > '~')
      return false;
  return true;
}

/* Tell whether a string is a key as bytes. A random key does not consist of
 * printable characters only; a path does. */
static bool is_raw_key(const char *text, size_t size) {
  return size == AWZ_KEY_BYTES && !is_printable(text, size);
}

/* Tell whether a string is a path for sure, and not a key with a mistake in it:
 * a key has signs that are rare in paths, or in another encoding long runs of
 * letters and digits. */
static bool is_surely_path(const char *text) {
  enum { LONGEST_RUN = 24 };
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  while (*text) {
    size_t run = strspn(text, letters);
    if (run > LONGEST_RUN)
      return false;
    text += run;
    size_t other = strspn(text, "/._- ~");
    if (*text && other == 0)
      return false;
    text += other;
  }
  return true;
}

static const char *check_key(lua_State *L, int arg, const char *expected) {
  size_t size;
  const char *text = aw_lua_check_string(L, arg, &size);
  aw_lua_arg_check(L, is_text_key(L, text, size), arg, expected);
  return text;
}

static const char *check_file_path(lua_State *L, int arg) {
  size_t size;
  const char *path = aw_lua_check_string(L, arg, &size);
  aw_lua_arg_check(L, size > 0 && strlen(path) == size, arg,
                   "the path of a file expected");
  return path;
}

static const char PUBLIC_EXPECTED[] = "a public key of 40 characters of Z85 "
                                      "expected";
static const char SECRET_EXPECTED[] = "a secret key of 40 characters of Z85 "
                                      "expected";

/* ---- files ---- */

static int fail_file(lua_State *L, const char *path, int code,
                     const awz_key_note *note) {
  if (code != -EBADMSG)
    return aw_lua_system_error(L, code, "open", path);
  if (note->line == 0)
    return awz_error(L, "bad key file '%s': %s", path, note->fault);
  return awz_error(L, "bad key file '%s', line %d: %s", path, note->line,
                   note->fault);
}

/* Warn of a secret that others may use. */
static void tell_shared(lua_State *L, const char *path,
                        const awz_key_note *note) {
  if (!note->shared)
    return;
  lua_pushfstring(L,
                  "others may use the key file '%s', which has a secret key: "
                  "take its permissions away (chmod go= …), and make new keys "
                  "if somebody may have read it",
                  path);
  aw_lua_mistake(L, aw_lua_where(L), "key file");
}

/* ---- options ---- */

static int set_text_key(awz_socket *s, int option, const char *key) {
  return awz_raw_set(s, option, key, AWZ_KEY_SIZE - 1);
}

/* Tell whether a key is set: libzmq's are zero until then. */
static bool has_key(awz_socket *s, int option) {
  static const unsigned char none[AWZ_KEY_BYTES];
  unsigned char now[AWZ_KEY_BYTES];
  size_t size = sizeof now;
  int rc = awz_raw_get(s, option, now, &size);
  bool is_set = rc == 0 && memcmp(now, none, sizeof now) != 0;
  awio_wipe(now, sizeof now);
  return is_set;
}

/* Set the option from the keys of a file. The public key that an earlier file
 * has set is replaced, too; the user's own one is not. */
static int set_from_keys(awz_socket *s, int option, const awz_keys *keys) {
  if (option != AWZ_CURVE_SECRETKEY)
    return set_text_key(s, option, keys->public_key);
  int rc = set_text_key(s, option, keys->secret);
  if (rc == 0 && !s->shows_key)
    rc = set_text_key(s, AWZ_CURVE_PUBLICKEY, keys->public_key);
  return rc;
}

static int bad_key(lua_State *L, const char *name) {
  return awz_error(L,
                   "bad value for option '%s' (40 characters of Z85, 32 bytes "
                   "or the path of a key file expected, got %s)",
                   name, aw_lua_type_name(L, 3));
}

static int set_from_file(lua_State *L, awz_socket *s, int option,
                         const char *name) {
  awz_keys keys;
  awz_key_note note;
  const char *path = lua_tostring(L, 3);
  int rc = awz_key_file_load(path, &keys, &note);
  bool absent = rc == -ENOENT || rc == -ENOTDIR || rc == -ENAMETOOLONG;
  if (absent && !is_surely_path(path))
    return bad_key(L, name);
  if (rc < 0)
    return fail_file(L, path, rc, &note);
  bool lacks = option == AWZ_CURVE_SECRETKEY && !*keys.secret;
  if (!lacks)
    rc = set_from_keys(s, option, &keys);
  awio_wipe(&keys, sizeof keys);
  if (lacks)
    return awz_error(L, "the key file '%s' has no secret key", path);
  tell_shared(L, path, &note);
  return rc;
}

/* The value at 3 is a string. */
static int set_key_from(lua_State *L, awz_socket *s, int option,
                        const char *name) {
  size_t size;
  const char *text = lua_tolstring(L, 3, &size);
  if (is_raw_key(text, size) || is_text_key(L, text, size))
    return awz_raw_set(s, option, text, size);
  if (size == 0 || strlen(text) != size)
    return bad_key(L, name);
  return set_from_file(L, s, option, name);
}

int awz_set_key(lua_State *L, awz_socket *s, int option, const char *name) {
  if (lua_type(L, 3) != LUA_TSTRING)
    return bad_key(L, name);
  int rc = set_key_from(L, s, option, name);
  if (rc == 0 && option == AWZ_CURVE_PUBLICKEY)
    s->shows_key = true;
  return rc;
}

/* ---- keys that are missing ---- */

static int number_of(awz_socket *s, int option) {
  int value = 0;
  size_t size = sizeof value;
  return awz_raw_get(s, option, &value, &size) == 0 ? value : 0;
}

/* The name of an option that the handshake cannot do without; NULL: none. */
static const char *missing_key(awz_socket *s) {
  enum { MECHANISM = 43, CURVE_SERVER = 47, CURVE = 2 };
  if (number_of(s, MECHANISM) != CURVE)
    return NULL;
  bool is_client = !number_of(s, CURVE_SERVER);
  if (is_client && !has_key(s, AWZ_CURVE_SERVERKEY))
    return "curve_serverkey";
  if (!has_key(s, AWZ_CURVE_SECRETKEY))
    return "curve_secretkey";
  if (is_client && !has_key(s, AWZ_CURVE_PUBLICKEY))
    return "curve_publickey";
  return NULL;
}

void awz_tell_missing_key(lua_State *L, awz_socket *s, const char *address) {
  const char *name =
      awz_starts_with(address, "inproc://") ? NULL : missing_key(s);
  if (!name)
    return;
  lua_pushfstring(L,
                  "this %s socket has no '%s': each handshake at '%s' will "
                  "fail, and nothing is sent or received there",
                  s->type->name, name, address);
  aw_lua_mistake(L, aw_lua_where(L), "missing key");
}

/* ---- functions ---- */

/* curve_keypair() → public, secret */
static int curve_keypair(lua_State *L) {
  awz_keys keys;
  int rc = awz_raw_keypair(keys.public_key, keys.secret);
  if (rc < 0)
    return aw_lua_system_error(L, rc, "curve_keypair", "libzmq");
  return push_keys(L, &keys);
}

/* Compute a public key. Raises. */
static void compute_public(lua_State *L, char out[AWZ_KEY_SIZE],
                           const char *secret_key) {
  int rc = awz_raw_public_key(out, secret_key);
  if (rc < 0)
    aw_lua_system_error(L, rc, "curve_public", "libzmq");
}

/* curve_public(secret) → public */
static int curve_public(lua_State *L) {
  char public_key[AWZ_KEY_SIZE];
  compute_public(L, public_key, check_key(L, 1, SECRET_EXPECTED));
  lua_pushstring(L, public_key);
  return 1;
}

/* save_keys(path, public [, secret]) */
static int save_keys(lua_State *L) {
  char computed[AWZ_KEY_SIZE];
  lua_settop(L, 3);
  const char *path = check_file_path(L, 1);
  const char *public_key = check_key(L, 2, PUBLIC_EXPECTED);
  const char *secret_key = NULL;
  if (!lua_isnil(L, 3)) {
    secret_key = check_key(L, 3, SECRET_EXPECTED);
    compute_public(L, computed, secret_key);
    aw_lua_arg_check(L, strcmp(computed, public_key) == 0, 3,
                     "it is not the secret key of that public key");
  }
  awz_keys keys = {{0}, {0}};
  memcpy(keys.public_key, public_key, AWZ_KEY_SIZE);
  if (secret_key)
    memcpy(keys.secret, secret_key, AWZ_KEY_SIZE);
  int rc = awz_key_file_save(path, &keys);
  awio_wipe(&keys, sizeof keys);
  if (rc < 0)
    return aw_lua_system_error(L, rc, "save", path);
  return 0;
}

/* load_keys(path) → public, secret or nil */
static int load_keys(lua_State *L) {
  awz_keys keys;
  awz_key_note note;
  const char *path = check_file_path(L, 1);
  int rc = awz_key_file_load(path, &keys, &note);
  if (rc < 0)
    return fail_file(L, path, rc, &note);
  push_keys(L, &keys);
  tell_shared(L, path, &note);
  return 2;
}

void awz_open_curve(lua_State *L) {
  static const luaL_Reg functions[] = {{"curve_keypair", curve_keypair},
                                       {"curve_public", curve_public},
                                       {"save_keys", save_keys},
                                       {"load_keys", load_keys},
                                       {NULL, NULL}};
  aw_lua_set_functions(L, functions, 0);
}
