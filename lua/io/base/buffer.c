/* buffer.c - a queue of bytes in one block of memory
 *
 * When there is no room at the end of the block, the content moves to the
 * front, or to a larger block. The front is chosen only if at least as many
 * bytes were taken there as are left, so no more bytes are moved than were
 * taken.
 */
#include "base/buffer.h"

#include <aiowire.h>

#include <stdint.h>
#include <string.h>

bool awio_buffer_room(awio_buffer *b, size_t more) {
  if (b->size - b->end >= more)
    return true;
  size_t length = awio_buffer_length(b);
  if (b->start >= length && b->size - length >= more) {
    if (length > 0)
      memcpy(b->data, b->data + b->start, length);
    b->start = 0;
    b->end = length;
    return true;
  }
  if (more > SIZE_MAX / 4 || length > SIZE_MAX / 4)
    return false;
  size_t size = length + more;
  if (size < b->size * 2)
    size = b->size * 2;
  char *data = aw_reallocate(NULL, size);
  if (!data)
    return false;
  if (length > 0)
    memcpy(data, b->data + b->start, length);
  aw_free(b->data);
  *b = (awio_buffer){data, 0, length, size};
  return true;
}

bool awio_buffer_add(awio_buffer *b, const char *data, size_t size) {
  if (!awio_buffer_room(b, size))
    return false;
  if (size > 0)
    memcpy(b->data + b->end, data, size);
  b->end += size;
  return true;
}

void awio_buffer_take(awio_buffer *b, size_t count) {
  b->start += count;
  if (b->start == b->end)
    b->start = b->end = 0;
}

void awio_buffer_free(awio_buffer *b) {
  aw_free(b->data);
  *b = (awio_buffer){NULL, 0, 0, 0};
}
