/* zap_frames.c - see zap_frames.h */
#include "security/zap_frames.h"

#include "context/apart.h"

#include <string.h>

/* ---- replies ---- */

typedef struct reply {
  const char *status, *text;
  awz_text user_id;
} reply;

static bool send_text(void *socket, const awz_text *text, bool more) {
  return awz_apart_send(socket, text->data, text->size, more) == 0;
}

static bool send_word(void *socket, const char *word, bool more) {
  return awz_apart_send(socket, word, strlen(word), more) == 0;
}

static void send_reply(void *socket, const awz_return_address *to,
                       const reply *r) {
  (void)(send_text(socket, &to->route, true) && send_word(socket, "", true) &&
         send_word(socket, "1.0", true) && send_text(socket, &to->id, true) &&
         send_word(socket, r->status, true) &&
         send_word(socket, r->text, true) &&
         send_text(socket, &r->user_id, true) && send_word(socket, "", false));
}

void awz_zap_deny(void *socket, const awz_return_address *to) {
  reply r = {.status = "400", .text = "denied"};
  send_reply(socket, to, &r);
}

void awz_zap_refuse(void *socket, const awz_return_address *to) {
  reply r = {.status = "500", .text = "bad request"};
  send_reply(socket, to, &r);
}

void awz_zap_admit(void *socket, const awz_return_address *to,
                   const awz_request *request, const awz_text *chosen) {
  reply r = {.status = "200", .text = "OK"};
  if (chosen && chosen->size > 0) {
    r.user_id = *chosen;
  } else if (request->kind == AWZ_CURVE) {
    awz_raw_encode_key(r.user_id.data, request->key);
    r.user_id.size = AWZ_KEY_SIZE - 1;
  } else {
    r.user_id = request->username;
  }
  send_reply(socket, to, &r);
}

/* ---- requests ---- */

/* Frames after the empty one. */
enum { VERSION, ID, DOMAIN, ADDRESS, IDENTITY, MECHANISM, CREDENTIALS };

typedef struct incoming {
  awz_text frames[CREDENTIALS + 2];
  awz_text route;
  int count; /* frames after the empty one; all are counted */
  bool has_empty, too_long;
} incoming;

static void take_frame(incoming *in, int place, aw_zmq_message *frame,
                       size_t size) {
  const int most = CREDENTIALS + 2;
  char *data = awz_apart_data(frame);
  awz_text *to = place == 0                       ? &in->route
                 : place >= 2 && place - 2 < most ? &in->frames[place - 2]
                                                  : NULL;
  if (place == 1)
    in->has_empty = size == 0;
  else if (!to || !awz_text_set(to, data, size))
    in->too_long = true;
  if (place >= 2)
    in->count++;
  awio_wipe(data, size); /* may be a password */
}

/* Receive a whole message. Returns false if there is none. */
static bool receive_request(void *socket, incoming *in) {
  aw_zmq_message frame;
  bool more = true;
  int place = 0;
  memset(in, 0, sizeof *in);
  while (more) {
    awz_apart_init(&frame);
    int size = awz_apart_receive(socket, &frame);
    if (size >= 0)
      take_frame(in, place++, &frame, (size_t)size);
    more = size >= 0 && awz_apart_more(&frame);
    awz_apart_drop(&frame);
    if (size < 0)
      return false;
  }
  return true;
}

static bool is_word(const awz_text *text, const char *word) {
  return strcmp(text->data, word) == 0 && text->size == strlen(word);
}

static awz_mechanism mechanism_of(const awz_text *name) {
  return is_word(name, "CURVE")   ? AWZ_CURVE
         : is_word(name, "PLAIN") ? AWZ_PLAIN
         : is_word(name, "NULL")  ? AWZ_NULL
                                  : AWZ_OTHER;
}

/* Make a request of the frames. Returns false if they are none. */
static bool read_request(const incoming *in, awz_request *out) {
  static const int counts[] = {
      [AWZ_NULL] = 0, [AWZ_PLAIN] = 2, [AWZ_CURVE] = 1};
  int credentials = in->count - CREDENTIALS;
  const awz_text *f = in->frames;
  if (in->too_long || credentials < 0 || !is_word(&f[VERSION], "1.0"))
    return false;
  out->domain = f[DOMAIN];
  out->address = f[ADDRESS];
  out->identity = f[IDENTITY];
  out->mechanism = f[MECHANISM];
  out->kind = mechanism_of(&f[MECHANISM]);
  if (out->kind != AWZ_OTHER && credentials != counts[out->kind])
    return false;
  if (out->kind == AWZ_CURVE && f[CREDENTIALS].size != AWZ_KEY_BYTES)
    return false;
  if (out->kind == AWZ_CURVE)
    memcpy(out->key, f[CREDENTIALS].data, AWZ_KEY_BYTES);
  if (out->kind == AWZ_PLAIN) {
    out->username = f[CREDENTIALS];
    out->password = f[CREDENTIALS + 1];
  }
  return true;
}

/* A message without an empty frame has no return address. */
static awz_reading read_incoming(const incoming *in, awz_request *request) {
  if (!in->has_empty)
    return AWZ_NO_REQUEST;
  return read_request(in, request) ? AWZ_GOOD_REQUEST : AWZ_BAD_REQUEST;
}

bool awz_zap_receive(void *socket, awz_return_address *from,
                     awz_request *request, awz_reading *reading) {
  incoming in;
  bool received = receive_request(socket, &in);
  *request = (awz_request){.kind = AWZ_OTHER};
  *reading = AWZ_NO_REQUEST;
  if (received) {
    *from = (awz_return_address){in.route, in.frames[ID]};
    *reading = read_incoming(&in, request);
  }
  awio_wipe(&in, sizeof in);
  return received;
}
