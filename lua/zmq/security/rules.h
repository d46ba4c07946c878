/* rules.h - the rules of an authenticator: who may connect
 *
 *     request ─► domain ─► addresses ─► credentials ─► a handler decides, or
 *                                                      the peer is admitted
 *
 * A request that fails one step is denied. Rules have no lock: their owner has
 * one. They are memory of malloc(3), and free of Lua, since the thread of a
 * context reads them. Functions that return int return 0, AW_ENOMEM or another
 * negative code. */
#ifndef AWZ_RULES_H
#define AWZ_RULES_H

#include "security/key_set.h"
#include "security/request.h"

/* Addresses as text, in ascending order. */
typedef struct awz_addresses {
  char (*list)[48];
  size_t count, room;
  bool given; /* the user has given such a list; it may be empty */
} awz_addresses;

typedef struct awz_user {
  awz_text name, password;
} awz_user;

typedef struct awz_rules {
  awz_text domain;
  bool has_domain; /* requests of other domains are denied */
  awz_addresses allow, deny;

  /* CURVE */
  bool has_curve;     /* keys, a folder or "any" */
  bool any_key;       /* admits each key but those in `denied` */
  awz_key_set keys;   /* admitted */
  awz_key_set denied; /* wins over `any_key` and `folder` */
  awz_key_folder folder;

  /* PLAIN */
  bool has_plain;
  awz_user *users; /* secret */
  size_t user_count, user_room;

  bool asks; /* there is a handler: it has the last word */
} awz_rules;

typedef enum awz_verdict { AWZ_DENY, AWZ_ADMIT, AWZ_ASK } awz_verdict;

/* Decide about a request. May read the folder of keys.
 *
 *   why  receives the reason if it is denied; a constant
 */
awz_verdict awz_rules_decide(awz_rules *rules, const awz_request *request,
                             const char **why);

/* Add an address. Returns AW_EINVAL if it is no number of IPv4 or IPv6. */
int awz_rules_address(awz_addresses *list, const char *text);
int awz_rules_user(awz_rules *rules, const awz_text *name,
                   const awz_text *password);
/* Admit a key from now on, or deny it. */
int awz_rules_allow_key(awz_rules *rules, const unsigned char *key);
int awz_rules_deny_key(awz_rules *rules, const unsigned char *key);
/* Overwrite the secrets, and free all. */
void awz_rules_clear(awz_rules *rules);

#endif
