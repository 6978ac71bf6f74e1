#include "net/tls.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "net/tls_context.h"

enum { RECORD_PLAIN_MAX = 16384 }; /* RFC 8446 5.1 */

struct fray_tls {
    SSL *ssl;
    struct fray_slice input; /* during fray_tls_receive; empty otherwise */
    struct fray_buf output;
    bool is_broken;
    bool is_finished; /* close_notify is made */
};

/* OpenSSL reads and writes through this: from the slice that was received, to the output. */

static int bio_read(BIO *bio, char *data, size_t len, size_t *count)
{
    struct fray_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t now = len < tls->input.len ? len : tls->input.len;
    *count = now;
    if (now == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(data, tls->input.data, now);
    tls->input = fray_slice_skip(tls->input, now);
    return 1;
}

static int bio_write(BIO *bio, const char *data, size_t len, size_t *count)
{
    struct fray_tls *tls = BIO_get_data(bio);
    fray_buf_append(&tls->output, data, len);
    *count = len;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* One for the process, for as long as it lives: BIOs point to it. */
static BIO_METHOD *bio_method;
static pthread_once_t bio_method_once = PTHREAD_ONCE_INIT;

static void make_bio_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fray");
    bool made = bio_method && BIO_meth_set_read_ex(bio_method, bio_read) &&
                BIO_meth_set_write_ex(bio_method, bio_write) &&
                BIO_meth_set_ctrl(bio_method, bio_ctrl);
    assert(made);
}

/* Certificates name hosts and addresses in different fields (RFC 5280 4.2.1.6), and SNI has no
 * addresses (RFC 6066 3). */
static void expect_server(SSL *ssl, const char *server)
{
    assert(server[0]); /* OpenSSL takes "" for anybody */
    bool is_address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server) == 1;
    bool is_set = is_address ||
                  (SSL_set1_host(ssl, server) == 1 && SSL_set_tlsext_host_name(ssl, server) == 1);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS); /* RFC 9525 6.3 */
    ERR_clear_error();
    assert(is_set); /* fails for want of memory, or names that no look-up knows */
}

struct fray_tls *fray_tls_create(struct fray_tls_context *context, const char *server)
{
    pthread_once(&bio_method_once, make_bio_method);
    struct fray_tls *tls = fray_alloc_zero(sizeof *tls);
    BIO *bio = BIO_new(bio_method);
    tls->ssl = SSL_new(fray_tls_context_ssl(context));
    assert(bio && tls->ssl); /* fails for want of memory only */
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio); /* takes it */
    assert(server || SSL_get_verify_mode(tls->ssl) == SSL_VERIFY_NONE);
    if (server)
        expect_server(tls->ssl, server);
    if (fray_tls_context_is_client(context))
        SSL_set_connect_state(tls->ssl);
    else
        SSL_set_accept_state(tls->ssl);
    return tls;
}

void fray_tls_destroy(struct fray_tls *tls)
{
    SSL_free(tls->ssl);
    fray_buf_deinit(&tls->output);
    free(tls);
}

bool fray_tls_is_ready(const struct fray_tls *tls)
{
    return SSL_is_init_finished(tls->ssl);
}

const char *fray_tls_distrust(const struct fray_tls *tls)
{
    long result = SSL_get_verify_result(tls->ssl);
    if (SSL_get_verify_mode(tls->ssl) == SSL_VERIFY_NONE || result == X509_V_OK)
        return NULL;
    return X509_verify_cert_error_string(result);
}

struct fray_buf *fray_tls_output(struct fray_tls *tls)
{
    return &tls->output;
}

/* What a failed call means; OpenSSL's queue of errors, one per thread, is left empty. */
static enum fray_err failure(struct fray_tls *tls, int returned)
{
    int why = SSL_get_error(tls->ssl, returned);
    ERR_clear_error();
    switch (why) {
    case SSL_ERROR_WANT_READ: return FRAY_ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return FRAY_ERR_CLOSED;
    default: tls->is_broken = true; return FRAY_ERR_IO;
    }
}

enum fray_err fray_tls_receive(struct fray_tls *tls, struct fray_slice input, char *plain,
                               size_t *count)
{
    *count = 0;
    if (tls->is_broken)
        return FRAY_ERR_IO;
    size_t cap = input.len + FRAY_TLS_RECORD_MAX;
    tls->input = input;
    enum fray_err err = FRAY_OK;
    while (!err) {
        size_t room = cap - *count < INT_MAX ? cap - *count : INT_MAX, got = 0;
        assert(room > 0); /* plain text is shorter than what it came in */
        int returned = SSL_read_ex(tls->ssl, plain + *count, room, &got);
        if (returned == 1)
            *count += got;
        else
            err = failure(tls, returned);
    }
    tls->input = (struct fray_slice){0};
    return err == FRAY_ERR_AGAIN ? FRAY_OK : err;
}

/* The bytes behind the first `skip`, as one run: as they lie, if the first part has enough of them,
 * else gathered into `scratch`. Empty when there are none. */
static struct fray_slice gather(const struct iovec *parts, int parts_count, size_t skip,
                                char scratch[RECORD_PLAIN_MAX])
{
    struct fray_slice run = {scratch, 0};
    for (int i = 0; i < parts_count && run.len < RECORD_PLAIN_MAX; i++) {
        if (skip >= parts[i].iov_len) {
            skip -= parts[i].iov_len;
            continue;
        }
        const char *from = (const char *)parts[i].iov_base + skip;
        size_t len = parts[i].iov_len - skip;
        skip = 0;
        if (run.len == 0 && (len >= RECORD_PLAIN_MAX || i == parts_count - 1))
            return fray_slice(from, len < RECORD_PLAIN_MAX ? len : RECORD_PLAIN_MAX);
        size_t room = RECORD_PLAIN_MAX - run.len;
        size_t now = len < room ? len : room;
        memcpy(scratch + run.len, from, now);
        run.len += now;
    }
    return run;
}

enum fray_err fray_tls_send(struct fray_tls *tls, const struct iovec *parts, int parts_count,
                            size_t skip, size_t *count)
{
    *count = 0;
    if (tls->is_broken || tls->is_finished)
        return FRAY_ERR_IO;
    if (!fray_tls_is_ready(tls))
        return FRAY_ERR_AGAIN;
    char scratch[RECORD_PLAIN_MAX];
    while (*count < FRAY_TLS_BATCH_MAX) {
        struct fray_slice run = gather(parts, parts_count, skip + *count, scratch);
        if (run.len == 0)
            break;
        size_t taken = 0;
        int returned = SSL_write_ex(tls->ssl, run.data, run.len, &taken);
        if (returned != 1)
            return failure(tls, returned) == FRAY_ERR_AGAIN ? FRAY_ERR_AGAIN : FRAY_ERR_IO;
        *count += taken;
    }
    return FRAY_OK;
}

void fray_tls_finish(struct fray_tls *tls)
{
    if (tls->is_broken || tls->is_finished || !fray_tls_is_ready(tls))
        return;
    tls->is_finished = true;
    SSL_shutdown(tls->ssl);
    ERR_clear_error();
}
