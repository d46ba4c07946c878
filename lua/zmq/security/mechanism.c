/* mechanism.c - see mechanism.h */
#include "security/mechanism.h"

#include "security/curve.h"

enum {
  MECHANISM = 43,
  MECHANISM_CURVE = 2,
  PLAIN_SERVER = 44,
  PLAIN_USERNAME = 45,
  CURVE_SERVER = 47,
  GSSAPI_SERVER = 62,
  GSSAPI_PRINCIPAL = 63,
  GSSAPI_SERVICE_PRINCIPAL = 64
};

bool awz_mechanism_serves(int option) {
  return option == PLAIN_SERVER || option == CURVE_SERVER ||
         option == GSSAPI_SERVER;
}

static bool changes_mechanism(int option) {
  return option == PLAIN_USERNAME || option == GSSAPI_PRINCIPAL ||
         option == GSSAPI_SERVICE_PRINCIPAL || awz_is_secret(option);
}

static int read_int(awz_socket *s, int option) {
  int value = 0;
  size_t size = sizeof value;
  return awz_raw_get(s, option, &value, &size) == 0 ? value : 0;
}

bool awz_mechanism_given(awz_socket *s) {
  return s->serves != 0 || read_int(s, MECHANISM) != 0;
}

static int set_server(awz_socket *s, int option, int value) {
  return awz_raw_set(s, option, &value, sizeof value);
}

/* A client of CURVE becomes one again by setting the key that it has. */
static int keep_client(awz_socket *s) {
  unsigned char key[AWZ_KEY_BYTES];
  size_t size = sizeof key;
  if (!s->knows_server || read_int(s, MECHANISM) == MECHANISM_CURVE)
    return 0;
  int rc = awz_raw_get(s, AWZ_CURVE_SERVERKEY, key, &size);
  return rc < 0 ? rc : awz_raw_set(s, AWZ_CURVE_SERVERKEY, key, sizeof key);
}

static int keep_mechanism(awz_socket *s) {
  if (!s->serves)
    return keep_client(s);
  return read_int(s, s->serves) ? 0 : set_server(s, s->serves, 1);
}

/* What is not set need not be taken back: libzmq would take back another one.
 */
int awz_mechanism_serve(awz_socket *s, int option, bool value) {
  if (value && s->serves && s->serves != option)
    return AW_EBUSY;
  if (!value && s->serves != option)
    return 0;
  int rc = set_server(s, option, value);
  if (rc < 0)
    return rc;
  s->serves = value ? option : 0;
  return keep_mechanism(s);
}

int awz_mechanism_keep(awz_socket *s, int option) {
  if (!changes_mechanism(option))
    return 0;
  if (option == AWZ_CURVE_SERVERKEY)
    s->knows_server = true;
  return keep_mechanism(s);
}
