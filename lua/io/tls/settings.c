/* settings.c - see settings.h
 *
 * The options are read in protected mode, so that nothing is left behind by an
 * error. A reader of an option frees what was there before: it replaces.
 */
#include "tls/settings.h"

#include "base/wipe.h"

#include <aiowire.h>
#include <aiowire_lua.h>

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>

/* ---- texts ---- */

bool awio_tls_is_pem(const awio_tls_text *text) {
  return text->data && strstr(text->data, "-----BEGIN") != NULL;
}

/* Every text is overwritten: it may be a key. */
void awio_tls_text_free(awio_tls_text *text) {
  if (text->data)
    awio_wipe(text->data, text->size);
  aw_free(text->data);
  *text = (awio_tls_text){NULL, 0};
}

/* Replace a text, which is not among `data`. */
static bool set_tls_text(awio_tls_text *text, const char *data, size_t size) {
  awio_tls_text_free(text);
  text->data = aw_allocate(size + 1);
  if (!text->data)
    return false;
  if (size > 0)
    memcpy(text->data, data, size);
  text->size = size;
  return true;
}

static bool copy_of_text(awio_tls_text *to, const awio_tls_text *from) {
  return !from->data || set_tls_text(to, from->data, from->size);
}

static void free_identity(awio_tls_identity *identity) {
  awio_tls_text_free(&identity->cert);
  awio_tls_text_free(&identity->key);
  awio_tls_text_free(&identity->password);
}

static bool copy_of_identity(awio_tls_identity *to,
                             const awio_tls_identity *from) {
  return copy_of_text(&to->cert, &from->cert) &&
         copy_of_text(&to->key, &from->key) &&
         copy_of_text(&to->password, &from->password);
}

static void free_ca(awio_tls_settings *s) {
  for (size_t i = 0; i < s->ca_count; i++)
    awio_tls_text_free(&s->ca[i]);
  aw_free(s->ca);
  s->ca = NULL;
  s->ca_count = 0;
}

static void free_hosts(awio_tls_settings *s) {
  for (size_t i = 0; i < s->host_count; i++) {
    aw_free(s->hosts[i].name);
    free_identity(&s->hosts[i].identity);
  }
  aw_free(s->hosts);
  s->hosts = NULL;
  s->host_count = 0;
}

void awio_tls_settings_free(awio_tls_settings *s) {
  if (!s)
    return;
  free_ca(s);
  free_hosts(s);
  awio_tls_text_free(&s->crl);
  free_identity(&s->identity);
  awio_tls_text_free(&s->host);
  awio_tls_text_free(&s->alpn);
  aw_free(s);
}

/* ---- copying ---- */

static bool copy_ca(awio_tls_settings *to, const awio_tls_settings *from) {
  if (from->ca_count == 0)
    return true;
  to->ca = aw_allocate(from->ca_count * sizeof *to->ca);
  if (!to->ca)
    return false;
  to->ca_count = from->ca_count;
  for (size_t i = 0; i < from->ca_count; i++)
    if (!copy_of_text(&to->ca[i], &from->ca[i]))
      return false;
  return true;
}

static bool copy_host(awio_tls_host *to, const awio_tls_host *from) {
  to->name = aw_allocate(strlen(from->name) + 1);
  if (!to->name)
    return false;
  strcpy(to->name, from->name);
  return copy_of_identity(&to->identity, &from->identity);
}

static bool copy_hosts(awio_tls_settings *to, const awio_tls_settings *from) {
  if (from->host_count == 0)
    return true;
  to->hosts = aw_allocate(from->host_count * sizeof *to->hosts);
  if (!to->hosts)
    return false;
  to->host_count = from->host_count;
  for (size_t i = 0; i < from->host_count; i++)
    if (!copy_host(&to->hosts[i], &from->hosts[i]))
      return false;
  return true;
}

static bool copy_settings(awio_tls_settings *to,
                          const awio_tls_settings *from) {
  to->verify = from->verify;
  to->timeout = from->timeout;
  return copy_ca(to, from) && copy_hosts(to, from) &&
         copy_of_text(&to->crl, &from->crl) &&
         copy_of_identity(&to->identity, &from->identity) &&
         copy_of_text(&to->host, &from->host) &&
         copy_of_text(&to->alpn, &from->alpn);
}

/* ---- reading ---- */

static void check_memory(lua_State *L, bool has) {
  if (!has)
    luaL_error(L, "not enough memory");
}

/* [table] */
static size_t count_entries(lua_State *L) {
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
    count++;
  return count;
}

/* [list] Return the length of a list. Raises if the table is empty, or has
 * other keys. */
