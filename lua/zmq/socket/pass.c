/* pass.c - sends a received message, without making Lua strings of it
 *
 * The frames move from one socket to another inside libzmq. If the peer is lost
 * in the middle of a message, libzmq has taken some frames, and drops them. So
 * for sockets where that happens all frames but the last are sent as copies:
 * then the whole message is still there, and can be sent to another peer. A
 * copy of a large frame shares its memory.
 *
 * The frames of the last small message stay with libzmq after Lua has got its
 * strings. If Lua then sends the same bytes, these frames are sent. Comparing
 * the bytes costs a quarter of making new frames.
 *
 * Neighbours: message.c receives; send.c sends Lua strings.
 */
#include "watch/subscribers.h"

#include <errno.h>
#include <string.h>

/* Tell whether a send can fail after the first frame. A ROUTER then drops the
 * message, because its peer is gone, and publishers never refuse. */
static bool may_break(const awz_socket *s) {
  enum { PAIR = 0 };
  return s->type->balanced || s->type->number == PAIR;
}

static int send_copy_of(awz_socket *to, awz_frame *frame) {
  aw_zmq_message copy;
  int rc = awz_raw_copy(to, &copy, &frame->message);
  if (rc == 0)
    rc = awz_raw_send(to, &copy, true);
  if (rc < 0)
    awz_raw_drop(to, &copy);
  return rc;
}

/* The peer was lost before frame `next` of a balanced socket: libzmq drops the
 * frames up to the end of the message, so pass copies of them to libzmq, or it
 * would drop the next message instead. */
static void swallow_rest(awz_socket *to, awz_message *message, size_t next) {
  for (size_t i = next; i + 1 < message->count; i++)
    if (send_copy_of(to, &message->frames[i]) < 0)
      return;
  aw_zmq_message end;
  awz_raw_init(to, &end);
  if (awz_raw_send(to, &end, false) < 0)
    awz_raw_drop(to, &end);
}

static int send_breakable(awz_socket *to, awz_message *message) {
  size_t last = message->count - 1;
  for (size_t i = 0; i <= last; i++) {
    awz_frame *frame = &message->frames[i];
    int rc = i < last ? send_copy_of(to, frame)
                      : awz_raw_send(to, &frame->message, false);
    if (rc < 0) {
      if (i > 0 && i < last && to->type->balanced)
        swallow_rest(to, message, i + 1);
      return rc;
    }
  }
  return 0;
}

AWZ_INLINE int send_whole(awz_socket *to, awz_message *message) {
  bool many = message->count > 1;
  if (many && to->overwrites)
    return -EINVAL; /* libzmq conflates messages of one part only */
  if (many && may_break(to))
    return send_breakable(to, message);
  int rc = awz_raw_send_frames(to, message->frames, message->count);
  if (rc < 0)
    return rc;
  message->count = message->bytes = 0; /* libzmq has left them empty */
  awz_subscribers_sent(to);
  return 0;
}

int awz_message_send(awz_socket *to, awz_message *message) {
  return send_whole(to, message);
}

/* ---- sent by Lua as it came ---- */

static inline bool has_bytes(const awz_frame *frame, const awz_part *part) {
  return frame->text && frame->size == part->size &&
         memcmp(frame->text, part->data, part->size) == 0;
}

/* An answer has the id of its request, but another body: begin at the end. */
static inline bool is_same(const awz_message *message, const awz_part *parts,
                           size_t count) {
  if (!message || message->given != count)
    return false;
  while (count > 0 && has_bytes(&message->frames[count - 1], &parts[count - 1]))
    count--;
  return count == 0;
}

AWZ_INLINE int send_given(awz_socket *to, awz_message *message, size_t count) {
  message->count = count;
  int rc = send_whole(to, message);
  message->count = 0;
  return rc;
}

int awz_message_send_same(awz_socket *to, const awz_part *parts, size_t count) {
  const awz_socket *giver = to->context->giver;
  awz_message *message = giver ? giver->coming : NULL;
  if (!is_same(message, parts, count) || giver->type->label)
    return 1;
  message->given = 0;
  return send_given(to, message, count);
}
