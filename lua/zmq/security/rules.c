/* rules.c - see rules.h
 *
 * Addresses are compared as text, in the form of inet_ntop(3). libzmq writes an
 * address of IPv4 that comes by a socket of IPv6 as ::ffff:1.2.3.4, which must
 * not slip through a list with 1.2.3.4.
 */
#include "security/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- addresses ---- */

/* Write the usual form of the address. Returns false if it is no number. */
static bool normal_address(const char *text, char out[48]) {
  struct in6_addr bytes;
  int family = AF_INET6;
  if (inet_pton(AF_INET, text, &bytes) == 1)
    family = AF_INET;
  else if (inet_pton(AF_INET6, text, &bytes) != 1)
    return false;
  if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&bytes))
    return inet_ntop(AF_INET, &bytes.s6_addr[12], out, 48) != NULL;
  return inet_ntop(family, &bytes, out, 48) != NULL;
}

static int compare_addresses(const void *a, const void *b) {
  return strcmp(a, b);
}

int awz_rules_address(awz_addresses *all, const char *text) {
  char address[48];
  if (!normal_address(text, address))
    return AW_EINVAL;
  if (all->count == all->room) {
    size_t room = all->room ? 2 * all->room : 8;
    void *list = realloc(all->list, room * sizeof *all->list);
    if (!list)
      return AW_ENOMEM;
    all->list = list;
    all->room = room;
  }
  memcpy(all->list[all->count++], address, sizeof address);
  qsort(all->list, all->count, sizeof *all->list, compare_addresses);
  return 0;
}

static bool lists_address(const awz_addresses *all, const char *address) {
  return all->count > 0 && bsearch(address, all->list, all->count,
                                   sizeof *all->list, compare_addresses);
}

/* The addresses of ipc are none, so `allow` denies them. An IPv6 address may
 * end with the name of a device, as fe80::1%eth0. */
static const char *address_fault(const awz_rules *rules, const awz_text *text) {
  char plain[256], address[48];
  memcpy(plain, text->data, text->size + 1);
  plain[strcspn(plain, "%")] = '\0';
  bool known = normal_address(plain, address);
  if (known && lists_address(&rules->deny, address))
    return "its address is denied";
  if (rules->allow.given && !(known && lists_address(&rules->allow, address)))
    return "its address is not allowed";
  return NULL;
}

/* ---- CURVE ---- */

static const char *key_fault(awz_rules *rules, const unsigned char *key) {
  if (!rules->has_curve)
    return "CURVE is not configured";
  bool known = rules->any_key || awz_key_set_has(&rules->keys, key) ||
               awz_key_folder_has(&rules->folder, key);
  return known ? NULL : "its key is unknown";
}

int awz_rules_allow_key(awz_rules *rules, const unsigned char *key) {
  int rc = awz_key_set_add(&rules->keys, key);
  if (rc < 0)
    return rc;
  awz_key_set_remove(&rules->denied, key);
  rules->has_curve = true;
  return 0;
}

int awz_rules_deny_key(awz_rules *rules, const unsigned char *key) {
  awz_key_set_remove(&rules->keys, key);
  return awz_key_set_add(&rules->denied, key);
}

/* ---- PLAIN ---- */

/* Compare in a time that does not depend on where the texts differ. */
static bool is_same_text(const awz_text *a, const awz_text *b) {
  unsigned different = a->size != b->size;
  for (size_t i = 0; i < sizeof a->data; i++)
    different |= (unsigned char)(a->data[i] ^ b->data[i]);
  return different == 0;
}

/* All users are looked at, so that the time does not tell which one it is. */
static const char *password_fault(const awz_rules *rules,
                                  const awz_request *request) {
  bool known = false;
  if (!rules->has_plain)
    return "PLAIN is not configured";
  for (size_t i = 0; i < rules->user_count; i++) {
    const awz_user *user = &rules->users[i];
    bool same_name = is_same_text(&user->name, &request->username);
    bool same_password = is_same_text(&user->password, &request->password);
    known |= same_name & same_password;
  }
  return known ? NULL : "its user name or password is wrong";
}

static awz_user *more_users(const awz_rules *rules, size_t room) {
  awz_user *users = calloc(room, sizeof *users);
  if (!users || !rules->users)
    return users;
  size_t size = rules->user_count * sizeof *users;
  memcpy(users, rules->users, size);
  awio_wipe(rules->users, size);
  free(rules->users);
  return users;
}

int awz_rules_user(awz_rules *rules, const awz_text *name,
                   const awz_text *password) {
  if (rules->user_count == rules->user_room) {
    size_t room = rules->user_room ? 2 * rules->user_room : 8;
    awz_user *users = more_users(rules, room);
    if (!users)
      return AW_ENOMEM;
    rules->users = users;
    rules->user_room = room;
  }
  rules->users[rules->user_count++] = (awz_user){*name, *password};
  return 0;
}

/* ---- deciding ---- */

/* A mechanism that has no rule of its own is the handler's alone, if there are
 * no rules for any other one. Else a peer could avoid the rules by another
 * mechanism. NULL has no credentials. */
static const char *credentials_fault(awz_rules *rules,
                                     const awz_request *request) {
  bool has_none = !rules->has_curve && !rules->has_plain;
  if (request->kind == AWZ_CURVE &&
      awz_key_set_has(&rules->denied, request->key))
    return "its key is denied";
  if (has_none && rules->asks)
    return NULL;
  switch (request->kind) {
  case AWZ_CURVE: return key_fault(rules, request->key);
  case AWZ_PLAIN: return password_fault(rules, request);
  case AWZ_NULL:
    if (rules->asks || rules->allow.given || rules->deny.given)
      return NULL;
    return "NULL is not configured: no rule is about addresses";
  case AWZ_OTHER: break;
  }
  return "its mechanism is not configured";
}

awz_verdict awz_rules_decide(awz_rules *rules, const awz_request *request,
                             const char **why) {
  *why = NULL;
  if (rules->has_domain && !is_same_text(&rules->domain, &request->domain))
    *why = "its domain is another one";
  if (!*why)
    *why = address_fault(rules, &request->address);
  if (!*why)
    *why = credentials_fault(rules, request);
  if (*why)
    return AWZ_DENY;
  return rules->asks ? AWZ_ASK : AWZ_ADMIT;
}

void awz_rules_clear(awz_rules *rules) {
  if (rules->users)
    awio_wipe(rules->users, rules->user_room * sizeof *rules->users);
  free(rules->users);
  free(rules->allow.list);
  free(rules->deny.list);
  awz_key_set_clear(&rules->keys);
  awz_key_set_clear(&rules->denied);
  awz_key_folder_close(&rules->folder);
  memset(rules, 0, sizeof *rules);
}
