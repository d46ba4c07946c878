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

typedef struct entry {
  int code;
  const char *name, *text;
} entry;

#define OF_UV(name, text) {UV_##name, #name, text},
#define CODE(name, text) \
  { -(name), #name, text }

/* Of several entries with one number the first counts. */
static const entry entries[] = {
    {AW_EHOST, "EHOST", "error of the host"},
    {AW_ETIMEOUT, "ETIMEOUT", "timeout"},
    {AW_EENDED, "EENDED", "it has ended"},
    {AW_ESTRAY, "ESTRAY", "stray Cancelled"},
    {AW_EDEADLOCK, "EDEADLOCK",
     "deadlock: all tasks wait and nothing can wake them"},
    {AW_ECLOSED, "ECLOSED", "closed"},
    {AW_ESELF, "ESELF", "a task cannot wait for itself or for a task above it"},
    {AW_ETASKCANCELLED, "ETASKCANCELLED", "the task was cancelled"},
    {AW_ECANCELED, "ECANCELED", "cancelled"},
    {AW_ENOMEM, "ENOMEM", "not enough memory"},
    {AW_EFORKED, "EFORKED", "opened by a process that has forked since"},
    {AW_EDEPTH, "EDEPTH",
     "wires nested too deeply (more than 32768 frames in a task)"},
    {AW_ENOZMQ, "ENOZMQ", "libzmq 4.3.3 or later is not installed"},
    /* codes of libzmq that are no error numbers of the system */
    {-(ZMQ_ERRORS + 51), "EFSM", "not in the current state of the socket"},
    {-(ZMQ_ERRORS + 52), "ENOCOMPATPROTO", "incompatible transport"},
    {-(ZMQ_ERRORS + 53), "ETERM", "the context was terminated"},
    {-(ZMQ_ERRORS + 54), "EMTHREAD", "no I/O thread is available"},
    UV_ERRNO_MAP(OF_UV) CODE(ENOEXEC, "exec format error"),
    CODE(ECHILD, "no child processes"),
    CODE(EDOM, "numerical argument out of domain"),
    CODE(EDEADLK, "resource deadlock avoided"),
    CODE(ENOLCK, "no locks available"),
    CODE(ENOMSG, "no message of desired type"),
    CODE(EIDRM, "identifier removed"),
    CODE(ENOLINK, "link has been severed"),
    CODE(EMULTIHOP, "multihop attempted"),
    CODE(EBADMSG, "bad message"),
    CODE(ENETRESET, "network dropped connection on reset"),
    CODE(EINPROGRESS, "operation now in progress"),
    CODE(ESTALE, "stale file handle"),
    CODE(EDQUOT, "disk quota exceeded"),
    CODE(EOWNERDEAD, "owner died"),
    CODE(ENOTRECOVERABLE, "state not recoverable"),
#ifdef __linux__
    CODE(ENOTBLK, "block device required"),
    CODE(ECHRNG, "channel number out of range"),
    CODE(EL2NSYNC, "Level 2 not synchronized"),
    CODE(EL3HLT, "Level 3 halted"),
    CODE(EL3RST, "Level 3 reset"),
    CODE(ELNRNG, "link number out of range"),
    CODE(EUNATCH, "protocol driver not attached"),
    CODE(ENOCSI, "no CSI structure available"),
    CODE(EL2HLT, "Level 2 halted"),
    CODE(EBADE, "invalid exchange"),
    CODE(EBADR, "invalid request descriptor"),
    CODE(EXFULL, "exchange full"),
    CODE(ENOANO, "no anode"),
    CODE(EBADRQC, "invalid request code"),
    CODE(EBADSLT, "invalid slot"),
    CODE(EBFONT, "bad font file format"),
    CODE(ENOSTR, "device not a stream"),
    CODE(ENODATA, "no data available"),
    CODE(ETIME, "timer expired"),
    CODE(ENOSR, "out of streams resources"),
    CODE(ENOPKG, "package not installed"),
    CODE(EREMOTE, "object is remote"),
    CODE(EADV, "advertise error"),
    CODE(ESRMNT, "srmount error"),
    CODE(ECOMM, "communication error on send"),
    CODE(EDOTDOT, "RFS specific error"),
    CODE(ENOTUNIQ, "name not unique on network"),
    CODE(EBADFD, "file descriptor in bad state"),
    CODE(EREMCHG, "remote address changed"),
    CODE(ELIBACC, "can not access a needed shared library"),
    CODE(ELIBBAD, "accessing a corrupted shared library"),
    CODE(ELIBSCN, ".lib section in a.out corrupted"),
    CODE(ELIBMAX, "attempting to link in too many shared libraries"),
    CODE(ELIBEXEC, "cannot exec a shared library directly"),
    CODE(ERESTART, "interrupted system call should be restarted"),
    CODE(ESTRPIPE, "streams pipe error"),
    CODE(EUSERS, "too many users"),
    CODE(EPFNOSUPPORT, "protocol family not supported"),
    CODE(ETOOMANYREFS, "too many references: cannot splice"),
    CODE(EUCLEAN, "structure needs cleaning"),
    CODE(ENOTNAM, "not a XENIX named type file"),
    CODE(ENAVAIL, "no XENIX semaphores available"),
    CODE(EISNAM, "is a named type file"),
    CODE(ENOMEDIUM, "no medium found"),
    CODE(EMEDIUMTYPE, "wrong medium type"),
    CODE(ENOKEY, "required key not available"),
    CODE(EKEYEXPIRED, "key has expired"),
    CODE(EKEYREVOKED, "key has been revoked"),
    CODE(EKEYREJECTED, "key was rejected by service"),
    CODE(ERFKILL, "operation not possible due to RF-kill"),
    CODE(EHWPOISON, "memory page has hardware error"),
#endif
};

static const entry *find(int code) {
  static const entry UNKNOWN = {0, "UNKNOWN", "unknown error"};
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
    if (entries[i].code == code)
      return &entries[i];
  return &UNKNOWN;
}

const char *aw_strerror(int code) {
  return code == 0 ? "no error" : find(code)->text;
}

const char *aw_error_name(int code) {
  return find(code)->name;
}
