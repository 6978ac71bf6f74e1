#include "net/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/rng.h"
#include "net/tls_context.h"

/* Two engines, mouth to ear. How they do in streams is in stream_contract_test.c. */

struct ends {
    struct fray_tls_context *server_context, *client_context;
    struct fray_tls *server, *client;
    const char *wanted; /* by the client; NULL: whoever it is */
    struct fray_buf server_got, client_got;
    enum fray_err server_err, client_err;
    size_t piece_max; /* bytes are handed over in pieces of 1 to this many; 0: in one */
    struct fray_rng rng;
    size_t records; /* that the server has sent */
};

static void ends_init(struct ends *ends)
{
    *ends = (struct ends){0};
    fray_rng_init(&ends->rng, 1);
    ends->server_context = fray_tls_context_create_self_signed();
    ends->client_context = fray_tls_context_create_client(true);
}

static void ends_connect(struct ends *ends)
{
    ends->server = fray_tls_create(ends->server_context, NULL);
    ends->client = fray_tls_create(ends->client_context, ends->wanted);
}

static void ends_disconnect(struct ends *ends)
{
    fray_tls_destroy(ends->server);
    fray_tls_destroy(ends->client);
    fray_buf_deinit(&ends->server_got);
    fray_buf_deinit(&ends->client_got);
    ends->server_err = ends->client_err = FRAY_OK;
}

static void ends_deinit(struct ends *ends)
{
    ends_disconnect(ends);
    fray_tls_context_destroy(ends->server_context);
    fray_tls_context_destroy(ends->client_context);
}

static enum fray_err receive(struct fray_tls *tls, struct fray_slice bytes, struct fray_buf *got)
{
    size_t count;
    char *plain = fray_buf_reserve(got, bytes.len + FRAY_TLS_RECORD_MAX);
    enum fray_err err = fray_tls_receive(tls, bytes, plain, &count);
    got->len += count;
    return err;
}

static enum fray_err carry(struct ends *ends, struct fray_tls *from, struct fray_tls *to,
                           struct fray_buf *got)
{
    struct fray_buf *output = fray_tls_output(from);
    enum fray_err err = FRAY_OK;
    while (output->len > 0 && !err) {
        size_t len = output->len;
        if (ends->piece_max)
            len = 1 + fray_rng_below(&ends->rng, ends->piece_max);
        if (len > output->len)
            len = output->len;
        char *copy = fray_strndup(output->data, len); /* of exact size, for AddressSanitizer */
        fray_buf_consume(output, len);
        err = receive(to, fray_slice(copy, len), got);
        free(copy);
    }
    return err;
}

static size_t count_records(const struct fray_buf *output)
{
    size_t records = 0;
    for (size_t at = 0; at + 5 <= output->len; records++)
        at += 5 + ((uint8_t)output->data[at + 3] << 8) + (uint8_t)output->data[at + 4];
    return records;
}

/* Until neither has anything to send. */
static void talk(struct ends *ends)
{
    if (!fray_tls_is_ready(ends->client))
        ends->client_err = receive(ends->client, (struct fray_slice){0}, &ends->client_got);
    while (fray_tls_output(ends->client)->len + fray_tls_output(ends->server)->len > 0 &&
           !ends->client_err && !ends->server_err) {
        ends->server_err = carry(ends, ends->client, ends->server, &ends->server_got);
        ends->records += count_records(fray_tls_output(ends->server));
        ends->client_err = carry(ends, ends->server, ends->client, &ends->client_got);
    }
}

static void send_all(struct ends *ends, const struct iovec *parts, int parts_count, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        size_t count;
        assert_int_equal(fray_tls_send(ends->server, parts, parts_count, sent, &count), FRAY_OK);
        assert_true(count > 0 && count <= FRAY_TLS_BATCH_MAX);
        sent += count;
        talk(ends);
    }
}