static size_t check_list(lua_State *L, const char *name) {
  size_t count = (size_t)lua_rawlen(L, -1);
  if (count_entries(L) != count)
    aw_lua_error(L, "bad option '%s' (list expected, got other keys)", name);
  if (count == 0)
    aw_lua_error(L, "bad option '%s' (the list is empty)", name);
  return count;
}

/* [value] Raise unless the value is a path or PEM; then set `out`. `what` is
 * the option in messages. Leaves the value. A PEM text that lacks its header is
 * not taken for a path, which errors would show. */
static void read_pem(lua_State *L, const char *what, awio_tls_text *out) {
  static const char *const expected = "path or PEM text";
  size_t size = 0;
  if (lua_type(L, -1) != LUA_TSTRING)
    aw_lua_bad_option(L, what, expected);
  const char *data = lua_tolstring(L, -1, &size);
  if (size == 0)
    aw_lua_error(L, "bad option '%s' (%s expected, got an empty string)", what,
                 expected);
  if (strlen(data) != size)
    aw_lua_error(L, "bad option '%s' (it holds a zero byte)", what);
  if (!strstr(data, "-----BEGIN") && strchr(data, '\n'))
    aw_lua_error(L, "bad option '%s' (%s expected, got lines without a header)",
                 what, expected);
  check_memory(L, set_tls_text(out, data, size));
}

/* Push the name of an option in messages: "key", or "hosts.a.example.key". */
static const char *push_option_name(lua_State *L, const char *host,
                                    const char *name) {
  return host ? lua_pushfstring(L, "hosts.%s.%s", host, name)
              : lua_pushstring(L, name);
}

static void read_pem_field(lua_State *L, int arg, const char *host,
                           const char *name, awio_tls_text *out) {
  const char *label = push_option_name(L, host, name);
  if (lua_getfield(L, arg, name) != LUA_TNIL)
    read_pem(L, label, out);
  lua_pop(L, 2);
}

static void read_password(lua_State *L, int arg, const char *host,
                          awio_tls_text *out) {
  const char *label = push_option_name(L, host, "password");
  int type = lua_getfield(L, arg, "password");
  if (type != LUA_TNIL) {
    size_t size = 0;
    if (type != LUA_TSTRING)
      aw_lua_bad_option(L, label, "string");
    const char *data = lua_tolstring(L, -1, &size);
    check_memory(L, set_tls_text(out, data, size));
  }
  lua_pop(L, 2);
}

/* Raise: option `name` is given without `needed`. */
static int needs(lua_State *L, const char *host, const char *name,
                 const char *needed) {
  return aw_lua_error(L, "bad option '%s' (it needs '%s', too)",
                      push_option_name(L, host, name), needed);
}

/*   host  whose it is; NULL: of all others */
static void read_identity(lua_State *L, int arg, const char *host,
                          awio_tls_identity *out) {
  read_pem_field(L, arg, host, "cert", &out->cert);
  read_pem_field(L, arg, host, "key", &out->key);
  read_password(L, arg, host, &out->password);
  if (out->cert.data && !out->key.data)
    needs(L, host, "cert", "key");
  if (out->key.data && !out->cert.data)
    needs(L, host, "key", "cert");
  if (out->password.data && !out->key.data)
    needs(L, host, "password", "key");
}

/* [list] */
static void read_ca_list(lua_State *L, awio_tls_settings *s) {
  size_t count = check_list(L, "ca");
  s->ca = aw_allocate(count * sizeof *s->ca);
  check_memory(L, s->ca != NULL);
  for (; s->ca_count < count; s->ca_count++) {
    lua_rawgeti(L, -1, (lua_Integer)s->ca_count + 1);
    read_pem(L, "ca", &s->ca[s->ca_count]);
    lua_pop(L, 1);
  }
}

static void read_ca(lua_State *L, int arg, awio_tls_settings *s) {
  int type = lua_getfield(L, arg, "ca");
  if (type != LUA_TNIL)
    free_ca(s);
  if (type == LUA_TTABLE) {
    read_ca_list(L, s);
  } else if (type == LUA_TSTRING) {
    s->ca = aw_allocate(sizeof *s->ca);
    check_memory(L, s->ca != NULL);
    s->ca_count = 1;
    read_pem(L, "ca", s->ca);
  } else if (type != LUA_TNIL) {
    aw_lua_bad_option(L, "ca", "path, PEM text or list of those");
  }
  lua_pop(L, 1);
}

