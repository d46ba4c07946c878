/* codes.c - names and texts of all error codes
 *
 * All codes share one number space: those of this library (AW_E*), those of
 * libuv and of the system, which are -errno, and those of libzmq. libuv has
 * names for 80 numbers of the system; Linux has 130. The other names stand
 * here. For an unknown number libuv would allocate a text and never free that
 * text. Here the name of an unknown number is UNKNOWN. Texts are constants and
 * do not depend on the locale.
 */
#include <aiowire.h>

#include <uv.h>

#include <errno.h>

enum { ZMQ_ERRORS = 156384712 }; /* ZMQ_HAUSNUMERO */

/* Of several entries with one number the first counts. */
#define OWN_CODES(E) \
  E(EHOST, "error of the host") \
  E(ETIMEOUT, "timeout") \
  E(EENDED, "it has ended") \
  E(ESTRAY, "stray Cancelled") \
  E(EDEADLOCK, "deadlock: all tasks wait and nothing can wake them") \
  E(ECLOSED, "closed") \
  E(ESELF, "a task cannot wait for itself or for a task above it") \
  E(ETASKCANCELLED, "the task was cancelled") \
  E(ECANCELED, "cancelled") \
  E(ENOMEM, "not enough memory") \
  E(EFORKED, "opened by a process that has forked since") \
  E(EDEPTH, "wires nested too deeply (more than 32768 frames in a task)") \
  E(ENOZMQ, "libzmq 4.3.3 or later is not installed") \
  E(EVERSION, "the host's libuv is another version than the library's")
/* codes of libzmq that are no error numbers of the system */
#define ZMQ_CODES(E) \
  E(EFSM, 51, "not in the current state of the socket") \
  E(ENOCOMPATPROTO, 52, "incompatible transport") \
  E(ETERM, 53, "the context was terminated") \
  E(EMTHREAD, 54, "no I/O thread is available")
#define SYSTEM_CODES(E) \
  E(ENOEXEC, "exec format error") \
  E(ECHILD, "no child processes") \
  E(EDOM, "numerical argument out of domain") \
  E(EDEADLK, "resource deadlock avoided") \
  E(ENOLCK, "no locks available") \
  E(ENOMSG, "no message of desired type") \
  E(EIDRM, "identifier removed") \
  E(ENOLINK, "link has been severed") \
  E(EMULTIHOP, "multihop attempted") \
  E(EBADMSG, "bad message") \
  E(ENETRESET, "network dropped connection on reset") \
  E(EINPROGRESS, "operation now in progress") \
  E(ESTALE, "stale file handle") \
  E(EDQUOT, "disk quota exceeded") \
  E(EOWNERDEAD, "owner died") \
  E(ENOTRECOVERABLE, "state not recoverable")
#ifdef __linux__
#define LINUX_CODES(E) \
  E(ENOTBLK, "block device required") \
  E(ECHRNG, "channel number out of range") \
  E(EL2NSYNC, "Level 2 not synchronized") \
  E(EL3HLT, "Level 3 halted") \
  E(EL3RST, "Level 3 reset") \
  E(ELNRNG, "link number out of range") \
  E(EUNATCH, "protocol driver not attached") \
  E(ENOCSI, "no CSI structure available") \
  E(EL2HLT, "Level 2 halted") \
  E(EBADE, "invalid exchange") \
  E(EBADR, "invalid request descriptor") \
  E(EXFULL, "exchange full") \
  E(ENOANO, "no anode") \
  E(EBADRQC, "invalid request code") \
  E(EBADSLT, "invalid slot") \
  E(EBFONT, "bad font file format") \
  E(ENOSTR, "device not a stream") \
  E(ENODATA, "no data available") \
  E(ETIME, "timer expired") \
  E(ENOSR, "out of streams resources") \
  E(ENOPKG, "package not installed") \
  E(EREMOTE, "object is remote") \
  E(EADV, "advertise error") \
  E(ESRMNT, "srmount error") \
  E(ECOMM, "communication error on send") \
  E(EDOTDOT, "RFS specific error") \
  E(ENOTUNIQ, "name not unique on network") \
  E(EBADFD, "file descriptor in bad state") \
  E(EREMCHG, "remote address changed") \
  E(ELIBACC, "can not access a needed shared library") \
  E(ELIBBAD, "accessing a corrupted shared library") \
  E(ELIBSCN, ".lib section in a.out corrupted") \
  E(ELIBMAX, "attempting to link in too many shared libraries") \
  E(ELIBEXEC, "cannot exec a shared library directly") \
  E(ERESTART, "interrupted system call should be restarted") \
  E(ESTRPIPE, "streams pipe error") \
  E(EUSERS, "too many users") \
  E(EPFNOSUPPORT, "protocol family not supported") \
  E(ETOOMANYREFS, "too many references: cannot splice") \
  E(EUCLEAN, "structure needs cleaning") \
  E(ENOTNAM, "not a XENIX named type file") \
  E(ENAVAIL, "no XENIX semaphores available") \
  E(EISNAM, "is a named type file") \
  E(ENOMEDIUM, "no medium found") \
  E(EMEDIUMTYPE, "wrong medium type") \
  E(ENOKEY, "required key not available") \
  E(EKEYEXPIRED, "key has expired") \
  E(EKEYREVOKED, "key has been revoked") \
  E(EKEYREJECTED, "key was rejected by service") \
  E(ERFKILL, "operation not possible due to RF-kill") \
  E(EHWPOISON, "memory page has hardware error")