static void shakes_hands_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const size_t piece_max[] = {0, 1, 7, 300};
    struct ends ends;
    ends_init(&ends);
    for (size_t i = 0; i < 4; i++) {
        ends.piece_max = piece_max[i];
        ends_connect(&ends);
        struct iovec part = {(void *)"early", 5};
        size_t count;
        assert_int_equal(fray_tls_send(ends.server, &part, 1, 0, &count), FRAY_ERR_AGAIN);
        talk(&ends);
        assert_true(fray_tls_is_ready(ends.server) && fray_tls_is_ready(ends.client));
        send_all(&ends, &part, 1, 5);
        assert_int_equal(ends.client_got.len, 5);
        ends_disconnect(&ends);
    }
    ends_connect(&ends);
    ends_deinit(&ends);
}

static void parts_of_any_size_arrive(void **state)
{
    (void)state;
    struct ends ends;
    ends_init(&ends);
    ends_connect(&ends);
    talk(&ends);
    struct fray_rng rng;
    fray_rng_init(&rng, 3);
    for (unsigned round = 0; round < 60; round++) {
        struct iovec parts[40];
        int parts_count = 1 + (int)fray_rng_below(&rng, 40);
        struct fray_buf all = {0};
        size_t most = (size_t)1 << fray_rng_below(&rng, 17);
        for (int i = 0; i < parts_count; i++) {
            size_t len = fray_rng_below(&rng, most);
            for (size_t k = 0; k < len; k++)
                fray_buf_append_byte(&all, (uint8_t)fray_rng_next(&rng));
            parts[i].iov_len = len;
        }
        size_t at = 0;
        for (int i = 0; i < parts_count; at += parts[i++].iov_len)
            parts[i].iov_base = all.data ? all.data + at : NULL;
        ends.client_got.len = 0;
        send_all(&ends, parts, parts_count, all.len);
        assert_int_equal(ends.client_got.len, all.len);
        if (all.len)
            assert_memory_equal(ends.client_got.data, all.data, all.len);
        fray_buf_deinit(&all);
    }
    ends_deinit(&ends);
}

static void small_parts_share_a_record(void **state)
{
    (void)state;
    struct ends ends;
    ends_init(&ends);
    ends_connect(&ends);
    talk(&ends);
    struct iovec parts[100];
    for (unsigned i = 0; i < 100; i++)
        parts[i] = (struct iovec){(void *)"0123456789", 10};
    size_t count;
    assert_int_equal(fray_tls_send(ends.server, parts, 100, 0, &count), FRAY_OK);
    assert_int_equal(count, 1000);
    assert_int_equal(count_records(fray_tls_output(ends.server)), 1);
    assert_true(fray_tls_output(ends.server)->len < 1000 + 64);
    ends_deinit(&ends);
}

static void ends_with_close_notify(void **state)
{
    (void)state;
    struct ends ends;
    ends_init(&ends);
    ends_connect(&ends);
    fray_tls_finish(ends.server); /* too early for it: nothing to say */
    assert_int_equal(fray_tls_output(ends.server)->len, 0);
    talk(&ends);
    struct iovec part = {(void *)"bye", 3};
    size_t count;
    assert_int_equal(fray_tls_send(ends.server, &part, 1, 0, &count), FRAY_OK);
    fray_tls_finish(ends.server);
    fray_tls_finish(ends.server);
    talk(&ends);
    assert_int_equal(ends.client_err, FRAY_ERR_CLOSED);
    assert_int_equal(ends.client_got.len, 3);
    assert_int_equal(fray_tls_send(ends.server, &part, 1, 0, &count), FRAY_ERR_IO);
    assert_int_equal(fray_tls_send(ends.client, &part, 1, 0, &count), FRAY_OK); /* half-closed */
    ends.client_err = FRAY_OK;
    talk(&ends);
    assert_int_equal(ends.server_got.len, 3);
    ends_deinit(&ends);
}

