/* zmq.c - a libzmq whose calls fail at will, and that may have drafts
 *
 * A program that is started with this file in LD_PRELOAD gets it when it opens
 * libzmq. All calls go on to the real libzmq, but for those that are to fail:
 *
 *   local zmq = require "spec_zmq"   the same file
 *   zmq.fail(names, error [, skip [, count]])
 *                    let calls of these functions fail with this number of an
 *                    error: `count` calls (default: all) after the first `skip`
 *                    ones; `names` without "zmq_", with a space between them
 *   zmq.met()        → how many calls of these functions were made since then
 *   zmq.failed()     → how many of them have failed
 *
 * The environment variable SPEC_ZMQ changes the library itself:
 *
 *   missing   it is not installed
 *   foreign   another library has its name
 *   old       it says that it is version 4.3.2
 *   drafts    it has the types of sockets that are drafts, made of others:
 *             SERVER of ROUTER, CLIENT of DEALER, RADIO of PUB, DISH of SUB,
 *             GATHER of PULL, SCATTER of PUSH, CHANNEL of PAIR
 *
 * As in a libzmq with drafts, those sockets have no descriptor without a
 * poller. The number of a peer and a group are where a zmq_msg_t has them.
 */
#define _GNU_SOURCE /* RTLD_NEXT */

#include "preloaded.h"

