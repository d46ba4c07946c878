/* message_format.h - the bytes of a message
 *
 * `data` begins with the items of the values. Then follow the tables, in the
 * order of their numbers: the entries of a table are items, up to an END. A
 * value alone is at the next index of a list; KEY precedes a key and its value.
 *
 *     {7, x={}}  as  TABLE                        number 1
 *                    INTEGER 7  KEY TEXT x TABLE  END   of number 1, has 2
 *                    END                          of number 2
 *
 * So neither the depth of tables nor cycles matter to the code that writes and
 * reads. Tables are numbered from 1, in the order of their items. Long strings,
 * functions and objects ("others") are numbered from -1 downwards, in the same
 * way. AGAIN stands for what has a number already.
 *
 * A message never leaves the process, so items hold pointers and numbers as
 * memory has them, but unaligned.
 */
#ifndef AWIO_MESSAGE_FORMAT_H
#define AWIO_MESSAGE_FORMAT_H

#include <aiowire_lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum awio_item {
  AWIO_END,
  AWIO_KEY,
  AWIO_NIL,
  AWIO_FALSE,
  AWIO_TRUE,
  AWIO_INTEGER,  /* lua_Integer */
  AWIO_FLOAT,    /* lua_Number */
  AWIO_ADDRESS,  /* void * */
  AWIO_TEXT,     /* uint8_t size, and the bytes */
  AWIO_STRING,   /* size_t size, and the bytes */
  AWIO_TABLE,    /* awio_hints */
  AWIO_ERROR,    /* awio_hints, and a const char *: its class */
  AWIO_FUNCTION, /* size_t size, and what lua_dump() wrote */
  AWIO_OBJECT,   /* awio_object */
  AWIO_AGAIN     /* int64_t: the number */
} awio_item;

/* The longest AWIO_TEXT. Lua keeps such strings once, so they have no
 * number. */
enum { AWIO_LONGEST_TEXT = 40 };

/* The sizes of a table. */
typedef struct awio_hints {
  uint32_t list, hash;
} awio_hints;

typedef struct awio_object {
  const aw_lua_transfer *transfer;
  void *reference;
  size_t previous; /* offset of the previous awio_object, or AWIO_NOWHERE */
} awio_object;
#define AWIO_NOWHERE SIZE_MAX

/* The head of a message; `data` follows it. */
typedef struct awio_message {
  int count;   /* of values */
  bool again;  /* some of the others occurs again */
  size_t size; /* of `data` */
  size_t tables, others;
  size_t last_object; /* offset of the last awio_object, or AWIO_NOWHERE */
} awio_message;

static inline unsigned char *awio_message_data(const awio_message *message) {
  return (unsigned char *)(message + 1);
}

/* Set up the fields that have no zero. */
void awio_message_init(awio_message *message);
/* Release the references that `data` holds; of `message`, only its head is
 * used. */
void awio_message_release_objects(const awio_message *message,
                                  const unsigned char *data);

#endif
