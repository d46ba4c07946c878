/* wipe.h - overwriting memory that has held a secret */
#ifndef AWIO_WIPE_H
#define AWIO_WIPE_H

#include <stddef.h>

/* Overwrite `size` bytes with zeros. No compiler leaves the call out, although
 * nobody reads the bytes again. Call from: any thread. */
void awio_wipe(void *data, size_t size);

#endif
