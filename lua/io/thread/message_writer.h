/* message_writer.h - the state of message_write.c, which message_way.c reads */
#ifndef AWIO_MESSAGE_WRITER_H
#define AWIO_MESSAGE_WRITER_H

#include "thread/message_format.h"

/* What is known of a table while the message is written. */
typedef struct awio_writing {
  size_t parent; /* the table in which it was found; 0: it is value `value` */
  int value;
  size_t hints; /* offset of its hints */
  bool lenient; /* what cannot be copied becomes text */
} awio_writing;

/* A table, or one of the others, by its address; NULL: the cell is free. */
typedef struct awio_seen {
  const void *address;
  int64_t number;
  bool kept; /* AWIO_TABLES keeps it alive */
} awio_seen;

enum { AWIO_SMALL = 512, AWIO_FEW_TABLES = 4, AWIO_FEW_SEEN = 16 };

/* Most messages fit into the blocks that are part of this struct. */
typedef struct awio_writer {
  lua_State *L;
  awio_message head;      /* becomes that of the message */
  unsigned char *data;    /* `small`, or in `block` */
  size_t room;            /* of `data` */
  awio_message *block;    /* NULL: there is none */
  awio_writing *writings; /* by the number of the table - 1 */
  size_t writings_room;
  awio_seen *seen; /* a hash table; its size is a power of 2 */
  size_t seen_size, seen_count;
  /* others up to this number that are not kept have no reliable address */
  int64_t forgotten;

  /* where it is */
  size_t table; /* the number of the table that is written; 0: none */
  int value;    /* the number of the value, from 0 */
  int base;     /* index below the table that is written */
  bool lenient;
  bool in_key; /* the key is written, not its value */
  bool failed; /* the error is a text that says what cannot be copied */
  const char *what;
  int number; /* of the first value in messages; 0: they have none */

  unsigned char small[AWIO_SMALL];
  awio_writing few_writings[AWIO_FEW_TABLES];
  awio_seen few_seen[AWIO_FEW_SEEN];
} awio_writer;

/* Indices on the stack of the protected call that writes. */
enum {
  AWIO_WRITER = 1, /* light userdata of the awio_writer */
  AWIO_TABLES,     /* tables by their numbers, and others that are kept */
  AWIO_FIRST       /* the first value */
};

/* Indices on that stack while a table is written. */
enum { AWIO_TABLE_AT = 1, AWIO_KEY_AT, AWIO_VALUE_AT }; /* above `base` */

/* Push the way to the value that is written, as "argument 2, field 'x[3].y'".
 */
void awio_message_push_way(awio_writer *w);

#endif
