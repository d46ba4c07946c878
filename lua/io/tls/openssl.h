/* openssl.h - the functions of OpenSSL 3, opened at first use
 *
 * aiowire does not link OpenSSL: a program without TLS neither loads nor needs
 * it. awio_openssl() opens libssl once in a process, and it stays open.
 *
 *     const awio_openssl_calls *o = awio_openssl();
 *     SSL *ssl = o->SSL_new(context);
 *
 * The headers of OpenSSL declare its functions; here is the list of those that
 * are called. What the headers have as a macro over SSL_ctrl() or
 * SSL_CTX_ctrl() is called by that function.
 */
#ifndef AWIO_OPENSSL_H
#define AWIO_OPENSSL_H

#define OPENSSL_API_COMPAT    30000
#define OPENSSL_NO_DEPRECATED 1

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* clang-format off */
#define AWIO_OPENSSL_FUNCTIONS(F) \
  /* libssl: contexts */ \
  F(TLS_client_method) F(TLS_server_method) F(SSL_CTX_new) F(SSL_CTX_free) \
  F(SSL_CTX_ctrl) F(SSL_CTX_set_options) F(SSL_CTX_set_verify) \
  F(SSL_CTX_set1_cert_store) F(SSL_CTX_use_certificate) \
  F(SSL_CTX_use_PrivateKey) F(SSL_CTX_set_client_CA_list) \
  F(SSL_CTX_set_session_id_context) F(SSL_CTX_sess_set_new_cb) \
  F(SSL_CTX_set_alpn_protos) F(SSL_CTX_set_alpn_select_cb) \
  F(SSL_CTX_get0_param) F(SSL_CTX_callback_ctrl) F(SSL_select_next_proto) \
  F(SSL_dup_CA_list) \
  /* libssl: connections and sessions */ \
  F(SSL_new) F(SSL_free) F(SSL_ctrl) F(SSL_set_bio) F(SSL_set_connect_state) \
  F(SSL_set_accept_state) F(SSL_do_handshake) F(SSL_read) F(SSL_write) \
  F(SSL_peek) F(SSL_shutdown) F(SSL_get_error) F(SSL_has_pending) \
  F(SSL_is_server) F(SSL_get_version) F(SSL_version) F(SSL_get_current_cipher) \
  F(SSL_CIPHER_get_name) F(SSL_get0_alpn_selected) F(SSL_get_servername) \
  F(SSL_session_reused) F(SSL_get0_peer_certificate) F(SSL_get_verify_result) \
  F(SSL_get0_param) F(SSL_get_verify_mode) F(SSL_set_SSL_CTX) \
  F(SSL_set_session) F(SSL_SESSION_free) F(SSL_SESSION_up_ref) \
  F(SSL_SESSION_is_resumable) F(SSL_set_ex_data) F(SSL_get_ex_data) \
  F(SSL_get_ex_data_X509_STORE_CTX_idx) F(OPENSSL_init_ssl) \
  F(SSL_SESSION_get_protocol_version) \
  /* libcrypto: errors */ \
  F(ERR_get_error) F(ERR_clear_error) F(ERR_peek_last_error) \
  F(ERR_reason_error_string) \
  /* libcrypto: BIOs */ \
  F(BIO_new) F(BIO_free) F(BIO_new_mem_buf) F(BIO_s_mem) F(BIO_ctrl) \
  F(BIO_meth_new) F(BIO_meth_set_write) F(BIO_meth_set_read) \
  F(BIO_meth_set_ctrl) F(BIO_get_new_index) F(BIO_set_data) F(BIO_get_data) \
  F(BIO_set_init) F(BIO_set_flags) F(BIO_clear_flags) \
  /* libcrypto: certificates and keys */ \
  F(PEM_read_bio_X509_AUX) F(PEM_read_bio_PrivateKey) F(PEM_read_bio_X509_CRL) \
  F(PEM_write_bio_X509) F(EVP_PKEY_free) F(X509_free) F(X509_up_ref) \
  F(X509_CRL_free) F(X509_get_subject_name) F(X509_get_issuer_name) \
  F(X509_get0_serialNumber) F(X509_get0_notBefore) F(X509_get0_notAfter) \
  F(X509_get_ext_d2i) F(X509_digest) F(X509_NAME_dup) F(X509_NAME_print_ex) \
  F(X509_NAME_free) F(X509_verify_cert_error_string) F(X509_check_private_key) \
  F(X509_STORE_new) F(X509_STORE_free) F(X509_STORE_up_ref) \
  F(X509_STORE_add_cert) F(X509_STORE_add_crl) F(X509_STORE_load_path) \
  F(X509_STORE_set_default_paths) F(X509_STORE_CTX_get_current_cert) \
  F(X509_STORE_CTX_get_error) F(X509_STORE_CTX_get_error_depth) \
  F(X509_STORE_CTX_set_error) F(X509_STORE_CTX_get_ex_data) \
  F(X509_VERIFY_PARAM_set1_host) F(X509_VERIFY_PARAM_set1_ip_asc) \
  F(X509_VERIFY_PARAM_set_hostflags) \
  F(X509_VERIFY_PARAM_set_flags) F(GENERAL_NAMES_free) \
  /* libcrypto: the rest */ \
  F(CRYPTO_get_ex_new_index) F(EVP_sha256) F(EVP_MD_CTX_new) \
  F(EVP_MD_CTX_free) F(EVP_DigestInit_ex) F(EVP_DigestUpdate) \
  F(EVP_DigestFinal_ex) F(OPENSSL_sk_num) F(OPENSSL_sk_value) \
  F(OPENSSL_sk_new_null) F(OPENSSL_sk_push) F(OPENSSL_sk_pop_free) \
  F(ASN1_STRING_length) F(ASN1_STRING_get0_data) F(ASN1_TIME_to_tm)
/* clang-format on */

typedef struct awio_openssl_calls {
#define AWIO_OPENSSL_CALL(name) __typeof__(name) *name;
  AWIO_OPENSSL_FUNCTIONS(AWIO_OPENSSL_CALL)
#undef AWIO_OPENSSL_CALL
} awio_openssl_calls;

/* Open OpenSSL, unless it is open. Returns its functions; NULL if there is no
 * OpenSSL 3. Call from: any thread. */
const awio_openssl_calls *awio_openssl_open(void);

extern awio_openssl_calls awio_openssl_table; /* use awio_openssl() */

/* Return the functions of OpenSSL, which is open. */
static inline const awio_openssl_calls *awio_openssl(void) {
  return &awio_openssl_table;
}

/* Why awio_openssl_open() has returned NULL: a constant. */
const char *awio_openssl_problem(void);

#endif
