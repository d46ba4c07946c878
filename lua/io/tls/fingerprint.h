/* fingerprint.h - settings of TLS, and the state of their files, as 32 bytes */
#ifndef AWIO_TLS_FINGERPRINT_H
#define AWIO_TLS_FINGERPRINT_H

#include "tls/settings.h"

enum { AWIO_TLS_FINGERPRINT = 32 };

/* Compute the SHA-256 of all options. A file or a folder counts by its path,
 * inode, size and times, so a changed one gives another fingerprint. OpenSSL
 * must be open. Returns false without memory, or if OpenSSL lacks SHA-256. */
bool awio_tls_fingerprint(const awio_tls_settings *settings,
                          unsigned char out[AWIO_TLS_FINGERPRINT]);

#endif