/* Whatever is changed in what the client says, the server breaks off and stays usable. */
static void a_broken_peer_is_refused(void **state)
{
    (void)state;
    struct ends ends;
    ends_init(&ends);
    unsigned refused = 0;
    for (size_t at = 0; at < 200; at++) {
        ends_connect(&ends);
        ends.client_err = receive(ends.client, (struct fray_slice){0}, &ends.client_got);
        struct fray_buf *hello = fray_tls_output(ends.client);
        hello->data[at % hello->len] ^= 0x55;
        enum fray_err err = carry(&ends, ends.client, ends.server, &ends.server_got);
        assert_true(err == FRAY_OK || err == FRAY_ERR_IO);
        if (err) {
            refused++;
            assert_int_equal(receive(ends.server, FRAY_SLICE("more"), &ends.server_got),
                             FRAY_ERR_IO);
        }
        assert_int_equal(ends.server_got.len, 0);
        ends_disconnect(&ends);
    }
    assert_true(refused > 20);
    ends_connect(&ends);
    ends.piece_max = 0;
    talk(&ends);
    assert_true(fray_tls_is_ready(ends.server));
    struct iovec part = {(void *)"x", 1};
    size_t count;
    assert_int_equal(fray_tls_send(ends.client, &part, 1, 0, &count), FRAY_OK);
    fray_tls_output(ends.client)->data[8] ^= 1; /* in the record's cipher text */
    talk(&ends);
    assert_int_equal(ends.server_err, FRAY_ERR_IO);
    assert_int_equal(ends.client_err, FRAY_ERR_IO); /* it was told by an alert */
    ends_deinit(&ends);
}

/* What is negotiated. */

static void connect_with(struct ends *ends, int max_version, const char *alpn)
{
    SSL_CTX *client = fray_tls_context_ssl(ends->client_context);
    SSL_CTX_set_max_proto_version(client, max_version);
    SSL_CTX_set_min_proto_version(client, max_version < TLS1_2_VERSION ? max_version : 0);
    SSL_CTX_set_security_level(client, max_version < TLS1_2_VERSION ? 0 : 1);
    SSL_CTX_set_alpn_protos(client, (const unsigned char *)alpn, (unsigned)strlen(alpn));
    ends_connect(ends);
    talk(ends);
}

static void versions_and_alpn(void **state)
{
    (void)state;
    static const struct {
        int max_version;
        const char *alpn;
        bool works;
    } cases[] = {
        {TLS1_3_VERSION, "", true},
        {TLS1_2_VERSION, "", true},
        {TLS1_1_VERSION, "", false},
        {TLS1_3_VERSION, "\x02h2\x08http/1.1", true},
        {TLS1_3_VERSION, "\x04mqtt", true},
        {TLS1_3_VERSION, "\x02h2", false}, /* no_application_protocol, RFC 7301 3.2 */
    };
    struct ends ends;
    ends_init(&ends);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        connect_with(&ends, cases[i].max_version, cases[i].alpn);
        assert_int_equal(fray_tls_is_ready(ends.server), cases[i].works);
        assert_int_equal(ends.server_err == FRAY_OK, cases[i].works);
        ends_disconnect(&ends);
    }
    ends_connect(&ends);
    ends_deinit(&ends);
}

static SSL_SESSION *kept_session;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept_session);
    kept_session = session;
    return 1;
}

/* The engine hides its SSL; a context's callback is handed it when the handshake begins. */
static void resume_session(const SSL *ssl, int where, int value)
{
    (void)value;
    if (where & SSL_CB_HANDSHAKE_START && kept_session)
        SSL_set_session((SSL *)ssl, kept_session);
}

static bool was_resumed;

static void note_resumption(const SSL *ssl, int where, int value)
{
    (void)value;
    if (where & SSL_CB_HANDSHAKE_DONE)
        was_resumed = SSL_session_reused(ssl);
}

static void tickets_resume_sessions(void **state)
{
    (void)state;
    struct ends ends;
    ends_init(&ends);
    SSL_CTX *client = fray_tls_context_ssl(ends.client_context);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(client, keep_session);
    SSL_CTX_set_info_callback(client, resume_session);
    SSL_CTX_set_info_callback(fray_tls_context_ssl(ends.server_context), note_resumption);
    for (unsigned round = 0; round < 2; round++) {
        ends_connect(&ends);
        talk(&ends);
        assert_int_equal(was_resumed, round == 1);
        fray_tls_finish(ends.client); /* OpenSSL forgets the session of a client that just goes */
        ends_disconnect(&ends);
    }
    ends_connect(&ends);
    ends_deinit(&ends);
    SSL_SESSION_free(kept_session);
}