#include <aiowire_zmq.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { DRAFT = 12, SERVER = 12, RADIO = 14, DISH = 15, DGRAM = 18 };
enum { SUBSCRIBE = 6, UNSUBSCRIBE = 7, FD = 14, MANDATORY = 33 };
enum { SNDMORE = 2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- calls that fail; protected by the lock ---- */

static char names[200];
static int error, met, failed;
static lua_Integer skip, left;

static bool is_named(const char *name) {
  char word[40];
  snprintf(word, sizeof word, " %s ", name);
  return strstr(names, word) != NULL;
}

/* Is `caller` a place in libzmq? Such calls never fail. */
static bool is_inside(void *caller) {
  Dl_info there, libzmq;
  void *known = dlsym(RTLD_NEXT, "zmq_version");
  return known && dladdr(caller, &there) && dladdr(known, &libzmq) &&
         there.dli_fbase == libzmq.dli_fbase;
}

static bool fails(const char *name, void *caller) {
  pthread_mutex_lock(&lock);
  bool yes = is_named(name) && !is_inside(caller);
  if (yes) {
    met++;
    yes = skip <= 0 && left > 0;
    skip--;
  }
  if (yes) {
    left--;
    failed++;
  }
  int code = error;
  pthread_mutex_unlock(&lock);
  if (yes)
    errno = code;
  return yes;
}

/* A function that goes on to the real one. */
#define PASS_ON(type, name, parameters, arguments, failure) \
  AW_API type zmq_##name parameters; \
  type zmq_##name parameters { \
    type(*next) parameters; \
    find("zmq_" #name, &next); \
    return fails(#name, __builtin_return_address(0)) ? failure \
                                                     : next arguments; \
  }

PASS_ON(void *, ctx_new, (void), (), NULL)
PASS_ON(int, ctx_term, (void *context), (context), -1)
PASS_ON(int, ctx_set, (void *context, int option, int value),
        (context, option, value), -1)
PASS_ON(int, ctx_get, (void *context, int option), (context, option), -1)
PASS_ON(int, setsockopt, (void *s, int option, const void *value, size_t size),
        (s, option, value, size), -1)
PASS_ON(int, bind, (void *s, const char *address), (s, address), -1)
PASS_ON(int, connect, (void *s, const char *address), (s, address), -1)
PASS_ON(int, unbind, (void *s, const char *address), (s, address), -1)
PASS_ON(int, disconnect, (void *s, const char *address), (s, address), -1)
PASS_ON(int, msg_init_size, (aw_zmq_message * m, size_t size), (m, size), -1)
PASS_ON(int, msg_copy, (aw_zmq_message * to, aw_zmq_message *from), (to, from),
        -1)
PASS_ON(int, curve_keypair, (char *public, char *secret), (public, secret), -1)
PASS_ON(int, curve_public, (char *public, const char *secret), (public, secret),
        -1)
PASS_ON(int, send, (void *s, const void *data, size_t size, int flags),
        (s, data, size, flags), -1)

AW_API int zmq_socket_monitor(void *s, const char *address, int events);

/* To stop a monitor never fails. */
int zmq_socket_monitor(void *s, const char *address, int events) {
  int (*next)(void *, const char *, int);
  find("zmq_socket_monitor", &next);
  if (address && fails("socket_monitor", __builtin_return_address(0)))
    return -1;
  return next(s, address, events);
}

/* ---- the library itself ---- */

static bool is(const char *kind) {
  const char *set = getenv("SPEC_ZMQ");
  return set && strcmp(set, kind) == 0;
}

AW_API void *dlopen(const char *name, int flags);

void *dlopen(const char *name, int flags) {
  void *(*next)(const char *, int);
  Dl_info self;
  find("dlopen", &next);
  if (!name || !strstr(name, "libzmq."))
    return next(name, flags);
  if (is("missing"))
    return NULL;
  if (is("foreign"))
    return next("libc.so.6", flags);
  return dladdr(names, &self) ? next(self.dli_fname, flags) : NULL;
}

AW_API void zmq_version(int *major, int *minor, int *patch);

void zmq_version(int *major, int *minor, int *patch) {
  void (*next)(int *, int *, int *);
  find("zmq_version", &next);
  next(major, minor, patch);
  if (is("old")) {
    *major = 4;
    *minor = 3;
    *patch = 2;
  }
}

AW_API int zmq_has(const char *capability);

int zmq_has(const char *capability) {
  int (*next)(const char *);
  find("zmq_has", &next);
  if (strcmp(capability, "draft") == 0 && is("drafts"))
    return 1;
  return next(capability);
}

/* ---- sockets that are drafts; protected by the lock ---- */

enum { MOST = 4096, NAME = 14 };
static struct {
  void *socket;
  int type;
} drafts[MOST];
static struct {
  void *socket;
  char name[NAME + 1];
} groups[MOST];

/* Returns the type of a socket that is a draft, or 0. `set` changes it. */
static int draft_type(void *socket, int set) {
  int type = 0;
  pthread_mutex_lock(&lock);
  for (size_t i = 0; socket && i < MOST; i++)
    if (drafts[i].socket == socket || (set > 0 && !drafts[i].socket)) {
      type = set > 0 ? set : drafts[i].type;
      drafts[i].type = type;
      drafts[i].socket = set < 0 ? NULL : socket;
      break;
    }
  pthread_mutex_unlock(&lock);
  return type;
}

AW_API void *zmq_socket(void *context, int type);

void *zmq_socket(void *context, int type) {
  static const int made_of[] = {6, 5, 1, 2, 7, 8, DGRAM, 19, 0};
  void *(*next)(void *, int);
  int (*set)(void *, int, const void *, size_t), on = 1;
  find("zmq_socket", &next);
  find("zmq_setsockopt", &set);
  if (fails("socket", __builtin_return_address(0)))
    return NULL;
  void *socket = next(context, type < DRAFT ? type : made_of[type - DRAFT]);
  if (type >= DRAFT && type != DGRAM)
    draft_type(socket, type);
  if (socket && type == SERVER)
    set(socket, MANDATORY, &on, sizeof on);
  return socket;
}

AW_API int zmq_close(void *socket);

int zmq_close(void *socket) {
  int (*next)(void *);
  find("zmq_close", &next);
  draft_type(socket, -1);
  return next(socket);
}

AW_API int zmq_getsockopt(void *s, int option, void *value, size_t *size);

int zmq_getsockopt(void *s, int option, void *value, size_t *size) {
  int (*next)(void *, int, void *, size_t *);
  find("zmq_getsockopt", &next);
  if (fails("getsockopt", __builtin_return_address(0)))
    return -1;
  if (option != FD || draft_type(s, 0) == 0)
    return next(s, option, value, size);
  errno = EINVAL;
  return -1;
}

/* ---- labels of messages ---- */

enum { NUMBER_AT = 44, GROUP_AT = 49 };

AW_API int zmq_msg_set_routing_id(aw_zmq_message *message, uint32_t number);
AW_API uint32_t zmq_msg_routing_id(aw_zmq_message *message);
AW_API int zmq_msg_set_group(aw_zmq_message *message, const char *group);
AW_API const char *zmq_msg_group(aw_zmq_message *message);

int zmq_msg_set_routing_id(aw_zmq_message *message, uint32_t number) {
  if (fails("msg_set_routing_id", __builtin_return_address(0)))
    return -1;
  memcpy(message->bytes + NUMBER_AT, &number, sizeof number);
  return 0;
}

uint32_t zmq_msg_routing_id(aw_zmq_message *message) {
  uint32_t number;
  memcpy(&number, message->bytes + NUMBER_AT, sizeof number);
  return number;
}

int zmq_msg_set_group(aw_zmq_message *message, const char *group) {
  size_t size = strlen(group) + 1;
  if (fails("msg_set_group", __builtin_return_address(0)))
    return -1;
  if (size <= NAME + 1)
    memcpy(message->bytes + GROUP_AT, group, size);
  return size <= NAME + 1 ? 0 : (errno = EINVAL, -1);
}

const char *zmq_msg_group(aw_zmq_message *message) {
  return (const char *)message->bytes + GROUP_AT;
}

/* ---- messages ---- */

static struct {
  int (*init)(aw_zmq_message *);
  int (*init_size)(aw_zmq_message *, size_t);
  int (*close)(aw_zmq_message *);
  int (*move)(aw_zmq_message *, aw_zmq_message *);
  void *(*data)(aw_zmq_message *);
  size_t (*size)(const aw_zmq_message *);
  int (*send)(aw_zmq_message *, void *, int);
  int (*receive)(aw_zmq_message *, void *, int);
  int (*send_copy)(void *, const void *, size_t, int);
} real;

__attribute__((constructor)) static void find_real(void) {
  find("zmq_msg_init", &real.init);
  find("zmq_msg_init_size", &real.init_size);
  find("zmq_msg_close", &real.close);
  find("zmq_msg_move", &real.move);
  find("zmq_msg_data", &real.data);
  find("zmq_msg_size", &real.size);
  find("zmq_msg_send", &real.send);
  find("zmq_msg_recv", &real.receive);
  find("zmq_send", &real.send_copy);
  unsetenv("LD_PRELOAD"); /* children without Lua could not load this file */
}

/* The name that a ROUTER has made for a peer: a zero byte and a number. */
static int send_to_number(aw_zmq_message *message, void *socket, int flags) {
  uint32_t number = zmq_msg_routing_id(message);
  unsigned char name[] = {0, (unsigned char)(number >> 24),
                          (unsigned char)(number >> 16),
                          (unsigned char)(number >> 8), (unsigned char)number};
  if (real.send_copy(socket, name, sizeof name, flags | SNDMORE) < 0)
    return -1;
  zmq_msg_set_routing_id(message, 0);
  return real.send(message, socket, flags);
}

static int receive_from_number(aw_zmq_message *message, void *socket,
                               int flags) {
  if (real.receive(message, socket, flags) < 0)
    return -1;
  const unsigned char *name = real.data(message);
  uint32_t number = (uint32_t)name[1] << 24 | (uint32_t)name[2] << 16 |
                    (uint32_t)name[3] << 8 | name[4];
  int rc = real.receive(message, socket, flags);
  memcpy(message->bytes + NUMBER_AT, &number, sizeof number);
  return rc;
}

/* It is sent as one text: its group, a zero byte, and the rest. */
static int send_to_group(aw_zmq_message *message, void *socket, int flags) {
  const char *group = zmq_msg_group(message);
  size_t length = strlen(group) + 1, size = real.size(message);
  aw_zmq_message whole;
  real.init_size(&whole, length + size);
  memcpy(real.data(&whole), group, length);
  memcpy((char *)real.data(&whole) + length, real.data(message), size);
  int rc = real.send(&whole, socket, flags);
  real.close(rc < 0 ? &whole : message);
  if (rc >= 0)
    real.init(message);
  return rc;
}

static int receive_from_group(aw_zmq_message *message, void *socket,
                              int flags) {
  int rc = real.receive(message, socket, flags);
  if (rc < 0)
    return rc;
  const char *whole = real.data(message);
  size_t length = strlen(whole) + 1, size = real.size(message) - length;
  aw_zmq_message rest;
  real.init_size(&rest, size);
  memcpy(real.data(&rest), whole + length, size);
  memcpy(rest.bytes + GROUP_AT, whole, length);
  real.move(message, &rest);
  return (int)size;
}

AW_API int zmq_msg_send(aw_zmq_message *message, void *socket, int flags);
AW_API int zmq_msg_recv(aw_zmq_message *message, void *socket, int flags);

int zmq_msg_send(aw_zmq_message *message, void *socket, int flags) {
  if (fails("msg_send", __builtin_return_address(0)))
    return -1;
  switch (draft_type(socket, 0)) {
  case SERVER: return send_to_number(message, socket, flags);
  case RADIO: return send_to_group(message, socket, flags);
  default: return real.send(message, socket, flags);
  }
}

int zmq_msg_recv(aw_zmq_message *message, void *socket, int flags) {
  if (fails("msg_recv", __builtin_return_address(0)))
    return -1;
  switch (draft_type(socket, 0)) {
  case SERVER: return receive_from_number(message, socket, flags);
  case DISH: return receive_from_group(message, socket, flags);
  default: return real.receive(message, socket, flags);
  }
}

/* ---- groups ---- */

AW_API int zmq_join(void *socket, const char *group);
AW_API int zmq_leave(void *socket, const char *group);

/* Returns true if there is room, or such a group. */
static bool note_group(void *socket, const char *group, bool joins) {
  bool found = false;
  pthread_mutex_lock(&lock);
  for (size_t i = 0; !found && i < MOST; i++) {
    found = joins ? !groups[i].socket
                  : groups[i].socket == socket &&
                        strcmp(groups[i].name, group) == 0;
    if (found) {
      groups[i].socket = joins ? socket : NULL;
      snprintf(groups[i].name, sizeof groups[i].name, "%s", group);
    }
  }
  pthread_mutex_unlock(&lock);
  return found;
}

static int change_group(void *socket, const char *group, bool joins) {
  int (*set)(void *, int, const void *, size_t);
  find("zmq_setsockopt", &set);
  if (strlen(group) <= NAME && note_group(socket, group, joins))
    return set(socket, joins ? SUBSCRIBE : UNSUBSCRIBE, group,
               strlen(group) + 1);
  errno = EINVAL;
  return -1;
}

int zmq_join(void *socket, const char *group) {
  return change_group(socket, group, true);
}

int zmq_leave(void *socket, const char *group) {
  return change_group(socket, group, false);
}

/* ---- a poller, of one socket ---- */

AW_API void *zmq_poller_new(void);
AW_API int zmq_poller_destroy(void **poller);
AW_API int zmq_poller_add(void *poller, void *socket, void *data, short events);
AW_API int zmq_poller_wait(void *poller, aw_zmq_poller_event *event, long ms);
AW_API int zmq_poller_fd(void *poller, int *fd);

void *zmq_poller_new(void) {
  bool yes = fails("poller_new", __builtin_return_address(0));
  return yes ? NULL : calloc(1, sizeof(void *));
}

int zmq_poller_destroy(void **poller) {
  free(*poller);
  *poller = NULL;
  return 0;
}

int zmq_poller_add(void *poller, void *socket, void *data, short events) {
  (void)data;
  (void)events;
  *(void **)poller = socket;
  return fails("poller_add", __builtin_return_address(0)) ? -1 : 0;
}

int zmq_poller_wait(void *poller, aw_zmq_poller_event *event, long ms) {
  (void)poller;
  (void)event;
  (void)ms;
  errno = EAGAIN;
  return -1;
}

int zmq_poller_fd(void *poller, int *fd) {
  int (*get)(void *, int, void *, size_t *);
  size_t size = sizeof *fd;
  find("zmq_getsockopt", &get);
  return get(*(void **)poller, FD, fd, &size);
}

/* ---- the module ---- */

static int z_fail(lua_State *L) {
  pthread_mutex_lock(&lock);
  snprintf(names, sizeof names, " %s ", lua_tostring(L, 1));
  error = (int)lua_tointeger(L, 2);
  skip = luaL_optinteger(L, 3, 0);
  left = luaL_optinteger(L, 4, LUA_MAXINTEGER);
  met = failed = 0;
  pthread_mutex_unlock(&lock);
  return 0;
}

static int pushed(lua_State *L, const int *number) {
  pthread_mutex_lock(&lock);
  int now = *number;
  pthread_mutex_unlock(&lock);
  lua_pushinteger(L, now);
  return 1;
}

static int z_met(lua_State *L) {
  return pushed(L, &met);
}

static int z_failed(lua_State *L) {
  return pushed(L, &failed);
}

AW_API int luaopen_spec_zmq(lua_State *L);

int luaopen_spec_zmq(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"fail", z_fail},     {"met", z_met},         {"failed", z_failed},
      {"refuse", f_refuse}, {"threads", f_threads}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
