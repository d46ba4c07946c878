/* key_file.h - files with keys of CURVE, in the format of CZMQ's certificates
 *
 *     #   ZeroMQ CURVE **Secret** Certificate        comments
 *
 *     metadata                                       a section, not read here
 *     curve
 *         public-key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
 *         secret-key = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
 *
 * That is ZPL (ZeroMQ's RFC 4): a line is indented by four spaces for each
 * level, and the first one of several equal names counts. Of the other sections
 * only the indentation matters, since CZMQ writes values there that it cannot
 * read itself.
 *
 * Memory that has held bytes of a file is overwritten before it is freed, and
 * the text of a fault shows no byte of a file. No Lua here. Call from: any
 * thread.
 */
#ifndef AWZ_KEY_FILE_H
#define AWZ_KEY_FILE_H

#include "base/wipe.h"
#include "zmq.h"

/* Keys as text; "": none. */
typedef struct awz_keys {
  char public_key[AWZ_KEY_SIZE];
  char secret[AWZ_KEY_SIZE];
} awz_keys;

/* What is known of a file besides its keys. */
typedef struct awz_key_note {
  const char *fault; /* what is wrong in `line`, with -EBADMSG */
  int line;          /* 0: the whole file */
  unsigned shared;   /* bits of its mode that let others use it */
} awz_key_note;

/* Read the keys of a file. A public key that is missing is computed; a secret
 * of forty zeroes is CZMQ's way to say that there is none. Blocks for the time
 * of the read.
 *
 *   keys  receives the keys, on failure none; wipe them
 *   note  receives what else there is to know
 *
 * Returns 0; -EBADMSG, and `note` says why; a code of open(2) or read(2);
 * -EISDIR; -EINVAL if it is another thing than a file; or a code of
 * aw_zmq_open(). */
int awz_key_file_load(const char *path, awz_keys *keys, awz_key_note *note);

/* Write the keys into a new file, which then takes the place of the old one.
 * Only the owner may use it (mode 0600). If that fails, the old file is as it
 * was. A symbolic link at `path` is replaced, not followed. Blocks until the
 * disk has the file.
 *
 * Returns 0 or a negative code. */
int awz_key_file_save(const char *path, const awz_keys *keys);

#endif