#else
#define LINUX_CODES(E)
#endif

#define ALL_CODES(OWN, ZMQ, UV, SYSTEM) \
  OWN_CODES(OWN) \
  ZMQ_CODES(ZMQ) UV_ERRNO_MAP(UV) SYSTEM_CODES(SYSTEM) LINUX_CODES(SYSTEM)

/* All names and texts in one piece. Entries have offsets into it: pointers
 * would be 24 bytes more for each, for their relocations. */
#define OWN_TEXT(n, t)    char own_##n[sizeof #n], own_text_##n[sizeof t];
#define ZMQ_TEXT(n, c, t) char zmq_##n[sizeof #n], zmq_text_##n[sizeof t];
#define UV_TEXT(n, t)     char uv_##n[sizeof #n], uv_text_##n[sizeof t];
#define SYSTEM_TEXT(n, t) char sys_##n[sizeof #n], sys_text_##n[sizeof t];
#define PAIR(n, t)        #n, t,
#define ZMQ_PAIR(n, c, t) #n, t,

typedef struct all_texts {
  char unknown[sizeof "UNKNOWN"], unknown_text[sizeof "unknown error"];
  ALL_CODES(OWN_TEXT, ZMQ_TEXT, UV_TEXT, SYSTEM_TEXT)
} all_texts;

static const all_texts texts = {"UNKNOWN", "unknown error",
                                ALL_CODES(PAIR, ZMQ_PAIR, PAIR, PAIR)};

typedef struct entry {
  int code;
  uint16_t name, text; /* offsets in `texts` */
} entry;

#define AT(member)         (uint16_t) offsetof(all_texts, member)
#define OWN_ENTRY(n, t)    {AW_##n, AT(own_##n), AT(own_text_##n)},
#define ZMQ_ENTRY(n, c, t) {-(ZMQ_ERRORS + c), AT(zmq_##n), AT(zmq_text_##n)},
#define UV_ENTRY(n, t)     {UV_##n, AT(uv_##n), AT(uv_text_##n)},
#define SYSTEM_ENTRY(n, t) {-(n), AT(sys_##n), AT(sys_text_##n)},

static const entry entries[] = {
    ALL_CODES(OWN_ENTRY, ZMQ_ENTRY, UV_ENTRY, SYSTEM_ENTRY)};

_Static_assert(sizeof texts <= UINT16_MAX, "offsets have 16 bits");

static entry find(int code) {
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
    if (entries[i].code == code)
      return entries[i];
  return (entry){0, AT(unknown), AT(unknown_text)};
}

static const char *text_at(size_t offset) {
  return (const char *)&texts + offset;
}

const char *aw_strerror(int code) {
  return code == 0 ? "no error" : text_at(find(code).text);
}

const char *aw_error_name(int code) {
  return text_at(find(code).name);
}
