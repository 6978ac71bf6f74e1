#include "net/tls_context.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "net/tls.h"

struct fray_tls_context {
    SSL_CTX *ssl;
    bool is_client;
};

/* ALPN (RFC 7301), in its wire format. HTTP/1.1 carries websockets and polling; MQTT has a listener
 * of its own. HTTP/2 is not spoken, so a client that insists on it is told at once. */
static const unsigned char alpn_protocols[] = "\x08http/1.1\x04mqtt";

static int select_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
                       const unsigned char *offered, unsigned offered_len, void *argument)
{
    (void)ssl;
    (void)argument;
    int found = SSL_select_next_proto((unsigned char **)chosen, chosen_len, alpn_protocols,
                                      sizeof alpn_protocols - 1, offered, offered_len);
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static struct fray_tls_context *context_create(bool is_client)
{
    struct fray_tls_context *context = fray_alloc_zero(sizeof *context);
    context->is_client = is_client;
    context->ssl = SSL_CTX_new(is_client ? TLS_client_method() : TLS_server_method());
    assert(context->ssl);
    SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION);
    SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                          SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (is_client)
        return context;
    /* Resumption by tickets, which cost the server no memory. */
    SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(context->ssl, (const unsigned char *)"fray", 4);
    SSL_CTX_set_alpn_select_cb(context->ssl, select_alpn, NULL);
    return context;
}

void fray_tls_context_destroy(struct fray_tls_context *context)
{
    SSL_CTX_free(context->ssl); /* engines hold references of their own */
    free(context);
}

SSL_CTX *fray_tls_context_ssl(struct fray_tls_context *context)
{
    return context->ssl;
}

bool fray_tls_context_is_client(const struct fray_tls_context *context)
{
    return context->is_client;
}

struct fray_tls_context *fray_tls_context_create_client(bool trusts_anyone)
{
    struct fray_tls_context *context = context_create(true);
    if (trusts_anyone) {
        SSL_CTX_set_verify(context->ssl, SSL_VERIFY_NONE, NULL);
        return context;
    }
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_default_verify_paths(context->ssl); /* none there: then nobody is trusted */
    ERR_clear_error();
    return context;
}

/* Instead of asking on the terminal. */
static int no_passphrase(char *buffer, int size, int is_writing, void *asked)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    *(bool *)asked = true;
    return -1;
}

static FILE *open_pem(const char *what, const char *path, char error[FRAY_TLS_ERROR_MAX])
{
    FILE *file = fopen(path, "re");
    if (!file)
        snprintf(error, FRAY_TLS_ERROR_MAX, "cannot read the TLS %s file '%s': %s", what, path,
                 strerror(errno));
    return file;
}

static X509 *load_cert(const char *path, char error[FRAY_TLS_ERROR_MAX])
{
    FILE *file = open_pem("certificate", path, error);
    if (!file)
        return NULL;
    bool asked = false;
    X509 *cert = PEM_read_X509(file, NULL, no_passphrase, &asked);
    fclose(file);
    if (!cert)
        snprintf(error, FRAY_TLS_ERROR_MAX,
                 "the TLS certificate file '%s' does not begin with a PEM certificate", path);
    return cert;
}

static EVP_PKEY *load_key(const char *path, char error[FRAY_TLS_ERROR_MAX])
{
    FILE *file = open_pem("key", path, error);
    if (!file)
        return NULL;
    bool asked = false;
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, no_passphrase, &asked);
    fclose(file);
    if (!key)
        snprintf(error, FRAY_TLS_ERROR_MAX,
                 asked ? "the TLS key file '%s' is encrypted; fray needs it without a passphrase"
                       : "the TLS key file '%s' holds no PEM private key",
                 path);
    return key;
}

/* Gives both to the context. OpenSSL's security level may refuse a key that is too short, for one.
 */
static bool install(SSL_CTX *ssl, const char *cert_path, EVP_PKEY *key,
                    char error[FRAY_TLS_ERROR_MAX])
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ssl, cert_path) == 1 &&
        SSL_CTX_use_PrivateKey(ssl, key) == 1)
        return true;
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(error, FRAY_TLS_ERROR_MAX, "the TLS certificate file '%s' cannot be used: %s",
             cert_path, reason ? reason : "unknown reason");
    return false;
}

struct fray_tls_context *fray_tls_context_create(const char *cert_path, const char *key_path,
                                                 char error[FRAY_TLS_ERROR_MAX])
{
    struct fray_tls_context *context = NULL;
    EVP_PKEY *key = NULL;
    X509 *cert = load_cert(cert_path, error);
    if (cert)
        key = load_key(key_path, error);
    if (key && X509_check_private_key(cert, key) != 1) {
        snprintf(error, FRAY_TLS_ERROR_MAX,
                 "the TLS key file '%s' does not belong to the certificate in '%s'", key_path,
                 cert_path);
    } else if (key) {
        context = context_create(false);
        if (!install(context->ssl, cert_path, key, error)) {
            fray_tls_context_destroy(context);
            context = NULL;
        }
    }
    EVP_PKEY_free(key);
    X509_free(cert);
    ERR_clear_error();
    return context;
}

static bool add_extension(X509 *cert, int kind, const char *value)
{
    X509V3_CTX names;
    X509V3_set_ctx(&names, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &names, kind, value);
    bool added = extension && X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

/* Random, so that browsers do not take two certificates of one issuer for one another. */
static bool set_serial(X509 *cert)
{
    uint64_t serial;
    return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1 | 1);
}

static bool fill_self_signed(X509 *cert, EVP_PKEY *key)
{
    enum { HOUR_S = 3600, YEAR_S = 365 * 24 * HOUR_S };
    X509_NAME *name = X509_get_subject_name(cert);
    return X509_set_version(cert, X509_VERSION_3) && set_serial(cert) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -HOUR_S) &&
           X509_gmtime_adj(X509_getm_notAfter(cert), YEAR_S) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost",
                                      -1, -1, 0) &&
           X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) &&
           add_extension(cert, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
           add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, NID_key_usage, "critical,digitalSignature") &&
           add_extension(cert, NID_ext_key_usage, "serverAuth") &&
           X509_sign(cert, key, EVP_sha256()) > 0;
}

struct fray_tls_context *fray_tls_context_create_self_signed(void)
{
    struct fray_tls_context *context = context_create(false);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    bool made = key && cert && fill_self_signed(cert, key) &&
                SSL_CTX_use_certificate(context->ssl, cert) == 1 &&
                SSL_CTX_use_PrivateKey(context->ssl, key) == 1;
    assert(made); /* nothing of it comes from outside */
    X509_free(cert);
    EVP_PKEY_free(key);
    return context;
}
