/* fault.c - see fault.h */
#include "tls/fault.h"

#include "tls/openssl.h"

#include <aiowire.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

void awio_fault_clear(void) {
  awio_openssl()->ERR_clear_error();
}

void awio_fault_set(awio_fault *fault, const char *name, const char *detail) {
  *fault = (awio_fault){.code = AWIO_ETLS};
  snprintf(fault->name, sizeof fault->name, "%s", name);
  snprintf(fault->detail, sizeof fault->detail, "%s", detail);
}

void awio_fault_system(awio_fault *fault, int code) {
  *fault = (awio_fault){.code = code};
}

void awio_fault_about(awio_fault *fault, const char *text) {
  size_t size = strlen(text), room = sizeof fault->about - 1;
  if (size > room)
    snprintf(fault->about, sizeof fault->about, "...%s",
             text + size - (room - 3));
  else
    memcpy(fault->about, text, size + 1);
}

/* "ssl/tls alert bad certificate" → "SSL_TLS_ALERT_BAD_CERTIFICATE". The
 * locale has no say. */
static void set_fault_name(awio_fault *fault, const char *reason) {
  size_t i = 0;
  for (; i < sizeof fault->name - 1 && reason[i]; i++) {
    char c = reason[i];
    bool is_lower = c >= 'a' && c <= 'z';
    bool is_sign = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_lower)
      c = (char)(c - 'a' + 'A');
    fault->name[i] = is_lower || is_sign ? c : '_';
  }
  fault->name[i] = '\0';
}

/* OpenSSL adds this to the number of an alert that the peer has sent. */
static bool is_alert(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_SSL &&
         ERR_GET_REASON(error) >= SSL_AD_REASON_OFFSET;
}

/* The first error of the queue is the deepest one: the cause. One about memory
 * counts wherever it stands, since the others follow from it. */
void awio_fault_take(awio_fault *fault) {
  const awio_openssl_calls *o = awio_openssl();
  unsigned long first = o->ERR_get_error();
  bool without_memory = false;
  for (unsigned long next = first; next; next = o->ERR_get_error())
    without_memory |= ERR_GET_REASON(next) == ERR_R_MALLOC_FAILURE;
  *fault = (awio_fault){.code = AWIO_ETLS};
  if (without_memory)
    fault->code = AW_ENOMEM;
  else if (ERR_SYSTEM_ERROR(first))
    fault->code = -ERR_GET_REASON(first);
  if (fault->code != AWIO_ETLS)
    return;
  const char *reason = first ? o->ERR_reason_error_string(first) : "unknown";
  if (reason)
    set_fault_name(fault, reason);
  else
    snprintf(fault->name, sizeof fault->name, "ERROR_%lX", first);
  fault->from_peer = is_alert(first);
}

/* The flags escape control characters, and all that is not ASCII. */
void awio_fault_name_text(const X509_NAME *name, char *out, size_t size) {
  const awio_openssl_calls *o = awio_openssl();
  out[0] = '\0';
  BIO *memory = o->BIO_new(o->BIO_s_mem());
  if (!memory)
    return;
  const char *text = NULL;
  if (o->X509_NAME_print_ex(memory, name, 0, XN_FLAG_ONELINE) >= 0) {
    long length = o->BIO_ctrl(memory, BIO_CTRL_INFO, 0, &text);
    if (text && length > 0)
      snprintf(out, size, "%.*s", (int)length, text);
  }
  o->BIO_free(memory);
}
