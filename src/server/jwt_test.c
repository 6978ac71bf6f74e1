/* Tokens are made here, with keys made here, by the same OpenSSL but the other half of it. */
#include "server/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/mem.h"
#include "wire/base64.h"

enum { NOW_S = 1000000 };

static const char secret[] = "0123456789abcdef0123456789abcdef";

static void append_base64url(struct fray_buf *out, struct fray_slice bytes)
{
    size_t from = out->len;
    fray_base64_append(out, bytes);
    while (out->len > from && out->data[out->len - 1] == '=')
        out->len--;
    for (char *at = out->data + from; at < out->data + out->len; at++)
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at);
}

static void sign_secret(struct fray_buf *token)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len;
    assert_non_null(HMAC(EVP_sha256(), secret, sizeof secret - 1, (unsigned char *)token->data,
                         token->len, mac, &len));
    fray_buf_append_byte(token, '.');
    append_base64url(token, fray_slice(mac, len));
}

static void sign_key(struct fray_buf *token, EVP_PKEY *key)
{
    unsigned char signature[512];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_eddsa = EVP_PKEY_is_a(key, "ED25519");
    assert_int_equal(EVP_DigestSignInit(context, NULL, is_eddsa ? NULL : EVP_sha256(), NULL, key),
                     1);
    assert_int_equal(
        EVP_DigestSign(context, signature, &len, (unsigned char *)token->data, token->len), 1);
    EVP_MD_CTX_free(context);
    if (EVP_PKEY_is_a(key, "EC")) { /* from DER to r and s side by side */
        const unsigned char *at = signature;
        ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
        unsigned char raw[64];
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32), 32);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32), 32);
        ECDSA_SIG_free(pair);
        memcpy(signature, raw, 64);
        len = 64;
    }
    fray_buf_append_byte(token, '.');
    append_base64url(token, fray_slice(signature, len));
}

/* header.payload, signed by the key, or by the secret when there is none. */
static struct fray_buf make(const char *header, const char *payload, EVP_PKEY *key)
{
    struct fray_buf token = {0};
    append_base64url(&token, fray_slice_of(header));
    fray_buf_append_byte(&token, '.');
    append_base64url(&token, fray_slice_of(payload));
    if (key)
        sign_key(&token, key);
    else
        sign_secret(&token);
    return token;
}

static struct fray_jwt_verifier *verifier_of(const char *shared, EVP_PKEY *key)
{
    const char *error = NULL;
    char *text = NULL;
    BIO *pem = BIO_new(BIO_s_mem());
    if (key) {
        assert_int_equal(PEM_write_bio_PUBKEY(pem, key), 1);
        assert_int_equal(BIO_write(pem, "", 1), 1);
        BIO_get_mem_data(pem, &text);
    }
    struct fray_jwt_verifier *verifier = fray_jwt_verifier_create(
        &(struct fray_jwt_options){
            .secret = shared, .public_key_pem = text, .audience = "game", .issuer = "issuer"},
        &error);
    BIO_free(pem);
    assert_non_null(verifier);
    return verifier;
}

/* The reason of the refusal, NULL when it is accepted. */
static const char *verify(const struct fray_jwt_verifier *verifier, const char *header,
                          const char *payload, EVP_PKEY *key)
{
    struct fray_buf token = make(header, payload, key);
    json_t *claims;
    const char *reason;
    enum fray_err err = fray_jwt_verify(verifier, fray_buf_slice(&token), NOW_S, &claims, &reason);
    assert_int_equal(err, reason ? FRAY_ERR_DENIED : FRAY_OK);
    assert_int_equal(claims != NULL, reason == NULL);
    json_decref(claims);
    fray_buf_deinit(&token);
    return reason;
}