/* Whom a client trusts. */

static char told[64]; /* by SNI */

static int note_name(SSL *ssl, int *alert, void *argument)
{
    (void)alert;
    (void)argument;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(told, sizeof told, "%s", name ? name : "");
    return SSL_TLSEXT_ERR_OK;
}

static void ends_init_wary(struct ends *ends, bool knows_server)
{
    ends_init(ends);
    SSL_CTX *server = fray_tls_context_ssl(ends->server_context);
    SSL_CTX_set_tlsext_servername_callback(server, note_name);
    fray_tls_context_destroy(ends->client_context);
    ends->client_context = fray_tls_context_create_client(false);
    X509_STORE *known = SSL_CTX_get_cert_store(fray_tls_context_ssl(ends->client_context));
    if (knows_server)
        assert_true(X509_STORE_add_cert(known, SSL_CTX_get0_certificate(server)));
}

static void a_client_wants_a_known_certificate_for_its_server(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *told;
        bool is_known;
        const char *distrust;
    } cases[] = {
        {"localhost", "localhost", true, NULL},
        {"127.0.0.1", "", true, NULL},
        {"::1", "", true, NULL},
        {"localhost", "localhost", false, "self-signed certificate"},
        {"example.com", "example.com", true, "hostname mismatch"},
        {"127.0.0.2", "", true, "IP address mismatch"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ends ends;
        ends_init_wary(&ends, cases[i].is_known);
        ends.wanted = cases[i].wanted;
        ends_connect(&ends);
        talk(&ends);
        bool works = !cases[i].distrust;
        assert_string_equal(told, cases[i].told);
        assert_int_equal(fray_tls_is_ready(ends.client), works);
        assert_int_equal(ends.client_err, works ? FRAY_OK : FRAY_ERR_IO);
        assert_null(fray_tls_distrust(ends.server));
        if (works)
            assert_null(fray_tls_distrust(ends.client));
        else
            assert_string_equal(fray_tls_distrust(ends.client), cases[i].distrust);
        struct iovec part = {(void *)"secret", 6};
        size_t count;
        assert_int_equal(fray_tls_send(ends.client, &part, 1, 0, &count),
                         works ? FRAY_OK : FRAY_ERR_IO);
        ends_deinit(&ends);
    }
}

static void a_client_that_trusts_anyone_still_says_whom_it_wants(void **state)
{
    (void)state;
    struct ends ends;
    ends_init(&ends);
    SSL_CTX_set_tlsext_servername_callback(fray_tls_context_ssl(ends.server_context), note_name);
    ends.wanted = "example.com";
    ends_connect(&ends);
    talk(&ends);
    assert_true(fray_tls_is_ready(ends.client) && fray_tls_is_ready(ends.server));
    assert_null(fray_tls_distrust(ends.client));
    assert_string_equal(told, "example.com");
    ends_deinit(&ends);
}

/* A context goes, as on reload; its connections stay. */
static void a_destroyed_context_leaves_its_connections(void **state)
{
    (void)state;
    struct ends ends;
    ends_init(&ends);
    ends_connect(&ends);
    talk(&ends);
    fray_tls_context_destroy(ends.server_context);
    ends.server_context = fray_tls_context_create_self_signed();
    struct iovec part = {(void *)"still here", 10};
    send_all(&ends, &part, 1, 10);
    assert_int_equal(ends.client_got.len, 10);
    ends_deinit(&ends);
}

/* Files. */