/* What a server checks without the option follows from `ca`. */
static void read_verify(lua_State *L, int arg, awio_tls_settings *s) {
  int type = lua_getfield(L, arg, "verify");
  bool is_optional =
      type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "optional") == 0;
  if (s->server && is_optional)
    s->verify = AWIO_TLS_OPTIONAL;
  else if (type == LUA_TBOOLEAN && (!s->server || lua_toboolean(L, -1)))
    s->verify = lua_toboolean(L, -1) ? AWIO_TLS_VERIFIED : AWIO_TLS_UNVERIFIED;
  else if (s->server && (type == LUA_TSTRING || type == LUA_TBOOLEAN))
    aw_lua_error(L, "bad option 'verify' (true or \"optional\" expected)");
  else if (type != LUA_TNIL)
    aw_lua_bad_option(L, "verify",
                      s->server ? "true or \"optional\"" : "boolean");
  else if (s->server && s->ca_count > 0 && s->verify == AWIO_TLS_UNVERIFIED)
    s->verify = AWIO_TLS_VERIFIED;
  if (s->server && s->verify != AWIO_TLS_UNVERIFIED && s->ca_count == 0)
    needs(L, NULL, "verify", "ca");
  lua_pop(L, 1);
}

/* Is it a URL, or does it have a port? An address of IPv6 has two colons. */
static bool has_more_than_host(const char *text) {
  const char *colon = strchr(text, ':');
  return strpbrk(text, "/[] ") || (colon && !strchr(colon + 1, ':'));
}

static void read_host(lua_State *L, int arg, awio_tls_settings *s) {
  enum { LONGEST = 255 };
  int type = lua_getfield(L, arg, "host");
  if (type != LUA_TNIL) {
    size_t size = 0;
    if (type != LUA_TSTRING)
      aw_lua_bad_option(L, "host", "name or address");
    const char *data = lua_tolstring(L, -1, &size);
    if (size == 0 || size > LONGEST || strlen(data) != size)
      aw_lua_error(L, "bad option 'host' (name or address expected)");
    if (has_more_than_host(data))
      aw_lua_error(L,
                   "bad option 'host' (name or address expected, without a "
                   "port, got '%s')",
                   data);
    check_memory(L, set_tls_text(&s->host, data, size));
  }
  lua_pop(L, 1);
}

/* ---- alpn ---- */

/* [list, name] → [list] Append a name in the form of the wire. */
static void append_protocol(lua_State *L, awio_tls_text *out) {
  enum { LONGEST = 255, WHOLE = 65535 };
  size_t size = 0;
  if (lua_type(L, -1) != LUA_TSTRING)
    aw_lua_bad_option(L, "alpn", "list of names");
  const char *name = lua_tolstring(L, -1, &size);
  if (size == 0 || size > LONGEST)
    aw_lua_error(L, "bad option 'alpn' (names of 1 to %d bytes expected)",
                 LONGEST);
  if (out->size + size + 1 > WHOLE)
    aw_lua_error(L, "bad option 'alpn' (too many names)");
  char *more = aw_reallocate(out->data, out->size + size + 2);
  check_memory(L, more != NULL);
  more[out->size] = (char)(unsigned char)size;
  memcpy(more + out->size + 1, name, size + 1);
  out->data = more;
  out->size += size + 1;
  lua_pop(L, 1);
}

static void read_alpn(lua_State *L, int arg, awio_tls_settings *s) {
  int type = lua_getfield(L, arg, "alpn");
  if (type != LUA_TNIL) {
    if (type != LUA_TTABLE)
      aw_lua_bad_option(L, "alpn", "list of names");
    awio_tls_text_free(&s->alpn);
    lua_Integer count = (lua_Integer)check_list(L, "alpn");
    for (lua_Integer i = 1; i <= count; i++) {
      lua_rawgeti(L, -1, i);
      append_protocol(L, &s->alpn);
    }
  }
  lua_pop(L, 1);
}

/* ---- hosts ---- */

static int compare_hosts(const void *a, const void *b) {
  return strcmp(((const awio_tls_host *)a)->name,
                ((const awio_tls_host *)b)->name);
}

size_t awio_tls_fold_name(const char *name, char *out, size_t room) {
  size_t size = strlen(name);
  if (size > 0 && name[size - 1] == '.')
    size--;
  if (size >= room)
    return 0;
  for (size_t i = 0; i < size; i++)
    out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a')
                                              : name[i];
  out[size] = '\0';
  return size;
}

/* Is it a name, or "*." and a name? */
static bool is_host_name(const char *name) {
  const char *rest = strncmp(name, "*.", 2) == 0 ? name + 2 : name;
  return *rest && strcmp(rest, ".") != 0 && !strchr(rest, '*');
}