static const char hs256[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
static const char good[] = "{\"sub\":\"7\",\"aud\":\"game\",\"iss\":\"issuer\",\"exp\":1000001}";

static void B31_a_signed_token_is_accepted(void **unused)
{
    (void)unused;
    struct fray_jwt_verifier *verifier = verifier_of(secret, NULL);
    struct fray_buf token = make(hs256, good, NULL);
    json_t *claims;
    const char *reason;
    assert_int_equal(fray_jwt_verify(verifier, fray_buf_slice(&token), NOW_S, &claims, &reason), 0);
    assert_string_equal(json_string_value(json_object_get(claims, "sub")), "7");
    json_decref(claims);
    /* Every bit of it counts, but the unused ones of the last character. */
    for (size_t i = 0; i < token.len - 1; i++) {
        char was = token.data[i];
        token.data[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(fray_jwt_verify(verifier, fray_buf_slice(&token), NOW_S, &claims, &reason),
                         FRAY_ERR_DENIED);
        token.data[i] = was;
    }
    for (size_t len = 0; len < token.len; len++)
        assert_int_equal(
            fray_jwt_verify(verifier, fray_slice(token.data, len), NOW_S, &claims, &reason),
            FRAY_ERR_DENIED);
    fray_buf_deinit(&token);
    fray_jwt_verifier_destroy(verifier);
}

static void B31_claims_are_checked(void **unused)
{
    (void)unused;
    static const struct {
        const char *payload, *reason;
    } cases[] = {
        {"{\"aud\":[\"x\",\"game\"],\"iss\":\"issuer\"}", NULL},
        {"{\"aud\":\"game\",\"iss\":\"issuer\",\"exp\":1000000}", "The token has expired."},
        {"{\"aud\":\"game\",\"iss\":\"issuer\",\"exp\":\"never\"}", "The token is malformed."},
        {"{\"aud\":\"game\",\"iss\":\"issuer\",\"nbf\":1000001}", "The token is not valid yet."},
        {"{\"aud\":\"game\",\"iss\":\"issuer\",\"nbf\":1000000}", NULL},
        {"{\"aud\":\"other\",\"iss\":\"issuer\"}", "The token is for another audience."},
        {"{\"aud\":[],\"iss\":\"issuer\"}", "The token is for another audience."},
        {"{\"iss\":\"issuer\"}", "The token is for another audience."},
        {"{\"aud\":\"game\",\"iss\":\"evil\"}", "The token is of another issuer."},
        {"{\"aud\":\"game\"}", "The token is of another issuer."},
        {"[]", "The token is malformed."},
        {"{\"aud\":\"game\",\"aud\":\"x\",\"iss\":\"issuer\"}", "The token is malformed."},
    };
    struct fray_jwt_verifier *verifier = verifier_of(secret, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *reason = verify(verifier, hs256, cases[i].payload, NULL);
        if (cases[i].reason)
            assert_string_equal(reason, cases[i].reason);
        else
            assert_null(reason);
    }
    fray_jwt_verifier_destroy(verifier);
}

static void B31_none_and_strange_headers_are_refused(void **unused)
{
    (void)unused;
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"HS512\"}",
        "{\"alg\":\"hs256\"}",
        "{\"alg\":\"\"}",
        "{\"alg\":7}",
        "{}",
        "[]",
        "{\"alg\":\"HS256\",\"crit\":[\"b64\"]}",
    };
    struct fray_jwt_verifier *verifier = verifier_of(secret, NULL);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        assert_non_null(verify(verifier, headers[i], good, NULL));
    json_t *claims;
    const char *reason;
    /* {"alg":"none"} with an empty signature, as RFC 7519 6.1 has it. */
    assert_int_equal(
        fray_jwt_verify(verifier, FRAY_SLICE("eyJhbGciOiJub25lIn0.e30."), NOW_S, &claims, &reason),
        FRAY_ERR_DENIED);
    assert_int_equal(fray_jwt_verify(verifier, FRAY_SLICE(""), NOW_S, &claims, &reason),
                     FRAY_ERR_DENIED);
    assert_string_equal(reason, "A token is needed.");
    fray_jwt_verifier_destroy(verifier);
}

static void check_key(EVP_PKEY *key, const char *header)
{
    struct fray_jwt_verifier *verifier = verifier_of(NULL, key);
    assert_null(verify(verifier, header, good, key));
    EVP_PKEY *other = EVP_PKEY_is_a(key, "RSA")  ? EVP_RSA_gen(2048)
                      : EVP_PKEY_is_a(key, "EC") ? EVP_EC_gen("P-256")
                                                 : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    assert_string_equal(verify(verifier, header, good, other), "The token's signature is wrong.");
    /* The public key's text as a secret: the classic confusion (RFC 8725 2.1). */
    assert_string_equal(verify(verifier, hs256, good, NULL),
                        "The token's algorithm is not allowed.");
    fray_jwt_verifier_destroy(verifier);
    /* Beside a secret each verifies its own kind. */
    verifier = verifier_of(secret, key);
    assert_null(verify(verifier, header, good, key));
    assert_null(verify(verifier, hs256, good, NULL));
    assert_non_null(verify(verifier, header, good, NULL));
    assert_non_null(verify(verifier, hs256, good, key));
    fray_jwt_verifier_destroy(verifier);
    EVP_PKEY_free(other);
}

static void B31_public_keys_verify_their_own_algorithm(void **unused)
{
    (void)unused;
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
    EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    check_key(rsa, "{\"alg\":\"RS256\"}");
    check_key(ec, "{\"alg\":\"ES256\"}");
    check_key(ed, "{\"alg\":\"EdDSA\"}");
    struct fray_jwt_verifier *verifier = verifier_of(NULL, ed);
    assert_non_null(verify(verifier, "{\"alg\":\"RS256\"}", good, rsa));
    assert_non_null(verify(verifier, "{\"alg\":\"EdDSA\"}", good, rsa));
    fray_jwt_verifier_destroy(verifier);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ed);
}

/* RFC 8037 A.4: the example of EdDSA, signed by somebody else. */
static void B31_agrees_with_rfc_8037(void **unused)
{
    (void)unused;
    static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                              "-----END PUBLIC KEY-----\n";
    const char *error;
    struct fray_jwt_verifier *verifier =
        fray_jwt_verifier_create(&(struct fray_jwt_options){.public_key_pem = pem}, &error);
    assert_non_null(verifier);
    json_t *claims;
    const char *reason;
    enum fray_err err = fray_jwt_verify(
        verifier,
        FRAY_SLICE("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1"
                   "PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
        NOW_S, &claims, &reason);
    assert_int_equal(err, FRAY_ERR_DENIED);
    assert_string_equal(reason, "The token is malformed."); /* rightly signed, but no claims */
    fray_jwt_verifier_destroy(verifier);
}

static void bad_keys_are_named(void **unused)
{
    (void)unused;
    const char *error = NULL;
    assert_null(
        fray_jwt_verifier_create(&(struct fray_jwt_options){.public_key_pem = "nonsense"}, &error));
    assert_string_equal(error, "holds no public key in PEM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B31_a_signed_token_is_accepted),
        cmocka_unit_test(B31_claims_are_checked),
        cmocka_unit_test(B31_none_and_strange_headers_are_refused),
        cmocka_unit_test(B31_public_keys_verify_their_own_algorithm),
        cmocka_unit_test(B31_agrees_with_rfc_8037),
        cmocka_unit_test(bad_keys_are_named),
    };
    return cmocka_run_group_tests_name("jwt", tests, NULL, NULL);
}