static char folder[] = "/tmp/fray-tls-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[8][64];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, 64, "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* What a self-signed context holds makes a good pair of files. */
static void write_pair(const char *cert_name, const char *key_name, const EVP_CIPHER *cipher)
{
    struct fray_tls_context *context = fray_tls_context_create_self_signed();
    SSL_CTX *ssl = fray_tls_context_ssl(context);
    FILE *file = fopen(path_of(cert_name), "w");
    assert_true(PEM_write_X509(file, SSL_CTX_get0_certificate(ssl)));
    fclose(file);
    file = fopen(path_of(key_name), "w");
    assert_true(PEM_write_PrivateKey(file, SSL_CTX_get0_privatekey(ssl), cipher,
                                     (const unsigned char *)"secret", cipher ? 6 : 0, NULL, NULL));
    fclose(file);
    fray_tls_context_destroy(context);
}

static void assert_refused(const char *cert, const char *key, const char *expected)
{
    char error[FRAY_TLS_ERROR_MAX] = "";
    assert_null(fray_tls_context_create(path_of(cert), path_of(key), error));
    if (!strstr(error, expected))
        fail_msg("'%s' does not say '%s'", error, expected);
    assert_true(strstr(error, folder) != NULL); /* which file */
    assert_null(strchr(error, '\n'));
}

static void files_are_loaded_or_refused_in_a_sentence(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_pair("cert", "key", NULL);
    write_pair("other-cert", "other-key", NULL);
    write_pair("locked-cert", "locked-key", EVP_aes_128_cbc());
    write_text("text", "no PEM at all\n");
    write_text("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");

    char error[FRAY_TLS_ERROR_MAX] = "";
    struct fray_tls_context *context =
        fray_tls_context_create(path_of("cert"), path_of("key"), error);
    assert_non_null(context);
    assert_string_equal(error, "");
    struct ends ends;
    ends_init(&ends);
    fray_tls_context_destroy(ends.server_context);
    ends.server_context = context;
    ends_connect(&ends);
    talk(&ends);
    assert_true(fray_tls_is_ready(ends.client));
    ends_deinit(&ends);

    assert_refused("none", "key", "cannot read the TLS certificate file");
    assert_refused("cert", "none", "No such file or directory");
    assert_refused("text", "key", "does not begin with a PEM certificate");
    assert_refused("broken", "key", "does not begin with a PEM certificate");
    assert_refused("key", "key", "does not begin with a PEM certificate");
    assert_refused("cert", "text", "holds no PEM private key");
    assert_refused("cert", "cert", "holds no PEM private key");
    assert_refused("cert", "other-key", "does not belong to the certificate");
    assert_refused("locked-cert", "locked-key", "is encrypted");

    static const char *const names[] = {"cert",        "key",        "other-cert", "other-key",
                                        "locked-cert", "locked-key", "text",       "broken"};
    for (size_t i = 0; i < 8; i++)
        unlink(path_of(names[i]));
    rmdir(folder);
}

static void the_self_signed_certificate_names_this_machine(void **state)
{
    (void)state;
    struct fray_tls_context *context = fray_tls_context_create_self_signed();
    X509 *cert = SSL_CTX_get0_certificate(fray_tls_context_ssl(context));
    assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(cert, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(cert, "::1", 0), 1);
    assert_int_equal(X509_check_host(cert, "example.com", 0, 0, NULL), 0);
    assert_int_equal(X509_cmp_current_time(X509_get0_notBefore(cert)), -1);
    assert_int_equal(X509_cmp_current_time(X509_get0_notAfter(cert)), 1);
    fray_tls_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shakes_hands_in_pieces_of_any_size),
        cmocka_unit_test(parts_of_any_size_arrive),
        cmocka_unit_test(small_parts_share_a_record),
        cmocka_unit_test(ends_with_close_notify),
        cmocka_unit_test(a_broken_peer_is_refused),
        cmocka_unit_test(versions_and_alpn),
        cmocka_unit_test(tickets_resume_sessions),
        cmocka_unit_test(a_client_wants_a_known_certificate_for_its_server),
        cmocka_unit_test(a_client_that_trusts_anyone_still_says_whom_it_wants),
        cmocka_unit_test(a_destroyed_context_leaves_its_connections),
        cmocka_unit_test(files_are_loaded_or_refused_in_a_sentence),
        cmocka_unit_test(the_self_signed_certificate_names_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
