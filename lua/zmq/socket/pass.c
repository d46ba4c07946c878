/* pass.c - sends a received message, without making Lua strings of it
 *
 * The frames move from one socket to another inside libzmq. If the peer is lost
 * in the middle of a message, libzmq has taken some frames, and drops them. So
 * for sockets where that happens all frames but the last are sent as copies:
 * then the whole message is still there, and can be sent to another peer. A
 * copy of a large frame shares its memory.
 *
 * Neighbours: message.c receives; send.c sends Lua strings.
 */
#include "watch/subscribers.h"

#include <errno.h>

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

static int send_moved(awz_socket *to, awz_message *message) {
  for (size_t i = 0; i < message->count; i++) {
    int rc =
        awz_raw_send(to, &message->frames[i].message, i + 1 < message->count);
    if (rc < 0)
      return rc;
  }
  return 0;
}

int awz_message_send(awz_socket *to, awz_message *message) {
  bool many = message->count > 1;
  if (many && to->overwrites)
    return -EINVAL; /* libzmq conflates messages of one part only */
  if (many && may_break(to))
    return send_breakable(to, message);
  int rc = send_moved(to, message);
  if (rc < 0)
    return rc;
  message->count = message->bytes = 0; /* libzmq has left them empty */
  awz_subscribers_sent(to);
  return 0;
}
