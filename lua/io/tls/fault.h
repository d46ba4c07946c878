/* fault.h - what has failed in TLS
 *
 *     call of OpenSSL fails ─► its queue of errors ─► awio_fault ─► TLSError
 *
 * OpenSSL's queue belongs to the thread, and the next call may change it. So a
 * failed call is followed at once by awio_fault_take().
 */
#ifndef AWIO_FAULT_H
#define AWIO_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* A result beside the codes of the library and of the system: TLS has failed,
 * and an awio_fault says how. No other module sees it. */
enum { AWIO_ETLS = -25001 };

struct X509_name_st; /* of OpenSSL */

typedef struct awio_fault {
  /* AWIO_ETLS, whose texts are below; or AW_ENOMEM, or -errno; 0: none */
  int code;
  char name[80];         /* as OpenSSL has it: "CERTIFICATE_VERIFY_FAILED" */
  char detail[160];      /* "certificate has expired", or "" */
  char certificate[256]; /* the subject of the one that was refused, or "" */
  bool from_peer;        /* the peer sent it as an alert */
  char about[256];       /* the file that was read, or "" */
} awio_fault;

/* Empty OpenSSL's queue of errors. Call this before a call whose fault will be
 * taken. */
void awio_fault_clear(void);

/* Make the fault of the call that has failed, and empty the queue. Texts from
 * outside, such as the subjects of certificates, hold no control characters
 * then. */
void awio_fault_take(awio_fault *fault);

/* Make a fault of our own. `detail` may be "". */
void awio_fault_set(awio_fault *fault, const char *name, const char *detail);

/* Make a fault of the system, or of memory: -errno or AW_ENOMEM. */
void awio_fault_system(awio_fault *fault, int code);

/* Say which file a fault is about. Of a long path the end is kept. */
void awio_fault_about(awio_fault *fault, const char *text);

/* Write the name in a certificate, as "CN = expired.example", without control
 * characters; "" without memory. */
void awio_fault_name_text(const struct X509_name_st *name, char *out,
                          size_t size);

#endif
