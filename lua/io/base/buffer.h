/* buffer.h - a queue of bytes */
#ifndef AWIO_BUFFER_H
#define AWIO_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* The content is data[start] to data[end - 1]. A buffer of zeros is empty. */
typedef struct awio_buffer {
  char *data;
  size_t start, end, size;
} awio_buffer;

/* Make room for `more` bytes after the content; false: out of memory. */
bool awio_buffer_room(awio_buffer *buffer, size_t more);
/* Append a copy of `data`; false: out of memory. */
bool awio_buffer_add(awio_buffer *buffer, const char *data, size_t size);
/* Remove the first `count` bytes. */
void awio_buffer_take(awio_buffer *buffer, size_t count);
/* Free the block. The buffer is empty then, and may be used again. */
void awio_buffer_free(awio_buffer *buffer);

static inline size_t awio_buffer_length(const awio_buffer *buffer) {
  return buffer->end - buffer->start;
}

#endif