/* [hosts, name, options] → [hosts, name] */
static void append_host(lua_State *L, awio_tls_settings *s) {
  static const char *const known[] = {"cert", "key", "password", NULL};
  size_t size = 0;
  const char *name =
      lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &size) : "";
  if (size == 0 || strlen(name) != size)
    aw_lua_error(L, "bad option 'hosts' (names as keys expected)");
  if (!is_host_name(name))
    aw_lua_error(L,
                 "bad option 'hosts' ('%s' is neither a name nor \"*.\" and a "
                 "name)",
                 name);
  if (lua_type(L, -1) != LUA_TTABLE)
    aw_lua_error(L, "bad option 'hosts' (table expected for '%s', got %s)",
                 name, aw_lua_type_name(L, -1));
  if (aw_lua_unknown_option(L, lua_gettop(L), known, false))
    aw_lua_error(L,
                 "bad option 'hosts' (only 'cert', 'key' and 'password' "
                 "expected for '%s')",
                 name);
  awio_tls_host *host = &s->hosts[s->host_count++];
  host->name = aw_allocate(size + 1);
  check_memory(L, host->name != NULL);
  awio_tls_fold_name(name, host->name, size + 1);
  read_identity(L, lua_gettop(L), name, &host->identity);
  if (!host->identity.cert.data)
    aw_lua_error(L, "bad option 'hosts' (no 'cert' and 'key' for '%s')", name);
  lua_pop(L, 1);
}

/* [hosts] */
static void read_host_table(lua_State *L, awio_tls_settings *s) {
  size_t count = count_entries(L);
  free_hosts(s);
  if (count == 0)
    return;
  s->hosts = aw_allocate(count * sizeof *s->hosts);
  check_memory(L, s->hosts != NULL);
  for (lua_pushnil(L); lua_next(L, -2);) {
    if (s->host_count == count) /* a metamethod has added one */
      aw_lua_error(L, "bad option 'hosts' (the table has changed)");
    append_host(L, s);
  }
  qsort(s->hosts, s->host_count, sizeof *s->hosts, compare_hosts);
  for (size_t i = 1; i < s->host_count; i++)
    if (strcmp(s->hosts[i - 1].name, s->hosts[i].name) == 0)
      aw_lua_error(L, "bad option 'hosts' ('%s' is there twice)",
                   s->hosts[i].name);
}

static void read_hosts(lua_State *L, int arg, awio_tls_settings *s) {
  int type = lua_getfield(L, arg, "hosts");
  if (type == LUA_TTABLE)
    read_host_table(L, s);
  else if (type != LUA_TNIL)
    aw_lua_bad_option(L, "hosts", "table of names");
  lua_pop(L, 1);
}

/* ---- all ---- */

/* (light settings, options) */
static int read_tls_options(lua_State *L) {
  enum { OPTIONS = 2 };
  awio_tls_settings *s = lua_touserdata(L, 1);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  read_ca(L, OPTIONS, s);
  read_pem_field(L, OPTIONS, NULL, "crl", &s->crl);
  read_identity(L, OPTIONS, NULL, &s->identity);
  read_verify(L, OPTIONS, s);
  read_alpn(L, OPTIONS, s);
  s->timeout = aw_lua_opt_ns(L, OPTIONS, "handshake_timeout", s->timeout);
  if (s->server)
    read_hosts(L, OPTIONS, s);
  else
    read_host(L, OPTIONS, s);
  if (s->server && s->crl.data && s->ca_count == 0)
    needs(L, NULL, "crl", "ca");
  return 0;
}

static void read_protected(lua_State *L, int arg, awio_tls_settings *s) {
  arg = lua_absindex(L, arg);
  lua_pushcfunction(L, read_tls_options);
  lua_pushlightuserdata(L, s);
  lua_pushvalue(L, arg);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    awio_tls_settings_free(s);
    lua_error(L);
  }
}

awio_tls_settings *awio_tls_settings_new(lua_State *L, int arg, bool server,
                                         const awio_tls_settings *before) {
  static const uint64_t TIMEOUT = 10 * AW_SECOND;
  awio_tls_settings *s = aw_allocate(sizeof *s);
  check_memory(L, s != NULL);
  s->server = server;
  s->verify = server ? AWIO_TLS_UNVERIFIED : AWIO_TLS_VERIFIED;
  s->timeout = TIMEOUT;
  if (before && !copy_settings(s, before)) {
    awio_tls_settings_free(s);
    check_memory(L, false);
  }
  if (!lua_isnoneornil(L, arg))
    read_protected(L, arg, s);
  if (server && !s->identity.cert.data) {
    awio_tls_settings_free(s);
    s = NULL;
    aw_lua_error(L, "missing option 'cert' (a TLS server needs 'cert' and "
                    "'key')");
  }
  return s;
}
