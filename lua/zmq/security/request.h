/* request.h - what libzmq asks about a peer (RFC 27, "ZAP") */
#ifndef AWZ_REQUEST_H
#define AWZ_REQUEST_H

#include "security/key_file.h"

#include <string.h>

/* A field of a request: at most 255 bytes, and a zero byte. */
typedef struct awz_text {
  size_t size;
  char data[256];
} awz_text;

typedef enum awz_mechanism {
  AWZ_NULL,
  AWZ_PLAIN,
  AWZ_CURVE,
  AWZ_OTHER /* such as GSSAPI: a handler decides */
} awz_mechanism;

typedef struct awz_request {
  awz_text domain, address, identity, mechanism;
  awz_text username, password;      /* of PLAIN; the password is secret */
  unsigned char key[AWZ_KEY_BYTES]; /* of CURVE */
  awz_mechanism kind;
} awz_request;

/* Copy `size` bytes, and fill the rest with zeros. Returns false if they are
 * too many. */
static inline bool awz_text_set(awz_text *text, const void *data, size_t size) {
  if (size >= sizeof text->data)
    return false;
  memset(text, 0, sizeof *text);
  memcpy(text->data, data, size);
  text->size = size;
  return true;
}

#endif
