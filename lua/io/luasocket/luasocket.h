/* luasocket.h - sockets with LuaSocket's methods, results and errors, which
 * await (aw.socket)
 *
 *   object.c     userdata, roles, closing
 *   methods.c    the classes and their small methods
 *   wait.c       waits for a descriptor with a time limit; what a cancel closes
 *   receive.c    receive() of a connection
 *   send.c       send() of a connection
 *   datagram.c   sending and receiving of UDP
 *   address.c    bind, connect, listen, accept, names
 *   options.c    setoption, getoption
 *   text.c       error codes as LuaSocket's texts
 *   poll.c       which descriptors are ready now, for select()
 *
 * Why not a Stream: send() must say how many bytes the kernel has taken, a
 * socket may be bound and given options before it is connected, and getfd()
 * tells its descriptor. A Stream has a queue, and is made when it is connected.
 *
 * One call: try the system call; if that would block, wait for the descriptor,
 * at most until the limit of settimeout(); then try again. What settimeout()
 * sets is a limit of each call, from its start. The alarm of the task is that
 * limit, so a wait with a limit needs no scope.
 *
 * A receive() takes bytes out of `in` only when it returns. So a cancelled one
 * has lost nothing. On a time-out, and at the end of the connection, the bytes
 * so far are returned, and are taken.
 *
 * Cancel. Libraries that were written for LuaSocket close a socket when a call
 * returns nil, not when it raises. So a cancel that ends a wait of a socket
 * closes the socket, if the socket was made inside of what is cancelled: nobody
 * outside has got it yet. `maker` and `limit` tell that; see wait.c.
 *
 * Neighbour: lua/aiowire/socket.lua, the module; it looks up names.
 */
#ifndef AWIO_LUASOCKET_H
#define AWIO_LUASOCKET_H

#include "base/address.h"
#include "base/buffer.h"

#include <aiowire.h>
#include <aiowire_lua.h>

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a socket can do. Methods take one or several of them. */
typedef enum awio_ls_role {
  AWIO_LS_MASTER = 1, /* not connected, does not listen */
  AWIO_LS_CLIENT = 2,
  AWIO_LS_SERVER = 4,
  AWIO_LS_UNCONNECTED = 8, /* of UDP */
  AWIO_LS_CONNECTED = 16,  /* of UDP */
  AWIO_LS_STREAMS = 7,
  AWIO_LS_DATAGRAMS = 24,
  AWIO_LS_ANY = 31
} awio_ls_role;

typedef struct awio_ls {
  int fd;     /* -1: there is none yet, or it was closed */
  int family; /* AF_UNSPEC: the first address decides */
  int type;   /* SOCK_STREAM or SOCK_DGRAM */
  unsigned role;
  aw_lua_held held; /* held by the userdata */
  aw_lua_here *here;
  aw_keeper keeper;      /* keeps the watcher of `fd` */
  aw_engine *engine;     /* in which a task waited last; it may be freed */
  bool spread;           /* tasks of several engines have waited for `fd` */
  bool tried;            /* connect() has made `fd`, and has not succeeded */
  unsigned waits;        /* waits for `fd` under way */
  awio_buffer in;        /* bytes from the kernel that nobody has taken */
  uint64_t taken;        /* how often bytes have left `in` */
  size_t scanned;        /* bytes of `in` that hold no end of a line */
  double block, total;   /* of settimeout(), seconds; negative: no limit */
  uint64_t until;        /* the limit of the wait that begins now */
  double received, sent; /* bytes, of getstats() */
  double born;           /* the time of day in seconds, of getstats() */
  uint64_t maker;        /* id of the task that made it, or 0 */
  aw_engine *made_in;    /* the engine of that task; only compared */
  uint64_t limit;        /* aw_task_deadline() of `maker` at that time */
  bool left;             /* `maker` has left what had that deadline */
} awio_ls;

/* ---- object.c ---- */

