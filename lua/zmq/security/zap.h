/* zap.h - answers libzmq's questions about peers, in the thread of the context
 *
 *     a peer connects ─► libzmq asks at inproc://zeromq.zap.01 (RFC 27)
 *       ─► the thread: rules.h ─┬► denied or admitted: it answers at once
 *                               └► a handler decides: `waiting` ─┐
 *     Lua ◄── an awz_zap_notice of the queue ◄───────────────────┤
 *      └────► awz_zap_answer() ─► the thread answers ◄─ 5 s are over
 *
 * A denial becomes an awz_zap_notice, too, if somebody wants to hear of it. The
 * queue has a descriptor, which is readable while there is a notice or once the
 * authenticator is closed.
 *
 * An awz_zap is memory of malloc(3). It has a reference of the thread, until
 * its socket is closed, and those of Lua. `lock` guards all that both sides
 * change. In a forked child nobody takes the lock: the thread of the parent may
 * have held it.
 *
 * Passwords are in `rules`, in questions that wait, and in notices of them; all
 * are overwritten before they are freed. */
#ifndef AWZ_ZAP_H
#define AWZ_ZAP_H

#include "security/rules.h"

typedef struct awz_zap awz_zap;

extern const char *const AWZ_ZAP_ADDRESS;

/* What the thread tells Lua: a question for the handler, or a denial. */
typedef struct awz_zap_notice {
  struct awz_zap_notice *next;
  uint64_t number; /* of the question; 0: the peer was denied */
  const char *why; /* a constant; NULL: it is a question */
  awz_request request;
} awz_zap_notice;

/* Make an authenticator. Its rules are the caller's until awz_zap_open().
 *
 *   out  gives
 *
 * Returns 0 or a negative code.
 */
int awz_zap_new(awz_zap **out);
awz_rules *awz_zap_rules(awz_zap *zap);

/* Begin to answer for the sockets of the context.
 *
 *   tells  denials become notices
 *
 * Returns 0; -EADDRINUSE: the context has an authenticator; or another negative
 * code. */
int awz_zap_open(awz_zap *zap, awz_context *context, bool tells);

/* Deny the questions that wait, and stop. The address is free when it returns,
 * and the descriptor is closed: nobody may wait for it any more.
 * Closing again does nothing. Call from: not in a forked child. */
void awz_zap_close(awz_zap *zap, awz_context *context);
bool awz_zap_is_closed(awz_zap *zap);

/* Change a key. Returns 0 or AW_ENOMEM. */
int awz_zap_allow_key(awz_zap *zap, const unsigned char *key);
int awz_zap_deny_key(awz_zap *zap, const unsigned char *key);

/* Take the oldest notice. Gives; NULL: there is none. */
awz_zap_notice *awz_zap_take(awz_zap *zap);
void awz_zap_notice_free(awz_zap_notice *notice);
int awz_zap_fd(const awz_zap *zap);

/* Answer a question.
 *
 *   user_id  of a peer that is admitted; NULL: that of its credentials
 *   why      of a denial that becomes news, a constant; NULL: no news
 *
 * Returns false if it waits no longer. */
bool awz_zap_answer(awz_zap *zap, awz_context *context, uint64_t number,
                    bool admits, const awz_text *user_id, const char *why);

awz_zap *awz_zap_keep(awz_zap *zap);
void awz_zap_release(awz_zap *zap);

#endif