typedef struct awio_ls_class {
  const char *name; /* as LuaSocket's */
  const char *kind; /* "tcp", "unix" or "udp" */
  unsigned role;
} awio_ls_class;
extern const awio_ls_class awio_ls_classes[]; /* the last has no name */
/* Say that the table on top is the metatable of such a class. */
void awio_ls_mark(lua_State *L);
void awio_ls_finalize(lua_State *L);  /* the userdata at 1 */
void awio_ls_push_text(lua_State *L); /* of the userdata at 1 */
double awio_ls_time_of_day(void);     /* in seconds */

/* Return the socket at 1, which has one of the roles; else raise. */
awio_ls *awio_ls_check(lua_State *L, unsigned roles);
/* Return the socket at 1, in a continuation. */
awio_ls *awio_ls_again(lua_State *L);
/* Push a socket without a descriptor. May raise. */
awio_ls *awio_ls_push(lua_State *L, int family, int type, unsigned role);
/* Change the role of the socket at 1. */
void awio_ls_become(lua_State *L, awio_ls *s, unsigned role);
/* Close the descriptor, if there is one.
 *
 *   engine  the running engine; NULL: the collector closes it */
void awio_ls_close(awio_ls *s, aw_engine *engine);
/* Raise for a code that is no result of LuaSocket, as AW_ENOMEM. */
void awio_ls_refuse(lua_State *L, int code);
/* Return the optional number at `arg`. */
double awio_ls_opt_number(lua_State *L, int arg, double otherwise);
/* Push nil and the text of `code`; return 2. */
int awio_ls_fail(lua_State *L, int code);
/* Push 1.0, LuaSocket's "done", and return 1. */
int awio_ls_done(lua_State *L);

/* Let the socket have a descriptor of the family. Returns 0 or -errno. */
int awio_ls_make(lua_State *L, awio_ls *s, int family); /* in address.c */

/* ---- wait.c ---- */

/* What a call waits for: its operation has the label of the method. */
typedef struct awio_ls_call {
  const aw_operation *wait;
  aw_lua_continue then;
  int start; /* stack index of the call's start, nil at first */
} awio_ls_call;

extern const aw_operation awio_ls_wait_receive, awio_ls_wait_send,
    awio_ls_wait_connect, awio_ls_wait_accept;

/* Begin a call: `call->then` runs at once, or after other tasks had a turn. A
 * socket that never waits, after settimeout(0), may be used outside of tasks.
 * Use it as `return awio_ls_begin(...)`. */
int awio_ls_begin(lua_State *L, awio_ls *s, const awio_ls_call *call);
/* May a call wait? If so, prepares awio_ls_wait(). */
bool awio_ls_may_wait(lua_State *L, awio_ls *s, const awio_ls_call *call);
/* Wait for the descriptor; then `call->then` gets 0, UV_ETIMEDOUT, AW_ECLOSED
 * or another code. */
int awio_ls_wait(lua_State *L, awio_ls *s, const awio_ls_call *call);
/* Note the running task, if there is one, as the maker of the socket. */
void awio_ls_note_maker(lua_State *L, awio_ls *s);

/* ---- text.c ---- */

/* Return the text of a code, such as "closed"; NULL for 0. */
const char *awio_ls_text(int code);

/* ---- methods ---- */

int awio_ls_receive(lua_State *L);
int awio_ls_send(lua_State *L);
int awio_ls_send_datagram(lua_State *L);
int awio_ls_sendto(lua_State *L);
int awio_ls_receive_datagram(lua_State *L);
int awio_ls_receivefrom(lua_State *L);
int awio_ls_accept(lua_State *L);
int awio_ls_listen(lua_State *L);
int awio_ls_shutdown(lua_State *L);
int awio_ls_getpeername(lua_State *L);
int awio_ls_getsockname(lua_State *L);
int awio_ls_setoption(lua_State *L);
int awio_ls_getoption(lua_State *L);

/* For socket.lua. */
extern const luaL_Reg awio_ls_address_inner[], awio_ls_poll_inner[];

#endif
